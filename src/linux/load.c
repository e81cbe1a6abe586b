/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * load.c: memory layout, and the stack as the System V ABI wants it.
 */

#include "config.h"

#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox_abi.h"

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/elf.h"
#include "linux/load.h"
#include "linux/proc.h"
#include "machine/kvm.h"
#include "machine/paging.h"
#include "machine/x86_64.h"

/* Unmapped address space between the parts: a stray index or a stack that
 * overflows by one large frame still faults. */
#define LOAD_GUARD		(UINT64_C(1) << 20)

#define LOAD_STACK_MAX		(UINT64_C(8) << 20)	/* as Linux */

/* Reservations begin at a multiple of this. */
#define LOAD_FAR		(UINT64_C(1) << 30)

/* An arena smaller than this is no use to any C library. */
#define LOAD_ARENA_MIN		(UINT64_C(256) << 10)

/* vdso_blob.S */
extern const uint8_t sbx_vdso[], sbx_vdso_end[];

struct load {
	unsigned		magic;
#define LOAD_MAGIC		0x2f7bd319
	const struct sbx_kvm	*kvm;
	const struct sbx_load	*in;
	struct sbx_gmem		*gm;
	struct sbx_paging	pg;
	struct sbx_layout	*lay;
	uint64_t		next;		/* free physical memory */
	struct sbx_err		*err;
};

/* Map the next (len) bytes of physical memory at (va). */
static int
load_map(struct load *ld, uint64_t va, uint64_t len, unsigned flags,
    sbx_gpa_t *gpa)
{

	assert(ld->next <= ld->gm->size && len <= ld->gm->size - ld->next);
	gpa->pa = ld->next;
	ld->next += len;
	return (SBX_Paging_Map(&ld->pg, (sandbox_gva_t){ va }, *gpa, len,
	    flags, ld->err));
}

uint64_t
SBX_Load_InterpBase(const struct sbx_elf *elf)
{

	AN(elf);
	return (SBX_Page_Up(elf->seg[elf->n_seg - 1].hi + LOAD_GUARD));
}

static int
load_segments(struct load *ld, const struct sbx_elf *elf, const void *file)
{
	const struct sbx_elf_seg *s;
	sbx_gpa_t gpa;
	unsigned u;

	for (u = 0; elf != NULL && u < elf->n_seg; u++) {
		s = &elf->seg[u];
		if (load_map(ld, s->lo, s->hi - s->lo, s->flags, &gpa))
			return (-1);
		gpa.pa += s->vaddr - s->lo;
		memcpy(SBX_Gmem_Phys(ld->gm, gpa, s->len),
		    (const uint8_t *)file + s->off, s->len);
	}
	return (0);
}

static uint64_t
load_size_of(const struct sbx_elf *elf)
{
	uint64_t l = 0;
	unsigned u;

	for (u = 0; u < elf->n_seg; u++)
		l += elf->seg[u].hi - elf->seg[u].lo;
	return (l);
}

/*
 * Decide where everything goes. Segments are first because they are where
 * they are; the arena gets what is left.
 */
static int
load_layout(struct load *ld)
{
	const struct sbx_elf *elf = ld->in->elf, *interp = ld->in->interp;
	struct sbx_layout *lay = ld->lay;
	uint64_t segs, stack, need, arena, va;

	segs = load_size_of(elf);
	va = elf->seg[elf->n_seg - 1].hi;
	if (interp != NULL) {
		segs += load_size_of(interp);
		if (va < interp->seg[interp->n_seg - 1].hi)
			va = interp->seg[interp->n_seg - 1].hi;
	}
	stack = SBX_Page_Up(ld->gm->size / 8);
	if (stack > LOAD_STACK_MAX)
		stack = LOAD_STACK_MAX;
	lay->body_max = ld->in->body_max;
	lay->window_len = SANDBOX_MAX_REQUEST_BLOCK +
	    SBX_Page_Up(ld->in->body_max);
	need = ld->next + segs + stack + lay->window_len + LOAD_ARENA_MIN;
	if (need > ld->gm->size)
		return (SBX_Err_Set(ld->err, SBX_FAIL_CONFIG, 0,
		    "needs at least %ju KB of memory and has %ju KB (%ju KB "
		    "of them for max_request_body); raise memory",
		    (uintmax_t)(need >> 10), (uintmax_t)(ld->gm->size >> 10),
		    (uintmax_t)(lay->window_len >> 10)));
	arena = ld->gm->size - (need - LOAD_ARENA_MIN);
	if (va > SBX_GVA_USER_END - 4 * LOAD_GUARD - 2 * ld->gm->size)
		return (SBX_Err_Set(ld->err, SBX_FAIL_CONFIG, 0,
		    "linked too high, at address 0x%jx", (uintmax_t)va));
	lay->entry = interp != NULL ? interp->entry : elf->entry;
	lay->program_lo = elf->seg[0].lo;
	lay->exec = ld->in->exec;
	lay->dynamic = interp != NULL;
	lay->symbols = ld->in->symbols;
	lay->arena_lo = va + LOAD_GUARD;
	lay->arena_hi = lay->arena_lo + arena;
	lay->stack_lo = lay->arena_hi + LOAD_GUARD;
	lay->stack_hi = lay->stack_lo + stack;
	lay->window = lay->stack_hi + LOAD_GUARD;
	/* tables of their own, so that they are no concern of others' */
	lay->far_lo = (lay->window + lay->window_len + LOAD_FAR - 1) &
	    ~(LOAD_FAR - 1);
	lay->far_hi = SBX_GVA_USER_END;
	if (lay->far_lo > lay->far_hi)
		lay->far_lo = lay->far_hi;
	lay->clock = lay->window + sizeof(struct sandbox_request);
	return (0);
}

