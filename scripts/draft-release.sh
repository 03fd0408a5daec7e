#!/usr/bin/env bash
# Makes the draft of a release from the archives of this run's builds, and prints the pins for scripts/release-pins.txt.
# Needs GH_TOKEN and what GitHub sets in a run that a tag started. A draft that is there already is an error, not a change.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${GITHUB_REPOSITORY:?}" "${GITHUB_RUN_ID:?}" "${GITHUB_REF_NAME:?}"
version=${GITHUB_REF_NAME#v}
folder=$(mktemp -d "${RUNNER_TEMP:-/tmp}/release.XXXXXX")

gh run download "$GITHUB_RUN_ID" --repo "$GITHUB_REPOSITORY" --pattern 'release-*' --dir "$folder/runs"
mkdir "$folder/files"
mv "$folder"/runs/release-*/*.tar.gz "$folder/files/"
cd "$folder/files"

for platform in linux-x86_64 linux-aarch64; do
  [ -f "cf-bench-$version-$platform.tar.gz" ] || {
    printf 'error: there is no archive for %s\n  why: the builds left: %s\n  fix: run the build again\n' "$platform" "$(echo ./*)" >&2
    exit 3
  }
done
sha256sum -- *.tar.gz >SHA256SUMS
cat SHA256SUMS

gh release create "$GITHUB_REF_NAME" --repo "$GITHUB_REPOSITORY" --draft --verify-tag --title "cf-bench $version" \
  --notes "What changed: CHANGELOG.md of this tag. Check a download with: gh attestation verify FILE --repo $GITHUB_REPOSITORY" \
  -- *.tar.gz SHA256SUMS

pins=$(awk -v version="$version" '{
  platform = $2
  sub("^cf-bench-" version "-", "", platform)
  sub("[.]tar[.]gz$", "", platform)
  print version, platform, $1
}' SHA256SUMS)
printf 'When it is published, add to scripts/release-pins.txt:\n%s\n' "$pins"
{
  printf 'A draft of %s is there. When it is published, add to scripts/release-pins.txt:\n\n' "$GITHUB_REF_NAME"
  printf '    %s\n' "${pins//$'\n'/$'\n'    }"
} >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
