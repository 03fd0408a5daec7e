#!/usr/bin/env bash
# Layer 1: how long commands and the import take (--version, --help, import).
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "usage: bench_startup.sh [REVISION] [OPTION...]
Layer 1: how long commands and the import take (--version, --help, import)." "$@"
measure "startup" "$@"
