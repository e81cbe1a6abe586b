/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Registers: what to load into them, and what was found in them.
 */

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

#include "residue.h"

/* XCR0 bits: x87, SSE, AVX, k0-k7, ZMM uppers, ZMM16-31, PKRU. */
#define XSTATE_MASK		(7 | 7 << 5 | 1 << 9)

#define INTERRUPTS		UINT64_C(0x200)
#define MXCSR_INIT		0x1f80

enum xstate {
	XS_AVX = 2,
	XS_OPMASK = 5,
	XS_ZMM_HI = 6,
	XS_ZMM_16 = 7,
	XS_PKRU = 9,
};

static unsigned xs_offset[XS_PKRU + 1];
static struct cpu was;			/* what was loaded for the snapshot */
static uint8_t other_stack[4096];
static const uint8_t zeros[64];

static const char * const gpr_name[16] = {
	"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9",
	"r10", "r11", "r12", "r13", "r14", "r15",
};

static int
has(enum xstate x)
{

	return ((cross_mask >> x & 1) != 0);
}

void
cpu_boot(void)
{
	unsigned a, b, c, d, i;

	cross_mask = 3;
	if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
		cross_fsgsbase = b & 1;
	if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) != 0) {
		__asm__("xgetbv" : "=a" (a), "=d" (d) : "c" (0));
		cross_mask = a & XSTATE_MASK;
	}
	for (i = 2; i <= XS_PKRU; i++)
		if (has((enum xstate)i) &&
		    __get_cpuid_count(0xd, i, &a, &b, &c, &d))
			xs_offset[i] = b;
}

/*--------------------------------------------------------------------
 * Loading
 */

/* Fill (len) bytes with something that no other place has. */
static void
pattern(void *to, size_t len, unsigned tag, unsigned place)
{
	uint8_t *p = to;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(tag ^ (place * 37 + i * 11));
}

static void
load_xsave(unsigned tag)
{
	uint8_t *x = cross_load.xsave;
	unsigned i;

	memset(x, 0, sizeof cross_load.xsave);
	for (i = 0; i < 8; i++)
		pattern(x + 32 + 16 * i, 10, tag, i);
	pattern(x + 160, 256, tag, 16);
	if (has(XS_AVX))
		pattern(x + xs_offset[XS_AVX], 256, tag, 32);
	if (has(XS_OPMASK))
		pattern(x + xs_offset[XS_OPMASK], 64, tag, 48);
	if (has(XS_ZMM_HI))
		pattern(x + xs_offset[XS_ZMM_HI], 512, tag, 64);
	if (has(XS_ZMM_16))
		pattern(x + xs_offset[XS_ZMM_16], 1024, tag, 80);
	memcpy(x + 512, &cross_mask, sizeof cross_mask);
}

/* The words that control the x87 and SSE units, and PKRU. All exceptions stay
 * masked, and the key of ordinary memory stays open. */
static void
load_control(uint16_t fcw, uint16_t fsw, uint32_t mxcsr, uint32_t pkru)
{
	uint8_t *x = cross_load.xsave;

	memcpy(x + 0, &fcw, sizeof fcw);
	memcpy(x + 2, &fsw, sizeof fsw);
	x[4] = mxcsr == MXCSR_INIT ? 0xff : 0x7f;
	memcpy(x + 24, &mxcsr, sizeof mxcsr);
	if (has(XS_PKRU))
		memcpy(x + xs_offset[XS_PKRU], &pkru, sizeof pkru);
}

static void
load_gpr(unsigned tag)
{
	unsigned i;

	for (i = 0; i < 16; i++)
		pattern(&cross_load.gpr[i], 8, tag, 100 + i);
}

void
cpu_load_snapshot(void)
{

	load_gpr(0x11);
	load_xsave(0x11);
	load_control(0x037f, 0, MXCSR_INIT, 0x55555554);
	cross_load.gpr[7] =
	    (uintptr_t)other_stack + sizeof other_stack / 2;
	cross_load.rflags = 0x2;
	/* Addresses, so that they are canonical. */
	cross_load.fs_base = (uintptr_t)other_stack;
	cross_load.gs_base = (uintptr_t)other_stack + 64;
	__asm__("mov %%ds, %0" : "=r" (cross_load.ds));
	__asm__("mov %%es, %0" : "=r" (cross_load.es));
	__asm__("mov %%fs, %0" : "=r" (cross_load.fs));
	__asm__("mov %%gs, %0" : "=r" (cross_load.gs));
	__asm__("mov %%ss, %0" : "=r" (cross_load.ss));
	__asm__("mov %%cs, %0" : "=r" (cross_load.cs));
	was = cross_load;
}

