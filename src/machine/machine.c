/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * machine.c: running a vCPU.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/kvm.h"
#include "machine/machine.h"
#include "machine/watchdog.h"
#include "machine/x86_64.h"

#define RFLAGS_RING0		UINT64_C(0x2)

/* XSAVE area, standard format (SDM vol. 1, 13.4.2) */
#define XSAVE_MXCSR		24
#define XSAVE_XSTATE_BV		512
#define XSAVE_XCOMP_BV		520
#define XSAVE_EXTENDED		576

/* All of MXCSR but AMD's misaligned exception mask (SDM vol. 1, 10.2.3) */
#define MXCSR_BITS		UINT32_C(0xffff)

/* The stub's OUT takes two bytes; SYSRET is behind it. */
#define STUB_RET		(SBX_SYS_SYSCALL + 2)

/*--------------------------------------------------------------------
 * Life
 */

/* MSRs are ring 0's business and nothing of ours runs there that uses them.
 * KVM wants to see at least one range; it denies too. KVM reads bitmaps in
 * units of eight bytes.
 *
 * Not right after the memory slot: both wait for the readers of KVM's lists,
 * and Linux takes 16 ms for the second time within 25 us (SRCU's holdoff)
 * where it takes a few microseconds otherwise. Making a vCPU is in between. */
static int
machine_msr_filter(struct sbx_machine *m, struct sbx_err *err)
{
	uint8_t none[8] = { 0 };
	struct kvm_msr_filter f = {
		.flags = KVM_MSR_FILTER_DEFAULT_DENY,
		.ranges[0] = {
			.flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE,
			.nmsrs = 1,
			.base = 0,
			.bitmap = none,
		},
	};

	if (sbx_os.ioctl(m->vm_fd, KVM_CHECK_EXTENSION,
	    (void *)(intptr_t)KVM_CAP_X86_MSR_FILTER) <= 0)
		return (0);
	if (sbx_os.ioctl(m->vm_fd, KVM_X86_SET_MSR_FILTER, &f) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_X86_SET_MSR_FILTER"));
	return (0);
}

static int
machine_memory(struct sbx_machine *m, struct sbx_err *err)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
	};
	struct kvm_userspace_memory_region r = {
		.slot = 0,
		.flags = KVM_MEM_LOG_DIRTY_PAGES,
		.guest_phys_addr = 0,
		.memory_size = m->gmem.size,
		.userspace_addr = (uintptr_t)m->gmem.base,
	};

	if (sbx_os.ioctl(m->vm_fd, KVM_ENABLE_CAP, &cap) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"));
	if (sbx_os.ioctl(m->vm_fd, KVM_SET_USER_MEMORY_REGION, &r) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_SET_USER_MEMORY_REGION of %ju bytes",
		    (uintmax_t)m->gmem.size));
	return (0);
}

static int
machine_sregs(struct sbx_machine *m, unsigned long nr, struct kvm_sregs *s,
    struct sbx_err *err)
{

	if (sbx_os.ioctl(m->vcpu_fd, nr, s) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    nr == KVM_GET_SREGS ? "KVM_GET_SREGS" : "KVM_SET_SREGS"));
	return (0);
}

static int
machine_same_table(const struct kvm_dtable *a, const struct kvm_dtable *b)
{

	return (a->base == b->base && a->limit == b->limit);
}

/*
 * Ring 3 can change none of these. If one is another, the guest has been in
 * ring 0, by a hole in the CPU, in KVM or in us, and could find it like that
 * in its next request; so has one that should be in ring (cpl) and is not.
 */
static int
machine_is_ours(const struct sbx_machine *m, const struct kvm_sregs *is,
    unsigned cpl, struct sbx_err *err)
{
	const struct kvm_sregs *was = &m->sregs;

	if (is->cs.dpl == cpl && is->cr0 == was->cr0 && is->cr3 == was->cr3 &&
	    is->cr4 == was->cr4 && is->efer == was->efer &&
	    machine_same_table(&is->gdt, &was->gdt) &&
	    machine_same_table(&is->idt, &was->idt) &&
	    is->tr.base == was->tr.base && is->tr.limit == was->tr.limit &&
	    is->ldt.selector == was->ldt.selector &&
	    is->ldt.base == was->ldt.base)
		return (1);
	(void)SBX_Err_Set(err, SBX_FAIL_GUEST, 0, "the program has been in "
	    "ring 0: control registers are not as they were");
	return (0);
}

