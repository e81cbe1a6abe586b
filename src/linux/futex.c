/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * futex.c: waiting for a word of memory. There is one address space, so the
 * address is all there is to a futex, private or not.
 */

#include "config.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

#include <linux/futex.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "linux/thread.h"

/* As in Linux: a list that goes in circles ends. */
#define FUTEX_LIST_MAX		2048

/* Who has waited longest at (addr) for one of (bits), or NULL. */
static struct sbx_thread *
futex_first(const struct sbx_proc *p, uint64_t addr, uint32_t bits)
{
	struct sbx_thread *t, *first = NULL;
	unsigned u;

	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = p->threads.t[u];
		if (t != NULL && t->state == SBX_THREAD_WAITS &&
		    t->wait == SBX_WAIT_FUTEX && t->addr == addr &&
		    (t->bits & bits) != 0 &&
		    (first == NULL || t->order < first->order))
			first = t;
	}
	return (first);
}

int64_t
SBX_Futex_Wake(struct sbx_proc *p, uint64_t addr, uint64_t n, uint32_t bits)
{
	struct sbx_thread *t;
	int64_t woken = 0;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	while (p->threads.n > 1 && (uint64_t)woken < n &&
	    (t = futex_first(p, addr, bits)) != NULL) {
		SBX_Thread_Wake(p, t, 0);
		woken++;
	}
	return (woken);
}

/*--------------------------------------------------------------------
 * The end of a thread
 */

/* struct robust_list_head */
struct futex_robust {
	uint64_t		first;
	int64_t			offset;
	uint64_t		pending;
};

