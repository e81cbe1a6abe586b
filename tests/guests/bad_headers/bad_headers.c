/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers with a header that is not one; the path says which. /good has two
 * that are.
 */

#include "../guest.h"

#define CASE(path, name, value)						\
	{ path, name, sizeof name - 1, value, sizeof value - 1 }

/* A name of "reason" puts the value there. */
static const struct {
	const char	*path;
	const char	*name;
	size_t		name_len;
	const char	*value;
	size_t		value_len;
} cases[] = {
	CASE("/good", "X-Also", "good\ttoo \xc3\xa9"),
	CASE("/name-cr", "X-A\r", "v"),
	CASE("/name-lf", "X-A\nX-B", "v"),
	CASE("/name-nul", "X-A\0", "v"),
	CASE("/name-colon", "X-A: v\r\nX-B", "v"),
	CASE("/name-space", "X A", "v"),
	CASE("/name-tab", "X\tA", "v"),
	CASE("/name-empty", "", "v"),
	CASE("/name-high", "X-\xff", "v"),
	CASE("/name-del", "X-\x7f", "v"),
	CASE("/name-paren", "X-(a)", "v"),
	CASE("/value-cr", "X-A", "v\rw"),
	CASE("/value-lf", "X-A", "v\nX-B: w"),
	CASE("/value-crlf", "X-A", "v\r\n\r\nbody"),
	CASE("/value-nul", "X-A", "v\0w"),
	CASE("/value-bell", "X-A", "v\aw"),
	CASE("/value-del", "X-A", "v\x7fw"),
	CASE("/value-empty", "X-A", ""),
	CASE("/reason-lf", "reason", "Fine\nX-B: w"),
	CASE("/reason-cr", "reason", "Fine\rX-B: w"),
	CASE("/reason-nul", "reason", "Fi\0ne"),
	CASE("/reason-good", "reason", "Just Fine"),
	/* Names that are Varnish's own business, or about the connection. */
	CASE("/hop-connection", "Connection", "X-Good"),
	CASE("/hop-te", "Transfer-Encoding", "chunked"),
	CASE("/hop-keep-alive", "Keep-Alive", "timeout=1000"),
	CASE("/length-short", "Content-Length", "1"),
	CASE("/length-long", "Content-Length", "1000"),
	CASE("/length-bad", "Content-Length", "-1"),
	CASE("/varnish", "X-Varnish", "1 2"),
	CASE("/encoding", "Content-Encoding", "gzip"),
};

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sandbox_response rsp;
	struct sandbox_header h[2];
	size_t i;

	i = GUEST_CASE(rq, rp, cases);
	if (i == GUEST_CASES(cases))
		return;
	rsp = guest_response();
	h[0].name = guest_str("X-Good", 6);
	h[0].value = guest_str("good", 4);
	h[1].name = guest_str(cases[i].name, cases[i].name_len);
	h[1].value = guest_str(cases[i].value, cases[i].value_len);
	rsp.headers = h;
	rsp.n_headers = 2;
	if (cases[i].name_len == 6 && memcmp(cases[i].name, "reason", 6) == 0) {
		rsp.n_headers = 1;
		rsp.reason = h[1].value;
	}
	guest_answer((uintptr_t)&rsp);
	sandbox_puts(rp, "still alive\n");
}

int
main(void)
{

	return (guest_serve(bad));
}
