/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The fetch call, with a host that does what the URL says and a guest that
 * may write anything.
 */

#include "config.h"

#include <errno.h>
#include <time.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "machine/watchdog.h"
#include "test.h"
#include "world.h"

static struct world w;

/*--------------------------------------------------------------------
 * The host. URLs, with a number behind them:
 *
 *	/now/N		has ended when it starts, a body of N bytes
 *	/later/N	ends when somebody waits for it, no hit
 *	/liar/N		a body of N bytes, whatever the limit is
 *	/never/		does not end
 *	/error/N	ends at once, with errno N
 *	/refuse/N	does not start, for errno N
 *	/headers/N	N headers
 *	/long/N		a header of N bytes
 */

struct sbx_fetch {
	struct sbx_fetch_answer	a;
	struct sbx_header	*h;
	char			url[64];
	char			method[16], host[64], header[64];
	char			body[64];
	uint64_t		body_len;
	uint64_t		max_body;
	unsigned		n_headers;
	int			ended, later;
};

static unsigned n_live, n_start, n_wait, n_drop;
static int gone, for_nothing;
static struct sbx_fetch *last;			/* started */
static struct sbx_fetch seen;			/* a copy of it */
static char bytes[1 << 20];

static void
keep(char *to, size_t l, struct sbx_txt t)
{

	if (t.l > l - 1)
		t.l = l - 1;
	if (t.l > 0)
		memcpy(to, t.b, t.l);
	to[t.l] = '\0';
}

static int
is(const struct sbx_fetch *f, const char *what, unsigned *n)
{

	if (strncmp(f->url + 1, what, strlen(what)))
		return (0);
	*n = (unsigned)strtoul(f->url + 2 + strlen(what), NULL, 10);
	return (1);
}

static void
answer(struct sbx_fetch *f, unsigned headers, size_t len, uint64_t body)
{
	unsigned u;

	f->h = calloc(headers + 1, sizeof *f->h);
	AN(f->h);
	for (u = 0; u < headers; u++) {
		f->h[u].name = (struct sbx_txt){ "X-Name", 6 };
		f->h[u].value = (struct sbx_txt){ bytes, len };
	}
	f->a.headers = f->h;
	f->a.n_headers = headers;
	f->a.status = 200;
	f->a.hit = 1;
	f->a.reason = (struct sbx_txt){ "Fine", 4 };
	f->a.body = body > 0 ? bytes : NULL;
	f->a.body_len = body;
	if (body > f->max_body) {
		memset(&f->a, 0, sizeof f->a);
		f->a.error = EMSGSIZE;
	}
}

static int
host_start(void *priv, const struct sbx_fetch_request *rq,
    struct sbx_fetch **fp)
{
	struct sbx_fetch *f;
	unsigned n;

	assert(priv == &w);
	n_start++;
	f = calloc(1, sizeof *f);
	AN(f);
	keep(f->url, sizeof f->url, rq->url);
	keep(f->method, sizeof f->method, rq->method);
	keep(f->host, sizeof f->host, rq->host);
	if (rq->n_headers > 0)
		keep(f->header, sizeof f->header, rq->headers[0].name);
	keep(f->body, sizeof f->body,
	    (struct sbx_txt){ rq->body, rq->body_len });
	f->n_headers = rq->n_headers;
	f->body_len = rq->body_len;
	f->max_body = rq->max_body;
	seen = *f;
	f->ended = 1;
	if (is(f, "refuse", &n)) {
		free(f);
		return (n > 0 ? (int)n : EAGAIN);
	}
	if (is(f, "now", &n))
		answer(f, 2, 3, n);
	else if (is(f, "later", &n)) {
		answer(f, 1, 3, n);
		f->a.hit = 0;
		f->ended = 0;
		f->later = 1;
	} else if (is(f, "liar", &n)) {
		f->max_body = UINT64_MAX;
		answer(f, 0, 0, n);
	} else if (is(f, "error", &n))
		f->a.error = (int)n;
	else if (is(f, "headers", &n))
		answer(f, n, 1, 0);
	else if (is(f, "long", &n))
		answer(f, 1, n, 0);
	else
		f->ended = 0;
	n_live++;
	*fp = last = f;
	return (0);
}

static int
host_wait(void *priv, struct sbx_fetch * const *list, unsigned n,
    unsigned want, int64_t deadline)
{
	struct timespec ts = { deadline / 1000000000, deadline % 1000000000 };
	unsigned u, ended = 0;

	assert(priv == &w);
	assert(want > 0 && want <= n);
	n_wait++;
	if (gone)
		return (-1);
	if (for_nothing > 0) {
		for_nothing--;
		return (0);
	}
	for (u = 0; u < n && ended < want; u++) {
		list[u]->ended |= list[u]->later;
		ended += (unsigned)list[u]->ended;
	}
	if (ended < want)
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts,
		    NULL);
	return ((int)ended);
}

static const struct sbx_fetch_answer *
host_answer(void *priv, struct sbx_fetch *f)
{

	assert(priv == &w);
	return (f->ended ? &f->a : NULL);
}

static void
host_drop(void *priv, struct sbx_fetch **fp)
{

	assert(priv == &w);
	AN(*fp);
	free((*fp)->h);
	free(*fp);
	*fp = NULL;
	n_live--;
	n_drop++;
}

