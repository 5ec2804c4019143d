#!/bin/sh
# Registers connectors, each once, and waits until each of them and its tasks run.
#
#   register-connectors.sh FILE...
#
# In:  CONNECT_URL (http://host:port of a worker); files as the REST API takes them, posted as they
#      are.
# Out: exit code 0 when all run; 1 when one is refused or fails (what the worker said is printed),
#      or after LIMIT seconds (180) for each.
# Never: a second registration; a connector that is there is left as it is.
set -eu

limit=${LIMIT:-180}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
answer=$folder/answer
failure=$folder/failure

main() {
  wait_for "the REST API of $CONNECT_URL" rest_answers
  for file; do
    name=$(name_in "$file")
    wait_for "$name to be registered" registered "$file" "$name"
    wait_for "$name to run" runs "$name"
    say "$name runs"
  done
}

rest_answers() { [ "$(call GET /connectors)" = 200 ]; }

registered() {
  if [ "$(call GET "/connectors/$2")" = 200 ]; then
    return 0
  fi
  status=$(call POST /connectors --data-binary "@$1")
  case $status in
    201) say "$2 is registered" ;;
    # 409: it was registered meanwhile, or the workers share out their work just now. Both pass.
    409 | 000 | 5??) return 1 ;;
    *) fail "$1 is refused with HTTP $status: $(cat "$answer")" ;;
  esac
}

# A task's state is there only some time after its connector's: at least two must be RUNNING.
runs() {
  [ "$(call GET "/connectors/$1/status")" = 200 ] || return 1
  states=$(grep -o '"state":"[A-Z]*"' "$answer")
  case $states in
    *FAILED*) fail "$1 has failed: $(cat "$answer")" ;;
  esac
  [ "$(echo "$states" | wc -l)" -ge 2 ] && ! echo "$states" | grep -qv RUNNING
}

# The first "name" of a file is the connector's.
name_in() {
  [ -r "$1" ] || fail "$1 cannot be read"
  found=$(sed -n 's/.*"name" *: *"\([^"]*\)".*/\1/p' "$1" | head -n 1)
  [ -n "$found" ] || fail "$1 names no connector"
  echo "$found"
}

# Prints the HTTP status, 000 when there was no answer; the body is in $answer, curl's own words are
# in $failure.
call() {
  method=$1 path=$2
  shift 2
  : >"$answer"
  curl -sS -o "$answer" -w '%{http_code}' -X "$method" -H 'Content-Type: application/json' "$@" \
    "$CONNECT_URL$path" 2>"$failure" || true
}

wait_for() {
  what=$1
  shift
  say "waiting for $what"
  waited=0
  until "$@"; do
    waited=$((waited + 1))
    [ "$waited" -lt "$limit" ] ||
      fail "waited $limit s for $what: $(cat "$answer" "$failure")"
    sleep 1
  done
}

say() { echo "connector-init: $*"; }

fail() {
  say "$*" >&2
  exit 1
}

main "$@"
