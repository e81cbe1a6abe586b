/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Shows all that a program gets to know about a request, as JSON.
 *
 * Build:	gcc -O2 -static -o inspect inspect.c \
 *		    $(pkg-config --cflags --libs --static sandbox)
 * Try:		./inspect --url '/a?b=c' --header 'Accept: text/html'
 */

#include <inttypes.h>
#include <time.h>

#include <sandbox.h>

/* A string in quotes. Bytes that are not ASCII become \u0080 to \u00ff. */
static void
put_string(struct sandbox_reply *rp, struct sandbox_str s)
{
	unsigned char c;
	uint32_t i;

	sandbox_puts(rp, "\"");
	for (i = 0; i < s.len; i++) {
		c = (unsigned char)s.ptr[i];
		if (c == '"' || c == '\\')
			sandbox_printf(rp, "\\%c", c);
		else if (c < ' ' || c > '~')
			sandbox_printf(rp, "\\u%04x", c);
		else
			sandbox_write(rp, &c, 1);
	}
	sandbox_puts(rp, "\"");
}

static void
put_member(struct sandbox_reply *rp, const char *name, struct sandbox_str s)
{

	sandbox_printf(rp, "  \"%s\": ", name);
	put_string(rp, s);
	sandbox_puts(rp, ",\n");
}

static void
put_headers(struct sandbox_reply *rp, const struct sandbox_request *rq)
{
	uint32_t i;

	sandbox_puts(rp, "  \"headers\": [");
	for (i = 0; i < rq->n_headers; i++) {
		sandbox_puts(rp, i == 0 ? "\n    [" : ",\n    [");
		put_string(rp, rq->headers[i].name);
		sandbox_puts(rp, ", ");
		put_string(rp, rq->headers[i].value);
		sandbox_puts(rp, "]");
	}
	sandbox_puts(rp, "\n  ],\n");
}

static void
put_time(struct sandbox_reply *rp, int64_t ns)
{
	struct tm tm;
	time_t t;

	t = (time_t)(ns / 1000000000);
	if (gmtime_r(&t, &tm) == NULL)
		return;
	sandbox_printf(rp, "  \"time\": \"%04d-%02d-%02dT%02d:%02d:%02dZ\",\n",
	    tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
}

static int64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		return (-1);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static void
put_clocks(struct sandbox_reply *rp, const struct sandbox_request *rq)
{

	put_time(rp, rq->wall_ns);
	sandbox_printf(rp, "  \"wall_ns\": %" PRId64 ",\n", rq->wall_ns);
	sandbox_printf(rp, "  \"mono_ns\": %" PRId64 ",\n", rq->mono_ns);
	sandbox_printf(rp, "  \"timeout_ns\": %" PRId64 ",\n",
	    rq->timeout_ns);
	sandbox_printf(rp, "  \"realtime_now_ns\": %" PRId64 ",\n",
	    clock_ns(CLOCK_REALTIME));
	sandbox_printf(rp, "  \"monotonic_now_ns\": %" PRId64 ",\n",
	    clock_ns(CLOCK_MONOTONIC));
}

/* The body's first bytes. */
static void
put_body(struct sandbox_reply *rp, const struct sandbox_request *rq)
{
	struct sandbox_str s = { rq->body, 0, 0 };

	s.len = rq->body_len < 256 ? (uint32_t)rq->body_len : 256;
	sandbox_printf(rp, "  \"body_len\": %" PRIu64 ",\n", rq->body_len);
	put_member(rp, "body", s);
}

static void
inspect(const struct sandbox_request *rq, struct sandbox_reply *rp,
    void *priv)
{
	size_t i;

	(void)priv;
	sandbox_add_header(rp, "Content-Type", "application/json");
	sandbox_add_header(rp, "Cache-Control", "no-store");
	sandbox_puts(rp, "{\n");
	put_member(rp, "method", rq->method);
	put_member(rp, "url", rq->url);
	put_member(rp, "path", sandbox_path(rq));
	put_member(rp, "query", sandbox_query(rq));
	put_member(rp, "proto", rq->proto);
	put_member(rp, "arg", rq->arg);
	put_member(rp, "client_ip", rq->client_ip);
	sandbox_printf(rp, "  \"client_port\": %" PRIu32 ",\n",
	    rq->client_port);
	put_headers(rp, rq);
	put_body(rp, rq);
	sandbox_printf(rp, "  \"max_response_body\": %" PRIu64 ",\n",
	    rq->max_response_body);
	sandbox_printf(rp, "  \"xid\": %" PRIu64 ",\n", rq->xid);
	put_clocks(rp, rq);
	sandbox_puts(rp, "  \"random\": \"");
	for (i = 0; i < sizeof rq->random; i++)
		sandbox_printf(rp, "%02x", rq->random[i]);
	sandbox_puts(rp, "\",\n");
	sandbox_printf(rp, "  \"warmup\": %s,\n",
	    rq->flags & SANDBOX_REQUEST_WARMUP ? "true" : "false");
	sandbox_printf(rp, "  \"abi_version\": %" PRIu32 "\n}\n",
	    rq->version);
}

int
main(void)
{
	time_t t = 0;

	/* The C library looks for a time zone when this is called first. Have
	 * that done once, and not in each request. */
	(void)gmtime(&t);
	return (sandbox_serve(inspect, NULL));
}
