#!/bin/sh
# debian-sources.sh INTO PACKAGE...: Debian's sources of those packages, unpacked in INTO/PACKAGE. They come
# from the mirror and the suite that apt uses, or from DEBIAN_SUITE. apt's own settings and lists stay as they
# are.
set -eu
into=$1
shift

# shellcheck disable=SC2016 # fields of apt-get's
known=$(apt-get indextargets --format '$(LABEL) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
  sed -n 's/^Debian //p' | head -n 1)
mirror=${DEBIANS_MIRROR:-${known% *}}
suite=${DEBIAN_SUITE:-${known#* }}
if [ -z "$mirror" ]; then
  echo "debian-sources.sh: apt knows no mirror of Debian; set DEBIANS_MIRROR" >&2
  exit 1
fi

apt=$(mkdir -p "$into/apt/lists/partial" "$into/apt/archives/partial" && cd "$into/apt" && pwd)
key=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb-src [signed-by=$key] $mirror ${suite:-sid} main" >"$apt/sources.list"

own_apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$apt/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$apt" \
    -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" "$@"
}

own_apt update
for package in "$@"; do
  [ ! -d "$into/$package" ] || continue
  mkdir -p "$into/unpacking"
  (cd "$into/unpacking" && own_apt source "$package" >/dev/null)
  mv "$into/unpacking/$package"-*/ "$into/$package"
  rm -rf "$into/unpacking"
done
