#!/usr/bin/env bash
# luas.sh: the instructions of a ping by Lua 5.4, 5.3 and LuaJIT, and relative to bare libcurl, as guard.sh
# measures them. `make bench-luas` runs it, in a minute.
. "$(dirname "$0")/common.sh"

need nginx valgrind pkg-config openssl
build=$here/../build

row() { # NAME INSTRUCTIONS
  printf '| %s | %d | %s |\n' "$1" "$2" "$(ratio "$2" "$bare")"
}

# The first pings are what LuaJIT compiles. NAME INTERPRETER MODULES
ping_by() {
  local lua=$2 n
  export LUA_CPATH="$3/lib/?.so;;"
  n=$(instructions ours ping 1000 1500)
  row "$1" "$n"
}

share_a_core
start_server
build_floor
same_requests
base=http://127.0.0.1:$port/App
bare=$(instructions floor ping 1000 1500)
echo "| a ping by | instructions | relative |"
echo "| --- | ---: | ---: |"
row "bare libcurl" "$bare"
ping_by "Lua 5.4" "$lua" "$build"
ping_by "Lua 5.3" lua5.3 "$build/lua5.3"
ping_by "LuaJIT 2.1" luajit "$build/luajit"
