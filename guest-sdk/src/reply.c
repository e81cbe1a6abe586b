/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Making a reply.
 *
 * Everything goes into reply.text as long as it fits: the body from its start
 * upwards, strings from its end downwards, so that a small reply lies on one
 * page. What does not fit goes to static memory, which costs nothing until it
 * is written to, and a body that does not fit there either to malloc().
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk.h"

#define REPLY_SPILL_BODY	65536

static struct sandbox_header reply_headers[SANDBOX_MAX_HEADERS];
static char reply_strings[SANDBOX_MAX_HEADER_BYTES];
static char reply_body[REPLY_SPILL_BODY];

static int
reply_fail(struct sandbox_reply *rp, const char *why)
{

	if (rp->failed == NULL)
		rp->failed = why;
	return (-1);
}

static int
reply_fail_memory(struct sandbox_reply *rp)
{

	return (reply_fail(rp, "out of memory"));
}

static int
reply_fail_format(struct sandbox_reply *rp)
{

	return (reply_fail(rp, "printf can not make this text"));
}

/* Keep a copy of (len) bytes. NULL, and the reply has failed, if there is no
 * room. */
static char *
reply_keep(struct sandbox_reply *rp, const char *ptr, size_t len)
{
	size_t low;
	char *p;

	low = rp->body == rp->text ? (size_t)rp->rsp.body_len : 0;
	if (len <= rp->text_top - low) {
		rp->text_top -= (uint32_t)len;
		if (rp->body == rp->text)
			rp->body_size = rp->text_top;
		p = rp->text + rp->text_top;
	} else if (len <= sizeof reply_strings - rp->spilled) {
		p = reply_strings + rp->spilled;
		rp->spilled += (uint32_t)len;
	} else {
		(void)reply_fail(rp, "the headers are too long");
		return (NULL);
	}
	if (len > 0)
		memcpy(p, ptr, len);
	return (p);
}

static int
reply_keep_str(struct sandbox_reply *rp, struct sandbox_str *str,
    const char *ptr, size_t len)
{

	str->ptr = reply_keep(rp, ptr, len);
	str->len = (uint32_t)len;
	str->reserved = 0;
	return (str->ptr == NULL ? -1 : 0);
}

/*--------------------------------------------------------------------
 * Beginning and end
 */

static void
reply_empty(struct sandbox_reply *rp)
{

	memset(&rp->rsp, 0, sizeof rp->rsp);
	rp->rsp.size = sizeof rp->rsp;
	rp->rsp.status = 200;
	rp->failed = NULL;
	rp->headers = rp->small;
	rp->body = NULL;
	rp->body_size = 0;
	rp->text_top = sizeof rp->text;
	rp->spilled = 0;
}

void
sandbox_reply_init(struct sandbox_reply *rp, const struct sandbox_request *rq)
{

	/* So that one more can be added. */
	rp->max_body = rq->max_response_body < SIZE_MAX / 2 ?
	    rq->max_response_body : SIZE_MAX / 2;
	reply_empty(rp);
}

const struct sandbox_response *
sandbox_reply_end(struct sandbox_reply *rp)
{
	const char *why;

	if (rp->failed == NULL && rp->rsp.body_len > rp->max_body)
		(void)reply_fail(rp, "the body is larger than the limit");
	if (rp->failed != NULL) {
		why = rp->failed;
		(void)sandbox_log(SANDBOX_LOG_ERROR, "no reply: %s", why);
		reply_empty(rp);
		rp->rsp.status = 500;
	}
	return (&rp->rsp);
}

/*--------------------------------------------------------------------
 * Status and headers
 */

int
sandbox_set_status(struct sandbox_reply *rp, unsigned status,
    const char *reason)
{
	size_t l;

	if (status < 200 || status > 999)
		return (reply_fail(rp, "the status is not in 200..999"));
	rp->rsp.status = status;
	l = reason == NULL ? 0 : strlen(reason);
	if (!sdk_check_value(reason, l))
		return (reply_fail(rp,
		    "the reason has control characters in it"));
	if (l > SANDBOX_MAX_HEADER_BYTES)
		return (reply_fail(rp, "the reason is too long"));
	return (reply_keep_str(rp, &rp->rsp.reason, reason, l));
}

static int
reply_add_header(struct sandbox_reply *rp, const char *name,
    const char *value, size_t len)
{
	struct sandbox_header *h;
	size_t l;

	l = strlen(name);
	if (!sdk_check_name(name, l))
		return (reply_fail(rp, "a header's name is not a token"));
	if (!sdk_check_value(value, len))
		return (reply_fail(rp,
		    "a header's value has control characters in it"));
	if (rp->rsp.n_headers == SANDBOX_MAX_HEADERS)
		return (reply_fail(rp, "too many headers"));
	if (rp->rsp.n_headers == SANDBOX_REPLY_HEADERS &&
	    rp->headers == rp->small) {
		memcpy(reply_headers, rp->small, sizeof rp->small);
		rp->headers = reply_headers;
	}
	h = &rp->headers[rp->rsp.n_headers];
	if (reply_keep_str(rp, &h->name, name, l) < 0 ||
	    reply_keep_str(rp, &h->value, value, len) < 0)
		return (-1);
	rp->rsp.headers = rp->headers;
	rp->rsp.n_headers++;
	return (0);
}

