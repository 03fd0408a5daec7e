#!/bin/bash
# Boots a machine from cloud-init.yaml, here, and tells what of it ran: a fresh Debian tree (the mirror is the one of this
# machine's apt) under systemd-nspawn, with its own init, cloud-init, sshd, nftables and timers, in a network of its own.
#
# First with a wrong hash, to see the failure as a person would; then repaired; then once more, which must change nothing;
# then booted again. PyPI and Debian are the real ones; what comes from GitHub is made on the spot and served inside, and
# Azure is a small service inside. Everything is gone at the end. Needs root, 4 GB and about five minutes.
#
#   scripts/try-cloud-init.sh [FILE]     FILE: another cloud-init.yaml
#
# Exit status: 0 it works as far as it can be tried here, 1 it does not, 2 it can't be tried here.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
file=${1:-$root/cloud-init.yaml}
parts=$root/Tests/CloudInit
suite=trixie              # has what Ubuntu 24.04 has: systemd 255 or later, libssh2-1t64, cloud-init 24 or later
net=198.51.100            # of the booted machine; documentation addresses, which nobody has
programs=/usr/local/lib/cf-bench
release=0.20.6            # of codeflash, whose sources stand in for its repository
boot_limit=400            # seconds

say() { printf '%s\n' "$*"; }
head_line() { printf '\n== %s\n' "$*"; }
stop() { printf 'try-cloud-init: %s\n' "$*" >&2; exit 2; }
wrong() { printf 'try-cloud-init: WRONG: %s\n' "$*" >&2; exit 1; }

((EUID == 0)) || stop "needs root, because it boots a machine: sudo scripts/try-cloud-init.sh"
command -v apt-get >/dev/null || stop "needs Debian or Ubuntu (debootstrap, systemd-nspawn)"
needed=()
for pair in debootstrap:debootstrap systemd-nspawn:systemd-container ip:iproute2 nft:nftables git:git \
  hyperfine:hyperfine curl:curl; do
  command -v "${pair%%:*}" >/dev/null || needed+=("${pair##*:}")
