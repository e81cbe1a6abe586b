/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The guest's side of a fetch: what the core calls while a guest runs, and
 * what the sub-request calls to bring an answer. fetch.h says who owns what.
 *
 * A sub-request whose guest does not wait any more is left behind: it goes on
 * like that of a client who has hung up, until its backend has answered or
 * Varnish has had enough of it, and keeps its threads that long. So that a
 * slow backend can not collect them all, a program may leave as many behind as
 * all of its VMs may wait for at the same time; then its fetches fail until
 * some of them are over.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/cache.h"

#include "sandbox_abi.h"
#include "vtim.h"

#include "base/os.h"
#include "hostcall/header.h"
#include "vmod/fetch.h"
#include "vmod/log.h"
#include "vmod/vsbx.h"

#define MS			INT64_C(1000000)

/* How long a sub-request may be without a thread. Varnish may be making
 * threads, so it is waited for as long as others get one, but not for ever. If
 * none gets one, all of them may be held by guests that wait. */
#define FETCH_QUEUE_IDLE	(500 * MS)
#define FETCH_QUEUE_MAX		(2000 * MS)

/* How often to try again when Varnish's queue is full, in seconds. It holds
 * thread_queue_limit tasks, 20 by default: less than a few guests may start at
 * the same moment. */
#define FETCH_QUEUE_TRY		1e-3

/* How often to look if the client is still there. */
#define FETCH_LOOK		(50 * MS)

/* What is shown of a URL, in the log. */
#define FETCH_WHAT_MAX		120

pthread_mutex_t vsbx_fetch_mtx = PTHREAD_MUTEX_INITIALIZER;

static int64_t fetch_last_run;		/* mtx: when one got a thread */

/*--------------------------------------------------------------------
 * References
 */

static void
fetches_free(struct vsbx_fetches *of)
{

	CHECK_OBJ_NOTNULL(of, VSBX_FETCHES_MAGIC);
	AZ(of->refs);
	assert(VTAILQ_EMPTY(&of->list));
	AZ(pthread_cond_destroy(&of->cond));
	FREE_OBJ(of);
}

static void
fetch_free(struct sbx_fetch *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AZ(f->refs);
	free(f->what);
	free(f->body);
	free(f->strings);
	free(f->bytes);
	FREE_OBJ(f);
}

static struct vsbx_fetches *
fetches_new(const struct vsbx_guest *g)
{
	struct vsbx_fetches *of;
	const struct objcore *oc;
	pthread_condattr_t ca;

	SBX_ALLOC_OBJ(of, VSBX_FETCHES_MAGIC);
	if (of == NULL)
		return (NULL);
	of->refs = 1;
	of->prg = g->prg;
	VTAILQ_INIT(&of->list);
	oc = g->bo->fetch_objcore;
	CHECK_OBJ_NOTNULL(oc, OBJCORE_MAGIC);
	of->is_shared = !(oc->flags & OC_F_PRIVATE);
	memcpy(of->digest, g->bo->digest, sizeof of->digest);
	if (!g->bo->is_bgfetch)
		of->sess = g->bo->sp;
	AZ(pthread_condattr_init(&ca));
	AZ(pthread_condattr_setclock(&ca, CLOCK_MONOTONIC));
	AZ(pthread_cond_init(&of->cond, &ca));
	AZ(pthread_condattr_destroy(&ca));
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	vsbx_loops_add(of);
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	return (of);
}