int
sandbox_add_header(struct sandbox_reply *rp, const char *name,
    const char *value)
{

	return (reply_add_header(rp, name, value, strlen(value)));
}

int
sandbox_add_headerf(struct sandbox_reply *rp, const char *name,
    const char *fmt, ...)
{
	char buf[256], *p;
	va_list ap;
	int n, r;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	if (n < 0)
		return (reply_fail_format(rp));
	if ((size_t)n < sizeof buf)
		return (reply_add_header(rp, name, buf, (size_t)n));
	p = malloc((size_t)n + 1);
	if (p == NULL)
		return (reply_fail_memory(rp));
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	r = reply_add_header(rp, name, p, (size_t)n);
	free(p);
	return (r);
}

int
sandbox_set_header(struct sandbox_reply *rp, const char *name,
    const char *value)
{
	struct sandbox_header *h;
	uint32_t i, n;

	for (i = n = 0; i < rp->rsp.n_headers; i++) {
		h = &rp->headers[i];
		if (!sdk_same(h->name.ptr, h->name.len, name))
			rp->headers[n++] = *h;
	}
	rp->rsp.n_headers = n;
	if (value == NULL)
		return (0);
	return (sandbox_add_header(rp, name, value));
}

/*--------------------------------------------------------------------
 * The body
 */

int
sandbox_set_body(struct sandbox_reply *rp, const void *ptr, size_t len)
{

	if (ptr == NULL && len > 0)
		return (reply_fail(rp,
		    "the body has a length and no address"));
	rp->body = NULL;
	rp->body_size = 0;
	rp->rsp.body = ptr;
	rp->rsp.body_len = len;
	return (0);
}

/* What to allocate for (size) bytes: twice that, as there will be more, but no
 * more than a body may have and printf()'s NUL. */
static size_t
reply_grow(const struct sandbox_reply *rp, size_t size)
{

	if (rp->max_body / 2 < size)
		return ((size_t)rp->max_body + 1);
	return (size * 2);
}

/* A buffer for (size) bytes, the smallest kind that has them, with what the
 * body is now in it. */
static char *
reply_move(struct sandbox_reply *rp, size_t size, size_t *got)
{
	char *p;

	if (size <= rp->text_top) {
		*got = rp->text_top;
		p = rp->text;
	} else if (size <= sizeof reply_body) {
		*got = sizeof reply_body;
		p = reply_body;
	} else {
		*got = reply_grow(rp, size);
		p = malloc(*got);
	}
	if (p != NULL && rp->rsp.body_len > 0)
		memcpy(p, rp->rsp.body, (size_t)rp->rsp.body_len);
	return (p);
}

/* Have room for (more) bytes at the end of a body that is ours. */
static int
reply_room(struct sandbox_reply *rp, size_t more)
{
	size_t len, got;
	char *p;

	len = (size_t)rp->rsp.body_len;
	if (rp->body != NULL && more <= rp->body_size - len)
		return (0);
	if (len > rp->max_body || more > rp->max_body - len + 1)
		return (reply_fail(rp, "the body is larger than the limit"));
	if (rp->body == NULL || rp->body == rp->text ||
	    rp->body == reply_body)
		p = reply_move(rp, len + more, &got);
	else {
		got = reply_grow(rp, len + more);
		p = realloc(rp->body, got);
	}
	if (p == NULL)
		return (reply_fail_memory(rp));
	rp->rsp.body = rp->body = p;
	rp->body_size = got;
	return (0);
}

int
sandbox_write(struct sandbox_reply *rp, const void *ptr, size_t len)
{

	if (reply_room(rp, len) < 0)
		return (-1);
	if (len > 0)
		memcpy(rp->body + rp->rsp.body_len, ptr, len);
	rp->rsp.body_len += len;
	return (0);
}

int
sandbox_puts(struct sandbox_reply *rp, const char *str)
{

	return (sandbox_write(rp, str, strlen(str)));
}

static int SANDBOX_PRINTF(2, 0)
reply_vprintf(struct sandbox_reply *rp, const char *fmt, va_list ap)
{
	size_t room;
	va_list aq;
	int n;

	if (reply_room(rp, 1) < 0)
		return (-1);
	room = rp->body_size - (size_t)rp->rsp.body_len;
	va_copy(aq, ap);
	n = vsnprintf(rp->body + rp->rsp.body_len, room, fmt, aq);
	va_end(aq);
	if (n >= 0 && (size_t)n >= room) {
		room = (size_t)n + 1;
		if (reply_room(rp, room) < 0)
			return (-1);
		n = vsnprintf(rp->body + rp->rsp.body_len, room, fmt, ap);
	}
	if (n < 0)
		return (reply_fail_format(rp));
	rp->rsp.body_len += (size_t)n;
	return (0);
}

int
sandbox_printf(struct sandbox_reply *rp, const char *fmt, ...)
{
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = reply_vprintf(rp, fmt, ap);
	va_end(ap);
	return (r);
}

int
sandbox_fail(struct sandbox_reply *rp, unsigned status, const char *fmt, ...)
{
	va_list ap;

	reply_empty(rp);
	(void)sandbox_set_status(rp, status, NULL);
	(void)sandbox_add_header(rp, "Content-Type",
	    "text/plain; charset=utf-8");
	va_start(ap, fmt);
	(void)reply_vprintf(rp, fmt, ap);
	va_end(ap);
	(void)sandbox_puts(rp, "\n");
	return (-1);
}
