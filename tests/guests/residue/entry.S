/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Across the border with known values in all registers, and a look at what is
 * in them on the other side before anything else happens. Memory is addressed
 * by RIP only, because no register is free.
 */

/* sandbox_abi.h is C; residue.c checks that these are the same. */
#define SANDBOX_ABI_VERSION	1
#define SANDBOX_CALL_NEXT	0x5b001

#include "residue.h"

#define AC_TF		0x40100

	.bss
	.balign	64
	.globl	cross_load, cross_got, cross_mask, cross_fsgsbase
	.globl	cross_below_before, cross_below_after, cross_again
	.globl	cross_return
cross_load:
	.skip	256 + XSAVE_BYTES
	.balign	64
cross_got:
	.skip	256 + XSAVE_BYTES
cross_mask:
	.skip	8
cross_fsgsbase:
	.skip	8
cross_again:
	.skip	8
keep_rsp:
	.skip	8
keep_fs_base:
	.skip	8
keep_gs_base:
	.skip	8
keep_ds:
	.skip	8
keep_es:
	.skip	8
keep_fs:
	.skip	8
keep_gs:
	.skip	8
	.balign	16
	.skip	256
own_stack:
	.skip	16
cross_below_before:
	.skip	STACK_BYTES
cross_below_after:
	.skip	STACK_BYTES

	.text
	.globl	cross
	.type	cross, @function
cross:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	%rsp, keep_rsp(%rip)
	mov	%rdi, cross_load+CPU_RSI(%rip)
	mov	%ds, keep_ds(%rip)
	mov	%es, keep_es(%rip)
	mov	%fs, keep_fs(%rip)
	mov	%gs, keep_gs(%rip)

	/* The stack is not written to from here on. */
	cmpl	$0, cross_again(%rip)
	jne	0f
	cld
	lea	-STACK_BYTES(%rsp), %rsi
	lea	cross_below_before(%rip), %rdi
	mov	$STACK_BYTES, %ecx
	rep movsb
0:
	mov	cross_mask(%rip), %eax
	xor	%edx, %edx
	xrstor64 cross_load+256(%rip)

	mov	cross_load+CPU_DS(%rip), %ds
	mov	cross_load+CPU_ES(%rip), %es
	cmpl	$0, cross_fsgsbase(%rip)
	je	1f
	rdfsbase %rax
	mov	%rax, keep_fs_base(%rip)
	rdgsbase %rax
	mov	%rax, keep_gs_base(%rip)
	mov	cross_load+CPU_FS(%rip), %fs
	mov	cross_load+CPU_GS(%rip), %gs
	mov	cross_load+CPU_FS_BASE(%rip), %rax
	wrfsbase %rax
	mov	cross_load+CPU_GS_BASE(%rip), %rax
	wrgsbase %rax
1:
	mov	cross_load+CPU_RBX(%rip), %rbx
	mov	cross_load+CPU_RCX(%rip), %rcx
	mov	cross_load+CPU_RDX(%rip), %rdx
	mov	cross_load+CPU_RSI(%rip), %rsi
	mov	cross_load+CPU_RBP(%rip), %rbp
	mov	cross_load+CPU_R8(%rip), %r8
	mov	cross_load+CPU_R9(%rip), %r9
	mov	cross_load+CPU_R10(%rip), %r10
	mov	cross_load+CPU_R11(%rip), %r11
	mov	cross_load+CPU_R12(%rip), %r12
	mov	cross_load+CPU_R13(%rip), %r13
	mov	cross_load+CPU_R14(%rip), %r14
	mov	cross_load+CPU_R15(%rip), %r15
	mov	$SANDBOX_ABI_VERSION, %edi
	lea	own_stack(%rip), %rsp
	pushq	cross_load+CPU_RFLAGS(%rip)
	popfq
	mov	cross_load+CPU_RSP(%rip), %rsp
	mov	$SANDBOX_CALL_NEXT, %eax
	syscall
cross_return:
	mov	%rax, cross_got+CPU_RAX(%rip)
	mov	%rbx, cross_got+CPU_RBX(%rip)
	mov	%rcx, cross_got+CPU_RCX(%rip)
	mov	%rdx, cross_got+CPU_RDX(%rip)
	mov	%rsi, cross_got+CPU_RSI(%rip)
	mov	%rdi, cross_got+CPU_RDI(%rip)
	mov	%rbp, cross_got+CPU_RBP(%rip)
	mov	%rsp, cross_got+CPU_RSP(%rip)
	mov	%r8, cross_got+CPU_R8(%rip)
	mov	%r9, cross_got+CPU_R9(%rip)
	mov	%r10, cross_got+CPU_R10(%rip)
	mov	%r11, cross_got+CPU_R11(%rip)
	mov	%r12, cross_got+CPU_R12(%rip)
	mov	%r13, cross_got+CPU_R13(%rip)
	mov	%r14, cross_got+CPU_R14(%rip)
	mov	%r15, cross_got+CPU_R15(%rip)
	lea	own_stack(%rip), %rsp
	pushfq
	popq	cross_got+CPU_RFLAGS(%rip)
	pushfq
	andq	$~AC_TF, (%rsp)
	popfq
	cld
	mov	%ds, cross_got+CPU_DS(%rip)
	mov	%es, cross_got+CPU_ES(%rip)
	mov	%fs, cross_got+CPU_FS(%rip)
	mov	%gs, cross_got+CPU_GS(%rip)
	mov	%ss, cross_got+CPU_SS(%rip)
	mov	%cs, cross_got+CPU_CS(%rip)
	mov	cross_mask(%rip), %eax
	xor	%edx, %edx
	xsave64	cross_got+256(%rip)

	mov	keep_ds(%rip), %ds
	mov	keep_es(%rip), %es
	cmpl	$0, cross_fsgsbase(%rip)
	je	2f
	rdfsbase %rax
	mov	%rax, cross_got+CPU_FS_BASE(%rip)
	rdgsbase %rax
	mov	%rax, cross_got+CPU_GS_BASE(%rip)
	mov	keep_fs(%rip), %fs
	mov	keep_gs(%rip), %gs
	mov	keep_fs_base(%rip), %rax
	wrfsbase %rax
	mov	keep_gs_base(%rip), %rax
	wrgsbase %rax
2:
	mov	keep_rsp(%rip), %rsp
	lea	-STACK_BYTES(%rsp), %rsi
	lea	cross_below_after(%rip), %rdi
	mov	$STACK_BYTES, %ecx
	rep movsb

	/* All of the vector state as a program begins with it. */
	mov	cross_mask(%rip), %eax
	xor	%edx, %edx
	xrstor64 init_xsave(%rip)

	mov	cross_got+CPU_RAX(%rip), %rax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	cross, . - cross

	/* XSTATE_BV is 0: every component is put into its initial state. */
	.section .rodata
	.balign	64
init_xsave:
	.skip	24
	.long	0x1f80
	.skip	XSAVE_BYTES - 28

	.section .note.GNU-stack, "", @progbits