/* Where a system call is exited from. */
static unsigned
machine_stub_cpl(const struct sbx_machine *m)
{

	return (m->kvm->platform == SBX_PLATFORM_P ? 3 : 0);
}

static int
machine_vcpu(struct sbx_machine *m, struct sbx_err *err)
{
	void *p;

	m->vcpu_fd = sbx_os.ioctl(m->vm_fd, KVM_CREATE_VCPU, NULL);
	if (m->vcpu_fd < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_CREATE_VCPU"));
	p = sbx_os.mmap(NULL, m->kvm->run_size, PROT_READ | PROT_WRITE,
	    MAP_SHARED, m->vcpu_fd, 0);
	if (p == MAP_FAILED)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "mmap of struct kvm_run"));
	m->run = p;
	m->run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS;
	if (SBX_X86_Setup(m, err))
		return (-1);
	return (machine_sregs(m, KVM_GET_SREGS, &m->sregs, err));
}

int
SBX_Machine_New(struct sbx_kvm *kvm, void *base, uint64_t size,
    struct sbx_machine **mp, struct sbx_err *err)
{
	struct sbx_machine *m;

	CHECK_OBJ_NOTNULL(kvm, SBX_KVM_MAGIC);
	AN(mp);
	AZ(*mp);
	SBX_ALLOC_OBJ(m, SBX_MACHINE_MAGIC);
	if (m == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "VM"));
	m->kvm = kvm;
	m->vm_fd = m->vcpu_fd = -1;
	SBX_Watchdog_Add(m);
	if (SBX_Gmem_Init(&m->gmem, base, size))
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "VM");
	else if ((m->vm_fd = sbx_os.ioctl(kvm->fd, KVM_CREATE_VM, NULL)) < 0)
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, errno, "KVM_CREATE_VM");
	else if (!machine_memory(m, err) && !machine_vcpu(m, err) &&
	    !machine_msr_filter(m, err)) {
		*mp = m;
		return (0);
	}
	SBX_Machine_Destroy(&m);
	return (-1);
}

void
SBX_Machine_Destroy(struct sbx_machine **mp)
{
	struct sbx_machine *m;

	TAKE_OBJ_NOTNULL(m, mp, SBX_MACHINE_MAGIC);
	SBX_Watchdog_Remove(m);
	if (m->run != NULL)
		AZ(sbx_os.munmap(m->run, m->kvm->run_size));
	if (m->vcpu_fd >= 0)
		SBX_Os_CloseFd(&m->vcpu_fd);
	if (m->vm_fd >= 0)
		SBX_Os_CloseFd(&m->vm_fd);
	SBX_Gmem_Fini(&m->gmem);
	free(m->xsave);
	FREE_OBJ(m);
}

/*--------------------------------------------------------------------
 * Registers
 */

const struct kvm_regs *
SBX_Machine_Regs(const struct sbx_machine *m)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	return (&m->run->s.regs.regs);
}

