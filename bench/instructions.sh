#!/usr/bin/env bash
# instructions.sh: the works of run.sh by what a noisy machine does not change: instructions in user space
# (callgrind) and system calls (strace), of a unit: the difference of two run lengths, so that what happens
# once drops out. `make bench-instructions` runs it, in a few minutes. Programs that make their code as they
# run (Node) are left out.
. "$(dirname "$0")/common.sh"

need nginx valgrind pkg-config openssl
command -v strace >/dev/null || missing "system calls" "apt-get install strace"

calls() { # RUNNER WORK FEWER MORE [ARGUMENT...]
  command -v strace >/dev/null || return 0
  local runner=$1 work=$2 fewer=$3 more=$4 count total=()
  shift 4
  for count in "$fewer" "$more"; do
    under=(strace -f -qq -e signal=none -o "$scratch/calls.out")
    "$runner" "$work" "$count" "$@" >/dev/null
    total+=("$(grep -vc resumed "$scratch/calls.out")")
  done
  under=()
  awk -v n=$((total[1] - total[0])) -v d=$((more - fewer)) 'BEGIN { printf "%.2f", n > 0 ? n / d : 0 }'
}

row() { printf '| %s | %s | %s | %s | %s | %s |\n' "$@"; }

compare() { # NAME WORK FEWER MORE RUNNER...: ratios are to the first runner
  local name=$1 work=$2 fewer=$3 more=$4 runner n c first_n='' first_c=''
  shift 4
  for runner in "$@"; do
    case $runner in floor | ours | plain) ;; *) fewer=2 more=22 ;; esac # some take long
    n=$(instructions "$runner" "$work" "$fewer" "$more") c=$(calls "$runner" "$work" "$fewer" "$more")
    first_n=${first_n:-$n} first_c=${first_c:-$c}
    row "$name" "$(name_of "$runner")" "$n" "$(ratio "$n" "$first_n")" \
      "$c" "$(ratio "${c:-0}" "${first_c:-0}")"
    name=
  done
}

# W4: what the process takes without the loading drops out.
decode_alone() { "${under[@]}" "$lua" "$here/loading.lua" decode "$2" "$scratch/large.json"; }
load_large() { "${under[@]}" "$lua" "$here/loading.lua" load "$2" "$scratch/large.json"; }

large() {
  local a b
  "$lua" "$here/catalog.lua" 5242880 >"$scratch/large.json"
  a=$(instructions decode_alone '' 0 1) b=$(instructions load_large '' 0 1)
  row "W4: load and index a catalog of 5 MB (floor: decode it)" "$(name_of floor)" "$a" 1.000 "" ""
  row "" "$(name_of ours)" "$b" "$(ratio "$b" "$a")" "" ""
}

starts() {
  local runner name="W6: start, load, exit" first='' n
  for runner in floor ours; do
    n=$(start "$runner") first=${first:-$n}
    row "$name" "$(name_of $runner)" "$n" "$(ratio "$n" "$first")" "" ""
    name=
  done
}

idle() {
  local n
  for n in 1 10000; do
    row "idle \`step()\`, $n sessions" "$(name_of ours)" "$(instructions ours step 1000 201000 "$n")" "" \
      "$(calls ours step 1000 101000 "$n")" ""
  done
}

# Measures a ping, so many sessions being logged in and all asking at once: it must not grow.
scale() {
  local n pings each first='' total
  for n in 100 1000 4000; do
    total=()
    for pings in 0 1; do
      under=(valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/callgrind.out")
      ours scale "$n" "$pings" >/dev/null
      total+=("$(counted)")
    done
    under=()
    each=$(((total[1] - total[0]) / n)) first=${first:-$each}
    row "a ping, sessions at once: $n" "$(name_of ours)" "$each" "$(ratio "$each" "$first")" "" ""
  done
}

# Over TLS, by what the server offers.
versions_of_http() {
  local version first n base
  for work in ping:100:600 many:64:164; do
    IFS=: read -r work fewer more <<<"$work"
    first=
    for version in 1 2; do
      base=https://127.0.0.1:$((port + version))/App
      export BENCH_CA=$scratch/server.pem
      n=$(instructions ours "$work" "$fewer" "$more") first=${first:-$n}
      row "$([ "$work" = ping ] && echo "W1 over TLS" || echo "W3 over TLS")" "HTTP/$version" \
        "$n" "$(ratio "$n" "$first")" \
        "$(calls ours "$work" "$fewer" "$more")" ""
    done
  done
}

share_a_core
start_server
build_floor
same_requests
find_peers
peers=("${peers[@]/#node_http/}") peers=("${peers[@]/#jsdo/}")
read -ra peers <<<"${peers[*]}"

base=http://127.0.0.1:$port/App
echo "| work | by | instructions of a unit | ratio | system calls | ratio |"
echo "| --- | --- | ---: | ---: | ---: | ---: |"
compare "W1: ping" ping 100 600 floor ours "${peers[@]}"
compare "W2: life cycle, form" form 4 14 floor plain ours "${peers[@]}"
compare "W2: life cycle, basic" lifecycle 4 14 floor plain ours
compare "W3: a session of many" many 64 164 floor plain ours
compare "W3: a session of many, form" many-form 64 164 floor plain ours
large
starts
idle
scale
versions_of_http
echo
[ ${#left_out[@]} -eq 0 ] || printf '%s\n' "${left_out[@]}"
echo "$(valgrind --version), $(versions | head -n 1)"
versions | tail -n 1
