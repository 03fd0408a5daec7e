#!/usr/bin/env bash
# Layer 4: peak memory of commands and of an optimization run.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "usage: bench_memory.sh [REVISION] [OPTION...]
Layer 4: peak memory of commands and of an optimization run." "$@"
measure "memory" "$@"
