#!/usr/bin/env bash
# Two revisions against each other, in turns, with a verdict for each metric.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
help_if_asked "usage: bench_compare.sh BASE HEAD [OPTION...]
Two revisions against each other, in turns, with a verdict for each metric." "$@"
if [ $# -lt 2 ] || [ "${1#-}" != "$1" ] || [ "${2#-}" != "$2" ]; then
  fail "two revisions are needed: what to compare with, and what might be faster" "bench_compare.sh main perf/x"
fi
find_program
find_places
exec "$bench" compare "${where[@]}" "${@:3}" -- "$1" "$2"
