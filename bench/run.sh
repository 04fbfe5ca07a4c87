#!/usr/bin/env bash
# run.sh: datasession beside bare libcurl (floor.c), lua-cjson alone and the peers that are at hand, against
# one nginx on loopback: CPU time and peak memory, medians of runs in turns, as a Markdown table. `make bench`
# runs it, in under two minutes. BENCH_REPEATS: runs of each (3).
. "$(dirname "$0")/common.sh"

repeats=${BENCH_REPEATS:-3}
need nginx pkg-config openssl
share_a_core

row() { printf '| %s | %s | %s | %s | %s | %s |\n' "$@"; }

rows() { # NAME RUNNER...: of what is in the files NAME.RUNNER; ratios are to the first runner
  local name=$1 runner cpu kb base_cpu='' base_kb=''
  shift
  for runner in "$@"; do
    cpu=$(cut -d' ' -f1 "$scratch/$runner.out" | median)
    kb=$(cut -d' ' -f2 "$scratch/$runner.out" | median)
    base_cpu=${base_cpu:-$cpu} base_kb=${base_kb:-$kb}
    row "$name" "$(name_of "$runner")" \
      "$(awk -v v="$cpu" 'BEGIN { printf v < 10000 ? "%.1f" : "%.0f", v }')" \
      "$(ratio "$cpu" "$base_cpu")" \
      "$(awk -v v="$kb" 'BEGIN { printf "%.1f", v / 1024 }')" "$(ratio "$kb" "$base_kb")"
    name=
  done
}

compare() { # NAME WORK COUNT PEERS-COUNT RUNNER...
  local name=$1 work=$2 count=$3 fewer=$4 runner
  shift 4
  rm -f "$scratch"/*.out
  for ((i = 0; i < repeats; i++)); do # in turns: what disturbs one disturbs the others
    for runner in "$@"; do
      case $runner in floor | ours | plain) n=$count ;; *) n=$fewer ;; esac
      "$runner" "$work" "$n" >>"$scratch/$runner.out"
    done
  done
  rows "$name" "$@"
}

# W4: of one loading, from a file.
decode_alone() { "$lua" "$here/loading.lua" decode 1 "$scratch/large.json" | to_microseconds; }
load_large() { "$lua" "$here/loading.lua" load 1 "$scratch/large.json" | to_microseconds; }
to_microseconds() { awk '{ print $1 * 1000, $2 }'; }

large() {
  "$lua" "$here/catalog.lua" 5242880 >"$scratch/large.json"
  rm -f "$scratch"/*.out
  for ((i = 0; i < repeats; i++)); do
    decode_alone >>"$scratch/floor.out"
    load_large >>"$scratch/ours.out"
  done
  rows "W4: load and index a catalog of 5 MB (floor: decode it)" floor ours
}

# W6: processes, so what their parent is told of them.
seconds_of_starts() { # RUNNER
  local TIMEFORMAT='%U %S'
  { time for _ in {1..5}; do "$1"; done; } 2>&1 | awk '{ print ($1 + $2) / 5 * 1e6 }'
}

start_node() { node -e 'require("node:http")'; }
start_python() { "$python" -c 'import http.client, json'; }

starts() {
  local name="W6: start, load, exit" runner base='' runners=(floor ours)
  ! command -v node >/dev/null || runners+=(node)
  [ -z "$python" ] || runners+=(python)
  rm -f "$scratch"/*.out
  for ((i = 0; i < repeats; i++)); do
    for runner in "${runners[@]}"; do seconds_of_starts "start_$runner" >>"$scratch/$runner.out"; done
  done
  for runner in "${runners[@]}"; do
    n=$(median <"$scratch/$runner.out") base=${base:-$n}
    row "$name" "$(name_of "${runner/node/node_http}")" "$n" "$(ratio "$n" "$base")" "" ""
    name=
  done
}

idle() {
  local n
  for n in 1 10000; do
    row "idle \`step()\`, $n sessions" "$(name_of ours)" "$(ours step 1000000 "$n" | cut -d' ' -f1)" "" "" ""
  done
}

memory() {
  local model
  for model in anonymous form; do
    row "W5: memory of an idle session, $model" "$(name_of ours)" "" "" \
      "$(ours memory 5000 "$model") bytes" ""
  done
}

# Measures a call, where so many sessions log in, ping and log out at once: it must not grow.
scale() {
  local n pings cpu first=''
  rm -f "$scratch"/*.out
  for ((i = 0; i < repeats; i++)); do
    for n in 100 1000 10000; do
      pings=$((n < 2000 ? 2000 / n : 1))
      base=$base ours scale "$n" "$pings" >>"$scratch/$n.out"
    done
  done
  for n in 100 1000 10000; do
    cpu=$(cut -d' ' -f1 "$scratch/$n.out" | median) first=${first:-$cpu}
    row "a call, sessions at once: $n" "$(name_of ours)" "$cpu" "$(ratio "$cpu" "$first")" "" ""
  done
}

connections() { curl --silent "http://127.0.0.1:$port/connections" | awk 'NR == 3 { print $1 }'; }

# Over TLS, by what the server offers: connections that were opened, and CPU time.
over_tls() { # NAME WORK COUNT
  local version before cpu first='' opened base
  for version in 1 2; do
    base=https://127.0.0.1:$((port + version))/App
    before=$(connections)
    rm -f "$scratch/tls.out"
    for ((i = 0; i < repeats; i++)); do BENCH_CA=$scratch/server.pem ours "$2" "$3" >>"$scratch/tls.out"; done
    opened=$((($(connections) - before - 1) / repeats)) # one is that of who asks
    cpu=$(cut -d' ' -f1 "$scratch/tls.out" | median) first=${first:-$cpu}
    row "$1, HTTP/$version: $opened connection(s)" "$(name_of ours)" "$cpu" "$(ratio "$cpu" "$first")" \
      "$(cut -d' ' -f2 "$scratch/tls.out" | median | awk '{ printf "%.1f", $1 / 1024 }')" ""
  done
}

start_server
build_floor
same_requests
find_peers
same_pages "${peers[@]}"

base=http://127.0.0.1:$port/App
crowds=(floor ours)
[[ " ${peers[*]} " != *" node_http "* ]] || crowds+=(node_http)
echo "| work | by | CPU of a unit, µs | ratio | peak memory, MB | ratio |"
echo "| --- | --- | ---: | ---: | ---: | ---: |"
compare "W1: ping" ping 3000 300 floor ours "${peers[@]}"
compare "W2: life cycle, form" form 200 30 floor plain ours "${peers[@]}"
compare "W2: life cycle, basic" lifecycle 200 0 floor plain ours
compare "W3: a session of 500" many 500 0 floor ours
compare "W3: a session of 500, form" many-form 500 200 "${crowds[@]}"
large
memory
starts
idle
scale
over_tls "W1 over TLS" ping 500
over_tls "W3 over TLS" many 500
echo
[ ${#left_out[@]} -eq 0 ] || printf '%s\n' "${left_out[@]}"
versions
