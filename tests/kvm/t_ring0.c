/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A guest that has got into its own ring 0, by a hole that there should not be.
 * Here it is a backdoor: instead of the program, the test starts code of its
 * own in the VM, in ring 0. Whatever that does: memory of the host and of other
 * VMs is out of reach, the request ends, and the next one, on the same VM if it
 * was kept, finds all as it was.
 *
 * Platform P emulates ring 0, and not all of it; there a piece of code may come
 * to its end early.
 */

#include "config.h"

#include <linux/kvm.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "machine/kvm.h"
#include "machine/paging.h"
#include "machine/x86_64.h"
#include "pool/vm_priv.h"
#include "test.h"

/* In the exceptions' page, behind the editor. */
#define DOOR		(SBX_SYS_FAULT + 0x800)

/* Virtual addresses of ours, which no program has. */
#define DOOR_MAPS	UINT64_C(0x7f0000000000)
#define DOOR_PTE	(SBX_PTE_P | SBX_PTE_W | SBX_PTE_A | SBX_PTE_D)

static struct sbx_err err;
static struct sbx_vm *door_vm;
static struct sbx_program *door_other;
static const uint8_t *door_code;
static size_t door_len;
static uint64_t door_rsi;
static unsigned door_open;

/*--------------------------------------------------------------------
 * Code, which ends with a HLT or with an answer: RSI is the address of a good
 * struct sandbox_response. RDI is an address to be tried.
 */

#define CODE(name, text)						\
	extern const uint8_t code_##name[], code_##name##_end[];	\
	__asm__(".section .rodata\n"					\
	    "code_" #name ": " text "\n"				\
	    "code_" #name "_end:\n"					\
	    ".previous\n")

/* Answer as a program does: next(1, RSI), from where SYSCALL goes. */
#define ANSWER								\
	"; mov $0x5b001, %eax; mov $1, %edi; mov $0x400000, %ecx"	\
	"; mov $0x202, %r11d; mov $0x4000, %ebx; jmp *%rbx"
#define HLT	"; 1: hlt; jmp 1b"

CODE(hlt, "nop" HLT);
CODE(answer, "nop" ANSWER);
CODE(port, "mov $0x80, %edx; outb %al, %dx" HLT);
CODE(ports, "xor %edx, %edx; 2: inb %dx, %al; inc %edx; cmp $0x10000, %edx; "
    "jne 2b" HLT);
CODE(fake_fault, "outb %al, $0xe1" HLT);
CODE(fake_edited, "outb %al, $0xe2" HLT);
CODE(read, "mov (%rdi), %rax" HLT);
CODE(write, "mov %rdi, (%rdi)" HLT);
CODE(msr, "mov $0xc0000082, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr"
    ANSWER);
CODE(efer, "mov $0xc0000080, %ecx; rdmsr; and $~1, %eax; wrmsr" ANSWER);
CODE(apic_base, "mov $0x1b, %ecx; rdmsr" ANSWER);
CODE(x2apic, "mov $0x808, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr" ANSWER);
CODE(no_tables, "mov %rdi, %cr3" HLT);
CODE(triple, "sub $16, %rsp; lidt (%rsp); ud2" HLT);
CODE(idt, "sub $16, %rsp; movw $0xfff, (%rsp); movq $0x123000, 2(%rsp); "
    "lidt (%rsp)" ANSWER);
CODE(gdt, "sub $16, %rsp; movw $0xff, (%rsp); movq $0x1000, 2(%rsp); "
    "lgdt (%rsp)" ANSWER);
CODE(ldt, "xor %eax, %eax; lldt %ax" ANSWER);
CODE(cr0, "mov %cr0, %rax; and $~0x10000, %rax; mov %rax, %cr0" ANSWER);
CODE(cr3, "mov %cr3, %rax; or $0x18, %rax; mov %rax, %cr3" ANSWER);
CODE(cr4, "mov %cr4, %rax; or $4, %rax; mov %rax, %cr4" ANSWER);
CODE(xcr0, "xor %ecx, %ecx; xgetbv; mov $1, %eax; xsetbv" ANSWER);
CODE(fill, "mov %rsi, %r8; cld; mov $0xffffffffffffffff, %rax; "
    "mov $0x7e0000010000, %rdi; mov $0x2000, %ecx; rep stosq; mov %r8, %rsi"
    ANSWER);
CODE(host_pages, "mov $0x1000, %edi; mov $0xdeadbeef, %eax; mov %eax, (%rdi)"
    ANSWER);
CODE(vmcall, "mov $1, %eax; vmcall" ANSWER);
CODE(int3, "int3" HLT);
CODE(loop, "2: jmp 2b");