void
vsbx_guest_end(struct vsbx_guest *g)
{
	struct vsbx_fetches *of;
	unsigned refs;

	CHECK_OBJ_NOTNULL(g, VSBX_GUEST_MAGIC);
	of = g->fetches;
	g->fetches = NULL;
	if (of == NULL)
		return;
	CHECK_OBJ(of, VSBX_FETCHES_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	vsbx_loops_remove(of);
	refs = --of->refs;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	if (refs == 0)
		fetches_free(of);
}

/*--------------------------------------------------------------------
 * Starting
 */

/* A URL may be as long as the guest likes. */
static char *
fetch_what(const struct sbx_fetch_request *rq)
{
	char buf[FETCH_WHAT_MAX];

	(void)snprintf(buf, sizeof buf, "%.*s %.*s", (int)rq->method.l,
	    rq->method.b, (int)(rq->url.l < sizeof buf ? rq->url.l :
	    sizeof buf), rq->url.b);
	return (SBX_Os_Strdup(buf));
}

static struct vsbx_guest *
guest_of(void *priv)
{
	struct vsbx_guest *g;

	CAST_OBJ_NOTNULL(g, priv, VSBX_GUEST_MAGIC);
	CHECK_OBJ_NOTNULL(g->bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(g->prg, VSBX_PROGRAM_MAGIC);
	return (g);
}

static struct sbx_fetch *
fetch_new(const struct vsbx_guest *g, const struct sbx_fetch_request *rq)
{
	const struct vsbx_origin *origin;
	struct sbx_fetch *f;

	SBX_ALLOC_OBJ(f, SBX_FETCH_MAGIC);
	if (f == NULL)
		return (NULL);
	f->of = g->fetches;
	f->start = SBX_Os_Mono();
	f->max_body = rq->max_body;
	f->what = fetch_what(rq);
	f->body_len = rq->body_len;
	if (f->body_len > 0)
		f->body = sbx_os.calloc(1, f->body_len);
	if (f->what == NULL || (f->body == NULL && f->body_len > 0)) {
		fetch_free(f);
		return (NULL);
	}
	if (f->body_len > 0)
		memcpy(f->body, rq->body, f->body_len);
	origin = vsbx_subreq_origin(g->bo->sp);
	f->depth = 1;
	f->deadline = g->deadline;
	if (origin != NULL) {
		f->depth += origin->depth;
		if (origin->deadline < f->deadline && !g->bo->is_bgfetch)
			f->deadline = origin->deadline;
	}
	return (f);
}

/* Whether there may be another one. Returns an errno. */
static int
fetch_may(const struct vsbx_guest *g, const struct sbx_fetch *f)
{
	const struct vmod_sandbox_program *prg = g->prg;
	uint64_t left, most;

	if (f->depth > prg->max_fetch_depth)
		return (ELOOP);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	left = prg->n_left;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	most = prg->max_fetches < SANDBOX_MAX_FETCH ? prg->max_fetches :
	    SANDBOX_MAX_FETCH;
	return (left >= most * prg->max_vms ? EAGAIN : 0);
}

void
vsbx_fetch_count(const struct vmod_sandbox_program *prg, uint64_t *all,
    uint64_t *left)
{

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AN(all);
	AN(left);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	*all = prg->n_subs;
	*left = prg->n_left;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
}

/* From here on the sub-request may run, and be over before we return. */
static void
fetch_list(struct sbx_fetch *f)
{

	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	f->refs = 2;
	f->of->refs++;
	f->of->prg->n_subs++;
	VTAILQ_INSERT_TAIL(&f->of->list, f, list);
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
}

static void
fetch_unlist(struct sbx_fetch *f)
{

	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	assert(f->refs == 2);
	f->refs = 0;
	f->of->refs--;
	f->of->prg->n_subs--;
	VTAILQ_REMOVE(&f->of->list, f, list);
	if (f->sess != NULL)
		vsbx_loops_remove_fetch(f);
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
}

void
vsbx_fetch_name(struct sbx_fetch *f, const void *sess)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AN(sess);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	AZ(f->sess);
	f->sess = sess;
	vsbx_loops_add_fetch(f);
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
}

int
vsbx_fetch_is_dropped(const void *sess)
{
	const struct sbx_fetch *f;
	int i;

	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	f = vsbx_loops_find_fetch(sess);
	i = f != NULL && f->dropped;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	return (i);
}

int v_matchproto_(sbx_fetch_start_f)
vsbx_fetch_start(void *priv, const struct sbx_fetch_request *rq,
    struct sbx_fetch **fp)
{
	struct vsbx_guest *g;
	struct sbx_fetch *f;
	int i;

	g = guest_of(priv);
	AN(rq);
	AN(fp);
	AZ(*fp);
	if (g->fetches == NULL)
		g->fetches = fetches_new(g);
	f = g->fetches == NULL ? NULL : fetch_new(g, rq);
	if (f == NULL)
		return (EAGAIN);
	i = fetch_may(g, f);
	if (i == 0) {
		fetch_list(f);
		i = vsbx_subreq_start(g->bo, f, rq);
		if (i == 0) {
			*fp = f;
			return (0);
		}
		fetch_unlist(f);
	}
	vsbx_log_fetch(g, f, i);
	fetch_free(f);
	return (i);
}

/*--------------------------------------------------------------------
 * Waiting
 */

/* With the lock. The guest has something to look at. */
static void
fetch_ended(struct sbx_fetch *f, int error)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	if (f->ended)
		return;
	f->answer.error = error;
	f->ended = 1;
	AZ(pthread_cond_signal(&f->of->cond));
}

