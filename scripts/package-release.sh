#!/usr/bin/env bash
# scripts/package-release.sh PLATFORM FOLDER: packs what `make build` made into FOLDER/cf-bench-VERSION-PLATFORM.tar.gz. The
# same programs give the same bytes, whoever packs them and when. In a release, the tag has to be the programs' version.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -ne 2 ]; then
  sed -n '2,3s/^# //p' "$0" >&2
  exit 2
fi
platform=$1
folder=$2
built=${CF_BENCH_BUILT:-.build/release}

version=$("$built/cf-bench" --version)
if [[ ! "$version" =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]]; then
  printf 'error: cf-bench says no version\n  why: it says %s\n  fix: make build\n' "$version" >&2
  exit 2
fi
if [ "${GITHUB_REF_TYPE:-}" = tag ] && [ "$GITHUB_REF_NAME" != "v$version" ]; then
  printf 'error: the tag %s is not the version\n  why: the programs say %s\n  fix: change Sources/Shared/Core/Version.swift, then tag v%s\n' \
    "$GITHUB_REF_NAME" "$version" "$version" >&2
  exit 2
fi
# An archive of the wrong kind would fail at the reader's place only.
case $platform in
  "linux-$(uname -m)") ;;
  *)
    printf 'error: this is no %s\n  why: the programs were built for linux-%s\n  fix: run it on the other machine\n' \
      "$platform" "$(uname -m)" >&2
    exit 2
    ;;
esac

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
install -m 755 "$built/cf-bench" "$built/cf-bench-agent" "$work/"
install -m 644 LICENSE "$work/"
# What `provision` lays on the VM, and the project that layers 3 and 4 run codeflash on.
git ls-files -z bench fixtures ':!fixtures/results-*' | xargs -0 cp --parents --target-directory "$work"
mkdir -p "$folder"
archive=$folder/cf-bench-$version-$platform.tar.gz
tar --create --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" \
  --directory "$work" LICENSE bench cf-bench cf-bench-agent fixtures | gzip --no-name --best >"$archive"
(cd "$folder" && sha256sum "${archive##*/}")
