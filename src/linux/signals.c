/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * signals.c: who gets a signal, and the frame that its handler runs on.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/signals.h"
#include "linux/syscall.h"
#include "linux/thread.h"
#include "linux/timer.h"

/* Linux' <asm/sigcontext.h> and <asm/ucontext.h>, which do not go together
 * with <signal.h> */
#define FP_MAGIC1		UINT32_C(0x46505853)
#define FP_MAGIC2		UINT32_C(0x46505845)
#define FP_SW			464	/* of the XSAVE area: software's */
#define FP_LEGACY		512
#define FP_SIZE			SBX_ENTRY_XSAVE_MAX
#define UC_FLAGS		7	/* XSAVE; SS is there and counts */
#define SA_RESTORER		UINT64_C(0x04000000)

#define RED_ZONE		128
#define RFLAGS_HANDLER		(~UINT64_C(0x10500))	/* no RF, DF, TF */

struct signal_fp_sw {
	uint32_t		magic1, size_with_magic2;
	uint64_t		features;
	uint32_t		size;
	uint32_t		reserved[7];
};

struct signal_context {
	uint64_t		r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t		rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
	uint64_t		rip, rflags;
	uint16_t		cs, gs, fs, ss;
	uint64_t		err, trapno, oldmask, cr2;
	uint64_t		fpstate;
	uint64_t		reserved[8];
};

/* struct rt_sigframe */
struct signal_frame {
	uint64_t		restorer;
	uint64_t		flags, link;
	uint64_t		stack[3];
	struct signal_context	mc;
	uint64_t		mask;
	struct sbx_siginfo	info;
};

_Static_assert(sizeof(struct sbx_siginfo) == 128, "siginfo_t");
_Static_assert(RED_ZONE + FP_SIZE + sizeof(uint32_t) + 64 +
    sizeof(struct signal_frame) + 16 + 8 <= SBX_SIGNAL_STACK, "frame");

/* What a frame says besides the registers. */
struct signal_cause {
	struct sbx_siginfo	info;
	uint64_t		trapno, err, cr2;
};

/*--------------------------------------------------------------------
 * Sending
 */

int
SBX_Signal_Due(const struct sbx_proc *p, const struct sbx_thread *t)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	return (((t->pending | p->threads.pending) & ~t->sigmask) != 0);
}

int
SBX_Signal_Ignored(const struct sbx_proc *p, unsigned sig)
{
	uint64_t h;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	assert(sig > 0 && sig <= SBX_NSIG);
	h = p->sigaction[sig - 1].handler;
	return (h == (uintptr_t)SIG_IGN || (h == (uintptr_t)SIG_DFL &&
	    (sig == SIGCHLD || sig == SIGCONT || sig == SIGURG ||
	    sig == SIGWINCH)));
}

static void
signal_kill(struct sbx_proc *p, unsigned sig)
{

	SBX_Proc_Signal(p, (int)sig, SI_TKILL, NULL);
	SBX_Proc_Kill(p, SBX_KILL_fault,
	    "the guest sent itself signal %u (%s)", sig, strsignal((int)sig));
}

/* Calls that Linux makes again after a handler with SA_RESTART. */
static int
signal_restarts(const struct sbx_thread *t)
{

	return (t->until == SBX_NEVER && t->restarts);
}

/* True if (t) waits in sigtimedwait() for (sig), blocked or not. */
static int
signal_asked(const struct sbx_thread *t, unsigned sig)
{

	return (t->state == SBX_THREAD_WAITS && t->wait == SBX_WAIT_SIGNAL &&
	    (t->addr & SBX_SIGBIT(sig)));
}

/* As Linux chooses: the first thread if it takes it, then the caller, then
 * anyone. */
static struct sbx_thread *
signal_target(struct sbx_proc *p, unsigned sig)
{
	struct sbx_thread *t, *me = SBX_Thread_Me(p), *any = me;
	unsigned u;

	for (u = 0; u <= SBX_THREADS_MAX; u++) {
		t = u == 0 ? p->threads.t[0] : u == 1 ? me :
		    p->threads.t[u - 1];
		if (t == NULL || t->state == SBX_THREAD_FREE)
			continue;
		if (!(t->sigmask & SBX_SIGBIT(sig)) || signal_asked(t, sig))
			return (t);
		/* the caller may have ended: a timer goes off after that */
		if (any->state == SBX_THREAD_FREE)
			any = t;
	}
	return (any);
}

