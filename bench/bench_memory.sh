#!/usr/bin/env bash
# Layer 4: how much memory commands and runs of codeflash need, and which lines hold it.
#
# usage: bench_memory.sh [REVISION] [OPTION...]
#
# REVISION is a branch, a tag, a commit, a release (codeflash==0.20.6) or a folder (path:.); by default the
# current branch. Options are those of 'cf-bench run', such as --set memory.blocks=5.
set -euo pipefail
# shellcheck source=bench/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
run_layers memory "$@"