void
SBX_Machine_Boot(struct sbx_machine *m, uint64_t rip, uint64_t rsp)
{
	struct kvm_regs *r;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	r = &m->run->s.regs.regs;
	memset(r, 0, sizeof *r);
	r->rip = rip;
	r->rsp = rsp;
	r->rflags = SBX_RFLAGS_FIXED;
	m->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

/*
 * Continue in ring 3 at (rip). A machine that has made a system call stands
 * in the stub: on hardware in ring 0, and the only way out is its SYSRET.
 * RIP is set in any case, so that KVM does not skip the OUT a second time.
 */
static void
machine_continue(struct sbx_machine *m, struct kvm_regs *r, uint64_t rip,
    uint64_t rflags)
{

	rflags = SBX_X86_Rflags(rflags);
	if (m->entered && m->kvm->platform == SBX_PLATFORM_H) {
		r->rcx = rip;
		r->r11 = rflags;
		r->rip = STUB_RET;
		r->rflags = RFLAGS_RING0;
	} else {
		r->rip = rip;
		r->rflags = rflags;
	}
	m->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
}

void
SBX_Machine_Return(struct sbx_machine *m, uint64_t rax)
{
	struct kvm_regs *r;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(m->entered);
	r = &m->run->s.regs.regs;
	r->rax = rax;
	machine_continue(m, r, r->rcx, r->r11);
}

void
SBX_Machine_Enter(struct sbx_machine *m, const struct sbx_cpu_image *img)
{
	struct kvm_regs *r;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	r = &m->run->s.regs.regs;
	*r = img->regs;
	machine_continue(m, r, SBX_SYS_ENTRY, img->regs.rflags);
}

static int
machine_base_sregs(struct sbx_machine *m, struct kvm_sregs *s,
    struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	SBX_Err_Clear(err);
	return (machine_sregs(m, KVM_GET_SREGS, s, err));
}

int
SBX_Machine_SetBase(struct sbx_machine *m, int gs, uint64_t base)
{
	struct kvm_sregs s;
	struct sbx_err err;

	if (machine_base_sregs(m, &s, &err))
		return (-1);
	if (gs)
		s.gs.base = base;
	else
		s.fs.base = base;
	m->run->s.regs.sregs = s;
	return (machine_sregs(m, KVM_SET_SREGS, &s, &err));
}

int
SBX_Machine_GetBase(struct sbx_machine *m, int gs, uint64_t *base)
{
	struct kvm_sregs s;
	struct sbx_err err;

	if (machine_base_sregs(m, &s, &err))
		return (-1);
	*base = gs ? s.gs.base : s.fs.base;
	return (0);
}

/*--------------------------------------------------------------------
 * Freezing
 */

static void
machine_put64(uint8_t *page, unsigned off, uint64_t v)
{

	memcpy(page + off, &v, sizeof v);
}

/* Vector state, as XRSTOR wants it: SBX_ENTRY_XSAVE_MAX bytes. */
static int
machine_xsave(struct sbx_machine *m, uint8_t *to, struct sbx_err *err)
{
	uint64_t bv, *hdr;
	size_t size;

	size = m->kvm->xsave2 ? (size_t)m->kvm->xsave2 :
	    sizeof(struct kvm_xsave);
	if (m->xsave == NULL)
		m->xsave = sbx_os.calloc(1, size);
	if (m->xsave == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "XSAVE"));
	if (sbx_os.ioctl(m->vcpu_fd,
	    m->kvm->xsave2 ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, m->xsave) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_GET_XSAVE"));
	hdr = (uint64_t *)(void *)(m->xsave + XSAVE_XSTATE_BV);
	bv = hdr[0] & m->kvm->xcr0;
	memset(hdr, 0, XSAVE_EXTENDED - XSAVE_XSTATE_BV);
	hdr[0] = bv;
	memcpy(to, m->xsave, SBX_ENTRY_XSAVE_MAX);
	return (0);
}

int
SBX_Machine_Freeze(struct sbx_machine *m, uint64_t rax, uint64_t clock,
    struct sbx_cpu_image *img, struct sbx_err *err)
{
	const struct kvm_regs *r;
	struct kvm_sregs s;
	uint8_t *page;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(m->entered);
	page = SBX_Gmem_Phys(&m->gmem, (sbx_gpa_t){ SBX_SYS_ENTRY_DATA },
	    SBX_PAGE);
	if (machine_sregs(m, KVM_GET_SREGS, &s, err) ||
	    machine_xsave(m, page + SBX_ENTRY_XSAVE, err))
		return (-1);
	machine_put64(page, SBX_ENTRY_XMASK, m->kvm->xcr0);
	r = &m->run->s.regs.regs;
	machine_put64(page, SBX_ENTRY_FSBASE, s.fs.base);
	machine_put64(page, SBX_ENTRY_GSBASE, s.gs.base);
	machine_put64(page, SBX_ENTRY_RAX, rax);
	machine_put64(page, SBX_ENTRY_RDX, r->rdx);
	machine_put64(page, SBX_ENTRY_RIP, r->rcx);
	machine_put64(page, SBX_ENTRY_CLOCK, clock);
	img->regs = *r;
	img->regs.rflags = img->regs.r11 = SBX_X86_Rflags(r->r11);
	return (0);
}

/*--------------------------------------------------------------------
 * Running
 */

static enum sbx_exit_e
machine_bad(const struct kvm_run *run, struct sbx_err *err)
{

	switch (run->exit_reason) {
	case KVM_EXIT_SHUTDOWN:
		(void)SBX_Err_Set(err, SBX_FAIL_GUEST, 0, "triple fault");
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		(void)SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "KVM could not emulate an instruction (internal error %u)",
		    run->internal.suberror);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		(void)SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "KVM could not enter the VM (0x%jx)", (uintmax_t)
		    run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_IO:
		(void)SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "unexpected I/O, port 0x%x at RIP 0x%jx", run->io.port,
		    (uintmax_t)run->s.regs.regs.rip);
		break;
	default:
		(void)SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "unexpected exit %u at RIP 0x%jx", run->exit_reason,
		    (uintmax_t)run->s.regs.regs.rip);
		break;
	}
	return (SBX_EXIT_BAD);
}