/* With the lock. Until when it may be without a thread. */
static int64_t
fetch_patience(const struct sbx_fetch *f)
{
	int64_t t;

	t = (f->start > fetch_last_run ? f->start : fetch_last_run) +
	    FETCH_QUEUE_IDLE;
	if (t > f->start + FETCH_QUEUE_MAX)
		t = f->start + FETCH_QUEUE_MAX;
	return (t);
}

int
vsbx_fetch_try_again(struct sbx_fetch *f)
{
	int64_t until;

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	until = fetch_patience(f);
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	if (until > f->deadline)
		until = f->deadline;
	if (f->of->is_tired || SBX_Os_Mono() >= until) {
		f->of->is_tired = 1;
		return (0);
	}
	VTIM_sleep(FETCH_QUEUE_TRY);
	return (1);
}

/* With the lock. Has it ended? If not, (next) is when that may change without
 * anybody saying so. */
static int
fetch_look(struct sbx_fetch *f, int64_t now, int64_t *next)
{
	int64_t t;

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	if (!f->ended && f->where == VSBX_FETCH_QUEUED) {
		t = fetch_patience(f);
		if (now >= t)
			fetch_ended(f, EAGAIN);
		else if (t < *next)
			*next = t;
	}
	return (f->ended != 0);
}

/* With the lock. */
static void
fetches_sleep(struct vsbx_fetches *of, int64_t until)
{
	const struct timespec ts = SBX_Os_Timespec(until);
	int i;

	i = pthread_cond_timedwait(&of->cond, &vsbx_fetch_mtx, &ts);
	assert(i == 0 || i == ETIMEDOUT || i == EINTR);
}

/* Sleep until (want) of (n) have ended, or until (until). Returns how many
 * have ended. */
