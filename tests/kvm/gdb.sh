#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Core files of killed requests, opened with gdb: does it show where a program
# was, by source line, and what was in its variables? And what sandbox-run does
# with the directory.
#
# Environment: top_builddir and top_srcdir, as "make check" sets them.

set -u

build=${top_builddir:-.}
src=${top_srcdir:-.}
deep=$build/tests/guests/deep
# shellcheck source=tests/test.sh
. "$src/tests/test.sh"

need_kvm
command -v gdb >/dev/null || skip 'no gdb'

evidence() {
	cat "$tmp/run" "$tmp/gdb" | head -n 60
}

# killed PROGRAM OPTION...: run it; its core, if it leaves one, is $core
killed() {
	prog=$1
	shift
	rm -rf "$tmp/cores"
	mkdir "$tmp/cores"
	: >"$tmp/gdb"
	"$build/sandbox-run" --core "$tmp/cores" --set request_timeout=0.5 \
	    "$@" "$prog" >"$tmp/run" 2>&1
	rc=$?
	core=$(find "$tmp/cores" -type f)
}

# debug COMMAND...: gdb's answers, in $tmp/gdb
debug() {
	for c; do
		set -- "$@" -ex "$c"
		shift
	done
	timeout 60 gdb -nx -batch -iex 'set debuginfod enabled off' \
	    "$@" "$prog" "$core" >"$tmp/gdb" 2>&1 </dev/null
}

said() {
	grep -qE -e "$1" "$tmp/run"
}

shows() {
	grep -qE -e "$1" "$tmp/gdb"
}

line=$(grep -n '/\* HERE \*/' "$src/tests/guests/deep/deep.c" | cut -d : -f 1)
loop=$(grep -n 'turns += ' "$src/tests/guests/deep/deep.c" | cut -d : -f 1)

# A crash, three functions deep
crashed() {
	check "$1: killed" test "$rc" -eq 1
	check "$1: where" \
	    said 'writing address 0x0 at RIP 0x[0-9a-f]+ \(inner\+0x[0-9a-f]+\)$'
	check "$1: said where the core is" \
	    said "^sandbox-run: core of request 1: $tmp/cores/core[.]"
	check "$1: one core" test -f "$core"
	check "$1: mode" test "$(stat -c %a "$core")" = 600
	debug bt 'info registers rip' 'frame 1' 'print *o' 'print twice' \
	    'frame 0' 'print $xmm7.v2_double[0]' \
	    'print $_siginfo.si_signo' \
	    'print $_siginfo._sifields._sigfault.si_addr' 'info auxv' \
	    'print nowhere' 'print sizeof(big) + big[0]'
	check "$1: signal" shows 'terminated with signal SIGSEGV'
	check "$1: #0" shows "^#0 .*inner \\(o=0x.*how=.*deep\\.c:$line\$"
	check "$1: #1" shows '^#1 .* in middle \(o=0x.*deep\.c:[0-9]+$'
	check "$1: #2" shows '^#2 .* in outer \(how=.*deep\.c:[0-9]+$'
	check "$1: main" shows '^#[0-9]+ .* in main \(\) at .*deep\.c:'
	check "$1: rip" shows '^rip +0x[0-9a-f]+ +0x[0-9a-f]+ <inner\+[0-9]+>$'
	check "$1: structure" \
	    shows '= \{number = 4711, colour = 0x[0-9a-f]+ "blue", price = 2[.]5\}'
	check "$1: variable" shows '= 9422$'
	check "$1: vector register" shows '= 1[.]25$'
	check "$1: siginfo" shows '= 11$'
	check "$1: fault address" shows '= \(void \*\) 0x0$'
	check "$1: auxiliary vector" shows '^9 +AT_ENTRY '
	check "$1: null" shows '= \(volatile int \*\) 0x0$'
	check "$1: memory that was never touched" shows '= 8388608$'
	check "$1: no memory is missing" \
	    test "$(grep -c 'Cannot access' "$tmp/gdb")" -eq 0
}
killed "$deep/deep.guest" --url /crash
crashed static
killed "$deep/pie.guest" --url /crash
crashed pie
libs="--file /lib64/ld-linux-x86-64.so.2 \
    --file /lib/x86_64-linux-gnu/libc.so.6"
# shellcheck disable=SC2086
killed "$deep/dynamic.guest" --url /crash $libs
crashed dynamic
debug 'info sharedlibrary'
check 'dynamic: libraries' shows ' Yes .*/libc[.]so[.]6$'

