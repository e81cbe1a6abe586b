/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * probe.c: finding out about the platform.
 *
 * A few instructions make system calls in a loop. First as on hardware: the
 * stub belongs to ring 0, and the call arrives there. On platform P it
 * arrives in ring 3, which must not execute that page, and faults: then
 * again, with the stub open to ring 3.
 */

#include "config.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/kvm.h"
#include "machine/machine.h"
#include "machine/paging.h"
#include "machine/probe.h"
#include "machine/watchdog.h"
#include "machine/x86_64.h"

#define PROBE_MEM		(4u << 20)
#define PROBE_CODE		0x400000
#define PROBE_ROUNDS		3
#define PROBE_TIMEOUT		INT64_C(5000000000)

/* 1: rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %rdi; syscall; jmp 1b */
static const uint8_t probe_code[] = {
	0x0f, 0x31, 0x48, 0xc1, 0xe2, 0x20, 0x48, 0x09, 0xd0,
	0x48, 0x89, 0xc7, 0x0f, 0x05, 0xeb, 0xf0
};

struct probe {
	unsigned		magic;
#define PROBE_MAGIC		0x19d4e0c7
	struct sbx_kvm		*kvm;
	void			*mem;
	struct sbx_machine	*m;
	enum sbx_exit_e		exit;
	int64_t			ns;		/* the last Run took */
	struct sbx_err		*err;
};

static int
probe_build(struct probe *p)
{
	struct sbx_gmem gm;
	struct sbx_paging pg;
	uint64_t room = SBX_Paging_Room(PROBE_MEM);
	sbx_gpa_t code = { SBX_SYS_END + room };
	int i = -1;

	p->mem = sbx_os.mmap(NULL, PROBE_MEM, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p->mem == MAP_FAILED) {
		p->mem = NULL;
		return (SBX_Err_Set(p->err, SBX_FAIL_HOST, errno, "mmap"));
	}
	if (SBX_Gmem_Init(&gm, p->mem, PROBE_MEM))
		(void)SBX_Err_Set(p->err, SBX_FAIL_HOST, ENOMEM, "memory");
	else if (!SBX_Paging_Init(&pg, &gm, room, p->err) &&
	    !SBX_X86_Install(p->kvm, &pg, p->err)) {
		memcpy(SBX_Gmem_Phys(&gm, code, SBX_PAGE), probe_code,
		    sizeof probe_code);
		i = SBX_Paging_Map(&pg, (sandbox_gva_t){ PROBE_CODE }, code,
		    SBX_PAGE, SBX_MAP_USER | SBX_MAP_EXEC, p->err);
	}
	SBX_Gmem_Fini(&gm);
	if (i == 0)
		i = SBX_Machine_New(p->kvm, p->mem, PROBE_MEM, &p->m, p->err);
	return (i);
}

static void
probe_fini(struct probe *p)
{

	if (p->m != NULL)
		SBX_Machine_Destroy(&p->m);
	if (p->mem != NULL)
		AZ(sbx_os.munmap(p->mem, PROBE_MEM));
	p->mem = NULL;
}

static void *
probe_run(void *priv)
{
	struct probe *p;
	int64_t t;

	CAST_OBJ_NOTNULL(p, priv, PROBE_MAGIC);
	t = SBX_Os_Mono();
	SBX_Watchdog_Arm(p->m, t + PROBE_TIMEOUT);
	p->exit = SBX_Machine_Run(p->m, p->err);
	SBX_Watchdog_Disarm(p->m);
	p->ns = SBX_Os_Mono() - t;
	return (NULL);
}

/* Run as on (platform). Returns 1 if that is what it is, 0 if not. */
static int
probe_platform(struct probe *p, enum sbx_platform_e platform)
{
	struct kvm_sregs s;

	p->kvm->platform = platform;
	if (probe_build(p))
		return (-1);
	SBX_Machine_Boot(p->m, PROBE_CODE, 0);
	(void)probe_run(p);
	if (p->exit == SBX_EXIT_KICKED)
		return (SBX_Err_Set(p->err, SBX_FAIL_HOST, 0,
		    "KVM does not come back from a VM"));
	if (p->exit != SBX_EXIT_SYSCALL)
		return (0);
	if (sbx_os.ioctl(p->m->vcpu_fd, KVM_GET_SREGS, &s) < 0)
		return (SBX_Err_Set(p->err, SBX_FAIL_HOST, errno,
		    "KVM_GET_SREGS"));
	return ((s.cs.selector & 3) ==
	    (platform == SBX_PLATFORM_P ? 3 : 0));
}

