#!/usr/bin/env bash
# Runs the tests, lane by lane, installing what is missing first.
#
#   scripts/test.sh all           every lane but chaos and model
#   scripts/test.sh lint|unit|java|e2e|chaos|model
#
# Out: what each lane saw (records, rows, kills: zero of what it is there to see is a failure), and
# one closing line `N passed, N failed`, N counting lanes' tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export ALLUVIUM_CACHE=${ALLUVIUM_CACHE:-$HOME/.cache/alluvium}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ALLUVIUM_CACHE/target}
DENY_VERSION=0.20.2

declare -A COUNTS=(
  [unit]="records rows kills states"
  [java]="records"
  [e2e]="records rows kills attacks"
  [chaos]="records rows kills attacks"
  [model]="states"
)

passed=0
failed=0
failures=()

main() {
  case "${1:-all}" in
    all) run_lanes lint unit java e2e ;;
    lint | unit | java | e2e | chaos | model) run_lanes "$1" ;;
    --only) "lane_$2" ;; # a process of its own: `set -e` does not hold inside of an `if`
    *) echo "no lane named '$1'" >&2; exit 2 ;;
  esac
}

run_lanes() {
  local lane began
  log=$(mktemp) # not local: the trap runs after this function's variables are gone
  trap 'rm -f "$log"' EXIT
  for lane; do
    began=$SECONDS
    echo "==== $lane"
    if bash scripts/test.sh --only "$lane" > >(tee "$log") 2>&1; then
      count "$lane" "$log" 0
    else
      count "$lane" "$log" 1
    fi
    echo "==== $lane: $((SECONDS - began)) s"
  done
  for lane in "${failures[@]}"; do echo "failed: $lane"; done
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
}

# Counts what the runners printed of their own; a lane that failed counts one failure at least, and
# one that ran nothing is a failure.
count() {
  local lane=$1 log=$2 status=$3 ok bad
  sleep 0.2 # tee writes the end of the log
  ok=$(sum "$log" 's/^test result: .* \([0-9]*\) passed; .*/\1/p' 's/^\[ *\([0-9]*\) tests successful *\]$/\1/p' \
    's/^lane: \([0-9]*\) checks passed$/\1/p')
  bad=$(sum "$log" 's/^test result: .* \([0-9]*\) failed; .*/\1/p' 's/^\[ *\([0-9]*\) tests failed *\]$/\1/p')
  if [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  if [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ]; then
    echo "$lane ran no test" >&2
    bad=1
  fi
  saw "$lane" "$log" || bad=$((bad + 1))
  [ "$bad" -eq 0 ] || failures+=("$lane")
  passed=$((passed + ok))
  failed=$((failed + bad))
}

# Adds up the `counted: NAME=N …` lines of a lane's tests.
saw() {
  local lane=$1 log=$2 name n nothing=
  for name in ${COUNTS[$lane]-}; do
    n=$(sum "$log" "s/.*counted: .*\\b$name=\\([0-9]*\\).*/\\1/p")
    echo "$lane saw $n $name"
    [ "$n" -gt 0 ] || nothing=1
  done
  [ -z "$nothing" ]
}

sum() {
  local log=$1 total=0 pattern n
  shift
  for pattern; do
    while read -r n; do total=$((total + n)); done < <(sed -n "$pattern" "$log")
  done
  echo "$total"
}

# ---- lanes ----

lane_lint() {
  scripts/install.sh apt
  cargo fmt --all --check
  cargo clippy --locked --workspace --all-targets -- -D warnings
  cargo_deny
  "$ALLUVIUM_CACHE/cargo-deny-$DENY_VERSION/bin/cargo-deny" check --hide-inclusion-graph bans licenses sources
  # Needs tomllib: Python 3.11. A rule that moved must move in the list of mutations too.
  scripts/mutations.py --check
  echo "lane: 4 checks passed"
}

lane_unit() {
  scripts/install.sh seaweedfs
  cargo test --locked --workspace --exclude alluvium-tests
}

lane_java() {
  scripts/install.sh apt
  gradle --no-daemon --console=plain check
}

lane_e2e() {
  scripts/install.sh all
  gradle --no-daemon --console=plain -q -PnativeDebug pluginZip
  cargo build --locked -p alluvium-cli
  cargo test --locked --no-fail-fast -p alluvium-tests -- --nocapture --test-threads=1
}

lane_chaos() {
  scripts/install.sh all
  gradle --no-daemon --console=plain -q -PnativeDebug pluginZip
  cargo build --locked -p alluvium-cli
  RUNS=${RUNS:-20} MINUTES=${MINUTES:-10} cargo test --locked -p alluvium-tests --no-fail-fast --test chaos \
    --test attack -- --nocapture --ignored --test-threads=1
}

lane_model() {
  cargo test --locked -p alluvium-model -- --nocapture --include-ignored --test-threads=1
}

cargo_deny() {
  local folder=$ALLUVIUM_CACHE/cargo-deny-$DENY_VERSION
  [ -x "$folder/bin/cargo-deny" ] && return
  echo "building cargo-deny $DENY_VERSION (once, a few minutes)"
  CARGO_TARGET_DIR=$ALLUVIUM_CACHE/tools-target cargo install --quiet --locked --no-default-features \
    --version "$DENY_VERSION" --root "$folder.partial" cargo-deny
  mv "$folder.partial" "$folder"
}

main "$@"
