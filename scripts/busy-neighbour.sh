#!/bin/bash
# Compares one release with itself, over and over, while stress-ng comes and goes on one core: no comparison may call it
# faster or slower. Usage: scripts/busy-neighbour.sh [ROUNDS] [further options of cf-bench compare]
set -euo pipefail

rounds=${1:-20}
shift || true
release=${RELEASE:-codeflash==0.20.6}
bench=${CF_BENCH:-.build/release/cf-bench}
for tool in stress-ng python3 "$bench"; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: apt-get install stress-ng; make build" >&2; exit 2; }
done

work=$(mktemp -d)
neighbour() {
  # Between 2 and 12 s of work, then as long of rest, on the last core.
  while true; do
    stress-ng --quiet --cpu 1 --taskset "$(($(nproc) - 1))" --timeout "$((RANDOM % 11 + 2))s" || true
    sleep "$((RANDOM % 11 + 2))"
  done
}
neighbour &
busy=$!
cleanup() {
  pkill -TERM -P "$busy" 2>/dev/null || true
  kill "$busy" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

for round in $(seq "$rounds"); do
  # What a comparison says, not how it ends, is counted: undecided metrics are fine here.
  "$bench" compare "$release" "$release" --quiet --json --results "$work/results" "$@" >"$work/$round.json" || true
  echo "round $round: $(python3 - "$work/$round.json" <<'PY'
import collections, json, sys
document = json.load(open(sys.argv[1]))
counts = collections.Counter(metric["verdict"] for metric in document["metrics"])
aside = sum(layer["setAside"] for layer in document["spending"]["layers"])
blocks = sum(layer["blocks"] for layer in document["spending"]["layers"])
words = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
print(f"{document['verdict']}; {words}; {aside} of {blocks} blocks set aside; {document['seconds']:.0f} s")
PY
)"
done

python3 - "$work"/*.json <<'PY'
import json, sys
documents = [json.load(open(path)) for path in sys.argv[1:]]
moved = [m["name"] for d in documents for m in d["metrics"] if m["verdict"] in ("regressed", "improved")]
metrics = sum(len(d["metrics"]) for d in documents)
print(f"{len(documents)} comparisons of identical code, {metrics} metrics: {len(moved)} called different {moved or ''}")
sys.exit(1 if moved else 0)
PY
