#!/bin/sh
# try-dist.sh DIST ROOTS: installs the files of a release in bare roots of Debian 12, each kind in a copy of
# ROOTS/bookworm, which debootstrap makes unless it is there, and tries them (tools/try-installed.sh). Needs
# to be run by root. DEBIANS_MIRROR: as for debians.sh.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" -eq 0 ] || { echo "try-dist.sh: needs to be run by root" >&2; exit 1; }
dist=$(cd "$1" && pwd)
mkdir -p "$2"
roots=$(cd "$2" && pwd)
. tools/root.sh

(cd "$dist" && sha256sum --quiet -c SHA256SUMS)
version=$(ls "$dist"/datasession-*.tar.gz)
version=${version##*/datasession-}
version=${version%.tar.gz}

base=$roots/bookworm
[ -d "$base" ] || new_root bookworm "$base"
cp -L /etc/resolv.conf /etc/hosts "$base/etc/"
mkdir -p "$base/project"
inside "$base" apt-get update -qq

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=

# try NAME: runs the script on standard input in a root of its own, in a folder with the release's files.
try() {
  trial=$roots/trial
  rm -rf "$trial"
  cp -a "$base" "$trial"
  cp "$dist"/* tools/try-installed.sh "$trial/project"
  cat >"$trial/project/script"
  if inside "$trial" env VERSION="$version" DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -eu script </dev/null >"$log" 2>&1
  then echo "ok      $1"
  else
    cat "$log"
    echo "FAILED  $1"
    failed="$failed $1"
  fi
  cp -n "$trial"/var/cache/apt/archives/*.deb "$base/var/cache/apt/archives/"
  rm -rf "$trial"
}

try "the Debian packages" <<'END'
get() { apt-get install -qq -y --no-install-recommends "$@"; }
get lua5.4 ./lua-datasession_*.deb
lua5.4 -e 'require "datasession"'
! lua5.4 -e 'require "datasession.sandbox"' 2>/dev/null
get ./lua-datasession-sandbox_*.deb ./datasession_*.deb
sh -eu try-installed.sh
test -s /usr/share/man/man1/datasession.1.gz
apt-get purge -qq -y datasession lua-datasession lua-datasession-sandbox
! find /usr /var/lib/dpkg/info -name '*datasession*' | grep .
END

try "the tarball, by make install" <<'END'
tar -xf "datasession-$VERSION.tar.gz"
cd "datasession-$VERSION"
tools/deps.sh run
make -j2 install
(cd / && sh -eu /project/try-installed.sh)
test -s /usr/local/share/man/man1/datasession.1
make uninstall
! find /usr/local -name '*datasession*' | grep .
END

# Debian's packages of Lua modules are no rocks: with --deps-mode=none LuaRocks installs none beside them.
try "the source rocks" <<'END'
apt-get install -qq -y --no-install-recommends luarocks unzip lua5.4 liblua5.4-dev gcc libc6-dev pkg-config \
  libcurl4-openssl-dev lua-cjson lua-argparse lua-lpeg libmicrohttpd-dev libgnutls28-dev
for rock in datasession datasession-sandbox; do
  luarocks --lua-version=5.4 install --deps-mode=none "$rock-$VERSION-1.src.rock"
done
sh -eu try-installed.sh
luarocks --lua-version=5.4 remove datasession-sandbox
luarocks --lua-version=5.4 remove datasession
! find /usr/local -name '*datasession*' | grep .
END

try "the binary rocks" <<'END'
apt-get install -qq -y --no-install-recommends luarocks unzip lua5.4 libcurl4 lua-cjson lua-argparse \
  lua-lpeg libmicrohttpd12 libgnutls30
for rock in datasession datasession-sandbox; do
  luarocks --lua-version=5.4 install --deps-mode=none "$rock-$VERSION-1".*-*.rock
done
sh -eu try-installed.sh
END

[ -z "$failed" ] || exit 1
echo "each file of the release installs and works"
