/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * core.c: which memory goes into a core file, and writing it. corenote.c has
 * the registers and what else is known.
 */

#include "config.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/core.h"
#include "linux/corenote.h"
#include "linux/proc.h"

struct core_seg {
	uint64_t		lo, hi;
	uint64_t		flags;		/* of page table entries */
	uint64_t		off;		/* in the file */
};

struct core {
	unsigned		magic;
#define CORE_MAGIC		0x4be7d0c6
	struct sbx_proc		*p;
	const struct sbx_gmem	*gm;
	struct sbx_core		*in;
	int			fd;
	struct sbx_err		*err;
	uint64_t		budget;		/* bytes left to take */
	uint64_t		room[2];	/* and in the file; reservations */
	uint64_t		steps;		/* entries left to look at */
	uint64_t		*take;		/* a bit per page */
	unsigned		n_seg;
	struct core_seg		seg[SBX_CORE_SEGS_MAX];
	struct sbx_corenotes	notes;
};

typedef int core_page_f(struct core *, uint64_t va, uint64_t entry);

#define CORE_RIGHTS		(SBX_PTE_W | SBX_PTE_NX)

/*--------------------------------------------------------------------
 * Memory that the program has. A guest that got into ring 0 may have written
 * its page tables, so that they are circles: hence the steps.
 */

static int
core_walk(struct core *c, uint64_t table, uint64_t va, int shift,
    uint64_t lo, uint64_t hi, core_page_f *func)
{
	const uint64_t *e;
	uint64_t at, u;
	int i = 0;

	if (table > c->gm->size - SBX_PAGE)
		return (0);
	e = (const uint64_t *)(const void *)(c->gm->base + table);
	for (u = 0; u < 512 && i == 0; u++) {
		at = va + (u << shift);
		if (at >= hi || at + (UINT64_C(1) << shift) <= lo ||
		    (e[u] & (SBX_PTE_P | SBX_PTE_U)) !=
		    (SBX_PTE_P | SBX_PTE_U))
			continue;
		if (c->steps == 0)
			return (0);
		c->steps--;
		if (shift > 12)
			i = core_walk(c, e[u] & SBX_PTE_ADDR, at, shift - 9,
			    lo, hi, func);
		else if ((e[u] & SBX_PTE_ADDR) <= c->gm->size - SBX_PAGE)
			i = func(c, at, e[u]);
	}
	return (i);
}

static int
core_range(struct core *c, uint64_t lo, uint64_t hi, core_page_f *func)
{

	if (lo >= hi)
		return (0);
	/* each range once, each page and the tables for it; and some spare */
	c->steps = c->gm->size / SBX_PAGE * 2 + 4096;
	return (core_walk(c, SBX_SYS_END, 0, 39, lo, hi, func));
}

/* Ascending. What the program has given back is not its memory any more, though
 * it is still mapped. */
static int
core_all(struct core *c, core_page_f *func)
{
	const struct sbx_layout *lay = c->p->layout;
	const struct sbx_mm *mm = &c->p->mm;
	unsigned u;
	int i;

	/* the only page of the host's that belongs to the program's view */
	i = core_range(c, SBX_SYS_VDSO, SBX_SYS_VDSO + SBX_PAGE, func);
	if (i == 0)
		i = core_range(c, lay->program_lo, lay->arena_lo, func);
	if (i == 0)
		i = core_range(c, mm->lo, SBX_Page_Up(mm->brk), func);
	for (u = 0; u < mm->n_extent && i == 0; u++)
		i = core_range(c, mm->extent[u].lo, mm->extent[u].hi, func);
	if (i == 0)
		i = core_range(c, lay->stack_lo, lay->stack_hi, func);
	if (i == 0)
		i = core_range(c, lay->window, lay->window + lay->window_len,
		    func);
	if (i == 0)
		i = core_range(c, lay->far_lo, lay->far_hi, func);
	return (i);
}

/*--------------------------------------------------------------------
 * What is taken
 */

static int
core_bit(const uint64_t *map, uint64_t page)
{

	return (map[page / 64] >> (page % 64) & 1);
}

static int
core_is_zero(const struct core *c, uint64_t pa)
{

	return ((c->in->maybe != NULL && !core_bit(c->in->maybe,
	    pa / SBX_PAGE)) || SBX_Page_IsZero(c->gm->base + pa));
}

