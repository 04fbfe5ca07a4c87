#!/usr/bin/env bash
# guard.sh: fails when datasession needs 5 % more instructions beside bare libcurl, measured in the same run,
# than recorded.txt says. `make bench-guard` runs it, in half a minute. `BENCH_RECORD=1 make bench-guard`
# writes recorded.txt again.
. "$(dirname "$0")/common.sh"

need nginx valgrind pkg-config openssl
recorded=$here/recorded.txt
failed=0

judge() { # WORK OURS FLOOR
  local now was
  now=$(ratio "$2" "$3")
  was=$(awk -v work="$1" '$1 == work { print $2 }' "$recorded")
  printf '%-10s %9d instructions, %9d bare: %s; recorded: %s\n' "$1" "$2" "$3" "$now" "${was:-nothing}"
  echo "$1 $now" >>"$scratch/recorded.txt"
  [ -n "${BENCH_RECORD-}" ] ||
    awk -v now="$now" -v was="${was:-0}" 'BEGIN { exit now > was * 1.05 }' || failed=1
}

share_a_core
start_server
build_floor
same_requests
base=http://127.0.0.1:$port/App
judge ping "$(instructions ours ping 100 600)" "$(instructions floor ping 100 600)"
judge lifecycle "$(instructions plain form 4 24)" "$(instructions floor form 4 24)"
judge basic "$(instructions plain lifecycle 4 24)" "$(instructions floor lifecycle 4 24)"
judge start "$(start ours)" "$(start floor)"

if [ -n "${BENCH_RECORD-}" ]; then cp "$scratch/recorded.txt" "$recorded"; fi
[ $failed -eq 0 ] ||
  echo "bench-guard: more than 5 % above bench/recorded.txt: make bench-instructions shows where" >&2
exit $failed
