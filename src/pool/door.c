/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * door.c: whom a pool lets in. The clock is looked at only if something
 * depends on it, which for most programs is never.
 */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/door.h"
#include "pool/pool.h"
#include "pool/program.h"
#include "pool/vm_priv.h"

int
SBX_Door_Init(struct sbx_door *d, const struct sbx_program_cfg *cfg,
    struct sbx_err *err)
{
	uint64_t key[2];

	AN(d);
	AN(cfg);
	if (sbx_os.getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno, "getrandom"));
	SBX_Share_Init(&d->share, cfg->max_cpu, cfg->max_concurrency);
	SBX_Poison_Init(&d->poison, cfg->backoff, key);
	return (0);
}

static int
door_share(struct sbx_door *d, struct sbx_ask *ask, double now,
    struct sbx_pool_stats *st, struct sbx_err *err)
{

	switch (SBX_Share_Begin(&d->share, now, &ask->deposit, err)) {
	case SBX_SHARE_REQUESTS:
		st->over_requests++;
		return (-1);
	case SBX_SHARE_CPU:
		st->over_cpu++;
		return (-1);
	default:
		return (0);
	}
}

static int
door_poison(struct sbx_door *d, struct sbx_ask *ask, double now,
    struct sbx_pool_stats *st, struct sbx_err *err)
{

	switch (SBX_Poison_Begin(&d->poison, ask, now, err)) {
	case SBX_POISON_REQUEST:
		st->backoff_request++;
		return (-1);
	case SBX_POISON_PROGRAM:
		st->backoff_program++;
		return (-1);
	default:
		st->trials += ask->tries != SBX_POISON_NOT;
		return (0);
	}
}

/* It was let in, and there is no VM for it. */
static void
door_nothing(struct sbx_door *d, const struct sbx_ask *ask)
{

	SBX_Share_End(&d->share);
	SBX_Share_Refund(&d->share, ask->deposit);
}

int
SBX_Door_Enter(struct sbx_door *d, struct sbx_ask *ask,
    struct sbx_pool_stats *st, struct sbx_err *err)
{
	double now = 0;

	AN(d);
	AN(ask);
	if (SBX_Share_IsTimed(&d->share) || SBX_Poison_IsTimed(&d->poison))
		now = SBX_Os_Seconds(SBX_Os_Mono());
	/* in this order, or one that is to try would not get the chance */
	if (door_share(d, ask, now, st, err))
		return (-1);
	if (!door_poison(d, ask, now, st, err))
		return (0);
	door_nothing(d, ask);
	return (-1);
}

void
SBX_Door_Give(struct sbx_door *d, const struct sbx_ask *ask,
    struct sbx_vm *vm)
{

	AN(d);
	AN(ask);
	if (vm == NULL) {
		door_nothing(d, ask);
		return;
	}
	CHECK_OBJ(vm, SBX_VM_MAGIC);
	vm->ask = *ask;
	vm->over = 0;
	vm->timed = SBX_Share_IsTimed(&d->share) ? 1 : 0;
	vm->spent = 0;
}

void
SBX_Door_Over(struct sbx_door *d, struct sbx_vm *vm)
{

	AN(d);
	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	if (vm->over)
		return;
	vm->over = 1;
	SBX_Share_End(&d->share);
	SBX_Share_Pay(&d->share, vm->ask.deposit, SBX_Os_Seconds(vm->spent));
}

void
SBX_Door_Leave(struct sbx_door *d, struct sbx_vm *vm, int answered)
{

	AN(d);
	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	SBX_Door_Over(d, vm);
	if (answered) {
		SBX_Poison_Good(&d->poison, &vm->ask);
		return;
	}
	switch (vm->proc.kill) {
	case SBX_KILL_fault:
	case SBX_KILL_exit:
	case SBX_KILL_timeout:
	case SBX_KILL_answer:
		SBX_Poison_Killed(&d->poison, &vm->ask, vm->t_used);
		break;
	default:		/* not the guest's fault, or it has not run */
		break;
	}
}

int
SBX_Door_IsShut(const struct sbx_door *d)
{

	AN(d);
	return (d->poison.pause > 0 &&
	    SBX_Poison_IsSick(&d->poison, SBX_Os_Seconds(SBX_Os_Mono())));
}

void
SBX_Door_Forgive(struct sbx_door *d)
{

	AN(d);
	SBX_Poison_Forgive(&d->poison);
}

void
SBX_Door_Stats(const struct sbx_door *d, struct sbx_pool_stats *st)
{

	AN(d);
	AN(st);
	st->paused = d->poison.pause > 0;
	st->poisonous = SBX_Poison_Count(&d->poison);
}
