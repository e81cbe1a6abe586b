/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * kvm.c: /dev/kvm and its capabilities; the CPU that guests are shown.
 */

#include "config.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/kvm.h"
#include "machine/probe.h"
#include "machine/watchdog.h"

/* Control register 4 (SDM vol. 3, 2.5) */
#define CR4_PAE			(UINT64_C(1) << 5)
#define CR4_OSFXSR		(UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT		(UINT64_C(1) << 10)
#define CR4_UMIP		(UINT64_C(1) << 11)
#define CR4_FSGSBASE		(UINT64_C(1) << 16)
#define CR4_OSXSAVE		(UINT64_C(1) << 18)
#define CR4_SMEP		(UINT64_C(1) << 20)
#define CR4_SMAP		(UINT64_C(1) << 21)

/* XCR0: x87, SSE, AVX, AVX-512 (three) and PKRU. Not MPX, which is gone, and
 * not AMX, whose 8 KB of tiles would have to be loaded for each request. */
#define XCR0_WANTED		UINT64_C(0x2e7)

static struct sbx_kvm *kvm_the;		/* CLI thread only */
static unsigned kvm_refs;

static const struct kvm_needs {
	int			cap;
	int			min;
	const char		*what;
} kvm_needs[] = {
	{ KVM_CAP_USER_MEMORY, 1, "user memory" },
	{ KVM_CAP_IMMEDIATE_EXIT, 1, "immediate exit (Linux 4.13)" },
	{ KVM_CAP_SYNC_REGS, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS,
	    "sync regs (Linux 4.17)" },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, 1,
	    "manual dirty log protection (Linux 5.2)" },
	{ KVM_CAP_XCRS, 1, "XCRS" },
	{ KVM_CAP_XSAVE, 1, "XSAVE" },
};

static int
kvm_device(struct sbx_kvm *kvm, struct sbx_err *err)
{
	int v;

	kvm->fd = sbx_os.open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm->fd < 0 && (errno == ENOENT || errno == ENODEV ||
	    errno == ENXIO))
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "This host has no /dev/kvm, or the service or container "
		    "hides it; load kvm_intel or kvm_amd, switch on nested "
		    "virtualisation if it is a VM itself, or see "
		    "PrivateDevices= and --device"));
	/* a device control group says so */
	if (kvm->fd < 0 && errno == EPERM)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "The service or container that varnishd is in may not use "
		    "/dev/kvm; see DeviceAllow= and --device"));
	if (kvm->fd < 0 && errno == EACCES)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "The varnishd worker may not open /dev/kvm; add its user "
		    "(vcache) to the group kvm"));
	if (kvm->fd < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "Cannot open /dev/kvm"));
	v = sbx_os.ioctl(kvm->fd, KVM_GET_API_VERSION, NULL);
	if (v != KVM_API_VERSION)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, v < 0 ? errno : 0,
		    "/dev/kvm does not speak KVM API %d", KVM_API_VERSION));
	v = sbx_os.ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (v < (int)sizeof(struct kvm_run))
		return (SBX_Err_Set(err, SBX_FAIL_HOST, v < 0 ? errno : 0,
		    "KVM_GET_VCPU_MMAP_SIZE: %d", v));
	kvm->run_size = (size_t)v;
	return (0);
}

static int
kvm_caps(struct sbx_kvm *kvm, struct sbx_err *err)
{
	const struct kvm_needs *n;
	size_t i;
	int v;

	for (i = 0; i < sizeof kvm_needs / sizeof *kvm_needs; i++) {
		n = &kvm_needs[i];
		v = sbx_os.ioctl(kvm->fd, KVM_CHECK_EXTENSION,
		    (void *)(intptr_t)n->cap);
		if (v < 0 || (v & n->min) != n->min)
			return (SBX_Err_Set(err, SBX_FAIL_HOST, 0,
			    "This host's KVM is too old: it has no %s",
			    n->what));
	}
	v = sbx_os.ioctl(kvm->fd, KVM_CHECK_EXTENSION,
	    (void *)(intptr_t)KVM_CAP_XSAVE2);
	kvm->xsave2 = v > (int)sizeof(struct kvm_xsave) ? v : 0;
	return (0);
}

/*
 * The policy for CPUID: what the host's KVM supports, less what the guest can
 * not use (no APIC, no monitor, no performance counters, no protection keys,
 * no AMX, no SGX, no control-flow enforcement) and less all that tells of KVM.
 */
static void
kvm_cpuid_leaf(struct kvm_cpuid_entry2 *e)
{

	switch (e->function) {
	case 1:
		/* DTES64, MONITOR, DS-CPL, VMX, SMX, PDCM, x2APIC, deadline
		 * timer, hypervisor; the rest stays */
		e->ecx &= ~(0x7cu | 1u << 15 | 1u << 21 | 1u << 24 | 1u << 31);
		break;
	case 5:
	case 0xa:
	case 0x12:
		e->eax = e->ebx = e->ecx = e->edx = 0;
		break;
	case 7:
		if (e->index != 0)
			break;
		/* SGX, MPX */
		e->ebx &= ~(1u << 2 | 1u << 14);
		/* PKU, OSPKE, WAITPKG, shadow stack, LA57, bus lock, SGX
		 * launch control, PKS */
		e->ecx &= ~(1u << 3 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 16 |
		    1u << 24 | 1u << 30 | 1u << 31);
		/* AMX, indirect branch tracking */
		e->edx &= ~(1u << 20 | 1u << 22 | 1u << 24 | 1u << 25);
		break;
	case 0x80000001:
		e->ecx &= ~(1u << 2);		/* SVM */
		break;
	default:
		break;
	}
}