/*--------------------------------------------------------------------
 * The guest. Its list, its structures, its strings.
 */

#define AT_LIST			(WORLD_ARENA + 8)
#define AT_REQUEST(n)		(WORLD_ARENA + 0x1000 + (n) * 0x100)
#define AT_RESPONSE(n)		(WORLD_ARENA + 0x8000 + (n) * 0x100)
#define AT_HEADERS		(WORLD_ARENA + 0x10000)
#define AT_TEXT			(WORLD_ARENA + 0x20000)
#define AT_SPACE(n)		(WORLD_ARENA + 0x100000 + (n) * 0x2000)
#define SPACE			0x2000
#define END			(WORLD_ARENA + WORLD_ARENA_LEN)

static struct sandbox_fetch list[SANDBOX_MAX_FETCH + 1];
static struct sandbox_fetch_request rq[SANDBOX_MAX_FETCH];
static struct sandbox_fetch_response rp[SANDBOX_MAX_FETCH];
static struct sandbox_header hdr[SANDBOX_MAX_HEADERS + 1];

static struct sandbox_str
put(const void *s, size_t l)
{
	static uint64_t at;
	struct sandbox_str r;

	if (at < AT_TEXT || at + l > AT_TEXT + 0x60000)
		at = AT_TEXT;
	World_Put(&w, at, s, l);
	memset(&r, 0, sizeof r);
	r.ptr.va = at;
	r.len = (uint32_t)l;
	at += l;
	return (r);
}

static struct sandbox_str
text(const char *s)
{

	return (put(s, strlen(s)));
}

/* Fetch (n) is to be (url). */
static void
make(unsigned n, const char *url)
{

	memset(&rq[n], 0, sizeof rq[n]);
	memset(&rp[n], 0, sizeof rp[n]);
	rq[n].size = sizeof rq[n];
	rq[n].url = text(url);
	rp[n].size = sizeof rp[n];
	rp[n].space.va = AT_SPACE(n);
	rp[n].space_len = SPACE;
	list[n].request.va = AT_REQUEST(n);
	list[n].response.va = AT_RESPONSE(n);
}

static int64_t
call_at(uint64_t at, uint64_t n, uint64_t wait_for)
{
	const uint64_t a[6] = { at, n, wait_for };
	int64_t r = -1000;

	(void)SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_FETCH, a, &r);
	return (r);
}

/* As a guest does, which writes, calls, and reads. */
static int64_t
call(unsigned n, unsigned wait_for)
{
	int64_t r;
	unsigned u;

	World_Put(&w, AT_LIST, list, sizeof list);
	World_Put(&w, AT_HEADERS, hdr, sizeof hdr);
	for (u = 0; u < SANDBOX_MAX_FETCH; u++) {
		World_Put(&w, AT_REQUEST(u), &rq[u], sizeof rq[u]);
		World_Put(&w, AT_RESPONSE(u), &rp[u], sizeof rp[u]);
	}
	r = call_at(AT_LIST, n, wait_for);
	for (u = 0; u < SANDBOX_MAX_FETCH; u++)
		World_Get(&w, AT_RESPONSE(u), &rp[u], sizeof rp[u]);
	return (r);
}

static int64_t
one(const char *url)
{

	make(0, url);
	return (call(1, 1));
}

static const struct sbx_fetch_use *
use(void)
{

	return (&w.x.fetches.use);
}

/* The next request. Leaves (nothing) behind if all is well. */
static void
next(void)
{

	SBX_Fetch_End(&w.x.fetches, &w.proc);
	CHECK_EQ(n_live, 0);
	CHECK_EQ(w.x.fetches.n, 0);
	CHECK_EQ(use()->reserved, 0);
	SBX_Exchange_Begin(&w.x);
	SBX_Proc_Begin(&w.proc, &w.host, SBX_Os_Mono(), INT64_MAX);
	n_start = n_wait = n_drop = 0;
	gone = for_nothing = 0;
}

static void
begin(void)
{
	unsigned u;

	World_New(&w, NULL);
	memset(bytes, 'b', sizeof bytes);
	memset(list, 0, sizeof list);
	memset(rq, 0, sizeof rq);
	memset(rp, 0, sizeof rp);
	memset(hdr, 0, sizeof hdr);
	for (u = 0; u < SANDBOX_MAX_FETCH; u++)
		rp[u].state = SANDBOX_FETCH_DONE;
	w.host.fetch_start = host_start;
	w.host.fetch_wait = host_wait;
	w.host.fetch_answer = host_answer;
	w.host.fetch_drop = host_drop;
	w.x.fetches.limits.max = 1000;
	w.x.fetches.limits.bytes = 1 << 20;
	next();
}

static void
end(void)
{

	next();
	World_Fini(&w);
}

static int
str_is(struct sandbox_str s, const char *text_)
{
	char b[256];

	CHECK(s.len < sizeof b);
	World_Get(&w, s.ptr.va, b, s.len + 1);
	CHECK_EQ(b[s.len], 0);
	return (!strcmp(b, text_));
}

/*--------------------------------------------------------------------
 * What works
 */

