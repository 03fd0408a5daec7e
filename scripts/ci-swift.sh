#!/usr/bin/env bash
# Whether the runner's own Swift will do. GitHub's ubuntu-24.04 and ubuntu-24.04-arm images bring one and renew it every
# few weeks. Exit status: 0 it will do, 2 it will not.
set -euo pipefail

needed=6.2

if ! command -v swift >/dev/null; then
  echo "::error title=Swift::This runner's image has no Swift"
  echo "  fix: use runs-on: ubuntu-24.04, or install Swift $needed or later in a step before (https://www.swift.org/install)" >&2
  exit 2
fi

words=$(swift --version 2>&1)
printf '%s\n' "$words"
if [[ ! "$words" =~ Swift\ version\ ([0-9]+\.[0-9]+) ]]; then
  echo "::error title=Swift::swift --version says no version"
  exit 2
fi
found=${BASH_REMATCH[1]}
lower=$(printf '%s\n' "$needed" "$found" | sort -V | head -n 1)
if [ "$lower" != "$needed" ]; then
  echo "::error title=Swift::Swift $found is too old, $needed or later is needed"
  echo "  fix: use a newer image, or install Swift in a step before (https://www.swift.org/install)" >&2
  exit 2
fi
