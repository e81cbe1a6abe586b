/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * stubs.S: the only code of ours that runs inside of a guest.
 *
 * It is data for the host: three blobs, each copied to its page of the golden
 * image (layout.h). All of it is position independent but for the addresses
 * that layout.h fixes.
 */

#include "machine/layout.h"

	.section .rodata
	.balign	64

/*
 * Where SYSCALL arrives. On hardware this is ring 0 and the host continues
 * it at the SYSRET, with RAX set. On platform P it is still ring 3, where
 * SYSRET is not allowed: the host continues at RCX by itself.
 */
	.globl	sbx_stub_syscall, sbx_stub_syscall_ret, sbx_stub_syscall_end
sbx_stub_syscall:
	outb	%al, $SBX_PORT_SYSCALL
sbx_stub_syscall_ret:
	sysretq
sbx_stub_syscall_end:

/*
 * Exceptions. The host finds on the stack: vector, error code, RIP, CS,
 * RFLAGS, RSP, SS. It never continues after the OUT.
 */
	.balign	64
	.globl	sbx_stub_fault, sbx_stub_fault_end
sbx_stub_fault:
	vector = 0
	.rept	SBX_FAULT_VECTORS
	.balign	SBX_FAULT_STRIDE, 0xcc
	/* these bring an error code of their own (SDM vol. 3, table 6-1) */
	.if	!(vector == 8 || (vector >= 10 && vector <= 14) || \
		  vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	jmp	fault_out
	vector = vector + 1
	.endr
fault_out:
	outb	%al, $SBX_PORT_FAULT
1:	hlt
	jmp	1b

/*
 * Change page table entries from inside, at ring 0, because platform P never
 * sees the host take a mapping away (doc/design.rst). RDI: array of {address
 * of the entry, new value, address it maps}, RCX: how many, at least one.
 */
	.org	sbx_stub_fault + SBX_FAULT_EDIT, 0xcc
1:	movq	0(%rdi), %rax
	movq	8(%rdi), %rdx
	movq	%rdx, (%rax)
	movq	16(%rdi), %rax
	invlpg	(%rax)
	addq	$24, %rdi
	decq	%rcx
	jnz	1b
	outb	%al, $SBX_PORT_EDITED
2:	hlt
	jmp	2b
sbx_stub_fault_end:

/*
 * Ring 3's first instructions in every request: load the vector state, the
 * segment registers and their bases of the golden image, then return from the
 * system call in which it was frozen. Everything else has come through
 * kvm_run. Changes no flags.
 */
	.macro	load_state data
	/* AMD's CPUs before Zen do not let XRSTOR change the x87's pointers to
	 * its last instruction and operand unless there is an exception to be
	 * told; this clears them. */
	fninit
	movl	\data + SBX_ENTRY_XMASK, %eax
	movl	\data + SBX_ENTRY_XMASK + 4, %edx
	xrstor64 \data + SBX_ENTRY_XSAVE
	movl	$0, %ecx
	movl	%ecx, %ds
	movl	%ecx, %es
	movl	%ecx, %fs
	movl	%ecx, %gs
	movq	\data + SBX_ENTRY_FSBASE, %rcx
	wrfsbase %rcx
	movq	\data + SBX_ENTRY_GSBASE, %rcx
	wrgsbase %rcx
	movq	\data + SBX_ENTRY_RDX, %rdx
	movq	\data + SBX_ENTRY_RAX, %rax
	.endm

	.balign	64
	.globl	sbx_stub_entry, sbx_stub_entry_end
sbx_stub_entry:
	load_state SBX_SYS_ENTRY_DATA
	movq	SBX_SYS_ENTRY_DATA + SBX_ENTRY_RIP, %rcx
	jmp	*%rcx

/*
 * To a thread that need not be in a system call: all registers are what it
 * had, RCX and R11 too, which a return from a system call would take.
 */
	.org	sbx_stub_entry + SBX_ENTRY_SWITCH, 0xcc
	load_state SBX_SYS_SWITCH_DATA
	movq	SBX_SYS_SWITCH_DATA + SBX_ENTRY_RCX, %rcx
	movq	SBX_SYS_SWITCH_DATA + SBX_ENTRY_R11, %r11
	jmp	*SBX_SYS_SWITCH_DATA + SBX_ENTRY_RIP
sbx_stub_entry_end:

	.section .note.GNU-stack, "", @progbits
