/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Fetching through Varnish.
 *
 * The host writes a response into memory of ours, if it fits. So each response
 * gets a share of an arena, which is static, costs nothing until it is written
 * to, and is only there in programs that fetch. What does not fit is held by
 * the host, which says how much it needs: then malloc(), and ask again. When
 * the arena has been used up there is another one from malloc().
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk.h"

#define FETCH_ARENA		(512 * 1024)
#define FETCH_ALIGN		16

/* Below this a new one is better than the rest of the old one. */
#define FETCH_ARENA_LOW		(FETCH_ARENA / 4)

/* Where we are in the arena is on its first page, which is written to anyhow.
 * All of it is zero when a request begins. */
static struct {
	size_t			used;
	char			*more;		/* from malloc(), or NULL */
	char			bytes[FETCH_ARENA - 2 * FETCH_ALIGN];
} __attribute__((__aligned__(4096))) fetch_arena;

static char *
arena_base(void)
{

	return (fetch_arena.more != NULL ? fetch_arena.more :
	    fetch_arena.bytes);
}

static int
arena_has(const char *p)
{

	return (p >= arena_base() &&
	    p < arena_base() + sizeof fetch_arena.bytes);
}

/* How many bytes are left, in a new arena if there are few. */
static size_t
arena_left(void)
{
	size_t left;
	char *p;

	left = sizeof fetch_arena.bytes - fetch_arena.used;
	if (left >= FETCH_ARENA_LOW)
		return (left);
	p = malloc(sizeof fetch_arena.bytes);
	if (p == NULL)
		return (left);
	fetch_arena.more = p;
	fetch_arena.used = 0;
	return (sizeof fetch_arena.bytes);
}

/* The next ones begin behind this response. */
static void
arena_keep(const struct sandbox_fetch_response *rsp)
{
	const char *end;
	size_t used;

	/* the body's NUL is the last byte, the reason's comes before it */
	if (rsp->body != NULL)
		end = rsp->body + rsp->body_len + 1;
	else
		end = rsp->reason.ptr + rsp->reason.len + 2;
	used = (size_t)(end - arena_base());
	used = (used + FETCH_ALIGN - 1) & ~(size_t)(FETCH_ALIGN - 1);
	if (used > sizeof fetch_arena.bytes)
		used = sizeof fetch_arena.bytes;
	if (used > fetch_arena.used)
		fetch_arena.used = used;
}

/* (size) bytes for one, or NULL. */
static char *
arena_take(size_t size)
{
	char *p;

	if (size > sizeof fetch_arena.bytes - fetch_arena.used)
		return (malloc(size));
	p = arena_base() + fetch_arena.used;
	size = (size + FETCH_ALIGN - 1) & ~(size_t)(FETCH_ALIGN - 1);
	fetch_arena.used += size;
	return (p);
}

static int
arena_wants(const struct sandbox_fetch_response *rsp)
{

	return (rsp->space == NULL && rsp->state != SANDBOX_FETCH_DONE);
}

/* Give those that have no space a share each. */
static void
arena_lend(const struct sandbox_fetch *list, unsigned n)
{
	struct sandbox_fetch_response *rsp;
	size_t share;
	unsigned i, k;
	char *p;

	for (i = k = 0; i < n; i++)
		k += arena_wants(list[i].response);
	if (k == 0)
		return;
	share = arena_left() / k & ~(size_t)(FETCH_ALIGN - 1);
	p = arena_base() + fetch_arena.used;
	for (i = 0; i < n; i++) {
		rsp = list[i].response;
		if (!arena_wants(rsp))
			continue;
		rsp->space = p;
		rsp->space_len = share;
		p += share;
	}
}

/* Take back what was lent: what is not used yet can be another one's. */
static void
arena_return(const struct sandbox_fetch *list, unsigned n)
{
	struct sandbox_fetch_response *rsp;
	unsigned i;

	for (i = 0; i < n; i++) {
		rsp = list[i].response;
		if (!arena_has(rsp->space))
			continue;
		if (rsp->state == SANDBOX_FETCH_DONE && rsp->error == 0) {
			arena_keep(rsp);
			continue;
		}
		rsp->space = NULL;
		rsp->space_len = 0;
	}
}

/*--------------------------------------------------------------------
 * Calls
 */

/* Outside of a sandbox. They fail as they do in the rehearsal. */
static void
fetch_nobody(const struct sandbox_fetch *list, unsigned n)
{
	static int said;
	unsigned i;

	if (!said)
		(void)fprintf(stderr, "sandbox: there is none around this"
		    " program and nobody to fetch from: fetches fail with"
		    " ENETDOWN\n");
	said = 1;
	for (i = 0; i < n; i++) {
		list[i].response->state = SANDBOX_FETCH_DONE;
		list[i].response->error = ENETDOWN;
	}
}

