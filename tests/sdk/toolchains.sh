#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The library with every tool chain that is there: the program is built as the
# manual says, and run; in a sandbox too, where there is one.

set -u

src=$(cd "${top_srcdir:-.}" && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
examples=$src/guest-sdk/examples
# shellcheck source=tests/test.sh
. "$src/tests/test.sh"

PKG_CONFIG_PATH=$build/guest-sdk
export PKG_CONFIG_PATH
flags=$(pkg-config --cflags --libs --static sandbox) || exit 77

# What is built: the smallest, and one that needs all of the library.
example=hello
says='Hello from'

evidence() {
	cat "$tmp/out" "$tmp/err"
}

answers() {
	"$@" >"$tmp/out" 2>"$tmp/err" && grep -q "$says" "$tmp/out"
}

# try COMPILER FLAGS...
try() {
	if ! command -v "$1" >/dev/null; then
		echo "skipped, no $1"
		return
	fi
	rm -f "$tmp/guest"
	: >"$tmp/out"
	# The flags have to be cut into words.
	# shellcheck disable=SC2086
	if ! "$@" -o "$tmp/guest" "$examples/$example.c" $flags \
	    2>"$tmp/err"; then
		what='does not build'
	elif ! answers "$tmp/guest"; then
		what='does not run'
	elif [ -w /dev/kvm ] && [ -x "$build/sandbox-run" ] &&
	    ! answers "$build/sandbox-run" -a '/a /b' -o max_fetches=9 \
	    "$tmp/guest"; then
		what='does not run in a sandbox'
	else
		what=
	fi
	[ -z "$what" ] && echo "passed: $* $example.c"
	report $? "$* $example.c: $what"
}

strict='-Wall -Wextra -Wpedantic -Wconversion -Werror'

try gcc -static
try gcc -static -O2 -D_FORTIFY_SOURCE=2 -fstack-protector-strong
try gcc -static -no-pie
try gcc -static-pie
# shellcheck disable=SC2086
try gcc -static -std=c99 $strict
try musl-gcc -static
try musl-gcc -static -O2
try clang -static
try clang -static-pie
# shellcheck disable=SC2086
try clang -static -std=c99 $strict
# shellcheck disable=SC2086
try g++ -static -std=c++11 $strict -x c++
# shellcheck disable=SC2086
try clang++ -static -std=c++17 $strict -x c++

example=compose
says='part 2 is missing'
# It is the program that reads the quotes.
# shellcheck disable=SC2089,SC2090
{
	SANDBOX_REQUEST="--arg '/a /b'"
	export SANDBOX_REQUEST
}
# shellcheck disable=SC2086
{
	try gcc -static -std=c99 $strict
	try musl-gcc -static
	try clang -static -std=c99 $strict
	try g++ -static -std=c++11 $strict -x c++
	try clang++ -static -std=c++17 $strict -x c++
}

# sandbox-run's settings are VCL's: without max_fetches it may not fetch
says='VCL does not let this program fetch'
if [ -w /dev/kvm ] && [ -x "$build/sandbox-run" ] && [ -x "$tmp/guest" ]; then
	check 'compose.c without max_fetches' \
	    answers "$build/sandbox-run" -a '/a /b' "$tmp/guest"
fi

tally toolchains
