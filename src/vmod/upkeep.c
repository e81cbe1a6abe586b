/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Counters for varnishstat, and since when a program has been healthy.
 *
 * They are brought up to date by a thread that wakes four times a second while
 * the VCL is warm, so that no request has to. The list of objects does not
 * change while the VCL is warm, and needs no lock.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/cache.h"

#include "vtim.h"

#include "VSC_sandbox.h"

#include "base/os.h"
#include "vmod/compat.h"
#include "vmod/vsbx.h"

#define UPKEEP_INTERVAL		0.25	/* seconds */

struct vsbx_upkeep {
	unsigned		magic;
#define VSBX_UPKEEP_MAGIC	0x1a9c3f66
	struct vsbx_vcl		*vcl;
	pthread_t		thr;
	pthread_mutex_t		mtx;
	pthread_cond_t		cond;
	unsigned		stop;		/* mtx */
};

vtim_real
vsbx_upkeep_changed(const struct vmod_sandbox_program *prg)
{
	vtim_real changed;

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	__atomic_load(&prg->changed, &changed, __ATOMIC_RELAXED);
	return (changed);
}

void
vsbx_upkeep_stats(const struct vmod_sandbox_program *prg,
    struct sbx_pool_stats *st)
{

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AN(st);
	SBX_Pool_Stats(prg->pool, st);
	vsbx_fetch_count(prg, &st->subrequests, &st->subrequests_left);
}

/* Where the core of a killed request is, or why there is none. It is written
 * when its transaction is over, so the line has a VXID of 0 and names it. */
static void
upkeep_cores(struct vmod_sandbox_program *prg)
{
	char text[1024];
	int bad = 0;

	while (SBX_Pool_CoreNews(prg->pool, &prg->cores_seen, &bad, text,
	    sizeof text))
		VSL(bad ? SLT_Error : SLT_VCL_Log, VSBX_NO_VXID,
		    "sandbox %s: %s", prg->name, text);
}

void
vsbx_upkeep_join(struct vmod_sandbox_program *prg)
{
	char text[1];
	int bad;

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	while (SBX_Pool_CoreNews(prg->pool, &prg->cores_seen, &bad, text,
	    sizeof text))
		continue;
}

void
vsbx_upkeep_one(struct vmod_sandbox_program *prg, vtim_real now)
{
	struct sbx_pool_stats st;

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AN(prg->vsc);
	vsbx_upkeep_stats(prg, &st);
#define POOL_STAT(type, name, text)	prg->vsc->type##_##name = st.name;
#include "tbl/pool_stats.h"
	vsbx_total_update(prg, &st);
	upkeep_cores(prg);
	if (st.healthy == prg->was_healthy)
		return;
	prg->was_healthy = st.healthy;
	__atomic_store(&prg->changed, &now, __ATOMIC_RELAXED);
	VRT_SetChanged(vsbx_dir_backend(prg->dir), now);
}

static void
upkeep_sleep(struct vsbx_upkeep *up)
{
	struct timespec ts;
	int i;

	ts = SBX_Os_Timespec(SBX_Os_Mono() + SBX_Os_Nano(UPKEEP_INTERVAL));
	i = pthread_cond_timedwait(&up->cond, &up->mtx, &ts);
	assert(i == 0 || i == ETIMEDOUT || i == EINTR);
}

static void *
upkeep_main(void *priv)
{
	struct vmod_sandbox_program *prg;
	struct vsbx_upkeep *up;

	CAST_OBJ_NOTNULL(up, priv, VSBX_UPKEEP_MAGIC);
	CHECK_OBJ_NOTNULL(up->vcl, VSBX_VCL_MAGIC);
	AZ(pthread_mutex_lock(&up->mtx));
	while (!up->stop) {
		AZ(pthread_mutex_unlock(&up->mtx));
		VTAILQ_FOREACH(prg, &up->vcl->programs, list)
			vsbx_upkeep_one(prg, VTIM_real());
		AZ(pthread_mutex_lock(&up->mtx));
		if (!up->stop)
			upkeep_sleep(up);
	}
	AZ(pthread_mutex_unlock(&up->mtx));
	return (NULL);
}

static void
upkeep_free(struct vsbx_upkeep **upp)
{
	struct vsbx_upkeep *up;

	TAKE_OBJ_NOTNULL(up, upp, VSBX_UPKEEP_MAGIC);
	AZ(pthread_cond_destroy(&up->cond));
	AZ(pthread_mutex_destroy(&up->mtx));
	FREE_OBJ(up);
}

int
vsbx_upkeep_start(struct vsbx_vcl *vcl)
{
	struct vsbx_upkeep *up;
	pthread_condattr_t ca;
	int i;

	ASSERT_CLI();
	CHECK_OBJ_NOTNULL(vcl, VSBX_VCL_MAGIC);
	AZ(vcl->upkeep);
	if (VTAILQ_EMPTY(&vcl->programs))
		return (0);
	ALLOC_OBJ(up, VSBX_UPKEEP_MAGIC);
	AN(up);
	up->vcl = vcl;
	AZ(pthread_mutex_init(&up->mtx, NULL));
	AZ(pthread_condattr_init(&ca));
	AZ(pthread_condattr_setclock(&ca, CLOCK_MONOTONIC));
	AZ(pthread_cond_init(&up->cond, &ca));
	AZ(pthread_condattr_destroy(&ca));
	i = pthread_create(&up->thr, NULL, upkeep_main, up);
	if (i != 0) {
		upkeep_free(&up);
		return (i);
	}
	(void)pthread_setname_np(up->thr, "sandbox-stats");
	vcl->upkeep = up;
	return (0);
}

void
vsbx_upkeep_stop(struct vsbx_vcl *vcl)
{
	struct vsbx_upkeep *up;

	ASSERT_CLI();
	CHECK_OBJ_NOTNULL(vcl, VSBX_VCL_MAGIC);
	up = vcl->upkeep;
	if (up == NULL)
		return;
	CHECK_OBJ(up, VSBX_UPKEEP_MAGIC);
	AZ(pthread_mutex_lock(&up->mtx));
	up->stop = 1;
	AZ(pthread_cond_signal(&up->cond));
	AZ(pthread_mutex_unlock(&up->mtx));
	AZ(pthread_join(up->thr, NULL));
	upkeep_free(&vcl->upkeep);
}
