#!/bin/sh
# valgrind.sh COMMAND...: runs a command under valgrind, its children not; any error or lost block fails it.
# A process that forks has the parent's memory, and ends without giving it back: blocks that those lose are
# for the address sanitizer to find.
lost=definite,indirect shown=definite,indirect,possible
case "$*" in
  *fork_spec* | *secrets_spec*) lost=none shown=none ;;
esac
exec valgrind --quiet --leak-check=full --show-leak-kinds="$shown" \
  --errors-for-leak-kinds="$lost" --error-exitcode=1 --keep-debuginfo=yes \
  --trace-children=no --suppressions="$(dirname "$0")/valgrind.supp" "$@"
