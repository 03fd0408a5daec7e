# shellcheck shell=bash
# What the scripts of this folder share: they find cf-bench, the repository and the revision, and pass all other
# arguments on to cf-bench. Sourced, never run. Described in docs/bench.md.
set -euo pipefail

bench_folder=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)

# fail WHAT WHY FIX: the three parts of every error here, and exit status 2.
fail() {
  printf 'error: %s\n  why: %s\n  fix: %s\n' "$@" >&2
  exit 2
}

say() { printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2; }

# The comment at the top of the script is its help.
help_if_asked() {
  case ${1-} in --help | -h) ;; *) return 0 ;; esac
  awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
  exit 0
}

# Sets `cf_bench`: what CF_BENCH names, or the nearest one.
find_cf_bench() {
  if [[ -n ${CF_BENCH-} ]]; then
    cf_bench=$(command -v -- "$CF_BENCH") || fail "there is no program '$CF_BENCH'" "CF_BENCH names it" \
      "set CF_BENCH to the path of cf-bench, or unset it"
    return
  fi
  for cf_bench in "$bench_folder/bin/cf-bench" "$bench_folder/../.build/release/cf-bench"; do
    [[ -f $cf_bench && -x $cf_bench ]] && return
  done
  cf_bench=$(command -v cf-bench) || fail "cf-bench was not found" \
    "it is neither in $bench_folder/bin nor built in the checkout nor on the PATH" \
    "run 'make build' in the checkout, 'cf-bench provision' for the VM, or set CF_BENCH to its path"
}

# Sets `settings` to what cf-bench would measure with, as far as the person's --config and --set say, and
# `asked_repository` to what --repository says. A mistake in them is cf-bench's to tell, when it is run in earnest.
read_settings() {
  local chosen=()
  asked_repository=
  while (($#)); do
    case $1 in
      --config=* | --set=*) chosen+=("$1") ;;
      --repository=*) asked_repository=${1#*=} ;;
      --config | --set | --repository)
        (($# > 1)) || break
        if [[ $1 == --repository ]]; then asked_repository=$2; else chosen+=("$1" "$2"); fi
        shift
        ;;
    esac
    shift
  done
  settings=$("$cf_bench" settings ${chosen[@]+"${chosen[@]}"} 2>/dev/null </dev/null) || settings=
}

setting() { awk -v key="$1: " 'index($0, key) == 1 { print substr($0, length(key) + 1); exit }' <<<"$settings"; }

# Whether nobody chose this setting, in a file, a variable or with --set. A flag such as --results comes after ours and wins.
is_open() {
  awk -v key="$1: " 'found && /^    from: / { exit $2 != "default" } index($0, key) == 1 { found = 1 }
    END { if (!found) exit 1 }' <<<"$settings"
}

# Whether this folder is a checkout of the package that is measured.
is_checkout() {
  local package
  package=$(setting target.package)
  [[ -n $package && -e $1/.git && -f $1/pyproject.toml ]] &&
    awk -v package="$package" '/^name *=/ { gsub(/^name *= *|["\047 ]|#.*/, ""); found = $0 == package; exit }
      END { exit !found }' "$1/pyproject.toml"
}

# Sets `repository` to the folder that git refs are looked up in, empty for an address: the one that was chosen, else the
# checkout that the person is in, else ~/codeflash. Tells cf-bench when nobody else did.
find_repository() {
  if [[ -n $asked_repository ]]; then
    repository=$asked_repository
  elif ! is_open target.repository; then
    repository=$(setting target.repository)
  else
    repository=$(git rev-parse --show-toplevel 2>/dev/null) || repository=
    if [[ -z $repository ]] || ! is_checkout "$repository"; then repository=$HOME/codeflash; fi
    if [[ -e $repository/.git ]]; then options+=(--repository "$repository"); fi
  fi
  [[ -d $repository ]] || repository=
}

# Whether a name may be one of git's: a release and a folder need no repository.
is_ref() { [[ $1 != path:* && $1 != *==* ]]; }

# The clone in the home folder is the VM's: nobody works in it, so it is brought up to date before a ref is looked up there.
# Other checkouts are measured as they stand.
fetch() {
  is_fetched=false
  [[ -n $repository && $repository -ef $HOME/codeflash ]] || return 0
  git -C "$repository" remote get-url origin >/dev/null 2>&1 || return 0
  is_fetched=true
  GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND=${GIT_SSH_COMMAND-ssh -o BatchMode=yes -o ConnectTimeout=20} \
    timeout 60 git -C "$repository" fetch --quiet --prune --tags origin </dev/null ||
    say "git fetch failed in $repository: measuring its local state"
}

# Sets `branch` to the one that is checked out.
read_branch() {
  [[ -n $repository ]] || fail "no revision is named" \
    "this folder is not a checkout of the target, and there is none in ~/codeflash" "name one: $(basename -- "$0") main"
  branch=$(git -C "$repository" symbolic-ref --quiet --short HEAD) || fail "no revision is named" \
    "no branch is checked out in $repository" "name one: $(basename -- "$0") main"
}

# Puts origin's branch in the place of one of the same name that stayed behind it: a clone that is only fetched would measure
# old code.
take_newest() {
  local index name own far
  for index in "${!revisions[@]}"; do
    name=${revisions[index]}
    own=refs/heads/$name far=refs/remotes/origin/$name
    git -C "$repository" merge-base --is-ancestor "$own" "$far" 2>/dev/null || continue
    git -C "$repository" merge-base --is-ancestor "$far" "$own" 2>/dev/null && continue
    say "$name is behind origin/$name in $repository: measuring origin/$name"
    revisions[index]=origin/$name
  done
}

# begin COUNT ARGUMENT...: takes at most COUNT revisions off the arguments. Sets `revisions` to them and `options` to what
# is left, after what the person would want here and may say otherwise.
begin() {
  local most=$1 revision
  shift
  help_if_asked "$@"
  revisions=()
  local has_marker=false
  if [[ ${1-} == -- ]]; then has_marker=true && shift; fi
  while (($# && ${#revisions[@]} < most)) && { $has_marker || [[ $1 != -* ]]; }; do
    revisions+=("$1")
    shift
  done
  find_cf_bench
  read_settings "$@"
  options=(--machine local)
  if is_open results && [[ $bench_folder -ef $HOME/bench ]]; then options+=(--results "$HOME/results"); fi
  find_repository
  options+=("$@")
  if ((${#revisions[@]} < most)); then
    read_branch
    fetch
    return
  fi
  is_fetched=false
  for revision in "${revisions[@]}"; do
    if is_ref "$revision"; then fetch && return; fi
  done
}

# run_layers LAYERS ARGUMENT...: measures one revision with these layers, all that are set when LAYERS is empty; the current
# branch when no revision is named.
run_layers() {
  local layers=$1
  shift
  begin 1 "$@"
  ((${#revisions[@]})) || revisions=("$branch")
  if $is_fetched; then take_newest; fi
  exec "$cf_bench" run ${layers:+--layers "$layers"} "${options[@]}" -- "${revisions[@]}"
}

# compare_revisions ARGUMENT...: measures two revisions in turns; 'main' and the current branch where they are not named.
compare_revisions() {
  begin 2 "$@"
  ((${#revisions[@]} > 0)) || revisions=(main)
  ((${#revisions[@]} > 1)) || revisions+=("$branch")
  if $is_fetched; then take_newest; fi
  exec "$cf_bench" compare "${options[@]}" -- "${revisions[@]}"
}
