/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guests that fetch, from a host with threads of its own, as Varnish is. URLs:
 *
 *	/now/N			a body of N bytes, at once
 *	/after/MS/N		after so many milliseconds, on another thread
 *	/never/			runs until it is given up
 *	/refuse/N		does not start, for errno N
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "test.h"

#define MS			INT64_C(1000000)
#define BODY_MAX		(4u << 20)
#define THREADS_MAX		256

/*--------------------------------------------------------------------
 * The host
 */

/* For one request. It is filled with garbage when the request is over, which
 * no call from the core must see. */
struct toy {
	unsigned		magic;
#define TOY_MAGIC		0x2cd8f051
	struct sbx_host		host;
	pthread_mutex_t		mtx;
	pthread_cond_t		cond;
	unsigned		n_live;		/* not dropped */
	unsigned		n_threads;
	pthread_t		thread[THREADS_MAX];
	unsigned		n_start;
	unsigned		n_wait;
	int64_t			gone_at;	/* 0: never */
};

struct sbx_fetch {
	unsigned		magic;
#define FETCH_MAGIC		0x6b09e3da
	struct toy		*toy;
	struct sbx_fetch_answer	a;
	int64_t			when;		/* to end */
	int			ended, dropped;	/* toy->mtx */
};

static char body[BODY_MAX];

static struct timespec
at(int64_t ns)
{
	struct timespec ts;

	ts.tv_sec = ns / 1000000000;
	ts.tv_nsec = ns % 1000000000;
	return (ts);
}

static void *
toy_thread(void *priv)
{
	struct sbx_fetch *f = priv;
	struct toy *t = f->toy;
	struct timespec ts = at(f->when);

	AZ(pthread_mutex_lock(&t->mtx));
	while (!f->dropped && SBX_Os_Mono() < f->when)
		(void)pthread_cond_timedwait(&t->cond, &t->mtx, &ts);
	f->ended = 1;
	if (f->dropped)
		free(f);
	AZ(pthread_cond_broadcast(&t->cond));
	AZ(pthread_mutex_unlock(&t->mtx));
	return (NULL);
}

static void
toy_spawn(struct toy *t, struct sbx_fetch *f)
{

	assert(t->n_threads < THREADS_MAX);
	AZ(pthread_create(&t->thread[t->n_threads++], NULL, toy_thread, f));
}

static int
toy_start(void *priv, const struct sbx_fetch_request *rq,
    struct sbx_fetch **fp)
{
	struct sbx_fetch *f;
	struct toy *t;
	unsigned n = 0, ms = 0;
	char url[64];

	CAST_OBJ_NOTNULL(t, priv, TOY_MAGIC);
	assert(rq->url.l > 0);
	(void)snprintf(url, sizeof url, "%.*s", (int)rq->url.l, rq->url.b);
	if (sscanf(url, "/refuse/%u", &n) == 1)
		return ((int)n);
	f = calloc(1, sizeof *f);
	AN(f);
	f->magic = FETCH_MAGIC;
	f->toy = t;
	f->a.status = 200;
	f->a.body = body;
	f->when = INT64_MAX;
	AZ(pthread_mutex_lock(&t->mtx));
	t->n_live++;
	t->n_start++;
	if (sscanf(url, "/now/%u", &n) == 1)
		f->ended = 1;
	else if (sscanf(url, "/after/%u/%u", &ms, &n) == 2) {
		f->when = SBX_Os_Mono() + ms * MS;
		toy_spawn(t, f);
	} else {
		f->when = SBX_Os_Mono() + 3600 * 1000 * MS;
		toy_spawn(t, f);
	}
	AZ(pthread_mutex_unlock(&t->mtx));
	f->a.body_len = n;
	if (n > rq->max_body || n > BODY_MAX)
		f->a.error = EMSGSIZE;
	*fp = f;
	return (0);
}

static int
toy_wait(void *priv, struct sbx_fetch * const *list, unsigned n,
    unsigned want, int64_t deadline)
{
	struct toy *t;
	struct timespec ts;
	int64_t until;
	unsigned u;
	int i = 0;

	CAST_OBJ_NOTNULL(t, priv, TOY_MAGIC);
	AZ(pthread_mutex_lock(&t->mtx));
	t->n_wait++;
	until = t->gone_at > 0 && t->gone_at < deadline ? t->gone_at :
	    deadline;
	ts = at(until);
	do {
		for (u = 0, i = 0; u < n; u++) {
			CHECK_OBJ_NOTNULL(list[u], FETCH_MAGIC);
			i += list[u]->ended;
		}
		if (i >= (int)want || SBX_Os_Mono() >= until)
			break;
		(void)pthread_cond_timedwait(&t->cond, &t->mtx, &ts);
	} while (1);
	if (i < (int)want && until == t->gone_at)
		i = -1;
	AZ(pthread_mutex_unlock(&t->mtx));
	return (i);
}

