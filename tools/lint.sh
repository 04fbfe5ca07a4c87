#!/bin/sh
# lint.sh BUILD CPPFLAGS...: every static check. Each says its name; all run before the verdict.
set -u
export LC_ALL=C # the order of files
build=$1
shift
cppflags=$*
failed=0
c_trees="csrc spec bench"

check() { # check NAME COMMAND...: what the command prints is shown if it fails
  name=$1
  shift
  if output=$("$@" 2>&1); then
    echo "ok      $name"
  else
    printf '%s\nFAILED  %s\n' "$output" "$name"
    failed=1
  fi
}

nothing() { # nothing COMMAND...: succeeds when the command finds nothing
  ! "$@"
}

formatted() {
  # shellcheck disable=SC2086 # directories
  find $c_trees \( -name '*.c' -o -name '*.h' \) -exec clang-format --dry-run -Werror {} +
}

tidy() { # "N warnings generated" counts what is in the headers of others
  # shellcheck disable=SC2086 # flags
  find $c_trees -name '*.c' | sort | xargs -P 2 -I {} clang-tidy --quiet {} -- -std=c11 $cppflags \
    2>"$build/tidy.log" ||
    { grep -v ' generated\.$' "$build/tidy.log"; return 1; }
}

analyzed() {
  # shellcheck disable=SC2086 # flags
  find $c_trees -name '*.c' | sort | xargs -P 2 -I {} tools/analyze.sh {} $cppflags
}

exports_only_luaopen() {
  for module in "$build"/lib/datasession/core.so "$build"/lib/datasession/sandbox/core.so; do
    nm -D --defined-only "$module" | awk -v module="$module" '
      $3 !~ /^luaopen_/ { print module " exports " $3; bad = 1 } END { exit bad || !NR }' || return 1
  done
}

# Two Lua states in one process share no variable of ours. Not meant: the guard of curl_global_init (once),
# how many forks have led to this process, and memset's address that is volatile lest the compiler drop the
# wiping of secrets (overwrite).
no_variables() {
  find "$build/obj/csrc" -name '*.o' -exec nm -A -f sysv {} + | awk -F '|' '
    $7 ~ /^(\.t?data|\.t?bss|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ &&
      $1 !~ /:(overwrite|forks|[a-z_]*once)[. ]/ { print $1; bad = 1 }
    END { exit bad }'
}

# shellcheck disable=SC2046 # names
check luacheck luacheck --quiet --no-color $(find lua spec examples bench tools -name '*.lua') .busted \
  ./*.rockspec packaging/*.rockspec
check clang-format formatted
# Suppressed: that it is not shown the headers of the system.
# shellcheck disable=SC2086 # directories
check cppcheck cppcheck --quiet --std=c11 --enable=warning,performance,portability \
  --suppress=missingIncludeSystem --error-exitcode=1 -j 2 -D_GNU_SOURCE -DLUA_VERSION_NUM=504 \
  -Icsrc -Ispec/suites/fuzz $c_trees
check clang-tidy tidy
check "gcc's analyzer" analyzed
# shellcheck disable=SC2046 # names
check shellcheck shellcheck -x -P SCRIPTDIR $(find tools bench spec -name '*.sh') .ci/run
check "net knows no Lua" nothing grep -rnE '#include.*(lua|lauxlib|lualib)\.h' csrc/net
check "includes and requires go down" "${LUA:-lua5.4}" tools/floors.lua
check "no loop assigns to its variable, as Lua 5.5 wants" "${LUA:-lua5.4}" tools/loops.lua
check "words and lines are as the rule says" "${LUA:-lua5.4}" tools/words.lua
check "the picture shows the floors" env LUA="${LUA:-lua5.4}" "${LUA:-lua5.4}" tools/picture.lua
check "definitions for editors are what docs/ says" "${LUA:-lua5.4}" tools/types.lua
check "modules export luaopen_* alone" exports_only_luaopen
check "no variables outside a Lua state" no_variables
check "each line that coverage leaves out has a reason" nothing \
  grep -rnE 'GCOVR_EXCL_(BR_)?(LINE|START)($|[^:]|: *\*/)' csrc
# csrc/net/poll_set_kqueue.h, which no system here has a kqueue to run with.
# shellcheck disable=SC2086 # flags
check "the poller of kqueue compiles" "${CC:-cc}" -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion \
  -Werror -DDATASESSION_KQUEUE -Itools/stubs/kqueue $cppflags -fsyntax-only csrc/net/poller_descriptor.c
check "the rockspec lists the files" "${LUA:-lua5.4}" tools/rockspec.lua
# docs/messages.md holds each message on one line, so that a search finds it.
# shellcheck disable=SC2046 # names
check "lines of the docs have 110 columns at most" nothing env LC_ALL=C.UTF-8 grep -nE '^.{111}' \
  README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md $(find docs -name '*.md' ! -name messages.md)
check "docs/ has everything public, and nothing else" \
  tools/in-tree.sh "$build" "${LUA:-lua5.4}" tools/docs.lua
check "nothing is left to do" nothing grep -rnwE 'TOD[O]|FIXM[E]|XX[X]' csrc lua spec examples bench tools .ci
[ "$failed" -eq 0 ]
