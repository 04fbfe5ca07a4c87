#!/bin/sh
# run.sh BUILD SPEC...: runs specs with BUILD's Windows client under wine, against sandboxes of this system.
# BUILD: the directory of `make windows`. SANDBOX_BUILD: where the sandbox was built; default build.
# WINDOWS_TIMEOUT: seconds after which the run fails; default 1800.
set -eu
build=$PWD/$1
shift
lua=${LUA:-lua5.4}
limit=${WINDOWS_TIMEOUT:-1800}
mkdir -p "$build/tmp" "$build/wine"

# wine keeps all in its prefix. In other locales it would not see all names of this system's files.
export WINEPREFIX="$build/wine" WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml=" HOME="$build/wine"
export LC_ALL=C.UTF-8 DATASESSION_WINDOWS="$build" DATASESSION_TMP="$build/tmp"
export DATASESSION_LUA="$PWD/spec/suites/windows/lua.sh"
share=$("$lua" -e 'print((package.searchpath("luassert", package.path):gsub("luassert/.*", "")))')
export DATASESSION_LUA_PATH="$PWD/lua/?.lua;$PWD/lua/?/init.lua;$share/?.lua;$share/?/init.lua"
unset DISPLAY XDG_STATE_HOME LOCALAPPDATA
if [ ! -f "$WINEPREFIX/complete" ]; then
  timeout -k 5 300 wine wineboot --init </dev/null
  timeout -k 5 60 wineserver --wait
  touch "$WINEPREFIX/complete"
fi

port=$build/tmp/port
rm -f "$port"
timeout -k 5 "$limit" tools/in-tree.sh "${SANDBOX_BUILD:-build}" "$lua" \
  spec/suites/windows/sandboxes.lua "$port" </dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || :; timeout -k 5 30 wineserver --kill || :' EXIT
while [ ! -s "$port" ]; do
  kill -0 "$server" || exit 1
  sleep 0.1
done
timeout -k 5 "$limit" "$DATASESSION_LUA" spec/suites/windows/run.lua "$(cat "$port")" "$@" </dev/null
