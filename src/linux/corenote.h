/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The notes of a core file: registers of each thread, the signal, the auxiliary
 * vector, what the loader has put where. [for linux/core.c]
 */

#ifndef SBX_CORENOTE_H_INCLUDED
#define SBX_CORENOTE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "linux/thread.h"

struct sbx_err;
struct sbx_proc;

struct sbx_corenotes {
	uint8_t			*b;
	size_t			len, room;
	unsigned		n_sp;
	uint64_t		sp[SBX_THREADS_MAX];	/* stack pointers */
};

/* Collect all of it. The first thread is the one that the process was killed
 * for. Returns -1 and fills (err) if the host refused something. Fini() is for
 * what is zero or was given to Init(). */
int SBX_Corenotes_Init(struct sbx_corenotes *, struct sbx_proc *,
    struct sbx_err *err);
void SBX_Corenotes_Fini(struct sbx_corenotes *);

#endif
