/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * cores.c: which VMs get a core, and the thread that writes it.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/coredir.h"
#include "pool/cores.h"
#include "pool/pool_impl.h"
#include "pool/program.h"
#include "pool/vm_priv.h"

/* When the directory has been found full it is not looked at again for so
 * long, in nanoseconds. */
#define CORES_FULL		INT64_C(1000000000)

/* How much news is kept for those who ask now and then; older is lost. */
#define CORES_NEWS		16

struct cores_news {
	int			bad;
	char			text[SBX_CORE_PATH_MAX + SBX_ERR_MAX];
};

struct sbx_cores {
	unsigned		magic;
#define SBX_CORES_MAGIC		0x3fb9061d
	struct sbx_pool		*pool;
	struct sbx_coredir	*dir;
	pthread_t		thread;
	int			started;	/* and to be joined */

	struct sbx_vm		*vm;		/* the thread is at it */
	int64_t			full_until;	/* SBX_Os_Mono() */
	uint64_t		written;
	uint64_t		failed;
	uint64_t		skipped;
	uint64_t		n_news;		/* there have been so many */
	struct cores_news	news[CORES_NEWS];
};

int
SBX_Cores_New(struct sbx_pool *pool, struct sbx_cores **cp,
    struct sbx_err *err)
{
	struct sbx_cores *c;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AN(cp);
	AZ(*cp);
	SBX_ALLOC_OBJ(c, SBX_CORES_MAGIC);
	if (c == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "core_dir"));
	c->pool = pool;
	if (SBX_Coredir_New(pool->cfg, &c->dir, err)) {
		FREE_OBJ(c);
		return (-1);
	}
	*cp = c;
	return (0);
}

void
SBX_Cores_Wait(struct sbx_cores *c)
{

	CHECK_OBJ_NOTNULL(c, SBX_CORES_MAGIC);
	if (c->started)
		AZ(pthread_join(c->thread, NULL));
	c->started = 0;
}

void
SBX_Cores_Destroy(struct sbx_cores **cp)
{
	struct sbx_cores *c;

	TAKE_OBJ_NOTNULL(c, cp, SBX_CORES_MAGIC);
	SBX_Cores_Wait(c);
	AZ(c->vm);
	SBX_Coredir_Destroy(&c->dir);
	FREE_OBJ(c);
}

/*--------------------------------------------------------------------
 * Writing
 */

/* With the lock. */
static void
cores_tell(struct sbx_cores *c, int i, const char *path,
    const struct sbx_err *err)
{
	const uintmax_t xid = c->vm->xid;
	struct cores_news *n;

	if (i > 0) {
		c->skipped++;
		c->full_until = SBX_Os_Mono() + CORES_FULL;
		return;
	}
	n = &c->news[c->n_news++ % CORES_NEWS];
	n->bad = i != 0;
	if (i == 0) {
		c->written++;
		(void)snprintf(n->text, sizeof n->text,
		    "core of request %ju: %s", xid, path);
	} else {
		c->failed++;
		(void)snprintf(n->text, sizeof n->text,
		    "no core of request %ju: %s", xid, err->msg);
	}
}

static void *
cores_main(void *priv)
{
	char path[SBX_CORE_PATH_MAX] = "";
	struct sbx_cores *c;
	struct sbx_pool *pool;
	struct sbx_err err;
	int i;

	CAST_OBJ_NOTNULL(c, priv, SBX_CORES_MAGIC);
	pool = c->pool;
	SBX_Err_Clear(&err);
	i = SBX_VM_Written(c->vm, &err);
	if (i == 0)
		i = SBX_Coredir_Write(c->dir, &c->vm->proc, c->vm->dirty, path,
		    &err);
	AZ(pthread_mutex_lock(&pool->mtx));
	cores_tell(c, i, path, &err);
	VTAILQ_INSERT_TAIL(&pool->old, c->vm, list);
	c->vm = NULL;
	AZ(pthread_cond_broadcast(&pool->cond));
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (NULL);
}

int
SBX_Cores_Take(struct sbx_cores *c, struct sbx_vm *vm)
{
	struct sbx_err err;
	int e;

	CHECK_OBJ_NOTNULL(c, SBX_CORES_MAGIC);
	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	if (vm->cored || vm->state != SBX_VM_DEAD ||
	    !SBX_Proc_WantsCore(&vm->proc))
		return (0);
	vm->cored = 1;
	if (c->vm != NULL || SBX_Os_Mono() < c->full_until) {
		c->skipped++;
		return (0);
	}
	c->vm = vm;
	AZ(pthread_mutex_unlock(&c->pool->mtx));
	SBX_Cores_Wait(c);
	e = sbx_os.pthread_create(&c->thread, NULL, cores_main, c);
	if (e == 0) {
		(void)pthread_setname_np(c->thread, "sbx-core");
		c->started = 1;
	}
	AZ(pthread_mutex_lock(&c->pool->mtx));
	if (e == 0)
		return (1);
	SBX_Err_Clear(&err);
	(void)SBX_Err_Set(&err, SBX_FAIL_HOST, e, "thread for a core file");
	cores_tell(c, -1, NULL, &err);
	c->vm = NULL;
	return (0);
}

/*--------------------------------------------------------------------
 * What others see
 */

const struct sbx_gen *
SBX_Cores_Gen(const struct sbx_cores *c)
{

	CHECK_OBJ_NOTNULL(c, SBX_CORES_MAGIC);
	return (c->vm == NULL ? NULL : c->vm->gen);
}

void
SBX_Cores_Stats(const struct sbx_cores *c, struct sbx_pool_stats *st)
{

	CHECK_OBJ_NOTNULL(c, SBX_CORES_MAGIC);
	AN(st);
	st->cores = c->written;
	st->cores_failed = c->failed;
	st->cores_skipped = c->skipped;
}

int
SBX_Cores_News(const struct sbx_cores *c, uint64_t *seen, int *bad, char *buf,
    size_t size)
{
	const struct cores_news *n;

	CHECK_OBJ_NOTNULL(c, SBX_CORES_MAGIC);
	if (*seen == c->n_news)
		return (0);
	if (c->n_news - *seen > CORES_NEWS)
		*seen = c->n_news - CORES_NEWS;
	n = &c->news[(*seen)++ % CORES_NEWS];
	*bad = n->bad;
	(void)snprintf(buf, size, "%s", n->text);
	return (1);
}
