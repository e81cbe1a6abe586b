/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Does what only a kernel may, and what makes trouble for one: the path names
 * the instruction, /?sel=S, /?addr=A and /?n=N (all in hex) are for those that
 * take a selector, an address or a number. If it comes through it answers with
 * "survived" and what it got. /list has all the paths, one a line.
 */

#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "../guest.h"

/* What the query says. */
struct how {
	uint64_t		sel;
	uint64_t		addr;
	uint64_t		n;
};

typedef uint64_t try_f(const struct how *);

/* (h) may or may not be used. */
#define TRY(name)							\
	static uint64_t							\
	try_##name(const struct how *h GUEST_UNUSED)

/* One instruction without operands that matter. */
#define TRY_ASM(name, text)						\
	TRY(name)							\
	{								\
		uint64_t a = 0;						\
									\
		__asm__ volatile(text : "+a" (a) : "c" (h->n), "d" (0)	\
		    : "rbx", "rsi", "rdi", "memory", "cc");		\
		return (a);						\
	}

static char scratch[GUEST_PAGE] __attribute__((__aligned__(GUEST_PAGE)));

/*--------------------------------------------------------------------
 * Privileged, all of them
 */

TRY_ASM(hlt, "hlt")
TRY_ASM(cli, "cli")
TRY_ASM(sti, "sti")
TRY_ASM(clts, "clts")
TRY_ASM(invd, "invd")
TRY_ASM(wbinvd, "wbinvd")
TRY_ASM(swapgs, "swapgs")
TRY_ASM(sysret, ".byte 0x48, 0x0f, 0x07")
TRY_ASM(sysexit, ".byte 0x0f, 0x35")
TRY_ASM(sysenter, ".byte 0x0f, 0x34")
TRY_ASM(mov_from_cr0, "mov %%cr0, %%rax")
TRY_ASM(mov_from_cr3, "mov %%cr3, %%rax")
TRY_ASM(mov_from_cr4, "mov %%cr4, %%rax")
TRY_ASM(mov_from_cr8, "mov %%cr8, %%rax")
TRY_ASM(mov_to_cr0, "mov %%rax, %%cr0")
TRY_ASM(mov_to_cr3, "mov %%rax, %%cr3")
TRY_ASM(mov_to_cr4, "mov %%rax, %%cr4")
TRY_ASM(mov_to_cr8, "mov %%rax, %%cr8")
TRY_ASM(mov_from_dr7, "mov %%dr7, %%rax")
TRY_ASM(mov_to_dr0, "mov %%rax, %%dr0")
TRY_ASM(mov_to_dr7, "mov %%rax, %%dr7")
TRY_ASM(rdmsr, "rdmsr")
TRY_ASM(wrmsr, "wrmsr")
TRY_ASM(lmsw, "lmsw %%ax")
TRY_ASM(vmcall, ".byte 0x0f, 0x01, 0xc1")
TRY_ASM(vmmcall, ".byte 0x0f, 0x01, 0xd9")
TRY_ASM(vmlaunch, ".byte 0x0f, 0x01, 0xc2")
TRY_ASM(vmrun, ".byte 0x0f, 0x01, 0xd8")
TRY_ASM(clgi, ".byte 0x0f, 0x01, 0xdd")
TRY_ASM(skinit, ".byte 0x0f, 0x01, 0xde")
TRY_ASM(encls, ".byte 0x0f, 0x01, 0xcf")
TRY_ASM(monitor, ".byte 0x0f, 0x01, 0xc8")
TRY_ASM(mwait, ".byte 0x0f, 0x01, 0xc9")
TRY_ASM(xsetbv, "xor %%ecx, %%ecx; mov $1, %%eax; xsetbv")
TRY_ASM(rsm, ".byte 0x0f, 0xaa")

/* (n) is the port. One that is open for the host's own use must not be taken
 * for what the host uses it for. */
#define TRY_OUT(name, text)						\
	TRY(name)							\
	{								\
		__asm__ volatile(text : : "a" (SYS_getpid),		\
		    "d" (h->n));					\
		return (h->n);						\
	}

#define TRY_IN(name, text)						\
	TRY(name)							\
	{								\
		uint64_t a = 0;						\
									\
		__asm__ volatile(text : "+a" (a) : "d" (h->n));		\
		return (a);						\
	}

