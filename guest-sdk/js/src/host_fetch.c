/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Fetches. What JavaScript starts in one turn is only listed here; it goes to
 * the host when there is nothing else to be done, all of it in one call.
 */

#include <errno.h>
#include <string.h>

#include "heap.h"
#include "host.h"

struct fetch {
	struct fetch		*next;
	double			id;
	struct sandbox_fetch_request rq[1];
	struct sandbox_fetch_response rsp[1];
};

static struct fetch *fetches;		/* the oldest first */
static double fetch_last_id;
static struct engine_value fetch_hook;

void
fetch_set_hook(struct engine_value f)
{

	fetch_hook = f;
}

int
fetch_is_pending(void)
{

	return (fetches != NULL);
}

/*--------------------------------------------------------------------
 * To the runtime
 */

static const char *
fetch_error(int error)
{
	static const struct {
		int		error;
		const char	*name;
	} names[] = {
		{ E2BIG, "E2BIG" },		{ EAGAIN, "EAGAIN" },
		{ EDQUOT, "EDQUOT" },		{ EFAULT, "EFAULT" },
		{ EINVAL, "EINVAL" },		{ ELOOP, "ELOOP" },
		{ EMSGSIZE, "EMSGSIZE" },	{ ENETDOWN, "ENETDOWN" },
		{ ENOMEM, "ENOMEM" },		{ ENOSYS, "ENOSYS" },
		{ EPERM, "EPERM" },		{ ETIMEDOUT, "ETIMEDOUT" },
		{ ECANCELED, "ECANCELED" },
	};
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].error == error)
			return (names[i].name);
	return ("EIO");
}

/* The response stays where it is until the request's end, and so does (f). */
static int
fetch_deliver(struct fetch *f)
{
	struct sandbox_fetch_response *rsp = f->rsp;
	struct engine_value v[7];
	const char *name;

	v[0] = engine_number(f->id);
	if (rsp->error != 0) {
		name = fetch_error((int)rsp->error);
		v[1] = engine_latin1(name, strlen(name), 0);
		return (engine_call(fetch_hook, 2, v, NULL));
	}
	v[1] = engine_null();
	v[2] = engine_number(rsp->status);
	v[3] = engine_latin1(rsp->reason.ptr, rsp->reason.len, 0);
	v[4] = headers_list(rsp->headers, rsp->n_headers);
	v[5] = rsp->body_len == 0 ? engine_null() :
	    engine_bytes_here((uint8_t *)(uintptr_t)rsp->body,
	    (size_t)rsp->body_len);
	v[6] = engine_bool((rsp->flags & SANDBOX_FETCH_HIT) != 0);
	return (engine_call(fetch_hook, 7, v, NULL));
}

/*--------------------------------------------------------------------
 * To the host
 */

/* All of them fail. */
static void
fetch_refuse(int error)
{
	struct fetch *f;

	for (f = fetches; f != NULL; f = f->next) {
		f->rsp->state = SANDBOX_FETCH_DONE;
		f->rsp->error = (uint32_t)error;
	}
}

/* No fetch may take us to where the host would stop us. */
static void
fetch_limit(struct fetch *f)
{
	int64_t left;

	if (f->rsp->state != SANDBOX_FETCH_NEW)
		return;
	left = request_deadline() - system_mono();
	if (left < 1)
		left = 1;
	if (f->rq->timeout_ns == 0 || f->rq->timeout_ns > left)
		f->rq->timeout_ns = left;
}

static void
fetch_exchange(unsigned wait_for)
{
	struct sandbox_fetch *list;
	struct fetch *f;
	unsigned n;

	if (request_now() == NULL) {
		fetch_refuse(ENETDOWN);
		return;
	}
	for (n = 0, f = fetches; f != NULL; f = f->next)
		n++;
	list = heap_alloc(n * sizeof *list);
	if (list == NULL) {
		fetch_refuse(ENOMEM);
		return;
	}
	for (n = 0, f = fetches; f != NULL; f = f->next, n++) {
		fetch_limit(f);
		list[n].request = f->rq;
		list[n].response = f->rsp;
	}
	if (sandbox_fetch_many(list, n, wait_for) < 0)
		fetch_refuse(errno);
	heap_free(list);
}

int
fetch_run(int wait)
{
	struct fetch *f, **fp;
	int n;

	if (fetches == NULL)
		return (0);
	fetch_exchange(wait ? 1 : 0);
	for (n = 0, fp = &fetches; (f = *fp) != NULL;) {
		if (f->rsp->state != SANDBOX_FETCH_DONE) {
			fp = &f->next;
			continue;
		}
		*fp = f->next;
		n++;
		if (fetch_deliver(f) < 0 || engine_jobs() < 0)
			return (-1);
		/* What it started or gave up may have changed the list. */
		fp = &fetches;
	}
	return (n);
}

