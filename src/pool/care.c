/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * care.c: keeping as many VMs as are needed, of the generation that is wanted.
 *
 * VMs are created and destroyed by the pool's own thread only; a program that
 * crashes all the time keeps that thread busy, and no other.
 *
 * All VMs that are idle are of the present generation. Switch puts another one
 * in its place. VMs of older ones may still be lent out, or be about to be
 * destroyed; they do not count among max_vms.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/cores.h"
#include "pool/gen.h"
#include "pool/pool_impl.h"
#include "pool/program.h"
#include "pool/vm_priv.h"

/* After a VM could not be created: wait so long, twice as long the next time,
 * up to the maximum. Seconds. */
#define POOL_BACKOFF_MIN	0.1
#define POOL_BACKOFF_MAX	10.0

/* How long Start may make VMs, seconds. It is called with others waiting (in
 * varnishd the CLI, whose patience is cli_timeout); the pool's thread makes
 * the rest. */
#define POOL_START_MAX		1.0

/* A VM above the minimum is retired when it has been idle for so long. */
#define POOL_RETIRE_AFTER	60.0

/*--------------------------------------------------------------------
 * One VM more or less. All of these are called with the lock held.
 */

/* There is one VM less of this generation. The lock may be given up
 * meanwhile. */
static void
care_less(struct sbx_pool *pool, struct sbx_gen *gen)
{

	CHECK_OBJ_NOTNULL(gen, SBX_GEN_MAGIC);
	if (gen == pool->gen) {
		assert(pool->n_vms > 0);
		pool->n_vms--;
		return;
	}
	assert(gen->n_vms > 0);
	assert(pool->n_old > 0);
	pool->n_old--;
	if (--gen->n_vms > 0)
		return;
	VTAILQ_REMOVE(&pool->old_gens, gen, list);
	AZ(pthread_mutex_unlock(&pool->mtx));
	SBX_Gen_Destroy(&gen);
	AZ(pthread_mutex_lock(&pool->mtx));
}

/* Make a VM and offer it. Called with the lock, gives it up meanwhile.
 * n_vms has been raised already. */
static int
care_grow(struct sbx_pool *pool, struct sbx_err *err)
{
	struct sbx_gen *gen = pool->gen;
	struct sbx_vm *vm = NULL;
	int i, warmup, wanted;

	/* those who wait would wait for that as well */
	wanted = warmup = !gen->no_warmup && pool->n_wait == 0;
	pool->n_making++;
	AZ(pthread_mutex_unlock(&pool->mtx));
	SBX_Err_Clear(err);
	(void)SBX_Gen_Make(gen, &warmup, &vm, err);
	AZ(pthread_mutex_lock(&pool->mtx));
	pool->n_making--;
	if (wanted && !warmup) {
		gen->no_warmup = 1;
		pool->stats.warmup_fail++;
	}
	if (vm != NULL) {
		vm->serial = ++pool->serial;
		pool->stats.created++;
		pool->stats.pages_hot += vm->n_hot;
		pool->backoff = 0;
		SBX_Pool_Offer(pool, vm);
		return (0);
	}
	pool->stats.create_fail++;
	/* of a new generation that may be different */
	i = gen == pool->gen ? -1 : 0;
	care_less(pool, gen);
	return (i);
}

static void
care_backoff(struct sbx_pool *pool, const struct sbx_err *err, double now)
{

	pool->backoff = pool->backoff == 0 ? POOL_BACKOFF_MIN :
	    2 * pool->backoff;
	if (pool->backoff > POOL_BACKOFF_MAX)
		pool->backoff = POOL_BACKOFF_MAX;
	pool->backoff_until = now + pool->backoff;
	pool->backoff_err = *err;
	/* nobody will come for them */
	if (pool->n_vms == 0)
		SBX_Pool_WakeAll(pool);
}

/* Destroy a VM that is on no list any more, or have it back when it has got its
 * core. Gives the lock up meanwhile. */
static void
care_destroy(struct sbx_pool *pool, struct sbx_vm *vm)
{
	struct sbx_gen *gen = vm->gen;

	if (pool->cores != NULL && SBX_Cores_Take(pool->cores, vm))
		return;
	pool->stats.pages_hot -= vm->n_hot;
	AZ(pthread_mutex_unlock(&pool->mtx));
	SBX_VM_Destroy(&vm);
	AZ(pthread_mutex_lock(&pool->mtx));
	pool->stats.destroyed++;
	care_less(pool, gen);
}

unsigned
SBX_Pool_Counted(const struct sbx_pool *pool)
{

	return (pool->n_vms - (pool->cores != NULL &&
	    SBX_Cores_Gen(pool->cores) == pool->gen));
}

