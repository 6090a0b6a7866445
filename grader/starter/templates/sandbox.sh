#!/usr/bin/env bash
# Makes bubblewrap work, which confines the students' code; on a hosted Ubuntu runner, a machine of one's own or in a
# container. Never fails: where bubblewrap cannot be had, the grader takes Landlock, and where neither works it refuses.
#
# Ubuntu 24.04 lets no unprivileged program use the user namespaces that bubblewrap is made of. An AppArmor profile
# lifts that for /usr/bin/bwrap alone (what it starts cannot make further ones: the grader passes --disable-userns).
# Switching the restriction off for every program of the machine is only the last resort.
set -uo pipefail

works() { bwrap --unshare-user --unshare-pid --unshare-net --disable-userns --ro-bind / / true 2>/dev/null; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

if ! command -v bwrap >/dev/null; then
    as_root apt-get update -qq >/dev/null 2>&1 || true
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq bubblewrap >/dev/null 2>&1 || true
fi

if ! works && command -v bwrap >/dev/null && command -v apparmor_parser >/dev/null; then
    printf '%s\n' 'abi <abi/4.0>,' 'include <tunables/global>' \
        'profile bwrap /usr/bin/bwrap flags=(unconfined) {' '  userns,' '}' |
        as_root tee /etc/apparmor.d/bwrap >/dev/null || true
    as_root apparmor_parser -r /etc/apparmor.d/bwrap 2>/dev/null || true
fi

if ! works && [ -e /proc/sys/kernel/apparmor_restrict_unprivileged_userns ]; then
    as_root sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0 || true
fi

if works; then
    echo "sandbox: bubblewrap"
else
    echo "sandbox: bubblewrap does not work here; the grader falls back to Landlock"
fi
exit 0
