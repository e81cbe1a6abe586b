/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Uses the address that ?addr=A (hex) says: /read, /write or /jump, or
 * /call?nr=N which passes it to system call N as each of its arguments. /calls
 * passes it to every system call there is, as one argument after the other.
 * Answers if it lives.
 */

#include <sys/syscall.h>

#include "../guest.h"

/* The last number that Linux has, and then some. */
#define LAST_CALL	600

/* Those that end us, take away what we stand on, or take their time. */
static int
call_ends(long nr)
{

	return (nr == SYS_exit || nr == SYS_exit_group ||
	    nr == SYS_rt_sigreturn || nr == SYS_arch_prctl ||
	    nr == SYS_kill || nr == SYS_tkill || nr == SYS_tgkill ||
	    nr == SYS_nanosleep || nr == SYS_clock_nanosleep ||
	    nr == SYS_pause || nr == SYS_rt_sigsuspend ||
	    nr == SYS_rt_sigtimedwait || nr == SYS_poll || nr == SYS_ppoll ||
	    nr == SYS_select || nr == SYS_pselect6 ||
	    nr == SYS_epoll_wait || nr == SYS_epoll_pwait ||
	    nr == SYS_epoll_pwait2);
}

static void
calls(struct sandbox_reply *rp, uint64_t at)
{
	uint64_t a[6];
	long nr, r, n, ok;
	int i, j;

	for (nr = n = ok = 0; nr < LAST_CALL; nr++) {
		if (call_ends(nr))
			continue;
		for (i = 0; i < 6; i++, n++) {
			for (j = 0; j < 6; j++)
				a[j] = j == i ? at : (uint64_t)(i + j) % 4;
			r = guest_call(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
			ok += (r >= 0 || r < -4095);
		}
	}
	sandbox_printf(rp, "%ld calls, %ld of them fine\n", n, ok);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	volatile unsigned char *p;
	uint64_t at;
	long r;

	at = guest_hex(rq, "addr", 0xffff800000000000);
	p = (volatile unsigned char *)at;
	if (sandbox_path_is(rq, "/read"))
		sandbox_printf(rp, "read %02x\n", *p);
	else if (sandbox_path_is(rq, "/write")) {
		*p = 0x5a;
		sandbox_puts(rp, "written\n");
	} else if (sandbox_path_is(rq, "/jump")) {
		__asm__ volatile("call *%0" : : "r" (at) : "memory");
		sandbox_puts(rp, "came back\n");
	} else if (sandbox_path_is(rq, "/call")) {
		r = guest_call(guest_long(rq, "nr", 1), at, at, at, at, at,
		    at);
		sandbox_printf(rp, "%ld\n", r);
	} else if (sandbox_path_is(rq, "/calls"))
		calls(rp, at);
	else
		sandbox_fail(rp, 404, "No such case.");
}

int
main(void)
{

	return (guest_serve(bad));
}
