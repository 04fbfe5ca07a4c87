#!/usr/bin/env bash
# run.sh: data objects beside bare libcurl and lua-cjson (floor.lua) and Progress's JSDO class on Node,
# against one nginx on loopback: CPU time and peak memory, medians of runs in turns, as a Markdown table; and
# how the works grow with the number of records. `make bench-data` runs it, in a minute. BENCH_REPEATS: runs
# of each (5); BENCH_RECORDS: records of a fill (10000).
. "$(dirname "$0")/../common.sh"

repeats=${BENCH_REPEATS:-5}
records=${BENCH_RECORDS:-10000}
sizes=($((records / 4)) $((records / 2)) "$records" $((records * 2)))
need nginx pkg-config openssl
share_a_core

data=$here/data
build_transfer() {
  # shellcheck disable=SC2046 # flags
  "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -shared -o "$scratch/transfer.so" "$data/transfer.c" \
    $(pkg-config --cflags --libs libcurl "$(lua_package)")
}

prepare() {
  local n
  "$lua" "$data/customers.lua" catalog >"$scratch/data.json"
  "$lua" "$data/customers.lua" submitted 1000 >"$scratch/submitted.json"
  for n in "${sizes[@]}"; do "$lua" "$data/customers.lua" rows "$n" >"$scratch/customers$n.json"; done
}

with_modules() {
  LUA_PATH="$data/?.lua;$here/?.lua;$LUA_PATH" LUA_CPATH="$scratch/?.so;$LUA_CPATH" "$lua" "$@"
}
data_floor() { with_modules "$data/floor.lua" "$1" "$base"; }
data_ours() { with_modules "$data/ours.lua" "$1" "$base"; }
data_jsdo() { node "$data/jsdo.js" "$1" "$base" "$BENCH_REFERENCE"; }

column() { # RUNNER WORK COLUMN
  awk -v work="$2" -v at="$3" '$1 == work { print $at }' "$scratch/$1.out" | median
}

megabytes() { awk -v kb="$1" 'BEGIN { printf "%.1f", kb / 1024 }'; }

rows() { # NAME WORK
  local name=$1 work=$2 runner ms kb base_ms='' base_kb=''
  for runner in "${runners[@]}"; do
    ms=$(column "$runner" "$work" 2) kb=$(column "$runner" "$work" 3)
    base_ms=${base_ms:-$ms} base_kb=${base_kb:-$kb}
    printf '| %s | %s | %.2f | %s | %s | %s |\n' "$name" "$(name_of "$runner")" \
      "$ms" "$(ratio "$ms" "$base_ms")" "$(megabytes "$kb")" "$(ratio "$kb" "$base_kb")"
    name=
  done
}

compare() {
  local runner
  rm -f "$scratch"/*.out
  for ((i = 0; i < repeats; i++)); do # in turns: what disturbs one disturbs the others
    for runner in "${runners[@]}"; do "data_$runner" "$records" >>"$scratch/$runner.out"; done
  done
  echo "| work | by | CPU, ms | ratio | peak memory until then, MB | ratio |"
  echo "| --- | --- | ---: | ---: | ---: | ---: |"
  rows "fill of $records records, indexed" fill
  rows "foreach, one field read" foreach
  rows "$records times findById" find
  rows "1,000 assigns" assign
  rows "submit of 1,000 changes with before-image" submit
  rows "1,000 saves one by one (floor: libcurl alone)" saves
}

growth() { # NAME WORK RUNNER: n, 2n, 4n, 8n
  local n list=''
  for n in "${sizes[@]}"; do list+=" $(column "$3$n" "$2" 2)"; done
  printf '| %s | %s | %s |\n' "$1" "$(name_of "$3")" "$(awk -v list="$list" -v first="${sizes[0]}" 'BEGIN {
    n = split(list, ms, " ")
    for (i = 1; i <= n; i++) {
      x = log(first * 2 ^ (i - 1)); y = log(ms[i]); sx += x; sy += y; sxx += x * x; sxy += x * y
      text = text (i > 1 ? ", " : "") sprintf("%.2f", ms[i])
    }
    printf "%s | %.2f", text, (n * sxy - sx * sy) / (n * sxx - sx * sx)
  }')"
}

grow() {
  local n runner
  rm -f "$scratch"/*.out
  for ((i = 0; i < 3; i++)); do
    for n in "${sizes[@]}"; do
      for runner in floor ours; do "data_$runner" "$n" >>"$scratch/$runner$n.out"; done
    done
  done
  echo "| work | by | CPU of ${sizes[*]} records, ms | exponent |"
  echo "| --- | --- | ---: | ---: |"
  for runner in floor ours; do
    growth "fill, indexed" fill "$runner"
    growth "foreach, one field read" foreach "$runner"
    growth "findById of each" find "$runner"
  done
}

start_server
build_transfer
prepare
base=http://127.0.0.1:$port/App
runners=(floor ours)
if [ -f "${BENCH_REFERENCE-}" ] && command -v node >/dev/null
then runners+=(jsdo); else missing @progress/jsdo-core "npm could not install it"; fi
compare
echo
grow
echo
[ ${#left_out[@]} -eq 0 ] || printf '%s\n' "${left_out[@]}"
versions
