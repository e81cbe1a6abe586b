/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes a page of fragments, which it fetches through Varnish, all at the same
 * time. Each fragment is cached for as long as it says itself; the page is put
 * together anew for each request, and that takes one exit from the VM to fetch
 * and one to answer.
 *
 * .backend()'s argument says which fragments, URLs with blanks between them:
 *
 *	page.backend("/fragment/head /fragment/news /fragment/foot")
 *
 * A fragment that can not be had leaves a comment in the page, and the rest is
 * shown all the same. VCL has to let it fetch: vcl-examples/compose.vcl.
 *
 * Build:	gcc -O2 -static -o compose compose.c \
 *		    $(pkg-config --cflags --libs --static sandbox)
 * Try:		./compose --arg '/a /b'		(there is nobody to fetch from)
 */

#include <stdint.h>
#include <string.h>

#include <sandbox.h>

#define MAX_PARTS		16
#define MAX_ARG			4096
#define MAX_PART		(256 * 1024)
#define PATIENCE		INT64_C(1000000000)	/* ns, one second */

/* A handler's memory is put back after each request, so what is static here is
 * as good as new each time, and needs no malloc(). */
static struct sandbox_fetch_request ask[MAX_PARTS];
static struct sandbox_fetch_response got[MAX_PARTS];
static struct sandbox_fetch list[MAX_PARTS];

/* Cut the argument into URLs. Returns how many there are. */
static unsigned
prepare(const struct sandbox_request *rq, char *arg)
{
	unsigned n = 0;
	char *url;

	memcpy(arg, rq->arg.ptr, rq->arg.len + 1);
	for (url = strtok(arg, " "); url != NULL && n < MAX_PARTS;
	    url = strtok(NULL, " ")) {
		sandbox_fetch_init(&ask[n], &got[n], url);
		/* one that is slow or huge must not spoil the others */
		ask[n].timeout_ns = PATIENCE;
		ask[n].max_body = MAX_PART;
		list[n].request = &ask[n];
		list[n].response = &got[n];
		n++;
	}
	return (n);
}

static void
put_part(struct sandbox_reply *rp, unsigned i)
{

	if (got[i].error == 0 && got[i].status == 200) {
		sandbox_write(rp, got[i].body, got[i].body_len);
		return;
	}
	if (got[i].error != 0)
		sandbox_log(SANDBOX_LOG_ERROR, "%s: %s", ask[i].url.ptr,
		    strerror((int)got[i].error));
	sandbox_printf(rp, "<!-- part %u is missing -->\n", i + 1);
}

static void
compose(const struct sandbox_request *rq, struct sandbox_reply *rp,
    void *priv)
{
	char arg[MAX_ARG];
	unsigned i, n;

	(void)priv;
	if (rq->arg.len == 0 || rq->arg.len >= sizeof arg) {
		sandbox_fail(rp, 500, "The argument of .backend() should name"
		    " the fragments.");
		return;
	}
	n = prepare(rq, arg);
	if (sandbox_fetch_many(list, n, n) < 0) {
		sandbox_fail(rp, 500, "VCL does not let this program fetch"
		    " (max_fetches).");
		return;
	}
	sandbox_add_header(rp, "Content-Type", "text/html; charset=utf-8");
	sandbox_add_header(rp, "Cache-Control", "no-store");
	for (i = 0; i < n; i++)
		put_part(rp, i);
}

int
main(void)
{

	return (sandbox_serve(compose, NULL));
}