static void
good(void)
{
	struct sandbox_header h[2];
	char b[8];

	begin();
	make(0, "/now/5");
	World_Put(&w, AT_SPACE(0), bytes, SPACE);
	rq[0].method = text("POST");
	rq[0].host = text("example.com");
	rq[0].body.va = text("body").ptr.va;
	rq[0].body_len = 4;
	rq[0].headers.va = AT_HEADERS;
	rq[0].n_headers = 5;
	hdr[0].name = text("Connection");
	hdr[1].name = text("content-length");
	hdr[1].value = text("77");
	hdr[2].name = text("X-Good");
	hdr[3].name = text("Expect");
	hdr[4].name = text("TE");
	CHECK_EQ(call(1, 1), 1);
	CHECK(!strcmp(seen.url, "/now/5"));
	CHECK(!strcmp(seen.method, "POST"));
	CHECK(!strcmp(seen.host, "example.com"));
	CHECK(!strcmp(seen.body, "body"));
	CHECK(!strcmp(seen.header, "X-Good"));
	CHECK_EQ(seen.n_headers, 1);
	CHECK_EQ(rp[0].state, SANDBOX_FETCH_DONE);
	CHECK_EQ(rp[0].error, 0);
	CHECK_EQ(rp[0].handle, 0);
	CHECK_EQ(rp[0].status, 200);
	CHECK_EQ(rp[0].flags, SANDBOX_FETCH_HIT);
	CHECK(str_is(rp[0].reason, "Fine"));
	CHECK_EQ(rp[0].n_headers, 2);
	World_Get(&w, rp[0].headers.va, h, sizeof h);
	CHECK(str_is(h[1].name, "X-Name"));
	CHECK(str_is(h[1].value, "bbb"));
	CHECK_EQ(rp[0].body_len, 5);
	World_Get(&w, rp[0].body.va, b, 6);
	CHECK(!strcmp(b, "bbbbb"));
	CHECK_EQ(rp[0].space.va, AT_SPACE(0));
	CHECK_EQ(n_live, 0);
	CHECK_EQ(use()->asked, 1);
	CHECK_EQ(use()->hits, 1);
	CHECK_EQ(use()->errors, 0);
	/* strings: /now/5 POST example.com, five header names and "77", the
	 * body; and back: Fine, two headers, five bytes */
	CHECK_EQ(use()->bytes, 6 + 4 + 11 + 10 + 14 + 2 + 6 + 6 + 2 + 4 +
	    4 + 2 * 9 + 5);
	/* a body that is none, a GET without a Host, a later SDK's request */
	next();
	make(0, "/now/0");
	rq[0].size += 8;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, 0);
	CHECK_EQ(rp[0].body.va, 0);
	CHECK(!strcmp(seen.method, "GET"));
	CHECK(!strcmp(seen.host, ""));
	end();
}

static void
waiting(void)
{
	unsigned u;

	begin();
	/* nothing at all */
	CHECK_EQ(call(0, 0), 0);
	CHECK_EQ(call_at(0, 0, 0), 0);
	/* start, look, any, all */
	for (u = 0; u < 8; u++)
		make(u, "/later/1");
	CHECK_EQ(call(8, 0), 0);
	CHECK_EQ(n_start, 8);
	CHECK_EQ(n_wait, 0);
	for (u = 0; u < 8; u++) {
		CHECK_EQ(rp[u].state, SANDBOX_FETCH_RUNNING);
		CHECK(rp[u].handle != 0);
	}
	CHECK_EQ(call(8, 1), 1);
	CHECK_EQ(n_wait, 1);
	CHECK_EQ(call(8, 1), 1);
	CHECK_EQ(n_wait, 1);
	CHECK_EQ(call(8, 3), 3);
	for_nothing = 5;
	CHECK_EQ(call(8, 8), 8);
	CHECK_EQ(n_wait, 8);
	CHECK_EQ(n_start, 8);
	CHECK_EQ(n_live, 0);
	for (u = 0; u < 8; u++)
		CHECK_EQ(rp[u].status, 200);
	/* some are good, some are not, all have ended */
	make(0, "/now/1");
	make(1, "/error/5");
	make(2, "/refuse/40");
	make(3, "not a URL");
	make(4, "/later/1");
	CHECK_EQ(call(5, 5), 5);
	CHECK_EQ(rp[0].error, 0);
	CHECK_EQ(rp[1].error, EIO);
	CHECK_EQ(rp[2].error, ELOOP);
	CHECK_EQ(rp[3].error, EINVAL);
	CHECK_EQ(rp[4].error, 0);
	CHECK_EQ(rp[1].status, 0);
	CHECK_EQ(use()->errors, 3);
	CHECK_EQ(use()->loops, 1);
	CHECK_EQ(use()->asked, 13);
	CHECK_EQ(use()->hits, 1);
	end();
}

