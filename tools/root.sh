# root.sh: bare roots of Debian, for scripts that root runs. They source it.
# shellcheck shell=sh

# shellcheck disable=SC2016 # fields of apt-get's
mirror=${DEBIANS_MIRROR:-$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' |
  sed -n 's/^Debian //p' | head -n 1)}
[ -n "$mirror" ] || { echo "root.sh: apt knows no mirror of Debian; set DEBIANS_MIRROR" >&2; exit 1; }

# new_root SUITE ROOT: by debootstrap; make and what trusts certificates are all that there is beside the
# suite's minimum.
new_root() {
  echo "== a root of $1"
  debootstrap --variant=minbase --include=make,ca-certificates "$1" "$2.new" "$mirror" >"$2.log" 2>&1 ||
    { tail -n 20 "$2.log" >&2; return 1; }
  apt-config dump Acquire::http::Proxy >"$2.new/etc/apt/apt.conf.d/99proxy"
  echo 'Acquire::Check-Valid-Until "false";' >"$2.new/etc/apt/apt.conf.d/99mirror" # it may be old
  printf '#!/bin/sh\nexit 101\n' >"$2.new/usr/sbin/policy-rc.d" # packages start no servers
  chmod 755 "$2.new/usr/sbin/policy-rc.d"
  mv "$2.new" "$2"
}

# inside ROOT COMMAND...: runs it in ROOT's /project, with mounts and processes of its own, which end with it.
inside() {
  root=$1
  shift
  # shellcheck disable=SC2016 # expanded inside
  unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && cd / && root=$1 && shift &&
    exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
      sh -c "cd /project && \"\$@\"" sh "$@"
  ' sh "$root" "$@"
}