/* (addr) times, from or to our scratch page. */
#define TRY_STRING(name, text)						\
	TRY(name)							\
	{								\
		char *p = scratch, *q = scratch;			\
		uint64_t n = h->addr;					\
									\
		__asm__ volatile(text : "+S" (p), "+D" (q), "+c" (n)	\
		    : "d" (h->n) : "memory");				\
		return (n);						\
	}

TRY_OUT(out, "outb %%al, %%dx")
TRY_OUT(out16, "outw %%ax, %%dx")
TRY_OUT(out32, "outl %%eax, %%dx")
TRY_IN(in, "inb %%dx, %%al")
TRY_IN(in16, "inw %%dx, %%ax")
TRY_IN(in32, "inl %%dx, %%eax")
TRY_STRING(outs, "outsb")
TRY_STRING(rep_outs, "rep outsb")
TRY_STRING(rep_outs32, "rep outsl")
TRY_STRING(ins, "insb")
TRY_STRING(rep_ins, "rep insb")

TRY(invlpg)
{

	__asm__ volatile("invlpg %0" : : "m" (*scratch));
	return (0);
}

TRY(lgdt)
{

	__asm__ volatile("lgdt %0" : : "m" (*scratch));
	return (0);
}

TRY(lidt)
{

	__asm__ volatile("lidt %0" : : "m" (*scratch));
	return (0);
}

TRY(lldt)
{

	__asm__ volatile("lldt %w0" : : "r" (h->sel));
	return (0);
}

TRY(ltr)
{

	__asm__ volatile("ltr %w0" : : "r" (h->sel));
	return (0);
}

/*--------------------------------------------------------------------
 * Not privileged, or not always. Some of these should come through.
 */

TRY(sgdt)
{

	__asm__ volatile("sgdt %0" : "=m" (*scratch));
	return (*(volatile uint64_t *)(void *)(scratch + 2));
}

TRY(sidt)
{

	__asm__ volatile("sidt %0" : "=m" (*scratch));
	return (*(volatile uint64_t *)(void *)(scratch + 2));
}

TRY_ASM(str, "str %%rax")
TRY_ASM(sldt, "sldt %%rax")
TRY_ASM(smsw, "smsw %%rax")
TRY_ASM(int3, "int3")
TRY_ASM(int1, ".byte 0xf1")
TRY_ASM(ud2, "ud2")
TRY_ASM(into, ".byte 0xce")
TRY_ASM(int_0x80, "mov $20, %%eax; int $0x80")
TRY_ASM(rdpmc, "rdpmc")
TRY_ASM(rdtsc, "rdtsc")
TRY_ASM(rdtscp, "rdtscp")
TRY_ASM(cpuid, "cpuid")
TRY_ASM(xgetbv, "xor %%ecx, %%ecx; xgetbv")
TRY_ASM(divide, "xor %%ecx, %%ecx; div %%ecx")
TRY_ASM(far_jump_null, "sub $16, %%rsp; movq $0, (%%rsp);"
    " movq $0, 8(%%rsp); .byte 0x48, 0xff, 0x2c, 0x24")

/* An int instruction for each vector there is, four bytes each. */
void ring0_int(void);
__asm__(".text; .balign 4; ring0_int: .set v, 0; .rept 256;"
    " .byte 0xcd, v, 0xc3, 0x90; .set v, v + 1; .endr");

TRY(int)
{

	__asm__ volatile("call *%0"
	    : : "r" ((uintptr_t)ring0_int + (h->n & 255) * 4)
	    : "memory", "cc", "rax");
	return (h->n);
}

#define POPF(bits)							\
	__asm__ volatile("pushfq; orq %0, (%%rsp); popfq; nop; nop"	\
	    : : "r" ((uint64_t)(bits)) : "memory", "cc")

TRY(popf_tf)
{

	POPF(0x100);
	return (0);
}

TRY(popf_nt)
{

	POPF(0x4000);
	return ((uint64_t)guest_call(SYS_getpid, 0, 0, 0, 0, 0, 0));
}

TRY(popf_df)
{
	uint64_t r;

	POPF(0x400);
	r = (uint64_t)guest_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	__asm__ volatile("cld");
	return (r);
}

TRY(popf_iopl)
{

	POPF(0x3000);
	__asm__ volatile("outb %b0, %w1" : : "a" (0), "d" (h->n));
	return (0);
}

