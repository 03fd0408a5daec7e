#!/usr/bin/env bash
# Two revisions in the same minutes: which is faster?
#
# usage: bench_compare.sh [BASE [HEAD]] [OPTION...]
#
# BASE and HEAD are branches, tags, commits, releases (codeflash==0.20.6) or folders (path:.); by default main and the
# current branch. Options are those of 'cf-bench compare', such as --layers startup or --budget 5. On the VM:
#
#   ssh azureuser@ADDRESS "bash ~/bench/bench_compare.sh main perf/x"
set -euo pipefail
# shellcheck source=bench/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
compare_revisions "$@"
