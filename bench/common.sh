# common.sh: the benchmark's server, its runners and the arithmetic; sourced by run.sh, instructions.sh and
# guard.sh, which the Makefile runs by tools/in-tree.sh. All of them fail when something went wrong or an
# answer was not the right one; for a figure guard.sh alone.
# shellcheck shell=bash
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lua=${LUA:-lua5.4}

need() {
  local tool missing=
  for tool in "$@"; do command -v "$tool" >/dev/null || missing+=" $tool"; done
  [ -z "$missing" ] && return
  echo "bench: missing:$missing" \
    "(Debian: apt-get install nginx-light valgrind libc6-dbg pkg-config openssl strace)" >&2
  exit 1
}

scratch=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  wait
  rm -rf "$scratch" 2>/dev/null || { sleep 1 && rm -rf "$scratch"; } # an interrupted valgrind still writes
}
trap stop EXIT

# Client and server share one core, or a ping's time changes by where the system puts them.
share_a_core() {
  command -v taskset >/dev/null || return 0
  local allowed
  allowed=$(taskset -cp $$)
  taskset -cp "${allowed##*[ ,-]}" $$ >/dev/null
}

make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$scratch/server.key" \
    -out "$scratch/server.pem" 2>"$scratch/error.txt"
}

start_server() {
  mkdir -p "$scratch/temp"
  "$lua" "$here/catalog.lua" >"$scratch/catalog.json"
  make_certificate
  for _ in 1 2 3 4 5; do # a port may be taken
    port=$((20000 + RANDOM % 10000))
    sed "s/TLS1PORT/$((port + 1))/; s/TLS2PORT/$((port + 2))/; s/PORT/$port/" "$here/nginx.conf" \
      >"$scratch/nginx.conf"
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

lua_package() {
  local name
  for name in lua5.4 lua-5.4 lua54 lua; do ! pkg-config --exists "$name" || break; done
  echo "$name"
}

build_floor() {
  # shellcheck disable=SC2046 # flags
  "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -g -o "$scratch/floor" "$here"/floor*.c \
    $(pkg-config --cflags --libs libcurl "$(lua_package)")
}

# Runners: RUNNER WORK COUNT. They print microseconds of CPU time for a unit, and the peak of memory in KB.
# `base` is the service, `under` what to run them under. plain: datasession, where the server's catalog has no
# validators.
under=()
floor() { "${under[@]}" "$scratch/floor" "$1" "$2" "${base/App/Plain}" "$agent"; }
ours() { "${under[@]}" "$lua" "$here/client.lua" "$1" "$2" "$base" "${@:3}"; }
plain() { "${under[@]}" "$lua" "$here/client.lua" "$1" "$2" "${base/App/Plain}"; }
luasocket() { "${under[@]}" "$lua" "$here/peers/luasocket.lua" "$1" "$2" "$base"; }
luahttp() {
  LUA_PATH="$LUA_PATH;$elsewhere" "${under[@]}" "$lua" "$here/peers/luahttp.lua" "$1" "$2" "$base"
}
node_http() { "${under[@]}" node "$here/peers/node.js" "$1" "$2" "$base"; }
jsdo() { "${under[@]}" node "$here/peers/jsdo.js" "$1" "$2" "$base" "$BENCH_REFERENCE"; }
python() { "${under[@]}" "$python" "$here/peers/python.py" "$1" "$2" "$base"; }

name_of() {
  case $1 in
    floor) echo "bare libcurl, lua-cjson" ;;
    ours) echo "**datasession**" ;;
    plain) echo "**datasession**, catalog sent each time" ;;
    luasocket) echo "LuaSocket" ;;
    luahttp) echo "lua-http" ;;
    node_http) echo "node:http" ;;
    jsdo) echo "@progress/jsdo-core" ;;
    python) echo "http.client" ;;
  esac
}

# Debian packs lua-http for older Luas; its files, all Lua, serve 5.4 too.
elsewhere='/usr/share/lua/5.3/?.lua;/usr/share/lua/5.3/?/init.lua'
elsewhere+=';/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua'

