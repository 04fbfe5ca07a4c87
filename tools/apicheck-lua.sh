#!/bin/sh
# apicheck-lua.sh DIR: builds DIR/bin/lua5.4 and DIR/lib/liblua5.4.so.0 from Debian's source of Lua 5.4, with
# assertions at each call of Lua's C API (-DLUA_USE_APICHECK) and the allocator of strict_state.c. Builds
# nothing, and says so, on a system without apt-get.
set -eu
[ $# -eq 1 ] || { echo "usage: tools/apicheck-lua.sh DIR" >&2; exit 2; }
[ ! -x "$1/bin/lua5.4" ] || exit 0
if ! command -v apt-get >/dev/null || ! command -v dpkg-source >/dev/null; then
  echo "apicheck: skipped: it needs Debian's source of Lua 5.4 (apt-get source, dpkg-source)" >&2
  exit 0
fi
tools=$(cd "$(dirname "$0")" && pwd)
rm -rf "$1"
mkdir -p "$1/apt/lists/partial" "$1/apt/sources" "$1/bin" "$1/lib"
cd "$1"
log=$PWD/log
trap '[ $? -eq 0 ] || cat "$log" >&2' EXIT

# The system's sources, as sources of source code, with lists of our own: nothing of the system changes.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
  [ ! -f "$list" ] || sed -n 's/^deb /deb-src /p' "$list" >"apt/sources/$(basename "$list" .list).list"
done
for list in /etc/apt/sources.list.d/*.sources; do
  [ ! -f "$list" ] || sed 's/^Types:.*/Types: deb-src/' "$list" >"apt/sources/$(basename "$list")"
done
own_apt() {
  apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$PWD/apt/sources" \
    -o Dir::State::lists="$PWD/apt/lists" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User= "$@" >>"$log" 2>&1
}
echo "apicheck: building Lua 5.4 from Debian's source"
own_apt update
own_apt --download-only source lua5.4
dpkg-source --no-check -x lua5.4_*.dsc source >>"$log" 2>&1

cat >source/src/lua5.4-deb-multiarch.h <<END_OF_HEADER
#define DEB_HOST_MULTIARCH "$(dpkg-architecture -qDEB_HOST_MULTIARCH)"
END_OF_HEADER
build() {
  ${CC:-cc} -std=gnu99 -O2 -g -DLUA_COMPAT_5_3 -DLUA_USE_LINUX -DLUA_USE_APICHECK -Isource/src "$@" \
    -lm -ldl >>"$log" 2>&1
}
library=$(find source/src -name '*.c' ! -name lua.c ! -name luac.c ! -name lauxlib.c)
library="$tools/strict_state.c $library"
# shellcheck disable=SC2086 # a list of files
build -shared -fPIC -Wl,-soname,liblua5.4.so.0 -Wl,--version-script,source/debian/version-script \
  -o lib/liblua5.4.so.0 $library
nm -D lib/liblua5.4.so.0 | grep -q __assert_fail || { echo "it asserts nothing" >>"$log"; exit 1; }
# shellcheck disable=SC2086
build -Wl,-E -o bin/lua5.4 source/src/lua.c $library
