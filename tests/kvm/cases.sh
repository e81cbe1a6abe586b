#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What guests come to on this host, with sandbox-run: each case is a guest, a
# request, and what has to be in the output. The same expectations hold on
# every platform; where hardware and its emulation differ the expression says
# so. Runs under /bin/sh of a Debian as well as of busybox.
#
#	cases.sh list		names, one a line
#	cases.sh run NAME	0 passed, 1 failed (says why)
#	cases.sh all		every one here and now, with a line for each
#
# Without an argument it is "all", or skipped (77) where there is no KVM.
#
# Environment: top_builddir and top_srcdir, as "make check" sets them.
# SVM_PLATFORM (P or H) and SVM_RUNNER (yes or no), if set, are what the probe
# has to find. SVM_SLOW is how many times slower than usual this machine is.

build=${top_builddir:-.}
src=${top_srcdir:-.}
slow=${SVM_SLOW:-1}
run=$build/sandbox-run
guests=$build/tests/guests
examples=$build/guest-sdk/examples
out=${TMPDIR:-/tmp}/svm-case.$$
action=${1:-all}
wanted=${2:-}
found=0
failed=0

if [ $# -eq 0 ] && [ ! -w /dev/kvm ]; then
	echo "skipped: no /dev/kvm that may be written to"
	exit 77
fi

#---------------------------------------------------------------------
# A case

# An address in $out, by a grep -E, in hex; has to be in a function of a guest.
# The table of its symbols was made where nm is.
in_function() {
	syms=$1.syms
	if [ ! -e "$syms" ] && command -v nm >/dev/null; then
		syms=$out.syms
		nm -S "$1" >"$syms"
	fi
	[ -e "$syms" ] || { echo "no symbols of $1"; return 1; }
	at=$(grep -oE 'at RIP 0x[0-9a-f]+' "$out" | tail -n 1)
	at=${at##* }
	# start size type name
	# shellcheck disable=SC2046
	set -- $(grep " $2\$" "$syms")
	[ $# -eq 4 ] || { echo "no symbol $2"; return 1; }
	[ $((at)) -ge $((0x$1)) ] && [ $((at)) -le $((0x$1 + 0x$2)) ] && return
	echo "RIP $at is not in $4 (0x$1, 0x$2 bytes)"
	return 1
}

# verdict NAME EXPRESSION GUEST FUNCTION: what is in $out has to match each
# line of EXPRESSION. With a FUNCTION, RIP has to be in it.
verdict() {
	printf '%s\n' "$2" >"$out.want"
	while IFS= read -r line; do
		grep -qE -e "$line" "$out" && continue
		echo "not in the output: $line"
		return 1
	done <"$out.want"
	[ -z "$4" ] || in_function "$3" "$4"
}

# check NAME EXPRESSION FUNCTION ARGUMENT...: sandbox-run with the arguments,
# of which the first is the guest.
check() {
	name=$1
	want=$2
	func=$3
	guest=$4
	shift 4
	case $action in
	list)	echo "$name"; return ;;
	run)	[ "$name" = "$wanted" ] || return 0 ;;
	esac
	found=$((found + 1))
	if [ -n "${guest##*/*}" ]; then
		guest=$guests/$guest/$guest.guest
	fi
	"$run" -k "$@" "$guest" >"$out" 2>&1
	if why=$(verdict "$name" "$want" "$guest" "$func"); then
		[ "$action" = run ] || echo "pass $name"
		return
	fi
	failed=$((failed + 1))
	echo "FAILED $name: $why"
	echo "sandbox-run -k $* $guest:"
	head -c 4000 "$out"
}

# ok NAME EXPRESSION GUEST ARGUMENT...: it answers.
ok() {
	n=$1
	e=$2
	shift 2
	check "$n" "$e" "" "$@"
}

# paths GUEST SECONDS CASE=EXPRESSION...: to /CASE it answers a line like that,
# three times in the same VM.
paths() {
	g=$1
	s=$2
	shift 2
	for c; do
		ok "$g/${c%%=*}" "^${c#*=}\$
^requests: 3, failed: 0" "$g" -u "/${c%%=*}" -n 3 -s -o max_vms=1 \
		    -o request_timeout=$((s * slow))
	done
}

# dies NAME EXPRESSION GUEST ARGUMENT...: two requests, and both are answered
# by nobody, for the same reason: the second one has a VM of its own.
dies() {
	n=$1
	e="^sandbox-run: request 1: $2
^sandbox-run: request 2: $2"
	shift 2
	check "$n" "$e" "" "$@" -n 2
}

# ring0 CASE VECTORS [QUERY]: an exception, in the function that asks for it.
ring0() {
	check "ring0/$1${3:-}" \
	    "^sandbox-run: request 1: .*vector ($2), at RIP
^sandbox-run: request 2: .*vector ($2), at RIP" \
	    "try_$1" ring0 -n 2 -u "/$1${3:-}"
}

# ring0_any CASE EXPRESSION [QUERY]
ring0_any() {
	check "ring0/$1${3:-}" "$2" "" ring0 -n 2 -u "/$1${3:-}"
}

#---------------------------------------------------------------------
# The platform

ok probe "^platform: ${SVM_PLATFORM:-[PH]} .* VM: ${SVM_RUNNER:-(yes|no)}\$" \
    "$examples/hello" -s

#---------------------------------------------------------------------
# Guests that behave

ok hello "^Hello from a sandbox" "$examples/hello"
ok echo "^X-Echo-URL: /a[?]b=c
^body of the request" "$examples/echo" -u "/a?b=c" -d "body of the request"
ok inspect '"client_ip": "127.0.0.1"
"abi_version": 1' "$examples/inspect"
ok webp '^200
^Content-Type: image/webp
WEBPVP8' "$examples/webp" -d "@$src/tests/data/photo.jpg"
ok hello/1000 "^requests: 1000, failed: 0
^exits: 1, system calls: 0 " "$examples/hello" -q -s -n 1000
ok trace '^start: brk\(NULL\) = 0x[0-9a-f]+000$
^start: sandbox_next\(1, NULL\) = \?$
^warm-up: sandbox_next\(1, 0x[0-9a-f]+\) = \?$
^request: write\(1, "[^"]+\\n", [0-9]+\) = [0-9]+$
^request: sandbox_next' says -t -u '/?out=A%20line'
ok echo/1000 "^requests: 1000, failed: 0" \
    "$examples/echo" -q -s -n 1000 -d "@$src/tests/data/text.bin"
ok inspect/200 "^requests: 200, failed: 0" "$examples/inspect" -q -s -n 200
ok says "^before=0" says -n 3
ok dirty/hot "^requests: 20, failed: 0
^pages copied back: .*dropped: 0.0 a reset" dirty -u "/?pages=100" -q -s -n 20
ok dirty/drop "^requests: 5, failed: 0
^pages copied back: .*dropped: [1-9][0-9]+" \
    dirty -u "/random?pages=6000" -q -s -n 5
ok big_body "^requests: 3, failed: 0" big_body -u "/?size=8000000" -q -s -n 3
ok fresh "^200" fresh -n 3 -s
ok slow "^[0-9]+ ms" slow -u "/?ms=50"
ok residue "^requests: 12, failed: 0" \
    residue -u /fill -u /read -n 12 -q -s -o max_vms=1

#---------------------------------------------------------------------
# Guests that do not

ok mprotect "^0 bad, constant is 1
^requests: 4, failed: 0" mprotect -n 4 -s -o request_timeout=$((5 * slow))
dies mprotect/guard "segmentation fault, writing" mprotect -u /guard
dies mprotect/const "segmentation fault, writing" mprotect -u /const
# what a request has allowed is undone: the 2nd and the 4th die
ok mprotect/undo "^open
^sandbox-run: request 2: segmentation fault, writing
^sandbox-run: request 4: segmentation fault, writing
^requests: 4, failed: 2" \
    mprotect -u /open -u /guard -u /open -u /const -n 4 -s -o max_vms=1

jit="-o executable_memory=1 -o max_vms=1"
# shellcheck disable=SC2086 # options
ok jit "^boot 41, request 42 43
^requests: 3, failed: 0" jit $jit -n 3 -s
# shellcheck disable=SC2086
ok jit/rwx "^rwx 2" jit $jit -u /rwx -n 3
# shellcheck disable=SC2086
check jit/stale "^boot 41, request 42 43
^sandbox-run: request 2: segmentation fault, executing
^boot 41, request 42 43" "" jit $jit -u / -u /stale -u / -n 3
ok jit/not "^boot -13, request -13 -13
^own 1, made -13, reserved -13
^rwx -13" jit -u / -u /file -u /rwx

ok reserve "^0 bad
^requests: 4, failed: 0" reserve -n 4 -s -o max_vms=1 \
    -o request_timeout=$((5 * slow))
dies reserve/guard "segmentation fault, writing" reserve -u /guard
dies reserve/gone "segmentation fault, writing" reserve -u /gone
dies reserve/hog "segmentation fault, writing" reserve -u /hog \
    -o request_timeout=$((5 * slow))
ok reserve/stale "^0 bad
^sandbox-run: request 2: segmentation fault, writing
^requests: 4, failed: 1" reserve -u / -u /stale -u / -u / -n 4 -s \
    -o max_vms=1 -o request_timeout=$((5 * slow))
ok reserve/many "^0 bad
^requests: 4, failed: 0" reserve -u /many -u / -n 4 -s -o max_vms=1 \
    -o request_timeout=$((5 * slow))

ok files "^etc listed, links (read|none)
^passwd 0
^maps told
^tmp 3, boot 8000
^leave 0 0 0 400000 24
^mkdir 0, there 5
^requests: 3, failed: 0" files -f /etc -n 3 -s -o max_vms=1
ok files/not "^etc empty, links none
^passwd 0
^tmp 3, boot 8000" files

dies abort "the guest sent itself signal 6" abort
dies exit_zero "the guest called exit\\(0\\)" exit_zero
dies exit_in_handler "the guest called exit\\(3\\)" exit_in_handler
dies segfault "segmentation fault, writing address 0x0 at RIP 0x4" segfault
check stack_overflow "^sandbox-run: request 2: stack overflow, more than" \
    "" stack_overflow -n 2
dies endless_loop "the guest did not answer within" \
    endless_loop -o request_timeout=300ms
for w in cpuid pause rdtsc write; do
	dies "endless_loop/$w" "the guest did not answer within" \
	    endless_loop -u /$w -o request_timeout=300ms
done
dies endless_syscalls "the guest did not answer within" \
    endless_syscalls -o request_timeout=300ms
ok never_ready "not ready within" never_ready -o boot_timeout=1
ok crash_at_boot "writing address 0x0 at RIP 0x4.*while it started" \
    crash_at_boot
ok main_returns "exit\\(0\\) before it was ready" main_returns
dies no_answer "the guest asked for the next request without" no_answer
dies bad_status "answer: status 0" bad_status
dies body_too_large "answer: the body has 33554433 bytes" body_too_large \
    -o request_timeout=$((5 * slow))
dies many_headers "answer: 1000000 headers" many_headers \
    -o request_timeout=$((5 * slow))
ok oom "^200
MB, errno 12" oom -o request_timeout=$((5 * slow))
ok memory_hog "^200
pages by mmap" memory_hog -o request_timeout=$((5 * slow))
ok pthreads/pool "^1000 done, counted 1000, summed 1000, mine 0\$
^requests: 4, failed: 0" pthreads -u "/pool?n=1000" -n 4 -s -o max_vms=1 \
    -o request_timeout=$((10 * slow))
paths pthreads 20 \
    "spin=all the same" "wake=woken" "barrier=40 passed, 10 serial" \
    "robust=EOWNERDEAD" "many=300 ended" "ten-thousand=123, then -11" \
    "answer=from another thread" "exit=the last one"
dies pthreads/deadlock "every thread of the guest \\(6\\) waits for another" \
    pthreads -u /deadlock
paths signals 10 \
    "store=signal 11, code 1, trap 14, at 24, other stack, 3 times" \
    "const=signal 11, code 2, trap 14, elsewhere, other stack, 3 times" \
    "stack=signal 11, code 1, trap 14, elsewhere, other stack, 3 times" \
    "jump=signal 11, code 1, trap 14, at RIP, other stack, 3 times" \
    "ud2=signal 4, code 2, trap 6, at RIP, other stack, 3 times" \
    "hlt=signal 11, code 128, trap 13, at 0, other stack, 3 times" \
    "int3=signal 5, code 128, trap 3, at 0, other stack, 3 times" \
    "divide=signal 8, code 1, trap 0, at RIP, other stack, 3 times" \
    "fixed=rax 42, DF 1, registers kept" "raise=411, 440, reset" \
    "pending=0, pending 1, waited 1, EAGAIN, then 1" \
    "preempt=stopped, sum right" "forged=flags 200, cs 33, ss 2b" \
    "forged-flags=flags 200600, cs 33, ss 2b" \
    "forged-segments=flags 200, cs 33, ss 2b" \
    "forged-fp-good=flags 200, cs 33, ss 2b"
paths alarms 10 \
    "real=0 before, signal 14, code 128, in time" \
    "prof=signal 27, then 26, 0 left" "alarm=0, 100, 0, 1 left" \
    "sleep=pause -1 EINTR, 2 signals" "ignored=sleep 0, then heard" \
    "create=value 77, then 88, code -2, again 1" \
    "cpu=0 while asleep, value 5" "overrun=taken, value 3, late, the same" \
    "thread=rung" "none=running 1, was 9, over 1" \
    "errors=22 22 22 22 14 22 22, 8 made" \
    "suspend=-1 EINTR, signal 12, mask 11, then 1 1 0" \
    "masks=epoll -1 EINTR, 1 signals, mask 11, then 1" "shared=1200, 1200" \
    "restart=read -1 EINTR, 1 signals" \
    "boot=signal 1, value 9, every 20 ms"
for c in kernel hole fp-null fp-kernel fp-garbage fp-mxcsr fp-header random \
    nowhere; do
	dies "signals/forged-$c" "the guest returned from a signal handler" \
	    signals -u "/forged-$c"
done
dies signals/forged-edge "segmentation fault, executing|general protection" \
    signals -u /forged-edge
dies signals/forged-stub "segmentation fault, executing|general protection" \
    signals -u /forged-stub
dies signals/no-stack "no stack for the handler of signal 10" \
    signals -u /no-stack
paths channels 10 \
    'boot=2 ready, "from the start", 3000000000, then 0' \
    "pipe=EAGAIN, 65536, 0, EPIPE" "wait=6 times" \
    "epoll=edge 1 0 1, shot 1 0, nested 1, ELOOP"
paths far_call 10 "log=it said 0" "fault=it said 0" "read=it said 5"
ok threads "^200
^-" threads
ok wild_pointer/calls "^200" wild_pointer -u "/calls?addr=4000" \
    -o request_timeout=$((5 * slow))
# Which of the two it is depends on the register that the compiler has chosen.
wild='general protection|stack fault'
# (platform P lets ring 3 read 0x4000, the system call stub)
for a in 0 1000 5000 6000 9000 10000 7e0000000000 7ffffffff000 \
    8000000000000000 ffff800000000000; do
	dies "read/$a" "(segmentation fault, reading|$wild)" \
	    wild_pointer -u "/read?addr=$a"
done
for a in 0 1000 4000 6000 7000 8000 9000 10000 7e0000000000 7ffffffff000 \
    8000000000000000 ffff800000000000; do
	dies "write/$a" "(segmentation fault, writing|$wild)" \
	    wild_pointer -u "/write?addr=$a"
done
for a in 0 5000 5400 8000 10000 7e0000000000 8000000000000000; do
	dies "jump/$a" "(segmentation fault, executing|$wild)" \
	    wild_pointer -u "/jump?addr=$a"
done

#---------------------------------------------------------------------
# What only a kernel may. #GP if the CPU looks at the privilege first, #UD if
# it does not know the instruction, or the platform's KVM says so.

for c in hlt cli sti clts invd wbinvd swapgs sysret sysexit mov_from_cr0 \
    mov_from_cr3 mov_from_cr4 mov_from_cr8 mov_to_cr0 mov_to_cr3 mov_to_cr4 \
    mov_to_cr8 mov_from_dr7 mov_to_dr0 mov_to_dr7 rdmsr wrmsr lmsw xsetbv \
    invlpg lgdt lidt lldt ltr rdpmc in in16 in32 ins \
    rep_ins out out16 out32 outs rep_outs rep_outs32 popf_iopl far_jump_null \
    load_ds load_ss load_gs; do
	ring0 $c 13
done
# Not privileged on CPUs without UMIP, and what they tell is no secret
for c in sgdt sidt str sldt smsw; do
	ring0_any $c "^sandbox-run: request 2: .*vector 13|^survived $c: "
done
for p in e1 e2; do
	ring0 out 13 "?n=$p"
	ring0 in 13 "?n=$p"
done
# the port that P's system calls go through
ring0_any out "^sandbox-run: request 2: (.*vector 13|unexpected I/O)" "?n=e0"
ring0_any in "^sandbox-run: request 2: (.*vector 13|unexpected I/O)" "?n=e0"
ring0_any rep_outs "^sandbox-run: request 2: (.*vector 13|unexpected I/O)" \
    "?addr=10&n=e0"
for c in sysenter vmlaunch vmrun clgi skinit encls monitor mwait rsm; do
	ring0 $c "6|13"
done
# KVM may answer it, with -EPERM; or try to put the one that this CPU has in its
# place, where the program may not be written to
for c in vmcall vmmcall; do
	ring0_any $c "vector (6|13)|survived $c: 0xffffffffffffffff|writing address 0x4[0-9a-f]+ at RIP 0x4"
done
ring0 ud2 6
ring0 into 6
ring0 divide 0
ring0 int3 3
# QEMU does not know it
ring0 int1 "1|6"
ring0 popf_tf 1
# An INT of ring 3's: not as if the exception had come
for v in 0 1 2 6 8 d e 12 1f 20 30 80 ec f2 ff; do
	ring0_any int "^sandbox-run: request 2: .*vector (6|13), at" "?n=$v"
done
for v in 3 4; do
	ring0_any int "^sandbox-run: request 2: .*vector ($v|13), at" "?n=$v"
done
ring0 int_0x80 "6|13"
# QEMU reads the stack as ring 0 does, and SMAP forbids that
for c in far_return iretq; do
	check "ring0/$c" "request 2: (.*vector 13|segmentation fault, reading)" \
	    "try_$c" ring0 -n 2 -u "/$c"
done
# QEMU does not check the alignment
ring0_any popf_ac "vector 17|survived popf_ac"
for c in rdtsc rdtscp cpuid xgetbv popf_nt popf_df syscall_rsp; do
	ring0_any $c "^survived $c"
done
# FMASK is to take TF away in time, but Bochs traps in the stub
ring0_any syscall_tf "^survived syscall_tf|debug trap, vector 1, at RIP 0x4000"
ring0_any next_rsp "^200" "?addr=8000000000000000"
# To the stub without SYSCALL: on platform P that is a system call like any
# other, with a return address of the guest's choice.
for a in 4000 4002; do
	ring0_any stub "^sandbox-run: request 2: .*(executing address 0x($a|123000) |vector 13|unexpected I/O)" \
	    "?n=123000&addr=$a"
	ring0_any stub "^sandbox-run: request 2: .*(executing address 0x$a |vector 13|unexpected I/O)" \
	    "?n=8000000000000000&addr=$a"
done
for a in 4000 6000 7e0000000000; do
	ring0_any map "^survived map: 0xffffffffffff" "?addr=$a"
	ring0_any unmap "^survived unmap: 0xffffffffffff" "?addr=$a"
	ring0_any protect "^survived protect: 0xffffffffffff" "?addr=$a"
done

#---------------------------------------------------------------------

rm -f "$out" "$out".*
case $action in
list)
	;;
run|all)
	if [ $found -eq 0 ]; then
		echo "there is no case $wanted"
		exit 1
	fi
	[ $failed -eq 0 ] || exit 1
	;;
*)
	echo "usage: cases.sh list | run NAME | all" >&2
	exit 2
	;;
esac
