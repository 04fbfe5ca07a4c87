#!/bin/sh
# in-tree.sh BUILD COMMAND...: runs a command that finds this work tree's Lua files, its command `datasession`
# and the C modules in BUILD.
set -eu
[ $# -ge 2 ] || { echo "usage: tools/in-tree.sh BUILD COMMAND..." >&2; exit 2; }
top=$(cd "$(dirname "$0")/.." && pwd)
modules=$(cd "$1" && pwd)/lib
shift
LUA_PATH="$top/lua/?.lua;$top/lua/?/init.lua;${LUA_PATH_5_4-${LUA_PATH-;;}}"
LUA_CPATH="$modules/?.so;${LUA_CPATH_5_4-${LUA_CPATH-;;}}"
PATH="$top/bin:$PATH"
export LUA_PATH LUA_CPATH PATH
unset LUA_PATH_5_4 LUA_CPATH_5_4 # they would win
exec "$@"
