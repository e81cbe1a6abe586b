/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The request. Nothing of it is made into JavaScript before it is asked for.
 */

#include <string.h>

#include "heap.h"
#include "host.h"

/* The time before the host's deadline at which we stop by ourselves, because
 * we can say where: a tenth of what there is, this at the most. */
#define REQUEST_MARGIN	((int64_t)500 * 1000 * 1000)

static const struct sandbox_request *request;
static int64_t request_end;
static struct engine_value request_body;
static int request_has_body;

const struct sandbox_request *
request_now(void)
{

	return (request);
}

void
request_set(const struct sandbox_request *rq)
{
	int64_t margin;

	margin = rq->timeout_ns / 10;
	if (margin > REQUEST_MARGIN)
		margin = REQUEST_MARGIN;
	request = rq;
	request_end = rq->mono_ns + rq->timeout_ns - margin;
}

int64_t
request_deadline(void)
{

	return (request_end);
}

/* The request, or NULL, and it has thrown. */
static const struct sandbox_request *
request_get(struct engine_call *c)
{

	if (request == NULL)
		engine_throw(c, "there is no request yet: module top level"
		    " and warmup() run before the first one");
	return (request);
}

static void
request_string(struct engine_call *c, const struct sandbox_str *s)
{

	engine_return(c, engine_latin1(s->ptr, s->len, 0));
}

static void
request_method(struct engine_call *c)
{

	if (request_get(c) != NULL)
		request_string(c, &request->method);
}

static void
request_target(struct engine_call *c)
{

	if (request_get(c) != NULL)
		request_string(c, &request->url);
}

static void
request_arg(struct engine_call *c)
{

	if (request_get(c) != NULL)
		engine_return(c, engine_text(request->arg.ptr,
		    request->arg.len));
}

static void
request_client_ip(struct engine_call *c)
{

	if (request_get(c) != NULL)
		request_string(c, &request->client_ip);
}

static void
request_client_port(struct engine_call *c)
{

	if (request_get(c) != NULL)
		engine_return(c, engine_number(request->client_port));
}

static void
request_xid(struct engine_call *c)
{

	if (request_get(c) != NULL)
		engine_return(c, engine_number((double)request->xid));
}

static void
request_time_left(struct engine_call *c)
{
	int64_t ns;

	if (request_get(c) == NULL)
		return;
	ns = request->mono_ns + request->timeout_ns - system_mono();
	engine_return(c, engine_number(ns < 0 ? 0 : (double)ns / 1e6));
}

static void
request_max_body(struct engine_call *c)
{

	if (request_get(c) != NULL)
		engine_return(c,
		    engine_number((double)request->max_response_body));
}

static void
request_is_warmup(struct engine_call *c)
{

	if (request_get(c) != NULL)
		engine_return(c,
		    engine_bool(request->flags & SANDBOX_REQUEST_WARMUP));
}

static void
request_headers(struct engine_call *c)
{

	if (request_get(c) != NULL)
		engine_return(c, headers_list(request->headers,
		    request->n_headers));
}

static void
request_header_named(struct engine_call *c, const char *name)
{
	const char *value;
	long n;
	char *buf;

	value = sandbox_nth_header(request, name, 0);
	if (value == NULL) {
		engine_return(c, engine_null());
		return;
	}
	if (sandbox_nth_header(request, name, 1) == NULL) {
		engine_return(c, engine_latin1(value, strlen(value), 0));
		return;
	}
	n = sandbox_join_header(request, name, NULL, 0);
	buf = heap_alloc((size_t)n + 1);
	if (buf == NULL) {
		engine_throw(c, "out of memory");
		return;
	}
	(void)sandbox_join_header(request, name, buf, (size_t)n + 1);
	engine_return(c, engine_latin1(buf, (size_t)n, 0));
	heap_free(buf);
}

/* Undefined: there can be none of that name. */
static void
request_header(struct engine_call *c)
{
	const char *name;
	size_t len;

	if (request_get(c) == NULL ||
	    (name = engine_arg_ascii(c, 0, &len)) == NULL)
		return;
	if (headers_is_name(name, len))
		request_header_named(c, name);
	engine_ascii_done(c, name);
}

static void
request_get_body(struct engine_call *c)
{

	if (request_get(c) == NULL)
		return;
	if (request->body_len == 0) {
		engine_return(c, engine_null());
		return;
	}
	if (!request_has_body) {
		request_body = engine_bytes_here(request->body,
		    (size_t)request->body_len);
		request_has_body = 1;
	}
	engine_return(c, engine_keep(request_body));
}

static void
request_body_length(struct engine_call *c)
{

	if (request_get(c) != NULL)
		engine_return(c, engine_number((double)request->body_len));
}

const struct engine_func host_request[] = {
	{ "method",		request_method,		0 },
	{ "target",		request_target,		0 },
	{ "arg",		request_arg,		0 },
	{ "clientIp",		request_client_ip,	0 },
	{ "clientPort",		request_client_port,	0 },
	{ "xid",		request_xid,		0 },
	{ "timeLeft",		request_time_left,	0 },
	{ "maxBody",		request_max_body,	0 },
	{ "isWarmup",		request_is_warmup,	0 },
	{ "headers",		request_headers,	0 },
	{ "header",		request_header,		1 },
	{ "body",		request_get_body,	0 },
	{ "bodyLength",		request_body_length,	0 },
};
const size_t host_request_n = sizeof host_request / sizeof host_request[0];
