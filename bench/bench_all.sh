#!/usr/bin/env bash
# All layers of one revision: startup, micro, optimize, memory. Results go to a folder of their own.
#
# usage: bench_all.sh [REVISION] [OPTION...]
#
# REVISION is a branch, a tag, a commit, a release (codeflash==0.20.6) or a folder (path:.); by default the
# current branch. Options are those of 'cf-bench run', such as --python 3.12,3.13. On the VM:
#
#   ssh azureuser@ADDRESS "bash ~/bench/bench_all.sh perf/x"
set -euo pipefail
# shellcheck source=bench/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
run_layers "" "$@"
