#!/usr/bin/env bash
# Layer 3: codeflash at work on a small project, offline: how long, and does it find what there is to find?
#
# usage: bench_optimize.sh [REVISION] [OPTION...]
#
# REVISION is a branch, a tag, a commit, a release (codeflash==0.20.6) or a folder (path:.); by default the
# current branch. Options are those of 'cf-bench run', such as --set optimize.form=quick.
set -euo pipefail
# shellcheck source=bench/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
run_layers optimize "$@"
