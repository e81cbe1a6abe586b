/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * pool.c: lending VMs out, and keeping as many as are needed.
 *
 * Idle VMs are stacks, one for each CPU: the one that was put back last on this
 * CPU is used next, its pages are still in the cache, and those below it can
 * be retired. VMs are created and
 * destroyed by the pool's own thread only; a program that crashes all the
 * time keeps that thread busy, and no other.
 */

#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/pool_priv.h"
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

/* Stacks of idle VMs. CPUs share them where there are more. */
#define POOL_STACKS		64

/* A request that waits in line; lives on its thread's stack. */
struct pool_waiter {
	unsigned		magic;
#define POOL_WAITER_MAGIC	0x0f83d2b5
	VTAILQ_ENTRY(pool_waiter) list;
	pthread_cond_t		cond;
	struct sbx_vm		*vm;		/* what it got */
	int			woken;
};

VTAILQ_HEAD(pool_vms, sbx_vm);

struct sbx_pool {
	unsigned		magic;
#define SBX_POOL_MAGIC		0x5ac61e07
	const struct sbx_image	*img;
	const struct sbx_program_cfg *cfg;
	pthread_condattr_t	condattr;	/* CLOCK_MONOTONIC */
	pthread_t		thread;

	pthread_mutex_t		mtx;		/* protects the rest */
	pthread_cond_t		cond;		/* upkeep and Stop wait */
	int			warm;
	int			stop;
	int			no_warmup;	/* it failed once */
	unsigned		n_vms;		/* exist, or are being made */
	unsigned		n_busy;		/* lent out */
	unsigned		n_wait;
	unsigned		n_idle;
	struct pool_vms		idle[POOL_STACKS];
	struct pool_vms		dead;
	VTAILQ_HEAD(, pool_waiter) waiters;
	double			backoff;	/* seconds, 0: none */
	double			backoff_until;
	struct sbx_err		backoff_err;
	struct sbx_pool_stats	stats;
};

static double
pool_now(void)
{
	int64_t ns = SBX_Os_Mono();

	return ((double)ns * 1e-9);
}

static struct timespec
pool_timespec(double t)
{
	struct timespec ts;

	ts.tv_sec = (time_t)t;
	ts.tv_nsec = (long)((t - (double)ts.tv_sec) * 1e9);
	return (ts);
}

/*--------------------------------------------------------------------
 * Borrowing. All of these are called with the lock held.
 */

static struct sbx_vm *
pool_lend(struct sbx_pool *pool, struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	SBX_VM_State(vm, SBX_VM_LENT);
	pool->n_busy++;
	pool->stats.requests++;
	return (vm);
}

static void
pool_unidle(struct sbx_pool *pool, struct sbx_vm *vm)
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

/* A VM is READY: it goes to the first in line, or on the stack. */
static void
pool_offer(struct sbx_pool *pool, struct sbx_vm *vm)
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

static void
pool_wake_all(struct sbx_pool *pool)
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
	int e = 0;

	INIT_OBJ(&w, POOL_WAITER_MAGIC);
	AZ(pthread_cond_init(&w.cond, &pool->condattr));
	VTAILQ_INSERT_TAIL(&pool->waiters, &w, list);
	pool->n_wait++;
	/* upkeep can do something about it, or need not wake up */
	if (pool->n_vms < pool->cfg->max_vms)
		AZ(pthread_cond_signal(&pool->cond));
	ts = pool_timespec(pool_now() + pool->cfg->queue_timeout);
	while (!w.woken && e != ETIMEDOUT)
		e = pthread_cond_timedwait(&w.cond, &pool->mtx, &ts);
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

struct sbx_vm *
SBX_Pool_Get(struct sbx_pool *pool, struct sbx_err *err)
{
	struct sbx_vm *vm;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AN(err);
	AZ(pthread_mutex_lock(&pool->mtx));
	vm = pool->warm ? pool_first(pool) : NULL;
	if (vm != NULL) {
		pool_unidle(pool, vm);
		(void)pool_lend(pool, vm);
	} else if (!pool_may_wait(pool, err))
		vm = pool_wait(pool, err);
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (vm);
}

/*--------------------------------------------------------------------
 * Giving back
 */

