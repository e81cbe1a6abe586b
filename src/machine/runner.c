/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * runner.c: a thread per machine, with a futex for the hand-off.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/futex.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/runner.h"

enum runner_e {
	RUNNER_IDLE,
	RUNNER_CALLED,
	RUNNER_DONE,
	RUNNER_STOP,
};

struct sbx_runner {
	unsigned		magic;
#define SBX_RUNNER_MAGIC	0x52e7a6d8
	pthread_t		thread;
	_Atomic int		state;
	sbx_runner_f		*func;
	void			*priv;
};

/* Sleep while the state is (s). */
static int
runner_wait(struct sbx_runner *r, int s)
{
	int now;

	for (;;) {
		now = atomic_load(&r->state);
		if (now != s)
			return (now);
		(void)syscall(SYS_futex, &r->state, FUTEX_WAIT_PRIVATE, s,
		    NULL, NULL, 0);
	}
}

static void
runner_set(struct sbx_runner *r, int s)
{

	atomic_store(&r->state, s);
	(void)syscall(SYS_futex, &r->state, FUTEX_WAKE_PRIVATE, INT_MAX,
	    NULL, NULL, 0);
}

static void *
runner_main(void *priv)
{
	struct sbx_runner *r;
	int s = RUNNER_IDLE;

	CAST_OBJ_NOTNULL(r, priv, SBX_RUNNER_MAGIC);
	for (;;) {
		s = runner_wait(r, s);
		if (s == RUNNER_STOP)
			return (NULL);
		if (s != RUNNER_CALLED)
			continue;
		r->func(r->priv);
		s = RUNNER_DONE;
		runner_set(r, s);
	}
}

int
SBX_Runner_New(struct sbx_runner **rp, struct sbx_err *err)
{
	struct sbx_runner *r;
	int e;

	AN(rp);
	AZ(*rp);
	SBX_ALLOC_OBJ(r, SBX_RUNNER_MAGIC);
	if (r == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "runner"));
	e = sbx_os.pthread_create(&r->thread, NULL, runner_main, r);
	if (e != 0) {
		FREE_OBJ(r);
		return (SBX_Err_Set(err, SBX_FAIL_HOST, e,
		    "thread for a VM"));
	}
	(void)pthread_setname_np(r->thread, "sbx-runner");
	*rp = r;
	return (0);
}

void
SBX_Runner_Destroy(struct sbx_runner **rp)
{
	struct sbx_runner *r;

	TAKE_OBJ_NOTNULL(r, rp, SBX_RUNNER_MAGIC);
	assert(atomic_load(&r->state) != RUNNER_CALLED);
	runner_set(r, RUNNER_STOP);
	AZ(pthread_join(r->thread, NULL));
	FREE_OBJ(r);
}

void
SBX_Runner_Call(struct sbx_runner *r, sbx_runner_f *func, void *priv)
{

	CHECK_OBJ_NOTNULL(r, SBX_RUNNER_MAGIC);
	AN(func);
	assert(atomic_load(&r->state) != RUNNER_CALLED);
	r->func = func;
	r->priv = priv;
	runner_set(r, RUNNER_CALLED);
	(void)runner_wait(r, RUNNER_CALLED);
}
