/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sys_mem.c: memory.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "linux/mem.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "machine/paging.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000
#endif

/* Libraries whose segments are aligned to more than a page are put into a
 * reservation; few are larger than this. */
#define MEM_LIBRARY		(UINT64_C(8) << 20)

#define MEM_RW			(SBX_MAP_USER | SBX_MAP_WRITE)

/* From this many bytes on, memory without access is not closed page by page. */
#define MEM_RESERVE		(UINT64_C(4) << 20)

uint64_t
SBX_Mem_Behind(struct sbx_proc *p, uint64_t va, uint64_t len, int write,
    uint8_t **b)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(p);
	uint64_t l = 0, pa, first = 0;
	const uint64_t *e;

	if (len == 0 || va < SBX_SYS_END)
		return (0);
	do {
		e = SBX_Gmem_Entry(gm, (sandbox_gva_t){ va + l });
		if (e == NULL || !(*e & SBX_PTE_U))
			break;
		pa = (*e & SBX_PTE_ADDR) + (va + l) % SBX_PAGE;
		if (pa >= gm->size || (l > 0 && pa != first + l))
			break;
		if (l == 0)
			first = pa;
		l += SBX_PAGE - (va + l) % SBX_PAGE;
	} while (l < len);
	if (l > len)
		l = len;
	if (l == 0)
		return (0);
	if (write)
		SBX_Gmem_Touch(gm, (sbx_gpa_t){ first }, l);
	*b = SBX_Gmem_Phys(gm, (sbx_gpa_t){ first }, l);
	return (l);
}

int64_t
SBX_Mem_Zero(struct sbx_proc *p, uint64_t va, uint64_t len)
{
	uint64_t l;
	uint8_t *b;

	for (; len > 0; va += l, len -= l) {
		if (SBX_Sys_Late(p))
			return (-EINTR);
		l = SBX_Mem_Behind(p, va, len < SBX_SYS_CHUNK ? len :
		    SBX_SYS_CHUNK, 1, &b);
		if (l == 0)
			return (-EFAULT);
		memset(b, 0, l);
	}
	return (0);
}

/*--------------------------------------------------------------------
 * Protection
 */

static unsigned
mem_flags(uint64_t prot)
{
	unsigned flags = SBX_MAP_USER;

	if (prot == PROT_NONE)
		flags |= SBX_MAP_NONE;
	if (prot & PROT_WRITE)
		flags |= SBX_MAP_WRITE;
	if (prot & PROT_EXEC)
		flags |= SBX_MAP_EXEC;
	return (flags);
}

void
SBX_Batch_Init(struct sbx_batch *b, struct sbx_proc *p)
{

	b->p = p;
	b->n = 0;
}

void
SBX_Batch_Flush(struct sbx_batch *b)
{
	struct sbx_proc *p = b->p;
	struct sbx_err err;

	if (b->n == 0)
		return;
	SBX_Err_Clear(&err);
	SBX_Sched_Hold(p);
	if (SBX_Machine_Edit(p->machine, b->e, b->n, &err)) {
		if (SBX_Sys_Late(p))
			SBX_Proc_KillLate(p);
		SBX_Proc_Kill(p, SBX_KILL_host, "mprotect: %s", err.msg);
	}
	b->n = 0;
}

/* Before the program is frozen there is nothing to put back. */
void
SBX_Mem_Undo(struct sbx_proc *p, const struct sbx_edit *old)
{

	if (p->serving && p->edits.n < SBX_MM_EDITS_MAX)
		p->edits.edit[p->edits.n++] = *old;
	else if (p->serving)
		p->edits.overflow = 1;
}

