#!/usr/bin/env bash
# Feeds the line codec and the journal with inputs that libFuzzer makes up, and stops at the first broken promise.
#
#   scripts/fuzz.sh [TARGET…]     all targets of Tests/Fuzz/FuzzTarget.swift when none is named
#
# FUZZ_RUNS     inputs of each target; without it a number that makes more than ten million in all
# FUZZ_SECONDS  longest time for a target (300)
# FUZZ_SEED     libFuzzer's seed (CF_BENCH_FAULT_SEED, or 1)
# FUZZ_MERGE    with 1, what was found goes into Tests/Fuzz/corpus, minimised
# SANITIZE      further sanitizers, such as ,address
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$PWD/.build/fuzz
corpus=$PWD/Tests/Fuzz/corpus
seed=${FUZZ_SEED:-${CF_BENCH_FAULT_SEED:-1}}
seconds=${FUZZ_SECONDS:-300}
mkdir -p "$work"
[[ -e $work/before ]] || touch "$work/before"

# The product's own sources, under the names of their modules, so that the properties are the same files as in `make test`.
flags=(-O -whole-module-optimization -parse-as-library -enable-testing -swift-version 6
  "-sanitize=fuzzer${SANITIZE:-}" -enable-upcoming-feature NonisolatedNonsendingByDefault -I "$work")
mapfile -t properties < <(find Tests/Fuzz -name '*.swift' ! -name '*Tests.swift')

module() { # NAME SOURCE…
  local name=$1
  shift
  if [[ -e $work/lib$name.a && -z $(find "$work/before" "$@" "$0" -newer "$work/lib$name.a") ]]; then return; fi
  swiftc "${flags[@]}" -emit-module -module-name "$name" -emit-module-path "$work/$name.swiftmodule" \
    -emit-library -static -o "$work/lib$name.a" "$@"
  touch "$work/before" # what is built after it, is built on it
}

module CLibrary Sources/CLibrary/CLibrary.swift
mapfile -t shared < <(find Sources/Shared -name '*.swift' | sort)
module Shared "${shared[@]}"
module AgentCore Sources/Agent/Core/Journal/*.swift Sources/Agent/Core/Measure/Executable.swift
swiftc "${flags[@]}" -module-name Fuzz -o "$work/fuzz" "${properties[@]}" Tests/SharedTests/EveryMessage.swift -L "$work" -lAgentCore -lShared -lCLibrary

runs_of() {
  case $1 in
  lines) echo 5500000 ;;
  numbers) echo 4500000 ;;
  journal) echo 100000 ;;
  *) echo 300000 ;;
  esac
}

longest_of() {
  case $1 in
  lines | numbers) echo 256 ;;
  chain) echo 160 ;;
  *) echo 4096 ;;
  esac
}

targets=("$@")
if ((${#targets[@]} == 0)); then targets=(lines numbers chain requests messages events journal); fi
total=0
began=$SECONDS
failed=0
for target in "${targets[@]}"; do
  export CF_BENCH_FUZZ_TARGET=$target
  found=$work/found/$target
  rm -rf "$found"
  mkdir -p "$found" "$work/crashes"
  scripts/fuzz-corpus.py unpack "$corpus/$target.txt" "$found"
  CF_BENCH_FUZZ_SEEDS=$found "$work/fuzz"
  status=0
  start=${EPOCHREALTIME/./}
  "$work/fuzz" -runs="${FUZZ_RUNS:-$(runs_of "$target")}" -max_total_time="$seconds" -seed="$seed" \
    -max_len="$(longest_of "$target")" -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=256 \
    -artifact_prefix="$work/crashes/$target-" -print_final_stats=1 \
    "$found" >"$work/$target.log" 2>&1 || status=$?
  count=$(awk '/^stat::number_of_executed_units/ { print $2 }' "$work/$target.log")
  peak=$(awk '/^stat::peak_rss_mb/ { print $2 }' "$work/$target.log")
  speed=$((${count:-0} * 1000000 / (${EPOCHREALTIME/./} - start + 1)))
  total=$((total + ${count:-0}))
  if ((status == 0)); then
    printf '%-9s %10d inputs  %8d a second  %4d MB at most\n' "$target" "$count" "$speed" "$peak"
  else
    failed=1
    printf '%-9s broken, see %s:\n' "$target" "$work/$target.log"
    grep -m 3 -E 'BROKEN PROMISE|ERROR: libFuzzer|Fatal error|Test unit written' "$work/$target.log" || true
  fi
  if [[ ${FUZZ_MERGE:-} == 1 ]]; then
    small=$work/small/$target
    rm -rf "$small"
    mkdir -p "$small"
    "$work/fuzz" -set_cover_merge=1 -max_len=1024 "$small" "$found" >>"$work/$target.log" 2>&1
    scripts/fuzz-corpus.py pack "$small" "$corpus/$target.txt"
  fi
done
printf '%d inputs in %d s, seed %s\n' "$total" $((SECONDS - began)) "$seed"
exit "$failed"