/*--------------------------------------------------------------------
 * What JavaScript calls
 */

static int
fetch_string(struct engine_call *c, int i, struct sandbox_str *s)
{
	size_t len;

	s->ptr = engine_arg_latin1(c, i, &len);
	s->len = (uint32_t)len;
	return (s->ptr == NULL ? -1 : 0);
}

static int
fetch_take_headers(struct engine_call *c, struct sandbox_fetch_request *rq)
{
	struct sandbox_header *h;
	uint32_t i, n;
	size_t len;

	if (engine_arg_is_null(c, 3))
		return (0);
	if (engine_arg_list(c, 3, &n) < 0)
		return (-1);
	if (n / 2 > SANDBOX_MAX_HEADERS) {
		engine_throw(c, "a request can have %d headers",
		    SANDBOX_MAX_HEADERS);
		return (-1);
	}
	h = heap_alloc((n / 2 + 1) * sizeof *h);
	if (h == NULL) {
		engine_throw(c, "out of memory");
		return (-1);
	}
	memset(h, 0, (n / 2 + 1) * sizeof *h);
	for (i = 0; i < n / 2; i++) {
		h[i].name.ptr = engine_arg_list_latin1(c, 3, 2 * i, &len);
		if (h[i].name.ptr == NULL)
			return (-1);
		h[i].name.len = (uint32_t)len;
		h[i].value.ptr =
		    engine_arg_list_latin1(c, 3, 2 * i + 1, &len);
		if (h[i].value.ptr == NULL)
			return (-1);
		h[i].value.len = (uint32_t)len;
	}
	rq->headers = h;
	rq->n_headers = n / 2;
	return (0);
}

/* Bytes are copied: JavaScript may change or free them before they are
 * sent. */
static int
fetch_take_body(struct engine_call *c, struct sandbox_fetch_request *rq)
{
	uint8_t *p, *copy;
	size_t len;

	if (engine_arg_is_null(c, 4))
		return (0);
	if (engine_arg_is_text(c, 4)) {
		rq->body = engine_arg_text(c, 4, &len);
		rq->body_len = len;
		return (rq->body == NULL ? -1 : 0);
	}
	if (engine_arg_bytes(c, 4, &p, &len) < 0)
		return (-1);
	copy = heap_alloc(len + 1);
	if (copy == NULL) {
		engine_throw(c, "out of memory");
		return (-1);
	}
	if (len > 0)
		memcpy(copy, p, len);
	rq->body = copy;
	rq->body_len = len;
	return (0);
}

static int
fetch_take(struct engine_call *c, struct sandbox_fetch_request *rq)
{
	double max_body, ms;

	if (fetch_string(c, 0, &rq->method) < 0 ||
	    fetch_string(c, 1, &rq->url) < 0 ||
	    (!engine_arg_is_null(c, 2) && fetch_string(c, 2, &rq->host) < 0))
		return (-1);
	if (fetch_take_headers(c, rq) < 0 || fetch_take_body(c, rq) < 0 ||
	    engine_arg_number(c, 5, &max_body) < 0 ||
	    engine_arg_number(c, 6, &ms) < 0)
		return (-1);
	if (max_body > 0)
		rq->max_body = max_body < 1e15 ? (uint64_t)max_body :
		    UINT64_C(1000000000000000);
	if (ms > 0)
		rq->timeout_ns = ms < 1e9 ? (int64_t)(ms * 1e6) + 1 :
		    INT64_C(1000000000000000);
	return (0);
}

static void
fetch_start(struct engine_call *c)
{
	struct fetch *f, **fp;

	f = heap_alloc(sizeof *f);
	if (f == NULL) {
		engine_throw(c, "out of memory");
		return;
	}
	memset(f, 0, sizeof *f);
	sandbox_fetch_init(f->rq, f->rsp, "/");
	if (fetch_take(c, f->rq) < 0)
		return;
	f->id = ++fetch_last_id;
	for (fp = &fetches; *fp != NULL;)
		fp = &(*fp)->next;
	*fp = f;
	engine_return(c, engine_number(f->id));
}

static void
fetch_cancel(struct engine_call *c)
{
	struct fetch *f, **fp;
	double id;

	if (engine_arg_number(c, 0, &id) < 0)
		return;
	for (fp = &fetches; (f = *fp) != NULL; fp = &f->next)
		if (f->id == id) {
			*fp = f->next;
			(void)sandbox_fetch_cancel(f->rsp);
			return;
		}
}

const struct engine_func host_fetch[] = {
	{ "fetchStart",		fetch_start,		7 },
	{ "fetchCancel",	fetch_cancel,		1 },
};
const size_t host_fetch_n = sizeof host_fetch / sizeof host_fetch[0];
