/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guests that fetch, and the sub-requests that fetch for them: src/vmod/fetch.c
 * and loops.c, with all that Varnish does left out but the order in which it
 * happens, which is the input. A byte says what happens next, and some that
 * follow to whom and how:
 *
 *	a guest begins, starts a fetch, waits, looks at an answer, gives a
 *	fetch up, ends; a sub-request gets a thread, goes on a waiting list, is
 *	parked, is woken, reads its body, delivers, fails, is over; time passes
 *
 * A model beside it says what has to come of it: who waits for whom, what an
 * answer has in it, how many are left behind.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "sandbox_abi.h"
#include "vtim.h"

#include "base/os.h"
#include "vmod/fetch.h"
#include "vmod/vsbx.h"

#include "fakekvm.h"
#include "fuzz.h"

#define GUESTS			4
#define SUBS			24
#define FIELDS			12
#define MS			INT64_C(1000000)

enum sub_e {
	SUB_NONE,
	SUB_QUEUED,
	SUB_RUNS,
	SUB_LISTED,		/* on the waiting list, its thread not back */
	SUB_WOKEN,		/* and woken meanwhile */
	SUB_PARKED,
};

/* A sub-request, and what its answer has to be. */
struct sub {
	enum sub_e		state;
	struct sbx_fetch	*f;
	struct guest		*g;
	struct sess		sess[1];
	struct vsbx_origin	*origin;
	int			held;		/* the guest wants it */
	int			ended, error;
	int			has_head;
	unsigned		status, n_headers;
	uint64_t		body;		/* bytes delivered */
	uint64_t		max_body;
	uint8_t			object;		/* parked on */
};

struct guest {
	int			lives;
	struct vsbx_guest	g[1];
	struct busyobj		bo[1];
	struct objcore		oc[1];
	struct sess		client[1];
	struct worker		wrk[1];
	int			shared, alone, gone, in_wait;
	uint8_t			object;
};

static struct vmod_sandbox_program fetch_prg;
static struct guest fetch_guest[GUESTS];
static struct sub fetch_sub[SUBS];
static const uint8_t *fetch_p, *fetch_e;
static int fetch_start_how;
static struct sub *fetch_starting;

int __wrap_pthread_cond_timedwait(pthread_cond_t *, pthread_mutex_t *,
    const struct timespec *);

static unsigned
next(void)
{

	return (fetch_p < fetch_e ? *fetch_p++ : 0);
}

/*--------------------------------------------------------------------
 * What Varnish does
 */

void
VSLb(struct vsl_log *vsl, enum VSL_tag_e tag, const char *fmt, ...)
{

	(void)vsl;
	(void)tag;
	(void)fmt;
	WRONG("a line that is not a fetch's");
}

/* src/vmod/log.c: the line of a fetch that is over. */
void
VSLbt(struct vsl_log *vsl, enum VSL_tag_e tag, txt t)
{
	const char *p;

	AN(vsl);
	assert(tag == SLT_VCL_Log);
	assert(t.e - t.b < 1100);
	assert(!strncmp(t.b, "sandbox app fetch: xid=", 23));
	for (p = t.b; p < t.e; p++)
		assert(*p >= ' ' && *p < 0x7f);
}

vtim_real
VTIM_real(void)
{

	return ((double)fake.now * 1e-9);
}

void
VTIM_sleep(vtim_dur t)
{

	fake.now += (int64_t)(t * 1e9);
}

static struct sub *
sub_of(const struct sess *sp)
{
	unsigned u;

	for (u = 0; u < SUBS; u++)
		if (sp == fetch_sub[u].sess)
			return (&fetch_sub[u]);
	return (NULL);
}

static struct guest *
guest_of(const struct busyobj *bo)
{
	unsigned u;

	for (u = 0; u < GUESTS; u++)
		if (bo == fetch_guest[u].bo)
			return (&fetch_guest[u]);
	WRONG("a busyobj");
}

const struct vsbx_origin *
vsbx_subreq_origin(const struct sess *sp)
{
	const struct sub *s;

	s = sub_of(sp);
	return (s == NULL ? NULL : s->origin);
}

int
vsbx_subreq_is_alone(const struct busyobj *bo)
{

	return (guest_of(bo)->alone || vsbx_subreq_origin(bo->sp) != NULL);
}

int
vsbx_subreq_client_gone(const struct busyobj *bo)
{

	if (vsbx_subreq_origin(bo->sp) != NULL)
		return (vsbx_fetch_is_dropped(bo->sp));
	return (guest_of(bo)->gone);
}

