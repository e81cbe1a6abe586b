/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The library's part of fetching: where it puts responses, how it goes on with
 * those that are held, and with more than can be listed. The linker puts our
 * host in the place of the system call (--wrap).
 *
 * A URL is "/SIZE/ROUNDS": so large a body, ended in that many calls. Each
 * byte of it says which fetch it is of.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk.h"

#define CHECK(e)							\
	do {								\
		n_checks++;						\
		if (!(e)) {						\
			(void)fprintf(stderr, "%s:%d: failed: %s\n",	\
			    __FILE__, __LINE__, #e);			\
			n_failed++;					\
		}							\
	} while (0)

#define MAX			400
#define CANARY			0x5a

static unsigned n_checks, n_failed;

/*--------------------------------------------------------------------
 * Memory. The library frees nothing, because a request's end does.
 */

static void *blocks[4096];
static unsigned n_blocks;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
	void *p;

	p = size > (size_t)1 << 40 ? NULL : __real_malloc(size);
	if (p != NULL && n_blocks < sizeof blocks / sizeof blocks[0])
		blocks[n_blocks++] = p;
	return (p);
}

/*--------------------------------------------------------------------
 * The host
 */

static struct {
	size_t		size;
	unsigned	rounds;
	unsigned	id;
	int		used;
} running[SANDBOX_MAX_FETCH];
static unsigned n_calls, n_running, n_ids;
static long refuse;			/* an errno */

long __wrap_sdk_call(long nr, long a, long b, long c);

/* As the host does: strings, each with a NUL, then the body. */
static void
deliver(struct sandbox_fetch_response *r, unsigned slot)
{
	static const char reason[] = "Fine";
	size_t size = running[slot].size;
	char *p = r->space;

	if (r->space_len < sizeof reason + size + 1) {
		r->state = SANDBOX_FETCH_HELD;
		r->need = sizeof reason + size + 1 + 7;
		return;
	}
	memcpy(p, reason, sizeof reason);
	r->reason = sandbox_text(p);
	p += sizeof reason;
	memset(p, (int)(running[slot].id % 251 + 1), size);
	p[size] = '\0';
	r->body = size > 0 ? p : NULL;
	r->body_len = size;
	r->state = SANDBOX_FETCH_DONE;
	r->status = 200;
	running[slot].used = 0;
	n_running--;
}

static void
start(const struct sandbox_fetch_request *rq, struct sandbox_fetch_response *r)
{
	unsigned s;

	for (s = 0; s < SANDBOX_MAX_FETCH && running[s].used; s++)
		continue;
	if (s == SANDBOX_MAX_FETCH) {
		r->state = SANDBOX_FETCH_DONE;
		r->error = EAGAIN;
		return;
	}
	n_running++;
	running[s].used = 1;
	running[s].id = n_ids++;
	CHECK(sscanf(rq->url.ptr, "/%zu/%u", &running[s].size,
	    &running[s].rounds) == 2);
	r->state = SANDBOX_FETCH_RUNNING;
	r->handle = s + 1;
}

static void
step(struct sandbox_fetch_response *r)
{
	unsigned s = r->handle - 1;

	CHECK(s < SANDBOX_MAX_FETCH && running[s].used);
	if (r->state == SANDBOX_FETCH_CANCEL) {
		r->state = SANDBOX_FETCH_DONE;
		r->error = ECANCELED;
		running[s].used = 0;
		n_running--;
	} else if (running[s].rounds == 0)
		deliver(r, s);
}

long
__wrap_sdk_call(long nr, long a, long b, long c)
{
	const struct sandbox_fetch *list;
	unsigned ended;
	long i;

	CHECK(nr == SANDBOX_CALL_FETCH);
	CHECK(b <= SANDBOX_MAX_FETCH && c <= b);
	if (refuse)
		return (-refuse);
	n_calls++;
	list = (const struct sandbox_fetch *)a;
	for (i = 0; i < b; i++)
		if (list[i].response->state == SANDBOX_FETCH_NEW)
			start(list[i].request, list[i].response);
	/* time passes as long as somebody waits */
	do {
		for (ended = 0, i = 0; i < b; i++) {
			if (list[i].response->state == SANDBOX_FETCH_DONE)
				ended++;
			else if (running[list[i].response->handle - 1].rounds
			    == 0)
				ended++;
			else
				running[list[i].response->handle -
				    1].rounds--;
		}
	} while (ended < (unsigned)c);
	for (i = 0; i < b; i++)
		if (list[i].response->state != SANDBOX_FETCH_DONE)
			step(list[i].response);
	return ((long)ended);
}

