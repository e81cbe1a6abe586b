/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What an x86-64 CPU needs in order to run ring 3 and come back.
 */

#ifndef SBX_X86_64_H_INCLUDED
#define SBX_X86_64_H_INCLUDED

#include <stdint.h>

#include <linux/kvm.h>

/* What ring 3 may have in RFLAGS: CF, PF, AF, ZF, SF, DF, OF, AC, ID. IF is
 * set, as under Linux, although there is nothing that could interrupt. */
#define SBX_RFLAGS_USER		UINT64_C(0x240cd5)
#define SBX_RFLAGS_FIXED	UINT64_C(0x202)

struct sbx_err;
struct sbx_kvm;
struct sbx_machine;
struct sbx_paging;

/*
 * Write descriptor tables, stubs and trampoline to their pages (layout.h) and
 * map these, as the platform needs it.
 */
int SBX_X86_Install(const struct sbx_kvm *, struct sbx_paging *,
    struct sbx_err *err);

/* Give a new vCPU everything that ring 3 can not change: CPUID, MSRs, XCR0,
 * control registers, descriptor tables. It stands in ring 3 afterwards. */
int SBX_X86_Setup(struct sbx_machine *, struct sbx_err *err);

/* RFLAGS that ring 3 may have. */
static inline uint64_t
SBX_X86_Rflags(uint64_t rflags)
{

	return ((rflags & SBX_RFLAGS_USER) | SBX_RFLAGS_FIXED);
}

/* Change (sregs) to ring 0 for our own code, flat segments. */
void SBX_X86_Ring0(struct kvm_sregs *);

/* Change (sregs) to ring 3, where a program's code runs. */
void SBX_X86_Ring3(struct kvm_sregs *);

#endif