/* As subreq.c does it: E2BIG before there is a session, and after; no place in
 * the queue; or all is well. */
int
vsbx_subreq_start(struct busyobj *bo, struct sbx_fetch *f,
    const struct sbx_fetch_request *rq)
{
	struct sub *s = fetch_starting;
	struct vsbx_origin *o;

	AN(bo);
	AN(rq);
	AN(s);
	if (fetch_start_how == 1)
		return (E2BIG);
	vsbx_fetch_name(f, s->sess);
	if (fetch_start_how == 2)
		return (E2BIG);
	if (fetch_start_how == 3) {
		while (vsbx_fetch_try_again(f))
			continue;
		return (EAGAIN);
	}
	o = calloc(1, sizeof *o + 4);
	AN(o);
	o->magic = VSBX_ORIGIN_MAGIC;
	o->depth = f->depth;
	o->deadline = f->deadline;
	s->origin = o;
	s->f = f;
	s->state = SUB_QUEUED;
	return (0);
}

/*--------------------------------------------------------------------
 * The model
 */

static unsigned
model_left(void)
{
	unsigned u, n = 0;

	for (u = 0; u < SUBS; u++)
		n += fetch_sub[u].state != SUB_NONE && !fetch_sub[u].held;
	return (n);
}

static unsigned
model_subs(void)
{
	unsigned u, n = 0;

	for (u = 0; u < SUBS; u++)
		n += fetch_sub[u].state != SUB_NONE;
	return (n);
}

/* Does (s) wait for (g), directly? */
static int
model_waits(const struct sub *s, const struct guest *g)
{

	if (!g->lives || g->g->fetches == NULL)
		return (0);
	if (s->state == SUB_PARKED)
		return (g->shared && g->object == s->object);
	if (s->state == SUB_QUEUED || s->state == SUB_NONE)
		return (0);
	return (!g->bo->is_bgfetch && g->bo->sp == s->sess);
}

/* Does (s) wait for the guest whose fetch it is? */
static int
model_loops(const struct sub *s)
{
	int seen[GUESTS] = { 0 }, more = 1;
	const struct sub *t;
	unsigned u, v;

	for (u = 0; u < GUESTS; u++)
		seen[u] = model_waits(s, &fetch_guest[u]);
	while (more) {
		more = 0;
		for (v = 0; v < SUBS; v++) {
			t = &fetch_sub[v];
			if (t->state == SUB_NONE || t->ended || !t->g->lives ||
			    !seen[t->g - fetch_guest])
				continue;
			for (u = 0; u < GUESTS; u++)
				if (!seen[u] &&
				    model_waits(t, &fetch_guest[u]))
					seen[u] = more = 1;
		}
	}
	return (s->g->lives && seen[s->g - fetch_guest]);
}

static void
model_check(void)
{
	uint64_t all, left;

	vsbx_fetch_count(&fetch_prg, &all, &left);
	assert(all == model_subs());
	assert(left == model_left());
}

static void
model_ended(struct sub *s, int error)
{

	if (s->ended)
		return;
	s->ended = 1;
	s->error = error;
}

/*--------------------------------------------------------------------
 * Sub-requests
 */

static struct sub *
sub_pick(enum sub_e state)
{
	struct sub *s;

	s = &fetch_sub[next() % SUBS];
	return (s->state == state ? s : NULL);
}

/* Its session is somebody's, too. */
static int
sub_is_free(const struct sub *s)
{
	unsigned u;

	if (s->state != SUB_NONE || s->held)
		return (0);
	for (u = 0; u < GUESTS; u++)
		if (fetch_guest[u].lives && fetch_guest[u].bo->sp == s->sess)
			return (0);
	return (1);
}

static void
sub_over(struct sub *s)
{
	struct sbx_fetch *f = s->f;

	vsbx_fetch_over(&f);
	AZ(f);
	model_ended(s, EIO);
	s->state = SUB_NONE;
	AZ(vsbx_loops_find_fetch(s->sess));
}

static void
sub_run(struct sub *s)
{
	int i;

	i = vsbx_fetch_run(s->f);
	/* its guest may have lost its patience */
	if (i != 0)
		model_ended(s, EAGAIN);
	AN(i != 0 || !s->ended);
	s->state = SUB_RUNS;
	if (i != 0)
		sub_over(s);
}

