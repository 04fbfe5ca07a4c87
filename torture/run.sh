#!/bin/sh
# run.sh HOST: the torture, in the work tree that tools/in-tree.sh has set up. lsan.supp names leaks that are not ours.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
host=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$top"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY # they would cost requests for memory
ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:handle_abort=0:${ASAN_OPTIONS-}"
LSAN_OPTIONS="suppressions=torture/lsan.supp:print_suppressions=0:${LSAN_OPTIONS-}"
UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS-}"
export ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS
exec timeout -k 10 "${TEST_TIMEOUT:-900}" "$host" torture/runner.lua
