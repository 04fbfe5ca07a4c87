#!/bin/sh
# run.sh HOST: the torture, in the work tree that tools/in-tree.sh has set up, in as many processes as there
# are processors, 4 at most (TORTURE_JOBS). lsan.supp names leaks that are not ours.
set -eu
top=$(cd "$(dirname "$0")/../../.." && pwd)
host=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$top"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY # they would cost requests for memory
ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:handle_abort=0:${ASAN_OPTIONS-}"
LSAN_OPTIONS="suppressions=spec/suites/torture/lsan.supp:print_suppressions=0:${LSAN_OPTIONS-}"
UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS-}"
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
if [ "$jobs" -gt 4 ]; then jobs=4; fi
jobs=${TORTURE_JOBS:-$jobs}
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# Each part's log ends with its closing line, or the part counts as a failure.
pids=
part=1
while [ "$part" -le "$jobs" ]; do
  TORTURE_PART=$part/$jobs timeout -k 10 "${TEST_TIMEOUT:-2400}" "$host" spec/suites/torture/runner.lua \
    >"$logs/$part" 2>&1 &
  pids="$pids $!"
  part=$((part + 1))
done
part=1
for pid in $pids; do
  status=0
  wait "$pid" || status=$?
  echo "$status" >"$logs/$part.status"
  grep -v '^torture: [0-9]* failure points' "$logs/$part" || true
  part=$((part + 1))
done
awk -v jobs="$jobs" '
  FILENAME ~ /status$/ { if ($1) trouble++; next }
  /^torture: [0-9]+ failure points/ {
    parts++; points += $2; operations += $5; collected += $7; failed += $(NF - 1)
  }
  END {
    if (failed == 0) failed = trouble + (parts < jobs)
    printf "torture: %d failure points, %d operations, %d under an eager collector, %d failed\n",
      points, operations, collected, failed
    exit failed > 0 || operations == 0
  }' "$logs"/*
