#!/bin/sh
# run.sh BUILD SPEC...: runs specs with BUILD's Windows client under wine, against sandboxes of this system.
# BUILD: the directory of `make windows`. SANDBOX_BUILD: where the sandbox was built; default build.
set -eu
build=$1
shift
mkdir -p "$build/tmp"
port=$build/tmp/port
rm -f "$port"
tools/in-tree.sh "${SANDBOX_BUILD:-build}" "${LUA:-lua5.4}" spec/suites/windows/sandboxes.lua "$port" &
server=$!
trap 'kill "$server" 2>/dev/null || :' EXIT
while [ ! -s "$port" ]; do
  kill -0 "$server" || exit 1
  sleep 0.1
done
export WINEPREFIX="$PWD/$build/wine" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
share=$("${LUA:-lua5.4}" -e 'print((package.searchpath("luassert", package.path):gsub("luassert/.*", "")))')
DATASESSION_TMP="$PWD/$build/tmp" \
  LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;$share/?.lua;$share/?/init.lua" \
  LUA_CPATH="$build/specs/?.dll;$build/datasession/?.dll" \
  wine "$build/datasession/lua.exe" spec/suites/windows/run.lua "$(cat "$port")" "$@"
