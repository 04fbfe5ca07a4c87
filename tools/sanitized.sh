#!/bin/sh
# sanitized.sh address|thread COMMAND...: runs a command that loads modules built with gcc's sanitizers. The
# Lua interpreter is not built so, hence the preload; for threads tools/tsan-lua.sh does it. Leaks are looked
# for when the process ends, after lua_close. Stacks end at the interpreter's frames;
# ASAN_OPTIONS=fast_unwind_on_malloc=0 shows them whole, and is slow.
set -eu
kind=$1
shift
ASAN_OPTIONS="detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:${ASAN_OPTIONS-}"
LSAN_OPTIONS="suppressions=$(dirname "$0")/lsan.supp:print_suppressions=0:${LSAN_OPTIONS-}"
UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS-}"
TSAN_OPTIONS="second_deadlock_stack=1:${TSAN_OPTIONS-}"
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS
case $kind in
  address) LD_PRELOAD=$(gcc -print-file-name=libasan.so)${LD_PRELOAD:+:$LD_PRELOAD} exec "$@" ;;
  thread)
    ldd "$(command -v "$1")" | grep -q libtsan && exec "$@"
    TSAN_LUA=$(command -v "$1")
    LUA=$(cd "$(dirname "$0")" && pwd)/tsan-lua.sh
    export LUA TSAN_LUA
    shift
    exec "$LUA" "$@"
    ;;
  *) echo "sanitized.sh: $kind is neither address nor thread" >&2; exit 2 ;;
esac
