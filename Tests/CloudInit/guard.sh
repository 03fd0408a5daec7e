#!/bin/bash
# Whether the guard keeps ordinary users from the metadata service and lets through what has to pass. Run as root in a
# network of its own: unshare --net Tests/CloudInit/guard.sh FOLDER, FOLDER holding the files of cloud-init.yaml.
set -euo pipefail
files=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ip link set lo up
for address in 169.254.169.254 168.63.129.16; do ip address add "$address/32" dev lo; done
for place in 169.254.169.254:80 168.63.129.16:80 168.63.129.16:53 168.63.129.16:32526; do
  mkdir "$work/$place"
  echo '{}' >"$work/$place/answers.json"
  # It ends when this script does, however that ends: only we hold the other end of its input.
  # shellcheck disable=SC2034 # held open, never written
  exec {leash}> >(exec python3 "$here/metadata.py" "$work/$place" "$place")
  timeout 300 sh -c "until [ -e '$work/$place/address' ]; do sleep 0.05; done"
done

# asks AS ADDRESS: how curl ended, and whether a token came.
asks() {
  local user=() status=0 answer
  [[ $1 == root ]] || user=(setpriv --reuid "$1" --regid "$1" --clear-groups)
  answer=$("${user[@]}" curl --silent --noproxy '*' --max-time 5 --header 'Metadata: true' \
    "http://$2/metadata/identity/oauth2/token?resource=x") || status=$?
  printf '%s %s: curl %s, %s\n' "$1" "$2" "$status" "$([[ $answer == *access_token* ]] && echo token || echo nothing)"
}
everybody() {
  for user in root 65534; do
    for place in 169.254.169.254:80 168.63.129.16:80 168.63.129.16:32526 168.63.129.16:53; do asks "$user" "$place"; done
  done
}

echo "without the guard"
everybody
nft --file "$files/etc/cf-bench/guard.nft"
nft --file "$files/etc/cf-bench/guard.nft" # again: a repair must not double it
echo "with the guard, $(nft list ruleset | grep -c 'chain output') chain"
everybody
