/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Uses the address that ?addr=A (hex) says: /read, /write or /jump, or
 * /call?nr=N which passes it to system call N as each of its arguments.
 * Answers if it lives.
 */

#include "../guest.h"

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
	} else
		sandbox_fail(rp, 404, "No such case.");
}

int
main(void)
{

	return (guest_serve(bad));
}