/*--------------------------------------------------------------------
 * The stack
 */

struct load_stack {
	uint8_t			*top;		/* host address of its end */
	uint64_t		va;		/* of its end */
	uint64_t		used;		/* bytes, from the end */
};

static uint64_t
load_push(struct load_stack *st, const void *b, size_t l)
{

	st->used += l;
	memcpy(st->top - st->used, b, l);
	return (st->va - st->used);
}

/* Bytes and number of a list of strings. */
static size_t
load_size(const char * const *list, size_t *n)
{
	size_t l = 0;

	for (*n = 0; list != NULL && list[*n] != NULL; (*n)++)
		l += strlen(list[*n]) + 1 + sizeof(uint64_t);
	return (l);
}

static size_t
load_strings(struct load_stack *st, const char * const *list, size_t n,
    uint64_t *words)
{
	size_t u;

	for (u = 0; u < n; u++)
		words[u] = load_push(st, list[u], strlen(list[u]) + 1);
	words[n] = 0;
	return (n + 1);
}

/* Time without a system call, if guests can see the host's TSC. */
static int
load_vdso(struct load *ld)
{
	sbx_gpa_t gpa = { SBX_SYS_VDSO };

	if (ld->kvm->tsc_mult == 0)
		return (0);
	assert(sbx_vdso_end - sbx_vdso <= SBX_PAGE);
	memcpy(SBX_Gmem_Phys(ld->gm, gpa, SBX_PAGE), sbx_vdso,
	    (size_t)(sbx_vdso_end - sbx_vdso));
	return (SBX_Paging_Map(&ld->pg, (sandbox_gva_t){ SBX_SYS_VDSO }, gpa,
	    SBX_PAGE, SBX_MAP_USER | SBX_MAP_EXEC, ld->err));
}

static size_t
load_auxv(const struct load *ld, struct load_stack *st, uint64_t *w,
    const uint8_t *random, uint64_t execfn)
{
	const struct sbx_elf *elf = ld->in->elf;
	uint32_t a, b, c, d = 0;
	size_t n = 0;

	(void)__get_cpuid(1, &a, &b, &c, &d);
#define AUX(type, value)						\
	do { w[n++] = (type); w[n++] = (value); } while (0)
	AUX(AT_PHDR, elf->phdr);
	AUX(AT_PHENT, elf->phent);
	AUX(AT_PHNUM, elf->phdr == 0 ? 0 : elf->phnum);
	AUX(AT_PAGESZ, SBX_PAGE);
	AUX(AT_BASE, ld->in->interp != NULL ? ld->in->interp->base : 0);
	AUX(AT_FLAGS, 0);
	AUX(AT_ENTRY, elf->entry);
	AUX(AT_UID, SBX_PROC_UID);
	AUX(AT_EUID, SBX_PROC_UID);
	AUX(AT_GID, SBX_PROC_UID);
	AUX(AT_EGID, SBX_PROC_UID);
	AUX(AT_SECURE, 0);
	AUX(AT_CLKTCK, 100);
	AUX(AT_HWCAP, d);
	AUX(AT_HWCAP2, 2);	/* FSGSBASE may be used (HWCAP2_FSGSBASE) */
	AUX(AT_MINSIGSTKSZ, SBX_SIGNAL_STACK);
	AUX(AT_RANDOM, load_push(st, random, 16));
	AUX(AT_PLATFORM, load_push(st, "x86_64", 7));
	AUX(AT_EXECFN, execfn);
	if (ld->kvm->tsc_mult != 0)
		AUX(AT_SYSINFO_EHDR, SBX_SYS_VDSO);
	AUX(AT_NULL, 0);
#undef AUX
	return (n);
}

