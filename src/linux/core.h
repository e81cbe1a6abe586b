/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A core file of a guest that was killed: ELF, as Linux would have written it,
 * for a debugger.
 *
 * What goes in is the guest's: its registers, its memory as far as it has it
 * mapped, and where the loader has put its files. All memory is read through
 * the guest's page tables and lies in the VM's memory; nothing of the host's
 * process does.
 *
 * Pages that are zero are holes in the file. If there are more others than the
 * limit allows, those around the stack pointers come first, then the program's
 * data, then the rest; what is left out the debugger calls not accessible.
 */

#ifndef SBX_CORE_H_INCLUDED
#define SBX_CORE_H_INCLUDED

#include <stdint.h>

struct sbx_err;
struct sbx_proc;

/* Ranges of addresses in one file, at most. Those in excess are left out. */
#define SBX_CORE_SEGS_MAX	4096

/* Bytes of memory around each stack pointer that come first. */
#define SBX_CORE_STACK		(UINT64_C(256) << 10)

struct sbx_core {
	uint64_t		max;		/* bytes of memory to write;
						 * of reservations again as
						 * many, see linux/far.h */
	const uint64_t		*maybe;		/* a bit per page: may not be
						 * zero. NULL: any */
	/* filled in: */
	uint64_t		written;	/* bytes, holes not counted */
	uint64_t		left_out;	/* bytes of memory */
};

/*
 * Write a core of (p), which was killed and is not going to run again, to the
 * empty file (fd). Any thread may do this, with nobody else at the VM. Takes
 * memory in proportion to the VM's, one bit per page. Returns -1 and fills
 * (err) if the host refused something; the file is of no use then.
 */
int SBX_Core_Write(struct sbx_proc *, struct sbx_core *, int fd,
    struct sbx_err *err);

#endif
