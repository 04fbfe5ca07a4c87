#!/bin/sh
# dist.sh OUT: writes the files of a release into OUT, from what the last commit holds: the tarball, the
# rockspecs, source and binary rocks, the Debian packages, and SHA256SUMS. LuaRocks fetches from a clone that
# has the tag of the version.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
out=$1
lua=${LUA:-lua5.4}
git diff --quiet HEAD || echo "dist: changes that are not committed are left out" >&2

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
rm -rf "$out"
mkdir -p "$out" "$scratch/home"
out=$(cd "$out" && pwd)

run() { # shows what a command prints only when it fails
  "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; echo "dist: failed: $*" >&2; exit 1; }
}

git archive --format=tar --prefix=source/ HEAD | tar -xf - -C "$scratch"
cd "$scratch/source"
version=$("$lua" tools/release.lua version)
name=datasession-$version
(cd "$top" && git archive --format=tar --prefix="$name/" HEAD) | gzip -9n >"$out/$name.tar.gz"
echo "dist: $name.tar.gz"

# ---- Rocks

"$lua" tools/release.lua rockspecs "$out"
url=$(sed -n 's/^source = { url = "git+\([^"]*\)".*/\1/p' "$out/$name-1.rockspec")
case $url in *.example/*) echo "dist: the rockspecs still name $url (CONTRIBUTING.md, Releasing)" >&2 ;; esac
git clone --quiet --bare --depth=1 "file://$top" "$scratch/release.git" 2>"$scratch/log" ||
  { cat "$scratch/log" >&2; exit 1; }
git -C "$scratch/release.git" tag -f "v$version" HEAD >/dev/null

rocks() {
  env HOME="$scratch/home" GIT_CONFIG_COUNT=1 GIT_CONFIG_VALUE_0="$url" \
    GIT_CONFIG_KEY_0="url.file://$scratch/release.git.insteadOf" luarocks --lua-version=5.4 "$@"
}
cd "$out"
for rock in datasession datasession-sandbox; do
  run rocks lint "$rock-$version-1.rockspec"
  run rocks pack "$rock-$version-1.rockspec"
  echo "dist: $rock-$version-1.src.rock"
  run rocks --tree "$scratch/tree" install --deps-mode=none "$rock-$version-1.src.rock"
  run rocks --tree "$scratch/tree" pack "$rock" "$version-1"
  echo "dist: $(ls "$rock-$version-1".*-*.rock)"
done

# ---- Debian packages

debian=$scratch/debian
mkdir "$debian"
cp "$out/$name.tar.gz" "$debian/datasession_$version.orig.tar.gz"
tar -xf "$out/$name.tar.gz" -C "$debian"
cp -R "$scratch/source/packaging/debian" "$debian/$name/debian"
(cd "$scratch/source" && "$lua" tools/release.lua debian "$debian/$name/debian")
cd "$debian/$name"
run env HOME="$scratch/home" DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -us -uc
# That tag is about packages that enter Debian's own archive.
run lintian --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$debian"/*.changes
cd "$debian"
cp ./*.deb ./*.dsc ./*.orig.tar.gz ./*.debian.tar.xz "$out"
for file in *.deb; do echo "dist: $file"; done

cd "$out"
sha256sum -- * >"$scratch/SHA256SUMS"
mv "$scratch/SHA256SUMS" .
