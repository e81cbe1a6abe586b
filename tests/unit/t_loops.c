/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who waits for whom: vmod/loops.c. Guests and fetches are made here, as
 * vmod/fetch.c would; letters stand for objects, numbers for sessions.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "test.h"
#include "vmod/fetch.h"

#define MAX_GUESTS		3000

static struct vsbx_fetches guests[MAX_GUESTS];
static struct sbx_fetch fetches[MAX_GUESTS * 2];
static char names[MAX_GUESTS * 2];
static unsigned n_guests, n_fetches;

/* A guest that makes (object), NULL: for one client alone; for the sub-request
 * with session (sess), -1: for a client, -2: in the background. */
static struct vsbx_fetches *
guest(const char *object, int sess)
{
	struct vsbx_fetches *of = &guests[n_guests++];

	assert(n_guests <= MAX_GUESTS);
	memset(of, 0, sizeof *of);
	of->magic = VSBX_FETCHES_MAGIC;
	VTAILQ_INIT(&of->list);
	if (object != NULL) {
		of->is_shared = 1;
		memcpy(of->digest, object, strlen(object));
	}
	if (sess != -2)
		of->sess = sess < 0 ? "a client's" : &names[sess];
	vsbx_loops_add(of);
	return (of);
}

/* What it fetches: runs with session (sess), or is parked on (object). */
static struct sbx_fetch *
fetch(struct vsbx_fetches *of, int sess, const char *object)
{
	struct sbx_fetch *f = &fetches[n_fetches++];

	assert(n_fetches <= MAX_GUESTS * 2);
	memset(f, 0, sizeof *f);
	f->magic = SBX_FETCH_MAGIC;
	f->of = of;
	f->sess = &names[sess];
	f->where = VSBX_FETCH_RUNS;
	if (object != NULL) {
		f->where = VSBX_FETCH_PARKED;
		memcpy(f->parked_on, object, strlen(object));
	}
	VTAILQ_INSERT_TAIL(&of->list, f, list);
	vsbx_loops_add_fetch(f);
	return (f);
}

static void
forget(void)
{

	while (n_fetches > 0)
		vsbx_loops_remove_fetch(&fetches[--n_fetches]);
	while (n_guests > 0)
		vsbx_loops_remove(&guests[--n_guests]);
}

/* The object that it is there to make. */
static void
itself(void)
{
	struct vsbx_fetches *a = guest("a", -1);

	CHECK(vsbx_loops_find(fetch(a, 1, "a")));
	CHECK(!vsbx_loops_find(fetch(a, 2, "b")));
	forget();

	/* Nobody waits for what is made for one client. */
	a = guest(NULL, -1);
	CHECK(!vsbx_loops_find(fetch(a, 1, "a")));
	forget();
}

static void
mutual(void)
{
	struct vsbx_fetches *a = guest("a", -1), *b = guest("b", -1);
	struct sbx_fetch *f;

	f = fetch(a, 1, "b");
	CHECK(!vsbx_loops_find(f));
	CHECK(vsbx_loops_find(fetch(b, 2, "a")));
	/* What has ended is not waited for. */
	f->ended = 1;
	CHECK(!vsbx_loops_find(fetch(b, 3, "a")));
	forget();
}

/* Through a sub-request that runs, and another guest that answers it. */
static void
deep(void)
{
	struct vsbx_fetches *a = guest("a", -1), *b, *c;

	(void)fetch(a, 1, NULL);
	b = guest(NULL, 1);
	(void)fetch(b, 2, NULL);
	c = guest("c", 2);
	CHECK(!vsbx_loops_find(fetch(c, 3, "d")));
	CHECK(vsbx_loops_find(fetch(c, 4, "c")));
	CHECK(vsbx_loops_find(fetch(c, 5, "a")));
	forget();

	/* In the background: nobody waits for that guest. */
	a = guest("a", -1);
	(void)fetch(a, 1, NULL);
	b = guest("b", -2);
	CHECK(!vsbx_loops_find(fetch(b, 2, "a")));
	/* But for what it makes. */
	(void)fetch(a, 3, "b");
	CHECK(vsbx_loops_find(fetch(b, 4, "a")));
	forget();
}

/* Two guests make variants of one object. */
static void
variants(void)
{
	struct vsbx_fetches *a = guest("a", -1), *b = guest("a", -1);

	(void)b;
	CHECK(vsbx_loops_find(fetch(a, 1, "a")));
	forget();
}

/* A circle of (n), each waits for the next one. */
static int
circle(unsigned n)
{
	struct sbx_fetch *f = NULL;
	char name[12], next[12];
	unsigned u;
	int i;

	for (u = 0; u < n; u++) {
		bprintf(name, "%u", u);
		bprintf(next, "%u", (u + 1) % n);
		f = fetch(guest(name, -1), (int)u, next);
	}
	i = vsbx_loops_find(f);
	forget();
	return (i);
}

static void
large(void)
{

	CHECK(circle(1));
	CHECK(circle(2));
	CHECK(circle(1000));
	/* It does not look any further: that would take too long. */
	CHECK(!circle(2000));
}

static void
by_session(void)
{
	struct vsbx_fetches *a = guest("a", -1);
	struct sbx_fetch *f = fetch(a, 7, NULL);

	CHECK(vsbx_loops_find_fetch(&names[7]) == f);
	CHECK(vsbx_loops_find_fetch(&names[8]) == NULL);
	forget();
	CHECK(vsbx_loops_find_fetch(&names[7]) == NULL);
}

int
main(void)
{

	TEST(itself);
	TEST(mutual);
	TEST(deep);
	TEST(variants);
	TEST(large);
	TEST(by_session);
	TEST_END();
}
