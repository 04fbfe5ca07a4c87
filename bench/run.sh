#!/usr/bin/env bash
# run.sh: datasession beside bare libcurl (floor.c) against one nginx: CPU time, then instructions, as a Markdown
# table. Run it through `make bench`, which builds the module and says where it is. It fails when something went
# wrong or an answer was not the right one, never for a figure.
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
lua=${LUA:-lua5.4}
repeats=${BENCH_REPEATS:-3}

missing=
for tool in nginx valgrind pkg-config; do command -v $tool >/dev/null || missing+=" $tool"; done
if [ -n "$missing" ]; then
  echo "bench: missing:$missing (Debian: apt-get install nginx-light valgrind libc6-dbg pkg-config)" >&2
  exit 1
fi

scratch=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait
  rm -rf "$scratch" 2>/dev/null || { sleep 1 && rm -rf "$scratch"; } # an interrupted valgrind still writes
}
trap stop EXIT

# Client and server share one core, or a ping's time changes by where the system puts them.
if command -v taskset >/dev/null; then
  allowed=$(taskset -cp $$)
  taskset -cp "${allowed##*[ ,-]}" $$ >/dev/null
fi

start_server() {
  mkdir -p "$scratch/temp"
  "$lua" "$here/catalog.lua" >"$scratch/catalog.json"
  for _ in 1 2 3 4 5; do # a port may be taken
    port=$((20000 + RANDOM % 10000))
    sed "s/PORT/$port/" "$here/nginx.conf" >"$scratch/nginx.conf"
    nginx -p "$scratch/" -c nginx.conf -e error.log 2>"$scratch/error.txt" &
    server=$!
    while kill -0 "$server" 2>/dev/null; do
      [ ! -s "$scratch/nginx.pid" ] || return 0
      sleep 0.05
    done
  done
  cat "$scratch/error.txt" "$scratch/error.log" >&2
  return 1
}

build_floor() {
  local name
  for name in lua5.4 lua-5.4 lua54 lua; do ! pkg-config --exists "$name" || break; done
  # shellcheck disable=SC2046 # flags
  "${CC:-cc}" -std=c11 -O2 -g -o "$scratch/floor" "$here/floor.c" $(pkg-config --cflags --libs libcurl "$name")
}

bare() { "${under[@]}" "$scratch/floor" "$1" "$2" "$base" "$agent"; }
ours() { "${under[@]}" "$lua" "$here/client.lua" "$1" "$2" "$base" "${@:3}"; }

sent() { sleep 0.1; sort -u "$scratch/sent.log"; : >"$scratch/sent.log"; }

# Both are to send the same lines, or there is nothing to compare. nginx logs a little after it has answered.
same_requests() {
  local under=() base=http://127.0.0.1:$port/Check agent='' work theirs
  ours ping 1 >/dev/null
  agent=$(sed -n '1s/.* | //p' "$scratch/sent.log")
  : >"$scratch/sent.log"
  for work in ping lifecycle form; do
    ours $work 1 >/dev/null
    sent >"$scratch/ours.log"
    bare $work 1 >/dev/null
    theirs=$(sent)
    diff <(echo "$theirs") "$scratch/ours.log" >&2 || { echo "bench: $work: floor.c sends other lines" >&2; exit 1; }
  done
  floor_agent=$agent
}

median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

# Instructions of one unit: the difference of two run lengths, so that what happens once drops out.
instructions() { # WHO WORK FEWER MORE [ARGUMENT...]
  local who=$1 work=$2 fewer=$3 more=$4 count total=()
  shift 4
  for count in "$fewer" "$more"; do
    under=(valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/callgrind.out")
    "$who" "$work" "$count" "$@" >/dev/null
    total+=("$(awk '/^(totals|summary):/ { n = $2 } END { print n }' "$scratch/callgrind.out")")
  done
  under=()
  echo $(((total[1] - total[0]) / (more - fewer)))
}

row() { # NAME GOAL OURS BARE [FORMAT]
  awk -v name="$1" -v goal="$2" -v ours="$3" -v bare="${4:-0}" -v f="${5:-%d}" 'BEGIN {
    printf "| %s | %s | " f " | %s | %s |\n", name, bare ? sprintf(f, bare) : "", ours,
           bare ? sprintf("%.3f", ours / bare) : "", goal }'
}

compare() { # WORK NAME FEWER MORE COUNT GOAL-INSTRUCTIONS GOAL-TIME
  local a b
  a=$(instructions ours "$1" "$3" "$4") b=$(instructions bare "$1" "$3" "$4")
  row "$2: instructions" "$6" "$a" "$b"
  for ((i = 0; i < repeats; i++)); do # in turns: what disturbs one disturbs the other
    bare "$1" "$5" >>"$scratch/$1.bare"
    ours "$1" "$5" >>"$scratch/$1.ours"
  done
  a=$(median <"$scratch/$1.ours") b=$(median <"$scratch/$1.bare")
  row "$2: CPU time, µs" "$7" "$a" "$b" %.1f
}

idle() { # SESSIONS
  local a
  a=$(instructions ours step 1000 6000 "$1")
  row "idle \`step()\`, $1 sessions: instructions" "" "$a"
  a=$(ours step 1000000 "$1" | awk '{ print $1 * 1000 }')
  row "idle \`step()\`, $1 sessions: CPU time, ns" 200 "$a"
}

memory() { # MODEL GOAL
  local a
  a=$(ours memory 5000 "$1")
  row "idle session, $1: bytes of memory" "$2" "$a"
}

start_server
build_floor
same_requests

base=http://127.0.0.1:$port/App agent=$floor_agent under=()
echo "| work | bare | datasession | ratio | goal |"
echo "| --- | ---: | ---: | ---: | --- |"
compare ping "ping" 100 600 3000 "1.25, then 1.05" ""
compare lifecycle "life cycle, basic" 4 14 100 "0.15" "0.40"
compare form "life cycle, form" 4 14 100 "" ""
idle 0
idle 1000
memory anonymous 600
memory form 1500
echo
"$lua" "$here/client.lua" version
echo "$(nginx -v 2>&1 | sed 's/.*: //'), $(valgrind --version), $(uname -sm)"
