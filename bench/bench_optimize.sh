#!/usr/bin/env bash
# Layer 3: a whole optimization run on the fixture project.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "usage: bench_optimize.sh [REVISION] [OPTION...]
Layer 3: a whole optimization run on the fixture project." "$@"
measure "optimize" "$@"