static int
fetches_wait(struct vsbx_fetches *of, struct sbx_fetch * const *list,
    unsigned n, unsigned want, int64_t until)
{
	int64_t now, next;
	unsigned u, ended;

	CHECK_OBJ_NOTNULL(of, VSBX_FETCHES_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	for (;;) {
		now = SBX_Os_Mono();
		next = until;
		for (u = ended = 0; u < n; u++)
			ended += (unsigned)fetch_look(list[u], now, &next);
		if (ended >= want || now >= until)
			break;
		fetches_sleep(of, next);
	}
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	return ((int)ended);
}

/* If it is for a client who waits for nothing but this, it may have gone. */
static int
guest_is_alone(const struct vsbx_guest *g)
{

	return (!g->fetches->is_shared && g->fetches->sess != NULL &&
	    vsbx_subreq_is_alone(g->bo));
}

int v_matchproto_(sbx_fetch_wait_f)
vsbx_fetch_wait(void *priv, struct sbx_fetch * const *list, unsigned n,
    unsigned want, int64_t deadline)
{
	struct vsbx_guest *g;
	int64_t until;
	int i, alone;

	g = guest_of(priv);
	assert(n > 0);
	assert(want <= n);
	AN(g->fetches);
	alone = guest_is_alone(g);
	for (;;) {
		until = deadline;
		if (alone && SBX_Os_Mono() + FETCH_LOOK < until)
			until = SBX_Os_Mono() + FETCH_LOOK;
		i = fetches_wait(g->fetches, list, n, want, until);
		if (i >= (int)want || until == deadline)
			return (i);
		if (vsbx_subreq_client_gone(g->bo))
			return (-1);
	}
}

const struct sbx_fetch_answer * v_matchproto_(sbx_fetch_answer_f)
vsbx_fetch_answer(void *priv, struct sbx_fetch *f)
{
	int64_t next = INT64_MAX;
	int ended;

	(void)guest_of(priv);
	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	ended = fetch_look(f, SBX_Os_Mono(), &next);
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	return (ended ? &f->answer : NULL);
}

void v_matchproto_(sbx_fetch_drop_f)
vsbx_fetch_drop(void *priv, struct sbx_fetch **fp)
{
	struct vsbx_guest *g;
	struct sbx_fetch *f;
	unsigned refs, ended;

	g = guest_of(priv);
	TAKE_OBJ_NOTNULL(f, fp, SBX_FETCH_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	ended = f->ended;
	f->ended = 1;
	AZ(f->dropped);
	__atomic_store_n(&f->dropped, 1, __ATOMIC_RELAXED);
	if (f->where != VSBX_FETCH_OVER)
		g->prg->n_left++;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));

	vsbx_log_fetch(g, f, ended ? f->answer.error : ECANCELED);

	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	refs = --f->refs;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	if (refs == 0)
		fetch_free(f);
}

/*--------------------------------------------------------------------
 * The sub-request moves
 */

int
vsbx_fetch_run(struct sbx_fetch *f)
{
	int64_t now = SBX_Os_Mono();
	int i;

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	assert(f->where == VSBX_FETCH_QUEUED);
	f->where = VSBX_FETCH_RUNS;
	if (now > fetch_last_run)
		fetch_last_run = now;
	i = f->ended ? -1 : 0;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	return (i);
}

int
vsbx_fetch_park(struct sbx_fetch *f, const uint8_t *digest)
{
	int i = -1;

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	assert(f->where == VSBX_FETCH_RUNS);
	if (!f->woken) {
		f->where = VSBX_FETCH_PARKED;
		memcpy(f->parked_on, digest, sizeof f->parked_on);
		if (!f->ended && vsbx_loops_find(f))
			fetch_ended(f, ELOOP);
		i = 0;
	}
	f->woken = 0;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	return (i);
}

int
vsbx_fetch_wake(struct sbx_fetch *f)
{
	int i = -1;

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	AZ(f->woken);
	if (f->where == VSBX_FETCH_PARKED) {
		f->where = VSBX_FETCH_RUNS;
		i = 0;
	} else {
		assert(f->where == VSBX_FETCH_RUNS);
		f->woken = 1;
	}
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	return (i);
}

void
vsbx_fetch_end(struct sbx_fetch *f, int error)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	fetch_ended(f, error);
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
}

void
vsbx_fetch_over(struct sbx_fetch **fp)
{
	struct vsbx_fetches *of;
	struct sbx_fetch *f;
	unsigned refs, of_refs;

	TAKE_OBJ_NOTNULL(f, fp, SBX_FETCH_MAGIC);
	of = f->of;
	CHECK_OBJ_NOTNULL(of, VSBX_FETCHES_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	assert(f->where == VSBX_FETCH_RUNS);
	fetch_ended(f, EIO);
	f->where = VSBX_FETCH_OVER;
	VTAILQ_REMOVE(&of->list, f, list);
	vsbx_loops_remove_fetch(f);
	CHECK_OBJ_NOTNULL(of->prg, VSBX_PROGRAM_MAGIC);
	assert(of->prg->n_subs > 0);
	of->prg->n_subs--;
	if (f->dropped) {
		assert(of->prg->n_left > 0);
		of->prg->n_left--;
	}
	refs = --f->refs;
	of_refs = --of->refs;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	if (refs == 0)
		fetch_free(f);
	if (of_refs == 0)
		fetches_free(of);
}

/*--------------------------------------------------------------------
 * The sub-request reads and writes
 */

size_t
vsbx_fetch_read(struct sbx_fetch *f, void *to, size_t l)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	assert(f->body_off <= f->body_len);
	if (l > f->body_len - f->body_off)
		l = f->body_len - f->body_off;
	if (l > 0)
		memcpy(to, (const char *)f->body + f->body_off, l);
	f->body_off += l;
	return (l);
}

