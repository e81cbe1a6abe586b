/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * pool.c: lending VMs out.
 *
 * Idle VMs are stacks, one for each CPU: the one that was put back last on this
 * CPU is used next, its pages are still in the cache, and those below it can
 * be retired.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/cores.h"
#include "pool/door.h"
#include "pool/gen.h"
#include "pool/pool_impl.h"
#include "pool/program.h"
#include "pool/vm_priv.h"

/* A request that waits in line; lives on its thread's stack. */
struct pool_waiter {
	unsigned		magic;
#define POOL_WAITER_MAGIC	0x0f83d2b5
	VTAILQ_ENTRY(pool_waiter) list;
	pthread_cond_t		cond;
	struct sbx_vm		*vm;		/* what it got */
	int			woken;
};

/*--------------------------------------------------------------------
 * Borrowing. All of these are called with the lock held.
 */

static struct sbx_vm *
pool_lend(struct sbx_pool *pool, struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	/* a VM is one program's for ever, and that is asked for */
	assert(vm->gen == pool->gen);
	SBX_VM_State(vm, SBX_VM_LENT);
	vm->usage.vm = vm->serial;
	pool->n_busy++;
	pool->stats.requests++;
	return (vm);
}

void
SBX_Pool_Unidle(struct sbx_pool *pool, struct sbx_vm *vm)
{

	assert(pool->n_idle > 0);
	pool->n_idle--;
	VTAILQ_REMOVE(&pool->idle[vm->stack], vm, list);
}

/* That of the CPU we run on. Not a system call; an error is a stack, too. */
static unsigned
pool_stack(void)
{

	return ((unsigned)sched_getcpu() % POOL_STACKS);
}

/* An idle VM: this CPU's, if there is one. */
static struct sbx_vm *
pool_first(const struct sbx_pool *pool)
{
	struct sbx_vm *vm = NULL;
	unsigned u, stack;

	stack = pool_stack();
	for (u = 0; vm == NULL && pool->n_idle > 0 && u < POOL_STACKS; u++)
		vm = VTAILQ_FIRST(&pool->idle[(stack + u) % POOL_STACKS]);
	return (vm);
}

/* A VM goes to the first in line, or on the stack. */
static void
pool_give(struct sbx_pool *pool, struct sbx_vm *vm)
{
	struct pool_waiter *w;

	w = VTAILQ_FIRST(&pool->waiters);
	if (w == NULL) {
		vm->stack = pool_stack();
		VTAILQ_INSERT_HEAD(&pool->idle[vm->stack], vm, list);
		pool->n_idle++;
		return;
	}
	CHECK_OBJ(w, POOL_WAITER_MAGIC);
	VTAILQ_REMOVE(&pool->waiters, w, list);
	pool->n_wait--;
	pool->stats.waited++;
	w->vm = pool_lend(pool, vm);
	w->woken = 1;
	AZ(pthread_cond_signal(&w->cond));
}

/* A VM is READY: will anybody want it? */
void
SBX_Pool_Offer(struct sbx_pool *pool, struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	if (vm->gen == pool->gen) {
		pool_give(pool, vm);
		return;
	}
	VTAILQ_INSERT_TAIL(&pool->old, vm, list);
	AZ(pthread_cond_broadcast(&pool->cond));
}

void
SBX_Pool_WakeAll(struct sbx_pool *pool)
{
	struct pool_waiter *w;

	while ((w = VTAILQ_FIRST(&pool->waiters)) != NULL) {
		CHECK_OBJ(w, POOL_WAITER_MAGIC);
		VTAILQ_REMOVE(&pool->waiters, w, list);
		pool->n_wait--;
		w->woken = 1;
		AZ(pthread_cond_signal(&w->cond));
	}
}

/* Why nobody can be served at present, if so. */
static int
pool_refuses(struct sbx_pool *pool, struct sbx_err *err)
{

	if (!pool->warm)
		return (SBX_Err_Set(err, SBX_FAIL_BUSY, 0,
		    "the program's VCL is cold"));
	if (pool->n_vms == 0 && pool->backoff > 0)
		return (SBX_Err_Set(err, pool->backoff_err.kind, 0,
		    "no VM can be created: %s", pool->backoff_err.msg));
	return (0);
}