/* As many as can run; the next one can not. */
static void
full(void)
{
	unsigned u;

	begin();
	w.x.fetches.limits.bytes = 64 << 20;
	for (u = 0; u < SANDBOX_MAX_FETCH; u++)
		make(u, "/later/0");
	CHECK_EQ(call(SANDBOX_MAX_FETCH, 0), 0);
	CHECK_EQ(n_live, SANDBOX_MAX_FETCH);
	rp[0].state = SANDBOX_FETCH_DONE;	/* the guest forgets one */
	make(1, "/later/0");			/* and another */
	rq[1].max_body = 1;
	CHECK_EQ(call(2, 1), 2);
	CHECK_EQ(rp[1].error, EDQUOT);		/* the others share all */
	next();
	for (u = 0; u < SANDBOX_MAX_FETCH; u++) {
		make(u, "/later/0");
		rq[u].max_body = 1000;
	}
	CHECK_EQ(call(SANDBOX_MAX_FETCH, 0), 0);
	make(1, "/later/0");
	CHECK_EQ(call(2, 1), 1);
	CHECK_EQ(rp[1].state, SANDBOX_FETCH_DONE);
	CHECK_EQ(rp[1].error, EAGAIN);
	CHECK_EQ(n_start, SANDBOX_MAX_FETCH);
	end();
}

static void
held(void)
{
	uint64_t pad, need;
	uint32_t h;

	begin();
	/* two headers, their strings, "Fine", 100 bytes */
	need = 2 * 32 + 2 * (6 + 3 + 2) + 5 + 101;
	for (pad = 0; pad < 8; pad++) {
		make(0, "/now/100");
		rp[0].space.va += pad;
		rp[0].space_len = 0;
		CHECK_EQ(call(1, 1), 1);
		CHECK_EQ(rp[0].state, SANDBOX_FETCH_HELD);
		CHECK_EQ(rp[0].status, 0);
		CHECK_EQ(rp[0].need, need + 7);
		CHECK_EQ(n_live, 1);
		h = rp[0].handle;
		/* one byte less than it takes */
		rp[0].space_len = need + (8 - pad) % 8 - 1;
		CHECK_EQ(call(1, 1), 1);
		CHECK_EQ(rp[0].state, SANDBOX_FETCH_HELD);
		CHECK_EQ(rp[0].handle, h);
		rp[0].space_len++;
		CHECK_EQ(call(1, 1), 1);
		CHECK_EQ(rp[0].state, SANDBOX_FETCH_DONE);
		CHECK_EQ(rp[0].error, 0);
		CHECK_EQ(rp[0].headers.va % 8, 0);
		CHECK_EQ(rp[0].body.va + 101, rp[0].space.va +
		    rp[0].space_len);
		CHECK_EQ(n_live, 0);
	}
	CHECK_EQ(n_start, 8);
	CHECK_EQ(use()->hits, 8);
	/* a held one is paid for once, and takes nothing from others */
	next();
	make(0, "/now/100");
	rp[0].space_len = 0;
	CHECK_EQ(call(1, 0), 1);
	CHECK_EQ(use()->reserved, 0);
	CHECK_EQ(use()->bytes, 8 + 4 + 18 + 100);
	/* the state that the guest says it has does not matter */
	rp[0].state = SANDBOX_FETCH_RUNNING;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].state, SANDBOX_FETCH_HELD);
	CHECK_EQ(use()->bytes, 8 + 4 + 18 + 100);
	/* and is given back with the request: see next() */
	end();
}

static void
cancel(void)
{

	begin();
	make(0, "/never/");
	make(1, "/now/100");
	rp[1].space_len = 0;
	make(2, "/later/1");
	CHECK_EQ(call(3, 1), 1);
	rp[0].state = rp[1].state = SANDBOX_FETCH_CANCEL;
	CHECK_EQ(call(3, 3), 3);
	CHECK_EQ(rp[0].error, ECANCELED);
	CHECK_EQ(rp[1].error, ECANCELED);
	CHECK_EQ(rp[2].error, 0);
	CHECK_EQ(n_live, 0);
	CHECK_EQ(use()->errors, 0);
	CHECK_EQ(use()->reserved, 0);
	/* twice is once too often, and so is one that is done */
	rp[0].state = SANDBOX_FETCH_CANCEL;
	CHECK_EQ(call(1, 0), -EINVAL);
	/* what is given up makes room for what is new */
	next();
	make(0, "/never/");
	CHECK_EQ(call(1, 0), 0);
	rp[0].state = SANDBOX_FETCH_CANCEL;
	make(1, "/now/1000");
	CHECK_EQ(call(2, 2), 2);
	CHECK_EQ(rp[1].error, 0);
	end();
}

/*--------------------------------------------------------------------
 * What does not
 */

/* The call fails, and nothing has been started. */
static void
refused(int error)
{

	CHECK_EQ(call(2, 0), -error);
	CHECK_EQ(n_start, 0);
	CHECK_EQ(n_live, 0);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	CHECK_EQ(use()->asked, 0);
}

#define REFUSED(field, to, error)					\
	do {								\
		make(0, "/now/1");					\
		make(1, "/now/1");					\
		field = (to);						\
		refused(error);						\
	} while (0)

