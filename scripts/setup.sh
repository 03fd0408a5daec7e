#!/bin/sh
# Installs what cf-bench needs to be built, run and tested, and nothing that is already there.
#
#   scripts/setup.sh            what `make build` and `make demo` need
#   scripts/setup.sh --tests    also what `make test` and `make lint` need
#   scripts/setup.sh --azure    also Azure's own command line, `az`, for those who have none (--tests has it too)
#   scripts/setup.sh --benchmark-host  only what a machine needs to be measured on by a cf-bench that is built: no Swift, no
#   headers
#
# System packages come from apt (with sudo unless you are root); uv and the test tools come from PyPI, pinned by hash, into
# .tools/ of this checkout, which `rm -rf .tools` removes. A second run finds everything in place: it asks no network
# and installs nothing. Exit status: 0 all is there, 2 something is missing and can't be installed from here.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/.tools
pins=$root/scripts/requirements
with_tests=false
with_azure=false
with_build=true

say() { printf 'setup: %s\n' "$*" >&2; }

usage() {
  say "usage: scripts/setup.sh [--tests] [--azure] | --benchmark-host"
  exit 2
}

has() { command -v "$1" >/dev/null 2>&1; }

# Without pkg-config the answer is no, and pkg-config is asked for on its own.
has_libssh2() { has pkg-config && pkg-config --exists 'libssh2 >= 1.10'; }

# sshd lives in sbin, which is not on everybody's PATH.
has_sshd() { has sshd || [ -x /usr/sbin/sshd ] || [ -x /usr/local/sbin/sshd ]; }

# On Debian it lives in sbin too.
has_nft() { has nft || [ -x /usr/sbin/nft ]; }

has_certificates() { [ -s /etc/ssl/certs/ca-certificates.crt ] || [ -s /etc/ssl/cert.pem ]; }

# `python3 -m venv` needs ensurepip, which Debian ships apart; a finished .tools/venv proves that it was there.
has_venv() { [ -x "$tools/bin/uv" ] || { has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }; }

# What the Swift linker takes from the C++ toolchain: start files, libgcc and libstdc++ with its headers.
has_linker_parts() {
  [ "$(uname -s)" != Linux ] && return 0
  for file in /usr/lib/gcc/*/*/libstdc++.so; do
    [ -e "$file" ] && return 0
  done
  return 1
}

# Fills `packages` (Debian's names) and `words` (for people) with what is missing.
look_around() {
  packages='' words=''
  missing() { packages="$packages $1" words="$words$(printf '\n  %s' "$2")"; }
  has git || missing git "git"
  if $with_build; then
    has make || missing make "make"
    has pkg-config || missing pkg-config "pkg-config"
    has_libssh2 || missing libssh2-1-dev "libssh2 1.10 or later, with its headers"
    has_linker_parts || missing g++ "a C++ toolchain (Swift links with its start files and libstdc++)"
  fi
  has_sshd || missing openssh-server "sshd (only the program: no server needs to run)"
  { has ssh-keygen && has ssh-agent; } || missing openssh-client "the OpenSSH client programs"
  has hyperfine || missing hyperfine "hyperfine"
  has_certificates || missing ca-certificates "the root certificates"
  has python3 || missing python3 "python3"
  has_venv || missing python3-venv "python3's venv and ensurepip modules"
  if $with_tests; then
    has shellcheck || missing shellcheck "shellcheck"
    has ps || missing procps "ps"
    has openssl || missing openssl "the openssl program"
    # What the scripts in cloud-init.yaml call, and what they are tried in.
    has curl || missing curl "curl"
    has jq || missing jq "jq"
    has_nft || missing nftables "nft"
    has systemd-analyze || missing systemd "systemd-analyze (only the program)"
    has ip || missing iproute2 "ip"
    # What `cf-bench ci` calls in a workflow: the API, and the artifact of another run.
    has gh || missing gh "gh, GitHub's own command line"
    has unzip || missing unzip "unzip"
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Installing openssh-server on Debian starts a server and enables it at boot. We want the program only: a policy keeps
# dpkg from starting it, and the unit that nobody asked for is disabled again.
install_packages() {
  policy=/usr/sbin/policy-rc.d
  placed_policy=false
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    placed_policy=true
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    as_root chmod 755 "$policy"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update --quiet=2
  # shellcheck disable=SC2086 # a list of package names
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends $packages >&2
  if $placed_policy; then
    as_root rm -f "$policy"
    trap - EXIT INT TERM
  fi
  case " $packages " in
    *" openssh-server "*)
      if [ -d /run/systemd/system ] && has systemctl; then
        say "keeping the new ssh server switched off (cf-bench starts a private one when it needs it)"
        as_root systemctl --quiet disable ssh.service ssh.socket 2>/dev/null || true # not every release has both
      fi
      ;;
  esac
}