/*
 * Platform P's KVM leaves out what ring 3 uses all the same, natively, and
 * refuses the control register bits for it unless CPUID has them: XSAVE and
 * AVX (leaf 1), FSGSBASE (leaf 7).
 */
static void
kvm_cpuid_native(struct kvm_cpuid_entry2 *e)
{
	uint32_t a, b, c, d;

	if (e->function == 1 && __get_cpuid(1, &a, &b, &c, &d))
		e->ecx |= c & (1u << 26 | 1u << 28);
	if (e->function == 7 && e->index == 0 &&
	    __get_cpuid_count(7, 0, &a, &b, &c, &d))
		e->ebx |= b & 1u;
}

static int
kvm_cpuid(struct sbx_kvm *kvm, struct sbx_err *err)
{
	struct kvm_cpuid2 *c;
	unsigned i, n;

	c = sbx_os.calloc(1, sizeof *c +
	    SBX_KVM_CPUID_MAX * sizeof *c->entries);
	if (c == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "CPUID"));
	kvm->cpuid = c;
	c->nent = SBX_KVM_CPUID_MAX;
	if (sbx_os.ioctl(kvm->fd, KVM_GET_SUPPORTED_CPUID, c) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_GET_SUPPORTED_CPUID"));
	for (i = n = 0; i < c->nent; i++) {
		if (c->entries[i].function >> 16 == 0x4000)
			continue;
		c->entries[n] = c->entries[i];
		kvm_cpuid_native(&c->entries[n]);
		kvm_cpuid_leaf(&c->entries[n++]);
	}
	c->nent = n;
	return (0);
}

static uint32_t
kvm_cpuid_reg(const struct sbx_kvm *kvm, uint32_t leaf, int reg)
{
	const struct kvm_cpuid_entry2 *e;
	unsigned i;

	for (i = 0; i < kvm->cpuid->nent; i++) {
		e = &kvm->cpuid->entries[i];
		if (e->function == leaf && e->index == 0)
			return (reg == 0 ? e->eax : reg == 1 ? e->ebx :
			    reg == 2 ? e->ecx : e->edx);
	}
	return (0);
}

static int
kvm_cpu(struct sbx_kvm *kvm, struct sbx_err *err)
{
	uint32_t ebx7, ecx7;

	ebx7 = kvm_cpuid_reg(kvm, 7, 1);
	ecx7 = kvm_cpuid_reg(kvm, 7, 2);
	if (!(kvm_cpuid_reg(kvm, 1, 2) & 1u << 26) || !(ebx7 & 1u))
		return (SBX_Err_Set(err, SBX_FAIL_HOST, 0,
		    "This host's CPU has no XSAVE or no FSGSBASE; one made "
		    "after 2013 (Intel) or 2014 (AMD) is needed"));
	kvm->xcr0 = (kvm_cpuid_reg(kvm, 0xd, 0) |
	    (uint64_t)kvm_cpuid_reg(kvm, 0xd, 3) << 32) & XCR0_WANTED;
	/* AVX-512 comes as three bits or not at all */
	if ((kvm->xcr0 & 0xe0) != 0xe0)
		kvm->xcr0 &= ~UINT64_C(0xe0);
	kvm->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE |
	    CR4_FSGSBASE;
	if (ebx7 & 1u << 7)
		kvm->cr4 |= CR4_SMEP;
	if (ebx7 & 1u << 20)
		kvm->cr4 |= CR4_SMAP;
	if (ecx7 & 1u << 2)
		kvm->cr4 |= CR4_UMIP;
	return (0);
}

static void
kvm_free(struct sbx_kvm **kvmp)
{
	struct sbx_kvm *kvm;

	TAKE_OBJ_NOTNULL(kvm, kvmp, SBX_KVM_MAGIC);
	if (kvm->fd >= 0)
		SBX_Os_CloseFd(&kvm->fd);
	free(kvm->cpuid);
	FREE_OBJ(kvm);
}

int
SBX_Kvm_Open(struct sbx_kvm **kvmp, struct sbx_err *err)
{
	struct sbx_kvm *kvm;

	AN(kvmp);
	AZ(*kvmp);
	AN(err);
	if (kvm_the != NULL) {
		kvm_refs++;
		*kvmp = kvm_the;
		return (0);
	}
	SBX_ALLOC_OBJ(kvm, SBX_KVM_MAGIC);
	if (kvm == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "KVM"));
	kvm->fd = -1;
	kvm->tsc_offset = -1;
	if (kvm_device(kvm, err) || kvm_caps(kvm, err) ||
	    kvm_cpuid(kvm, err) || kvm_cpu(kvm, err) ||
	    SBX_Watchdog_Start(err)) {
		kvm_free(&kvm);
		return (-1);
	}
	if (SBX_Probe(kvm, err)) {
		SBX_Watchdog_Stop();
		kvm_free(&kvm);
		return (-1);
	}
	kvm_the = kvm;
	kvm_refs = 1;
	*kvmp = kvm;
	return (0);
}

void
SBX_Kvm_Close(struct sbx_kvm **kvmp)
{
	struct sbx_kvm *kvm;

	TAKE_OBJ_NOTNULL(kvm, kvmp, SBX_KVM_MAGIC);
	assert(kvm == kvm_the);
	assert(kvm_refs > 0);
	if (--kvm_refs > 0)
		return;
	kvm_the = NULL;
	SBX_Watchdog_Stop();
	kvm_free(&kvm);
}
