#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Every guest, every way in which it can misbehave, in a sandbox and without
# Varnish. What dies has to die each time it is asked, and never take
# sandbox-run with it; what answers has to answer right.

set -u

build=${top_builddir:-.}
src=${top_srcdir:-.}
run=$build/sandbox-run
# shellcheck source=tests/test.sh
. "$src/tests/test.sh"
out=$tmp/out

# A factor for time limits, for machines that are slow.
slow=${SBX_TEST_SLOW:-1}
limit=$((10 * slow))

# What a sanitizer finds must not look like a guest that died.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}exitcode=99
UBSAN_OPTIONS=${UBSAN_OPTIONS:+$UBSAN_OPTIONS:}halt_on_error=1:exitcode=99
export ASAN_OPTIONS UBSAN_OPTIONS

need_kvm
[ -x "$run" ] || skip 'no sandbox-run'

evidence() {
	tr -d '\000' <"$out" | cut -c -200 | head -n 6
}

# guest NAME URL OPTIONS...: run it; output to $out, status to $rc
guest() {
	prog=$build/tests/guests/$1/$1.guest
	url=$2
	shift 2
	timeout $((120 * slow)) "$run" -o request_timeout="$limit" \
	    -o boot_timeout=$((20 * slow)) -u "$url" "$@" "$prog" \
	    >"$out" 2>&1 </dev/null
	rc=$?
}

# answers NAME URL REGEX OPTIONS...: and a line of what it says matches
answers() {
	a_guest=$1
	a_url=$2
	a_regex=$3
	shift 3
	guest "$a_guest" "$a_url" -n 2 "$@"
	[ "$rc" -eq 0 ] && grep -a -q -e "$a_regex" "$out"
	report $? "$a_guest $a_url should answer $a_regex"
}

# dies NAME URL OPTIONS...: twice, the second time in another VM
dies() {
	d_guest=$1
	d_url=$2
	shift 2
	guest "$d_guest" "$d_url" -k -n 2 "$@"
	[ "$rc" -eq 1 ] &&
	    [ "$(grep -a -c '^sandbox-run: request' "$out")" -eq 2 ]
	report $? "$d_guest $d_url should die"
}

# stopped NAME URL OPTIONS...: by its deadline
stopped() {
	s_guest=$1
	s_url=$2
	shift 2
	limit=0.2
	guest "$s_guest" "$s_url" "$@"
	limit=$((10 * slow))
	[ "$rc" -eq 1 ] && grep -a -q 'request_timeout' "$out"
	report $? "$s_guest $s_url should be stopped"
}

# boots_not NAME REGEX OPTIONS...: is refused before there is a request
boots_not() {
	b_guest=$1
	b_regex=$2
	shift 2
	guest "$b_guest" / "$@"
	[ "$rc" -eq 1 ] && ! grep -a -q '^sandbox-run: request' "$out" &&
	    grep -a -q -e "$b_regex" "$out"
	report $? "$b_guest should not start, $b_regex"
}

# either NAME URL OPTIONS...: whatever the CPU has to say to this
either() {
	e_guest=$1
	e_url=$2
	shift 2
	guest "$e_guest" "$e_url" "$@"
	[ "$rc" -eq 0 ] || [ "$rc" -eq 1 ]
	report $? "$e_guest $e_url should answer or die, and not $rc"
}

# cases NAME: the paths in its source
cases() {
	sed -n 's/.*[{(" ]"\(\/[a-z0-9-]*\)".*/\1/p' \
	    "$src/tests/guests/$1/$1.c" | sort -u
}

boots_not crash_at_boot 'on standard error'
boots_not main_returns 'exit(0)'
boots_not never_ready 'boot_timeout' -o boot_timeout=0.3

for g in abort exit_zero exit_in_handler no_answer segfault stack_overflow \
    many_headers body_too_large; do
	answers $g /ok '^ok$'
	dies $g /
done
dies exit_in_handler '/thread?status=0'
either segfault /handled

for u in / /cpuid /pause /rdtsc /write; do
	stopped endless_loop $u
done
for n in 1 9 12 13 35 39 202 228 318 1000 100000000; do
	stopped endless_syscalls "/?nr=$n"