void
SBX_Batch_Edit(struct sbx_batch *b, uint64_t va, uint64_t value)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(b->p);
	struct sbx_edit *e;

	e = &b->e[b->n];
	AZ(SBX_Machine_EditEntry(b->p->machine, (sandbox_gva_t){ va }, e));
	SBX_Mem_Undo(b->p, e);
	if (!(e->value & SBX_PTE_P)) {
		/* what is not present is cached nowhere: all see the host add
		 * it, and nobody has to exit for that */
		*SBX_Gmem_Entry(gm, (sandbox_gva_t){ va }) = value;
		SBX_Gmem_Touch(gm, (sbx_gpa_t){ e->entry - SBX_GVA_TABLES +
		    SBX_SYS_END }, sizeof value);
		return;
	}
	e->value = value;
	if (++b->n == SBX_EDITS_MAX)
		SBX_Batch_Flush(b);
}

/* Whether all of [lo, hi) is the program's, and may become (flags). */
static int64_t
mem_may_protect(struct sbx_proc *p, uint64_t lo, uint64_t hi, unsigned flags)
{
	const uint64_t *e;
	uint64_t va;

	for (va = lo; va < hi; va += SBX_PAGE) {
		if (SBX_Sys_Late(p))
			return (-EINTR);
		e = SBX_Gmem_Entry(SBX_Sys_Gmem(p), (sandbox_gva_t){ va });
		if (va < SBX_SYS_END || e == NULL || !(*e & SBX_PTE_U))
			return (-ENOMEM);
		if (p->layout->exec)
			continue;
		/* what is code stays code, and nothing becomes it */
		if ((flags & SBX_MAP_EXEC) &&
		    ((flags & SBX_MAP_WRITE) || (*e & SBX_PTE_NX)))
			return (-EACCES);
		if ((flags & SBX_MAP_WRITE) && !(*e & SBX_PTE_NX))
			return (-EACCES);
	}
	return (0);
}

/* Give all of [lo, hi), which is the program's, exactly the rights (flags);
 * what is code may stay it with (keep). */
static void
mem_rights(struct sbx_proc *p, uint64_t lo, uint64_t hi, unsigned flags,
    int keep)
{
	struct sbx_batch b;
	const uint64_t *e;
	uint64_t va, new;

	if (lo < hi && flags != MEM_RW) {
		p->mm.narrowed = 1;
		p->mm.changed = 1;
	}
	SBX_Batch_Init(&b, p);
	for (va = lo; va < hi && p->kill == SBX_KILL_NONE &&
	    !SBX_Sys_Late(p); va += SBX_PAGE) {
		e = SBX_Gmem_Entry(SBX_Sys_Gmem(p), (sandbox_gva_t){ va });
		if (e == NULL)
			break;
		new = SBX_Paging_Entry((sbx_gpa_t){ *e & SBX_PTE_ADDR },
		    flags | (!keep || *e & SBX_PTE_NX ? 0 : SBX_MAP_EXEC));
		if (new != *e)
			SBX_Batch_Edit(&b, va, new);
	}
	SBX_Batch_Flush(&b);
}

int64_t
SBX_Sys_mprotect(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t len = SBX_Page_Up(a[1]);
	unsigned flags;
	int64_t i;

	if (a[0] % SBX_PAGE != 0 || (a[2] & ~(uint64_t)7) != 0)
		return (-EINVAL);
	if (len < a[1] || a[0] >= SBX_GVA_USER_END ||
	    len > SBX_GVA_USER_END - a[0])
		return (-ENOMEM);
	flags = mem_flags(a[2]);
	if (len > 0 && SBX_Far_Is(&p->far, a[0], a[0] + len))
		return (SBX_Far_Mprotect(p, a[0], a[0] + len, flags));
	i = mem_may_protect(p, a[0], a[0] + len, flags);
	if (i == 0)
		mem_rights(p, a[0], a[0] + len, flags, !p->layout->exec);
	return (i);
}

/*--------------------------------------------------------------------
 * brk
 */

/* Make [lo, hi) zero, and what (flags) say, as far as it may not be. (used) is
 * where memory starts that somebody has had before. */
