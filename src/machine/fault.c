/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * fault.c: what an exception has left, and where the program was. Nothing here
 * changes the machine, so it may be asked of one that is never to run again.
 */

#include "config.h"

#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/machine.h"

/* RSP may be anything if the guest has got into ring 0. */
int
SBX_Machine_Frame(const struct sbx_machine *m, uint64_t frame[7])
{
	const size_t l = 7 * sizeof *frame;
	uint64_t rsp;

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	rsp = m->run->s.regs.regs.rsp;
	if (rsp < SBX_SYS_STACK || rsp > SBX_SYS_STACK + SBX_PAGE - l)
		return (-1);
	memcpy(frame, SBX_Gmem_Phys(&m->gmem, (sbx_gpa_t){ rsp }, l), l);
	return (0);
}

void
SBX_Machine_Fault(struct sbx_machine *m, struct sbx_fault *f)
{
	struct kvm_sregs s;
	uint64_t frame[7];

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	memset(f, 0, sizeof *f);
	if (sbx_os.ioctl(m->vcpu_fd, KVM_GET_SREGS, &s) >= 0)
		f->addr = s.cr2;
	if (SBX_Machine_Frame(m, frame))
		return;
	f->vector = (unsigned)(frame[0] & 0xff);
	f->error = frame[1];
	f->rip = frame[2];
	f->rsp = frame[5];
}

void
SBX_Machine_User(const struct sbx_machine *m, struct kvm_regs *r)
{
	uint64_t frame[7];

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	*r = m->run->s.regs.regs;
	if (m->last == SBX_EXIT_SYSCALL || r->rip / SBX_PAGE ==
	    SBX_SYS_SYSCALL / SBX_PAGE) {
		/* SYSCALL has put them there (SDM vol. 2) */
		r->rip = r->rcx;
		r->rflags = r->r11;
	} else if (r->rip / SBX_PAGE == SBX_SYS_FAULT / SBX_PAGE &&
	    !SBX_Machine_Frame(m, frame)) {
		r->rip = frame[2];
		r->rflags = frame[4];
		r->rsp = frame[5];
	}
}