static void
sub_park(struct sub *s)
{
	uint8_t digest[DIGEST_LEN] = { 0 };
	int loops;

	s->object = digest[0] = (uint8_t)(next() % 4);
	if (s->state == SUB_WOKEN) {
		assert(vsbx_fetch_park(s->f, digest) == -1);
		s->state = SUB_RUNS;
		return;
	}
	s->state = SUB_PARKED;
	loops = model_loops(s);
	AZ(vsbx_fetch_park(s->f, digest));
	if (loops)
		model_ended(s, ELOOP);
}

static void
sub_wake(struct sub *s)
{
	int i;

	i = vsbx_fetch_wake(s->f);
	assert((i == 0) == (s->state == SUB_PARKED));
	s->state = i == 0 ? SUB_RUNS : SUB_WOKEN;
}

static int
sub_is_hop(const char *b)
{

	return (b[0] == 'T' && b[1] == 'E' && b[2] == ':');
}

static void
sub_head(struct sub *s)
{
	static const char * const text[] = {
		"A: b", "Name:value", "X:", "TE: trailers", "Long-Name: \t  x",
		"no colon", "Empty:   ", "B: c: d",
	};
	txt hd[HTTP_HDR_FIRST + FIELDS];
	struct http hp[1];
	unsigned u, k, n = 0;
	int i;

	INIT_OBJ(hp, HTTP_MAGIC);
	memset(hd, 0, sizeof hd);
	hp->hd = hd;
	hp->shd = HTTP_HDR_FIRST + FIELDS;
	hp->status = (uint16_t)(200 + next() * 5);
	hp->nhd = (uint16_t)(HTTP_HDR_FIRST + next() % FIELDS);
	hd[HTTP_HDR_REASON].b = "Fine";
	hd[HTTP_HDR_REASON].e = hd[HTTP_HDR_REASON].b + 4;
	if (next() & 1)
		hd[HTTP_HDR_REASON].b = hd[HTTP_HDR_REASON].e = NULL;
	for (u = HTTP_HDR_FIRST; u < hp->nhd; u++) {
		k = next();
		if (k == 255)
			continue;
		hd[u].b = text[k % 8];
		hd[u].e = hd[u].b + strlen(hd[u].b);
		n += strchr(hd[u].b, ':') != NULL && !sub_is_hop(hd[u].b);
	}
	i = vsbx_fetch_head(s->f, hp);
	assert(i == (s->ended || s->has_head ? ECANCELED : 0));
	if (i != 0)
		return;
	s->has_head = 1;
	s->status = hp->status % 1000;
	s->n_headers = n;
}

static void
sub_bytes(struct sub *s)
{
	uint8_t b[300];
	size_t l, u;
	int i;

	l = next() + (next() & 1 ? 45 : 0);
	for (u = 0; u < l; u++)
		b[u] = (uint8_t)((s->body + u) * 7);
	/* subreq.c asks first, and delivers from one thread */
	if (s->ended && s->held)
		return;
	i = vsbx_fetch_bytes(s->f, b, l);
	assert(i == (!s->held ? ECANCELED : l > s->max_body - s->body ?
	    EMSGSIZE : 0));
	if (i == 0)
		s->body += l;
}

static void
sub_read(struct sub *s)
{
	uint8_t b[64];
	uint64_t off = s->f->body_off;
	size_t l, u;

	l = vsbx_fetch_read(s->f, b, next() % sizeof b);
	for (u = 0; u < l; u++)
		assert(b[u] == (uint8_t)((off + u) * 3));
	assert(s->f->body_off == off + l);
	assert(s->f->body_off <= s->f->body_len);
}

static void
sub_end(struct sub *s)
{
	static const int errors[] = { 0, 0, 0, EIO, EMSGSIZE, E2BIG };
	int e = errors[next() % 6];

	vsbx_fetch_end(s->f, e);
	model_ended(s, e);
}

static int
sub_op(unsigned op)
{
	struct sub *s;

	switch (op) {
	case 0:
		s = sub_pick(SUB_QUEUED);
		if (s != NULL)
			sub_run(s);
		return (1);
	case 1:
		s = sub_pick(SUB_RUNS);
		if (s != NULL)
			s->state = SUB_LISTED;
		return (1);
	case 2:
		s = &fetch_sub[next() % SUBS];
		if (s->state == SUB_LISTED || s->state == SUB_WOKEN)
			sub_park(s);
		return (1);
	case 3:
		s = &fetch_sub[next() % SUBS];
		if (s->state == SUB_LISTED || s->state == SUB_PARKED)
			sub_wake(s);
		return (1);
	case 9:
		fake.now += INT64_C(1) << next() % 32;
		return (1);
	default:
		break;
	}
	if (op > 8)
		return (0);
	s = sub_pick(SUB_RUNS);
	if (s == NULL)
		return (1);
	switch (op) {
	case 4:
		sub_head(s);
		break;
	case 5:
		sub_bytes(s);
		break;
	case 6:
		sub_read(s);
		break;
	case 7:
		sub_end(s);
		break;
	default:
		sub_over(s);
		break;
	}
	return (1);
}

