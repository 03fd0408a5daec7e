# shellcheck shell=bash
# What the scripts of this folder share: where cf-bench is, where codeflash's repository is, and where results go.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  printf 'error: %s\n  fix: %s\n' "$1" "$2" >&2
  exit 2
}

# Sets `bench`, the program.
find_program() {
  local candidate
  for candidate in "${CF_BENCH:-}" "$here/bin/cf-bench" "$here/../.build/release/cf-bench" "$(command -v cf-bench || true)"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      bench=$candidate
      return
    fi
  done
  fail "cf-bench is not here" "run 'make build' in the checkout, or say where it is with CF_BENCH=FILE"
}

# help_if_asked TEXT "$@": prints the text and ends when --help is among the arguments.
help_if_asked() {
  local text=$1 argument
  shift
  for argument in "$@"; do
    case $argument in
      -h | --help)
        printf '%s\n\nWhat follows is handed to cf-bench as it is: see cf-bench run --help.\n' "$text"
        exit 0
        ;;
    esac
  done
}

# Sets `where`, the options that say where refs are looked up and where results go. On the VM that is ~/codeflash, brought up
# to date first, and ~/results; elsewhere cf-bench's own settings hold.
find_places() {
  where=(--machine local)
  if [ -d "$HOME/codeflash/.git" ] && [ -z "${CF_BENCH_TARGET_REPOSITORY:-}" ]; then
    timeout 120 git -C "$HOME/codeflash" fetch --quiet --tags origin '+refs/heads/*:refs/heads/*' --update-head-ok 2>/dev/null ||
      echo "warning: ~/codeflash could not be brought up to date; what is there is used" >&2
    where+=(--repository "$HOME/codeflash")
  fi
  if [ -n "${CF_BENCH_RESULTS:-}" ]; then
    where+=(--results "$CF_BENCH_RESULTS")
  elif [ -d "$HOME/bench/bin" ]; then
    where+=(--results "$HOME/results")
  fi
}

# Sets `revision` from the first argument, or the current branch of codeflash's checkout here, and `rest`.
take_revision() {
  rest=("$@")
  if [ $# -gt 0 ] && [ "${1#-}" = "$1" ]; then
    revision=$1
    rest=("${@:2}")
    return
  fi
  local folder=.
  [ -d "$HOME/codeflash/.git" ] && folder=$HOME/codeflash
  revision=$(git -C "$folder" symbolic-ref --quiet --short HEAD 2>/dev/null) ||
    fail "no revision was named, and there is no branch here" "name one: a branch, codeflash==0.20.6, or path:FOLDER"
}

# measure LAYERS "$@": one revision, the layers (all when empty), and what else was asked for.
measure() {
  local layers=$1
  shift
  find_program
  find_places
  take_revision "$@"
  [ -n "$layers" ] && where+=(--layers "$layers")
  # After the two dashes nothing is an option, whatever a branch is called.
  exec "$bench" run "${where[@]}" "${rest[@]}" -- "$revision"
}
