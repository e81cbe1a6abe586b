/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters that outlive a VCL: one segment for each object name.
 *
 * An object's own segment is named by its VCL, as those of Varnish's backends
 * are, so that two VCLs with an object of the same name do not get into each
 * other's way. But the next VCL has another name, and a curve that is drawn
 * from it would begin anew. So there is one more for each object name: the sum
 * over all VCLs that are loaded, and have been. A pool that several of these
 * objects share is counted once.
 *
 * A total is never freed: it would have to begin at zero when its name comes
 * back. There are as many as VCL authors have thought of names.
 *
 * Locking: total_mtx protects the list, all that is in it, and the numbers in
 * the segments. Leaf lock: pools are asked before. Segments are made, shown and
 * hidden in the CLI thread, without it.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "VSC_sandbox.h"

#include "vmod/vsbx.h"

/* A pool that counts. */
struct vsbx_part {
	unsigned			magic;
#define VSBX_PART_MAGIC			0x3fd2087b
	const struct sbx_pool		*pool;
	unsigned			refs;		/* objects */
	struct sbx_pool_stats		joined;		/* as they were then */
	struct sbx_pool_stats		last;
	VTAILQ_ENTRY(vsbx_part)		list;
};

struct vsbx_total {
	unsigned			magic;
#define VSBX_TOTAL_MAGIC		0x6b19ce42
	char				*name;
	struct VSC_sandbox		*vsc;
	struct vsc_seg			*seg;
	unsigned			n_obj;
	uint64_t			subrequests, subrequests_left;
	struct sbx_pool_stats		gone;		/* counters only */
	VTAILQ_HEAD(, vsbx_part)	parts;
	VTAILQ_ENTRY(vsbx_total)	list;
};

static pthread_mutex_t total_mtx = PTHREAD_MUTEX_INITIALIZER;
static VTAILQ_HEAD(, vsbx_total) total_head =
    VTAILQ_HEAD_INITIALIZER(total_head);

/*
 * A name of a VCL or an object, as part of a segment's: with nothing in it but
 * letters, digits and '_', because prometheus-varnish-exporter makes it part of
 * a metric's name, and ends if that is not a valid one. '-' becomes "_2d";
 * where a name has that itself its '_' becomes "_5f", so that no two names come
 * out the same.
 */
char *
vsbx_total_word(const char *name)
{
	const char *p, *as;
	char *word, *to;

	AN(name);
	to = word = malloc(3 * strlen(name) + 1);
	AN(word);
	for (p = name; *p != '\0'; p++) {
		as = NULL;
		if (*p == '-')
			as = "_2d";
		else if (*p == '_' && (!strncmp(p + 1, "2d", 2) ||
		    !strncmp(p + 1, "5f", 2)))
			as = "_5f";
		if (as != NULL)
			memcpy(to, as, 3);
		else
			*to = *p;
		to += as != NULL ? 3 : 1;
	}
	*to = '\0';
	return (word);
}