/*
 * After an OUT, RIP points at the next instruction on platform P and still at
 * the OUT on hardware. Anything else was not our OUT.
 */
static int
machine_is_out(const struct sbx_machine *m, uint64_t at)
{
	uint64_t rip = m->run->s.regs.regs.rip;

	return (rip == (m->kvm->platform == SBX_PLATFORM_P ? at + 2 : at));
}

static enum sbx_exit_e
machine_exit_io(struct sbx_machine *m, struct sbx_err *err)
{
	const struct kvm_run *run = m->run;
	uint64_t rip = run->s.regs.regs.rip;

	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.size != 1 ||
	    run->io.count != 1)
		return (machine_bad(run, err));
	switch (run->io.port) {
	case SBX_PORT_SYSCALL:
		/* RCX can only be wrong if ring 3 jumped into the stub */
		if (!machine_is_out(m, SBX_SYS_SYSCALL) ||
		    run->s.regs.regs.rcx >= SBX_GVA_USER_END)
			break;
		if (!machine_is_ours(m, &run->s.regs.sregs,
		    machine_stub_cpl(m), err))
			return (SBX_EXIT_BAD);
		m->entered = 1;
		return (SBX_EXIT_SYSCALL);
	case SBX_PORT_FAULT:
		if (rip < SBX_SYS_FAULT || rip >= SBX_SYS_STACK)
			break;
		return (SBX_EXIT_FAULT);
	case SBX_PORT_EDITED:
		if (rip < SBX_SYS_FAULT || rip >= SBX_SYS_STACK)
			break;
		return (SBX_EXIT_EDITED);
	default:
		break;
	}
	return (machine_bad(run, err));
}

static enum sbx_exit_e
machine_run(struct sbx_machine *m, struct sbx_err *err)
{
	int64_t begin;
	int i, e, kicked;

	begin = SBX_Os_Mono();
	do {
		i = sbx_os.ioctl(m->vcpu_fd, KVM_RUN, NULL);
		e = i < 0 ? errno : 0;
		m->exits++;
		/* asked once: it may be about to be kicked again */
		kicked = SBX_Watchdog_Kicked(m);
	} while ((e == EINTR || e == EAGAIN) && !kicked);
	m->ran += SBX_Os_Mono() - begin;
	m->run->kvm_dirty_regs = 0;
	if (i < 0 && kicked)
		return (SBX_EXIT_KICKED);
	if (i < 0) {
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, e, "KVM_RUN");
		return (SBX_EXIT_BAD);
	}
	if (m->run->exit_reason == KVM_EXIT_IO)
		return (machine_exit_io(m, err));
	return (machine_bad(m->run, err));
}

enum sbx_exit_e
SBX_Machine_Run(struct sbx_machine *m, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	m->last = machine_run(m, err);
	return (m->last);
}

/*--------------------------------------------------------------------
 * Threads
 */

/*
 * An exception that the CPU has taken and KVM could not yet deliver, because
 * its stack had to be made private first, belongs to the registers of now.
 */