static struct sbx_txt
fetch_copy(char **p, const char *b, const char *e)
{
	struct sbx_txt t;

	t.b = *p;
	t.l = (size_t)(e - b);
	memcpy(*p, b, t.l);
	*p += t.l;
	return (t);
}

/* What is about a connection there is none of is left out. */
static int
fetch_header(struct sbx_header *h, char **p, const txt *hd)
{
	struct sbx_txt name;
	const char *b, *e;

	name.b = hd->b;
	e = memchr(hd->b, ':', (size_t)(hd->e - hd->b));
	if (e == NULL)
		return (0);
	name.l = (size_t)(e - hd->b);
	if (SBX_Header_IsHop(&name))
		return (0);
	for (b = e + 1; b < hd->e && (*b == ' ' || *b == '\t'); b++)
		continue;
	h->name = fetch_copy(p, hd->b, e);
	h->value = fetch_copy(p, b, hd->e);
	return (1);
}

int
vsbx_fetch_head(struct sbx_fetch *f, const struct http *hp)
{
	struct sbx_header *h;
	const txt *hd;
	unsigned u, n, ended;
	size_t l;
	char *p;

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	CHECK_OBJ_NOTNULL(hp, HTTP_MAGIC);
	AZ(pthread_mutex_lock(&vsbx_fetch_mtx));
	ended = f->ended;
	AZ(pthread_mutex_unlock(&vsbx_fetch_mtx));
	if (ended || f->strings != NULL)
		return (ECANCELED);
	for (u = HTTP_HDR_REASON, l = n = 0; u < hp->nhd; u++, n++)
		if (hp->hd[u].b != NULL)
			l += (size_t)(hp->hd[u].e - hp->hd[u].b);
	f->strings = h = sbx_os.calloc(1, n * sizeof *h + l);
	if (h == NULL)
		return (EIO);
	p = (char *)(h + n);
	f->answer.headers = h;
	f->answer.n_headers = 0;
	f->answer.status = hp->status % 1000;
	hd = &hp->hd[HTTP_HDR_REASON];
	if (hd->b != NULL)
		f->answer.reason = fetch_copy(&p, hd->b, hd->e);
	for (u = HTTP_HDR_FIRST; u < hp->nhd; u++)
		if (hp->hd[u].b != NULL)
			f->answer.n_headers += (unsigned)fetch_header(
			    &h[f->answer.n_headers], &p, &hp->hd[u]);
	return (0);
}

static int
fetch_grow(struct sbx_fetch *f, uint64_t l)
{
	uint64_t n;
	char *p;

	if (l <= f->space)
		return (0);
	n = f->space == 0 ? l : f->space * 2;
	if (n < l)
		n = l;
	p = realloc(f->bytes, n);
	if (p == NULL)
		return (-1);
	f->bytes = p;
	f->space = n;
	f->answer.body = p;
	return (0);
}

int
vsbx_fetch_bytes(struct sbx_fetch *f, const void *b, size_t l)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	if (__atomic_load_n(&f->dropped, __ATOMIC_RELAXED))
		return (ECANCELED);
	if (l > f->max_body - f->answer.body_len)
		return (EMSGSIZE);
	if (l == 0)
		return (0);
	if (fetch_grow(f, f->answer.body_len + l))
		return (EIO);
	memcpy(f->bytes + f->answer.body_len, b, l);
	f->answer.body_len += l;
	return (0);
}