static void
bad_calls(void)
{

	begin();
	REFUSED(rp[1].size, 0, EINVAL);
	REFUSED(rp[1].size, sizeof rp[1] - 1, EINVAL);
	REFUSED(rp[1].size, 4097, EINVAL);
	REFUSED(rp[1].size, UINT32_MAX, EINVAL);
	REFUSED(rp[1].reserved, 1, EINVAL);
	REFUSED(rp[1].state, 5, EINVAL);
	REFUSED(rp[1].state, UINT32_MAX, EINVAL);
	REFUSED(rp[1].state, SANDBOX_FETCH_RUNNING, EINVAL);
	REFUSED(rp[1].state, SANDBOX_FETCH_HELD, EINVAL);
	REFUSED(rp[1].state, SANDBOX_FETCH_CANCEL, EINVAL);
	REFUSED(rq[1].size, 0, EINVAL);
	REFUSED(rq[1].size, sizeof rq[1] - 1, EINVAL);
	REFUSED(rq[1].size, UINT32_MAX, EINVAL);
	REFUSED(list[1].response.va, 0, EFAULT);
	REFUSED(list[1].response.va, END - 95, EFAULT);
	REFUSED(list[1].response.va, UINT64_MAX - 50, EFAULT);
	REFUSED(list[1].response.va, WORLD_KERNEL, EFAULT);
	make(0, "/now/1");
	make(1, "/now/1");
	World_Put(&w, AT_REQUEST(1), &rq[1], sizeof rq[1]);
	CHECK_EQ(call_at(AT_LIST, SANDBOX_MAX_FETCH + 1, 0), -EINVAL);
	CHECK_EQ(call_at(AT_LIST, UINT64_MAX, 0), -EINVAL);
	CHECK_EQ(call_at(AT_LIST, UINT64_C(1) << 32, 0), -EINVAL);
	CHECK_EQ(call_at(AT_LIST, 1, 2), -EINVAL);
	CHECK_EQ(call_at(AT_LIST, 1, UINT64_MAX), -EINVAL);
	CHECK_EQ(call_at(0, 1, 0), -EFAULT);
	CHECK_EQ(call_at(END - 15, 1, 0), -EFAULT);
	CHECK_EQ(call_at(UINT64_MAX - 7, 1, 0), -EFAULT);
	CHECK_EQ(call_at(WORLD_KERNEL, 1, 0), -EFAULT);
	/* what can be read and not be written */
	list[1].response.va = WORLD_RO;
	rp[1].state = SANDBOX_FETCH_DONE;
	memcpy(SBX_Gmem_Phys(&w.m.gmem, (sbx_gpa_t){ *SBX_Gmem_Entry(
	    &w.m.gmem, (sandbox_gva_t){ WORLD_RO }) & SBX_PTE_ADDR },
	    SBX_PAGE), &rp[1], sizeof rp[1]);
	refused(EFAULT);
	/* may not, at all */
	make(0, "/now/1");
	w.x.fetches.limits.max = 0;
	CHECK_EQ(call(1, 1), -EPERM);
	w.x.fetches.limits.max = 10;
	w.proc.serving = 0;
	CHECK_EQ(call(1, 1), -EPERM);
	w.proc.serving = 1;
	CHECK_EQ(call(1, 1), 1);
	end();
}

/* Handles of others, or made up. */
static void
bad_handles(void)
{
	uint32_t h;
	unsigned u;

	begin();
	make(0, "/never/");
	CHECK_EQ(call(1, 0), 0);
	h = rp[0].handle;
	for (u = 0; u < 32; u++) {
		rp[0].handle = h ^ 1u << u;
		CHECK_EQ(call(1, 0), -EINVAL);
	}
	for (u = 0; u < 1000; u++) {
		rp[0].handle = u;
		if (u != h)
			CHECK_EQ(call(1, 0), -EINVAL);
	}
	/* the same one twice */
	rp[0].handle = h;
	make(1, "/now/1");
	rp[1].state = SANDBOX_FETCH_RUNNING;
	rp[1].handle = h;
	CHECK_EQ(call(2, 0), -EINVAL);
	rp[1].state = SANDBOX_FETCH_CANCEL;
	CHECK_EQ(call(2, 0), -EINVAL);
	CHECK_EQ(n_live, 1);
	CHECK_EQ(call(1, 0), 0);
	/* an old one, whose slot has another fetch now */
	rp[0].state = SANDBOX_FETCH_CANCEL;
	CHECK_EQ(call(1, 0), 1);
	make(1, "/never/");
	CHECK_EQ(call(2, 0), 1);
	CHECK_EQ(rp[1].handle % SANDBOX_MAX_FETCH, h % SANDBOX_MAX_FETCH);
	rp[0].state = SANDBOX_FETCH_RUNNING;
	rp[0].handle = h;
	CHECK_EQ(call(1, 0), -EINVAL);
	/* one of the request before this */
	h = rp[1].handle;
	next();
	rp[0].handle = h;
	CHECK_EQ(call(1, 0), -EINVAL);
	end();
}

static void
item(int error)
{

	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].state, SANDBOX_FETCH_DONE);
	CHECK_EQ(rp[0].error, error);
	CHECK_EQ(rp[0].status, error ? 0 : 200);
	CHECK_EQ(n_live, 0);
	CHECK_EQ(use()->reserved, 0);
	next();
}

#define ITEM(field, to, err_)						\
	do {								\
		make(0, "/now/1");					\
		rq[0].headers.va = AT_HEADERS;				\
		rq[0].n_headers = 1;					\
		hdr[0].name = text("X-Name");				\
		hdr[0].value = text("value");				\
		rq[0].body = rq[0].url.ptr;				\
		rq[0].body_len = 1;					\
		field = (to);						\
		item(err_);						\
	} while (0)

