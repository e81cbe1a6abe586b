/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who waits for whom.
 *
 * Varnish lets requests wait for an object that is being fetched already. If
 * it is a guest that makes the object, and the guest, through what it fetches,
 * waits for the same object, then it waits for itself. Nothing would end that
 * but the guest's deadline.
 *
 *	a guest's request  waits for  its fetches
 *	a fetch that runs  waits for  the guests that its sub-request is
 *				      fetching from: those with its session
 *	a parked fetch	   waits for  the guests that make that object
 *
 * Fetches that run add no edge but to guests that are new, so a circle can
 * only be closed by a fetch that is being parked. That is when it is looked
 * for, from that fetch on, and that fetch is the one to end with ELOOP.
 *
 * Only guests that have fetched something are known here, the others wait for
 * nobody. Guests in the background are known by their object alone: the
 * sub-request that has caused them does not wait for them. An object is known
 * by its hash.
 *
 * With many guests that fetch much from one another the search could take
 * long, with everybody waiting for the lock: so it looks at LOOPS_MAX of them
 * at most, which is some microseconds. A circle that is larger than this ends
 * with the deadline of one of its guests.
 */

#include "config.h"

#include <string.h>

#include "cache/cache.h"

#include "vmod/fetch.h"

#define LOOPS_MAX		1024

#define LOOPS_BUCKETS		256

VTAILQ_HEAD(loops_head, vsbx_fetches);
VTAILQ_HEAD(loops_fetch_head, sbx_fetch);

static struct loops_head loops_digest[LOOPS_BUCKETS];
static struct loops_head loops_sess[LOOPS_BUCKETS];
static struct loops_fetch_head loops_fetch[LOOPS_BUCKETS];
static uint64_t loops_mark;
static int loops_ready;

static unsigned
loops_bucket(const void *name)
{
	uintptr_t u = (uintptr_t)name;

	return ((unsigned)((u >> 5) ^ (u >> 13) ^ (u >> 21)) % LOOPS_BUCKETS);
}

/* It is a hash already. */
static struct loops_head *
loops_by_digest(const uint8_t *digest)
{

	return (&loops_digest[digest[0] % LOOPS_BUCKETS]);
}

static void
loops_init(void)
{
	unsigned u;

	if (loops_ready)
		return;
	for (u = 0; u < LOOPS_BUCKETS; u++) {
		VTAILQ_INIT(&loops_digest[u]);
		VTAILQ_INIT(&loops_sess[u]);
		VTAILQ_INIT(&loops_fetch[u]);
	}
	loops_ready = 1;
}

void
vsbx_loops_add(struct vsbx_fetches *of)
{

	CHECK_OBJ_NOTNULL(of, VSBX_FETCHES_MAGIC);
	loops_init();
	if (of->is_shared)
		VTAILQ_INSERT_HEAD(loops_by_digest(of->digest), of, by_digest);
	if (of->sess != NULL)
		VTAILQ_INSERT_HEAD(&loops_sess[loops_bucket(of->sess)],
		    of, by_sess);
}

void
vsbx_loops_remove(struct vsbx_fetches *of)
{

	CHECK_OBJ_NOTNULL(of, VSBX_FETCHES_MAGIC);
	if (of->is_shared)
		VTAILQ_REMOVE(loops_by_digest(of->digest), of, by_digest);
	if (of->sess != NULL)
		VTAILQ_REMOVE(&loops_sess[loops_bucket(of->sess)],
		    of, by_sess);
}

void
vsbx_loops_add_fetch(struct sbx_fetch *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	AN(loops_ready);
	VTAILQ_INSERT_HEAD(&loops_fetch[loops_bucket(f->sess)], f, by_sess);
}

void
vsbx_loops_remove_fetch(struct sbx_fetch *f)
{

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	VTAILQ_REMOVE(&loops_fetch[loops_bucket(f->sess)], f, by_sess);
}

const struct sbx_fetch *
vsbx_loops_find_fetch(const void *sess)
{
	const struct sbx_fetch *f;

	VTAILQ_FOREACH(f, &loops_fetch[loops_bucket(sess)], by_sess)
		if (f->sess == sess)
			break;
	return (f);
}

static void
loops_push(struct loops_head *todo, struct vsbx_fetches *of)
{

	CHECK_OBJ_NOTNULL(of, VSBX_FETCHES_MAGIC);
	if (of->mark == loops_mark)
		return;
	of->mark = loops_mark;
	VTAILQ_INSERT_TAIL(todo, of, todo);
}

/* Whom does this fetch wait for? */
static void
loops_push_all(struct loops_head *todo, const struct sbx_fetch *f)
{
	struct vsbx_fetches *of;

	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	if (f->where == VSBX_FETCH_PARKED) {
		VTAILQ_FOREACH(of, loops_by_digest(f->parked_on), by_digest)
			if (!memcmp(of->digest, f->parked_on,
			    sizeof of->digest))
				loops_push(todo, of);
	} else if (f->where == VSBX_FETCH_RUNS) {
		VTAILQ_FOREACH(of, &loops_sess[loops_bucket(f->sess)],
		    by_sess)
			if (of->sess == f->sess)
				loops_push(todo, of);
	}
}

int
vsbx_loops_find(const struct sbx_fetch *from)
{
	struct loops_head todo;
	struct vsbx_fetches *of;
	struct sbx_fetch *f;
	unsigned n = 0;

	CHECK_OBJ_NOTNULL(from, SBX_FETCH_MAGIC);
	assert(from->where == VSBX_FETCH_PARKED);
	VTAILQ_INIT(&todo);
	loops_mark++;
	loops_push_all(&todo, from);
	while ((of = VTAILQ_FIRST(&todo)) != NULL) {
		if (of == from->of)
			return (1);
		VTAILQ_REMOVE(&todo, of, todo);
		VTAILQ_FOREACH(f, &of->list, list) {
			if (++n > LOOPS_MAX)
				return (0);
			/* A guest does not wait for what has ended. */
			if (!f->ended)
				loops_push_all(&todo, f);
		}
	}
	return (0);
}
