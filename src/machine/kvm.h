/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's KVM: opened once for the process, and what it can do.
 */

#ifndef SBX_KVM_H_INCLUDED
#define SBX_KVM_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

struct sbx_err;

/*
 * The two kinds of KVM (doc/design.rst). Found by running a VM, never from a
 * name.
 */
enum sbx_platform_e {
	SBX_PLATFORM_P = 1,	/* SYSCALL stays in ring 3 (kvm_pvm) */
	SBX_PLATFORM_H,		/* SYSCALL enters ring 0 (VT-x, SVM) */
};

#define SBX_KVM_CPUID_MAX	256

struct sbx_kvm {
	unsigned		magic;
#define SBX_KVM_MAGIC		0x35c8d0a1
	int			fd;		/* /dev/kvm */
	size_t			run_size;	/* of struct kvm_run, mapped */
	int			xsave2;		/* bytes, 0: no such ioctl */
	uint64_t		xcr0;		/* what guests get */
	uint64_t		cr4;		/* what guests get */
	struct kvm_cpuid2	*cpuid;		/* what guests get */

	/* What the probe found out. */
	enum sbx_platform_e	platform;
	int			runner;		/* a vCPU needs its thread */
	int			tsc_offset;	/* can be set: 1, 0, -1: ? */
	uint64_t		tsc_mult;	/* ns a tick, times 2^32; 0:
						 * guests have another TSC */
};

/* If a run on another thread than the last one's costs more than this many
 * nanoseconds, that is worth a thread per VM (12 ms were seen on Linux 6.1,
 * under 0.1 ms on 6.18). */
#define SBX_KVM_MOVE_MAX	1000000

/*
 * Open /dev/kvm, check what it can do and run the probe; or take a reference
 * if that was done before. Returns -1 and fills (err) with what is missing and
 * what to do about it. CLI thread only, as is Close.
 */
int SBX_Kvm_Open(struct sbx_kvm **, struct sbx_err *err);
void SBX_Kvm_Close(struct sbx_kvm **);

#endif
