#!/bin/bash
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Chroots with other releases of Debian, on this machine's kernel and its KVM.
# To be sourced.

# shellcheck disable=SC2034
MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
# shellcheck disable=SC2034
cache=${XDG_CACHE_HOME:-$HOME/.cache}/vmod_sandbox

# To run a function where mounts and processes are nobody else's: no matter how
# it ends, nothing stays mounted and nothing runs on. The quoted word is for
# the inner shell.
# shellcheck disable=SC2016
APART=(unshare --mount --propagation private --pid --fork --kill-child
    -- bash -c '"$@"' apart)

mount_root() {
	mount -t proc proc "$1/proc" &&
	    mount --rbind /dev "$1/dev" &&
	    mount -t tmpfs tmpfs "$1/run" &&
	    mount -t tmpfs tmpfs "$1/tmp"
}

# make_root DIR MIRROR SUITE PACKAGE...
make_root() {
	local dir=$1 mirror=$2 suite=$3
	shift 3

	debootstrap --variant=minbase --include=ca-certificates \
	    "$suite" "$dir" "$mirror" || return 1
	mount_root "$dir" || return 1
	# No service is to be started in there.
	printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
	chmod 755 "$dir/usr/sbin/policy-rc.d"
	# The mirror may be a copy of some time ago.
	echo 'Acquire::Check-Valid-Until "false";' \
	    >"$dir/etc/apt/apt.conf.d/90old"
	export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
	chroot "$dir" apt-get update &&
	    chroot "$dir" apt-get install -y --no-install-recommends "$@" &&
	    chroot "$dir" apt-get clean &&
	    mkdir -p "$dir/work" &&
	    printf '%s\n' "$*" >"$dir/packages"
}