static int
machine_has_event(struct sbx_machine *m)
{
	struct kvm_vcpu_events ev;

	memset(&ev, 0, sizeof ev);
	return (sbx_os.ioctl(m->vcpu_fd, KVM_GET_VCPU_EVENTS, &ev) < 0 ||
	    ev.exception.injected || ev.exception.pending);
}

int
SBX_Machine_CanSave(struct sbx_machine *m)
{
	uint64_t rip;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	assert(m->last == SBX_EXIT_KICKED);
	rip = m->run->s.regs.regs.rip;
	if (rip < SBX_SYS_END && rip / SBX_PAGE != SBX_SYS_VDSO / SBX_PAGE)
		return (0);
	return (!machine_has_event(m));
}

/* An exception has brought the vCPU to ring 0. */
static int
machine_leave_fault(struct sbx_machine *m, struct kvm_sregs *s,
    struct kvm_regs *r, struct sbx_err *err)
{
	uint64_t frame[7];

	if (SBX_Machine_Frame(m, frame))
		return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "exception without a stack"));
	SBX_X86_Ring3(s);
	if (machine_sregs(m, KVM_SET_SREGS, s, err))
		return (-1);
	r->rip = frame[2];
	r->rflags = frame[4];
	r->rsp = frame[5];
	m->entered = 0;
	return (0);
}

static int
machine_copy(struct sbx_machine *m, struct sbx_cpu *c, struct kvm_sregs *s,
    struct sbx_err *err)
{

	/* they have come with the exit */
	*s = m->run->s.regs.sregs;
	if (!machine_is_ours(m, s, m->last == SBX_EXIT_SYSCALL ?
	    machine_stub_cpl(m) : m->last == SBX_EXIT_KICKED ? 3 : 0, err) ||
	    machine_xsave(m, c->xsave, err))
		return (-1);
	c->fs_base = s->fs.base;
	c->gs_base = s->gs.base;
	c->regs = m->run->s.regs.regs;
	return (0);
}

int
SBX_Machine_Copy(struct sbx_machine *m, struct sbx_cpu *c,
    struct sbx_err *err)
{
	struct kvm_sregs s;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(c);
	if (machine_copy(m, c, &s, err))
		return (-1);
	c->regs.rip = c->regs.rcx;
	c->regs.rflags = SBX_X86_Rflags(c->regs.r11);
	return (0);
}

int
SBX_Machine_Save(struct sbx_machine *m, struct sbx_cpu *c,
    struct sbx_err *err)
{
	struct kvm_sregs s;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(c);
	if (m->last == SBX_EXIT_SYSCALL)
		return (SBX_Machine_Copy(m, c, err));
	if (machine_copy(m, c, &s, err))
		return (-1);
	if (m->last == SBX_EXIT_KICKED)
		m->entered = 0;
	else if (machine_leave_fault(m, &s, &c->regs, err))
		return (-1);
	c->regs.rflags = SBX_X86_Rflags(c->regs.rflags);
	return (0);
}

int
SBX_Machine_Peek(struct sbx_machine *m, struct sbx_cpu *c,
    struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(c);
	memset(c, 0, sizeof *c);
	SBX_Machine_User(m, &c->regs);
	c->fs_base = m->run->s.regs.sregs.fs.base;
	c->gs_base = m->run->s.regs.sregs.gs.base;
	return (machine_xsave(m, c->xsave, err));
}

void
SBX_Machine_Load(struct sbx_machine *m, const struct sbx_cpu *c)
{
	const sbx_gpa_t gpa = { SBX_SYS_SWITCH_DATA };
	struct kvm_regs *r;
	uint8_t *page;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(c);
	page = SBX_Gmem_Phys(&m->gmem, gpa, SBX_PAGE);
	memcpy(page + SBX_ENTRY_XSAVE, c->xsave, sizeof c->xsave);
	machine_put64(page, SBX_ENTRY_XMASK, m->kvm->xcr0);
	machine_put64(page, SBX_ENTRY_FSBASE, c->fs_base);
	machine_put64(page, SBX_ENTRY_GSBASE, c->gs_base);
	machine_put64(page, SBX_ENTRY_RAX, c->regs.rax);
	machine_put64(page, SBX_ENTRY_RDX, c->regs.rdx);
	machine_put64(page, SBX_ENTRY_RCX, c->regs.rcx);
	machine_put64(page, SBX_ENTRY_R11, c->regs.r11);
	machine_put64(page, SBX_ENTRY_RIP, c->regs.rip);
	SBX_Gmem_Touch(&m->gmem, gpa, SBX_PAGE);
	r = &m->run->s.regs.regs;
	*r = c->regs;
	machine_continue(m, r, SBX_SYS_ENTRY + SBX_ENTRY_SWITCH,
	    c->regs.rflags);
}