/* A guest sleeps: others do something, or time passes. */
int
__wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mtx,
    const struct timespec *ts)
{
	int64_t until = ts->tv_sec * INT64_C(1000000000) + ts->tv_nsec;

	AN(cond);
	assert(mtx == &vsbx_fetch_mtx);
	AZ(pthread_mutex_unlock(mtx));
	if (fetch_p < fetch_e)
		(void)sub_op(next() % 10);
	else
		fake.now = until;
	AZ(pthread_mutex_lock(mtx));
	return (fake.now >= until ? ETIMEDOUT : 0);
}

/*--------------------------------------------------------------------
 * Guests
 */

static void
guest_begin(struct guest *g)
{
	unsigned how = next();
	struct sub *s;

	memset(g, 0, sizeof *g);
	g->lives = 1;
	INIT_OBJ(g->bo, BUSYOBJ_MAGIC);
	INIT_OBJ(g->oc, OBJCORE_MAGIC);
	INIT_OBJ(g->client, SESS_MAGIC);
	INIT_OBJ(g->wrk, WORKER_MAGIC);
	INIT_OBJ(g->g, VSBX_GUEST_MAGIC);
	g->shared = how & 1;
	g->alone = how >> 1 & 1;
	g->bo->is_bgfetch = how >> 2 & 1;
	g->object = g->bo->digest[0] = how >> 3 & 3;
	if (!g->shared)
		g->oc->flags |= OC_F_PRIVATE;
	g->bo->fetch_objcore = g->oc;
	g->bo->wrk = g->wrk;
	g->bo->sp = g->client;
	/* for a sub-request that runs: its session's */
	if (how >> 5 & 1) {
		s = sub_pick(SUB_RUNS);
		if (s != NULL)
			g->bo->sp = s->sess;
	}
	g->g->bo = g->bo;
	g->g->prg = &fetch_prg;
	g->g->deadline = fake.now + 1000 * MS;
}

static void
guest_start(struct guest *g)
{
	struct sbx_fetch_request rq;
	struct sbx_fetch *f = NULL;
	uint8_t body[256];
	struct sub *s;
	unsigned u;
	int i;

	s = &fetch_sub[next() % SUBS];
	if (!sub_is_free(s))
		return;
	free(s->origin);
	memset(s, 0, sizeof *s);
	INIT_OBJ(s->sess, SESS_MAGIC);
	s->g = g;
	memset(&rq, 0, sizeof rq);
	rq.method = (struct sbx_txt){ "GET", 3 };
	rq.url = (struct sbx_txt){ "/a/rather/long/url", 1 + next() % 18 };
	rq.body_len = next();
	rq.body = body;
	for (u = 0; u < rq.body_len; u++)
		body[u] = (uint8_t)(u * 3);
	s->max_body = rq.max_body = next() * 8;
	fetch_starting = s;
	fetch_start_how = (int)(next() % 16);
	i = vsbx_fetch_start(g->g, &rq, &f);
	assert((i == 0) == (f != NULL));
	if (i == 0) {
		assert(f == s->f);
		assert(fetch_start_how == 0 || fetch_start_how > 3);
		s->held = 1;
		assert(f->depth <= fetch_prg.max_fetch_depth);
	} else
		assert(i == E2BIG || i == EAGAIN || i == ELOOP);
}

static unsigned
guest_fetches(const struct guest *g, struct sub **list)
{
	unsigned u, n = 0;

	for (u = 0; u < SUBS; u++)
		if (fetch_sub[u].held && fetch_sub[u].g == g)
			list[n++] = &fetch_sub[u];
	return (n);
}

static void
guest_answer(const struct guest *g, struct sub *s)
{
	const struct sbx_fetch_answer *a;
	const uint8_t *b;
	uint64_t u;

	a = vsbx_fetch_answer((void *)(uintptr_t)g->g, s->f);
	if (a == NULL) {
		assert(!s->ended);
		return;
	}
	/* it may have run out of patience for want of a thread */
	if (!s->ended) {
		assert(s->state == SUB_QUEUED);
		assert(a->error == EAGAIN);
		model_ended(s, EAGAIN);
	}
	assert(a->error == s->error);
	if (a->error != 0)
		return;
	assert(a->body_len == s->body);
	b = a->body;
	for (u = 0; u < a->body_len; u++)
		assert(b[u] == (uint8_t)(u * 7));
	if (!s->has_head)
		return;
	assert(a->status == s->status);
	assert(a->n_headers == s->n_headers);
	for (u = 0; u < a->n_headers; u++) {
		assert(a->headers[u].name.l > 0);
		AZ(memchr(a->headers[u].name.b, ':', a->headers[u].name.l));
		assert(a->headers[u].value.l == 0 ||
		    (a->headers[u].value.b[0] != ' ' &&
		    a->headers[u].value.b[0] != '\t'));
	}
}

