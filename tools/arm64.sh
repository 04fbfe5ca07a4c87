#!/bin/sh
# arm64.sh DIRECTORY: compiles the amalgamation and examples/host.c for arm64 and runs them under qemu-user
# against a sandbox of this machine. Debian's packages for arm64 are unpacked in DIRECTORY; dpkg does not
# learn of them.
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1"
directory=$(cd "$1" && pwd)
root=$directory/root

# apt with lists, a state and a cache of its own.
settings() {
  cat <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Debug::NoLocking "true";
Dir::State "$directory/state";
Dir::State::status "$directory/status";
Dir::Cache "$directory/cache";
END
}

unpack() {
  mkdir -p "$directory/state/lists/partial" "$directory/cache/archives/partial" "$root.new"
  : >"$directory/status"
  settings >"$directory/apt.conf"
  export APT_CONFIG="$directory/apt.conf"
  apt-get update -qq
  apt-get install -qq -y --download-only libc6-dev libcurl4-openssl-dev liblua5.4-dev lua-cjson-dev >/dev/null
  for package in "$directory"/cache/archives/*.deb; do dpkg-deb -x "$package" "$root.new"; done
  mv "$root.new" "$root"
}

[ -d "$root" ] || unpack
CC="aarch64-linux-gnu-gcc --sysroot=$root -std=c11 -Wall -Wextra -Wpedantic -Werror -Ibuild/amalgamation"
CC="$CC -I$root/usr/include/lua5.4"
echo "  cc build/amalgamation/datasession.c"
$CC -c -o "$directory/datasession.o" build/amalgamation/datasession.c
$CC -o "$directory/host" examples/host.c "$directory/datasession.o" -l:liblua5.4-cjson.a -l:liblua5.4.a \
  -lcurl -lm -pthread -Wl,--allow-shlib-undefined
export HOST="qemu-aarch64-static -L $root $directory/host"
tools/in-tree.sh build "${LUA:-lua5.4}" - <<'END'
local server = require "datasession.sandbox".start()
local ok = os.execute("timeout 120 " .. os.getenv "HOST" .. " " .. server.uris.form)
print(ok and "1 passed, 0 failed" or "0 passed, 1 failed")
os.exit(ok or 1, true)
END
