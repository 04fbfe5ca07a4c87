#!/bin/sh
# debians.sh ROOTS SUITE[:TARGETS]...: in a bare root of each of those Debian suites runs `make test` and
# `make field`, or make of those TARGETS, on a copy of this work tree. A word NAME=VALUE among them is for
# make of the targets that follow. Each target has to install the packages that it needs. Roots are made
# below ROOTS by debootstrap unless they are there. Needs to be run by root. DEBIANS_MIRROR: where packages
# come from, unless apt's settings are to say so. DEBIANS_FLAGS: more words for make, as FIELD_SHORT=1 or
# POLLER=epoll. Ends with one line that sums up the counts.
set -eu
cd "$(dirname "$0")/.."
roots=$1
shift

. tools/root.sh

copy_tree() {
  rm -rf "$1/project"
  mkdir "$1/project"
  git ls-files -z --cached --others --exclude-standard |
    tar -c --null --ignore-failed-read -T - | tar -x -C "$1/project"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0

# try ROOT SUITE TARGET SETTINGS: runs one target, and adds its count to the sum.
try() {
  echo "== $2: make$4 $3"
  {
    # shellcheck disable=SC2086 # several flags
    inside "$1" env FIELD_REQUIRED=1 make -j2 ${DEBIANS_FLAGS-} $4 "$3" || echo "the target failed"
  } 2>&1 | tee "$log"
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p' "$log" | tail -n 1)
  counts=${counts:-0 0}
  passed=$((passed + ${counts% *}))
  wrong=${counts#* }
  if grep -q '^the target failed$' "$log" && [ "$wrong" -eq 0 ]; then wrong=1; fi
  failed=$((failed + wrong))
}

mkdir -p "$roots"
for word in "$@"; do
  suite=${word%%:*}
  case $word in *:*) targets=${word#*:} ;; *) targets="test field" ;; esac
  root=$(cd "$roots" && pwd)/$suite
  [ -d "$root" ] || new_root "$suite" "$root"
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  copy_tree "$root"
  settings=
  for target in $targets; do
    case $target in
      *=*) settings="$settings $target" ;;
      *) try "$root" "$suite" "$target" "$settings" ;;
    esac
  done
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