static const struct sbx_fetch_answer *
toy_answer(void *priv, struct sbx_fetch *f)
{
	struct toy *t;
	int ended;

	CAST_OBJ_NOTNULL(t, priv, TOY_MAGIC);
	CHECK_OBJ_NOTNULL(f, FETCH_MAGIC);
	AZ(pthread_mutex_lock(&t->mtx));
	ended = f->ended;
	AZ(pthread_mutex_unlock(&t->mtx));
	return (ended ? &f->a : NULL);
}

static void
toy_drop(void *priv, struct sbx_fetch **fp)
{
	struct sbx_fetch *f;
	struct toy *t;

	CAST_OBJ_NOTNULL(t, priv, TOY_MAGIC);
	TAKE_OBJ_NOTNULL(f, fp, FETCH_MAGIC);
	AZ(pthread_mutex_lock(&t->mtx));
	t->n_live--;
	f->dropped = 1;
	if (f->ended)
		free(f);
	else
		AZ(pthread_cond_broadcast(&t->cond));
	AZ(pthread_mutex_unlock(&t->mtx));
}

static void
toy_init(struct toy *t)
{
	pthread_condattr_t attr;

	INIT_OBJ(t, TOY_MAGIC);
	t->host.fetch_start = toy_start;
	t->host.fetch_wait = toy_wait;
	t->host.fetch_answer = toy_answer;
	t->host.fetch_drop = toy_drop;
	t->host.priv = t;
	AZ(pthread_mutex_init(&t->mtx, NULL));
	AZ(pthread_condattr_init(&attr));
	AZ(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	AZ(pthread_cond_init(&t->cond, &attr));
	AZ(pthread_condattr_destroy(&attr));
}

static void
toy_fini(struct toy *t)
{

	while (t->n_threads > 0)
		AZ(pthread_join(t->thread[--t->n_threads], NULL));
	AZ(pthread_cond_destroy(&t->cond));
	AZ(pthread_mutex_destroy(&t->mtx));
	memset(t, 0xa5, sizeof *t);
}

/*--------------------------------------------------------------------
 * Requests
 */

static struct sbx_program *prg;

/* What the last request did. */
static struct {
	unsigned		n_start, n_wait;
	struct sbx_usage	usage;
	int64_t			ns;
	size_t			len;
	struct sbx_err		err;
	char			first[256];	/* X-Fetch */
	char			text[1024];	/* the body's beginning */
} did;

static void
keep(const struct sbx_vm *vm)
{
	const struct sbx_answer *a = SBX_VM_Answer(vm);
	unsigned u;
	size_t l;

	for (u = 0; u < a->n_headers && did.first[0] == '\0'; u++)
		if (a->headers[u].name.l == 7 &&
		    !memcmp(a->headers[u].name.b, "X-Fetch", 7))
			(void)snprintf(did.first, sizeof did.first, "%.*s",
			    (int)a->headers[u].value.l,
			    a->headers[u].value.b);
	did.len = a->body_len;
	l = SBX_VM_AnswerBody(vm, 0, did.text, sizeof did.text - 1);
	did.text[l] = '\0';
}

/* One request; the client goes away after (gone_ms), if that is not 0. */
static int
get(const char *url, int gone_ms)
{
	struct sbx_pool *pool = SBX_Program_Pool(prg);
	struct sbx_vm *vm;
	struct toy toy;
	int i;

	memset(&did, 0, sizeof did);
	SBX_Err_Clear(&did.err);
	toy_init(&toy);
	vm = SBX_Pool_Get(pool, &did.err);
	if (vm == NULL)
		return (-1);
	did.ns = SBX_Os_Mono();
	if (gone_ms > 0)
		toy.gone_at = did.ns + gone_ms * MS;
	Kvm_Host = &toy.host;
	i = Kvm_Serve(vm, url, &did.err);
	Kvm_Host = NULL;
	did.ns = SBX_Os_Mono() - did.ns;
	CHECK_EQ(toy.n_live, 0);
	did.n_start = toy.n_start;
	did.n_wait = toy.n_wait;
	toy_fini(&toy);
	did.usage = *SBX_VM_Usage(vm);
	if (i > 0)
		keep(vm);
	SBX_Pool_Put(pool, &vm);
	return (i);
}

static void
begin(const char *guest, double timeout)
{
	struct sbx_program_cfg cfg;

	memset(body, 'b', sizeof body);
	Kvm_Cfg(&cfg, Kvm_Guest(guest));
	cfg.max_fetches = 10000;
	cfg.max_vms = 2;
	cfg.queue_timeout = 10 * Kvm_Slow();
	cfg.request_timeout = timeout * Kvm_Slow();
	prg = Kvm_Open(&cfg);
}

/*--------------------------------------------------------------------*/

/* One exit for the call and one for the answer, whatever it is. */
static void
exits(void)
{

	begin("fetch", 10);
	CHECK_EQ(get("/get?url=/now/1000", 0), 200);
	CHECK_EQ(did.len, 1000);
	CHECK_EQ(did.usage.exits, 2);
	CHECK_EQ(did.n_wait, 0);
	CHECK_HAS(did.first, "0 state=2 error=0 status=200 hit=0 len=1000");
	CHECK_EQ(get("/get?n=64&url=/now/2000", 0), 200);
	CHECK_EQ(did.len, 64 * 2000);
	CHECK_EQ(get("/get?n=8&url=/after/100/28000&quiet=1", 0), 200);
	CHECK_EQ(did.usage.exits, 2);
	CHECK_EQ(did.n_wait, 1);
	CHECK(did.ns >= 100 * MS);
	CHECK(did.ns < 8 * 100 * MS);
	CHECK(did.usage.waited >= 90 * MS);
	CHECK((double)(did.usage.run - did.usage.waited) <
	    100 * MS * Kvm_Slow());
	CHECK_EQ(Kvm_Stats(prg).fetches, 1 + 64 + 8);
	CHECK_EQ(Kvm_Stats(prg).fetch_errors, 0);
	CHECK_EQ(Kvm_Stats(prg).fetch_bytes, 1000 + 64 * 2000 + 8 * 28000 +
	    9 + 64 * 9 + 8 * 16);
	/* one after the other: the arena is used up and there is another */
	CHECK_EQ(get("/get?n=200&seq=1&url=/now/10000", 0), 200);
	CHECK_EQ(did.len, 200 * 10000);
	CHECK(did.usage.exits < 200 + 60);
	Kvm_Close(&prg);
}

/* More than the arena has room for, more than can be listed, more than VCL
 * allows. */
static void
large(void)
{

	begin("fetch", 10);
	CHECK_EQ(get("/get?url=/now/4000000", 0), 200);
	CHECK_EQ(did.len, 4000000);
	CHECK_EQ(get("/get?n=3&url=/now/2000000", 0), 200);
	CHECK_EQ(did.len, 6000000);
	CHECK_EQ(get("/get?n=300&url=/now/2000&max_body=2000", 0), 200);
	CHECK_EQ(did.len, 600000);
	CHECK_EQ(did.n_start, 300);
	CHECK_EQ(get("/get?n=3&url=/now/4000000&quiet=1", 0), 200);
	CHECK_HAS(did.first, "error=EDQUOT");
	CHECK_EQ(get("/get?url=/now/2000&max_body=1000", 0), 502);
	CHECK_HAS(did.first, "error=EMSGSIZE");
	CHECK_EQ(get("/get?url=/now/2000&space=100", 0), 200);
	CHECK_EQ(did.len, 2000);
	CHECK_EQ(get("/get?url=/refuse/40", 0), 502);
	CHECK_HAS(did.first, "error=ELOOP");
	CHECK_EQ(Kvm_Stats(prg).fetch_loops, 1);
	CHECK_EQ(Kvm_Stats(prg).kills, 0);
	/* all that it may, and one more */
	CHECK_EQ(get("/get?n=10001&seq=1&quiet=1&url=/now/1", 0), 200);
	CHECK_EQ(did.n_start, 10000);
	CHECK_EQ(did.usage.fetch.asked, 10001);
	CHECK_EQ(did.usage.fetch.errors, 1);
	Kvm_Close(&prg);
}

static void
waiting(void)
{

	begin("fetch", 10);
	CHECK_EQ(get("/get?n=8&wait=1&url=/after/*000/1", 0), 200);
	CHECK_HAS(did.first, "0 state=2 error=0");
	CHECK(did.ns < 900 * MS * Kvm_Slow());
	CHECK_EQ(get("/get?n=8&wait=0&url=/never/", 0), 200);
	CHECK_HAS(did.first, "0 state=1 error=0");
	CHECK_EQ(did.n_wait, 0);
	CHECK_EQ(get("/get?url=/never/&timeout=50", 0), 502);
	CHECK_HAS(did.first, "error=ETIMEDOUT");
	CHECK(did.ns >= 50 * MS);
	CHECK_EQ(get("/get?n=8&wait=0&cancel=1&url=/never/", 0), 200);
	CHECK_HAS(did.first, "error=ECANCELED");
	/* it goes on while the guest does something else */
	CHECK_EQ(get("/get?n=4&sleep=200&url=/after/100/5", 0), 200);
	CHECK_EQ(did.len, 20);
	CHECK_EQ(did.n_wait, 0);
	CHECK_EQ(Kvm_Stats(prg).kills, 0);
	Kvm_Close(&prg);
}

/* The time is up, or the client has gone: at once, and only once. */
static void
killed(void)
{

	begin("fetch", 0.2);
	CHECK_EQ(get("/get?n=5&url=/never/", 0), -1);
	CHECK_HAS(did.err.msg, "request_timeout");
	CHECK(did.ns >= 200 * MS);
	CHECK(did.ns < 2000 * MS * Kvm_Slow());
	CHECK_EQ(get("/get?wait=0&spin=1&n=5&url=/never/", 0), -1);
	CHECK_HAS(did.err.msg, "request_timeout");
	CHECK_EQ(get("/get?n=5&url=/never/&timeout=5000", 0), -1);
	CHECK_EQ(Kvm_Stats(prg).kill_timeout, 3);
	CHECK_EQ(Kvm_Stats(prg).kills, 3);
	Kvm_Close(&prg);
	begin("fetch", 10);
	CHECK_EQ(get("/get?n=5&url=/never/", 50), -1);
	CHECK_HAS(did.err.msg, "client");
	CHECK(did.ns >= 50 * MS);
	CHECK(did.ns < 5000 * MS * Kvm_Slow());
	CHECK_EQ(Kvm_Stats(prg).kill_gone, 1);
	CHECK_EQ(Kvm_Stats(prg).kills, 1);
	CHECK_EQ(get("/get?url=/now/1", 0), 200);
	Kvm_Close(&prg);
}

/* What the guest does wrong harms nobody: see guests/fetch_bad. */
static void
hostile(void)
{
	static const char * const cases[] = {
		"/space-list", "/space-response", "/space-request",
		"/space-text", "/space-kernel", "/space-all",
		"/response-same", "/response-gone", "/list-gone",
		"/url-line", "/url-file", "/headers-line", "/state-held",
	};
	char url[128];
	unsigned u;

	begin("fetch_bad", 10);
	for (u = 0; u < sizeof cases / sizeof cases[0]; u++) {
		(void)snprintf(url, sizeof url, "%s?url=/now/1000", cases[u]);
		CHECK_EQ(get(url, 0), 200);
		(void)snprintf(url, sizeof url, "%s?url=/after/10/1000",
		    cases[u]);
		CHECK_EQ(get(url, 0), 200);
	}
	CHECK_EQ(get("/space-text?url=/now/1", 0), 200);
	CHECK_HAS(did.text, "r=2 state=2 error=14");
	/* the first has all bytes that there are */
	CHECK_EQ(get("/flood?url=/never/", 0), 200);
	CHECK_HAS(did.text, "10000 started, 1 running, r=1 state=2 error=122");
	CHECK_EQ(did.n_start, 1);
	/* as many as can be held */
	CHECK_EQ(get("/flood?url=/now/1", 0), 200);
	CHECK_HAS(did.text, "r=1 state=2 error=11");
	CHECK_EQ(did.n_start, 64);
	CHECK_EQ(get("/leave?url=/never/", 0), 200);
	CHECK_EQ(did.n_start, 2);
	CHECK_EQ(get("/leave-dead?url=/never/", 0), -1);
	CHECK_EQ(did.n_start, 2);
	CHECK_EQ(Kvm_Stats(prg).kills, 1);
	Kvm_Close(&prg);
}

/* Nobody is there: not in the warm-up, not without callbacks. */
static void
nobody(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;

	begin("fetch", 10);
	CHECK_EQ(Kvm_Get(prg, "/get?url=/now/1", NULL, 0, &err), 502);
	Kvm_Close(&prg);
	Kvm_Cfg(&cfg, Kvm_Guest("fetch"));
	prg = Kvm_Open(&cfg);
	CHECK_EQ(get("/get?url=/now/1", 0), 500);
	CHECK_EQ(did.n_start, 0);
	Kvm_Close(&prg);
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(300);
	TEST(exits);
	TEST(large);
	TEST(waiting);
	TEST(killed);
	TEST(hostile);
	TEST(nobody);
	TEST_END();
}