static void
pool_count(struct sbx_pool *pool, const struct sbx_vm *vm, int served)
{
	struct sbx_pool_stats *st = &pool->stats;

	st->exits += vm->usage.exits;
	st->syscalls += vm->usage.syscalls;
	st->log_dropped += vm->usage.log_dropped;
	st->answers += (unsigned)served;
	st->fetches += vm->usage.fetch.asked;
	st->fetch_hits += vm->usage.fetch.hits;
	st->fetch_errors += vm->usage.fetch.errors;
	st->fetch_loops += vm->usage.fetch.loops;
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

void
SBX_Pool_Put(struct sbx_pool *pool, struct sbx_vm **vmp)
{
	struct sbx_vm *vm;
	struct sbx_err err;
	uint64_t hot;
	int served, reset;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	TAKE_OBJ_NOTNULL(vm, vmp, SBX_VM_MAGIC);
	SBX_Err_Clear(&err);
	served = vm->state == SBX_VM_SPENT;
	hot = vm->n_hot;
	reset = vm->state == SBX_VM_DEAD ? 0 :
	    SBX_VM_Reset(vm, &err) ? -1 : 1;
	AZ(pthread_mutex_lock(&pool->mtx));
	pool_count(pool, vm, served);
	memset(&vm->usage, 0, sizeof vm->usage);
	vm->proc.kill = SBX_KILL_NONE;
	assert(pool->n_busy > 0);
	pool->n_busy--;
	if (reset == 1) {
		pool->stats.resets++;
		pool->stats.pages_reset += vm->n_reset;
		pool->stats.pages_dropped += vm->n_dropped;
		pool->stats.pages_hot += vm->n_hot - hot;
		pool_offer(pool, vm);
	} else {
		if (reset == -1)
			pool->stats.reset_fail++;
		vm->n_hot = hot;
		VTAILQ_INSERT_TAIL(&pool->dead, vm, list);
		AZ(pthread_cond_broadcast(&pool->cond));
	}
	if (!pool->warm)
		AZ(pthread_cond_broadcast(&pool->cond));
	AZ(pthread_mutex_unlock(&pool->mtx));
}

/*--------------------------------------------------------------------
 * Upkeep
 */

/* Make a VM. Without the lock. */
static struct sbx_vm *
pool_make(struct sbx_pool *pool, int *warmup, struct sbx_err *err)
{
	struct sbx_vm *vm = NULL;

	if (!SBX_VM_New(pool->img, pool->cfg->request_timeout, *warmup, &vm,
	    err))
		return (vm);
	AZ(vm);
	if (!*warmup || err->kind != SBX_FAIL_GUEST)
		return (NULL);
	/* the guest does not like that request; others it may */
	SBX_Err_Clear(err);
	*warmup = 0;
	(void)SBX_VM_New(pool->img, pool->cfg->request_timeout, 0, &vm, err);
	return (vm);
}

/* Make a VM and offer it. Called with the lock, gives it up meanwhile.
 * n_vms has been raised already. */
static int
pool_grow(struct sbx_pool *pool, struct sbx_err *err)
{
	struct sbx_vm *vm;
	int warmup, wanted;

	/* those who wait would wait for that as well */
	wanted = warmup = !pool->no_warmup && pool->n_wait == 0;
	AZ(pthread_mutex_unlock(&pool->mtx));
	SBX_Err_Clear(err);
	vm = pool_make(pool, &warmup, err);
	AZ(pthread_mutex_lock(&pool->mtx));
	if (wanted && !warmup) {
		pool->no_warmup = 1;
		pool->stats.warmup_fail++;
	}
	if (vm != NULL) {
		pool->stats.created++;
		pool->stats.pages_hot += vm->n_hot;
		pool->backoff = 0;
		pool_offer(pool, vm);
		return (0);
	}
	pool->stats.create_fail++;
	pool->n_vms--;
	return (-1);
}

static void
pool_backoff(struct sbx_pool *pool, const struct sbx_err *err, double now)
{

	pool->backoff = pool->backoff == 0 ? POOL_BACKOFF_MIN :
	    2 * pool->backoff;
	if (pool->backoff > POOL_BACKOFF_MAX)
		pool->backoff = POOL_BACKOFF_MAX;
	pool->backoff_until = now + pool->backoff;
	pool->backoff_err = *err;
	/* nobody will come for them */
	if (pool->n_vms == 0)
		pool_wake_all(pool);
}

/* Destroy a VM that is on no list any more. Gives the lock up meanwhile. */
static void
pool_destroy(struct sbx_pool *pool, struct sbx_vm *vm)
{

	pool->stats.pages_hot -= vm->n_hot;
	AZ(pthread_mutex_unlock(&pool->mtx));
	SBX_VM_Destroy(&vm);
	AZ(pthread_mutex_lock(&pool->mtx));
	assert(pool->n_vms > 0);
	pool->n_vms--;
	pool->stats.destroyed++;
}

static int
pool_wants_more(const struct sbx_pool *pool)
{

	return (pool->n_vms < pool->cfg->min_vms ||
	    (pool->n_wait > 0 && pool->n_vms < pool->cfg->max_vms));
}

/* The VM that has been idle longest, if that is too long. */
static struct sbx_vm *
pool_retiree(const struct sbx_pool *pool, double now, double *next)
{
	struct sbx_vm *vm = NULL, *last;
	unsigned u;

	for (u = 0; u < POOL_STACKS; u++) {
		last = VTAILQ_LAST(&pool->idle[u], pool_vms);
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

static double
pool_tick(struct sbx_pool *pool, double now)
{
	struct sbx_vm *vm;
	struct sbx_err err;
	double next = now + POOL_RETIRE_AFTER;

	vm = VTAILQ_FIRST(&pool->dead);
	if (vm != NULL) {
		VTAILQ_REMOVE(&pool->dead, vm, list);
		pool_destroy(pool, vm);
		return (now);
	}
	if (pool_wants_more(pool)) {
		if (pool->backoff > 0 && now < pool->backoff_until) {
			if (pool->n_vms == 0)
				pool_wake_all(pool);
			return (pool->backoff_until);
		}
		pool->n_vms++;
		if (pool_grow(pool, &err))
			pool_backoff(pool, &err, now);
		return (now);
	}
	vm = pool_retiree(pool, now, &next);
	if (vm != NULL) {
		pool_unidle(pool, vm);
		pool_destroy(pool, vm);
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
	next = pool_tick(pool, now);
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (next);
}

static void *
pool_main(void *priv)
{
	struct sbx_pool *pool;
	struct timespec ts;
	double now, next;

	CAST_OBJ_NOTNULL(pool, priv, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	while (!pool->stop) {
		now = pool_now();
		next = pool_tick(pool, now);
		if (next <= now || pool->stop)
			continue;
		ts = pool_timespec(next);
		(void)pthread_cond_timedwait(&pool->cond, &pool->mtx, &ts);
	}
	AZ(pthread_mutex_unlock(&pool->mtx));
	return (NULL);
}

/*--------------------------------------------------------------------
 * Life
 */

int
SBX_Pool_New(const struct sbx_image *img, const struct sbx_program_cfg *cfg,
    struct sbx_pool **pp, struct sbx_err *err)
{
	struct sbx_pool *pool;
	unsigned u;

	CHECK_OBJ_NOTNULL(img, SBX_IMAGE_MAGIC);
	AN(cfg);
	AN(pp);
	AZ(*pp);
	SBX_ALLOC_OBJ(pool, SBX_POOL_MAGIC);
	if (pool == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "pool"));
	pool->img = img;
	pool->cfg = cfg;
	for (u = 0; u < POOL_STACKS; u++)
		VTAILQ_INIT(&pool->idle[u]);
	VTAILQ_INIT(&pool->dead);
	VTAILQ_INIT(&pool->waiters);
	AZ(pthread_mutex_init(&pool->mtx, NULL));
	AZ(pthread_condattr_init(&pool->condattr));
	AZ(pthread_condattr_setclock(&pool->condattr, CLOCK_MONOTONIC));
	AZ(pthread_cond_init(&pool->cond, &pool->condattr));
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
	AZ(pthread_cond_destroy(&pool->cond));
	AZ(pthread_condattr_destroy(&pool->condattr));
	AZ(pthread_mutex_destroy(&pool->mtx));
	FREE_OBJ(pool);
}

/* Without thread, with the lock: destroy everything that is not lent out. */
static void
pool_empty(struct sbx_pool *pool)
{
	struct sbx_vm *vm;
	unsigned u;

	AZ(pool->n_busy);
	for (u = 0; u < POOL_STACKS; u++)
		VTAILQ_CONCAT(&pool->dead, &pool->idle[u], list);
	pool->n_idle = 0;
	while ((vm = VTAILQ_FIRST(&pool->dead)) != NULL) {
		VTAILQ_REMOVE(&pool->dead, vm, list);
		pool_destroy(pool, vm);
	}
	AZ(pool->n_vms);
	pool->backoff = 0;
}

int
SBX_Pool_Start(struct sbx_pool *pool, struct sbx_err *err)
{
	double limit = pool_now() + POOL_START_MAX;
	int e;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	AZ(pool->warm);
	pool->stop = 0;
	do
		pool->n_vms++;
	while (!pool_grow(pool, err) && pool->n_vms < pool->cfg->min_vms &&
	    pool_now() < limit);
	if (pool->n_vms > 0) {
		SBX_Err_Clear(err);
		pool->warm = 1;
		e = sbx_os.pthread_create(&pool->thread, NULL, pool_main,
		    pool);
		if (e != 0) {
			pool->warm = 0;
			(void)SBX_Err_Set(err, SBX_FAIL_HOST, e,
			    "thread for a pool");
			pool_empty(pool);
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
	pool_wake_all(pool);
	while (pool->n_busy > 0)
		AZ(pthread_cond_wait(&pool->cond, &pool->mtx));
	pool->stop = 1;
	AZ(pthread_cond_broadcast(&pool->cond));
	AZ(pthread_mutex_unlock(&pool->mtx));
	AZ(pthread_join(pool->thread, NULL));
	AZ(pthread_mutex_lock(&pool->mtx));
	pool_empty(pool);
	AZ(pthread_mutex_unlock(&pool->mtx));
}

int
SBX_Pool_Healthy(struct sbx_pool *pool)
{
	int i;

	CHECK_OBJ_NOTNULL(pool, SBX_POOL_MAGIC);
	AZ(pthread_mutex_lock(&pool->mtx));
	i = pool->warm && (pool->n_vms > 0 || pool->backoff == 0);
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
	st->vms = pool->n_vms;
	st->vms_busy = pool->n_busy;
	st->vms_max = pool->cfg->max_vms;
	st->queue = pool->n_wait;
	st->vms_idle = pool->n_idle;
	AZ(pthread_mutex_unlock(&pool->mtx));
}
