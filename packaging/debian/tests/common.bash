#!/bin/bash
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests of the installed packages share, and that of the container. To
# be sourced.

passed=0
failed=0
tmp=$(mktemp -d) || exit 99

pass() {
	passed=$((passed + 1))
	echo "passed: $*"
}

fail() {
	failed=$((failed + 1))
	echo "failed: $*"
}

# same WHAT WANTED FOUND
same() {
	if [ "$2" = "$3" ]; then
		pass "$1: $3"
	else
		fail "$1: \"$3\", not \"$2\""
	fi
}

# has WHAT WANTED FILE
has() {
	local line

	if line=$(grep -m 1 -F -- "$2" "$3"); then
		pass "$1: ${line%$'\r'}"
	else
		fail "$1: there is no \"$2\" in"
		sed 's/^/    /' "$3"
	fi
}

# What is tested with: a program, built as guest-sdk/README.rst says, and the
# VCL that is installed as an example.
prepare() {
	if [ ! -c /dev/kvm ]; then
		echo "skipped: no /dev/kvm"
		exit 77
	fi
	mkdir -p /srv/guests
	# The flags have to be cut into words.
	# shellcheck disable=SC2046
	gcc -O2 -static -o /srv/guests/hello \
	    /usr/share/doc/varnish-vmod-sandbox-dev/examples/hello.c \
	    $(pkg-config --cflags --libs --static sandbox) ||
	    fail "hello.c does not build"
	cp /usr/share/doc/varnish-vmod-sandbox/examples/hello.vcl \
	    /etc/varnish/default.vcl
	same "group and mode of /dev/kvm" "kvm 660" \
	    "$(stat -c '%G %a' /dev/kvm)"
}

# Ask, twice, and look at who has answered. worker PID is varnishd's child.
answers() {
	local pid=$1

	curl -si http://localhost:6081/world >"$tmp/answer"
	sed 's/^/    /' "$tmp/answer"
	has "the answer" "HTTP/1.1 200 OK" "$tmp/answer"
	has "the answer" "Hello from a sandbox." "$tmp/answer"
	sleep 1.1
	curl -si http://localhost:6081/world >"$tmp/answer"
	has "the answer, from the cache" "Age: 1" "$tmp/answer"
	same "the worker's user" "$(id -u vcache)" \
	    "$(awk '/^Uid:/ { print $2 }' "/proc/$pid/status")"
	# the headings have a tab behind them, the groups a blank
	sed -n 's/^Groups:[[:space:]]*\(.*\)/ \1 /p' "/proc/$pid/status" \
	    >"$tmp/groups"
	has "the worker's groups" " $(getent group kvm | cut -d: -f3) " \
	    "$tmp/groups"
	ls -l "/proc/$pid/fd" >"$tmp/fd"
	has "the worker's descriptors" "anon_inode:kvm-vcpu" "$tmp/fd"
}

# Wait until varnishd answers, or ENDED is true.
wait_answer() {
	for _ in {1..600}; do
		! "$@" || return 1
		curl -s -o /dev/null http://localhost:6081/ && return 0
		sleep 0.1
	done
	return 1
}

result() {
	rm -rf "$tmp"
	echo "$passed passed, $failed failed, 0 skipped"
	[ $failed -eq 0 ]
}
