#!/bin/sh
# try-rocks.sh: builds both rocks from a copy of the work tree into a scratch tree, and loads them from there
# alone.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/source"
git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2>/dev/null |
  tar -cf - -T - | tar -xf - -C "$scratch/source"

# LuaRocks keeps no log of its own and builtin shows every command: shown only when it fails.
rock() {
  (cd "$scratch/source" && luarocks --lua-version=5.4 make --deps-mode=none --tree "$scratch/tree" "$1") \
    >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
}
for rockspec in datasession-scm-1.rockspec packaging/datasession-sandbox-scm-1.rockspec; do
  luarocks --lua-version=5.4 lint "$rockspec"
done
rock datasession-scm-1.rockspec
rock packaging/datasession-sandbox-scm-1.rockspec

beside=$(cd "$scratch/source" && find . -path ./build -prune -o \( -name '*.o' -o -name '*.so' \) -print)
[ -z "$beside" ] || { echo "LuaRocks's build writes outside of build/: $beside" >&2; exit 1; }

for module in datasession/core datasession/sandbox/core; do
  nm -D --defined-only "$scratch/tree/lib/lua/5.4/$module.so" | awk -v module="$module" '
    $3 !~ /^luaopen_/ { print "the rock'"'"'s " module " exports " $3; bad = 1 } END { exit bad }' >&2
done

cd "$scratch"
LUA_PATH="$scratch/tree/share/lua/5.4/?.lua;$scratch/tree/share/lua/5.4/?/init.lua;;"
LUA_CPATH="$scratch/tree/lib/lua/5.4/?.so;;"
export LUA_PATH LUA_CPATH
"${LUA:-lua5.4}" - "$scratch/tree" <<'END'
local tree = arg[1]
local function from_rock(name, path)
  local file = assert(package.searchpath(name, path))
  assert(file:sub(1, #tree) == tree, file .. " is not the rock's")
  assert(type(require(name)) == "table", name)
end
from_rock("datasession", package.path)
from_rock("datasession.core", package.cpath)
from_rock("datasession.sandbox", package.path)
from_rock("datasession.sandbox.abl", package.path)
from_rock("datasession.sandbox.core", package.cpath)
END
"$scratch/tree/bin/datasession" version >"$scratch/log" 2>&1 || { cat "$scratch/log" >&2; exit 1; }
echo "both rocks install and load"