static int64_t
mem_fresh(struct sbx_proc *p, uint64_t lo, uint64_t hi, uint64_t used,
    unsigned flags)
{
	int64_t i = 0;

	if (used < hi)
		i = SBX_Mem_Zero(p, lo > used ? lo : used,
		    hi - (lo > used ? lo : used));
	if (i == 0 && (p->mm.narrowed || flags != MEM_RW))
		mem_rights(p, SBX_Page_Down(lo), SBX_Page_Up(hi),
		    flags, 0);
	return (i);
}

int64_t
SBX_Sys_brk(struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_mm *mm = &p->mm;
	uint64_t old = mm->brk;

	CHECK_OBJ_NOTNULL(mm, SBX_MM_MAGIC);
	if (a[0] > old)
		SBX_Proc_Given(p, a[0] <= SBX_Mm_BrkMax(mm));
	if (a[0] < mm->lo || a[0] > SBX_Mm_BrkMax(mm) || a[0] == old)
		return ((int64_t)old);
	mm->changed = 1;
	mm->brk = a[0];
	/* zeroed when it is given back, so that what is taken is zero; or
	 * when it is taken, if mmap has had it */
	if (a[0] < old ? SBX_Mem_Zero(p, a[0], old - a[0]) :
	    mem_fresh(p, old, a[0], mm->used, MEM_RW))
		mm->brk = old;
	return ((int64_t)mm->brk);
}

/*--------------------------------------------------------------------
 * mmap
 */

/* Fill a mapping from a file. */
static int64_t
mem_read(struct sbx_proc *p, const struct sbx_ofd *ofd, uint64_t va,
    uint64_t len, uint64_t off)
{
	uint64_t l;
	int64_t i;
	uint8_t *b;

	for (; len > 0; va += (uint64_t)i, len -= (uint64_t)i,
	    off += (uint64_t)i) {
		if (SBX_Sys_Late(p))
			return (-EINTR);
		l = SBX_Mem_Behind(p, va, len < SBX_SYS_CHUNK ? len :
		    SBX_SYS_CHUNK, 1, &b);
		if (l == 0)
			return (-EFAULT);
		i = ofd->kind == SBX_OFD_TMP ?
		    SBX_Tmp_Pread(p, ofd->node, b, l, off) :
		    SBX_File_Pread(ofd->file, b, l, off);
		if (i <= 0)
			return (i);
	}
	return (0);
}

static int64_t
mem_map_check(struct sbx_proc *p, const uint64_t *a,
    const struct sbx_ofd **ofdp)
{
	const struct sbx_ofd *ofd;

	*ofdp = NULL;
	if (a[1] == 0 || a[5] % SBX_PAGE != 0 || (a[3] & MAP_TYPE) == 0 ||
	    (a[3] & MAP_TYPE) > MAP_SHARED_VALIDATE)
		return (-EINVAL);
	if ((a[2] & PROT_EXEC) && !p->layout->exec && ((a[2] & PROT_WRITE) ||
	    (a[3] & MAP_ANONYMOUS)))
		return (-EACCES);
	if (SBX_Page_Up(a[1]) < a[1])
		return (-ENOMEM);
	if (a[3] & MAP_ANONYMOUS)
		return (0);
	ofd = SBX_Files_Get(&p->files, a[4]);
	if (ofd == NULL)
		return (-EBADF);
	/* only what the VCL author has allowed is code */
	if ((a[2] & PROT_EXEC) && ofd->kind != SBX_OFD_FILE && !p->layout->exec)
		return (-EACCES);
	if (ofd->kind == SBX_OFD_ZERO)
		return (0);
	if (ofd->kind != SBX_OFD_FILE && (ofd->kind != SBX_OFD_TMP ||
	    SBX_Ofd_IsDir(&p->files, ofd, NULL)))
		return (-ENODEV);
	if ((a[3] & MAP_TYPE) != MAP_PRIVATE && (a[2] & PROT_WRITE))
		return (ofd->kind == SBX_OFD_TMP ? -ENODEV : -EACCES);
	*ofdp = ofd;
	return (0);
}

/* Whether it goes where reservations are: what is there already, what is
 * large and has no access, and what need not have memory. */
