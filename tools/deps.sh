#!/bin/sh
# deps.sh SET...: installs what a set of make targets needs and this system lacks: on Debian and Ubuntu by
# apt, saying so; elsewhere it prints what to install. Silent when nothing is missing. SETs: run (all, demo),
# test, lint, valgrind, coverage, locales, bench, and those for another Lua: luajit, lua5.3, lua5.5. A package
# written a|b is there when either is.
set -eu

packages=
for set in "$@"; do
  case $set in
    run) more="lua5.4 liblua5.4-dev libcurl4-openssl-dev|libcurl4-gnutls-dev lua-cjson gcc libc6-dev make
               pkg-config|pkgconf lua-argparse libmicrohttpd-dev lua-lpeg" ;;
    test) more="lua-busted lua-socket lua-sec lua-cqueues lua-luv luarocks git openssl nginx-light|nginx
               locales lua-cjson-dev g++" ;;
    locales) more="locales" ;;
    arm64) more="gcc-aarch64-linux-gnu qemu-user-static" ;;
    compilers) more="clang g++ musl-tools" ;;
    luajit) more="luajit libluajit-5.1-dev lua-compat53-dev lua-compat53" ;;
    love) more="love xvfb xauth" ;;
    lua5.3) more="lua5.3 liblua5.3-dev" ;;
    lua5.5) more="lua5.5 liblua5.5-dev dpkg-dev" ;;
    fuzz) more="clang libclang-rt-dev" ;;
    lint) more="lua-check clang-format clang-tidy cppcheck shellcheck" ;;
    coverage) more="gcovr" ;;
    valgrind) more="valgrind libc6-dbg" ;;
    conformance) # whatever Node there is will do
      more=
      command -v node >/dev/null && command -v npm >/dev/null || more="nodejs npm"
      ;;
    apicheck) more="dpkg-dev" ;;
    docs) more="mkdocs mkdocs-material" ;;
    browser)
      more="chromium fonts-dejavu-core"
      command -v node >/dev/null && command -v npm >/dev/null || more="$more nodejs npm"
      ;;
    pictures) more="asciinema pngquant" ;;
    diagrams) more="plantuml" ;;
    debians) more="debootstrap git" ;;
    dist) more="debhelper dpkg-dev build-essential lintian libgnutls28-dev zip unzip git" ;;
    windows) more="gcc-mingw-w64-x86-64-posix libz-mingw-w64-dev dpkg-dev zip wine wine64" ;;
    field) more="nginx|nginx-light apache2 tomcat10|tomcat11 tinyproxy openssl lua-socket
                 default-jre-headless" ;;
    bench) more="nginx-light|nginx valgrind libc6-dbg strace openssl lua-socket python3" ;;
    *) echo "deps.sh: no set is called '$set'" >&2; exit 2 ;;
  esac
  packages="$packages $more"
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  if "${LUA:-lua}" -e 'require "cjson"' 2>/dev/null &&
    { pkg-config --exists libcurl || command -v curl-config; } >/dev/null 2>&1
  then exit 0; fi
  cat >&2 <<'END'
datasession needs Lua 5.4, libcurl, lua-cjson and a C compiler; its tests busted, libmicrohttpd and GnuTLS:
  Fedora  dnf install gcc make pkgconf lua-devel libcurl-devel lua-cjson libmicrohttpd-devel gnutls-devel \
          luarocks
  Alpine  apk add build-base pkgconf lua5.4-dev curl-dev lua5.4-cjson libmicrohttpd-dev gnutls-dev luarocks5.4
  macOS   brew install lua luarocks curl libmicrohttpd gnutls pkg-config && luarocks install lua-cjson
  MSYS2   pacman -S --needed make mingw-w64-ucrt-x86_64-{gcc,pkgconf,lua,curl,libmicrohttpd} \
          mingw-w64-ucrt-x86_64-{gnutls,lua-luarocks}
lpeg (for the sandbox), busted, luasocket, luasec, luv and cqueues: luarocks --lua-version=5.4 install NAME
END
  exit 1
fi

installed=$(dpkg-query -W -f='${db:Status-Status}:${Package}\n' 2>/dev/null | sed -n 's/^installed://p')
missing=
for package in $packages; do
  found=
  for name in $(echo "$package" | tr '|' ' '); do
    case "
$installed
" in *"
$name
"*) found=1 ;; esac
  done
  [ -n "$found" ] || missing="$missing ${package%%|*}"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "deps.sh: to be installed as root: apt-get install$missing" >&2
    exit 1
  fi
  as_root=sudo
fi
echo "Installing by apt:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # a list of names
{
  $as_root apt-get update -qq &&
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing
} </dev/null >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