static int
pool_may_wait(struct sbx_pool *pool, struct sbx_err *err)
{
	uint64_t room;

	if (pool_refuses(pool, err)) {
		pool->stats.refused++;
		return (-1);
	}
	/* those for whom VMs are being made do not count */
	room = pool->cfg->queue_length + pool->cfg->max_vms;
	if (pool->n_wait + pool->n_vms >= room) {
		pool->stats.queue_full++;
		return (SBX_Err_Set(err, SBX_FAIL_BUSY, 0,
		    "all %u VMs are busy and %u requests are waiting "
		    "(max_vms, queue_length)", pool->n_vms, pool->n_wait));
	}
	return (0);
}

/* Wait in line. The lock is given up meanwhile. */
static struct sbx_vm *
pool_wait(struct sbx_pool *pool, struct sbx_err *err)
{
	struct pool_waiter w;
	struct timespec ts;
	int64_t t = SBX_Os_Mono();
	int e = 0;

	INIT_OBJ(&w, POOL_WAITER_MAGIC);
	AZ(pthread_cond_init(&w.cond, &pool->condattr));
	VTAILQ_INSERT_TAIL(&pool->waiters, &w, list);
	pool->n_wait++;
	/* upkeep can do something about it, or need not wake up */
	if (SBX_Pool_Counted(pool) < pool->cfg->max_vms)
		AZ(pthread_cond_signal(&pool->cond));
	ts = SBX_Os_Timespec(t + SBX_Os_Nano(pool->cfg->queue_timeout));
	while (!w.woken && e != ETIMEDOUT)
		e = pthread_cond_timedwait(&w.cond, &pool->mtx, &ts);
	t = SBX_Os_Mono() - t;
	pool->ns.queued += t;
	if (w.vm != NULL)
		w.vm->usage.queued = t;
	if (!w.woken) {
		VTAILQ_REMOVE(&pool->waiters, &w, list);
		pool->n_wait--;
		pool->stats.queue_late++;
		(void)SBX_Err_Set(err, SBX_FAIL_BUSY, 0,
		    "no VM became free within %.3f s (queue_timeout)",
		    pool->cfg->queue_timeout);
	} else if (w.vm == NULL) {
		pool->stats.refused++;
		if (!pool_refuses(pool, err))
			(void)SBX_Err_Set(err, SBX_FAIL_BUSY, 0,
			    "no VM can be had at present");
	}
	AZ(pthread_cond_destroy(&w.cond));
	return (w.vm);
}

static struct sbx_vm *
pool_get(struct sbx_pool *pool, struct sbx_ask *ask, struct sbx_err *err)
{
	struct sbx_vm *vm;

	AN(err);
	AZ(pthread_mutex_lock(&pool->mtx));
	if (SBX_Door_Enter(&pool->door, ask, &pool->stats, err)) {
		AZ(pthread_mutex_unlock(&pool->mtx));
		return (NULL);
	}
	vm = pool->warm ? pool_first(pool) : NULL;
	if (vm != NULL) {
		SBX_Pool_Unidle(pool, vm);
		(void)pool_lend(pool, vm);
	} else if (!pool_may_wait(pool, err))
		vm = pool_wait(pool, err);
	SBX_Door_Give(&pool->door, ask, vm);
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (vm);
}

struct sbx_vm *
SBX_Pool_Get(struct sbx_pool *pool, struct sbx_err *err)
{
	struct sbx_ask ask = { .counts = 0 };

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	return (pool_get(pool, &ask, err));
}

struct sbx_vm *
SBX_Pool_Ask(struct sbx_pool *pool, uint64_t print, struct sbx_err *err)
{
	struct sbx_ask ask = { .print = print };

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	ask.counts = pool->cfg->backoff > 0;
	return (pool_get(pool, &ask, err));
}

uint64_t
SBX_Pool_Print(const struct sbx_pool *pool, const struct sbx_txt *t,
    unsigned n)
{

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	if (pool->cfg->backoff == 0)
		return (0);
	return (SBX_Poison_Print(&pool->door.poison, t, n));
}

/*--------------------------------------------------------------------
 * Giving back
 */

static void
pool_count_answer(struct sbx_pool_stats *st, unsigned status)
{

	st->answers++;
	switch (status / 100) {
	case 2:	st->answers_2xx++;	break;
	case 3:	st->answers_3xx++;	break;
	case 4:	st->answers_4xx++;	break;
	case 5:	st->answers_5xx++;	break;
	default: st->answers_other++;	break;
	}
}