static int
mem_map_is_far(const struct sbx_proc *p, const uint64_t *a, uint64_t len)
{

	if (a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		return (len <= UINT64_MAX - a[0] &&
		    SBX_Far_Is(&p->far, a[0], a[0] + len));
	if (!(a[3] & MAP_ANONYMOUS) || (a[3] & MAP_STACK))
		return (0);
	/* a dynamic linker will put code there */
	if (p->layout->dynamic && !p->serving && len < MEM_LIBRARY)
		return (0);
	return ((a[2] == PROT_NONE && len >= SBX_FAR_MIN) ||
	    ((a[3] & MAP_NORESERVE) && len >= (p->mm.hi - p->mm.lo) / 2));
}

static int64_t
mem_map_far(struct sbx_proc *p, const uint64_t *a, uint64_t len,
    const struct sbx_ofd *ofd)
{
	const struct sbx_far_map *m;
	const int fixed = (a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;
	int64_t va, i;

	if (fixed && a[0] % SBX_PAGE != 0)
		return (-EINVAL);
	/* the page is the arena's, and can be written to there */
	if ((a[2] & PROT_EXEC) && !p->layout->exec)
		return (-EACCES);
	if (a[3] & MAP_FIXED_NOREPLACE)
		for (m = p->far.map; m < p->far.map + p->far.n; m++)
			if (m->lo < a[0] + len && m->hi > a[0])
				return (-EEXIST);
	va = SBX_Far_Mmap(p, a[0], len, mem_flags(a[2]), fixed);
	if (va < 0 || ofd == NULL)
		return (va);
	i = SBX_Far_Populate(p, (uint64_t)va, (uint64_t)va + len) ? -ENOMEM :
	    mem_read(p, ofd, (uint64_t)va, len, a[5]);
	if (i < 0)
		(void)SBX_Far_Munmap(p, (uint64_t)va, (uint64_t)va + len);
	return (i < 0 ? i : va);
}

/* In the arena: at (at), or anywhere. */
static int64_t
mem_map_near(struct sbx_proc *p, const uint64_t *a, uint64_t at, uint64_t len,
    const struct sbx_ofd *ofd)
{
	uint64_t va, used;
	unsigned flags;
	int64_t i;
	int stack;

	va = SBX_Mm_Map(&p->mm, at, len, &used);
	SBX_Proc_Given(p, va != 0);
	if (va == 0)
		return (-ENOMEM);
	flags = mem_flags(a[2]);
	if ((flags & SBX_MAP_EXEC) && !p->layout->exec) {
		/* code is what its file says: nothing else is seen there, not
		 * what was written to free memory, nor can it be written to
		 * by another name */
		if (SBX_Tmp_Has(&p->files.tmp, va, va + len) ||
		    SBX_Far_Has(p, va, va + len)) {
			(void)SBX_Mm_Unmap(&p->mm, va, va + len);
			return (-EACCES);
		}
		used = va;
	}
	/* Nobody is harmed if a copy of a file can be written to, and a request
	 * is spared the exit. Before that, it may be what a linker relies on.
	 */
	if (p->serving && flags == SBX_MAP_USER)
		flags = MEM_RW;
	/* What a C library makes for a thread: it opens all but the lower end
	 * next. So one page is closed here, and not all of them twice. */
	stack = (a[3] & MAP_STACK) && a[2] == PROT_NONE;
	i = mem_fresh(p, va, va + len, used, stack ? MEM_RW : flags);
	if (i == 0 && stack)
		mem_rights(p, va, va + SBX_PAGE, flags, 0);
	if (i == 0 && ofd != NULL)
		i = mem_read(p, ofd, va, len, a[5]);
	if (i == 0 && ofd != NULL && SBX_Mm_Back(&p->mm, va, va + len))
		i = -ENOMEM;
	if (i < 0) {
		(void)SBX_Mm_Unmap(&p->mm, va, va + len);
		return (i);
	}
	return ((int64_t)va);
}

int64_t
SBX_Sys_mmap(struct sbx_proc *p, const uint64_t *a)
{
	const struct sbx_ofd *ofd;
	uint64_t at = 0, len;
	int64_t i;

	i = mem_map_check(p, a, &ofd);
	if (i != 0)
		return (i);
	len = SBX_Page_Up(a[1]);
	if (mem_map_is_far(p, a, len))
		return (mem_map_far(p, a, len, ofd));
	if (len > p->mm.hi - p->mm.lo) {
		SBX_Proc_Given(p, 0);
		return (-ENOMEM);
	}
	if (a[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
		at = a[0];
		if (at % SBX_PAGE != 0 || at == 0)
			return (-EINVAL);
		if (at > p->mm.hi - len || at < p->mm.lo)
			return (-ENOMEM);
		if ((a[3] & MAP_FIXED_NOREPLACE) &&
		    !SBX_Mm_Free(&p->mm, at, at + len))
			return (-EEXIST);
	}
	return (mem_map_near(p, a, at, len, ofd));
}

uint64_t
SBX_Mem_Take(struct sbx_proc *p, uint64_t *len)
{
	uint64_t va, used;

	*len = SBX_Page_Up(*len);
	va = SBX_Mm_Map(&p->mm, 0, *len, &used);
	if (va != 0 && mem_fresh(p, va, va + *len, used, MEM_RW)) {
		(void)SBX_Mm_Unmap(&p->mm, va, va + *len);
		va = 0;
	}
	return (va);
}

void
SBX_Mem_Give(struct sbx_proc *p, uint64_t va, uint64_t len)
{

	/* the list of mappings may be full: then it stays taken */
	(void)SBX_Mm_Unmap(&p->mm, va, va + len);
}

/* Linux does not mind a range in which nothing is mapped. */
static int64_t
mem_range(const struct sbx_proc *p, uint64_t va, uint64_t *len)
{

	if (va % SBX_PAGE != 0 || *len == 0)
		return (-EINVAL);
	if (SBX_Page_Up(*len) < *len)
		return (-EINVAL);
	*len = SBX_Page_Up(*len);
	if (va < p->mm.lo || va > p->mm.hi || *len > p->mm.hi - va)
		return (-EINVAL);
	return (0);
}

int64_t
SBX_Sys_munmap(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t len = a[1];
	int64_t i;

	if (a[0] % SBX_PAGE == 0 && SBX_Page_Up(len) >= len && len > 0 &&
	    SBX_Page_Up(len) <= UINT64_MAX - a[0] &&
	    SBX_Far_Is(&p->far, a[0], a[0] + SBX_Page_Up(len)))
		return (SBX_Far_Munmap(p, a[0], a[0] + SBX_Page_Up(len)));
	i = mem_range(p, a[0], &len);
	if (i != 0)
		return (i);
	return (SBX_Mm_Unmap(&p->mm, a[0], a[0] + len) ? -ENOMEM : 0);
}

/* Zero the whole pages in [lo, hi), whatever the guest may do with them, but
 * do not dirty those that are. */
static int64_t
mem_forget(struct sbx_proc *p, uint64_t lo, uint64_t hi)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(p);
	const uint64_t *e;
	sbx_gpa_t gpa;

	for (; lo < hi; lo += SBX_PAGE) {
		if (SBX_Sys_Late(p))
			return (-EINTR);
		e = SBX_Gmem_Entry(gm, (sandbox_gva_t){ lo });
		if (e == NULL || !(*e & SBX_PTE_U))
			return (-ENOMEM);
		gpa.pa = *e & SBX_PTE_ADDR;
		if (gpa.pa > gm->size - SBX_PAGE)
			return (-ENOMEM);
		SBX_Gmem_Forget(gm, gpa);
	}
	return (0);
}

int64_t
SBX_Sys_madvise(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t lo = a[0], hi, brk;
	int64_t i = 0;

	if (lo % SBX_PAGE != 0 || SBX_Page_Up(a[1]) < a[1])
		return (-EINVAL);
	if (lo >= SBX_GVA_USER_END || SBX_Page_Up(a[1]) > SBX_GVA_USER_END - lo)
		return (-ENOMEM);
	hi = lo + SBX_Page_Up(a[1]);
	/* the one piece of advice that programs rely on */
	if (a[2] != MADV_DONTNEED || lo == hi)
		return (0);
	if (SBX_Far_Is(&p->far, lo, hi))
		return (SBX_Far_Forget(p, lo, hi));
	if (lo < p->mm.lo || hi > p->mm.hi)
		return (lo >= p->layout->stack_lo && hi <= p->layout->stack_hi ?
		    mem_forget(p, lo, hi) : -EINVAL);
	/* the file may not be open any more, and zeroes would be wrong: it is
	 * what Linux says of memory that it can not drop */
	if (SBX_Mm_Backed(&p->mm, lo, hi))
		return (-EINVAL);
	/* in between nobody has had anything yet */
	brk = SBX_Page_Up(p->mm.brk);
	if (lo < brk)
		i = mem_forget(p, lo, hi < brk ? hi : brk);
	if (i == 0 && hi > p->mm.used)
		i = mem_forget(p, lo > p->mm.used ? lo : p->mm.used, hi);
	return (i);
}

static int64_t
mem_move(struct sbx_proc *p, uint64_t to, uint64_t from, uint64_t len)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(p);
	uint8_t *s, *d;
	uint64_t l;

	for (; len > 0; to += l, from += l, len -= l) {
		if (SBX_Sys_Late(p))
			return (-EINTR);
		l = len < SBX_SYS_CHUNK ? len : SBX_SYS_CHUNK;
		l = SBX_Gmem_Span(gm, (sandbox_gva_t){ from }, l,
		    SBX_ACC_READ, &s);
		if (l > 0)
			l = SBX_Gmem_Span(gm, (sandbox_gva_t){ to }, l,
			    SBX_ACC_WRITE, &d);
		if (l == 0)
			return (-EFAULT);
		memmove(d, s, l);
	}
	return (0);
}

/* Grow by moving elsewhere. */
static int64_t
mem_remap(struct sbx_proc *p, uint64_t from, uint64_t len, uint64_t want)
{
	uint64_t va, used;
	int64_t i;

	va = SBX_Mm_Map(&p->mm, 0, want, &used);
	if (va == 0)
		return (-ENOMEM);
	i = mem_fresh(p, va, va + want, used, MEM_RW);
	if (i == 0)
		i = mem_move(p, va, from, len);
	if (i != 0) {
		(void)SBX_Mm_Unmap(&p->mm, va, va + want);
		return (i);
	}
	(void)SBX_Mm_Unmap(&p->mm, from, from + len);
	return ((int64_t)va);
}

int64_t
SBX_Sys_mremap(struct sbx_proc *p, const uint64_t *a)
{
	uint64_t len = a[1], want = a[2], used;
	int64_t i;

	i = mem_range(p, a[0], &len);
	if (i == 0)
		i = want == 0 || (a[3] & ~(uint64_t)MREMAP_MAYMOVE) ?
		    -EINVAL : 0;
	if (i != 0)
		return (i);
	if (SBX_Page_Up(want) < want || want > p->mm.hi - p->mm.lo)
		return (-ENOMEM);
	want = SBX_Page_Up(want);
	if (want <= len) {
		if (want < len && SBX_Mm_Unmap(&p->mm, a[0] + want,
		    a[0] + len))
			return (-ENOMEM);
		return ((int64_t)a[0]);
	}
	if (want <= p->mm.hi - a[0] &&
	    SBX_Mm_Free(&p->mm, a[0] + len, a[0] + want)) {
		if (!SBX_Mm_Map(&p->mm, a[0] + len, want - len, &used))
			return (-ENOMEM);
		i = mem_fresh(p, a[0] + len, a[0] + want, used, MEM_RW);
		return (i != 0 ? i : (int64_t)a[0]);
	}
	if (!(a[3] & MREMAP_MAYMOVE))
		return (-ENOMEM);
	return (mem_remap(p, a[0], len, want));
}