static void
bad_items(void)
{

	begin();
	ITEM(rq[0].flags, 0, 0);
	ITEM(rq[0].flags, 1, EINVAL);
	ITEM(rq[0].reserved, 1, EINVAL);
	ITEM(rq[0].url.reserved, 1, EINVAL);
	ITEM(rq[0].timeout_ns, -1, EINVAL);
	ITEM(rq[0].timeout_ns, INT64_MAX, 0);
	ITEM(rq[0].max_body, UINT64_MAX, 0);
	ITEM(list[0].request.va, 0, EFAULT);
	ITEM(list[0].request.va, END - 103, EFAULT);
	ITEM(list[0].request.va, WORLD_KERNEL, EFAULT);
	ITEM(rq[0].url, text(""), EINVAL);
	ITEM(rq[0].url, text("x"), EINVAL);
	ITEM(rq[0].url, text("http://a/"), EINVAL);
	ITEM(rq[0].url, text("/a b"), EINVAL);
	ITEM(rq[0].url, text("/a\tb"), EINVAL);
	ITEM(rq[0].url, text("/a\r\nX: y"), EINVAL);
	ITEM(rq[0].url, text("/a\x7f"), EINVAL);
	ITEM(rq[0].url, put("/a\0b", 4), EINVAL);
	ITEM(rq[0].url, text("/now/\xc3\xa4"), 0);
	ITEM(rq[0].url.ptr.va, 0, EFAULT);
	ITEM(rq[0].url.ptr.va, END - 5, EFAULT);
	ITEM(rq[0].url.ptr.va, UINT64_MAX, EFAULT);
	ITEM(rq[0].url.len, SANDBOX_MAX_HEADER_BYTES + 1, E2BIG);
	ITEM(rq[0].url.len, UINT32_MAX, E2BIG);
	ITEM(rq[0].method, text("GET "), EINVAL);
	ITEM(rq[0].method, text("G\nT"), EINVAL);
	ITEM(rq[0].method.len, 4, EFAULT);
	ITEM(rq[0].host, text("a b"), EINVAL);
	ITEM(rq[0].host, text("a\rb"), EINVAL);
	ITEM(rq[0].host.len, 4, EFAULT);
	ITEM(rq[0].headers.va, 0, EFAULT);
	ITEM(rq[0].headers.va, WORLD_KERNEL, EFAULT);
	ITEM(rq[0].n_headers, SANDBOX_MAX_HEADERS + 1, E2BIG);
	ITEM(rq[0].n_headers, UINT32_MAX, E2BIG);
	ITEM(hdr[0].name, text("host"), EINVAL);
	ITEM(hdr[0].name, text(""), EINVAL);
	ITEM(hdr[0].name, text("X:"), EINVAL);
	ITEM(hdr[0].value, text("a\nb"), EINVAL);
	ITEM(hdr[0].value.ptr.va, WORLD_KERNEL, EFAULT);
	ITEM(hdr[0].value.len, UINT32_MAX, E2BIG);
	ITEM(hdr[0].value.reserved, 7, EINVAL);
	/* each of them is short enough, together they are not */
	ITEM(hdr[0].value, put(bytes, SANDBOX_MAX_HEADER_BYTES - 12), 0);
	ITEM(hdr[0].value, put(bytes, SANDBOX_MAX_HEADER_BYTES - 11), E2BIG);
	ITEM(rq[0].body.va, 0, EFAULT);
	ITEM(rq[0].body.va, END, EFAULT);
	ITEM(rq[0].body.va, UINT64_MAX, EFAULT);
	ITEM(rq[0].body_len, UINT64_MAX, EDQUOT);
	ITEM(rq[0].body_len, 1 << 20, EDQUOT);
	ITEM(rp[0].space.va, 0, EFAULT);
	ITEM(rp[0].space.va, WORLD_RO, EFAULT);
	ITEM(rp[0].space.va, WORLD_KERNEL, EFAULT);
	ITEM(rp[0].space.va, END - 8, EFAULT);
	ITEM(rp[0].space.va, UINT64_MAX, EFAULT);
	ITEM(rp[0].space_len, UINT64_MAX, 0);
	end();
}

/* The space is anywhere, the guest's own structures and the request block
 * among it. */
static void
bad_spaces(void)
{
	static const uint64_t at[] = {
		AT_LIST, AT_REQUEST(0), AT_RESPONSE(0), AT_RESPONSE(0) + 17,
		AT_RESPONSE(1), AT_TEXT, AT_HEADERS, WORLD_WINDOW,
		WORLD_WINDOW + SANDBOX_MAX_REQUEST_BLOCK, WORLD_STACK,
	};
	unsigned u;

	begin();
	for (u = 0; u < sizeof at / sizeof at[0]; u++) {
		make(0, "/now/1000");
		make(1, "/now/1");
		rp[0].space.va = at[u];
		CHECK_EQ(call(2, 2), 2);
		CHECK_EQ(rp[1].state, SANDBOX_FETCH_DONE);
		CHECK_EQ(n_live, 0);
		next();
	}
	/* both responses are one: the guest loses a handle, nobody else does */
	make(0, "/never/");
	make(1, "/never/");
	list[1].response = list[0].response;
	CHECK_EQ(call(2, 0), 0);
	CHECK_EQ(n_live, 2);
	next();
	end();
}

