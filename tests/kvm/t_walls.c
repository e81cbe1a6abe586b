/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What keeps a guest where it is, as KVM has it: page tables, control
 * registers, CPUID. Of programs of different kinds, and of a VM that has
 * served a request.
 */

#include "config.h"

#include <linux/kvm.h>
#include <stdlib.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "machine/kvm.h"
#include "machine/paging.h"
#include "pool/vm_priv.h"
#include "test.h"

#define CR0_WP			(UINT64_C(1) << 16)
#define CR4_UMIP		(UINT64_C(1) << 11)
#define CR4_SMEP		(UINT64_C(1) << 20)
#define CR4_SMAP		(UINT64_C(1) << 21)
#define EFER_NXE		(UINT64_C(1) << 11)

static struct sbx_err err;

/*--------------------------------------------------------------------
 * Page tables: every leaf, with the rights of the entries above it.
 */

struct walls {
	const struct sbx_vm	*vm;
	uint64_t		tables_end;
	unsigned		n_user, n_code, n_write, n_host;
	unsigned		bad;
};

/* The host's pages that ring 3 may see. */
static int
walls_is_shown(const struct walls *w, uint64_t pa)
{

	switch (pa) {
	case SBX_SYS_ENTRY:
	case SBX_SYS_ENTRY_DATA:
	case SBX_SYS_VDSO:
	case SBX_SYS_SWITCH_DATA:
		return (1);
	case SBX_SYS_SYSCALL:
		return (w->vm->img->kvm->platform == SBX_PLATFORM_P);
	default:
		return (0);
	}
}

static void
walls_leaf(struct walls *w, uint64_t va, uint64_t e)
{
	uint64_t pa = e & SBX_PTE_ADDR;
	int bad = 0;

	if (!(e & SBX_PTE_U))
		return;
	w->n_user++;
	w->n_code += !(e & SBX_PTE_NX);
	w->n_write += !!(e & SBX_PTE_W);
	bad |= (e & SBX_PTE_W) && !(e & SBX_PTE_NX);
	bad |= pa >= w->vm->img->size;
	bad |= pa >= SBX_SYS_END && pa < w->tables_end;
	bad |= va >= SBX_GVA_USER_END;
	if (pa < SBX_SYS_END) {
		w->n_host++;
		bad |= (e & SBX_PTE_W) || !walls_is_shown(w, pa);
		bad |= va != pa;
	}
	if (bad && w->bad++ < 10)
		fprintf(stderr, "0x%jx: entry 0x%jx\n", (uintmax_t)va,
		    (uintmax_t)e);
}

static void
walls_walk(struct walls *w, uint64_t table, int shift, uint64_t va,
    uint64_t above)
{
	const uint64_t rights = SBX_PTE_U | SBX_PTE_W;
	uint64_t e, to;
	unsigned u;

	CHECK(table >= SBX_SYS_END && table < w->tables_end);
	for (u = 0; u < 512; u++) {
		memcpy(&e, (const uint8_t *)w->vm->mem + table + u * sizeof e,
		    sizeof e);
		if (!(e & SBX_PTE_P))
			continue;
		to = va | (uint64_t)u << shift;
		/* what is not allowed above is not allowed below */
		e &= ~rights | above;
		if (shift > 12)
			walls_walk(w, e & SBX_PTE_ADDR, shift - 9, to,
			    e & rights);
		else
			walls_leaf(w, to, e);
	}
}

static void
walls_tables(const struct sbx_vm *vm)
{
	struct walls w;

	memset(&w, 0, sizeof w);
	w.vm = vm;
	w.tables_end = SBX_SYS_END + SBX_Paging_Room(vm->img->size);
	walls_walk(&w, SBX_SYS_END, 39, 0, SBX_PTE_U | SBX_PTE_W);
	CHECK_EQ(w.bad, 0);
	CHECK(w.n_code > 0);
	CHECK(w.n_write > 100);
	CHECK(w.n_host >= 3);
	CHECK(w.n_user > w.n_code + w.n_write);
	printf("  %u pages of ring 3's, %u code, %u to be written to\n",
	    w.n_user, w.n_code, w.n_write);
}

/*--------------------------------------------------------------------
 * The CPU
 */

