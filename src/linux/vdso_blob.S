/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * vdso_blob.S: the shared object that vdso.c makes, as data.
 */

	.section .rodata
	.balign	16
	.globl	sbx_vdso, sbx_vdso_end
sbx_vdso:
	.incbin	"src/linux/vdso.so"
sbx_vdso_end:

	.section .note.GNU-stack, "", @progbits
