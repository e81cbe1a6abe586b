/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * x86_64.c: descriptors, control registers, MSRs.
 */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/kvm.h"
#include "machine/machine.h"
#include "machine/paging.h"
#include "machine/x86_64.h"

extern const uint8_t sbx_stub_syscall[], sbx_stub_syscall_end[];
extern const uint8_t sbx_stub_fault[], sbx_stub_fault_end[];
extern const uint8_t sbx_stub_entry[], sbx_stub_entry_end[];

/* Descriptors (SDM vol. 3, 3.4.5): present, accessed, long mode. */
#define DESC_KCODE		UINT64_C(0x00af9b000000ffff)
#define DESC_KDATA		UINT64_C(0x00cf93000000ffff)
#define DESC_UDATA		UINT64_C(0x00cff3000000ffff)
#define DESC_UCODE		UINT64_C(0x00affb000000ffff)
#define GDT_ENTRIES		10

#define TSS_IST1		36	/* offset of the first IST entry */
#define TSS_RSP0		4
#define TSS_IOMAP_BASE		102
#define TSS_IOMAP		104
/* the map ends behind port 255; then comes the byte of ones that the CPU
 * asks for (SDM vol. 1, 19.5.2) */
#define TSS_SIZE		(TSS_IOMAP + 256 / 8 + 1)

#define EFER_SCE		(UINT64_C(1) << 0)
#define EFER_LME		(UINT64_C(1) << 8)
#define EFER_LMA		(UINT64_C(1) << 10)
#define EFER_NXE		(UINT64_C(1) << 11)

/* PE, MP, ET, NE, WP, AM, PG */
#define CR0_VALUE		UINT64_C(0x80050033)

#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_FMASK		0xc0000084
#define MSR_KERNEL_GS		0xc0000102
/* TF, IF, DF, IOPL, NT, RF, AC: nothing of ring 3's in the stub */
#define FMASK_VALUE		UINT64_C(0x57700)

static void
x86_gdt(uint64_t *gdt)
{
	uint64_t base = SBX_SYS_TSS, limit = TSS_SIZE - 1;

	memset(gdt, 0, SBX_PAGE);
	gdt[SBX_SEL_KCODE / 8] = DESC_KCODE;
	gdt[SBX_SEL_KDATA / 8] = DESC_KDATA;
	gdt[SBX_SEL_UDATA / 8] = DESC_UDATA;
	gdt[SBX_SEL_UCODE / 8] = DESC_UCODE;
	/* busy 64-bit TSS */
	gdt[SBX_SEL_TSS / 8] = limit | (base & 0xffffff) << 16 |
	    UINT64_C(0x8b) << 40 | (base >> 24 & 0xff) << 56;
	gdt[SBX_SEL_TSS / 8 + 1] = base >> 32;
}

static void
x86_idt(uint64_t *idt)
{
	uint64_t entry;
	unsigned v;

	memset(idt, 0, SBX_PAGE);
	for (v = 0; v < SBX_FAULT_VECTORS; v++) {
		entry = SBX_SYS_FAULT + v * SBX_FAULT_STRIDE;
		/* Present, interrupt gate, IST 1. DPL 0, or any INT would look
		 * like the exception; but INT3, which has an opcode of its
		 * own, so that a breakpoint is called that on hardware too. */
		idt[v * 2] = (entry & 0xffff) | SBX_SEL_KCODE << 16 |
		    UINT64_C(1) << 32 |
		    (v == 3 ? UINT64_C(0xee) : UINT64_C(0x8e)) << 40 |
		    (entry >> 16 & 0xffff) << 48;
		idt[v * 2 + 1] = entry >> 32;
	}
}

/*
 * On platform P the stub's OUT runs in ring 3, so its one port is opened. On
 * hardware no port is.
 */