/* One call. Returns 0, or -1 with errno set. */
static int
fetch_call(const struct sandbox_fetch *list, unsigned n, unsigned wait_for)
{
	long r;

	arena_lend(list, n);
	r = sdk_call(SANDBOX_CALL_FETCH, (long)list, n, wait_for);
	if (r < 0 && r >= -4095 && sdk_is_outside()) {
		fetch_nobody(list, n);
		r = 0;
	}
	arena_return(list, n);
	if (r >= 0)
		return (0);
	errno = (int)-r;
	return (-1);
}

/* Find memory for those that are held. Returns how many there are. Those for
 * which there is none are given up. */
static unsigned
fetch_find(const struct sandbox_fetch *list, unsigned n)
{
	struct sandbox_fetch_response *rsp;
	unsigned i, held;

	for (i = held = 0; i < n; i++) {
		rsp = list[i].response;
		if (rsp->state != SANDBOX_FETCH_HELD)
			continue;
		rsp->space = arena_take((size_t)rsp->need);
		rsp->space_len = rsp->need;
		if (rsp->space != NULL)
			held++;
		else if (sandbox_fetch_cancel(rsp) == 0)
			rsp->error = ENOMEM;
	}
	return (held);
}

/* Up to SANDBOX_MAX_FETCH, none of them done. */
static int
fetch_batch(const struct sandbox_fetch *list, unsigned n, unsigned wait_for)
{

	if (fetch_call(list, n, wait_for) < 0)
		return (-1);
	while (fetch_find(list, n) > 0)
		if (fetch_call(list, n, wait_for) < 0)
			return (-1);
	return (0);
}

/* As many as can be listed and are not done go to (batch), those that run
 * already first. */
static unsigned
fetch_pick(const struct sandbox_fetch *list, unsigned n,
    struct sandbox_fetch *batch, unsigned *done)
{
	unsigned i, k;

	for (i = k = *done = 0; i < n; i++)
		if (list[i].response->state == SANDBOX_FETCH_DONE)
			(*done)++;
		else if (list[i].response->state != SANDBOX_FETCH_NEW &&
		    k < SANDBOX_MAX_FETCH)
			batch[k++] = list[i];
	for (i = 0; i < n && k < SANDBOX_MAX_FETCH; i++)
		if (list[i].response->state == SANDBOX_FETCH_NEW)
			batch[k++] = list[i];
	return (k);
}

int
sandbox_fetch_many(const struct sandbox_fetch *list, unsigned n,
    unsigned wait_for)
{
	struct sandbox_fetch batch[SANDBOX_MAX_FETCH];
	unsigned k, want, done;

	if (wait_for > n) {
		errno = EINVAL;
		return (-1);
	}
	k = fetch_pick(list, n, batch, &done);
	while (k > 0) {
		want = wait_for > done ? wait_for - done : 0;
		if (fetch_batch(batch, k, want < k ? want : k) < 0)
			return (-1);
		k = fetch_pick(list, n, batch, &done);
		if (done >= wait_for)
			break;
	}
	return ((int)done);
}

int
sandbox_fetch(const struct sandbox_fetch_request *rq,
    struct sandbox_fetch_response *rsp)
{
	struct sandbox_fetch one[1];

	one->request = rq;
	one->response = rsp;
	if (sandbox_fetch_many(one, 1, 1) < 0)
		return (-1);
	if (rsp->error == 0)
		return (0);
	errno = (int)rsp->error;
	return (-1);
}

int
sandbox_fetch_cancel(struct sandbox_fetch_response *rsp)
{
	struct sandbox_fetch one[1];

	if (rsp->state == SANDBOX_FETCH_DONE)
		return (0);
	if (rsp->state == SANDBOX_FETCH_NEW) {
		rsp->state = SANDBOX_FETCH_DONE;
		rsp->error = ECANCELED;
		return (0);
	}
	rsp->state = SANDBOX_FETCH_CANCEL;
	one->request = NULL;
	one->response = rsp;
	return (fetch_call(one, 1, 0));
}

/*--------------------------------------------------------------------
 * Before and after
 */

struct sandbox_str
sandbox_text(const char *str)
{
	struct sandbox_str s;

	s.ptr = str;
	s.len = (uint32_t)strlen(str);
	s.reserved = 0;
	return (s);
}

struct sandbox_header
sandbox_make_header(const char *name, const char *value)
{
	struct sandbox_header h;

	h.name = sandbox_text(name);
	h.value = sandbox_text(value);
	return (h);
}

void
sandbox_fetch_init(struct sandbox_fetch_request *rq,
    struct sandbox_fetch_response *rsp, const char *url)
{

	memset(rq, 0, sizeof *rq);
	rq->size = sizeof *rq;
	rq->url = sandbox_text(url);
	memset(rsp, 0, sizeof *rsp);
	rsp->size = sizeof *rsp;
}

const char *
sandbox_fetch_nth_header(const struct sandbox_fetch_response *rsp,
    const char *name, unsigned nth)
{

	return (sdk_nth_header(rsp->headers, rsp->n_headers, name, nth));
}

const char *
sandbox_fetch_header(const struct sandbox_fetch_response *rsp,
    const char *name)
{

	return (sandbox_fetch_nth_header(rsp, name, 0));
}