# What is installed of one list: its pins, and the folder, because scripts in a venv name their interpreter by full path.
installed() { printf '# in %s\n' "$tools" && cat "$pins/$1.txt"; }

# has_pinned LIST PROGRAM...: whether the tools of one pinned list are already in place.
has_pinned() {
  installed "$1" | cmp -s - "$tools/$1.installed" || return 1
  shift
  for program in "$@"; do
    [ -x "$tools/bin/$program" ] || return 1
  done
}

# install_pinned LIST PROGRAM...: puts the tools of one list into .tools/venv and each PROGRAM into .tools/bin.
install_pinned() {
  has_pinned "$@" && return 0
  list=$1
  shift
  say "installing $* from PyPI into .tools (pinned in scripts/requirements/$list.txt)"
  here=$(cat "$tools/venv/path" 2>/dev/null || true)
  if [ "$here" != "$tools" ] || ! "$tools/venv/bin/python" -c 'import pip' 2>/dev/null; then
    rm -rf "$tools/venv"
    python3 -m venv "$tools/venv"
    printf '%s' "$tools" >"$tools/venv/path"
  fi
  "$tools/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --only-binary :all: --require-hashes --requirement "$pins/$list.txt" >&2 || {
    say "PyPI did not give $*. Check the network (and PIP_INDEX_URL, if you use a mirror), then run this again."
    exit 2
  }
  mkdir -p "$tools/bin"
  for program in "$@"; do
    ln -sf "../venv/bin/$program" "$tools/bin/$program"
  done
  installed "$list" >"$tools/$list.installed" # last: an installation cut short is made again
}

# Azure's command line, in a venv of its own: 150 packages whose versions nobody else here should have to share.
install_azure() {
  has_pinned azure az && return 0
  say "installing az (400 MB) from PyPI into .tools/azure (pinned in scripts/requirements/azure.txt)"
  rm -rf "$tools/azure" "$tools/bin/az"
  UV_PYTHON_DOWNLOADS=never "$tools/bin/uv" venv --quiet --no-config --python python3 "$tools/azure" >&2 || {
    say "no venv could be made with python3; az needs Python 3.11 or later."
    exit 2
  }
  # Compiled at once: where Python may not write its cache, each az call would take three times as long.
  "$tools/bin/uv" pip install --quiet --no-config --python "$tools/azure/bin/python" --compile-bytecode \
    --only-binary :all: --require-hashes --requirement "$pins/azure.txt" >&2 || {
    say "PyPI did not give az. Check the network (and UV_INDEX_URL, if you use a mirror), then run this again."
    exit 2
  }
  ln -sf ../azure/bin/az "$tools/bin/az"
  installed azure >"$tools/azure.installed" # last, as above
}

for argument in "$@"; do
  case $argument in
    --tests) with_tests=true with_azure=true ;;
    --azure) with_azure=true ;;
    --benchmark-host) with_build=false ;;
    *) usage ;;
  esac
done

if $with_build && ! has swift; then
  say "Swift 6.2 or later is missing. Get it from https://www.swift.org/install (swiftly installs it without root)."
  exit 2
fi

look_around
if [ -n "$packages" ] && has apt-get; then
  if [ "$(id -u)" -ne 0 ] && ! has sudo; then
    say "root is needed and there is no sudo here. As root, run:"
    say "  apt-get install --no-install-recommends$packages"
    exit 2
  fi
  say "installing with apt-get:$packages"
  install_packages
  look_around
fi
if [ -n "$packages" ]; then
  say "these are missing; install them with your system's package manager, then run this again:$words"
  if has brew; then say "with Homebrew: brew install libssh2 pkg-config hyperfine shellcheck gh"; fi
  exit 2
fi

install_pinned tools uv
if $with_tests; then install_pinned tests check-jsonschema zizmor; fi
if $with_azure; then install_azure; fi