/*--------------------------------------------------------------------*/

static struct sandbox_fetch_request rq[MAX];
static struct sandbox_fetch_response rp[MAX];
static struct sandbox_fetch list[MAX];
static char url[MAX][32];

static void
make(unsigned i, size_t size, unsigned rounds)
{

	(void)snprintf(url[i], sizeof url[i], "/%zu/%u", size, rounds);
	sandbox_fetch_init(&rq[i], &rp[i], url[i]);
	list[i].request = &rq[i];
	list[i].response = &rp[i];
}

/* All that is done is whole, and nothing lies in another one's place. */
static void
whole(unsigned n, unsigned first_id)
{
	unsigned char want;
	unsigned i;
	size_t l;
	int ok;

	for (i = 0; i < n; i++) {
		if (rp[i].state != SANDBOX_FETCH_DONE || rp[i].error != 0)
			continue;
		want = (unsigned char)((first_id + i) % 251 + 1);
		CHECK(strcmp(rp[i].reason.ptr, "Fine") == 0);
		for (ok = 1, l = 0; l < rp[i].body_len; l++)
			ok &= (unsigned char)rp[i].body[l] == want;
		CHECK(ok);
		CHECK(l == 0 || rp[i].body[l] == '\0');
	}
}

static void
test_sizes(void)
{
	static const size_t sizes[] = { 0, 1, 15, 4096, 60000, 300000, 520000,
	    524000, 524256, 524288, 2000000, 3 };
	unsigned i, n, id;

	/* one after the other, and then all at once, several times */
	n = sizeof sizes / sizeof sizes[0];
	id = n_ids;
	for (i = 0; i < n; i++) {
		make(i, sizes[i], 0);
		CHECK(sandbox_fetch(&rq[i], &rp[i]) == 0);
		CHECK(rp[i].body_len == sizes[i]);
		whole(i + 1, id);
	}
	id = n_ids;
	for (i = 0; i < MAX; i++)
		make(i, sizes[i % n], i % 3);
	CHECK(sandbox_fetch_many(list, MAX, MAX) == MAX);
	CHECK(n_running == 0);
	for (i = 0; i < MAX; i++)
		CHECK(rp[i].body_len == sizes[i % n] && rp[i].error == 0);
	whole(MAX, id);
}

static void
test_calls(void)
{
	unsigned i;

	/* they all fit: one call */
	for (i = 0; i < 8; i++)
		make(i, 28000, i);
	n_calls = 0;
	CHECK(sandbox_fetch_many(list, 8, 8) == 8);
	CHECK(n_calls == 1);
	/* one does not, and costs one more */
	for (i = 0; i < 8; i++)
		make(i, i == 3 ? 100000 : 1000, i);
	n_calls = 0;
	CHECK(sandbox_fetch_many(list, 8, 8) == 8);
	CHECK(n_calls == 2);
	/* what is done is done */
	CHECK(sandbox_fetch_many(list, 8, 0) == 8);
	CHECK(sandbox_fetch_many(list, 8, 8) == 8);
	CHECK(sandbox_fetch_many(NULL, 0, 0) == 0);
	CHECK(n_calls == 2);
	CHECK(sandbox_fetch_many(list, 8, 9) == -1 && errno == EINVAL);
}