static int
core_take(struct core *c, uint64_t va, uint64_t e)
{
	uint64_t pa = e & SBX_PTE_ADDR, page = pa / SBX_PAGE;

	(void)va;
	if (core_bit(c->take, page) || core_is_zero(c, pa))
		return (0);
	if (c->budget < SBX_PAGE)
		return (1);
	c->budget -= SBX_PAGE;
	c->take[page / 64] |= UINT64_C(1) << (page % 64);
	return (0);
}

/* The most important first. */
static void
core_choose(struct core *c)
{
	const struct sbx_layout *lay = c->p->layout;
	uint64_t sp;
	unsigned u;

	for (u = 0; u < c->notes.n_sp; u++) {
		/* with the red zone */
		sp = SBX_Page_Down(c->notes.sp[u] - 128);
		if (core_range(c, sp, sp + SBX_CORE_STACK, core_take))
			return;
	}
	if (core_range(c, lay->program_lo, lay->arena_lo, core_take) ||
	    core_range(c, lay->stack_lo, lay->stack_hi, core_take) ||
	    core_range(c, lay->window, lay->window + lay->window_len,
	    core_take))
		return;
	(void)core_all(c, core_take);
}

/* A page goes into a segment: with its bytes, or as a hole. */
static int
core_segment(struct core *c, uint64_t va, uint64_t e)
{
	uint64_t pa = e & SBX_PTE_ADDR;
	uint64_t *room = &c->room[va >= c->p->layout->far_lo];
	struct core_seg *s;

	if (core_bit(c->take, pa / SBX_PAGE) ? *room < SBX_PAGE :
	    !core_is_zero(c, pa)) {
		c->in->left_out += SBX_PAGE;
		return (0);
	}
	s = c->n_seg == 0 ? NULL : &c->seg[c->n_seg - 1];
	if (s == NULL || s->hi != va || s->flags != (e & CORE_RIGHTS)) {
		if (c->n_seg == SBX_CORE_SEGS_MAX) {
			c->in->left_out += SBX_PAGE;
			return (0);
		}
		s = &c->seg[c->n_seg++];
		s->lo = va;
		s->flags = e & CORE_RIGHTS;
	}
	s->hi = va + SBX_PAGE;
	/* what is in a reservation is in the arena, too; but in tables that the
	 * guest has written one page may be everywhere */
	if (core_bit(c->take, pa / SBX_PAGE))
		*room -= SBX_PAGE;
	return (0);
}

/*--------------------------------------------------------------------
 * The file
 */

static int
core_pwrite(struct core *c, const void *b, size_t l, uint64_t off)
{
	const uint8_t *p = b;
	ssize_t i;

	for (; l > 0; p += i, l -= (size_t)i, off += (size_t)i) {
		i = sbx_os.pwrite(c->fd, p, l, (off_t)off);
		if (i < 0 && errno == EINTR)
			i = 0;
		else if (i <= 0)
			return (SBX_Err_Set(c->err, SBX_FAIL_HOST,
			    i < 0 ? errno : ENOSPC, "write"));
	}
	return (0);
}

static void
core_ehdr(const struct core *c, Elf64_Ehdr *eh)
{

	memset(eh, 0, sizeof *eh);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_CORE;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_phoff = sizeof *eh;
	eh->e_ehsize = sizeof *eh;
	eh->e_phentsize = sizeof(Elf64_Phdr);
	eh->e_phnum = (Elf64_Half)(c->n_seg + 1);
}

/* More than a file may have would be a signal that kills the process. */
static int
core_fits(struct core *c, uint64_t end)
{
	struct rlimit r;

	AZ(getrlimit(RLIMIT_FSIZE, &r));
	if (end <= INT64_MAX && (r.rlim_cur == RLIM_INFINITY ||
	    end <= r.rlim_cur))
		return (0);
	return (SBX_Err_Set(c->err, SBX_FAIL_HOST, EFBIG,
	    "core of %ju bytes, holes counted (RLIMIT_FSIZE)",
	    (uintmax_t)end));
}

