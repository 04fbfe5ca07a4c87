#!/bin/sh
# windows-sources.sh INTO: Debian's sources of Lua, lua-cjson and libcurl, unpacked in INTO/NAME. They come
# from the mirror that apt uses. apt's own settings and lists stay as they are.
set -eu
into=$1

# shellcheck disable=SC2016 # fields of apt-get's
mirror=${DEBIANS_MIRROR:-$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
  sed -n 's/^Debian //p' | head -n 1)}
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
if [ -z "$mirror" ]; then
  echo "windows-sources.sh: apt knows no mirror of Debian; set DEBIANS_MIRROR" >&2
  exit 1
fi

apt=$(mkdir -p "$into/apt/lists/partial" "$into/apt/archives/partial" && cd "$into/apt" && pwd)
key=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$key] $mirror ${suite:-sid} main" >"$apt/sources.list"

own_apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt" -o Acquire::Languages=none \
    -o APT::Sandbox::User="$(id -un)" "$@"
}

own_apt update
for package in lua5.4 lua-cjson curl; do
  [ ! -d "$into/$package" ] || continue
  mkdir -p "$into/unpacking"
  (cd "$into/unpacking" && own_apt source "$package" >/dev/null)
  mv "$into/unpacking/$package"-*/ "$into/$package"
  rm -rf "$into/unpacking"
done
