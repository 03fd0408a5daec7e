#!/usr/bin/env bash
# All layers of one revision; results go into a folder named after it.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "usage: bench_all.sh [REVISION] [OPTION...]
All layers of one revision; results go into a folder named after it." "$@"
measure "" "$@"
