#!/bin/sh
# lua.sh ARGUMENT...: the Lua of `make windows` under wine, with what run.sh exports.
export LUA_PATH="$DATASESSION_LUA_PATH"
export LUA_CPATH="$DATASESSION_WINDOWS/specs/?.dll;$DATASESSION_WINDOWS/datasession/?.dll"
unset LUA_PATH_5_4 LUA_CPATH_5_4 LUA_INIT # they would win
exec wine "$DATASESSION_WINDOWS/datasession/lua.exe" "$@"