static struct {
	struct kvm_cpuid2	c;
	struct kvm_cpuid_entry2	e[256];
} walls_leaves;

static void
walls_ask(int fd, unsigned long nr)
{

	/* KVM_GET_CPUID2 of older kernels does not say how many there are */
	memset(&walls_leaves, 0, sizeof walls_leaves);
	walls_leaves.c.nent = 256;
	AZ(sbx_os_real.ioctl(fd, nr, &walls_leaves));
	CHECK(walls_leaves.c.nent > 5);
}

/* On, where the host's KVM has them. What it says of a vCPU is no measure:
 * platform P's adds what the host's CPU has. */
static void
walls_control(const struct sbx_vm *vm)
{
	const struct kvm_cpuid_entry2 *e = walls_leaves.e;
	struct kvm_sregs s;
	uint32_t ebx7, ecx7;

	walls_ask(vm->img->kvm->fd, KVM_GET_SUPPORTED_CPUID);
	while (e->function != 7 || e->index != 0)
		e++;
	ebx7 = e->ebx;
	ecx7 = e->ecx;
	AZ(sbx_os_real.ioctl(vm->m->vcpu_fd, KVM_GET_SREGS, &s));
	CHECK(s.cr0 & CR0_WP);
	CHECK(s.efer & EFER_NXE);
	CHECK_EQ(!!(s.cr4 & CR4_SMEP), ebx7 >> 7 & 1);
	CHECK_EQ(!!(s.cr4 & CR4_SMAP), ebx7 >> 20 & 1);
	CHECK_EQ(!!(s.cr4 & CR4_UMIP), ecx7 >> 2 & 1);
}

/* As doc/threat-model.rst has it. */
static void
walls_cpuid(const struct sbx_vm *vm)
{
	const struct kvm_cpuid_entry2 *e;
	unsigned u;

	walls_ask(vm->m->vcpu_fd, KVM_GET_CPUID2);
	for (u = 0; u < walls_leaves.c.nent; u++) {
		e = &walls_leaves.e[u];
		CHECK_EQ(e->function >> 16 == 0x4000 ? e->function : 0, 0);
		switch (e->function) {
		case 1:
			/* MONITOR, VMX, SMX, PDCM, x2APIC, deadline, KVM */
			CHECK_EQ(e->ecx & (1u << 3 | 1u << 5 | 1u << 6 |
			    1u << 15 | 1u << 21 | 1u << 24 | 1u << 31), 0);
			break;
		case 5:
		case 0xa:
		case 0x12:
			CHECK_EQ(e->eax | e->ebx | e->ecx | e->edx, 0);
			break;
		case 7:
			if (e->index != 0)
				break;
			/* SGX, MPX; protection keys, shadow stacks; AMX */
			CHECK_EQ(e->ebx & (1u << 2 | 1u << 14), 0);
			CHECK_EQ(e->ecx & (1u << 3 | 1u << 4 | 1u << 7 |
			    1u << 31), 0);
			CHECK_EQ(e->edx & (1u << 20 | 1u << 22 | 1u << 24 |
			    1u << 25), 0);
			break;
		case 0x80000001:
			CHECK_EQ(e->ecx & 1u << 2, 0);
			break;
		default:
			break;
		}
	}
}

/*--------------------------------------------------------------------*/

static void
walls(const char *path, const char *url)
{
	struct sbx_program *prg;
	struct sbx_vm *vm;

	prg = Kvm_OpenOne(path);
	vm = Kvm_Borrow(prg, &err);
	walls_tables(vm);
	walls_cpuid(vm);
	walls_control(vm);
	CHECK_EQ(Kvm_Serve(vm, url, &err), 200);
	walls_tables(vm);
	walls_cpuid(vm);
	walls_control(vm);
	SBX_Pool_Put(SBX_Program_Pool(prg), &vm);
	Kvm_Close(&prg);
}

static void
programs(void)
{

	walls(Kvm_Example("hello"), "/");
	walls(Kvm_Guest("pthreads"), "/pool");
}

/* A program that has changed rights, and one that has reserved and used much
 * of what is far away. */
static void
changed(void)
{

	walls(Kvm_Guest("storm"), "/rights?n=100");
	walls(Kvm_Guest("residue"), "/fill");
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(240);
	TEST(programs);
	TEST(changed);
	TEST_END();
}