/* What a pool has done since it joined; gauges as they are. */
static void
total_add(struct sbx_pool_stats *sum, const struct vsbx_part *part,
    int gauges)
{

	CHECK_OBJ_NOTNULL(part, VSBX_PART_MAGIC);
#define POOL_STAT(type, name, text)					\
	if (#type[0] == 'c')						\
		sum->name += part->last.name - part->joined.name;	\
	else if (gauges)						\
		sum->name += part->last.name;
#include "tbl/pool_stats.h"
}

/* With the lock. Whether one can expect a VM is no number to be added up: one
 * of those that are loaded is in use, the others may be cold. */
static void
total_show(const struct vsbx_total *t)
{
	const struct vsbx_part *part;
	struct sbx_pool_stats sum;

	sum = t->gone;
	VTAILQ_FOREACH(part, &t->parts, list)
		total_add(&sum, part, 1);
	sum.healthy = sum.healthy > 0;
	sum.subrequests = t->subrequests;
	sum.subrequests_left = t->subrequests_left;
#define POOL_STAT(type, name, text)	t->vsc->type##_##name = sum.name;
#include "tbl/pool_stats.h"
}

/* With the lock. Of two threads the later may bring what the earlier has
 * seen. */
static void
total_note(struct vsbx_part *part, const struct sbx_pool_stats *st)
{

#define POOL_STAT(type, name, text)					\
	if (#type[0] == 'g' || st->name > part->last.name)		\
		part->last.name = st->name;
#include "tbl/pool_stats.h"
}

/* With the lock. Sub-requests are the object's, not the pool's. */
static void
total_note_object(struct vmod_sandbox_program *prg,
    const struct sbx_pool_stats *st)
{
	struct vsbx_total *t = prg->total;

	t->subrequests += st->subrequests - prg->noted.subrequests;
	t->subrequests_left += st->subrequests_left -
	    prg->noted.subrequests_left;
	prg->noted.subrequests = st->subrequests;
	prg->noted.subrequests_left = st->subrequests_left;
}

static struct vsbx_total *
total_new(const char *name)
{
	struct vsbx_total *t;
	char *word;

	ALLOC_OBJ(t, VSBX_TOTAL_MAGIC);
	AN(t);
	REPLACE(t->name, name);
	VTAILQ_INIT(&t->parts);
	word = vsbx_total_word(name);
	t->vsc = VSC_sandbox_New(NULL, &t->seg, "%s", word);
	AN(t->vsc);
	free(word);
	AZ(pthread_mutex_lock(&total_mtx));
	VTAILQ_INSERT_TAIL(&total_head, t, list);
	AZ(pthread_mutex_unlock(&total_mtx));
	return (t);
}

static struct vsbx_part *
part_new(const struct sbx_pool *pool, const struct sbx_pool_stats *st)
{
	struct vsbx_part *part;

	ALLOC_OBJ(part, VSBX_PART_MAGIC);
	AN(part);
	part->pool = pool;
	part->joined = part->last = *st;
	return (part);
}

/* The list changes in the CLI thread only, so that this can look without the
 * lock. */
void
vsbx_total_join(struct vmod_sandbox_program *prg)
{
	struct vsbx_total *t;
	struct vsbx_part *part;
	struct sbx_pool_stats st;

	ASSERT_CLI();
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AZ(prg->total);
	VTAILQ_FOREACH(t, &total_head, list)
		if (!strcmp(t->name, prg->name))
			break;
	if (t == NULL)
		t = total_new(prg->name);
	if (t->n_obj++ == 0)
		VRT_VSC_Reveal(t->seg);
	VTAILQ_FOREACH(part, &t->parts, list)
		if (part->pool == prg->pool)
			break;
	SBX_Pool_Stats(prg->pool, &st);
	AZ(pthread_mutex_lock(&total_mtx));
	if (part == NULL) {
		part = part_new(prg->pool, &st);
		VTAILQ_INSERT_TAIL(&t->parts, part, list);
	}
	part->refs++;
	prg->total = t;
	prg->part = part;
	AZ(pthread_mutex_unlock(&total_mtx));
}

void
vsbx_total_leave(struct vmod_sandbox_program *prg)
{
	const struct sbx_pool_stats none = { 0 };
	struct sbx_pool_stats st;
	struct vsbx_total *t;
	struct vsbx_part *part;

	ASSERT_CLI();
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	t = prg->total;
	if (t == NULL)
		return;
	CHECK_OBJ(t, VSBX_TOTAL_MAGIC);
	part = prg->part;
	CHECK_OBJ_NOTNULL(part, VSBX_PART_MAGIC);
	SBX_Pool_Stats(prg->pool, &st);
	AZ(pthread_mutex_lock(&total_mtx));
	total_note_object(prg, &none);
	total_note(part, &st);
	if (--part->refs == 0) {
		total_add(&t->gone, part, 0);
		VTAILQ_REMOVE(&t->parts, part, list);
		FREE_OBJ(part);
	}
	total_show(t);
	AZ(pthread_mutex_unlock(&total_mtx));
	if (--t->n_obj == 0)
		VRT_VSC_Hide(t->seg);
	prg->total = NULL;
	prg->part = NULL;
}

void
vsbx_total_update(struct vmod_sandbox_program *prg,
    const struct sbx_pool_stats *st)
{

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AN(st);
	AZ(pthread_mutex_lock(&total_mtx));
	CHECK_OBJ_NOTNULL(prg->total, VSBX_TOTAL_MAGIC);
	total_note(prg->part, st);
	total_note_object(prg, st);
	total_show(prg->total);
	AZ(pthread_mutex_unlock(&total_mtx));
}