static int
care_wants_more(const struct sbx_pool *pool)
{
	const unsigned n = SBX_Pool_Counted(pool);

	/* requests that last can keep VMs of several older generations */
	if (n > 0 &&
	    pool->n_vms + pool->n_old + pool->n_next >= 2 * pool->cfg->max_vms)
		return (0);
	return (n < pool->cfg->min_vms ||
	    (pool->n_wait > 0 && n < pool->cfg->max_vms));
}

/* The VM that has been idle longest, if that is too long. */
static struct sbx_vm *
care_retiree(const struct sbx_pool *pool, double now, double *next)
{
	struct sbx_vm *vm = NULL, *last;
	unsigned u;

	for (u = 0; u < POOL_STACKS; u++) {
		last = VTAILQ_LAST(&pool->idle[u], sbx_vms);
		if (last != NULL && (vm == NULL || last->t_used < vm->t_used))
			vm = last;
	}
	if (vm == NULL || pool->n_vms <= pool->cfg->min_vms)
		return (NULL);
	if (now - vm->t_used >= POOL_RETIRE_AFTER)
		return (vm);
	if (vm->t_used + POOL_RETIRE_AFTER < *next)
		*next = vm->t_used + POOL_RETIRE_AFTER;
	return (NULL);
}

/* One of those that nobody waits for. */
static int
care_tick_old(struct sbx_pool *pool)
{
	struct sbx_vm *vm;

	vm = VTAILQ_FIRST(&pool->old);
	if (vm == NULL)
		return (0);
	VTAILQ_REMOVE(&pool->old, vm, list);
	care_destroy(pool, vm);
	return (1);
}

static double
care_tick(struct sbx_pool *pool, double now)
{
	struct sbx_vm *vm;
	struct sbx_err err;
	double next = now + POOL_RETIRE_AFTER;

	vm = VTAILQ_FIRST(&pool->dead);
	if (vm != NULL) {
		VTAILQ_REMOVE(&pool->dead, vm, list);
		care_destroy(pool, vm);
		return (now);
	}
	if (care_wants_more(pool)) {
		if (pool->backoff > 0 && now < pool->backoff_until) {
			if (pool->n_vms == 0)
				SBX_Pool_WakeAll(pool);
			return (care_tick_old(pool) ? now :
			    pool->backoff_until);
		}
		pool->n_vms++;
		if (care_grow(pool, &err))
			care_backoff(pool, &err, now);
		return (now);
	}
	if (care_tick_old(pool))
		return (now);
	vm = care_retiree(pool, now, &next);
	if (vm != NULL) {
		SBX_Pool_Unidle(pool, vm);
		care_destroy(pool, vm);
		return (now);
	}
	return (next);
}

double
SBX_Pool_Tick(struct sbx_pool *pool, double now)
{
	double next;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	next = care_tick(pool, now);
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (next);
}