void
SBX_Signal_Interrupt(struct sbx_proc *p, struct sbx_thread *t)
{

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	if (t->wait == SBX_WAIT_SLEEP && t->addr != 0)
		(void)SBX_Sys_TimePut(p, t->addr, t->until - SBX_Os_Mono());
	t->restart = signal_restarts(t);
	SBX_Thread_Wake(p, t, -EINTR);
}

/* A signal ends a wait. */
static void
signal_wakes(struct sbx_proc *p, struct sbx_thread *t, unsigned sig)
{
	struct sbx_siginfo si;

	/* it was about to look if it has to go on waiting */
	if (t->again == SBX_AGAIN_DUE && !(t->sigmask & SBX_SIGBIT(sig))) {
		t->again = SBX_AGAIN_NOT;
		t->restart = signal_restarts(t);
		t->result = -EINTR;
	}
	if (t->state != SBX_THREAD_WAITS)
		return;
	if (signal_asked(t, sig)) {
		SBX_Signal_Take(p, t, sig, &si);
		SBX_Thread_Wake(p, t, t->args[1] != 0 && SBX_Sys_Put(p,
		    t->args[1], &si, sizeof si) ? -EFAULT : (int)sig);
		return;
	}
	if (!(t->sigmask & SBX_SIGBIT(sig)))
		SBX_Signal_Interrupt(p, t);
}

int
SBX_Signal_Send(struct sbx_proc *p, struct sbx_thread *t, unsigned sig)
{
	const int shared = t == NULL;
	uint64_t bit = SBX_SIGBIT(sig);

	if (shared)
		t = signal_target(p, sig);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	if (SBX_Signal_Ignored(p, sig) && !(t->sigmask & bit))
		return (0);
	if (sig == SIGKILL || sig == SIGSTOP || (!(t->sigmask & bit) &&
	    p->sigaction[sig - 1].handler == (uintptr_t)SIG_DFL)) {
		signal_kill(p, sig);
		return (1);
	}
	t->changed = p->threads.changed = 1;
	p->threads.look = 1;
	/* who has been chosen is not robbed of what it has been woken for */
	if (shared && (t->sigmask & bit) && !signal_asked(t, sig)) {
		p->threads.pending |= bit;
		return (1);
	}
	t->pending |= bit;
	t->pending_user = shared ? t->pending_user | bit :
	    t->pending_user & ~bit;
	signal_wakes(p, t, sig);
	return (1);
}

void
SBX_Signal_Take(struct sbx_proc *p, struct sbx_thread *t, unsigned sig,
    struct sbx_siginfo *si)
{
	const uint64_t bit = SBX_SIGBIT(sig);
	uint64_t *from;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	from = t->pending & bit ? &t->pending : &p->threads.pending;
	*from &= ~bit;
	t->changed = p->threads.changed = 1;
	memset(si, 0, sizeof *si);
	si->signo = (int32_t)sig;
	si->code = from != &t->pending || (t->pending_user & bit) ? SI_USER :
	    SI_TKILL;
	si->addr = 1 | (uint64_t)SBX_PROC_UID << 32;
	/* several timers may have sent it */
	if (SBX_Timers_Took(p, t->tid, sig, si))
		*from |= bit;
}

void
SBX_Signal_Drop(struct sbx_proc *p, unsigned sig)
{
	struct sbx_threads *ts;
	unsigned u;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	ts = &p->threads;
	ts->pending &= ~SBX_SIGBIT(sig);
	for (u = 0; u < SBX_THREADS_MAX; u++)
		if (ts->t[u] != NULL && (ts->t[u]->pending & SBX_SIGBIT(sig))) {
			ts->t[u]->pending &= ~SBX_SIGBIT(sig);
			ts->t[u]->changed = 1;
		}
	ts->changed = 1;
	SBX_Timers_Dropped(p, sig);
}

/*--------------------------------------------------------------------
 * Blocking
 */

void
SBX_Signal_Mask(struct sbx_proc *p, uint64_t mask)
{
	struct sbx_thread *t = SBX_Thread_Change(p);
	uint64_t due;
	unsigned sig;

	t->sigmask = mask & ~SBX_SIG_ALWAYS;
	due = (t->pending | p->threads.pending) & ~t->sigmask;
	for (; due != 0; due &= due - 1) {
		sig = (unsigned)__builtin_ctzll(due) + 1;
		if (SBX_Signal_Ignored(p, sig))
			SBX_Signal_Drop(p, sig);
		else
			p->threads.look = 1;
	}
}