static void
x86_tss(const struct sbx_kvm *kvm, uint8_t *tss)
{
	uint64_t stack = SBX_SYS_STACK + SBX_PAGE;
	uint16_t iomap = TSS_IOMAP;

	memset(tss, 0, SBX_PAGE);
	memcpy(tss + TSS_RSP0, &stack, sizeof stack);
	memcpy(tss + TSS_IST1, &stack, sizeof stack);
	memcpy(tss + TSS_IOMAP_BASE, &iomap, sizeof iomap);
	memset(tss + TSS_IOMAP, 0xff, TSS_SIZE - TSS_IOMAP);
	if (kvm->platform == SBX_PLATFORM_P)
		tss[TSS_IOMAP + SBX_PORT_SYSCALL / 8] &=
		    (uint8_t)~(1u << SBX_PORT_SYSCALL % 8);
}

int
SBX_X86_Install(const struct sbx_kvm *kvm, struct sbx_paging *pg,
    struct sbx_err *err)
{
	struct {
		uint64_t	at;
		unsigned	flags;
		const uint8_t	*b, *e;
	} pages[] = {
		{ SBX_SYS_GDT, 0, NULL, NULL },
		{ SBX_SYS_IDT, 0, NULL, NULL },
		{ SBX_SYS_TSS, 0, NULL, NULL },
		{ SBX_SYS_SYSCALL, SBX_MAP_EXEC |
		    (kvm->platform == SBX_PLATFORM_P ? SBX_MAP_USER : 0),
		    sbx_stub_syscall, sbx_stub_syscall_end },
		{ SBX_SYS_FAULT, SBX_MAP_EXEC,
		    sbx_stub_fault, sbx_stub_fault_end },
		{ SBX_SYS_STACK, SBX_MAP_WRITE, NULL, NULL },
		{ SBX_SYS_ENTRY, SBX_MAP_EXEC | SBX_MAP_USER,
		    sbx_stub_entry, sbx_stub_entry_end },
		{ SBX_SYS_ENTRY_DATA, SBX_MAP_USER, NULL, NULL },
		{ SBX_SYS_SWITCH_DATA, SBX_MAP_USER, NULL, NULL },
		{ SBX_SYS_EDITS, SBX_MAP_WRITE, NULL, NULL },
	};
	size_t i;
	void *p;

	CHECK_OBJ_NOTNULL(kvm, SBX_KVM_MAGIC);
	CHECK_OBJ_NOTNULL(pg, SBX_PAGING_MAGIC);
	for (i = 0; i < sizeof pages / sizeof *pages; i++) {
		p = SBX_Gmem_Phys(pg->gmem, (sbx_gpa_t){ pages[i].at },
		    SBX_PAGE);
		if (pages[i].b != NULL) {
			assert(pages[i].e - pages[i].b <= SBX_PAGE);
			memcpy(p, pages[i].b,
			    (size_t)(pages[i].e - pages[i].b));
		} else if (pages[i].at == SBX_SYS_GDT)
			x86_gdt(p);
		else if (pages[i].at == SBX_SYS_IDT)
			x86_idt(p);
		else if (pages[i].at == SBX_SYS_TSS)
			x86_tss(kvm, p);
		if (SBX_Paging_Map(pg, (sandbox_gva_t){ pages[i].at },
		    (sbx_gpa_t){ pages[i].at }, SBX_PAGE, pages[i].flags, err))
			return (-1);
	}
	return (0);
}

static void
x86_code(struct kvm_segment *s, unsigned sel, unsigned dpl)
{

	memset(s, 0, sizeof *s);
	s->limit = 0xffffffff;
	s->selector = (uint16_t)sel;
	s->type = 11;
	s->present = 1;
	s->dpl = (uint8_t)dpl;
	s->s = 1;
	s->l = 1;
	s->g = 1;
}

static void
x86_data(struct kvm_segment *s, unsigned sel, unsigned dpl)
{

	x86_code(s, sel, dpl);
	s->type = 3;
	s->l = 0;
	s->db = 1;
}

static void
x86_null(struct kvm_segment *s)
{

	memset(s, 0, sizeof *s);
	s->unusable = 1;
}

void
SBX_X86_Ring0(struct kvm_sregs *s)
{

	x86_code(&s->cs, SBX_SEL_KCODE, 0);
	x86_data(&s->ss, SBX_SEL_KDATA, 0);
}

void
SBX_X86_Ring3(struct kvm_sregs *s)
{

	x86_code(&s->cs, SBX_SEL_UCODE, 3);
	x86_data(&s->ss, SBX_SEL_UDATA, 3);
}

