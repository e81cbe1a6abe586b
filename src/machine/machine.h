/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A machine: one KVM VM with one vCPU and one slot of memory.
 *
 * It knows nothing of Linux, requests or images: it runs ring 3 code until
 * that makes a system call, faults, or is kicked.
 *
 * A machine is used by one thread at a time, which need not always be the
 * same one (but see sbx_kvm.runner).
 */

#ifndef SBX_MACHINE_H_INCLUDED
#define SBX_MACHINE_H_INCLUDED

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "vqueue.h"

#include "machine/gmem.h"

struct sbx_err;
struct sbx_kvm;

/* Why SBX_Machine_Run() came back. */
enum sbx_exit_e {
	SBX_EXIT_SYSCALL,	/* the guest made a system call */
	SBX_EXIT_FAULT,		/* an exception; see SBX_Machine_Fault() */
	SBX_EXIT_KICKED,	/* the deadline has passed */
	SBX_EXIT_EDITED,	/* the page table editor is done; internal */
	SBX_EXIT_BAD,		/* anything else; see (err) */
};

struct sbx_fault {
	unsigned		vector;
	uint64_t		error;
	uint64_t		rip;
	uint64_t		rsp;
	uint64_t		addr;		/* CR2 */
};

/* One change to a page table. */
struct sbx_edit {
	uint64_t		entry;		/* guest virtual address of it */
	uint64_t		value;
	uint64_t		addr;		/* what it maps */
};

/* Edits in one run of the guest's editor: as many as fit the page. */
#define SBX_EDITS_MAX		(SBX_PAGE / sizeof(struct sbx_edit))

/* What has to be put into the vCPU at the start of a request. The rest is in
 * the trampoline's data, in guest memory. */
struct sbx_cpu_image {
	struct kvm_regs		regs;
};

/*
 * All registers of a thread that does not run, where it goes on in ring 3: RIP
 * and RFLAGS are there, whatever it has left by.
 */
struct sbx_cpu {
	struct kvm_regs		regs;
	uint64_t		fs_base, gs_base;
	uint8_t			xsave[SBX_ENTRY_XSAVE_MAX];	/* standard */
};

/* The hand-shake with the watchdog, see watchdog.c. */
enum sbx_kick_e {
	SBX_KICK_IDLE,
	SBX_KICK_ARMED,
	SBX_KICK_KICKING,
	SBX_KICK_KICKED,
};

struct sbx_machine {
	unsigned		magic;
#define SBX_MACHINE_MAGIC	0x4f2a9e63
	struct sbx_kvm		*kvm;
	int			vm_fd;
	int			vcpu_fd;
	struct kvm_run		*run;
	struct sbx_gmem		gmem;
	struct kvm_sregs	sregs;		/* as they have to be */
	int			entered;	/* it stands in the stub */
	enum sbx_exit_e		last;		/* what Run returned */
	uint8_t			*xsave;		/* room for KVM's answer */
	uint64_t		exits;		/* KVM_RUNs that returned */
	int64_t			ran;		/* ns, in KVM_RUN */

	/* watchdog.c; deadline is SBX_Os_Mono() time */
	VTAILQ_ENTRY(sbx_machine) watch_list;
	pthread_t		thread;
	_Atomic int64_t		deadline;
	_Atomic int		kick;
};

/*
 * Create a machine on (size) bytes of memory at (base), which stay the
 * caller's and must outlive it. The memory must hold what
 * SBX_X86_Install() puts there before the machine runs. Returns -1 and fills
 * (err) if the host refuses something.
 */
int SBX_Machine_New(struct sbx_kvm *, void *base, uint64_t size,
    struct sbx_machine **, struct sbx_err *err);
void SBX_Machine_Destroy(struct sbx_machine **);

/*
 * Give all of guest-writable CPU state its value at a program's first
 * instruction: RIP, RSP, everything else zero.
 */
void SBX_Machine_Boot(struct sbx_machine *, uint64_t rip, uint64_t rsp);

/*
 * Run until there is something to do. The deadline is the watchdog's matter
 * (SBX_Watchdog_Arm()). Fills (err) for SBX_EXIT_BAD.
 */
enum sbx_exit_e SBX_Machine_Run(struct sbx_machine *, struct sbx_err *err);

/* The general registers: valid after an exit. */
const struct kvm_regs *SBX_Machine_Regs(const struct sbx_machine *);

/* Let the next Run return from the system call that the last one exited for,
 * with (rax). */
