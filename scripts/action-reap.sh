#!/usr/bin/env bash
# `cf-bench reap` in a workflow: an error for each thing that it had to finish, since each one is a run that died, and
# money. Exit status: 0 nothing was left behind, 1 there was something, otherwise that of reap.
set -euo pipefail

summary=${GITHUB_STEP_SUMMARY:-/dev/null}
answer=$(mktemp "${RUNNER_TEMP:-/tmp}/reap.XXXXXX")
trap 'rm -f -- "$answer"' EXIT

arguments=(reap --json)
if [ "${CF_BENCH_CI_ALL:-}" = true ]; then arguments+=(--all); fi
if [ -n "${CF_BENCH_CI_CONFIG:-}" ]; then arguments+=(--config "$CF_BENCH_CI_CONFIG"); fi

# Not exec, because its answer is read; so a cancel is handed on.
"$CF_BENCH_BIN/cf-bench" "${arguments[@]}" >"$answer" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || true' INT TERM
status=0
wait "$child" || status=$?
# A signal ends the first wait, not the child.
while kill -0 "$child" 2>/dev/null; do
  status=0
  wait "$child" || status=$?
done

count=$(jq -r '.findings | length' "$answer" 2>/dev/null || true)
if [[ ! "$count" =~ ^[0-9]+$ ]]; then
  if [ "$status" -eq 0 ]; then status=3; fi
  echo "::error title=cf-bench reap::It could not look (exit status $status); its own words stand above."
  printf 'cf-bench reap could not look (exit status %s).\n' "$status" >>"$summary"
  exit "$status"
fi
printf 'findings=%s\n' "$count" >>"${GITHUB_OUTPUT:-/dev/null}"
if [ "$count" -eq 0 ] && [ "$status" -eq 0 ]; then
  echo 'Nothing was left behind.' | tee -a "$summary"
  exit 0
fi

# Names come from tags that others may have written: one line each, without what GitHub reads as a command or as markdown.
words='def plain: tostring | gsub("[[:cntrl:]]"; " ") | .[:300];
  .findings[] | "\(.vm): \(.kind) of \(.owner) (\(.run)): \(.result)" | plain'
# GitHub shows ten errors a step; the others stand in the log and in the summary.
jq -r "[$words] | .[:10][] | gsub(\"%\"; \"%25\") | \"::error title=cf-bench reap::\" + ." "$answer"
jq -r "[$words] | .[10:][] | \"also: \" + ." "$answer"
{
  printf 'cf-bench reap found %s left behind:\n\n' "$count"
  jq -r "$words | \"    \" + ." "$answer" # four blanks: text as it is
} >>"$summary"
if [ "$status" -eq 0 ]; then status=1; fi
exit "$status"