/* Header, program headers and notes. (*end) is where the file ends. */
static int
core_head(struct core *c, uint64_t *end)
{
	const size_t l = sizeof(Elf64_Ehdr) +
	    (c->n_seg + 1) * sizeof(Elf64_Phdr);
	struct core_seg *s;
	Elf64_Phdr *ph;
	uint64_t off;
	uint8_t *b;
	int i;

	b = sbx_os.calloc(1, l);
	if (b == NULL)
		return (SBX_Err_Set(c->err, SBX_FAIL_HOST, ENOMEM, "core"));
	core_ehdr(c, (Elf64_Ehdr *)(void *)b);
	ph = (Elf64_Phdr *)(void *)(b + sizeof(Elf64_Ehdr));
	ph->p_type = PT_NOTE;
	ph->p_offset = l;
	ph->p_filesz = c->notes.len;
	ph->p_align = 4;
	off = SBX_Page_Up(l + c->notes.len);
	for (s = c->seg; s < c->seg + c->n_seg; s++) {
		ph++;
		ph->p_type = PT_LOAD;
		ph->p_flags = PF_R | (s->flags & SBX_PTE_W ? PF_W : 0) |
		    (s->flags & SBX_PTE_NX ? 0 : PF_X);
		ph->p_vaddr = s->lo;
		ph->p_offset = s->off = off;
		ph->p_filesz = ph->p_memsz = s->hi - s->lo;
		ph->p_align = SBX_PAGE;
		off += s->hi - s->lo;
	}
	*end = off;
	i = core_fits(c, off) || core_pwrite(c, b, l, 0) ||
	    core_pwrite(c, c->notes.b, c->notes.len, l);
	free(b);
	return (i ? -1 : 0);
}

/* The pages of a segment that are not holes, as many at a time as lie in a
 * row. */
static int
core_body(struct core *c, const struct core_seg *s)
{
	uint64_t va, l, pa, next;
	const uint64_t *e;

	for (va = s->lo; va < s->hi; va += l) {
		l = SBX_PAGE;
		e = SBX_Gmem_Entry(c->gm, (sandbox_gva_t){ va });
		AN(e);
		pa = *e & SBX_PTE_ADDR;
		if (!core_bit(c->take, pa / SBX_PAGE))
			continue;
		for (; va + l < s->hi; l += SBX_PAGE) {
			e = SBX_Gmem_Entry(c->gm, (sandbox_gva_t){ va + l });
			AN(e);
			next = *e & SBX_PTE_ADDR;
			if (next != pa + l ||
			    !core_bit(c->take, next / SBX_PAGE))
				break;
		}
		if (core_pwrite(c, c->gm->base + pa, l, s->off + va - s->lo))
			return (-1);
		c->in->written += l;
	}
	return (0);
}

static int
core_file(struct core *c)
{
	uint64_t end = 0;
	unsigned u;

	if (core_head(c, &end))
		return (-1);
	for (u = 0; u < c->n_seg; u++)
		if (core_body(c, &c->seg[u]))
			return (-1);
	/* the last page may be a hole */
	if (sbx_os.ftruncate(c->fd, (off_t)end) < 0)
		return (SBX_Err_Set(c->err, SBX_FAIL_HOST, errno,
		    "core of %ju bytes", (uintmax_t)end));
	return (0);
}

int
SBX_Core_Write(struct sbx_proc *p, struct sbx_core *in, int fd,
    struct sbx_err *err)
{
	struct core *c;
	int i = -1;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	AN(in);
	in->written = in->left_out = 0;
	SBX_ALLOC_OBJ(c, CORE_MAGIC);
	if (c == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "core"));
	c->p = p;
	c->gm = &p->machine->gmem;
	c->in = in;
	c->fd = fd;
	c->err = err;
	c->budget = c->room[0] = c->room[1] = in->max;
	c->take = sbx_os.calloc((c->gm->size / SBX_PAGE + 63) / 64,
	    sizeof *c->take);
	if (c->take == NULL)
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "core");
	else if (!SBX_Corenotes_Init(&c->notes, p, err)) {
		core_choose(c);
		(void)core_all(c, core_segment);
		i = core_file(c);
	}
	SBX_Corenotes_Fini(&c->notes);
	free(c->take);
	FREE_OBJ(c);
	return (i);
}