int64_t
SBX_Signal_Instead(struct sbx_proc *p, uint64_t va, uint64_t len)
{
	struct sbx_thread *t = SBX_Thread_Me(p);
	uint64_t set;

	/* the call is made once more: it has been done */
	if (va == 0 || t->again == SBX_AGAIN_NOW)
		return (0);
	if (len != sizeof set)
		return (-EINVAL);
	if (SBX_Sys_Get(p, &set, va, sizeof set))
		return (-EFAULT);
	t->sigmask_old = t->sigmask;
	t->suspended = 1;
	SBX_Signal_Mask(p, set);
	return (0);
}

int64_t
SBX_Signal_Over(struct sbx_proc *p, int64_t result)
{
	struct sbx_thread *t = SBX_Thread_Me(p);

	/* the frame of a handler says what comes back after it */
	if (!t->suspended || t->state != SBX_THREAD_RUNS ||
	    (result == -EINTR && SBX_Signal_Due(p, t)))
		return (result);
	t->suspended = 0;
	SBX_Signal_Mask(p, t->sigmask_old);
	return (result);
}

/*--------------------------------------------------------------------
 * Delivery
 */

int
SBX_Signal_OnStack(const struct sbx_thread *t, uint64_t sp)
{

	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	return (!(t->sigstack[1] & SS_DISABLE) && sp > t->sigstack[0] &&
	    sp - t->sigstack[0] <= t->sigstack[2]);
}

static void
signal_registers(struct signal_context *mc, const struct kvm_regs *r)
{

#define REG(name)	mc->name = r->name
	REG(r8); REG(r9); REG(r10); REG(r11);
	REG(r12); REG(r13); REG(r14); REG(r15);
	REG(rdi); REG(rsi); REG(rbp); REG(rbx);
	REG(rdx); REG(rax); REG(rcx); REG(rsp);
	REG(rip); REG(rflags);
#undef REG
	mc->cs = SBX_SEL_UCODE;
	mc->ss = SBX_SEL_UDATA;
}

/* Vector state below (sp). Returns where, 0 if it can not be written. */
static uint64_t
signal_put_fp(struct sbx_proc *p, const struct sbx_cpu *c, uint64_t sp)
{
	const uint32_t magic2 = FP_MAGIC2;
	struct signal_fp_sw sw;

	memset(&sw, 0, sizeof sw);
	sw.magic1 = FP_MAGIC1;
	sw.size = FP_SIZE;
	sw.size_with_magic2 = FP_SIZE + sizeof magic2;
	sw.features = SBX_Machine_Features(p->machine);
	sp = (sp - FP_SIZE - sizeof magic2) & ~UINT64_C(63);
	if (SBX_Sys_Put(p, sp, c->xsave, FP_SIZE) ||
	    SBX_Sys_Put(p, sp + FP_SW, &sw, sizeof sw) ||
	    SBX_Sys_Put(p, sp + FP_SIZE, &magic2, sizeof magic2))
		return (0);
	return (sp);
}

static void
signal_fill(struct signal_frame *f, const struct sbx_thread *t,
    const struct sbx_sigaction *sa, const struct signal_cause *why)
{

	memset(f, 0, sizeof *f);
	f->restorer = sa->restorer;
	f->flags = UC_FLAGS;
	memcpy(f->stack, t->sigstack, sizeof f->stack);
	signal_registers(&f->mc, &t->cpu.regs);
	f->mc.trapno = why->trapno;
	f->mc.err = why->err;
	f->mc.cr2 = why->cr2;
	f->mask = t->suspended ? t->sigmask_old : t->sigmask;
	f->mc.oldmask = f->mask;
	f->info = why->info;
}

/* Let (t) begin with its handler. Returns -1 if there is no place for a
 * frame. */