/* Misaligned accesses trap only where CR0.AM is set. */
TRY(popf_ac)
{
	uint64_t r;

	POPF(0x40000);
	r = *(volatile uint64_t *)(void *)(scratch + 1);
	r += (uint64_t)guest_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
	__asm__ volatile("pushfq; andq $~0x40000, (%%rsp); popfq"
	    : : : "memory", "cc");
	return (r);
}

/* A single step that is due at a system call. */
TRY(syscall_tf)
{
	uint64_t r;

	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; syscall"
	    : "=a" (r) : "0" (SYS_getpid) : "rcx", "r11", "memory", "cc");
	return (r);
}

/* No stack at all, or one where nothing may be. */
TRY(syscall_rsp)
{
	uint64_t r, keep;

	__asm__ volatile("mov %%rsp, %1; mov %2, %%rsp; syscall;"
	    " mov %1, %%rsp"
	    : "=a" (r), "=&r" (keep) : "r" (h->addr), "0" (SYS_getpid)
	    : "rcx", "r11", "memory");
	return (r);
}

/* The call that answers, with the stack pointer gone. */
TRY(next_rsp)
{
	static struct sandbox_response rsp;
	uint64_t r;

	rsp = guest_response();
	__asm__ volatile("mov %1, %%rsp; syscall; ud2"
	    : "=a" (r) : "r" (h->addr), "0" (SANDBOX_CALL_NEXT),
	    "D" (SANDBOX_ABI_VERSION), "S" (&rsp) : "rcx", "r11", "memory");
	return (r);
}

/* The return address is the first byte of a page that is not there any more,
 * if the host takes a page away that is asked to. */
void ring0_edge(void);
__asm__(".text; .balign 4096; .fill 4094, 1, 0xcc; ring0_edge: syscall;"
    " ret; .balign 4096");

TRY(syscall_edge)
{
	uintptr_t next = (uintptr_t)ring0_edge + 2;
	uint64_t r;

	(void)munmap((void *)next, GUEST_PAGE);
	__asm__ volatile("call *%1" : "=a" (r)
	    : "r" (ring0_edge), "0" (SYS_getpid) : "rcx", "r11", "memory");
	return (r);
}

/* A page where user addresses end: were it there, a system call in its last
 * two bytes would return to an address that is not canonical. */
TRY(last_page)
{

	return ((uint64_t)guest_call(SYS_mmap, 0x7ffffffff000, GUEST_PAGE,
	    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
	    UINT64_MAX, 0));
}

/*--------------------------------------------------------------------
 * Segments
 */

TRY(load_ds)
{
	uint64_t ds;

	__asm__ volatile("mov %w1, %%ds; mov %%ds, %0" : "=r" (ds)
	    : "r" (h->sel));
	return (ds);
}

TRY(load_ss)
{
	uint64_t ss;

	__asm__ volatile("mov %w1, %%ss; mov %%ss, %0" : "=r" (ss)
	    : "r" (h->sel));
	return (ss);
}

TRY(load_gs)
{
	uint64_t gs;

	__asm__ volatile("mov %w1, %%gs; mov %%gs, %0" : "=r" (gs)
	    : "r" (h->sel));
	return (gs);
}

/* A base that is not canonical. */
TRY(wrfsbase)
{

	__asm__ volatile("wrfsbase %0" : : "r" (h->addr));
	return (0);
}

/* Return to code of ours with a selector of the caller's choice: a kernel's,
 * or that of a 32-bit segment, where system calls go elsewhere. */
TRY(far_return)
{

	__asm__ volatile("pushq %0; lea 1f(%%rip), %%rax; pushq %%rax;"
	    " lretq; 1: syscall" : : "r" (h->sel)
	    : "rax", "rcx", "r11", "memory");
	return (h->sel);
}

TRY(iretq)
{

	__asm__ volatile("mov %%rsp, %%rdx; mov %%ss, %%eax; pushq %%rax;"
	    " pushq %%rdx; pushfq; pushq %0; lea 1f(%%rip), %%rax;"
	    " pushq %%rax; iretq; 1:" : : "r" (h->sel)
	    : "rax", "rdx", "memory", "cc");
	return (h->sel);
}

/*--------------------------------------------------------------------
 * Where the host keeps its own things
 */

