/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * world.c: a process without a CPU.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "world.h"

static void
world_log(void *priv, enum sbx_log_e what, const char *b, size_t l)
{
	struct world *w = priv;

	if (l + 3 > sizeof w->log - w->log_len)
		return;
	w->log[w->log_len++] = (char)('0' + (int)what);
	w->log[w->log_len++] = ':';
	memcpy(w->log + w->log_len, b, l);
	w->log_len += l;
	w->log[w->log_len++] = '\n';
}

static void
world_map(struct sbx_paging *pg, uint64_t va, uint64_t *pa, uint64_t len,
    unsigned flags)
{
	struct sbx_err err;

	SBX_Err_Clear(&err);
	AZ(SBX_Paging_Map(pg, (sandbox_gva_t){ va }, (sbx_gpa_t){ *pa }, len,
	    flags, &err));
	*pa += len;
}

void
World_New(struct world *w, const char * const *files)
{
	struct sbx_paging pg;
	struct sbx_err err;
	uint64_t pa, room = SBX_Paging_Room(WORLD_SIZE);
	const unsigned rw = SBX_MAP_USER | SBX_MAP_WRITE;

	memset(w, 0, sizeof *w);
	SBX_Err_Clear(&err);
	w->mem = aligned_alloc(SBX_PAGE, WORLD_SIZE);
	AN(w->mem);
	memset(w->mem, 0, WORLD_SIZE);
	w->m.magic = SBX_MACHINE_MAGIC;
	w->m.vm_fd = w->m.vcpu_fd = -1;
	w->m.run = &w->run;
	w->m.kvm = &w->kvm;
	AZ(SBX_Gmem_Init(&w->m.gmem, w->mem, WORLD_SIZE));
	AZ(SBX_Paging_Init(&pg, &w->m.gmem, room, &err));
	pa = SBX_SYS_END + room;
	world_map(&pg, WORLD_ARENA, &pa, WORLD_ARENA_LEN, rw);
	world_map(&pg, WORLD_STACK, &pa, WORLD_STACK_LEN, rw);
	world_map(&pg, WORLD_WINDOW, &pa,
	    SANDBOX_MAX_REQUEST_BLOCK + WORLD_BODY, rw);
	world_map(&pg, WORLD_RO, &pa, SBX_PAGE, SBX_MAP_USER);
	world_map(&pg, WORLD_KERNEL, &pa, SBX_PAGE, SBX_MAP_WRITE);
	w->layout.arena_lo = WORLD_ARENA;
	w->layout.arena_hi = WORLD_ARENA + WORLD_ARENA_LEN;
	w->layout.stack_lo = WORLD_STACK;
	w->layout.stack_hi = WORLD_STACK + WORLD_STACK_LEN;
	w->layout.window = WORLD_WINDOW;
	w->layout.window_len = SANDBOX_MAX_REQUEST_BLOCK + WORLD_BODY;
	w->layout.body_max = WORLD_BODY;
	AZ(SBX_Allow_New(files, &w->allow, &err));
	SBX_Proc_Init(&w->proc, &w->m, &w->layout, w->allow, "/the/program");
	w->proc.serving = 1;
	w->host.log = world_log;
	w->host.priv = w;
	SBX_Proc_Begin(&w->proc, &w->host, 0, INT64_MAX);
	w->x.magic = SBX_EXCHANGE_MAGIC;
	w->x.body_max = 1 << 20;
	SBX_Exchange_Begin(&w->x);
}

void
World_Fini(struct world *w)
{

	SBX_Proc_Fini(&w->proc);
	SBX_Allow_Destroy(&w->allow);
	SBX_Gmem_Fini(&w->m.gmem);
	free(w->m.xsave);
	free(w->mem);
}

void
World_Put(struct world *w, uint64_t va, const void *b, size_t l)
{

	AZ(SBX_Gmem_CopyOut(&w->m.gmem, (sandbox_gva_t){ va }, b, l));
}

void
World_Get(struct world *w, uint64_t va, void *b, size_t l)
{

	AZ(SBX_Gmem_CopyIn(&w->m.gmem, b, (sandbox_gva_t){ va }, l));
}