void SBX_Machine_Return(struct sbx_machine *, uint64_t rax);

/* What happened, after SBX_EXIT_FAULT. [fault.c] */
void SBX_Machine_Fault(struct sbx_machine *, struct sbx_fault *);

/* What an exception has pushed: vector, error code, RIP, CS, RFLAGS, RSP, SS.
 * Returns -1 if RSP is not where that would be. [fault.c] */
int SBX_Machine_Frame(const struct sbx_machine *, uint64_t frame[7]);

/*
 * The general registers where the program was at the last exit, as well as that
 * can be told: a kick may have found it in code of ours. [fault.c]
 */
void SBX_Machine_User(const struct sbx_machine *, struct kvm_regs *);

/*
 * For a debugger: after a fault, or a kick with SBX_Machine_CanSave(), the next
 * Run goes on in ring 3 with these general registers, and all others as they
 * are. Returns -1 and fills (err) if the host refused. [fault.c]
 */
int SBX_Machine_Resume(struct sbx_machine *, const struct kvm_regs *,
    struct sbx_err *err);

/* The next Run, with whatever it is going to begin, ends with a debug exception
 * after one instruction in ring 3. [fault.c] */
void SBX_Machine_Trap(struct sbx_machine *);

/* All registers, for a machine that does not go on: nothing is changed. Returns
 * -1 and fills (err) if the host refused. */
int SBX_Machine_Peek(struct sbx_machine *, struct sbx_cpu *,
    struct sbx_err *err);

/*
 * Take all registers of the program, after an exit for a system call, a kick
 * or a fault. After a kick SBX_Machine_CanSave() has to be true. What comes
 * next must be a Load. Returns -1 and fills (err) if the host refused.
 */
int SBX_Machine_Save(struct sbx_machine *, struct sbx_cpu *,
    struct sbx_err *err);

/* The same after a system call, and the machine stays as it is. */
int SBX_Machine_Copy(struct sbx_machine *, struct sbx_cpu *,
    struct sbx_err *err);

/* False if a kick has found the machine in code of ours, or in the middle of
 * an exception: it has to go on then, and will be out of it soon. */
int SBX_Machine_CanSave(struct sbx_machine *);

/*
 * Let the next Run go on with these registers. No system call of the host's:
 * code in ring 3 loads them from guest memory. What a program can not have put
 * into RFLAGS itself is taken out.
 */
void SBX_Machine_Load(struct sbx_machine *, const struct sbx_cpu *);

/* Which kinds of vector state there are, as in XCR0. */
uint64_t SBX_Machine_Features(const struct sbx_machine *);

/* Make vector state that comes from a guest such that it can be loaded.
 * Returns -1 if it is not what XSAVE would have stored. */
int SBX_Machine_Clean(const struct sbx_machine *, struct sbx_cpu *);

/* What FS and GS are based on. Set: before the next Run, costs two ioctls, so
 * before the snapshot is taken or for programs that change threads. */
int SBX_Machine_SetBase(struct sbx_machine *, int gs, uint64_t base);
int SBX_Machine_GetBase(struct sbx_machine *, int gs, uint64_t *base);

/*
 * Freeze: the machine is in a system call, which will return (rax). Capture
 * its vCPU: vector state, segment bases and RIP go into the trampoline's data
 * in guest memory, the rest into (img). (clock) is where the vDSO will find
 * struct sbx_clock, 0 if nowhere.
 */
int SBX_Machine_Freeze(struct sbx_machine *, uint64_t rax, uint64_t clock,
    struct sbx_cpu_image *img, struct sbx_err *err);

/*
 * Let the next Run begin where (img) was captured. The machine is new, or has
 * made a system call. No system call of the host's.
 */
void SBX_Machine_Enter(struct sbx_machine *, const struct sbx_cpu_image *);

/*
 * Make (n) changes to the page tables, at most SBX_EDITS_MAX, so that the
 * guest sees them on every platform: code in the guest's ring 0 makes them.
 * The general registers are as before afterwards. Returns -1 and fills (err)
 * if that failed; the machine can not be used any more then.
 */
int SBX_Machine_Edit(struct sbx_machine *, const struct sbx_edit *,
    unsigned n, struct sbx_err *err);

/* Put a page table entry's address into (edit), or return -1 if there is no
 * table for (gva). */
int SBX_Machine_EditEntry(const struct sbx_machine *, sandbox_gva_t gva,
    struct sbx_edit *edit);

#endif