done
for u in /nanosleep /clock_nanosleep /pause /poll /ppoll /select /futex \
    /futex_pi /sigsuspend /sigwait /wait /read /yield /epoll; do
	either blocked $u
done
stopped slow '/?ms=5000'
stopped slow '/sleep?ms=5000'
answers slow '/?ms=20' '^[2-9][0-9]* ms$\|^1[0-9][0-9]* ms$'
answers slow '/sleep?ms=20' '^[2-9][0-9]* ms$\|^1[0-9][0-9]* ms$'

answers answer_twice / '^first$'
answers body_too_large /exact '^200'
dies body_too_large '/claim?len=ffffffffffffffff'
dies body_too_large '/claim?len=1000000'
answers big_body '/?size=0' '^200'
answers big_body '/?size=16777216' '^200'
answers many_headers '/?n=256' '^X-Many: v$'
answers many_headers '/?n=1&len=65530' '^X-Many: v'
dies many_headers '/?n=257'
dies many_headers '/?n=1&len=65531'

for u in $(cases bad_headers); do
	case $u in
	/good | *-good | /value-empty | /hop-* | /length-* | /varnish | \
	    /encoding)
		answers bad_headers "$u" '^ok$'
		;;
	*)
		dies bad_headers "$u"
		;;
	esac
done
for s in 200 204 304 404 599 999; do
	answers bad_status "/?status=$s" "^$s"
done
for s in 0 1 99 100 199 1000 99999 4294967295; do
	dies bad_status "/?status=$s"
done
for u in $(cases bad_body); do
	case $u in
	/at) ;;
	*-empty)
		answers bad_body "$u" '^200'
		;;
	/unmapped | /across)
		# The page may still be there, but it is the guest's own.
		either bad_body "$u"
		;;
	*)
		dies bad_body "$u"
		;;
	esac
done
dies bad_body '/at?addr=7e0000000000&len=1000'
for a in 1000 2000 3000 4000 5000 6000 7000 8000 9000 a000; do
	dies bad_body "/at?addr=$a&len=1"
done
for u in $(cases bad_response_ptr); do
	case $u in
	/good | /unaligned)
		answers bad_response_ptr "$u" '^ok$'
		;;
	/size-huge)
		either bad_response_ptr "$u"
		;;
	*)
		dies bad_response_ptr "$u"
		;;
	esac
done

answers oom / '^[1-9][0-9]* MB, errno 12$'
answers memory_hog / '^[1-9][0-9]* pages by mmap'
stopped memory_hog /stay
answers dirty '/?pages=8000' '^8000 pages$'
answers dirty '/read?pages=1000' '^1000 pages$'
answers dirty '/random?pages=1000' '^1000 pages$'
answers fd_leak / 'errno 24$'
answers fd_leak /open 'errno 24$'
either fd_leak /pipe
answers log_flood / '^[0-9]* of 100000 lines$' -o request_timeout=20
for u in /stdout /stderr /control /long; do
	either log_flood $u -o request_timeout=20
done
answers pthreads /pool '^100 done, counted 100, summed 100, mine 0$'
answers pthreads '/pool?n=1000' '^1000 done, counted 1000, summed 1000, mine 0$'
answers pthreads /spin '^all the same$'
answers pthreads /wake '^woken$'
answers pthreads /barrier '^40 passed, 10 serial$'
answers pthreads /robust '^EOWNERDEAD$'
answers pthreads /timed '^ETIMEDOUT, in time$'
answers pthreads /many '^300 ended$'
answers pthreads /ten-thousand '^123, then -11$'
answers pthreads /answer '^from another thread$'
answers pthreads /exit '^the last one$'
dies pthreads /deadlock
for u in store const stack divide ud2 hlt int3 jump; do
	answers signals /$u '^signal [0-9]*, code [0-9]*, trap .* stack, 3 times$'
