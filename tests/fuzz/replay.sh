#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Every fuzzer with its seeds and with all that was ever found, once. In
# builds without libFuzzer, which is the test of that name in "make check".

set -eu
here=${top_srcdir:?}/tests/fuzz
bin=${top_builddir:?}/tests/fuzz
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT

python3 "$here/seeds.py" "$seeds"
n=0
for fuzzer in "$bin"/f_*; do
	[ -x "$fuzzer" ] || continue
	case $fuzzer in
	*.o)	continue ;;
	esac
	name=${fuzzer##*/f_}
	set -- "$seeds/$name"
	[ -d "$1" ] || { echo "$name has no seeds"; exit 1; }
	[ ! -d "$here/found/$name" ] || set -- "$@" "$here/found/$name"
	echo "$name"
	if ! "$fuzzer" "$@" >"$seeds/out" 2>&1; then
		tail -n 40 "$seeds/out"
		echo "$name failed with the last of these"
		exit 1
	fi
	tail -n 1 "$seeds/out"
	n=$((n + 1))
done
[ $n -gt 0 ]
