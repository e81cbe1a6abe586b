/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The answer, and what it waits for.
 */

#include <string.h>

#include "error.h"
#include "heap.h"
#include "host.h"

#define MAX_HELD	64

static struct {
	struct sandbox_reply	reply[1];
	int			ready;
	const void		*body;		/* bytes of JavaScript's */
	size_t			body_len;
	struct engine_value	body_in;	/* this buffer */
	unsigned		n_held;
	struct engine_value	held[MAX_HELD];
} answer;

int
answer_is_ready(void)
{

	return (answer.ready);
}

/* What runs after the answer, for waitUntil(), can give away the memory that
 * the body is in. */
static void
answer_look(void)
{

	if (answer.body == NULL || engine_buffer_has(answer.body_in,
	    answer.body, answer.body_len))
		return;
	system_log(SANDBOX_LOG_ERROR, "no answer", "the buffer of the"
	    " Response's body was resized or transferred after it was"
	    " returned");
	answer_fail();
}

const struct sandbox_response *
answer_get(void)
{

	answer_look();
	return (sandbox_reply_end(answer.reply));
}

void
answer_fail(void)
{

	sandbox_reply_init(answer.reply, request_now());
	(void)sandbox_fail(answer.reply, 500,
	    "The program that should have answered failed. Varnish's log says"
	    " why.");
	answer.body = NULL;
	answer.ready = 1;
}

int
answer_holds(struct engine_value promise)
{
	unsigned i;

	for (i = 0; i < answer.n_held; i++)
		if (engine_is_same(answer.held[i], promise))
			return (1);
	return (0);
}

int
answer_is_released(void)
{
	struct engine_value why;
	unsigned i, n;

	for (i = n = 0; i < answer.n_held; i++)
		switch (engine_promise(answer.held[i], &why)) {
		case ENGINE_PENDING:
			answer.held[n++] = answer.held[i];
			break;
		case ENGINE_REJECTED:
			system_log(SANDBOX_LOG_ERROR, "waitUntil()",
			    error_describe(why));
			break;
		default:
			break;
		}
	if (n != answer.n_held)
		answer.n_held = n;
	return (n == 0);
}

/*--------------------------------------------------------------------
 * What JavaScript calls
 */

/* Returns -1 and has thrown if it has a NUL in it, where C would see its
 * end. */
static int
answer_is_string(struct engine_call *c, const char *p, size_t len)
{

	if (p == NULL)
		return (-1);
	if (memchr(p, '\0', len) == NULL)
		return (0);
	engine_throw(c, "a header can not have a NUL character in it");
	return (-1);
}

static int
answer_header(struct engine_call *c, const char *name, const char *value)
{

	if (sandbox_add_header(answer.reply, name, value) == 0)
		return (0);
	engine_throw(c, "the header '%.60s' can not be sent: its name is not a"
	    " token, its value has control characters, or there are more than"
	    " %d headers or %d bytes of them", name, SANDBOX_MAX_HEADERS,
	    SANDBOX_MAX_HEADER_BYTES);
	return (-1);
}

/* Returns 1 if there is a Content-Type among them, or 0, or -1. */
static int
answer_headers(struct engine_call *c)
{
	const char *name, *value;
	size_t name_len, value_len;
	uint32_t i, n;
	int typed = 0;

	if (engine_arg_is_null(c, 2))
		return (0);
	if (engine_arg_list(c, 2, &n) < 0)
		return (-1);
	for (i = 0; i + 1 < n; i += 2) {
		name = engine_arg_list_latin1(c, 2, i, &name_len);
		if (answer_is_string(c, name, name_len) < 0)
			return (-1);
		value = engine_arg_list_latin1(c, 2, i + 1, &value_len);
		if (answer_is_string(c, value, value_len) < 0 ||
		    answer_header(c, name, value) < 0)
			return (-1);
		typed |= strcmp(name, "content-type") == 0;
	}
	return (typed);
}

/* The Content-Type that comes with the body, if no other has been set. */
static int
answer_type(struct engine_call *c)
{
	const char *type;
	size_t len;

	if (engine_arg_is_null(c, 4))
		return (0);
	type = engine_arg_latin1(c, 4, &len);
	if (answer_is_string(c, type, len) < 0)
		return (-1);
	return (answer_header(c, "content-type", type));
}

static int
answer_body(struct engine_call *c)
{
	const char *p;
	uint8_t *q;
	size_t len;

	if (engine_arg_is_null(c, 3))
		return (0);
	if (engine_arg_is_text(c, 3)) {
		p = engine_arg_text(c, 3, &len);
		if (p == NULL)
			return (-1);
	} else {
		if (engine_arg_bytes(c, 3, &q, &len) < 0)
			return (-1);
		/* JavaScript may have no more use for it. */
		answer.body_in = engine_arg_buffer(c, 3);
		answer.body = q;
		answer.body_len = len;
		p = (const char *)q;
	}
	if (sandbox_set_body(answer.reply, p, len) == 0)
		return (0);
	engine_throw(c, "the body has %zu bytes; the limit is %llu", len,
	    (unsigned long long)request_now()->max_response_body);
	return (-1);
}

static void
answer_respond(struct engine_call *c)
{
	const char *reason = NULL;
	double status;
	size_t len;
	int typed;

	if (request_now() == NULL || answer.ready) {
		engine_throw(c, "there is no request to answer");
		return;
	}
	sandbox_reply_init(answer.reply, request_now());
	if (engine_arg_number(c, 0, &status) < 0)
		return;
	if (!engine_arg_is_null(c, 1)) {
		reason = engine_arg_latin1(c, 1, &len);
		if (answer_is_string(c, reason, len) < 0)
			return;
	}
	if (!(status >= 200 && status <= 999) ||
	    sandbox_set_status(answer.reply, (unsigned)status, reason) < 0) {
		engine_throw(c, "a status is 200 to 999, and its text has no"
		    " control characters");
		return;
	}
	typed = answer_headers(c);
	if (typed < 0 || (typed == 0 && answer_type(c) < 0))
		return;
	if (answer_body(c) == 0)
		answer.ready = 1;
}

static void
answer_fail_call(struct engine_call *c)
{
	const char *what;
	size_t len;

	what = engine_arg_text(c, 0, &len);
	if (what == NULL)
		return;
	if (request_now() == NULL) {
		engine_throw(c, "there is no request to answer");
		return;
	}
	system_log(SANDBOX_LOG_ERROR, what,
	    error_describe(engine_arg(c, 1)));
	answer_fail();
}

/* What a promise has been fulfilled with, if no job is left that might change
 * that; or null. */
static void
answer_settled(struct engine_call *c)
{
	struct engine_value v;

	engine_return(c, engine_null());
	if (!engine_has_jobs() &&
	    engine_promise(engine_arg(c, 0), &v) == ENGINE_FULFILLED)
		engine_return(c, v);
}

static void
answer_hold(struct engine_call *c)
{

	if (request_now() == NULL)
		engine_throw(c, "there is no request to wait for");
	else if (answer.n_held == MAX_HELD)
		engine_throw(c, "waitUntil() can take %d promises at a time",
		    MAX_HELD);
	else
		answer.held[answer.n_held++] =
		    engine_keep(engine_arg(c, 0));
}

const struct engine_func host_answer[] = {
	{ "respond",		answer_respond,		5 },
	{ "fail",		answer_fail_call,	2 },
	{ "hold",		answer_hold,		1 },
	{ "settled",		answer_settled,		1 },
};
const size_t host_answer_n = sizeof host_answer / sizeof host_answer[0];
