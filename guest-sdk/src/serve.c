/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The loop that most programs use.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sdk.h"

#define SERVE_PAGE	4096

static int __attribute__((__noinline__))
serve_loop(sandbox_handler_f *handler, void *priv)
{
	struct sandbox_reply rp[1];
	const struct sandbox_request *rq;

	rq = sandbox_next(NULL);
	while (rq != NULL) {
		sandbox_reply_init(rp, rq);
		handler(rq, rp, priv);
		rq = sandbox_next(sandbox_reply_end(rp));
	}
	(void)fprintf(stderr, "sandbox: the host refuses to serve us: %s\n",
	    strerror(errno));
	return (1);
}

/*
 * All that a small handler writes to is its stack and the reply, which is on
 * the stack too. Have the stack of serve_loop() begin at the top of a page, so
 * that both are on that one page, wherever the stack happened to be.
 */
int
sandbox_serve(sandbox_handler_f *handler, void *priv)
{
	void *pad;

	pad = __builtin_frame_address(0);
	pad = __builtin_alloca((uintptr_t)pad % SERVE_PAGE);
	__asm__ volatile("" : : "r" (pad) : "memory");
	return (serve_loop(handler, priv));
}