static int
x86_sregs(struct sbx_machine *m, struct sbx_err *err)
{
	struct kvm_sregs s;

	if (sbx_os.ioctl(m->vcpu_fd, KVM_GET_SREGS, &s) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_GET_SREGS"));
	SBX_X86_Ring3(&s);
	x86_null(&s.ds);
	x86_null(&s.es);
	x86_null(&s.fs);
	x86_null(&s.gs);
	x86_null(&s.ldt);
	memset(&s.tr, 0, sizeof s.tr);
	s.tr.base = SBX_SYS_TSS;
	s.tr.limit = TSS_SIZE - 1;
	s.tr.selector = SBX_SEL_TSS;
	s.tr.type = 11;
	s.tr.present = 1;
	s.gdt.base = SBX_SYS_GDT;
	s.gdt.limit = GDT_ENTRIES * 8 - 1;
	s.idt.base = SBX_SYS_IDT;
	s.idt.limit = SBX_FAULT_VECTORS * 16 - 1;
	s.cr0 = CR0_VALUE;
	s.cr2 = 0;
	s.cr3 = SBX_SYS_END;
	s.cr4 = m->kvm->cr4;
	s.cr8 = 0;
	s.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
	if (sbx_os.ioctl(m->vcpu_fd, KVM_SET_SREGS, &s) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_SET_SREGS"));
	return (0);
}

/* CSTAR is left alone: there is no code segment but the 64-bit one, and not
 * every KVM on Intel's CPUs, which have no use for it, lets it be set. */
static int
x86_msrs(struct sbx_machine *m, struct sbx_err *err)
{
	struct {
		struct kvm_msrs		h;
		struct kvm_msr_entry	e[4];
	} msrs = {
		.h.nmsrs = 4,
		.e = {
			{ .index = MSR_STAR,
			    .data = (uint64_t)SBX_SEL_KCODE << 32 |
			    (uint64_t)SBX_SEL_UCODE32 << 48 },
			{ .index = MSR_LSTAR, .data = SBX_SYS_SYSCALL },
			{ .index = MSR_FMASK, .data = FMASK_VALUE },
			{ .index = MSR_KERNEL_GS, .data = 0 },
		},
	};
	int n;

	n = sbx_os.ioctl(m->vcpu_fd, KVM_SET_MSRS, &msrs);
	if (n != 4)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, n < 0 ? errno : 0,
		    "KVM_SET_MSRS set %d of 4", n));
	return (0);
}

static int
x86_xcrs(struct sbx_machine *m, struct sbx_err *err)
{
	struct kvm_xcrs x = {
		.nr_xcrs = 1,
		.xcrs[0] = { .xcr = 0, .value = m->kvm->xcr0 },
	};

	if (sbx_os.ioctl(m->vcpu_fd, KVM_SET_XCRS, &x) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_SET_XCRS 0x%jx", (uintmax_t)m->kvm->xcr0));
	return (0);
}

/*
 * Let the guest see the host's time stamp counter. The probe finds out if
 * that can be asked for; if so it must not fail later, or the guest's clock
 * would be wrong.
 */
static int
x86_tsc(struct sbx_machine *m, struct sbx_err *err)
{
	uint64_t offset = 0;
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL,
		.attr = KVM_VCPU_TSC_OFFSET,
		.addr = (uintptr_t)&offset,
	};
	int i;

	if (m->kvm->tsc_offset == 0)
		return (0);
	i = sbx_os.ioctl(m->vcpu_fd, KVM_SET_DEVICE_ATTR, &a);
	if (m->kvm->tsc_offset == -1)
		m->kvm->tsc_offset = i == 0;
	else if (i < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_VCPU_TSC_OFFSET"));
	return (0);
}

int
SBX_X86_Setup(struct sbx_machine *m, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(m, SBX_MACHINE_MAGIC);
	if (sbx_os.ioctl(m->vcpu_fd, KVM_SET_CPUID2, m->kvm->cpuid) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_SET_CPUID2"));
	if (x86_sregs(m, err) || x86_msrs(m, err) || x86_xcrs(m, err) ||
	    x86_tsc(m, err))
		return (-1);
	return (0);
}
