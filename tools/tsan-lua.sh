#!/bin/sh
# tsan-lua.sh ARGUMENTS...: the Lua interpreter $TSAN_LUA with the thread sanitizer's library loaded before
# all else. Not by LD_PRELOAD, which the shells that specs start would inherit: gcc 12's library crashes
# programs that call sigsetjmp. Scripts that look for their interpreter in `arg` find this file.
set -eu
loader=$(ldd "$TSAN_LUA" | awk '$1 ~ /\/ld-/ { print $1 }')
exec "$loader" --preload "$(gcc -print-file-name=libtsan.so)" --argv0 "$0" "$TSAN_LUA" "$@"