/*
 * How long a Run takes on a thread that is not the last one's: the best of
 * some rounds, the first thread being this one each time.
 */
static int
probe_move(struct probe *p, int64_t *best)
{
	pthread_t thr;
	int i, e;

	*best = INT64_MAX;
	for (i = 0; i < PROBE_ROUNDS; i++) {
		SBX_Machine_Return(p->m, 0);
		(void)probe_run(p);
		SBX_Machine_Return(p->m, 0);
		e = sbx_os.pthread_create(&thr, NULL, probe_run, p);
		if (e != 0)
			return (SBX_Err_Set(p->err, SBX_FAIL_HOST, e,
			    "thread"));
		AZ(pthread_join(thr, NULL));
		if (p->exit != SBX_EXIT_SYSCALL)
			return (SBX_Err_Set(p->err, SBX_FAIL_HOST, 0,
			    "a vCPU does not run on another thread"));
		if (p->ns < *best)
			*best = p->ns;
	}
	return (0);
}

/*
 * Whether guests see the host's time stamp counter, one that runs at a steady
 * rate. The rate is rounded down by 1/2048, about as much as NTP may slow the
 * host's clock down (500 ppm), so that a guest's clock is never ahead.
 */
static int
probe_tsc(struct probe *p)
{
	uint32_t a, b, c, d;
	uint64_t t, mult;
	int i, khz;

	if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || !(d & 1u << 8))
		return (0);
	for (i = 0; i < PROBE_ROUNDS; i++) {
		SBX_Machine_Return(p->m, 0);
		t = __rdtsc();
		(void)probe_run(p);
		if (p->exit != SBX_EXIT_SYSCALL)
			return (SBX_Err_Set(p->err, SBX_FAIL_HOST, 0,
			    "a VM does not go on after a system call"));
		if (SBX_Machine_Regs(p->m)->rdi < t ||
		    SBX_Machine_Regs(p->m)->rdi > __rdtsc())
			return (0);
	}
	khz = sbx_os.ioctl(p->m->vcpu_fd, KVM_GET_TSC_KHZ, NULL);
	if (khz < 100000)
		return (0);
	mult = (UINT64_C(1000000) << 32) / (unsigned)khz;
	p->kvm->tsc_mult = mult - mult / 2048;
	return (0);
}

static int
probe_all(struct probe *p)
{
	int64_t ns;
	const char *e;
	int i;

	i = probe_platform(p, SBX_PLATFORM_H);
	if (i == 0) {
		probe_fini(p);
		SBX_Err_Clear(p->err);
		i = probe_platform(p, SBX_PLATFORM_P);
	}
	if (i < 0)
		return (-1);
	if (i == 0)
		return (SBX_Err_Set(p->err, SBX_FAIL_HOST, 0,
		    "this KVM runs system calls in no way that we know"));
	if (probe_tsc(p) || probe_move(p, &ns))
		return (-1);
	p->kvm->runner = ns > SBX_KVM_MOVE_MAX;
	e = getenv("SBX_RUNNER");
	if (e != NULL)
		p->kvm->runner = !strcmp(e, "1");
	return (0);
}

int
SBX_Probe(struct sbx_kvm *kvm, struct sbx_err *err)
{
	struct probe p;
	int i;

	CHECK_OBJ_NOTNULL(kvm, SBX_KVM_MAGIC);
	INIT_OBJ(&p, PROBE_MAGIC);
	p.kvm = kvm;
	p.err = err;
	i = probe_all(&p);
	probe_fini(&p);
	if (i)
		(void)SBX_Err_Wrap(err, "cannot run a VM on this host");
	return (i);
}