static void *
care_main(void *priv)
{
	struct sbx_pool *pool;
	struct timespec ts;
	double now, next;

	CAST_OBJ_NOTNULL(pool, priv, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	while (!pool->stop) {
		now = SBX_Os_Seconds(SBX_Os_Mono());
		next = care_tick(pool, now);
		if (next <= now || pool->stop)
			continue;
		ts = SBX_Os_Timespec(SBX_Os_Nano(next));
		(void)pthread_cond_timedwait(&pool->cond, &pool->mtx, &ts);
	}
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (NULL);
}

/*--------------------------------------------------------------------
 * Warm and cold
 */

/* Without thread, with the lock: destroy everything that is not lent out. */
static void
care_empty(struct sbx_pool *pool)
{
	struct sbx_vm *vm;
	unsigned u;

	AZ(pool->n_busy);
	for (u = 0; u < POOL_STACKS; u++)
		VTAILQ_CONCAT(&pool->dead, &pool->idle[u], list);
	pool->n_idle = 0;
	do {
		VTAILQ_CONCAT(&pool->dead, &pool->old, list);
		while ((vm = VTAILQ_FIRST(&pool->dead)) != NULL) {
			VTAILQ_REMOVE(&pool->dead, vm, list);
			care_destroy(pool, vm);
		}
		if (pool->cores != NULL) {
			AZ(pthread_mutex_unlock(&pool->mtx));
			SBX_Cores_Wait(pool->cores);
			AZ(pthread_mutex_lock(&pool->mtx));
		}
	} while (!VTAILQ_EMPTY(&pool->old));
	AZ(pool->n_vms);
	AZ(pool->n_old);
	pool->backoff = 0;
}

int
SBX_Pool_Start(struct sbx_pool *pool, uint64_t n, struct sbx_err *err)
{
	double limit = SBX_Os_Seconds(SBX_Os_Mono()) + POOL_START_MAX;
	int e;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	assert(n <= pool->cfg->max_vms);
	if (n < pool->cfg->min_vms)
		n = pool->cfg->min_vms;
	AZ(pthread_mutex_lock(&pool->mtx));
	AZ(pool->warm);
	pool->stop = 0;
	do
		pool->n_vms++;
	while (!care_grow(pool, err) && pool->n_vms < n &&
	    SBX_Os_Seconds(SBX_Os_Mono()) < limit);
	if (pool->n_vms > 0) {
		SBX_Err_Clear(err);
		pool->warm = 1;
		e = sbx_os.pthread_create(&pool->thread, NULL, care_main,
		    pool);
		if (e != 0) {
			pool->warm = 0;
			(void)SBX_Err_Set(err, SBX_FAIL_HOST, e,
			    "thread for a pool");
			care_empty(pool);
		} else
			(void)pthread_setname_np(pool->thread, "sbx-pool");
	}
	e = pool->warm;
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (e ? 0 : -1);
}

void
SBX_Pool_Stop(struct sbx_pool *pool)
{

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	AN(pool->warm);
	pool->warm = 0;
	SBX_Pool_WakeAll(pool);
	while (pool->n_busy > 0)
		AZ(pthread_cond_wait(&pool->cond, &pool->mtx));
	pool->stop = 1;
	AZ(pthread_cond_broadcast(&pool->cond));
	AZ(pthread_mutex_unlock(&pool->mtx));
	AZ(pthread_join(pool->thread, NULL));
	AZ(pthread_mutex_lock(&pool->mtx));
	care_empty(pool);
	AZ(pthread_mutex_unlock(&pool->mtx));
}

/*--------------------------------------------------------------------
 * Generations
 */

uint64_t
SBX_Pool_Room(struct sbx_pool *pool)
{
	uint64_t all, most, n;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	most = 2 * pool->cfg->max_vms;
	AZ(pthread_mutex_lock(&pool->mtx));
	n = pool->n_vms;
	all = pool->n_vms + pool->n_old;
	if (n < pool->cfg->min_vms)
		n = pool->cfg->min_vms;
	if (n > most - all || all >= most)
		n = all < most ? most - all : 1;
	pool->n_next = n;
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (n);
}

void
SBX_Pool_NoSwitch(struct sbx_pool *pool)
{

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	pool->stats.reload_fails++;
	pool->n_next = 0;
	AZ(pthread_mutex_unlock(&pool->mtx));
}

/* With the lock. Returns the old generation if nothing is left of it. */
static struct sbx_gen *
care_switch(struct sbx_pool *pool, struct sbx_gen *gen)
{
	struct sbx_gen *old = pool->gen;
	struct sbx_vm *vm;
	unsigned u;

	for (u = 0; u < POOL_STACKS; u++)
		VTAILQ_CONCAT(&pool->old, &pool->idle[u], list);
	pool->n_idle = 0;
	VTAILQ_CONCAT(&pool->old, &pool->dead, list);
	old->n_vms = pool->n_vms;
	pool->n_old += pool->n_vms;
	pool->n_vms = 0;
	pool->n_next = 0;
	pool->gen = gen;
	pool->backoff = 0;
	SBX_Door_Forgive(&pool->door);
	pool->stats.reloads++;
	pool->stats.warmup_fail += gen->no_warmup ? 1 : 0;
	while ((vm = VTAILQ_FIRST(&gen->made)) != NULL) {
		VTAILQ_REMOVE(&gen->made, vm, list);
		gen->n_made--;
		vm->serial = ++pool->serial;
		pool->n_vms++;
		pool->stats.created++;
		pool->stats.pages_hot += vm->n_hot;
		SBX_Pool_Offer(pool, vm);
	}
	if (old->n_vms == 0)
		return (old);
	VTAILQ_INSERT_TAIL(&pool->old_gens, old, list);
	return (NULL);
}

void
SBX_Pool_Switch(struct sbx_pool *pool, struct sbx_gen **genp)
{
	struct sbx_gen *gen, *old;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	TAKE_OBJ_NOTNULL(gen, genp, SBX_GEN_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	assert(pool->warm || gen->n_made == 0);
	old = care_switch(pool, gen);
	AZ(pthread_cond_broadcast(&pool->cond));
	AZ(pthread_mutex_unlock(&pool->mtx));
	if (old != NULL)
		SBX_Gen_Destroy(&old);
}