static void
futex_died(struct sbx_proc *p, const struct sbx_thread *t, uint64_t addr)
{
	uint32_t v, new;

	if (addr % sizeof v != 0 || SBX_Sys_Get(p, &v, addr, sizeof v) ||
	    (v & FUTEX_TID_MASK) != (uint32_t)t->tid)
		return;
	new = (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	if (!SBX_Sys_Put(p, addr, &new, sizeof new) && (v & FUTEX_WAITERS))
		(void)SBX_Futex_Wake(p, addr, 1, UINT32_MAX);
}

void
SBX_Futex_Exit(struct sbx_proc *p, struct sbx_thread *t)
{
	struct futex_robust r;
	uint64_t at;
	unsigned u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	if (t->robust == 0 || SBX_Sys_Get(p, &r, t->robust, sizeof r))
		return;
	at = r.first;
	for (u = 0; u < FUTEX_LIST_MAX && at != t->robust; u++) {
		/* the lowest bit says that it inherits priorities */
		futex_died(p, t, (at & ~UINT64_C(1)) + (uint64_t)r.offset);
		if (SBX_Sys_Get(p, &at, at & ~UINT64_C(1), sizeof at))
			break;
	}
	if (r.pending != 0)
		futex_died(p, t, (r.pending & ~UINT64_C(1)) +
		    (uint64_t)r.offset);
}

/*--------------------------------------------------------------------
 * The calls
 */

/* When a wait ends: relative, or in WAIT_BITSET absolute. */
static int64_t
futex_until(struct sbx_proc *p, const uint64_t *a, struct sbx_waiting *w)
{
	int64_t i, ns;

	w->until = SBX_NEVER;
	if (a[3] == 0)
		return (0);
	i = SBX_Sys_TimeGet(p, a[3], &ns);
	w->relative = (a[1] & FUTEX_CMD_MASK) == FUTEX_WAIT;
	if (i == 0 && !w->relative)
		i = SBX_Sys_TimeLeft(p, a[1] & FUTEX_CLOCK_REALTIME ?
		    CLOCK_REALTIME : CLOCK_MONOTONIC, &ns);
	if (i != 0)
		return (i);
	w->until = SBX_Sys_Until(ns);
	return (0);
}

static int64_t
futex_wait(struct sbx_proc *p, const uint64_t *a, uint32_t bits)
{
	struct sbx_waiting w = { .wait = SBX_WAIT_FUTEX, .restarts = 1 };
	uint32_t v;
	int64_t i;

	if (bits == 0)
		return (-EINVAL);
	if (SBX_Sys_Get(p, &v, a[0], sizeof v))
		return (-EFAULT);
	if (v != (uint32_t)a[2])
		return (-EAGAIN);
	i = futex_until(p, a, &w);
	if (i != 0)
		return (i);
	w.addr = a[0];
	w.bits = bits;
	return (SBX_Thread_Wait(p, &w) ? -ETIMEDOUT : 0);
}

/* Wake (a[2]) and let (a[3]) more wait at (a[4]). */
static int64_t
futex_requeue(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_thread *t;
	int64_t n, moved = 0;

	if ((int32_t)a[2] < 0 || (int32_t)a[3] < 0 || a[4] % 4 != 0)
		return (-EINVAL);
	n = SBX_Futex_Wake(p, a[0], (uint32_t)a[2], UINT32_MAX);
	while (a[0] != a[4] && moved < (int32_t)a[3] &&
	    (t = futex_first(p, a[0], UINT32_MAX)) != NULL) {
		t->addr = a[4];
		t->order = ++p->threads.order;
		t->changed = p->threads.changed = 1;
		moved++;
	}
	return (n + moved);
}

static int64_t
futex_cmp_requeue(struct sbx_proc *p, const uint64_t *a)
{
	uint32_t v;

	if (SBX_Sys_Get(p, &v, a[0], sizeof v))
		return (-EFAULT);
	return (v != (uint32_t)a[5] ? -EAGAIN : futex_requeue(p, a));
}

static int
futex_compare(uint32_t old, unsigned cmp, uint32_t arg)
{
	int32_t o = (int32_t)old, a = (int32_t)arg;

	switch (cmp) {
	case FUTEX_OP_CMP_EQ:
		return (o == a);
	case FUTEX_OP_CMP_NE:
		return (o != a);
	case FUTEX_OP_CMP_LT:
		return (o < a);
	case FUTEX_OP_CMP_LE:
		return (o <= a);
	case FUTEX_OP_CMP_GT:
		return (o > a);
	case FUTEX_OP_CMP_GE:
		return (o >= a);
	default:
		return (-1);
	}
}

/* FUTEX_OP(): 4 bits of operation, 4 of comparison, two numbers of 12 bits,
 * which have signs. Returns what the word was, and (*new); -1 if there is no
 * such operation. */
static int
futex_op(uint32_t enc, uint32_t old, uint32_t *new)
{
	uint32_t arg;

	arg = (uint32_t)((int32_t)(enc << 8) >> 20);
	if (enc >> 31)
		arg = UINT32_C(1) << (arg & 31);
	switch (enc >> 28 & 7) {
	case FUTEX_OP_SET:
		*new = arg;
		return (0);
	case FUTEX_OP_ADD:
		*new = old + arg;
		return (0);
	case FUTEX_OP_OR:
		*new = old | arg;
		return (0);
	case FUTEX_OP_ANDN:
		*new = old & ~arg;
		return (0);
	case FUTEX_OP_XOR:
		*new = old ^ arg;
		return (0);
	default:
		return (-1);
	}
}

static int64_t
futex_wake_op(struct sbx_proc *p, const uint64_t *a)
{
	uint32_t enc = (uint32_t)a[5], old, new = 0;
	int cmp;
	int64_t n;

	if (a[4] % 4 != 0)
		return (-EINVAL);
	if (SBX_Sys_Get(p, &old, a[4], sizeof old))
		return (-EFAULT);
	cmp = futex_compare(old, enc >> 24 & 15,
	    (uint32_t)((int32_t)(enc << 20) >> 20));
	if (cmp < 0 || futex_op(enc, old, &new))
		return (-ENOSYS);
	if (SBX_Sys_Put(p, a[4], &new, sizeof new))
		return (-EFAULT);
	n = SBX_Futex_Wake(p, a[0], (uint32_t)a[2], UINT32_MAX);
	if (cmp)
		n += SBX_Futex_Wake(p, a[4], (uint32_t)a[3], UINT32_MAX);
	return (n);
}

int64_t
SBX_Sys_futex(struct sbx_proc *p, const uint64_t *a)
{

	if (a[0] % 4 != 0)
		return (-EINVAL);
	switch (a[1] & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
		return (futex_wait(p, a, UINT32_MAX));
	case FUTEX_WAIT_BITSET:
		return (futex_wait(p, a, (uint32_t)a[5]));
	case FUTEX_WAKE:
		return (SBX_Futex_Wake(p, a[0], (uint32_t)a[2], UINT32_MAX));
	case FUTEX_WAKE_BITSET:
		return ((uint32_t)a[5] == 0 ? -EINVAL : SBX_Futex_Wake(p, a[0],
		    (uint32_t)a[2], (uint32_t)a[5]));
	case FUTEX_REQUEUE:
		return (futex_requeue(p, a));
	case FUTEX_CMP_REQUEUE:
		return (futex_cmp_requeue(p, a));
	case FUTEX_WAKE_OP:
		return (futex_wake_op(p, a));
	default:
		return (-ENOSYS);
	}
}

int64_t
SBX_Sys_set_robust_list(struct sbx_proc *p, const uint64_t *a)
{

	if (a[1] != sizeof(struct futex_robust))
		return (-EINVAL);
	SBX_Thread_Change(p)->robust = a[0];
	return (0);
}
