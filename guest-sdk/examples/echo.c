/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Sends back what it gets: the body as the body, without a copy, and the rest
 * as headers. Method and URL come back as X-Echo-Method and X-Echo-URL, each
 * header as X-Echo-NAME. The answer has the request's Content-Type, and the
 * status that the query asks for: /?status=404.
 *
 * Build:	gcc -O2 -static -o echo echo.c \
 *		    $(pkg-config --cflags --libs --static sandbox)
 * Try:		./echo --header 'Content-Type: text/plain' --data 'Hi there'
 */

#include <stdio.h>

#include <sandbox.h>

static void
echo_headers(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	const struct sandbox_header *h;
	char name[128];
	unsigned i;

	for (i = 0; i < rq->n_headers; i++) {
		h = &rq->headers[i];
		snprintf(name, sizeof name, "X-Echo-%s", h->name.ptr);
		sandbox_add_header(rp, name, h->value.ptr);
	}
}

static void
echo(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	const char *type;
	long status = 200;

	(void)priv;
	if (sandbox_get_param_long(rq, "status", 200, 599, &status) < 0) {
		sandbox_fail(rp, 400, "status must be from 200 to 599");
		return;
	}
	sandbox_set_status(rp, (unsigned)status, NULL);

	type = sandbox_get_header(rq, "Content-Type");
	if (type == NULL)
		type = "application/octet-stream";
	sandbox_add_header(rp, "Content-Type", type);
	sandbox_add_header(rp, "X-Echo-Method", rq->method.ptr);
	sandbox_add_header(rp, "X-Echo-URL", rq->url.ptr);
	echo_headers(rq, rp);

	sandbox_set_body(rp, rq->body, rq->body_len);
}

int
main(void)
{

	return (sandbox_serve(echo, NULL));
}