done
answers signals /store '^signal 11, code 1, trap 14, at 24, '
answers signals /const '^signal 11, code 2, trap 14, elsewhere, '
answers signals /divide '^signal 8, code 1, trap 0, at RIP, '
answers signals /fixed '^rax 42, DF 1, registers kept$'
answers signals /raise '^411, 440, reset$'
answers signals /pending '^0, pending 1, waited 1, EAGAIN, then 1$'
answers signals /preempt '^stopped, sum right$'
answers signals /interrupt '^restarted, sleep -1 EINTR$'
answers signals /wait '^sigwait SIGUSR1, 0 before sigsuspend, 1 after$'
stopped signals /again
for u in store walk rights jump stack ud2 divide hlt int3 thread; do
	answers storm "/$u?n=1000" '^1000 faults$'
	stopped storm /$u
done
answers identity /x '^nobody /x 0$'
for u in forged forged-segments forged-fp-good; do
	answers signals /$u '^flags 200, cs 33, ss 2b$'
done
answers signals /forged-flags '^flags 200600, cs 33, ss 2b$'
for u in kernel hole edge stub fp-null fp-kernel fp-garbage fp-mxcsr \
    fp-header random nowhere; do
	dies signals /forged-$u
done
either signals /forged-rsp
stopped signals /forged-switch
for u in nested no-stack no-stack-readonly no-stack-fault; do
	dies signals /$u
done
answers channels /boot '^2 ready, "from the start", 3000000000, then 0$' -o max_vms=1
answers channels /pipe '^EAGAIN, 65536, 0, EPIPE$'
answers channels /event '^3, 1, fffffffffffffffe, EAGAIN, EINVAL$'
answers channels /timer '^0, first in time, all in time, armed$'
answers channels /wait '^6 times$'
answers channels /limit '^0 0 0, in time$'
answers channels /epoll '^edge 1 0 1, shot 1 0, nested 1, ELOOP$'
answers channels /signal '^EINTR$'
answers channels /socket '^5 4 4 0$'
answers channels /many '^21, 4 deep$'
dies channels /stuck
dies channels /stuck-poll
# One poll() that would look for half a minute.
t0=$(date +%s)
stopped channels /deep
[ $(($(date +%s) - t0)) -le $((5 * slow)) ]
report $? 'channels /deep should be stopped in time'
answers far_call /log '^it said 0$'
answers far_call /fault '^it said 0$'
answers far_call /read '^it said 5$'
# The first may be before the time has come, the third is not.
guest asleep / -n 3 -o max_vms=1
[ "$rc" -eq 0 ] && [ "$(grep -c '^asleep, the time has .*then awake$' \
    "$out")" -eq 3 ] && [ "$(grep -c 'has come' "$out")" -ge 2 ]
report $? 'asleep: sleep goes on where it was'
answers threads / '^-[0-9]* -[0-9]* -[0-9]* -[0-9]* -[0-9]*$'
answers split_lock / '^[1-9]'
answers fresh / '^request [0-9a-f]*$'
all_fresh() {
	[ "$(grep -c '^request' "$out")" -eq 2 ] && [ "$(grep \
	    -e '^request' -e '^getrandom' "$out" | sort -u | wc -l)" -eq 4 ]
}
all_fresh
report $? 'fresh: the same random bytes twice'

# Nobody to fetch from: all is checked, nothing starts, error 100 (ENETDOWN).
# Without max_fetches it may not, as in VCL.
may='-o max_fetches=10000'
# shellcheck disable=SC2086
{
	answers fetch '/get?url=/' '^X-Failed: EPERM$'
	answers fetch '/get?url=/' '^X-Fetch: 0 state=2 error=ENETDOWN' $may
	answers fetch '/get?url=x' '^X-Fetch: 0 state=2 error=EINVAL' $may
	answers fetch '/get?n=0' '^X-Done: 0$' $may
	answers fetch '/get?n=500&url=/*' '^X-Done: 500$' $may
	for u in $(cases fetch_bad); do
		case $u in
		/ | /leave* | /flood)
			continue
			;;
		/list-long | /list-endless | /wait-more | /state-* | *-size | \
		    /response-huge)
			r='r=-22 state=[0-5] error=0'
			;;
		/response-gone | /response-same)
			# A page may still be there; the other one is told.
			r='r=.* state=0 error=0'
			;;
		/list-* | /response-null | /response-constant)
			r='r=-14 state=0 error=0'
			;;
		*-null)
			r='r=2 state=2 error=14'
			;;
		/url-long | /headers-many)
			r='r=2 state=2 error=7'
			;;
		/request-flags | /url-* | /method-* | /host-* | /headers-* | \
		    /timeout-*)
			r='r=2 state=2 error=22'
			;;
		*)
			r='r=2 state=2 error=100'
			;;
		esac
		answers fetch_bad "$u" "^$r\$" $may
	done
	answers fetch_bad '/flood' '^10000 started, 0 running, r=1' $may
	answers fetch_bad '/leave' '^r=2 state=2 error=100$' $may
	dies fetch_bad '/leave-dead' $may
	stopped fetch_bad '/leave-hang' $may
}

