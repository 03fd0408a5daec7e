#!/usr/bin/env bash
# Layer 1: how long commands (--version, --help) and the import take, and which modules take it.
#
# usage: bench_startup.sh [REVISION] [OPTION...]
#
# REVISION is a branch, a tag, a commit, a release (codeflash==0.20.6) or a folder (path:.); by default the
# current branch. Options are those of 'cf-bench run', such as --python 3.12,3.13 or --set startup.blocks=30.
set -euo pipefail
# shellcheck source=bench/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
run_layers startup "$@"
