/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of the residue guest share.
 */

#ifndef RESIDUE_H_INCLUDED
#define RESIDUE_H_INCLUDED

/* Sizes that entry.S has to know too. */
#define XSAVE_BYTES		16384
#define STACK_BYTES		32768

/* struct cpu, by offset. */
#define CPU_RAX			0
#define CPU_RBX			8
#define CPU_RCX			16
#define CPU_RDX			24
#define CPU_RSI			32
#define CPU_RDI			40
#define CPU_RBP			48
#define CPU_RSP			56
#define CPU_R8			64
#define CPU_R9			72
#define CPU_R10			80
#define CPU_R11			88
#define CPU_R12			96
#define CPU_R13			104
#define CPU_R14			112
#define CPU_R15			120
#define CPU_RFLAGS		128
#define CPU_FS_BASE		136
#define CPU_GS_BASE		144
#define CPU_DS			152
#define CPU_ES			160
#define CPU_FS			168
#define CPU_GS			176
#define CPU_SS			184
#define CPU_CS			192

#ifndef __ASSEMBLER__

#include <stddef.h>
#include <stdint.h>

#include <sandbox.h>

struct cpu {
	uint64_t		gpr[16];
	uint64_t		rflags;
	uint64_t		fs_base;
	uint64_t		gs_base;
	uint64_t		ds;
	uint64_t		es;
	uint64_t		fs;
	uint64_t		gs;
	uint64_t		ss;
	uint64_t		cs;
	uint8_t			pad[56];
	uint8_t			xsave[XSAVE_BYTES];
};

/* Eight bytes that a fill leaves everywhere, and nothing else does. */
#define FILL_WORD		UINT64_C(0xeea5c3f1eea5c3f1)

/* residue.c */

/*
 * Add one line to the report: what it is, what it was at the snapshot (was),
 * what it is now (is), and what it would be on a machine fresh from reset
 * (init), which may be NULL. (len) bytes each. Anything else is a leak.
 */
void report(const char *name, const void *was, const void *is,
    const void *init, size_t len);
void report_long(const char *name, long was, long is);

/* While filling: say what an attempt came to, so that a test can tell what was
 * not even possible. */
void note(const char *what, long ret);

/* cpu.c */
void cpu_boot(void);
void cpu_load_snapshot(void);
void cpu_load_fill(void);
void cpu_report(void);

/* memory.c */
void memory_boot(char **argv);
void memory_fill(void);
void memory_report(const struct sandbox_request *);

/* kernel.c: what the host keeps for a guest, as a kernel does. */
void kernel_boot(void);
void kernel_fill(void);
void kernel_report(void);

/* objects.c: what there is since before the snapshot. */
void objects_boot(void);
void objects_fill(void);
void objects_report(void);

/* entry.S */

/*
 * Load every register from cross_load, answer with (rsp), and store what is
 * in every register at the very first instruction afterwards to cross_got, and
 * the STACK_BYTES below the stack pointer before, unless cross_again is true,
 * and after. Returns RAX.
 */
long cross(const struct sandbox_response *rsp);

extern struct cpu cross_load;
extern struct cpu cross_got;
extern uint64_t cross_mask;		/* for xsave and xrstor */
extern uint64_t cross_fsgsbase;		/* true: the CPU has it */
extern uint64_t cross_again;
extern const char cross_return[];	/* where the call returns to */
extern uint8_t cross_below_before[STACK_BYTES];
extern uint8_t cross_below_after[STACK_BYTES];

#endif

#endif
