#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What a request costs, counted and not timed: crossings between host and
# guest, page faults of the host, pages that a reset copies back. The table is
# in doc/specification.rst.
#
#	count.sh			here, with the build in $top_builddir
#	count.sh --svm BUILD		on the emulated AMD CPU (tests/svm/run)
#
# Runs under /bin/sh of a Debian as well as of busybox.

build=${top_builddir:-.}
src=${top_srcdir:-.}

if [ "${1:-}" = --svm ]; then
	"${0%/*}/../svm/run" -v -o '^cases/counts$' "$2" cases |
	    grep -E '^ *(guest|hello|echo|webp|platform)'
	exit
fi
[ -w /dev/kvm ] || { echo "no /dev/kvm that may be written to"; exit 77; }

# number PATTERN: what is in $out where PATTERN has (...)
number() {
	printf '%s\n' "$out" | sed -n "s/.*$1.*/\1/p" | head -n 1
}

# row NAME PROGRAM REQUESTS OPTIONS...
row() {
	name=$1
	prog=$build/guest-sdk/examples/$2
	n=$3
	shift 3
	out=$("$build/sandbox-run" "$prog" -q -s -n "$n" \
	    -o request_timeout=60 "$@" 2>&1) || { echo "$out"; exit 1; }
	printf '%-12s %6s %8s %12s %12s %8s\n' "$name" \
	    "$(number 'exits: \([0-9]*\)')" \
	    "$(number 'system calls: \([0-9]*\)')" \
	    "$(number 'page faults of the host: \([0-9.]*\)')" \
	    "$(number 'copied back: \([0-9.]*\)')" \
	    "$(number 'hot: \([0-9]*\)')"
}

"$build/sandbox-run" "$build/guest-sdk/examples/hello" -q -s 2>&1 |
    grep '^platform'
printf '%-12s %6s %8s %12s %12s %8s\n' guest exits syscalls host-faults \
    pages-copied hot
row hello hello 400
row echo-1k echo 400 -d "$(printf '%01024d' 0)"
row webp-photo webp 40 -d "@$src/tests/data/photo.jpg"
