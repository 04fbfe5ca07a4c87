#!/bin/sh
# locales.sh DIRECTORY NAME:WHEN...: compiles those locales of glibc's into the directory, for LOCPATH, unless
# they are there.
set -eu
directory=$1
shift
command -v localedef >/dev/null || {
  echo "locales.sh: there is no localedef: the suite needs glibc's locales" >&2
  exit 1
}
mkdir -p "$directory"
unset LD_PRELOAD # a sanitizer's library would fail localedef for its leaks
for run in "$@"; do
  name=${run%:*}
  [ -d "$directory/$name" ] || localedef -i "${name%.*}" -f "${name#*.}" "$directory/$name"
done