static void *
no_calloc(size_t n, size_t l)
{

	(void)n;
	(void)l;
	return (NULL);
}

/* A body that does not lie in a row in the host's memory. */
static void
scattered(void)
{
	uint64_t *a, *b, t;

	begin();
	a = SBX_Gmem_Entry(&w.m.gmem, (sandbox_gva_t){ WORLD_ARENA + 0x40000 });
	b = SBX_Gmem_Entry(&w.m.gmem, (sandbox_gva_t){ WORLD_ARENA + 0x42000 });
	t = *a;
	*a = *b;
	*b = t;
	World_Put(&w, WORLD_ARENA + 0x40ffc, "over the edge", 13);
	make(0, "/now/1");
	rq[0].body.va = WORLD_ARENA + 0x40ffc;
	rq[0].body_len = 13;
	CHECK_EQ(call(1, 1), 1);
	CHECK(!strcmp(seen.body, "over the edge"));
	/* and no memory for the copy */
	rp[0].state = SANDBOX_FETCH_NEW;
	sbx_os.calloc = no_calloc;
	CHECK_EQ(call(1, 1), 1);
	sbx_os = sbx_os_real;
	CHECK_EQ(rp[0].error, EAGAIN);
	CHECK_EQ(n_start, 1);
	end();
}

/*--------------------------------------------------------------------
 * Budgets
 */

static void
counts(void)
{
	unsigned u;

	begin();
	w.x.fetches.limits.max = 5;
	for (u = 0; u < 5; u++) {
		CHECK_EQ(one(u % 2 ? "/now/1" : "/refuse/11"), 1);
		CHECK_EQ(rp[0].error, u % 2 ? 0 : EAGAIN);
	}
	/* one that could not be started at all does not count */
	CHECK_EQ(one("bad"), 1);
	CHECK_EQ(rp[0].error, EINVAL);
	CHECK_EQ(one("/now/1"), 1);
	CHECK_EQ(rp[0].error, EDQUOT);
	CHECK_EQ(n_start, 5);
	next();
	CHECK_EQ(one("/now/1"), 1);
	CHECK_EQ(rp[0].error, 0);
	end();
}

static void
shares(void)
{
	unsigned u;

	begin();
	w.x.fetches.limits.bytes = 10000;
	/* alone: all that is left after "/later/1" */
	CHECK_EQ(one("/later/1"), 1);
	CHECK_EQ(seen.max_body, 10000 - 8);
	next();
	/* four, one of them modest */
	for (u = 0; u < 4; u++)
		make(u, "/later/1");
	rq[2].max_body = 1000;
	CHECK_EQ(call(4, 0), 0);
	CHECK(use()->reserved <= 10000 - 4 * 8);
	CHECK(use()->reserved >= 10000 - 4 * 8 - 3);
	CHECK(seen.max_body >= (10000 - 1000) / 3 - 20);
	/* nothing is left for others, until they have ended */
	make(4, "/now/1");
	CHECK_EQ(call(5, 1), 1);
	CHECK_EQ(rp[4].error, EDQUOT);
	CHECK_EQ(call(5, 5), 5);
	CHECK_EQ(use()->reserved, 0);
	make(4, "/now/1");
	CHECK_EQ(call(5, 5), 5);
	CHECK_EQ(rp[4].error, 0);
	/* all of it, in the end */
	next();
	for (u = 0; u < 1000; u++) {
		CHECK_EQ(one("/now/500"), 1);
		if (rp[0].error != 0)
			break;
	}
	CHECK_EQ(rp[0].error, EDQUOT);
	CHECK_EQ(u, 10000 / (8 + 500 + 4 + 18));
	end();
}

static void
too_large(void)
{

	begin();
	w.x.fetches.limits.bytes = 10000;
	/* than the guest wants; than there is left */
	make(0, "/now/101");
	rq[0].max_body = 100;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, EMSGSIZE);
	make(0, "/now/10001");
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, EDQUOT);
	make(0, "/now/10001");
	rq[0].max_body = 20000;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, EDQUOT);
	/* what the guest sends counts as well */
	next();
	make(0, "/now/1");
	rq[0].body.va = WORLD_ARENA;
	rq[0].body_len = 9995;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, EDQUOT);
	rp[0].state = SANDBOX_FETCH_NEW;
	rq[0].body_len = 5000;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, 0);
	CHECK_EQ(seen.body_len, 5000);
	make(0, "/liar/101");
	rq[0].max_body = 100;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, EMSGSIZE);
	make(0, "/liar/5000");
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(rp[0].error, EDQUOT);
	/* headers that no guest could answer with */
	w.x.fetches.limits.bytes = 1 << 20;
	CHECK_EQ(one("/headers/256"), 1);
	CHECK_EQ(rp[0].state, SANDBOX_FETCH_HELD);
	rp[0].state = SANDBOX_FETCH_CANCEL;
	CHECK_EQ(call(1, 1), 1);
	CHECK_EQ(one("/headers/257"), 1);
	CHECK_EQ(rp[0].error, EMSGSIZE);
	CHECK_EQ(one("/long/65520"), 1);
	CHECK_EQ(rp[0].state, SANDBOX_FETCH_HELD);
	CHECK_EQ(one("/long/65530"), 1);
	CHECK_EQ(rp[0].error, EMSGSIZE);
	CHECK_EQ(one("/long/1000000"), 1);
	CHECK_EQ(rp[0].error, EMSGSIZE);
	end();
}