for u in /write_text /write_constant /write_readonly /read_none /exec_data \
    /exec_stack /exec_heap /exec_mapped /code_left; do
	dies rights $u
done
for u in /code_tmp /code_far; do
	answers rights $u '^refused$'
done
for u in /zero_mmap /zero_brk /zero_fixed /zero_dontneed; do
	answers rights $u '^zero$'
done
for u in /write_text_after /exec_both /exec_after /read_unmapped \
    /read_mapped_none; do
	either rights $u
done

for a in 0 1000 5000 10000 7ffffffff000 800000000000 ffff800000000000 \
    ffffffff81000000 ffffffffffffffff; do
	for u in read write jump; do
		dies wild_pointer "/$u?addr=$a"
	done
done
for a in 0 1 1000 7000 400000 6ffffffffffc 7ffffffff000 800000000000 \
    ffff800000000000 fffffffffffffff8 ffffffffffffffff; do
	answers wild_pointer "/calls?addr=$a" 'calls' -o request_timeout=20
done

for u in $("$run" -u /list "$build/tests/guests/ring0/ring0.guest" |
    grep '^/'); do
	case $u in
	/rdtsc | /cpuid | /xgetbv | /popf_df | /popf_nt | \
	    /syscall_edge | /syscall_rsp | \
	    /last_page | /map | /unmap | /protect)
		answers ring0 "$u" '^survived'
		;;
	/next_rsp)
		answers ring0 "$u" '^ok$'
		;;
	/syscall_tf | /rdtscp | /vmmcall | /vmcall | /int* | /sgdt | /sidt | \
	    /str | /sldt | /smsw | /popf_ac | /rdpmc | /wrfsbase)
		either ring0 "$u"
		;;
	*)
		dies ring0 "$u"
		;;
	esac
done
for n in 0 1 2 3 4 8 d e 17 19 1a 20 30 80 81 e0 f0 fe ff; do
	either ring0 "/int?n=$n"
done
for n in df e0 e1 e2; do
	for u in in in16 in32 ins rep_ins out out16 out32 outs rep_outs; do
		dies ring0 "/$u?n=$n&addr=3"
	done
done
# The end of a system call, as if one had been made.
for n in 0 1000 4000 7000 6fffffffffff 7fffffffffff 800000000000 \
    ffff800000000000; do
	for s in 0 3302 ffffffffffffffff; do
		either ring0 "/stub?addr=4000&n=$n&sel=$s"
		either ring0 "/stub_back?addr=4000&sel=$s"
	done
done
for a in 4000 4001 4002 7000 7001 8000 9000; do
	either ring0 "/jump?addr=$a"
	dies ring0 "/write?addr=$a"
	either ring0 "/map?addr=$a"
	either ring0 "/unmap?addr=$a"
	either ring0 "/protect?addr=$a"
done
for s in 0 3 8 10 18 1b 23 2b 33 3b 40 43; do
	for u in far_return iretq load_ds load_ss load_gs lldt ltr; do
		either ring0 "/$u?sel=$s"
	done
done
answers ring0 '/syscall_rsp?addr=800000000000' '^survived'
answers ring0 '/next_rsp?addr=800000000000' '^ok$'

# Odd requests look for what even ones left behind.
guest residue /alternate -n 9 -o max_vms=1 -o request_timeout=10
[ "$rc" -eq 0 ] && [ "$(grep -a -c '^X-Residue: clean$' "$out")" -eq 5 ]
rc=$?
grep -a LEAK "$out" | cut -c -150 | sort -u >"$out.leaks"
mv "$out.leaks" "$out"
report $rc residue

tally guests
