#!/usr/bin/env bash
# Writes the SSH key of the step's input into a file that nobody else may read, and says where: `file` of $GITHUB_OUTPUT.
# In a script of its own, so that the key stands in the environment of this one process only. Without a key it does nothing.
set -euo pipefail

[ -n "${CF_BENCH_CI_SSH_KEY:-}" ] || exit 0

file=$RUNNER_TEMP/cf-bench-key
umask 077
rm -f -- "$file" # an old one could have other permissions
# A secret that was pasted often lacks its last line's end or has Windows' ones; ssh takes neither.
printf '%s\n' "$CF_BENCH_CI_SSH_KEY" | tr -d '\r' >"$file"
printf 'file=%s\n' "$file" >>"$GITHUB_OUTPUT"