void
cpu_load_fill(void)
{

	load_gpr(0xee);
	load_xsave(0xee);
	load_control(0x0f7f, 0x3b41, 0xffff, 0xaaaaaaa8);
	/* FOP, FIP and FDP; not every CPU takes them. */
	pattern(cross_load.xsave + 6, 2, 1, 0);
	pattern(cross_load.xsave + 8, 4, 0xee, 1);
	pattern(cross_load.xsave + 16, 4, 0xee, 2);
	cross_load.gpr[7] = (uintptr_t)other_stack + sizeof other_stack - 256;
	/* ID, AC, OF, DF, SF, ZF, AF, PF, CF */
	cross_load.rflags = 0x240cd7;
	cross_load.fs_base = 0x5ee5ee5ee000;
	cross_load.gs_base = 0x5ee5ee5ef000;
	/* Null selectors are not the same with another privilege level. */
	cross_load.ds = 3;
	cross_load.es = 2;
	cross_load.fs = 3;
	cross_load.gs = 1;
}

/*--------------------------------------------------------------------
 * Reporting
 */

/* (n) registers of (len) bytes, (step) bytes apart, initially zero. */
static void
report_file(const char *name, unsigned first, unsigned n, size_t at,
    size_t step, size_t len)
{
	char buf[32];
	unsigned i;

	for (i = 0; i < n; i++) {
		(void)snprintf(buf, sizeof buf, "%s%u", name, first + i);
		report(buf, was.xsave + at + i * step,
		    cross_got.xsave + at + i * step, zeros, len);
	}
}

static void
report_x87(void)
{
	static const uint16_t fcw = 0x037f;
	static const uint32_t mxcsr = MXCSR_INIT;
	const uint8_t *w = was.xsave, *g = cross_got.xsave;

	report("x87.fcw", w, g, &fcw, 2);
	report("x87.fsw", w + 2, g + 2, zeros, 2);
	report("x87.ftw", w + 4, g + 4, zeros, 1);
	report("x87.fop", w + 6, g + 6, zeros, 2);
	report("x87.fip", w + 8, g + 8, zeros, 8);
	report("x87.fdp", w + 16, g + 16, zeros, 8);
	report("mxcsr", w + 24, g + 24, &mxcsr, 4);
	report_file("st", 0, 8, 32, 16, 10);
	report_file("xmm", 0, 16, 160, 16, 16);
}

static void
report_xsave(void)
{

	report_x87();
	if (has(XS_AVX))
		report_file("ymm.hi", 0, 16, xs_offset[XS_AVX], 16, 16);
	if (has(XS_OPMASK))
		report_file("k", 0, 8, xs_offset[XS_OPMASK], 8, 8);
	if (has(XS_ZMM_HI))
		report_file("zmm.hi", 0, 16, xs_offset[XS_ZMM_HI], 32, 32);
	if (has(XS_ZMM_16))
		report_file("zmm", 16, 16, xs_offset[XS_ZMM_16], 64, 64);
	if (has(XS_PKRU))
		report_file("pkru", 0, 1, xs_offset[XS_PKRU], 4, 4);
}

/* RAX is the request, RDI and RSI were the call's arguments, and RCX and R11
 * are what SYSCALL leaves, or nothing. */
static void
report_gpr(void)
{
	uint64_t ret = (uintptr_t)cross_return;
	unsigned i;

	/* Bit 9 is the host's: interrupts are on at ring 3. */
	cross_got.rflags &= ~INTERRUPTS;
	cross_got.gpr[11] &= ~INTERRUPTS;

	was.gpr[4] = 0;
	was.gpr[5] = SANDBOX_ABI_VERSION;
	for (i = 1; i < 16; i++)
		if (i != 2 && i != 11)
			report(gpr_name[i], &was.gpr[i], &cross_got.gpr[i],
			    NULL, 8);
	report("rflags", &was.rflags, &cross_got.rflags, NULL, 8);
	report("rcx", &ret, &cross_got.gpr[2], zeros, 8);
	report("r11", &was.rflags, &cross_got.gpr[11], zeros, 8);
}

void
cpu_report(void)
{

	report_gpr();
	report("ds", &was.ds, &cross_got.ds, NULL, 8);
	report("es", &was.es, &cross_got.es, NULL, 8);
	report("ss", &was.ss, &cross_got.ss, NULL, 8);
	report("cs", &was.cs, &cross_got.cs, NULL, 8);
	if (cross_fsgsbase) {
		report("fs", &was.fs, &cross_got.fs, NULL, 8);
		report("gs", &was.gs, &cross_got.gs, NULL, 8);
		report("fs.base", &was.fs_base, &cross_got.fs_base, NULL, 8);
		report("gs.base", &was.gs_base, &cross_got.gs_base, NULL, 8);
	}
	report_xsave();
}
