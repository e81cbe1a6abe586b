#!/bin/bash
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What quickstart and check share: messages, packages, the build. To be
# sourced, with the source tree as working directory.

# Needed to build everything and to run it.
# shellcheck disable=SC2034
BUILD_PACKAGES=(
	autoconf automake libtool pkg-config make gcc libc6-dev
	varnish libvarnishapi-dev libelf-dev python3 python3-docutils
	libjansson-dev libjpeg62-turbo-dev libpng-dev libwebp-dev
)

# In Debian sid Varnish has its new name only.
if [ -z "$(apt-cache show varnish 2>/dev/null)" ] &&
    [ -n "$(apt-cache show vinyl-cache 2>/dev/null)" ]; then
	BUILD_PACKAGES=("${BUILD_PACKAGES[@]/#varnish/vinyl-cache}")
	BUILD_PACKAGES=("${BUILD_PACKAGES[@]/#libvarnishapi/libvinylapi}")
fi

# And to test it.
# shellcheck disable=SC2034
CHECK_PACKAGES=(
	curl file g++ musl-tools shellcheck strace universal-ctags
	busybox-static libbrotli-dev liblua5.4-dev librsvg2-dev libsqlite3-dev
	gdb libzstd-dev lua5.4 prometheus-varnish-exporter
)

# And to measure it.
# shellcheck disable=SC2034
BENCH_PACKAGES=(nginx wrk)

# For handlers in JavaScript. Node.js from elsewhere than Debian brings npm
# itself, and does not go with Debian's.
# shellcheck disable=SC2034
JS_PACKAGES=(libmbedtls-dev nodejs)
command -v npm >/dev/null || JS_PACKAGES+=(npm)

# People who are not root have no sbin, and varnishd is there.
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

top=$PWD

say() {
	printf '%s\n' "$*"
}

# title TEXT
title() {
	printf '\n== %s\n' "$*"
}