uint64_t
SBX_Machine_Features(const struct sbx_machine *m)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	return (m->kvm->xcr0);
}

int
SBX_Machine_Clean(const struct sbx_machine *m, struct sbx_cpu *c)
{
	uint64_t hdr[8];
	uint32_t mxcsr;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	memcpy(hdr, c->xsave + XSAVE_XSTATE_BV, sizeof hdr);
	memcpy(&mxcsr, c->xsave + XSAVE_MXCSR, sizeof mxcsr);
	if ((hdr[0] & ~m->kvm->xcr0) != 0 || hdr[1] != 0 ||
	    (mxcsr & ~MXCSR_BITS) != 0)
		return (-1);
	/* the rest of the header has to be zero, and means nothing */
	memset(c->xsave + XSAVE_XCOMP_BV, 0, XSAVE_EXTENDED - XSAVE_XCOMP_BV);
	return (0);
}

/*--------------------------------------------------------------------
 * Page table edits
 */

int
SBX_Machine_EditEntry(const struct sbx_machine *m, sandbox_gva_t gva,
    struct sbx_edit *edit)
{
	const uint8_t *e;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	e = (const uint8_t *)SBX_Gmem_Entry(&m->gmem, gva);
	if (e == NULL)
		return (-1);
	/* the tables' window shows physical memory from SBX_SYS_END on */
	edit->entry = SBX_GVA_TABLES +
	    (uint64_t)(e - m->gmem.base) - SBX_SYS_END;
	edit->addr = gva.va;
	memcpy(&edit->value, e, sizeof edit->value);
	return (0);
}

static int
machine_edit_run(struct sbx_machine *m, unsigned n, struct sbx_err *err)
{
	struct kvm_regs *r;

	r = &m->run->s.regs.regs;
	memset(r, 0, sizeof *r);
	r->rdi = SBX_SYS_EDITS;
	r->rcx = n;
	r->rip = SBX_SYS_FAULT + SBX_FAULT_EDIT;
	r->rsp = SBX_SYS_STACK + SBX_PAGE;
	r->rflags = RFLAGS_RING0;
	m->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	switch (machine_run(m, err)) {
	case SBX_EXIT_EDITED:
		return (0);
	case SBX_EXIT_BAD:
		return (SBX_Err_Wrap(err, "page table editor"));
	default:
		return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "page table editor did not finish"));
	}
}

int
SBX_Machine_Edit(struct sbx_machine *m, const struct sbx_edit *edit,
    unsigned n, struct sbx_err *err)
{
	struct kvm_sregs user, ring0;
	struct kvm_regs regs;
	uint32_t dirty;
	size_t l;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	AN(n);
	assert(n <= SBX_EDITS_MAX);
	l = n * sizeof *edit;
	memcpy(SBX_Gmem_Phys(&m->gmem, (sbx_gpa_t){ SBX_SYS_EDITS }, l),
	    edit, l);
	SBX_Gmem_Touch(&m->gmem, (sbx_gpa_t){ SBX_SYS_EDITS }, l);
	regs = m->run->s.regs.regs;
	dirty = m->run->kvm_dirty_regs;
	if (machine_sregs(m, KVM_GET_SREGS, &user, err))
		return (-1);
	ring0 = user;
	SBX_X86_Ring0(&ring0);
	if (machine_sregs(m, KVM_SET_SREGS, &ring0, err) ||
	    machine_edit_run(m, n, err) ||
	    machine_sregs(m, KVM_SET_SREGS, &user, err))
		return (-1);
	m->run->s.regs.regs = regs;
	/* Save looks at those of the last exit, which was the editor's */
	m->run->s.regs.sregs = user;
	m->run->kvm_dirty_regs = dirty | KVM_SYNC_X86_REGS;
	return (0);
}