static int
signal_handle(struct sbx_proc *p, struct sbx_thread *t,
    const struct signal_cause *why)
{
	const unsigned sig = (unsigned)why->info.signo;
	struct sbx_sigaction *sa = &p->sigaction[sig - 1];
	struct kvm_regs *r = &t->cpu.regs;
	struct signal_frame f;
	uint64_t sp, fp;

	if (!(sa->flags & SA_RESTORER))
		return (-1);
	signal_fill(&f, t, sa, why);
	sp = r->rsp - RED_ZONE;
	if ((sa->flags & SA_ONSTACK) && t->sigstack[1] == 0 &&
	    !SBX_Signal_OnStack(t, r->rsp))
		sp = t->sigstack[0] + t->sigstack[2];
	fp = signal_put_fp(p, &t->cpu, sp);
	f.mc.fpstate = fp;
	/* as if the handler had been called: RSP + 8 is a multiple of 16 */
	sp = ((fp - sizeof f) & ~UINT64_C(15)) - 8;
	if (fp == 0 || SBX_Sys_Put(p, sp, &f, sizeof f))
		return (-1);
	r->rip = sa->handler;
	r->rsp = sp;
	r->rflags &= RFLAGS_HANDLER;
	r->rax = 0;
	r->rdi = sig;
	r->rsi = sp + offsetof(struct signal_frame, info);
	r->rdx = sp + offsetof(struct signal_frame, flags);
	t->suspended = 0;
	t->sigmask |= sa->mask & ~SBX_SIG_ALWAYS;
	if (!(sa->flags & SA_NODEFER))
		t->sigmask |= SBX_SIGBIT(sig);
	if (sa->flags & SA_RESETHAND) {
		sa->handler = (uintptr_t)SIG_DFL;
		p->changed = 1;
	}
	return (0);
}

/* A call that the signal has ended: it returns EINTR or is made again. */
static void
signal_restart(const struct sbx_proc *p, struct sbx_thread *t, unsigned sig)
{

	if (t->calling && t->restart && t->result == -EINTR &&
	    (p->sigaction[sig - 1].flags & SA_RESTART)) {
		t->cpu.regs.rax = t->nr;
		t->cpu.regs.rip -= 2;
	}
	t->restart = 0;
}

void
SBX_Signal_Deliver(struct sbx_proc *p, struct sbx_thread *t)
{
	struct signal_cause why;
	unsigned sig;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	while (SBX_Signal_Due(p, t)) {
		memset(&why, 0, sizeof why);
		sig = (unsigned)__builtin_ctzll((t->pending |
		    p->threads.pending) & ~t->sigmask) + 1;
		SBX_Signal_Take(p, t, sig, &why.info);
		if (SBX_Signal_Ignored(p, sig))
			continue;
		if (p->sigaction[sig - 1].handler == (uintptr_t)SIG_DFL) {
			signal_kill(p, sig);
			return;
		}
		signal_restart(p, t, sig);
		if (signal_handle(p, t, &why)) {
			SBX_Proc_Kill(p, SBX_KILL_fault, "no stack for the "
			    "handler of signal %u (%s)", sig,
			    strsignal((int)sig));
			return;
		}
	}
}

/*--------------------------------------------------------------------
 * From the CPU
 */

/* Exceptions without a line here kill: there is nothing to handle. */
static const struct {
	unsigned char		sig;
	unsigned char		at_rip;		/* si_addr */
	int			code;
} signal_exceptions[SBX_FAULT_VECTORS] = {
	[0] = { SIGFPE, 1, FPE_INTDIV },
	[1] = { SIGTRAP, 1, TRAP_TRACE },
	[3] = { SIGTRAP, 0, SI_KERNEL },
	[4] = { SIGSEGV, 0, SI_KERNEL },
	[6] = { SIGILL, 1, ILL_ILLOPN },
	[11] = { SIGBUS, 0, SI_KERNEL },
	[12] = { SIGBUS, 0, SI_KERNEL },
	[13] = { SIGSEGV, 0, SI_KERNEL },
	[14] = { SIGSEGV, 0, SEGV_MAPERR },
	[16] = { SIGFPE, 1, FPE_FLTINV },
	[17] = { SIGBUS, 0, BUS_ADRALN },
	[19] = { SIGFPE, 1, FPE_FLTINV },
};

int
SBX_Signal_Of(const struct sbx_fault *f)
{

	AN(f);
	return (f->vector < SBX_FAULT_VECTORS ?
	    signal_exceptions[f->vector].sig : 0);
}

int
SBX_Signal_Handles(struct sbx_proc *p, const struct sbx_fault *f)
{
	const struct sbx_thread *t = SBX_Thread_Me(p);
	int sig = SBX_Signal_Of(f);
	uint64_t h;

	if (sig == 0 || (t->sigmask & SBX_SIGBIT(sig)))
		return (0);
	h = p->sigaction[sig - 1].handler;
	return (h != (uintptr_t)SIG_DFL && h != (uintptr_t)SIG_IGN);
}

void
SBX_Signal_Death(struct sbx_proc *p, const struct sbx_fault *f)
{
	int sig = SBX_Signal_Of(f), code = SI_KERNEL;

	if (sig != 0)
		code = signal_exceptions[f->vector].code;
	else
		sig = SIGKILL;
	if (f->vector == 14)
		code = f->error & 1 ? SEGV_ACCERR : SEGV_MAPERR;
	SBX_Proc_Signal(p, sig, code, f->vector == 14 ? &f->addr : NULL);
}

