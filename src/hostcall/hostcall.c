/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * hostcall.c: the calls of sandbox_abi.h.
 */

#include "config.h"

#include <errno.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "hostcall/exchange.h"
#include "linux/proc.h"
#include "linux/syscall.h"

int
SBX_Hostcall_Is(uint64_t nr)
{

	return (nr >= SANDBOX_CALL_BASE && nr < SANDBOX_CALL_BASE + 0x1000);
}

static enum sbx_next_e
hostcall_next(struct sbx_exchange *x, struct sbx_proc *p,
    const uint64_t *a, int64_t *result)
{

	if (!p->serving) {
		*result = -EPROTO;
		if (a[0] != SANDBOX_ABI_VERSION)
			return (SBX_NEXT_RETURN);
		*result = -EINVAL;
		if (a[1] != 0)
			return (SBX_NEXT_RETURN);
		return (SBX_NEXT_READY);
	}
	if (a[1] == 0) {
		SBX_Proc_Kill(p, SBX_KILL_answer, "the guest asked for the "
		    "next request without answering this one");
		return (SBX_NEXT_KILLED);
	}
	return (SBX_Exchange_Answer(x, p, a[1]) ?
	    SBX_NEXT_KILLED : SBX_NEXT_ANSWERED);
}

static int64_t
hostcall_log(struct sbx_proc *p, const uint64_t *a)
{
	char buf[SANDBOX_MAX_LOG];
	uint64_t l;

	if (a[0] != SANDBOX_LOG_INFO && a[0] != SANDBOX_LOG_ERROR)
		return (-EINVAL);
	l = a[2] < sizeof buf ? a[2] : sizeof buf;
	if (SBX_Sys_Get(p, buf, a[1], l))
		return (-EFAULT);
	return (SBX_Proc_Log(p, a[0] == SANDBOX_LOG_INFO ? SBX_LOG_INFO :
	    SBX_LOG_ERROR, buf, l) ? -ENOSPC : 0);
}

enum sbx_next_e
SBX_Hostcall(struct sbx_exchange *x, struct sbx_proc *p, uint64_t nr,
    const uint64_t *a, int64_t *result)
{

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	/* the scheduler keeps them, should another thread run next */
	p->nr = nr;
	p->args = a;
	switch (nr) {
	case SANDBOX_CALL_NEXT:
		return (hostcall_next(x, p, a, result));
	case SANDBOX_CALL_LOG:
		*result = hostcall_log(p, a);
		return (SBX_NEXT_RETURN);
	case SANDBOX_CALL_FETCH:
		*result = SBX_Fetch_Call(x, p, a);
		return (p->kill == SBX_KILL_NONE ? SBX_NEXT_RETURN :
		    SBX_NEXT_KILLED);
	default:
		*result = -ENOSYS;
		return (SBX_NEXT_RETURN);
	}
}