/* Before the VM is entered: the door is open once. */
static int
door_ioctl(int fd, unsigned long nr, void *arg)
{
	struct kvm_sregs s;
	struct kvm_regs *r;
	struct sbx_machine *m;

	if (nr != KVM_RUN || !door_open)
		return (sbx_os_real.ioctl(fd, nr, arg));
	door_open = 0;
	m = door_vm->m;
	memcpy((uint8_t *)door_vm->mem + DOOR, door_code, door_len);
	SBX_Gmem_Touch(&m->gmem, (sbx_gpa_t){ DOOR }, door_len);
	AZ(sbx_os_real.ioctl(fd, KVM_GET_SREGS, &s));
	SBX_X86_Ring0(&s);
	AZ(sbx_os_real.ioctl(fd, KVM_SET_SREGS, &s));
	r = &m->run->s.regs.regs;
	r->rip = DOOR;
	r->rsp = SBX_SYS_STACK + SBX_PAGE - 256;
	r->rflags = 2;
	r->rdi = DOOR_MAPS;
	r->rsi = door_rsi;
	m->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	return (sbx_os_real.ioctl(fd, nr, arg));
}

/* A response in the guest's stack. */
static void
door_response(struct sbx_vm *vm)
{
	struct sandbox_response r;

	memset(&r, 0, sizeof r);
	r.size = sizeof r;
	r.status = 234;
	door_rsi = vm->img->layout.stack_lo + 64;
	AZ(SBX_Gmem_CopyOut(&vm->m->gmem, (sandbox_gva_t){ door_rsi }, &r,
	    sizeof r));
}

/* What ring 3 can not change. */
struct door_state {
	struct kvm_sregs	s;
	struct kvm_xcrs		x;
};

static void
door_get(const struct sbx_vm *vm, struct door_state *st)
{

	memset(st, 0, sizeof *st);
	AZ(sbx_os_real.ioctl(vm->m->vcpu_fd, KVM_GET_SREGS, &st->s));
	AZ(sbx_os_real.ioctl(vm->m->vcpu_fd, KVM_GET_XCRS, &st->x));
}

static void
door_same(const struct door_state *a, const struct door_state *b)
{

	CHECK_EQ(a->s.cr0, b->s.cr0);
	CHECK_EQ(a->s.cr3, b->s.cr3);
	CHECK_EQ(a->s.cr4, b->s.cr4);
	CHECK_EQ(a->s.efer, b->s.efer);
	CHECK_EQ(a->s.idt.base, b->s.idt.base);
	CHECK_EQ(a->s.idt.limit, b->s.idt.limit);
	CHECK_EQ(a->s.gdt.base, b->s.gdt.base);
	CHECK_EQ(a->s.gdt.limit, b->s.gdt.limit);
	CHECK_EQ(a->s.tr.base, b->s.tr.base);
	CHECK_EQ(a->s.ldt.selector, b->s.ldt.selector);
	CHECK_EQ(a->x.xcrs[0].value, b->x.xcrs[0].value);
}

static uint64_t *
door_phys(const struct sbx_vm *vm, uint64_t pa)
{

	return (SBX_Gmem_Phys(&vm->m->gmem, (sbx_gpa_t){ pa }, SBX_PAGE));
}

/*--------------------------------------------------------------------
 * Others: another program's VM, lent out, and another VM of the same one. What
 * is in them and in their CPUs must not change.
 */

struct witness {
	struct sbx_vm		*vm;
	uint8_t			*mem;		/* as it was */
	struct door_state	st;
};

static void
witness_begin(struct witness *w, struct sbx_program *prg)
{

	w->vm = Kvm_Borrow(prg, &err);
	w->mem = malloc(w->vm->img->size);
	AN(w->mem);
	memcpy(w->mem, w->vm->mem, w->vm->img->size);
	door_get(w->vm, &w->st);
}

static void
witness_end(struct witness *w, struct sbx_program *prg)
{
	struct door_state st;

	door_get(w->vm, &st);
	door_same(&w->st, &st);
	CHECK(!memcmp(w->mem, w->vm->mem, w->vm->img->size));
	CHECK(!memcmp(w->vm->img->golden, w->vm->mem, w->vm->img->size));
	CHECK_EQ(Kvm_Serve(w->vm, "/", &err), 200);
	SBX_Pool_Put(SBX_Program_Pool(prg), &w->vm);
	free(w->mem);
}

/* Let DOOR_MAPS be (pa), for ring 0, by three tables that nobody uses. */
static void
door_map(struct sbx_vm *vm, uint64_t pa)
{
	uint64_t t;
	int i;

	t = SBX_SYS_END + SBX_Paging_Room(vm->img->size) - 3 * SBX_PAGE;
	for (i = 0; i < 3; i++)
		AZ(*door_phys(vm, t + (uint64_t)i * SBX_PAGE));
	door_phys(vm, SBX_SYS_END)[DOOR_MAPS >> 39] = t | DOOR_PTE;
	*door_phys(vm, t) = (t + SBX_PAGE) | DOOR_PTE;
	*door_phys(vm, t + SBX_PAGE) = (t + 2 * SBX_PAGE) | DOOR_PTE;
	*door_phys(vm, t + 2 * SBX_PAGE) = pa | DOOR_PTE;
	SBX_Gmem_Touch(&vm->m->gmem, (sbx_gpa_t){ SBX_SYS_END }, SBX_PAGE);
	SBX_Gmem_Touch(&vm->m->gmem, (sbx_gpa_t){ t }, 3 * SBX_PAGE);
}