die() {
	printf '\n%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# step TEXT LOG COMMAND...: run it, say how long it takes, and show the end of
# its output if it fails, but not with show=0. Returns its status.
step() {
	local text=$1 log=$2 pid begin=$SECONDS rc=0 ticks=0
	shift 2

	mkdir -p "${log%/*}"
	printf '%s ...' "$text"
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	# what runs in the background does not hear Ctrl-C
	trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
	while step_waits "$pid"; do
		# after the first minute once a minute will do
		ticks=$((ticks + 1))
		if [ $ticks -le 6 ] || [ $((ticks % 6)) -eq 0 ]; then
			printf ' %ds' $((SECONDS - begin))
		fi
	done
	wait "$pid" || rc=$?
	trap - INT TERM
	if [ "$rc" -eq 0 ]; then
		printf ' done, %ds\n' $((SECONDS - begin))
	else
		printf ' FAILED\n'
		[ "${show:-1}" = 0 ] || tail -n 40 "$log" | sed 's/^/    /'
		say "All of it is in $log"
	fi
	return "$rc"
}

# Wait for 10 seconds, or until PID has ended: false then.
step_waits() {
	for _ in {1..100}; do
		kill -0 "$1" 2>/dev/null || return 1
		sleep 0.1
	done
	return 0
}

#---------------------------------------------------------------------
# KVM

# Why this process can not use /dev/kvm, and what to do about it. Silent and
# true if it can.
kvm_usable() {
	local group

	if [ ! -e /dev/kvm ]; then
		say "There is no /dev/kvm on this machine."
		kvm_advice
		return 1
	fi
	if { : <>/dev/kvm; } 2>/dev/null; then
		return 0
	fi
	if [ ! -r /dev/kvm ] || [ ! -w /dev/kvm ]; then
		group=$(stat -c %G /dev/kvm)
		say "$(id -un) may not read and write /dev/kvm. As root:"
		if [ "$group" = root ] || [ "$group" = UNKNOWN ]; then
			group=kvm
			say "    groupadd -f kvm; chgrp kvm /dev/kvm; chmod 660 /dev/kvm"
		fi
		say "    usermod -aG $group $(id -un)"
		say "Then log in again, so that the group counts."
		return 1
	fi
	say "/dev/kvm is there but cannot be opened:"
	{ : <>/dev/kvm; } 2>&1 | sed 's/^.*: /    /'
	kvm_advice
	return 1
}

kvm_advice() {
	if grep -qw vmx /proc/cpuinfo; then
		say "The CPU has VT-x. As root: modprobe kvm_intel"
	elif grep -qw svm /proc/cpuinfo; then
		say "The CPU has SVM. As root: modprobe kvm_amd"
	elif grep -qw hypervisor /proc/cpuinfo; then
		say "This is a virtual machine without nested virtualisation. Switch it on"
		say "on the host (kvm_intel.nested=1 or kvm_amd.nested=1, and CPU type \"host\"),"
		say "or choose an instance type of your cloud that has it."
	else
		say "The CPU has no VT-x or SVM, or they are switched off in the firmware's"
		say "setup, where they are called Virtualization Technology or SVM Mode."
	fi
	say "In a container: start it with --device /dev/kvm"
}

#---------------------------------------------------------------------
# Packages

package_installed() {
	dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null |
	    grep -q '^install ok installed'
}

# packages LOG NAME...: install those that are missing.
packages() {
	local log=$1 name missing=() services=()
	shift

	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null
	then
		say "This is not Debian; it is up to you that these are there:"
		say "    $*"
		return
	fi
	for name in "$@"; do
		package_installed "$name" || missing+=("$name")
	done
	if [ ${#missing[@]} -eq 0 ]; then
		say "Packages: all there."
		return
	fi
	say "Packages that are missing: ${missing[*]}"
	if [ "$(id -u)" -ne 0 ]; then
		die "run this as root, then try again:

    apt-get update && apt-get install -y --no-install-recommends ${missing[*]}
"
	fi
	for name in varnish nginx; do
		package_installed "$name" || services+=("$name")
	done
	step "Installing them" "$log" packages_install "${missing[@]}" ||
	    die "the packages could not be installed"
	for name in "${services[@]}"; do
		! package_installed "$name" || packages_quiet "$name"
	done
}

packages_install() {
	export DEBIAN_FRONTEND=noninteractive

	# Old lists are good enough as long as everything in them exists.
	apt-get install -y --no-install-recommends "$@" || {
		apt-get update &&
		apt-get install -y --no-install-recommends "$@"
	}
}

# packages_quiet SERVICE: installing the package starts one, on port 6081 or 80,
# that nobody has asked for.
packages_quiet() {
	[ -d /run/systemd/system ] || return 0
	systemctl disable --now "$1.service" >/dev/null 2>&1 || true
	say "The service $1, which came with the package, is off. To have it:"
	say "    systemctl enable --now $1"
}

#---------------------------------------------------------------------
# The source tree

# copy_source DIR: as it is now, without what was built in it.
copy_source() {
	rm -rf "$1"
	mkdir -p "$1" || return 1
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . \( -path ./build -o -path ./.git \) -prune -o -type f ! -path ./configure \
		    -printf '%P\0'
	fi | while IFS= read -r -d '' f; do
		[ ! -e "$f" ] || printf '%s\0' "$f"
	done | tar -c --null -T - | tar -x -C "$1"
}

#---------------------------------------------------------------------
# JavaScript

# Sets js_option to what configure needs, or says loudly why there will be no
# handlers in JavaScript. What npm has fetched once it has in a cache.
js_usable() {
	local why='' log=$1

	js_option=()
	if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
		why="there is no Node.js, or no npm"
	elif ! node -e '+process.versions.node.split(".")[0] < 18 &&
	    process.exit(1)'; then
		why="Node.js is older than version 18"
	elif ! step "Getting the packages of sandbox-jsc from npm" "$log" \
	    js_fetch; then
		why="npm can not get the packages"
	fi
	if [ -z "$why" ]; then
		js_option=(--enable-js)
		return 0
	fi
	say "NO JAVASCRIPT: $why."
	say "sandbox-jsc is not built, and its tests are skipped."
	return 1
}

# Into npm's cache; what is built gets them from there.
js_fetch() {
	local dir rc=0

	dir=$(mktemp -d) || return 1
	cp guest-sdk/js/package.json guest-sdk/js/package-lock.json "$dir" &&
	    npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund ||
	    rc=1
	rm -rf "$dir"
	return $rc
}

#---------------------------------------------------------------------
# Building

# Is configure missing, or older than what it is made from?
bootstrap_needed() {
	[ -x configure ] && [ -e Makefile.in ] || return 0
	[ -n "$(find bootstrap configure.ac Makefile.am m4/sbx_*.m4 \
	    -newer configure -print -quit)" ]
}

# build DIR CONFIGURE-OPTION...: make all, or BUILD_TARGET, in DIR.
build() {
	local dir=$1 opts
	shift

	if [ -e config.status ]; then
		die "this source tree is configured in place; first: make distclean"
	fi
	mkdir -p "$dir"
	[ -w "$dir" ] || die "may not write to $top/$dir"
	if bootstrap_needed; then
		step "Making configure" "$dir/bootstrap.log" ./bootstrap ||
		    return 1
	fi
	opts="$*"
	if [ ! -e "$dir/Makefile" ] || [ configure -nt "$dir/config.status" ] ||
	    [ "$(cat "$dir/options" 2>/dev/null)" != "$opts" ]; then
		step "Configuring" "$dir/configure.log" \
		    configure_in "$dir" "$@" || return 1
		printf '%s\n' "$opts" >"$dir/options"
	fi
	step "Building" "$dir/make.log" \
	    make -C "$dir" -j "$(nproc)" "${BUILD_TARGET:-all}" || return 1
}

configure_in() {
	cd "$1" && shift && "$top/configure" "$@"
}
