#!/usr/bin/env bash
# Puts both programs of cf-bench on a runner, and says where: `bin` of $GITHUB_OUTPUT, and $GITHUB_PATH.
#
#   CF_BENCH_CI_INSTALL   release: the newest pin of release-pins.txt, checked before it is unpacked
#                         source: make build, which needs Swift
#                         auto: a release when this platform has a pin, source otherwise
#   CF_BENCH_CI_BIN       a folder that has both programs already; then nothing is installed
#   CF_BENCH_CI_MACHINE   local: also what a machine needs to measure (scripts/setup.sh --benchmark-host)
#   CF_BENCH_RELEASES     OWNER/REPOSITORY that the releases come from
#   CF_BENCH_RELEASE_URL  where the archives lie instead, without the last /; a mirror, or a server of the tests
#   CF_BENCH_RELEASE_PINS another list of pins, for the tests
#
# Exit status: 0 installed, 2 something here has to be changed, 3 something there did not work.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
pins=${CF_BENCH_RELEASE_PINS:-$root/scripts/release-pins.txt}

say() { printf 'cf-bench: %s\n' "$*"; }

# fail STATUS WHAT WHY FIX
fail() {
  # The annotation has the first line only; the log has all three.
  if [ -n "${GITHUB_ACTIONS:-}" ]; then printf '::error title=cf-bench::%s\n' "$2" >&2; fi
  printf 'error: %s\n  why: %s\n  fix: %s\n' "$2" "$3" "$4" >&2
  exit "$1"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

has_libssh2() {
  # Not through grep -q, which would end the pipe early and make ldconfig fail.
  local known
  known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null || true)
  [[ "$known" == *libssh2.so.1* ]]
}

# The one library that the programs do not carry: its security updates come with the system's.
install_libssh2() {
  if has_libssh2; then return 0; fi
  command -v apt-get >/dev/null ||
    fail 2 'libssh2 is missing' 'there is no apt-get to install it with' 'install libssh2 1.10 or later on the runner'
  say 'installing libssh2 with apt-get'
  as_root apt-get update --quiet=2 ||
    fail 3 'the lists of packages could not be fetched' 'apt-get update failed; its own words stand above' 'run the job again'
  local package
  # Ubuntu 24.04 and Debian 13 renamed it.
  for package in libssh2-1t64 libssh2-1; do
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "$package"; then
      if has_libssh2; then return 0; fi
    fi
  done
  fail 3 'libssh2 could not be installed' 'apt-get has neither libssh2-1t64 nor libssh2-1; its own words stand above' \
    'install libssh2 1.10 or later on the runner'
}

platform() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo linux-x86_64 ;;
    Linux-aarch64 | Linux-arm64) echo linux-aarch64 ;;
    *) printf '%s-%s\n' "$(uname -s)" "$(uname -m)" ;;
  esac
}