/*
 * One piece of code, then ordinary requests, on a program of its own with two
 * VMs, of which one is a witness. (map), if it is not 0, is what DOOR_MAPS is
 * made to be by a page table entry.
 */
static void
door(const char *name, const uint8_t *code, const uint8_t *end, uint64_t map)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	struct sbx_pool *pool;
	struct witness same, other;
	struct door_state before, after;
	char body[64];
	int i;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	cfg.max_vms = 2;
	cfg.memory = 8 << 20;
	cfg.request_timeout = 0.3 * Kvm_Slow();
	prg = Kvm_Open(&cfg);
	pool = SBX_Program_Pool(prg);
	witness_begin(&same, prg);
	witness_begin(&other, door_other);
	door_vm = Kvm_Borrow(prg, &err);
	door_get(door_vm, &before);
	door_response(door_vm);
	if (map != 0)
		door_map(door_vm, map);
	door_code = code;
	door_len = (size_t)(end - code);
	door_open = 1;
	i = Kvm_Serve(door_vm, "/", &err);
	printf("  %s: %d %s\n", name, i, i < 0 ? err.msg : "");
	(void)fflush(stdout);
	CHECK_EQ(door_open, 0);
	if (i < 0)
		CHECK_EQ(err.kind, SBX_FAIL_GUEST);
	SBX_Pool_Put(pool, &door_vm);

	door_vm = Kvm_Borrow(prg, &err);
	door_get(door_vm, &after);
	door_same(&before, &after);
	CHECK(!memcmp(door_vm->mem, door_vm->img->golden, door_vm->img->size));
	SBX_Pool_Put(pool, &door_vm);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(Kvm_Get(prg, "/", body, sizeof body, &err), 200);
		CHECK(!strcmp(body, "Hello from a sandbox.\n"));
	}
	witness_end(&same, prg);
	witness_end(&other, door_other);
	Kvm_Close(&prg);
}

static void
door_begin(void)
{
	struct sbx_program_cfg cfg;

	Kvm_Cfg(&cfg, Kvm_Example("inspect"));
	cfg.memory = 8 << 20;
	door_other = Kvm_Open(&cfg);
}

#define DOOR_OPEN(name)		door(#name, code_##name, code_##name##_end, 0)
#define DOOR_MAP(name, pa)						\
	door(#name " " #pa, code_##name, code_##name##_end, (pa))

static void
leaves(void)
{

	door_begin();
	DOOR_OPEN(hlt);
	DOOR_OPEN(port);
	DOOR_OPEN(ports);
	DOOR_OPEN(fake_fault);
	DOOR_OPEN(fake_edited);
	DOOR_OPEN(no_tables);
	DOOR_OPEN(triple);
	DOOR_OPEN(int3);
	DOOR_OPEN(loop);
	DOOR_OPEN(vmcall);
	Kvm_Close(&door_other);
}

/* What is behind the end of its memory, and where devices would be. */
static void
outside(void)
{

	door_begin();
	DOOR_OPEN(read);
	DOOR_MAP(read, UINT64_C(8) << 20);
	DOOR_MAP(write, UINT64_C(8) << 20);
	DOOR_MAP(read, UINT64_C(0xfee00000));
	DOOR_MAP(write, UINT64_C(0xfee00000));
	DOOR_MAP(write, UINT64_C(0xfec00000));
	DOOR_MAP(read, UINT64_C(0xe0000));
	DOOR_MAP(write, UINT64_C(1) << 38);
	Kvm_Close(&door_other);
}

/* It answers as if nothing had been. */
static void
stays(void)
{

	door_begin();
	DOOR_OPEN(answer);
	DOOR_OPEN(msr);
	DOOR_OPEN(efer);
	DOOR_OPEN(apic_base);
	DOOR_OPEN(x2apic);
	DOOR_OPEN(idt);
	DOOR_OPEN(gdt);
	DOOR_OPEN(ldt);
	DOOR_OPEN(cr0);
	DOOR_OPEN(cr3);
	DOOR_OPEN(cr4);
	/* QEMU's emulation of SVM sets the host's, which panics then */
	if (getenv("SVM_PLATFORM") == NULL)
		DOOR_OPEN(xcr0);
	DOOR_OPEN(fill);
	DOOR_OPEN(host_pages);
	Kvm_Close(&door_other);
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(240);
	sbx_os.ioctl = door_ioctl;
	TEST(leaves);
	TEST(outside);
	TEST(stays);
	TEST_END();
}