# Which peers are at hand; the others are told of.
find_peers() {
  peers=()
  python=$(python3 -c 'import sys; print(sys.executable)' 2>/dev/null || true) # python3 may be a script
  if "$lua" -e 'require "socket.http"' 2>/dev/null
  then peers+=(luasocket); else missing LuaSocket "apt-get install lua-socket"; fi
  if LUA_PATH="$LUA_PATH;$elsewhere" "$lua" -e 'require "http.client"' 2>/dev/null
  then peers+=(luahttp); else missing lua-http "apt-get install lua-http lua-cqueues"; fi
  if command -v node >/dev/null; then
    peers+=(node_http)
    if [ -f "${BENCH_REFERENCE-}" ]
    then peers+=(jsdo); else missing @progress/jsdo-core "npm could not install it"; fi
  else
    missing "node:http, @progress/jsdo-core" "apt-get install nodejs npm"
  fi
  if [ -n "$python" ]; then peers+=(python); else missing http.client "apt-get install python3"; fi
}

missing() { left_out+=("Left out: $1 ($2)."); }
left_out=()

# The log's lines since the last call; nginx writes a little after it has answered.
sent() { sleep 0.1; sort -u "$scratch/sent.log"; : >"$scratch/sent.log"; }

# Method and path alone: peers send header lines and query parameters of their own.
asked() { sent | sed -n 's/^\([A-Z]* [^ ?]*\).*/\1/p' | sort -u; }

# floor and datasession send the same lines, peers ask for the same pages, or there is nothing to compare.
same_requests() {
  local base=http://127.0.0.1:$port/Check work
  agent=
  ours ping 1 >/dev/null
  agent=$(sed -n '1s/.* | //p' "$scratch/sent.log")
  : >"$scratch/sent.log"
  for work in ping lifecycle form many many-form; do
    ours "$work" 1 >/dev/null
    sent >"$scratch/ours.log"
    floor "$work" 1 >/dev/null
    diff <(sent) "$scratch/ours.log" >&2 || { echo "bench: $work: floor.c sends other lines" >&2; exit 1; }
  done
}

same_pages() { # PEER...
  local base=http://127.0.0.1:$port/Check work
  for work in ping form; do
    ours "$work" 1 >/dev/null
    asked >"$scratch/ours.log"
    for peer in "$@"; do
      "$peer" "$work" 1 >/dev/null
      diff <(asked) "$scratch/ours.log" >&2 ||
        { echo "bench: $work: $peer asks for other pages" >&2; exit 1; }
    done
  done
}

median() { sort -n | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

ratio() { awk -v a="$1" -v b="${2:-0}" 'BEGIN { if (b > 0) printf "%.3f", a / b }'; }

# Instructions of one unit: the difference of two run lengths, so that what happens once drops out.
instructions() { # RUNNER WORK FEWER MORE [ARGUMENT...]
  local runner=$1 work=$2 fewer=$3 more=$4 count total=()
  shift 4
  for count in "$fewer" "$more"; do
    under=(valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/callgrind.out")
    "$runner" "$work" "$count" "$@" >/dev/null
    total+=("$(counted)")
  done
  under=()
  echo $(((total[1] - total[0]) / (more - fewer)))
}

counted() { awk '/^(totals|summary):/ { n = $2 } END { print n }' "$scratch/callgrind.out"; }

# W6 beside loading what datasession stands on, by the same interpreter.
start_floor() { "${under[@]}" "$lua" -e "assert(package.loadlib('$libcurl', '*')) require 'cjson'"; }
start_ours() { "${under[@]}" "$lua" -e 'require "datasession"'; }
start() { # floor|ours: instructions
  under=(valgrind --quiet --tool=callgrind --callgrind-out-file="$scratch/callgrind.out")
  "start_$1"
  under=()
  counted
}
core() { "$lua" -e 'print((assert(package.searchpath("datasession.core", package.cpath))))'; }
libcurl=$(ldd "$(core)" | awk '/libcurl/ { print $3; exit }')

versions() {
  "$lua" "$here/client.lua" version
  echo "$(nginx -v 2>&1 | sed 's/.*: //'), $(uname -sm)," \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
}