static void
pool_count(struct sbx_pool *pool, const struct sbx_vm *vm)
{
	struct sbx_pool_stats *st = &pool->stats;

	pool->ns.run += vm->usage.run;
	pool->ns.cpu += vm->usage.cpu;
	pool->ns.slept += vm->usage.waited;
	st->exits += vm->usage.exits;
	st->syscalls += vm->usage.syscalls;
	st->log_dropped += vm->usage.log_dropped;
	st->fetches += vm->usage.fetch.asked;
	st->fetch_answers += vm->usage.fetch.answers;
	st->fetch_hits += vm->usage.fetch.hits;
	st->fetch_errors += vm->usage.fetch.errors;
	st->fetch_loops += vm->usage.fetch.loops;
	st->fetch_given_up += vm->usage.fetch.given_up;
	st->fetch_bytes += vm->usage.fetch.bytes;
	switch (vm->proc.kill) {
#define KILL(name, text)						\
	case SBX_KILL_##name:						\
		st->kills++;						\
		st->kill_##name++;					\
		break;
#include "tbl/kills.h"
	default:
		break;
	}
}

/* Put it back, and say what that was. */
static void
pool_reset(struct sbx_vm *vm, struct sbx_return *ret)
{
	int64_t begin;

	memset(ret, 0, offsetof(struct sbx_return, err));
	SBX_Err_Clear(&ret->err);
	if (vm->state == SBX_VM_DEAD)
		return;
	begin = SBX_Os_Mono();
	ret->reset = SBX_VM_Reset(vm, &ret->err) ? -1 : 1;
	ret->time = SBX_Os_Mono() - begin;
	ret->pages = vm->n_reset;
	ret->dropped = vm->n_dropped;
	ret->hot = vm->n_hot;
}

void
SBX_Pool_Over(struct sbx_pool *pool, struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	if ((pool->cfg->max_concurrency == 0 && pool->cfg->max_cpu == 0) ||
	    vm->over)
		return;
	AZ(pthread_mutex_lock(&pool->mtx));
	SBX_Door_Over(&pool->door, vm);
	AZ(pthread_mutex_unlock(&pool->mtx));
}

void
SBX_Pool_Return(struct sbx_pool *pool, struct sbx_vm **vmp,
    struct sbx_return *ret)
{
	struct sbx_return dummy;
	struct sbx_vm *vm;
	unsigned status = 0;
	uint64_t hot;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	TAKE_OBJ_NOTNULL(vm, vmp, SBX_VM_MAGIC);
	if (ret == NULL)
		ret = &dummy;
	if (vm->state == SBX_VM_SPENT)
		status = SBX_VM_Answer(vm)->status;
	hot = vm->n_hot;
	pool_reset(vm, ret);
	AZ(pthread_mutex_lock(&pool->mtx));
	pool_count(pool, vm);
	if (status != 0)
		pool_count_answer(&pool->stats, status);
	pool->ns.reset += ret->time;
	/* what an older generation did says nothing about this one */
	if (vm->gen != pool->gen)
		vm->ask.counts = 0;
	SBX_Door_Leave(&pool->door, vm, status != 0);
	memset(&vm->usage, 0, sizeof vm->usage);
	vm->proc.kill = SBX_KILL_NONE;
	assert(pool->n_busy > 0);
	pool->n_busy--;
	if (ret->reset == 1) {
		pool->stats.resets++;
		pool->stats.pages_reset += ret->pages;
		pool->stats.pages_dropped += ret->dropped;
		pool->stats.pages_hot += vm->n_hot - hot;
		SBX_Pool_Offer(pool, vm);
	} else {
		if (ret->reset == -1)
			pool->stats.reset_fail++;
		vm->n_hot = hot;
		VTAILQ_INSERT_TAIL(&pool->dead, vm, list);
		AZ(pthread_cond_broadcast(&pool->cond));
	}
	if (!pool->warm)
		AZ(pthread_cond_broadcast(&pool->cond));
	AZ(pthread_mutex_unlock(&pool->mtx));
}

void
SBX_Pool_Put(struct sbx_pool *pool, struct sbx_vm **vmp)
{

	SBX_Pool_Return(pool, vmp, NULL);
}

/*--------------------------------------------------------------------
 * Life
 */

int
SBX_Pool_New(struct sbx_gen **genp, const struct sbx_program_cfg *cfg,
    struct sbx_pool **pp, struct sbx_err *err)
{
	struct sbx_pool *pool;
	unsigned u;

