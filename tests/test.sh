#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What the tests in shell have in common: why one is skipped, what has passed
# and what has failed. To be sourced, with "set -u".
#
# It makes $tmp, a folder for the test, and removes it at the end. A test that
# calls check() or report() has a function evidence() that prints what there is
# to see when one fails, and ends with tally.

tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0

# skip WHY...: that was all
skip() {
	echo "skipped: $*"
	exit 77
}

need_kvm() {
	[ -w /dev/kvm ] || skip 'no /dev/kvm that may be written to'
}

# report STATUS TEXT...: 0 is a success
report() {
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	shift
	echo "failed: $*" >&2
	evidence | sed 's/^/    /' >&2
}

# check NAME COMMAND...: has to succeed
check() {
	name=$1
	shift
	"$@"
	report $? "$name"
}

# tally [NAME]: the last line, and how the test ends
tally() {
	echo "${1:+$1: }$passed passed, $failed failed"
	[ "$failed" -eq 0 ] || exit 1
	[ "$passed" -gt 0 ] || exit 77
}
