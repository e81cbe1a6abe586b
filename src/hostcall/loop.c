/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * loop.c: running a guest until there is something to tell.
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "hostcall/exchange.h"
#include "linux/debugger.h"
#include "linux/proc.h"
#include "linux/signals.h"
#include "linux/symbol.h"
#include "linux/syscall.h"
#include "machine/machine.h"

/* Bits of a page fault's error code (SDM vol. 3, 4.7) */
#define PF_PRESENT		0x1
#define PF_WRITE		0x2
#define PF_FETCH		0x10

/* As far below the stack as one frame may reach and still be called that */
#define LOOP_STACK_REACH	(UINT64_C(1) << 20)

static const char *
loop_exception(unsigned vector)
{

	switch (vector) {
	case 0:
		return ("division by zero or overflow");
	case 1:
		return ("debug trap");
	case 3:
		return ("breakpoint");
	case 4:
		return ("overflow trap");
	case 6:
		return ("invalid instruction");
	case 12:
		return ("stack fault (wild address)");
	case 13:
		return ("general protection fault (privileged instruction or "
		    "wild address)");
	case 16:
		return ("x87 exception");
	case 17:
		return ("misaligned access");
	case 19:
		return ("SIMD exception");
	default:
		return ("exception");
	}
}

static void
loop_fault_kill(struct sbx_proc *p, const struct sbx_fault *f)
{
	const struct sbx_layout *lay = p->layout;
	char at[SBX_SYMBOL_TEXT_MAX];

	(void)SBX_Proc_Where(p, f->rip, at);
	SBX_Signal_Death(p, f);
	if (f->vector != 14)
		SBX_Proc_Kill(p, SBX_KILL_fault, "%s, vector %u, at RIP %s",
		    loop_exception(f->vector), f->vector, at);
	else if (f->addr < lay->stack_lo &&
	    lay->stack_lo - f->addr <= LOOP_STACK_REACH)
		SBX_Proc_Kill(p, SBX_KILL_fault, "stack overflow, more than "
		    "%ju KB, at RIP %s", (uintmax_t)
		    ((lay->stack_hi - lay->stack_lo) >> 10), at);
	else
		SBX_Proc_Kill(p, SBX_KILL_fault,
		    "segmentation fault, %s address 0x%jx at RIP %s",
		    f->error & PF_FETCH ? "executing" :
		    f->error & PF_WRITE ? "writing" : "reading",
		    (uintmax_t)f->addr, at);
}

/* Returns 1 if a debugger has taken care of it. */
static int
loop_debugged(struct sbx_proc *p, const struct sbx_fault *f, int fatal)
{
	const struct sbx_debugger *d = p->debugger;

	return (d != NULL && d->fault(d->priv, p, f, fatal));
}

/* Returns 1 if the guest handles it, and goes on. */
static int
loop_fault(struct sbx_proc *p)
{
	struct sbx_fault f;
	int i;

	SBX_Machine_Fault(p->machine, &f);
	if (f.vector == 14 && !(f.error & PF_PRESENT) &&
	    SBX_Far_Missing(p, f.addr))
		return (p->kill == SBX_KILL_NONE && SBX_Sched_Again(p) == 0);
	if (loop_debugged(p, &f, 0))
		return (p->kill == SBX_KILL_NONE);
	i = SBX_Sched_Fault(p, &f);
	if (i == 0 && !loop_debugged(p, &f, 1))
		loop_fault_kill(p, &f);
	return (i > 0);
}

/* Returns 1 if it was for another thread to run. */
static int
loop_kicked(struct sbx_proc *p)
{
	int i;

	if (p->debugger != NULL && p->debugger->kicked(p->debugger->priv, p))
		return (p->kill == SBX_KILL_NONE);
	i = SBX_Sched_Kicked(p);
	if (i == 0)
		SBX_Proc_KillLate(p);
	return (i > 0);
}

/* Returns SBX_NEXT_RETURN if the guest goes on. */
static enum sbx_next_e
loop_call(struct sbx_exchange *x, struct sbx_proc *p)
{
	const struct kvm_regs *r;
	enum sbx_next_e next = SBX_NEXT_RETURN;
	uint64_t a[6], nr;
	int64_t result = 0;

	r = SBX_Machine_Regs(p->machine);
	nr = r->rax;
	a[0] = r->rdi;
	a[1] = r->rsi;
	a[2] = r->rdx;
	a[3] = r->r10;
	a[4] = r->r8;
	a[5] = r->r9;
	if (SBX_Hostcall_Is(nr))
		next = SBX_Hostcall(x, p, nr, a, &result);
	else
		result = SBX_Syscall(p, nr, a);
	if (sbx_trace != NULL)
		sbx_trace(p, nr, a, result, next != SBX_NEXT_RETURN ||
		    p->kill != SBX_KILL_NONE);
	if (p->kill != SBX_KILL_NONE)
		return (SBX_NEXT_KILLED);
	if (next == SBX_NEXT_RETURN)
		next = SBX_Sched_Return(p, result) ? SBX_NEXT_KILLED : next;
	return (next);
}

enum sbx_next_e
SBX_Exchange_Run(struct sbx_exchange *x, struct sbx_proc *p)
{
	enum sbx_next_e next = SBX_NEXT_RETURN;
	struct sbx_err err;

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	SBX_Err_Clear(&err);
	SBX_Sched_Begin(p);
	if (p->debugger != NULL)
		p->debugger->begin(p->debugger->priv, p);
	while (next == SBX_NEXT_RETURN) {
		if (p->debugger != NULL)
			p->debugger->goes(p->debugger->priv, p);
		switch (SBX_Machine_Run(p->machine, &err)) {
		case SBX_EXIT_SYSCALL:
			next = loop_call(x, p);
			continue;
		case SBX_EXIT_FAULT:
			if (loop_fault(p))
				continue;
			break;
		case SBX_EXIT_KICKED:
			if (loop_kicked(p))
				continue;
			break;
		case SBX_EXIT_EDITED:
			SBX_Proc_Kill(p, SBX_KILL_fault,
			    "unexpected exit of the page table editor");
			break;
		case SBX_EXIT_BAD:
			SBX_Proc_Kill(p, err.kind == SBX_FAIL_HOST ?
			    SBX_KILL_host : SBX_KILL_fault, "%s", err.msg);
			break;
		default:
			WRONG("exit");
		}
		next = SBX_NEXT_KILLED;
	}
	SBX_Fetch_End(&x->fetches, p);
	return (next);
}
