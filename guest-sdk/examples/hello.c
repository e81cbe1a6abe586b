/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The smallest program there is.
 *
 * Build:	gcc -O2 -static -o hello hello.c \
 *		    $(pkg-config --cflags --libs --static sandbox)
 * Try:		./hello --url /world
 * Use, in VCL:	new hello = sandbox.program("/path/to/hello");
 */

#include <sandbox.h>

static void
hello(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	static const char text[] = "Hello from a sandbox.\n";

	(void)rq;
	(void)priv;
	sandbox_add_header(rp, "Content-Type", "text/plain");
	sandbox_add_header(rp, "Cache-Control", "max-age=10");
	sandbox_set_body(rp, text, sizeof text - 1);
}

int
main(void)
{

	/* What is done here is done once, before the first request. */
	return (sandbox_serve(hello, NULL));
}