TRY(jump)
{

	__asm__ volatile("call *%0" : : "r" (h->addr) : "rax", "rcx", "rdx",
	    "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	return (h->addr);
}

TRY(read)
{

	return (*(volatile unsigned char *)h->addr);
}

TRY(write)
{

	*(volatile unsigned char *)h->addr = 0;
	return (h->addr);
}

/* Jump to (addr), where the host's end of a system call may be, as if SYSCALL
 * had brought us there: with a return address (n) and flags (sel) of our own
 * making. */
TRY(stub)
{
	register uint64_t r11 __asm__("r11") = h->sel;
	uint64_t r;

	__asm__ volatile("jmp *%3" : "=a" (r)
	    : "0" (SYS_getpid), "c" (h->n), "r" (h->addr), "r" (r11)
	    : "memory", "cc");
	return (r);
}

/* The same, and come back here. */
TRY(stub_back)
{
	register uint64_t r11 __asm__("r11") = h->sel;
	uint64_t r;

	__asm__ volatile("lea 1f(%%rip), %%rcx; jmp *%2; 1: cld"
	    : "=a" (r) : "0" (SYS_getpid), "r" (h->addr), "r" (r11)
	    : "rcx", "memory", "cc");
	return (r);
}

/* Take a page for ourselves that the host may be using. */
TRY(map)
{

	return ((uint64_t)guest_call(SYS_mmap, h->addr, GUEST_PAGE,
	    PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, UINT64_MAX, 0));
}

TRY(unmap)
{

	return ((uint64_t)guest_call(SYS_munmap, h->addr, GUEST_PAGE, 0, 0, 0,
	    0));
}

TRY(protect)
{

	return ((uint64_t)guest_call(SYS_mprotect, h->addr, GUEST_PAGE,
	    PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0, 0));
}

/*--------------------------------------------------------------------*/

#define TRIES								\
	T(hlt) T(cli) T(sti) T(clts) T(invd) T(wbinvd) T(swapgs)	\
	T(sysret) T(sysexit) T(sysenter) T(mov_from_cr0)		\
	T(mov_from_cr3) T(mov_from_cr4) T(mov_from_cr8)			\
	T(mov_to_cr0) T(mov_to_cr3) T(mov_to_cr4) T(mov_to_cr8)		\
	T(mov_from_dr7) T(mov_to_dr0) T(mov_to_dr7) T(rdmsr)		\
	T(wrmsr) T(in) T(in16) T(in32) T(ins) T(rep_ins) T(out)		\
	T(out16) T(out32) T(outs) T(rep_outs) T(rep_outs32) T(lmsw)	\
	T(vmcall) T(vmmcall) T(vmlaunch) T(vmrun) T(clgi) T(skinit)	\
	T(encls) T(monitor) T(mwait) T(xsetbv) T(rsm) T(invlpg)		\
	T(lgdt) T(lidt) T(lldt) T(ltr) T(sgdt) T(sidt) T(str)		\
	T(sldt) T(smsw) T(int) T(int1) T(int3) T(int_0x80) T(into)	\
	T(ud2) T(rdpmc) T(rdtsc) T(rdtscp) T(cpuid) T(xgetbv)		\
	T(divide) T(far_jump_null) T(far_return) T(iretq) T(popf_tf)	\
	T(popf_nt) T(popf_df) T(popf_iopl) T(popf_ac) T(syscall_tf)	\
	T(syscall_rsp) T(next_rsp) T(syscall_edge) T(last_page)	\
	T(load_ds) T(load_ss) T(load_gs) T(wrfsbase) T(stub)		\
	T(stub_back) T(jump) T(read) T(write) T(map) T(unmap)		\
	T(protect)

static const struct {
	const char		*path;
	try_f			*func;
} tries[] = {
#define T(name)		{ "/" #name, try_##name },
	TRIES
#undef T
};

#define N_TRIES		(sizeof tries / sizeof tries[0])

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct how how;
	uint64_t r;
	size_t i;

	if (sandbox_path_is(rq, "/list")) {
		for (i = 0; i < N_TRIES; i++)
			sandbox_printf(rp, "%s\n", tries[i].path);
		return;
	}
	how.sel = guest_hex(rq, "sel", 0x8);
	how.addr = guest_hex(rq, "addr", 0x1000);
	how.n = guest_hex(rq, "n", 0);
	for (i = 0; i < N_TRIES; i++)
		if (sandbox_path_is(rq, tries[i].path))
			break;
	if (i == N_TRIES) {
		sandbox_fail(rp, 404, "No such case.");
		return;
	}
	r = tries[i].func(&how);
	sandbox_printf(rp, "survived %s: 0x%llx\n", tries[i].path + 1,
	    (unsigned long long)r);
}

int
main(void)
{

	return (guest_serve(bad));
}
