#!/bin/sh
# valgrind.sh COMMAND...: runs a command under valgrind, its children not; any error or lost block fails it.
exec valgrind --quiet --leak-check=full --show-leak-kinds=definite,indirect,possible \
  --errors-for-leak-kinds=definite,indirect --error-exitcode=1 --keep-debuginfo=yes \
  --trace-children=no --suppressions="$(dirname "$0")/valgrind.supp" "$@"
