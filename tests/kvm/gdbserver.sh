#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# sandbox-run --gdb with gdb itself: breakpoints, steps, variables, threads,
# interruption; and the answer is right afterwards.
#
# Environment: top_builddir and top_srcdir, as "make check" sets them.

set -u

build=${top_builddir:-.}
src=${top_srcdir:-.}
deep=$build/tests/guests/deep
hello=$build/guest-sdk/examples/hello
# shellcheck source=tests/test.sh
. "$src/tests/test.sh"
sock=$tmp/s

need_kvm
command -v gdb >/dev/null || skip 'no gdb'

evidence() {
	cat "$tmp/gdb" "$tmp/out" "$tmp/err" | head -n 60
}

# serve PROGRAM OPTION...: under gdb, which comes next
serve() {
	prog=$1
	shift
	rm -f "$sock"
	timeout 120 "$build/sandbox-run" --gdb "$sock" "$@" "$prog" \
	    >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	n=0
	while [ ! -S "$sock" ] && [ $n -lt 200 ]; do
		sleep 0.05
		n=$((n + 1))
	done
}

# debug COMMAND...: gdb does that; then the guest comes to its end
debug() {
	for c; do
		set -- "$@" -ex "$c"
		shift
	done
	timeout 100 gdb -nx -batch -iex 'set debuginfod enabled off' \
	    -ex 'set sysroot /' -ex 'set remotetimeout 30' \
	    -ex "target remote $sock" "$@" "$prog" >"$tmp/gdb" 2>&1 </dev/null
	wait $pid
	rc=$?
}

shows() {
	grep -qE -e "$1" "$tmp/gdb"
}

line=$(grep -n '/\* HERE \*/' "$src/tests/guests/deep/deep.c" | cut -d : -f 1)

# The answer of an example, with a breakpoint, steps and a look around
serve "$hello" --url /world
debug 'bt 2' 'break hello' 'continue' 'bt' 'print rq->url.ptr' 'next' 'next' \
    'step' 'info registers rip' 'stepi' 'info threads' 'continue'
check 'hello: begins in the call' shows '^#0 .*sdk_call'
check 'hello: stops' shows '^Breakpoint 1, hello \(rq=0x'
check 'hello: by source line' shows '^[0-9]+[[:space:]]+sandbox_add_header'
check 'hello: who called it' shows '^#[1-9] .*sandbox_serve .*serve[.]c:[0-9]+$'
check 'hello: variable' shows '= 0x[0-9a-f]+ "/world"$'
check 'hello: next' shows '^[0-9]+[[:space:]]+sandbox_set_body'
check 'hello: step' shows '^sandbox_set_body \(rp=0x'
check 'hello: rip' shows '^rip +0x[0-9a-f]+ +0x[0-9a-f]+ <sandbox_set_body'
check 'hello: to its end' shows 'exited normally'
check 'hello: status' test "$rc" -eq 0
check 'hello: the answer' grep -q '^Hello from a sandbox' "$tmp/out"

# Out of functions, and with single steps into the call that is the answer
serve "$deep/deep.guest" --url /ok
debug 'stepi 10' 'break guest_handler' 'continue' 'next' 'finish' 'stepi 5000'
check 'steps: stops' shows '^Breakpoint 1, guest_handler \(rq='
check 'steps: finish' shows '^serve_loop \(handler='
check 'steps: to its end' shows 'exited normally'
check 'steps: the answer' grep -q '^ok$' "$tmp/out"

# Single steps through system calls: memory for a thread, and the thread
serve "$deep/deep.guest" --url /threads
debug 'break threads' 'continue' 'stepi 3000' 'info threads' 'delete' \
    'break inner' 'continue'
check 'calls: there is one more' shows '^[* ] 2 +Thread 2 '
check 'calls: it goes on' shows 'hit Breakpoint 2, inner'

# Changing what is there

serve "$deep/deep.guest" --url /crash
debug 'break inner' 'continue' 'up' 'print o->number' 'set var o->number = 7' \
    'down' 'set var how = 101' 'continue'
check 'change: before' shows '= 4711$'
check 'change: it did something else' \
    grep -q 'called exit(3)' "$tmp/err"