static void
test_some(void)
{
	unsigned i, id, n;

	id = n_ids;
	for (i = 0; i < 6; i++)
		make(i, 5000, 10 * i + 2);
	CHECK(sandbox_fetch_many(list, 6, 0) == 0);
	CHECK(rp[0].state == SANDBOX_FETCH_RUNNING);
	for (n = 1; n <= 6; n++) {
		CHECK(sandbox_fetch_many(list, 6, n) == (int)n);
		whole(6, id);
	}
	/* more than can run; the first hundred that are done will do */
	for (i = 0; i < MAX; i++)
		make(i, 100, i % 5);
	CHECK(sandbox_fetch_many(list, MAX, 100) >= 100);
	CHECK(sandbox_fetch_many(list, MAX, MAX) == MAX);
	/* listed the other way round, so that what runs is at the end */
	for (i = 0; i < MAX; i++)
		make(i, 100, 2);
	for (i = 0; i < MAX; i++) {
		list[MAX - 1 - i].request = &rq[i];
		list[MAX - 1 - i].response = &rp[i];
	}
	CHECK(sandbox_fetch_many(list + MAX - 60, 60, 0) == 0);
	CHECK(sandbox_fetch_many(list, MAX, MAX) == MAX);
	for (i = 0; i < MAX; i++)
		CHECK(rp[i].error == 0);
}

static void
test_space(void)
{
	static char mine[1000];
	unsigned id;

	id = n_ids;
	memset(mine, CANARY, sizeof mine);
	make(0, 500, 1);
	rp[0].space = mine;
	rp[0].space_len = 600;
	CHECK(sandbox_fetch(&rq[0], &rp[0]) == 0);
	CHECK(rp[0].body > mine && rp[0].body < mine + 600);
	CHECK(mine[600] == CANARY);
	/* it is too small, and is left alone */
	memset(mine, CANARY, sizeof mine);
	make(1, 700, 1);
	rp[1].space = mine;
	rp[1].space_len = 600;
	CHECK(sandbox_fetch(&rq[1], &rp[1]) == 0);
	CHECK(rp[1].body_len == 700);
	CHECK(mine[0] == CANARY);
	rp[0].state = SANDBOX_FETCH_NEW;	/* its place is used again */
	whole(2, id);
}

static void
test_cancel(void)
{

	make(0, 100, 5);
	CHECK(sandbox_fetch_cancel(&rp[0]) == 0);
	CHECK(rp[0].state == SANDBOX_FETCH_DONE && rp[0].error == ECANCELED);
	make(0, 100, 5);
	CHECK(sandbox_fetch_many(list, 1, 0) == 0);
	CHECK(sandbox_fetch_cancel(&rp[0]) == 0);
	CHECK(rp[0].error == ECANCELED);
	CHECK(n_running == 0);
	n_calls = 0;
	CHECK(sandbox_fetch_cancel(&rp[0]) == 0);
	CHECK(n_calls == 0);
	CHECK(sandbox_fetch(&rq[0], &rp[0]) == -1 && errno == ECANCELED);
	/* more memory than there is */
	make(0, (size_t)1 << 60, 0);
	CHECK(sandbox_fetch(&rq[0], &rp[0]) == -1 && errno == ENOMEM);
	CHECK(rp[0].state == SANDBOX_FETCH_DONE);
	CHECK(n_running == 0);
	refuse = EPERM;
	make(0, 1, 0);
	CHECK(sandbox_fetch(&rq[0], &rp[0]) == -1 && errno == EPERM);
	CHECK(rp[0].state == SANDBOX_FETCH_NEW && rp[0].space == NULL);
	refuse = 0;
}

static void
test_headers(void)
{
	struct sandbox_header h[3];

	h[0] = sandbox_make_header("Set-Cookie", "a");
	h[1] = sandbox_make_header("set-cookie", "b");
	h[2] = sandbox_make_header("ETag", "\"x\"");
	make(0, 1, 1);
	CHECK(sandbox_fetch_header(&rp[0], "ETag") == NULL);
	rp[0].headers = h;
	rp[0].n_headers = 3;
	CHECK(strcmp(sandbox_fetch_header(&rp[0], "etag"), "\"x\"") == 0);
	CHECK(strcmp(sandbox_fetch_header(&rp[0], "SET-COOKIE"), "a") == 0);
	CHECK(strcmp(sandbox_fetch_nth_header(&rp[0], "SET-COOKIE", 1),
	    "b") == 0);
	CHECK(sandbox_fetch_nth_header(&rp[0], "SET-COOKIE", 2) == NULL);
}

int
main(void)
{

	test_sizes();
	test_calls();
	test_some();
	test_space();
	test_cancel();
	test_headers();
	while (n_blocks > 0)
		free(blocks[--n_blocks]);
	printf("%u checks, %u failed\n", n_checks, n_failed);
	return (n_failed == 0 ? 0 : 1);
}