/* argc, argv, envp and auxiliary vector; 64 words are enough for the last */
#define LOAD_AUX_WORDS		64

static int
load_stack(struct load *ld, uint8_t *top)
{
	struct load_stack st = { top, ld->lay->stack_hi, 0 };
	size_t argc, envc, n, l, aux;
	uint8_t random[16];
	uint64_t *w, path, execfn;

	l = load_size(ld->in->argv, &argc) + load_size(ld->in->envp, &envc);
	if (l > SBX_LOAD_ARGS_MAX)
		return (SBX_Err_Set(ld->err, SBX_FAIL_CONFIG, 0,
		    "arguments and environment take %zu bytes, at most %d are "
		    "possible", l, SBX_LOAD_ARGS_MAX));
	if (sbx_os.getrandom(random, sizeof random, 0) !=
	    (ssize_t)sizeof random)
		return (SBX_Err_Set(ld->err, SBX_FAIL_HOST, errno,
		    "getrandom"));
	w = sbx_os.calloc(argc + envc + LOAD_AUX_WORDS, sizeof *w);
	if (w == NULL)
		return (SBX_Err_Set(ld->err, SBX_FAIL_HOST, ENOMEM, "stack"));
	path = load_push(&st, ld->in->path, strlen(ld->in->path) + 1);
	execfn = load_push(&st, ld->in->execfn, strlen(ld->in->execfn) + 1);
	n = 0;
	w[n++] = argc + 1;
	w[n++] = path;
	n += load_strings(&st, ld->in->argv, argc, w + n);
	n += load_strings(&st, ld->in->envp, envc, w + n);
	aux = n;
	n += load_auxv(ld, &st, w + n, random, execfn);
	assert(n <= argc + envc + LOAD_AUX_WORDS);
	/* RSP is a multiple of 16 at the first instruction (ABI 3.4.1) */
	st.used += (16 - (st.used + n * sizeof *w) % 16) % 16;
	ld->lay->sp = load_push(&st, w, n * sizeof *w);
	ld->lay->auxv = ld->lay->sp + aux * sizeof *w;
	ld->lay->auxv_len = (n - aux) * sizeof *w;
	free(w);
	return (0);
}

static int
load_parts(struct load *ld)
{
	struct sbx_layout *lay = ld->lay;
	uint64_t len = lay->stack_hi - lay->stack_lo;
	sbx_gpa_t stack, any, arena;
	const unsigned rw = SBX_MAP_USER | SBX_MAP_WRITE;

	if (load_map(ld, lay->stack_lo, len, rw, &stack) ||
	    load_map(ld, lay->window, lay->window_len, rw, &any) ||
	    load_map(ld, lay->arena_lo, lay->arena_hi - lay->arena_lo, rw,
	    &arena))
		return (-1);
	lay->arena_pa = arena.pa;
	lay->table = ld->pg.next;
	lay->table_end = ld->pg.end;
	return (load_stack(ld, (uint8_t *)SBX_Gmem_Phys(ld->gm, stack, len) +
	    len));
}

int
SBX_Load(const struct sbx_kvm *kvm, struct sbx_gmem *gm,
    const struct sbx_load *in, struct sbx_layout *lay, struct sbx_err *err)
{
	struct load ld;
	uint64_t room;

	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	CHECK_OBJ_NOTNULL(kvm, SBX_KVM_MAGIC);
	AN(in);
	AN(lay);
	INIT_OBJ(&ld, LOAD_MAGIC);
	ld.kvm = kvm;
	ld.in = in;
	ld.gm = gm;
	ld.lay = lay;
	ld.err = err;
	memset(lay, 0, sizeof *lay);
	room = SBX_Paging_Room(gm->size);
	ld.next = SBX_SYS_END + room;
	if (load_layout(&ld) || SBX_Paging_Init(&ld.pg, gm, room, err) ||
	    SBX_X86_Install(kvm, &ld.pg, err) || load_vdso(&ld) ||
	    load_segments(&ld, in->elf, in->file) ||
	    load_segments(&ld, in->interp, in->interp_file) || load_parts(&ld))
		return (-1);
	return (0);
}