# A crash is shown before it is one
serve "$deep/deep.guest" --url /crash
debug 'continue' 'bt' 'print *o' 'print $xmm7.v2_double[0]' 'continue'
check 'crash: signal' shows 'received signal SIGSEGV'
check 'crash: #0' shows "^#0 .*inner \\(o=0x.*deep\\.c:$line\$"
check 'crash: #2' shows '^#2 .* in outer \(how=.*deep\.c:[0-9]+$'
check 'crash: structure' shows '= \{number = 4711, '
check 'crash: vector register' shows '= 1[.]25$'
check 'crash: the end' shows 'terminated with signal SIGSEGV'
check 'crash: status' test "$rc" -eq 1
check 'crash: said' grep -q 'request 1: segmentation fault.*(inner+0x' "$tmp/err"

# Watching a variable; thousands of stops; an endless loop that ends
serve "$deep/deep.guest" --url /loop
debug 'break inner' 'continue' 'delete' 'set can-use-hw-watchpoints 0' \
    'watch turns' 'continue' 'continue' 'delete' \
    'break deep.c:35 if turns > 1000000' 'continue' 'print turns' 'kill'
check 'watch: first' shows '^New value = 4711$'
check 'watch: second' shows '^New value = 9422$'
check 'watch: condition' shows '= 1003443$'
check 'watch: killed' grep -q 'killed by the debugger' "$tmp/err"

# Interrupted
serve "$deep/deep.guest" --url /loop
timeout 60 gdb -nx -q -iex 'set debuginfod enabled off' \
    -ex 'set pagination off' -ex 'set confirm off' \
    -ex "target remote $sock" "$prog" >"$tmp/gdb" 2>&1 <<'END'
continue &
shell sleep 0.5
interrupt
shell sleep 0.5
bt
kill
END
wait $pid
check 'interrupt: signal' shows 'received signal SIGINT'
check 'interrupt: where' shows ' in outer \(how='

# Threads
serve "$deep/deep.guest" --url /threads
debug 'break thread_main' 'continue' 'next' 'delete' 'break inner' 'continue' \
    'info threads' 'thread apply all bt' 'detach'
check 'threads: the first one' shows 'Thread 2 hit Breakpoint 1, thread_main'
check 'threads: step' shows '^[0-9]+[[:space:]]+pthread_mutex_lock\(&mtx\)'
check 'threads: back' shows 'Thread 1 hit Breakpoint 2, inner'
check 'threads: three' \
    test "$(grep -cE '^[* ] [123] +Thread' "$tmp/gdb")" -eq 3
check 'threads: the others' shows ' thread_main \(priv=0x2\)'
# without a debugger it goes on as if there had been none
check 'detach: it crashed' grep -q 'segmentation fault.*(inner+0x' "$tmp/err"

# Where it was moved to, and with libraries
serve "$deep/pie.guest" --url /ok
debug 'break guest_handler' 'continue' 'continue'
check 'pie: stops' shows '^Breakpoint 1, guest_handler'
check 'pie: to its end' shows 'exited normally'
serve "$deep/dynamic.guest" --url /crash --file /lib64/ld-linux-x86-64.so.2 \
    --file /lib/x86_64-linux-gnu/libc.so.6
debug 'break middle' 'continue' 'info sharedlibrary' 'kill'
check 'dynamic: stops' shows '^Breakpoint 1, middle'
check 'dynamic: libraries' shows ' Yes .*/libc[.]so[.]6$'

# gdb goes away: the guest does not hang
serve "$deep/deep.guest" --url /ok
debug 'break guest_handler' 'continue' 'disconnect'
check 'gone: the answer' grep -q '^ok$' "$tmp/out"

# Over TCP, of this host only; a socket only for its owner
serve "$deep/deep.guest" --url /ok
check 'socket: mode' test "$(stat -c %a "$sock")" = 700
debug 'continue'
: >"$tmp/err"			# what the one before wrote is no answer
timeout 60 "$build/sandbox-run" --gdb 0 --url /ok "$deep/deep.guest" \
    >"$tmp/out" 2>"$tmp/err" &
pid=$!
n=0
while ! grep -q 'target remote' "$tmp/err" && [ $n -lt 200 ]; do
	sleep 0.05
	n=$((n + 1))
done
sock=$(sed -n 's/.*target remote //p' "$tmp/err")
prog=$deep/deep.guest
check 'tcp: loopback' test "${sock%:*}" = 127.0.0.1
debug 'continue'
check 'tcp: the answer' grep -q '^ok$' "$tmp/out"
for where in 0.0.0.0:1234 192.168.0.1:1234 example.com:1 :x 127.0.0.1: 65536 \
    '[::]:1'; do
	timeout 60 "$build/sandbox-run" --gdb "$where" "$deep/deep.guest" \
	    >"$tmp/out" 2>"$tmp/err"
	check "refused: $where" test $? -eq 2
done

tally