static void
guest_wait(struct guest *g)
{
	struct sub *list[SUBS];
	struct sbx_fetch *f[SUBS];
	unsigned u, n, ended = 0;
	int i;

	n = guest_fetches(g, list);
	if (n == 0)
		return;
	for (u = 0; u < n; u++)
		f[u] = list[u]->f;
	g->in_wait = 1;
	i = vsbx_fetch_wait(g->g, f, n, next() % (n + 1),
	    fake.now + (int64_t)next() * MS);
	g->in_wait = 0;
	for (u = 0; u < n; u++) {
		guest_answer(g, list[u]);
		ended += (unsigned)list[u]->ended;
	}
	if (i < 0)
		assert(vsbx_subreq_client_gone(g->bo));
	else
		assert((unsigned)i <= ended);
}

static void
guest_drop(struct guest *g, struct sub *s)
{
	struct sbx_fetch *f = s->f;

	guest_answer(g, s);
	vsbx_fetch_drop(g->g, &f);
	AZ(f);
	model_ended(s, EIO);
	s->held = 0;
	if (s->state == SUB_NONE)
		s->f = NULL;
}

static void
guest_end(struct guest *g)
{
	struct sub *list[SUBS];
	unsigned n;

	n = guest_fetches(g, list);
	while (n > 0)
		guest_drop(g, list[--n]);
	vsbx_guest_end(g->g);
	AZ(g->g->fetches);
	g->lives = 0;
}

static void
guest_op(unsigned op)
{
	struct guest *g = &fetch_guest[next() % GUESTS];
	struct sub *list[SUBS];
	unsigned n;

	if (op == 10) {
		if (!g->lives)
			guest_begin(g);
		return;
	}
	if (!g->lives)
		return;
	n = guest_fetches(g, list);
	switch (op) {
	case 11:
	case 12:
		guest_start(g);
		break;
	case 13:
		guest_wait(g);
		break;
	case 14:
		if (n > 0)
			guest_drop(g, list[next() % n]);
		break;
	default:
		g->gone = next() & 1;
		if (next() & 1)
			guest_end(g);
		break;
	}
}

/* Everybody comes to an end. */
static void
finish(void)
{
	unsigned u;

	for (u = 0; u < GUESTS; u++)
		if (fetch_guest[u].lives)
			guest_end(&fetch_guest[u]);
	for (u = 0; u < SUBS; u++) {
		if (fetch_sub[u].state == SUB_QUEUED)
			sub_run(&fetch_sub[u]);
		if (fetch_sub[u].state == SUB_PARKED)
			sub_wake(&fetch_sub[u]);
		if (fetch_sub[u].state == SUB_LISTED ||
		    fetch_sub[u].state == SUB_WOKEN) {
			sub_park(&fetch_sub[u]);
			if (fetch_sub[u].state == SUB_PARKED)
				sub_wake(&fetch_sub[u]);
		}
		if (fetch_sub[u].state == SUB_RUNS)
			sub_over(&fetch_sub[u]);
		assert(fetch_sub[u].state == SUB_NONE);
		free(fetch_sub[u].origin);
		fetch_sub[u].origin = NULL;
	}
	model_check();
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char name[] = "app";

	(void)argc;
	(void)argv;
	fake.now = 1000 * MS;
	fetch_prg.magic = VSBX_PROGRAM_MAGIC;
	fetch_prg.name = name;
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{
	unsigned op;

	fetch_p = b;
	fetch_e = b + l;
	memset(fetch_sub, 0, sizeof fetch_sub);
	memset(fetch_guest, 0, sizeof fetch_guest);
	fetch_prg.max_vms = 1 + next() % 4;
	fetch_prg.max_fetches = next() % 8;
	fetch_prg.max_fetch_depth = 1 + next() % 4;
	while (fetch_p < fetch_e) {
		op = next() % 16;
		if (!sub_op(op))
			guest_op(op);
		model_check();
	}
	finish();
	return (0);
}