# An endless loop: where it was
killed "$deep/deep.guest" --url /loop
check 'loop: where' \
    said 'did not answer within 0[.]500 s .*it was at RIP 0x.* \(inner\+0x'
debug bt 'print o->number' 'print turns > 0'
check 'loop: signal' shows 'terminated with signal SIGXCPU'
check 'loop: #0' shows "^#0 .*inner \\(o=0x.*deep\\.c:($loop|$((loop - 1)))\$"
check 'loop: #2' shows '^#2 .* in outer \(how=.*deep\.c:[0-9]+$'
check 'loop: variable' shows '= 4711$'
check 'loop: it has run' shows '= 1$'

# Threads: each with its own stack
killed "$deep/deep.guest" --url /threads
debug 'info threads' 'thread 2' 'bt' 'thread 3' 'bt' 'thread 1' 'bt'
check 'threads: three' test "$(grep -cE '^[* ] [123] +' "$tmp/gdb")" -eq 3
check 'threads: the one that crashed' shows '^\* 1 .* inner \(o='
check 'threads: the first other one' shows '^#[0-9]+ .*thread_main \(priv=0x1\)'
check 'threads: the second other one' \
    shows '^#[0-9]+ .*thread_main \(priv=0x2\)'
check 'threads: how it got there' shows ' in threads \(\) at '

# abort(), and what is no signal
killed "$deep/deep.guest" --url /abort
debug bt
check 'abort: signal' shows 'terminated with signal SIGABRT'
check 'abort: in a function' shows ' in inner \(o='
killed "$deep/deep.guest" --url /exit
debug bt
check 'exit: said' said 'called exit\(3\)'
check 'exit: in a function' shows ' in inner \(o='
check 'exit: no signal' test "$(grep -c 'signal SIG' "$tmp/gdb")" -eq 0

# While it starts
killed "$deep/deep.guest" --env CRASH_AT_ONCE=1
check 'start: said' said 'while it started.*; core: .*/core[.]deep_guest[.]'
debug bt
check 'start: #0' shows "^#0 .*inner \\(o=0x.*deep\\.c:$line\$"
check 'start: main' shows ' in main \(\) at '

# No more memory than was asked for: 8 MB are dirty, 2 are written, and the
# stack is among them
killed "$deep/deep.guest" --url /large --set max_core_size=2m
check 'large: size' test "$(du -k "$core" | cut -f 1)" -le 2400
check 'large: not less' test "$(du -k "$core" | cut -f 1)" -ge 1900
debug bt 'print big[8388608 - 4096]'
check 'large: #1' shows '^#1 .* in middle \(o=0x.*deep\.c:[0-9]+$'
check 'large: main' shows ' in main \(\) at '
check 'large: missing' shows 'Cannot access memory'
killed "$deep/deep.guest" --url /large
debug 'print big[8388608 - 4096]'
check 'large: all of it' shows "= 98 'b'"

# A request that is answered leaves nothing
killed "$deep/deep.guest" --url /ok
check 'ok: answered' test "$rc" -eq 0
check 'ok: nothing' test -z "$core"

# No more files than were asked for; nothing is overwritten or removed
killed "$deep/deep.guest" --set max_cores=1
check 'full: first' test -f "$core"
cp "$core" "$tmp/first"
: >"$tmp/cores/mine"
"$build/sandbox-run" --core "$tmp/cores" --set max_cores=1 \
    "$deep/deep.guest" >"$tmp/run" 2>&1
check 'full: said' said '1 more left no core: there are max_cores files'
check 'full: no more' test "$(find "$tmp/cores" -type f | wc -l)" -eq 2
check 'full: the same' cmp -s "$core" "$tmp/first"
"$build/sandbox-run" --core "$tmp/cores" --set max_cores=2 \
    "$deep/deep.guest" >"$tmp/run" 2>&1
check 'full: one more' test "$(find "$tmp/cores" -type f | wc -l)" -eq 3

# Directories that will not do
"$build/sandbox-run" --core "$tmp/none" "$deep/deep.guest" >"$tmp/run" 2>&1
check 'directory: none' said 'core.*: No such file or directory'
"$build/sandbox-run" --core "$tmp/first" "$deep/deep.guest" >"$tmp/run" 2>&1
check 'directory: a file' said 'core_dir: .*has to be a directory: Not a dir'
if [ -d /proc/self/fd ]; then
	"$build/sandbox-run" --core /proc "$deep/deep.guest" >"$tmp/run" 2>&1
	check 'directory: not writable' \
	    said 'core_dir: no file can be made in /proc; .*may write to: '
fi

tally