/*--------------------------------------------------------------------
 * Time, and the end
 */

#define MS			INT64_C(1000000)

static void
timeouts(void)
{
	int64_t t;

	begin();
	make(0, "/never/");
	rq[0].timeout_ns = 20 * MS;
	make(1, "/never/");
	rq[1].timeout_ns = 500 * MS;
	make(2, "/later/1");
	t = SBX_Os_Mono();
	CHECK_EQ(call(3, 2), 2);
	t = SBX_Os_Mono() - t;
	CHECK(t >= 20 * MS && t < 500 * MS);
	CHECK_EQ(rp[0].error, ETIMEDOUT);
	CHECK_EQ(rp[1].state, SANDBOX_FETCH_RUNNING);
	CHECK_EQ(rp[2].error, 0);
	CHECK_EQ(call(3, 3), 3);
	CHECK_EQ(rp[1].error, ETIMEDOUT);
	CHECK_EQ(use()->errors, 2);
	/* what passed between the two calls, on a busy machine, is not in it */
	CHECK(w.proc.waited >= 250 * MS);
	CHECK(SBX_Proc_Cpu(&w.proc) < 500 * MS);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	end();
}

static void
killed(enum sbx_kill_e why)
{
	unsigned u;
	int64_t r;
	const uint64_t a[6] = { AT_LIST, 3, 3 };

	for (u = 0; u < 3; u++)
		make(u, u < 2 ? "/never/" : "/now/100");
	rp[2].space_len = 0;
	(void)call(3, 0);
	if (w.proc.kill == SBX_KILL_NONE)
		CHECK_EQ(SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_FETCH, a,
		    &r), SBX_NEXT_KILLED);
	CHECK_EQ(w.proc.kill, why);
	CHECK_EQ(n_live, 3);
	next();
}

static void
kills(void)
{

	begin();
	w.proc.start = SBX_Os_Mono();
	w.proc.deadline = w.proc.start + 20 * MS;
	killed(SBX_KILL_timeout);
	gone = 1;
	killed(SBX_KILL_gone);
	/* the watchdog is there first, with much to be copied */
	w.m.kick = SBX_KICK_KICKED;
	w.proc.deadline = w.proc.start;
	make(0, "/now/1000");
	(void)call(1, 1);
	CHECK_EQ(w.proc.kill, SBX_KILL_timeout);
	w.m.kick = SBX_KICK_IDLE;
	end();
}

static void
nobody(void)
{

	begin();
	w.host.fetch_start = NULL;
	CHECK_EQ(one("/now/1"), 1);
	CHECK_EQ(rp[0].error, ENETDOWN);
	CHECK_EQ(one("bad"), 1);
	CHECK_EQ(rp[0].error, EINVAL);
	w.proc.host = NULL;
	CHECK_EQ(one("/now/1"), 1);
	CHECK_EQ(rp[0].error, ENETDOWN);
	CHECK_EQ(n_start, 0);
	SBX_Fetch_End(&w.x.fetches, &w.proc);
	end();
}

/* A guest that writes anything anywhere. The books must balance. */
static void
scribble(void)
{
	static const char * const urls[] = { "/now/50", "/later/9", "/never/",
	    "/error/5", "/refuse/40", "/headers/9", "x" };
	uint64_t lfsr = 0x2545f4914f6cdd1d;
	unsigned u, n, i;
	uint8_t *p;
	size_t l;

	begin();
	for (u = 0; u < 30000 && test_failed == 0; u++) {
		n = u % 9;
		for (i = 0; i < n; i++)
			if (rp[i].state == SANDBOX_FETCH_DONE || u % 7 == 0)
				make(i, urls[(u + i * 3) % 7]);
		for (i = 0; i < n && u % 3 == 0; i++) {
			lfsr ^= lfsr << 13;
			lfsr ^= lfsr >> 7;
			lfsr ^= lfsr << 17;
			p = lfsr & 1 ? (uint8_t *)&rq[i] : (uint8_t *)&rp[i];
			l = lfsr & 1 ? sizeof rq[i] : sizeof rp[i];
			p[(lfsr >> 8) % l] ^= (uint8_t)(lfsr >> 24);
		}
		(void)call(n, 0);
		CHECK_EQ(n_live, w.x.fetches.n);
		CHECK_EQ(n_start - n_drop >= n_live, 1);
		CHECK(use()->reserved <= w.x.fetches.limits.bytes);
		CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
		if (u % 50 == 49)
			next();
	}
	end();
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(good);
	TEST(waiting);
	TEST(full);
	TEST(held);
	TEST(cancel);
	TEST(bad_calls);
	TEST(bad_handles);
	TEST(bad_items);
	TEST(bad_spaces);
	TEST(scattered);
	TEST(counts);
	TEST(shares);
	TEST(too_large);
	TEST(timeouts);
	TEST(kills);
	TEST(nobody);
	TEST(scribble);
	TEST_END();
}