	AN(genp);
	CHECK_OBJ_NOTNULL(*genp, SBX_GEN_MAGIC);
	AN(cfg);
	AN(pp);
	AZ(*pp);
	SBX_ALLOC_OBJ(pool, SBX_POOL_MAGIC);
	if (pool == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "pool"));
	if (SBX_Door_Init(&pool->door, cfg, err)) {
		FREE_OBJ(pool);
		return (-1);
	}
	TAKE_OBJ_NOTNULL(pool->gen, genp, SBX_GEN_MAGIC);
	AZ(pool->gen->n_made);
	pool->cfg = cfg;
	VTAILQ_INIT(&pool->old_gens);
	for (u = 0; u < POOL_STACKS; u++)
		VTAILQ_INIT(&pool->idle[u]);
	VTAILQ_INIT(&pool->dead);
	VTAILQ_INIT(&pool->old);
	VTAILQ_INIT(&pool->waiters);
	AZ(pthread_mutex_init(&pool->mtx, NULL));
	AZ(pthread_condattr_init(&pool->condattr));
	AZ(pthread_condattr_setclock(&pool->condattr, CLOCK_MONOTONIC));
	AZ(pthread_cond_init(&pool->cond, &pool->condattr));
	if (cfg->core_dir != NULL && SBX_Cores_New(pool, &pool->cores, err)) {
		SBX_Pool_Destroy(&pool);
		return (-1);
	}
	*pp = pool;
	return (0);
}

void
SBX_Pool_Destroy(struct sbx_pool **pp)
{
	struct sbx_pool *pool;

	TAKE_OBJ_NOTNULL(pool, pp, SBX_POOL_MAGIC);
	AZ(pool->warm);
	AZ(pool->n_vms);
	AZ(pool->n_old);
	if (pool->cores != NULL)
		SBX_Cores_Destroy(&pool->cores);
	SBX_Gen_Destroy(&pool->gen);
	AZ(pthread_cond_destroy(&pool->cond));
	AZ(pthread_condattr_destroy(&pool->condattr));
	AZ(pthread_mutex_destroy(&pool->mtx));
	FREE_OBJ(pool);
}

/*--------------------------------------------------------------------*/

/* With the lock. */
static int
pool_is_healthy(const struct sbx_pool *pool)
{

	return (pool->warm && (pool->n_vms > 0 || pool->backoff == 0) &&
	    !SBX_Door_IsShut(&pool->door));
}

int
SBX_Pool_Healthy(struct sbx_pool *pool)
{
	int i;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	i = pool_is_healthy(pool);
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (i);
}

int
SBX_Pool_CoreNews(struct sbx_pool *pool, uint64_t *seen, int *bad, char *buf,
    size_t size)
{
	int i;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AN(seen);
	AN(bad);
	AN(buf);
	if (pool->cores == NULL)
		return (0);
	AZ(pthread_mutex_lock(&pool->mtx));
	i = SBX_Cores_News(pool->cores, seen, bad, buf, size);
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (i);
}

void
SBX_Pool_Stats(struct sbx_pool *pool, struct sbx_pool_stats *st)
{

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AN(st);
	AZ(pthread_mutex_lock(&pool->mtx));
	*st = pool->stats;
	st->healthy = pool_is_healthy(pool) ? 1 : 0;
	st->vms = pool->n_vms + pool->n_old;
	st->vms_busy = pool->n_busy;
	st->vms_max = pool->cfg->max_vms;
	st->vms_creating = pool->n_making;
	st->queue = pool->n_wait;
	st->vms_idle = pool->n_idle;
	SBX_Door_Stats(&pool->door, st);
	if (pool->cores != NULL)
		SBX_Cores_Stats(pool->cores, st);
	st->private_bytes = st->pages_hot * SBX_PAGE;
	st->image_bytes = pool->gen->img->n_data * SBX_PAGE;
	/* nothing is lost: the sums themselves are not rounded */
	st->queued_us = (uint64_t)pool->ns.queued / 1000;
	st->run_us = (uint64_t)pool->ns.run / 1000;
	st->cpu_us = (uint64_t)pool->ns.cpu / 1000;
	st->slept_us = (uint64_t)pool->ns.slept / 1000;
	st->reset_us = (uint64_t)pool->ns.reset / 1000;
	AZ(pthread_mutex_unlock(&pool->mtx));
}