done
if ((${#needed[@]})); then
  say "installing: ${needed[*]}"
  apt-get update -q=2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q=2 --no-install-recommends "${needed[@]}" >/dev/null
fi
uv=$root/.tools/bin/uv
[[ -x $uv ]] || stop "uv is missing: scripts/setup.sh"
# shellcheck disable=SC2016 # apt's own names
mirror=$(apt-get indextargets --format '$(ORIGIN) $(SITE)' 'Created-By: Packages' |
  awk '$1 == "Debian" && $2 !~ /security/ { print $2; exit }')
[[ -n $mirror ]] || stop "this machine's apt has no mirror of Debian to make a tree from"
exec {lock}>/run/cf-bench-try.lock
flock --nonblock "$lock" || stop "another one is running"

work=$(mktemp -d /var/tmp/cf-bench-try.XXXXXX)
vm=$work/vm name=cfbtry nspawn=''

# Kills the machine (all its processes are in its own pid namespace) and takes down what was set up for it.
power_off() {
  [[ -z $nspawn ]] && return 0
  kill -TERM "$nspawn" 2>/dev/null || true
  timeout 30 tail --pid="$nspawn" -f /dev/null || kill -KILL "$nspawn" 2>/dev/null || true
  wait "$nspawn" 2>/dev/null || true
  nspawn=''
}
clean_up() {
  power_off
  local pid
  for pid in $(jobs -p); do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  ip link delete "$name" 2>/dev/null || true
  ip netns delete "$name" 2>/dev/null || true
  findmnt --raw --noheadings --output TARGET | { grep -F "$work/" || true; } | sort -r | xargs -r umount
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' HUP INT TERM

make_tree() {
  # python3-cffi-backend: debootstrap does not see that cloud-init needs it. In the background, since a trap waits for what
  # is in the foreground.
  local packages=ca-certificates,systemd-sysv,dbus,cloud-init,python3-cffi-backend,sudo,openssh-server,iproute2,procps
  timeout --kill-after=10 600 debootstrap --variant=minbase --include="$packages" "$suite" "$vm" "$mirror" \
    >"$work/debootstrap.log" 2>&1 &
  wait $! || { tail -n 5 "$work/debootstrap.log"; stop "debootstrap failed"; }
  rm -f "$vm"/etc/ssh/ssh_host_* "$vm/etc/machine-id" "$vm/etc/resolv.conf"
  touch "$vm/etc/machine-id"
  # Roots that this machine trusts beside the public ones: a proxy of the house may stand between it and PyPI.
  find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$vm/usr/local/share/ca-certificates/" \;
  chroot "$vm" update-ca-certificates >/dev/null 2>&1
  ssh-keygen -q -t ed25519 -N '' -C try -f "$work/key"
  # As Azure tells it: the admin is called cfadmin, and this is the key.
  local seed=$vm/var/lib/cloud/seed/nocloud
  mkdir -p "$seed"
  cp "$file" "$seed/user-data"
  echo '127.0.1.1 cf-bench' >>"$vm/etc/hosts"
  printf 'instance-id: try-1\nlocal-hostname: cf-bench\npublic-keys:\n  - %s\n' "$(cat "$work/key.pub")" >"$seed/meta-data"
  cat >"$vm/etc/cloud/cloud.cfg.d/99-try.cfg" <<CONF
datasource_list: [NoCloud]
network: {config: disabled}
system_info: {default_user: {name: cfadmin, sudo: ["ALL=(ALL) NOPASSWD:ALL"], shell: /bin/bash, lock_passwd: true}}
CONF
  local kind
  for kind in http https; do echo "Acquire::$kind::Proxy \"http://$net.1:3128\";"; done >"$vm/etc/apt/apt.conf.d/00-try"
}

# What comes from GitHub on a real VM, small and real: hyperfine as Debian built it, Python as the tree has it, in the
# shapes of their releases; codeflash's repository with the sources of its release on PyPI.
make_stand_ins() {
  local served=$vm/srv/try version machine python
  mkdir -p "$served"
  machine=$(uname -m)
  version=$(hyperfine --version | awk '{ print $2 }')
  local hyperfine=hyperfine-v$version-$machine-unknown-linux-gnu
  mkdir -p "$work/h/$hyperfine" "$served/v$version"
  cp "$(command -v hyperfine)" "$work/h/$hyperfine/"
  tar -czf "$served/v$version/$hyperfine.tar.gz" -C "$work/h" "$hyperfine"

  python=$(chroot "$vm" python3 -c 'import platform; print(platform.python_version())')
  local minor=${python%.*}
  mkdir -p "$work/p/python/bin" "$work/p/python/lib"
  cp "$vm/usr/bin/python$minor" "$work/p/python/bin/"
  ln -s "python$minor" "$work/p/python/bin/python3"
  ln -s "python$minor" "$work/p/python/bin/python"
  cp -a "$vm/usr/lib/python$minor" "$work/p/python/lib/"
  rm -f "$work/p/python/lib/python$minor"/{sitecustomize.py,EXTERNALLY-MANAGED} # Debian's, one points out of the archive
  tar -czhf "$served/python.tar.gz" -C "$work/p" python
  cat >"$served/pythons.json" <<JSON
{"cpython-$python-linux-$machine-gnu": {"name": "cpython", "arch": {"family": "$machine", "variant": null}, "os": "linux",
 "libc": "gnu", "major": 3, "minor": ${minor#*.}, "patch": ${python##*.}, "prerelease": "", "variant": null, "build": null,
 "url": "http://127.0.0.1:8000/python.tar.gz", "sha256": "$(sha256sum "$served/python.tar.gz" | cut -d' ' -f1)"}}
JSON

  "$root/.tools/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
    --dest "$work/sdist" "codeflash==$release"
  mkdir "$work/codeflash"
  tar -xzf "$work/sdist/codeflash-$release.tar.gz" -C "$work/codeflash" --strip-components 1
  # The release's sources lack a second package of the repository, which its settings name.
  sed -i '/^\[tool\.uv\]$/,/^codeflash-benchmark = /d' "$work/codeflash/pyproject.toml"
  (
    cd "$work/codeflash"
    "$uv" lock --quiet --no-config # as the repository has one: pins with hashes
    git init --quiet --initial-branch=main .
    git add --all --force
    git -c user.name=try -c user.email=try@localhost -c commit.gpgsign=false commit --quiet --message "codeflash $release"
    git tag "v$release"
    git clone --quiet --bare . "$served/codeflash.git"
    git -C "$served/codeflash.git" update-server-info
  )

  mkdir -p "$vm/etc/cf-bench"
  cat >"$vm/etc/cf-bench/provision.conf" <<CONF
CF_BENCH_PAUSE=1
CF_BENCH_PYTHONS=$python
CF_BENCH_PYTHON_LIST=http://127.0.0.1:8000/pythons.json
CF_BENCH_HYPERFINE_FROM=http://127.0.0.1:8000
CF_BENCH_HYPERFINE_VERSION=$version
CF_BENCH_HYPERFINE_SHA256=$(printf '0%.0s' {1..64})
CF_BENCH_CODEFLASH=http://127.0.0.1:8000/codeflash.git
export https_proxy=http://$net.1:3128 no_proxy=127.0.0.1,169.254.169.254
export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
CONF
  good_hash=$(sha256sum "$served/v$version/$hyperfine.tar.gz" | cut -d' ' -f1)
}

# Azure, as the machine sees it, at the address that the guard is about; and the mirror for what is served inside.
make_services() {
  mkdir -p "$vm/srv/azure"
  cp "$parts/metadata.py" "$vm/srv/azure/"
  echo '{"tags": {"cf-bench-lease-try": "until=2099-01-01T00:00:00Z;generation=1;kind=run;owner=try"}}' >"$vm/srv/azure/answers.json"
  # The environment is stronger than the file. The kernel, and so the uptime, is this machine's.
  mkdir -p "$vm/etc/systemd/system/cf-bench-watchdog.service.d"
  printf '[Service]\nEnvironment=CF_BENCH_ARM=http://169.254.169.254 CF_BENCH_HARD_SECONDS=999999999\n' \
    >"$vm/etc/systemd/system/cf-bench-watchdog.service.d/try.conf"
  local unit command
  for unit in mirror azure; do
    case $unit in
      mirror) command='python3 -m http.server --bind 127.0.0.1 --directory /srv/try 8000' ;;
      azure) command='python3 /srv/azure/metadata.py /srv/azure 169.254.169.254:80' ;;
    esac
    cat >"$vm/etc/systemd/system/try-$unit.service" <<UNIT
[Service]
ExecStart=/bin/sh -c 'sleep infinity | exec $command'
[Install]
WantedBy=multi-user.target
UNIT
    chroot "$vm" systemctl --quiet enable "try-$unit.service" 2>/dev/null
  done
}

make_network() {
  ip netns add "$name"
  ip link add "$name" type veth peer name eth0 netns "$name"
  ip address add "$net.1/30" dev "$name"
  ip link set "$name" up
  ip -n "$name" address add "$net.2/30" dev eth0
  ip -n "$name" address add 169.254.169.254/32 dev lo
  ip -n "$name" link set lo up
  ip -n "$name" link set eth0 up
  local host=${mirror#*://}
  # Ends when this script does, however it ends.
  exec {way_out}> >(exec python3 "$parts/way_out.py" "$net.1:3128" "$work/way_out.log" "${host%%/*}" pypi.org files.pythonhosted.org)
}

boot() {
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --register=no --keep-unit --directory="$vm" --boot \
    --machine="$name" --network-namespace-path="/run/netns/$name" --capability=CAP_NET_ADMIN --resolv-conf=off \
    --link-journal=no --timezone=off </dev/null >>"$work/console.log" 2>&1 {way_out}>&- {lock}>&- &
  nspawn=$!
}

inside() {
  local leader
  leader=$(pgrep --parent "$nspawn" | head -n 1)
  nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 "$@"
}

# wait_for LIMIT WORDS COMMAND...: each second, until the command succeeds.
wait_for() {
  local end=$((SECONDS + $1)) words=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)) || ! kill -0 "$nspawn" 2>/dev/null; then
      tail -n 20 "$work/console.log" "$vm/var/log/cf-bench/provision.log" 2>/dev/null || true
      wrong "$words did not come"
    fi
    sleep 1
  done
}
has_ended() { [[ -e $vm/var/lib/cf-bench/failed.json || -e $vm/var/lib/cf-bench/provisioned.json ]]; }
# The end of cloud-init, not of one of its stages.
cloud_init_ended() { [[ $(inside cloud-init status || true) =~ status:\ (error|done) ]]; }

provision_again() {
  local begun=$SECONDS
  timeout "$boot_limit" nsenter --target "$(pgrep --parent "$nspawn" | head -n 1)" --mount --uts --ipc --net --pid --cgroup -- \
    env -i PATH=/usr/bin:/bin "$programs/provision" || { tail -n 30 "$vm/var/log/cf-bench/provision.log"; wrong "provision failed"; }
  say "   in $((SECONDS - begun)) s"
}

head_line "a tree of Debian $suite"
make_tree
say "   in $SECONDS s; cloud-init $(chroot "$vm" cloud-init --version 2>&1 | awk '{ print $NF }')"
chroot "$vm" cloud-init schema --config-file /var/lib/cloud/seed/nocloud/user-data 2>/dev/null | sed 's/^/   /' ||
  wrong "the schema is not kept"
make_stand_ins
make_services
make_network

head_line "first boot, with a wrong hash for hyperfine"
boot
wait_for 60 "the machine's init" inside true
wait_for "$boot_limit" "an end of provisioning" has_ended
wait_for 60 "cloud-init's end" cloud_init_ended
status=0
inside cloud-init status --long >"$work/status" || status=$?
sed 's/^/   /' "$work/status"
{ ((status == 1)) && grep -q 'status: error' "$work/status"; } || wrong "cloud-init does not end with an error"
[[ -e $vm/var/lib/cf-bench/failed.json && ! -e $vm/var/lib/cf-bench/provisioned.json ]] || wrong "the failure left no mark"
say "   failed.json:"
python3 - "$vm/var/lib/cf-bench/failed.json" <<'PY'
import json, sys
document = json.load(open(sys.argv[1]))
assert document["step"] == "70-hyperfine" and "is not what was pinned" in document["words"], document
print(*(f"     {name}: {value}" for name, value in document.items() if name != "words"), sep="\n")
print(*("     | " + line for line in document["words"].splitlines()), sep="\n")
PY

head_line "repaired: the right hash, and provision run again"
sed -i "s/^CF_BENCH_HYPERFINE_SHA256=.*/CF_BENCH_HYPERFINE_SHA256=$good_hash/" "$vm/etc/cf-bench/provision.conf"
provision_again
[[ ! -e $vm/var/lib/cf-bench/failed.json ]] || wrong "failed.json is still there"
cp "$vm/var/lib/cf-bench/provisioned.json" "$work/first.json"

head_line "once more: nothing changes"
before=$(stat -c '%n %y' "$vm"/opt/cf-bench/tools/bin/* "$vm"/opt/cf-bench/*.tar.gz "$vm/home/azureuser/codeflash/.git/HEAD")
provision_again
[[ $before == "$(stat -c '%n %y' "$vm"/opt/cf-bench/tools/bin/* "$vm"/opt/cf-bench/*.tar.gz "$vm/home/azureuser/codeflash/.git/HEAD")" ]] ||
  wrong "the second run installed something anew"
for marker in "$work/first.json" "$vm/var/lib/cf-bench/provisioned.json"; do
  python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); d.pop("time"); print(d)' "$marker"
done | uniq | wc -l | grep -qx 1 || wrong "the second run tells other versions"

head_line "booted again: what must be there before anybody comes in"
power_off
boot
wait_for 60 "the machine's init" inside true
wait_for 60 "sshd" inside systemctl is-active --quiet ssh.service
inside systemctl is-active --quiet cf-bench-guard.service || wrong "the guard is not up"
inside systemctl is-active --quiet cf-bench-watchdog.timer || wrong "the watchdog's timer is not up"
wait_for 30 "the stand-in for Azure" inside curl -s -o /dev/null http://169.254.169.254/
token='http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=x'
inside curl -s -H Metadata:true "$token" | grep -q access_token || wrong "root gets no token"
status=0
inside runuser -u azureuser -- curl -s -m 5 -H Metadata:true "$token" >/dev/null || status=$?
((status == 7)) || wrong "azureuser is not refused by the guard (curl: $status)"
say "   root gets a token, azureuser is refused"
ssh=(ssh -i "$work/key" -o BatchMode=yes -o UserKnownHostsFile="$work/known" -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR)
"${ssh[@]}" "azureuser@$net.2" 'id -un; ! sudo -n true 2>/dev/null; ~/codeflash/.venv/bin/codeflash --version | tail -n 1; py-spy --version; uv --version' |
  sed 's/^/   azureuser: /'
"${ssh[@]}" "cfadmin@$net.2" 'sudo -n id -un' | sed 's/^/   cfadmin, sudo: /'
wait_for 100 "the watchdog's look" grep -q 'stay: idle' "$vm/var/log/cf-bench/watchdog.log"
# Nobody needs it any more: the lease is over.
echo '{"tags": {"cf-bench-lease-try": "until=2020-01-01T00:00:00Z;generation=1;kind=run;owner=try"}}' >"$vm/srv/azure/answers.json"
wait_for 100 "the watchdog's deallocation" grep -q 'deallocate: leases over.*accepted' "$vm/var/log/cf-bench/watchdog.log"
say "   the watchdog, run by its timer:"
tail -n 4 "$vm/var/log/cf-bench/watchdog.log" | sed 's/^/     /'
[[ $(inside systemctl is-enabled apt-daily.timer man-db.timer 2>/dev/null || true) == $'masked\nmasked' ]] ||
  wrong "timers are not masked"

head_line "what it is, and what it was tried with"
sed 's/^/   /' "$vm/var/lib/cf-bench/provisioned.json"
sed 's/^/   network: /' "$work/way_out.log"
cat <<END
   as on a VM:   10-watchdog 20-quiet 30-packages 40-guard 50-bench-user 60-tools (PyPI, by hash) 90-codeflash's packages (PyPI)
   stand-ins:    70-hyperfine's archive (Debian's program), 80-pythons' archive (Debian's Python; uv checked its hash),
                 90-codeflash's repository (sources of $release, with a lock made here), Azure's two services
   not executed: Ubuntu 24.04 itself and its packages, Azure's image, agent and data source; the downloads from GitHub;
                 snap, fwupd and other programs that Debian's small tree lacks; aarch64; a VM that really goes off
END
say "all is well, after $SECONDS s"
