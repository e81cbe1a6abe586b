/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where things are in a guest. Used from C and from assembler.
 *
 * The first 64 KB, guest virtual and guest physical alike, belong to the
 * host. Ring 3 can reach four of its pages, read-only: the trampolines, the
 * data of each and the vDSO; and, on platform P, the system call stub.
 *
 * The page tables follow, physically. They are mapped, for ring 0 only, at
 * SBX_GVA_TABLES. Everything behind them is the program's.
 */

#ifndef SBX_LAYOUT_H_INCLUDED
#define SBX_LAYOUT_H_INCLUDED

#define SBX_PAGE		0x1000

/* One page each. Address 0 is not mapped. */
#define SBX_SYS_GDT		0x1000
#define SBX_SYS_IDT		0x2000
#define SBX_SYS_TSS		0x3000
#define SBX_SYS_SYSCALL		0x4000	/* MSR LSTAR points here */
#define SBX_SYS_FAULT		0x5000	/* exception entries, ring 0 code */
#define SBX_SYS_STACK		0x6000	/* of every exception (IST 1) */
#define SBX_SYS_ENTRY		0x7000	/* trampolines, ring 3 */
#define SBX_SYS_ENTRY_DATA	0x8000	/* what the trampoline loads */
#define SBX_SYS_EDITS		0x9000	/* page table edits to be made */
#define SBX_SYS_VDSO		0xa000	/* ring 3 */
#define SBX_SYS_SWITCH_DATA	0xb000	/* what SBX_ENTRY_SWITCH loads */
#define SBX_SYS_END		0x10000

/* Offsets in the exception page; an entry per vector, then the editor. */
#define SBX_FAULT_STRIDE	16
#define SBX_FAULT_VECTORS	32
#define SBX_FAULT_EDIT		0x400

/* Where in its page the trampoline is that goes to another thread. */
#define SBX_ENTRY_SWITCH	0x100

/* Offsets in the trampolines' data. The XSAVE area is in the standard format;
 * x87 to AVX-512 and PKRU need 2,696 bytes of it (Intel SDM vol. 1, 13.4). */
#define SBX_ENTRY_XSAVE		0x000
#define SBX_ENTRY_XSAVE_MAX	0xc00
#define SBX_ENTRY_XMASK		0xc00
#define SBX_ENTRY_FSBASE	0xc08
#define SBX_ENTRY_GSBASE	0xc10
#define SBX_ENTRY_RAX		0xc18
#define SBX_ENTRY_RDX		0xc20
#define SBX_ENTRY_RIP		0xc28
#define SBX_ENTRY_CLOCK		0xc30	/* address of a struct sbx_clock */
#define SBX_ENTRY_RCX		0xc38	/* of SBX_ENTRY_SWITCH only */
#define SBX_ENTRY_R11		0xc40

/* Ports, all below 256 so that OUT can take them as an immediate. */
#define SBX_PORT_SYSCALL	0xe0
#define SBX_PORT_FAULT		0xe1
#define SBX_PORT_EDITED		0xe2

/* The page tables' window, and the end of what ring 3 may have. */
#define SBX_GVA_TABLES		0x7e0000000000
#define SBX_GVA_USER_MIN	SBX_SYS_END
#define SBX_GVA_USER_END	0x700000000000

/* Selectors as in Linux, because platform P runs ring 3 on the host's own
 * descriptor table. */
#define SBX_SEL_KCODE		0x10
#define SBX_SEL_KDATA		0x18
#define SBX_SEL_UCODE32		0x23	/* not present: no compatibility mode */
#define SBX_SEL_UDATA		0x2b
#define SBX_SEL_UCODE		0x33
#define SBX_SEL_TSS		0x40

#ifndef __ASSEMBLER__

#include <stdint.h>

/* What the vDSO tells the time from; in the request block. Times are those at
 * which the time stamp counter was (tsc); a tick of it is (mult) / 2^32 ns. */
struct sbx_clock {
	uint64_t		tsc;
	uint64_t		mult;
	int64_t			wall_ns;
	int64_t			mono_ns;
};

#endif

#endif
