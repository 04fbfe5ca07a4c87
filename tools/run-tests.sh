#!/bin/sh
# run-tests.sh COMMAND... [-- COMMAND...]: runs each command, showing its output, and ends with one line that
# sums their counts. Commands after -- run beside those before it; their output is shown when all have ended.
# A command reports by busted's line ("3 successes / 0 failures / 0 errors / 0 pending") or by "3 passed, 0
# failed". One that dies, reports nothing or ran no test counts as a failure. TEST_TIMEOUT: seconds for each
# (600).
set -u
logs=$(mktemp -d) || exit 1
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 skipped=0

limit=
if command -v timeout >/dev/null; then limit="timeout -k 10 ${TEST_TIMEOUT:-600}"; fi

# Prints "passed failed skipped" of the last report in a log, or nothing.
count() {
  awk '/^[0-9]+ success(es)? \/ [0-9]+ failures? \/ [0-9]+ errors? \/ [0-9]+ pending/ {
         n = $1 " " $4 + $7 " " $10
       }
       /^[0-9]+ passed, [0-9]+ failed/ { n = $1 " " $3 + 0 " " ($6 ~ /^skipped/ ? $5 : 0) }
       END { print n }' "$1"
}

# Adds the count of a command that has ended, or a failure. STATUS LOG COMMAND
add() {
  status=$1 log=$2 command=$3
  # shellcheck disable=SC2046 # three numbers or none
  set -- $(count "$log")
  trouble=
  if [ $# -ne 3 ]; then trouble="reported no count"
  elif [ $(($1 + $2)) -eq 0 ]; then trouble="ran no test"
  elif [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; then trouble="failed"
  fi
  if [ $# -eq 3 ]; then passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3)); fi
  if [ -n "$trouble" ]; then
    echo "run-tests: $trouble (exit code $status): $command" >&2
    failed=$((failed + 1))
  fi
}

report() {
  [ $((passed + failed)) -gt 0 ] || failed=1
  note=
  if [ "$skipped" -gt 0 ]; then note=", $skipped skipped"; fi
  printf '\n%d passed, %d failed%s\n' "$passed" "$failed" "$note"
  [ "$failed" -eq 0 ]
}

# Runs the commands of one side of --. SIDE COMMAND...
side() {
  wanted=$1 at=1
  log=$logs/$1
  shift
  for command in "$@"; do
    if [ "$command" = -- ]; then at=2; continue; fi
    [ "$at" -eq "$wanted" ] || continue
    printf '\n== %s\n' "$command"
    # shellcheck disable=SC2086 # a command and its options
    { $limit sh -c "$command"; echo $? >"$log.status"; } 2>&1 | tee "$log"
    add "$(cat "$log.status")" "$log" "$command"
  done
  report
}

beside=
for command in "$@"; do
  [ "$command" != -- ] || beside=yes
done
if [ -z "$beside" ]; then
  side 1 "$@"
  exit
fi

# A pipeline, since what a shell starts by & ignores an interrupt, and specs send one.
{ side 2 "$@"; echo $? >"$logs/2.end"; } >"$logs/2.shown" 2>&1 </dev/null |
  { side 1 "$@"; echo $? >"$logs/1.end"; } 2>&1 </dev/null | tee "$logs/1.shown"
cat "$logs/2.shown"
add "$(cat "$logs/1.end")" "$logs/1.shown" "the commands before --"
add "$(cat "$logs/2.end")" "$logs/2.shown" "the commands after --"
report