/* The flags of #MF and #XM are the same but for where they are: the lowest one
 * that is not masked. */
static int
signal_fpe(const struct sbx_cpu *c, unsigned vector)
{
	uint32_t mxcsr;
	uint16_t fcw, fsw, bits;

	memcpy(&fcw, c->xsave, sizeof fcw);
	memcpy(&fsw, c->xsave + 2, sizeof fsw);
	memcpy(&mxcsr, c->xsave + 24, sizeof mxcsr);
	bits = vector == 16 ? (uint16_t)(fsw & ~fcw) :
	    (uint16_t)(mxcsr & ~(mxcsr >> 7));
	return (bits & 1 ? FPE_FLTINV : bits & 4 ? FPE_FLTDIV :
	    bits & 8 ? FPE_FLTOVF : bits & 0x12 ? FPE_FLTUND :
	    bits & 0x20 ? FPE_FLTRES : FPE_FLTINV);
}

int
SBX_Signal_Fault(struct sbx_proc *p, struct sbx_thread *t,
    const struct sbx_fault *f)
{
	struct signal_cause why;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	assert(f->vector < SBX_FAULT_VECTORS);
	memset(&why, 0, sizeof why);
	why.info.signo = signal_exceptions[f->vector].sig;
	why.info.code = signal_exceptions[f->vector].code;
	why.trapno = f->vector;
	why.err = f->error;
	if (signal_exceptions[f->vector].at_rip)
		why.info.addr = t->cpu.regs.rip;
	if (f->vector == 14) {
		why.info.addr = why.cr2 = f->addr;
		why.info.code = f->error & 1 ? SEGV_ACCERR : SEGV_MAPERR;
	} else if (f->vector == 16 || f->vector == 19)
		why.info.code = signal_fpe(&t->cpu, f->vector);
	return (signal_handle(p, t, &why));
}

/*--------------------------------------------------------------------
 * The end of a handler
 */

/* Vector state from a frame, checked. A frame need not have any. */
static int
signal_get_fp(struct sbx_proc *p, struct sbx_cpu *c, uint64_t va)
{
	static const uint32_t mxcsr = 0x1f80;
	static const uint16_t fcw = 0x37f;
	struct signal_fp_sw sw;
	const uint64_t legacy = 3;

	memset(c->xsave, 0, sizeof c->xsave);
	if (va == 0) {
		memcpy(c->xsave, &fcw, sizeof fcw);
		memcpy(c->xsave + 24, &mxcsr, sizeof mxcsr);
		return (0);
	}
	if (SBX_Sys_Get(p, &sw, va + FP_SW, sizeof sw))
		return (-1);
	if (sw.magic1 == FP_MAGIC1 && sw.size == FP_SIZE) {
		if (SBX_Sys_Get(p, c->xsave, va, FP_SIZE))
			return (-1);
	} else {
		if (SBX_Sys_Get(p, c->xsave, va, FP_LEGACY))
			return (-1);
		memcpy(c->xsave + FP_LEGACY, &legacy, sizeof legacy);
	}
	return (SBX_Machine_Clean(p->machine, c));
}

int
SBX_Signal_Return(struct sbx_proc *p, struct sbx_thread *t)
{
	struct kvm_regs *r;
	struct signal_frame f;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	CHECK_OBJ_NOTNULL(t, SBX_THREAD_MAGIC);
	r = &t->cpu.regs;
	/* the handler's return has popped the first member */
	if (SBX_Sys_Get(p, &f, r->rsp - sizeof f.restorer, sizeof f) ||
	    f.mc.rip >= SBX_GVA_USER_END ||
	    signal_get_fp(p, &t->cpu, f.mc.fpstate))
		return (-1);
#define REG(name)	r->name = f.mc.name
	REG(r8); REG(r9); REG(r10); REG(r11);
	REG(r12); REG(r13); REG(r14); REG(r15);
	REG(rdi); REG(rsi); REG(rbp); REG(rbx);
	REG(rdx); REG(rax); REG(rcx); REG(rsp);
	REG(rip); REG(rflags);
#undef REG
	/* segments are always ours, and Load() looks at the flags */
	SBX_Signal_Mask(p, f.mask);
	if (!SBX_Signal_OnStack(t, r->rsp) && (f.stack[1] == 0 ||
	    f.stack[1] == SS_DISABLE))
		memcpy(t->sigstack, f.stack, sizeof t->sigstack);
	return (0);
}