# pin PLATFORM: `VERSION SHA256` of the newest pin; nothing when there is none.
pin() {
  local version platform sha256 rest found=''
  while read -r version platform sha256 rest; do
    case $version in '' | '#'*) continue ;; esac
    if [[ ! "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+$ || ! "$sha256" =~ ^[0-9a-f]{64}$ || -n "$rest" ]]; then
      fail 2 "$pins has a line that is no pin" "it is: $version $platform $sha256 $rest" 'write it as VERSION PLATFORM SHA256'
    fi
    if [ "$platform" = "$1" ]; then found="$version $sha256"; fi
  done <"$pins"
  printf '%s' "$found"
}

# check FOLDER: both programs are there and start here.
check() {
  local program words
  for program in cf-bench cf-bench-agent; do
    [ -x "$1/$program" ] ||
      fail 2 "$program is missing" "there is no program $1/$program" 'set CF_BENCH_CI_BIN to a folder with both programs, or leave it empty'
  done
  words=$("$1/cf-bench" --version 2>&1) ||
    fail 3 'cf-bench does not start here' "$(tail -n 1 <<<"$words")" 'use a runner with Ubuntu 24.04 or later, or install: source'
  say "cf-bench $words"
  words=$("$1/cf-bench-agent" version 2>&1) ||
    fail 3 'cf-bench-agent does not start here' "$(tail -n 1 <<<"$words")" 'use a runner with Ubuntu 24.04 or later, or install: source'
}

install_release() {
  local version=$1 sha256=$2 platform=$3
  local name=cf-bench-$version-$platform.tar.gz
  local from=${CF_BENCH_RELEASE_URL:-https://github.com/${CF_BENCH_RELEASES:-codeflash-ai/cf-bench}/releases/download/v$version}
  local folder=$RUNNER_TEMP/cf-bench/program
  local archive=$folder/$name found
  # Plain http only where a test or a mirror was named for it; the hash holds for both.
  local protocols='=https'
  if [ -n "${CF_BENCH_RELEASE_URL:-}" ]; then protocols='=http,https'; fi

  say "downloading $name from $from"
  rm -rf -- "$folder"
  mkdir -p -- "$folder/bin"
  curl --fail --silent --show-error --location --proto "$protocols" --proto-redir "$protocols" --tlsv1.2 --max-redirs 5 \
    --connect-timeout 20 --max-time 300 --max-filesize 268435456 --retry 4 --retry-connrefused --retry-max-time 600 \
    --output "$archive" -- "$from/$name" || {
    rm -f -- "$archive"
    fail 3 "cf-bench $version could not be downloaded" "curl's own words stand above; it asked for $from/$name" \
      'run the job again; behind a proxy, set https_proxy; or install: source'
  }
  found=$(sha256sum -- "$archive")
  found=${found%% *}
  if [ "$found" != "$sha256" ]; then
    rm -f -- "$archive"
    fail 3 "the download of cf-bench $version is not what was pinned" "its SHA-256 is $found, not $sha256" \
      'do not use it; run the job again, and report it when it stays so'
  fi
  tar --extract --gzip --file "$archive" --directory "$folder/bin" --no-same-owner || {
    rm -rf -- "$folder"
    fail 3 "cf-bench $version could not be unpacked" "tar's own words stand above" 'see whether the runner has room'
  }
  rm -f -- "$archive"
  install_libssh2
  bin=$folder/bin
}

install_source() {
  command -v swift >/dev/null ||
    fail 2 'cf-bench cannot be built here' "there is no Swift on this runner, and no release is pinned for $(platform)" \
      'use runs-on: ubuntu-24.04, which has Swift, or install Swift 6.2 or later before this step'
  say 'building cf-bench from source; this takes some minutes'
  make -C "$root" build ||
    fail 3 'cf-bench could not be built' "the build's own words stand above" 'Swift 6.2 or later is needed: swift --version'
  bin=$(cd "$root/.build/release" && pwd)
}

: "${RUNNER_TEMP:?is a folder that GitHub names}" "${GITHUB_OUTPUT:?is a file that GitHub names}"

here=$(platform)
how=${CF_BENCH_CI_INSTALL:-auto}
if [ -n "${CF_BENCH_CI_BIN:-}" ]; then
  say "using the programs in $CF_BENCH_CI_BIN"
  bin=$CF_BENCH_CI_BIN
else
  case $how in
    auto | release | source) ;;
    *) fail 2 "install is ${how@Q}" 'it is auto, release or source' 'change the input install of the step' ;;
  esac
  pinned=''
  if [ "$how" != source ]; then pinned=$(pin "$here"); fi
  if [ -n "$pinned" ]; then
    install_release "${pinned% *}" "${pinned#* }" "$here"
  elif [ "$how" = release ]; then
    fail 2 "there is no release of cf-bench for $here" "scripts/release-pins.txt of this commit has no line for it" \
      'install: source, or a newer commit of the action'
  else
    if [ "$how" = auto ]; then say "no release is pinned for $here"; fi
    install_source
  fi
fi
check "$bin"

if [ "${CF_BENCH_CI_MACHINE:-}" = local ]; then
  sh "$root/scripts/setup.sh" --benchmark-host ||
    fail 3 'this runner lacks what a machine needs to measure' 'the words of scripts/setup.sh stand above' \
      'install it on the runner, or measure on another machine'
  if [ -n "${GITHUB_PATH:-}" ]; then printf '%s\n' "$root/.tools/bin" >>"$GITHUB_PATH"; fi
fi

printf 'bin=%s\n' "$bin" >>"$GITHUB_OUTPUT"
if [ -n "${GITHUB_PATH:-}" ]; then printf '%s\n' "$bin" >>"$GITHUB_PATH"; fi
