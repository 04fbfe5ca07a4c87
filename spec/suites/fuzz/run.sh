#!/bin/sh
# run.sh BUILD TARGET...: runs each fuzz target for FUZZ_SECONDS (30) seconds, or for FUZZ_RUNS executions if
# that is set and comes first, as many at a time as there are processors; ends with one line that sums
# libFuzzer's own counts. BUILD/corpus keeps new inputs, BUILD/findings those that make a target fail.
set -u
build=$1
shift
runs=${FUZZ_RUNS:--1}
seconds=${FUZZ_SECONDS:-$([ "$runs" -gt 0 ] && echo 600 || echo 30)}
top=$(cd "$(dirname "$0")/../../.." && pwd)
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
ASAN_OPTIONS="detect_leaks=1:${ASAN_OPTIONS-}"
LSAN_OPTIONS="suppressions=$top/spec/suites/torture/lsan.supp:print_suppressions=0:${LSAN_OPTIONS-}"
UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS-}"
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
total=0 findings=0

# The words that a target's input is made of.
words() {
  case $1 in
    catalog | codec | context | data | datasnap | rows | scan | storage)
      echo "-dict=$top/spec/suites/fuzz/json.dict" ;;
    exchange | headers | judge | session) echo "-dict=$top/spec/suites/fuzz/http.dict" ;;
  esac
}

# Puts the output into BUILD/TARGET.log, the exit code into BUILD/TARGET.status.
fuzz() {
  mkdir -p "$build/corpus/$1" "$build/findings" "$top/spec/suites/fuzz/seeds/$1"
  # shellcheck disable=SC2046 # one word or none
  timeout -k 10 $((seconds + 120)) "$build/bin/$1" $(words "$1") -runs="$runs" -max_total_time="$seconds" \
    -print_final_stats=1 -timeout=20 -rss_limit_mb=2048 -detect_leaks=0 \
    -artifact_prefix="$build/findings/$1-" \
    "$build/corpus/$1" "$top/spec/suites/fuzz/seeds/$1" >"$build/$1.log" 2>&1
  echo $? >"$build/$1.status"
}

stat() { sed -n "s/^stat::$1: *//p" "$log" | tail -n 1; }

judge() { # TARGET
  log=$build/$1.log
  executions=$(stat number_of_executed_units)
  executions=${executions:-0}
  total=$((total + executions))
  if [ "$(cat "$build/$1.status")" -ne 0 ] || [ "$executions" -eq 0 ]; then
    findings=$((findings + 1))
    grep -aE '^(fuzz:|==| +#[0-9]+ 0x|SUMMARY|.*ERROR|Test unit)|runtime error' "$log" | head -n 30 >&2
    echo "fuzz: $1 failed, see $log and $build/findings" >&2
  fi
  speed=$(stat average_exec_per_sec)
  if [ "${speed:-0}" -gt 0 ]; then speed=", $speed a second"; else speed=; fi
  printf 'fuzz: %-11s %9d executions%s\n' "$1" "$executions" "$speed"
}

jobs=$(nproc 2>/dev/null || echo 1)
while [ $# -gt 0 ]; do
  batch=
  while [ $# -gt 0 ] && [ "$(echo "$batch" | wc -w)" -lt "$jobs" ]; do
    batch="$batch $1"
    fuzz "$1" &
    shift
  done
  wait
  for target in $batch; do judge "$target"; done
done
echo "fuzz: $total executions, $findings findings"
[ "$findings" -eq 0 ]
