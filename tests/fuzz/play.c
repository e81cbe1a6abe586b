/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * play.c: a guest that does what an input says.
 *
 * Arguments are one byte and what it asks for:
 *
 *	0 to 95		the number 0 to 95
 *	96 to 99	-1, and the next 8, 4 or 2 bytes
 *	100 to 127	a size or limit, play_number[]
 *	128 to 255	an address: the low five bits are which,
 *			play_address(); the next two how far from it, by the
 *			next byte (1), as many pages (2), or two bytes (3)
 */

#include "config.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "machine/paging.h"
#include "machine/watchdog.h"
#include "pool/program.h"

#include "ehdr.h"
#include "play.h"
#include "play_priv.h"

static struct play play;

/* Of the sanitizer, if there is one. */
void __lsan_register_root_region(const void *, size_t)
    __attribute__((__weak__));
void __lsan_unregister_root_region(const void *, size_t)
    __attribute__((__weak__));

/*--------------------------------------------------------------------
 * The input: zeroes behind its end
 */

uint64_t
Play_Bytes(struct play *pl, unsigned n)
{
	uint64_t v = 0;
	unsigned u;

	for (u = 0; u < n && pl->p < pl->e; u++)
		v |= (uint64_t)*pl->p++ << (8 * u);
	return (v);
}

static uint64_t
play_address(const struct play *pl, unsigned which)
{
	const struct sbx_layout *lay = &pl->img->layout;
	const struct sbx_mm *mm = &pl->proc->mm;
	const uint64_t at[32] = {
		pl->result[0], pl->result[1], pl->result[2], lay->far_lo,
		mm->lo, mm->hi, mm->brk, mm->used,
		mm->n_extent > 0 ? mm->extent[0].lo : mm->hi,
		mm->n_extent > 0 ? mm->extent[mm->n_extent - 1].lo : mm->lo,
		lay->stack_lo, lay->stack_hi, lay->stack_hi - PLAY_SCRATCH,
		lay->window, lay->window + SANDBOX_MAX_REQUEST_BLOCK,
		lay->window + lay->window_len,
		PLAY_CODE, PLAY_CONST, PLAY_DATA, PLAY_DATA + 0x3000,
		0, SBX_SYS_SYSCALL, SBX_SYS_ENTRY_DATA, SBX_SYS_VDSO,
		SBX_SYS_EDITS, SBX_SYS_END, SBX_GVA_TABLES,
		SBX_GVA_TABLES + pl->tables_len, SBX_GVA_USER_END,
		UINT64_C(1) << 47, (uint64_t)INT64_MAX, UINT64_MAX - 4095,
	};

	return (at[which]);
}

static const uint64_t play_number[28] = {
	4095, 4096, 4097, 8191, 8192, 8193, 12288, 16384, 65535, 65536, 65537,
	131072, 262144, 1048576, PLAY_MEMORY, 1023, 1024, 1025, 256, 257,
	INT32_MAX, UINT64_C(1) << 31, UINT32_MAX, UINT64_C(1) << 32,
	0x7ffff000, (uint64_t)INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 1,
};

uint64_t
Play_Arg(struct play *pl)
{
	uint64_t k, base;

	k = Play_Bytes(pl, 1);
	if (k < 96)
		return (k);
	if (k == 96)
		return (UINT64_MAX);
	if (k < 100)
		return (Play_Bytes(pl, k == 97 ? 8 : k == 98 ? 4 : 2));
	if (k < 128)
		return (play_number[k - 100]);
	base = play_address(pl, k & 31);
	switch (k >> 5 & 3) {
	case 1:
		return (base + (uint64_t)(int8_t)Play_Bytes(pl, 1));
	case 2:
		return (base + (uint64_t)(int8_t)Play_Bytes(pl, 1) * SBX_PAGE);
	case 3:
		return (base + (uint64_t)(int16_t)Play_Bytes(pl, 2));
	default:
		return (base);
	}
}

/*--------------------------------------------------------------------
 * Memory, as ring 3 sees it. This does not use machine/gmem.c, which is what
 * is to be checked.
 */

/* The leaf of the page tables for an address, 0 if there is none. */
static uint64_t
play_leaf(const struct play *pl, uint64_t va)
{
	const uint64_t need = SBX_PTE_P | SBX_PTE_U | SBX_PTE_W;
	uint64_t e, table = SBX_SYS_END;
	int shift;

	if (va >= UINT64_C(1) << 47)
		return (0);
	for (shift = 39; ; shift -= 9) {
		if (table > PLAY_MEMORY - SBX_PAGE)
			return (0);
		memcpy(&e, pl->m->gmem.base + table +
		    (va >> shift & 511) * sizeof e, sizeof e);
		if (shift == 12)
			return (e);
		if ((e & need) != need)
			return (0);
		table = e & SBX_PTE_ADDR;
	}
}

/* What is behind it, if the leaf has the bits (need). */
static uint8_t *
play_behind(const struct play *pl, uint64_t va, uint64_t need)
{
	uint64_t e;

	e = play_leaf(pl, va);
	if ((e & need) != need || (e & SBX_PTE_ADDR) > PLAY_MEMORY - SBX_PAGE)
		return (NULL);
	return (pl->m->gmem.base + (e & SBX_PTE_ADDR) + va % SBX_PAGE);
}

static uint8_t *
play_at(const struct play *pl, uint64_t va, int writing)
{

	return (play_behind(pl, va, SBX_PTE_P | SBX_PTE_U |
	    (writing ? SBX_PTE_W : 0)));
}

/* What a program writes; it stops where it would fault. */
static void
play_write(struct play *pl, struct fake_vm *vm, uint64_t va, const void *b,
    size_t l)
{
	const uint8_t *s = b;
	uint8_t *d;

	for (; l > 0; l--, va++) {
		d = play_at(pl, va, 1);
		if (d == NULL)
			return;
		*d = *s++;
		Fake_Dirty(vm, (uint64_t)(d - vm->mem), 1);
	}
}

static int
play_is_zero(const struct play *pl, uint64_t lo, uint64_t hi)
{
	static const uint8_t zero[SBX_PAGE];
	const uint8_t *b;
	uint64_t l;

	for (; lo < hi; lo += l) {
		l = SBX_PAGE - lo % SBX_PAGE;
		if (l > hi - lo)
			l = hi - lo;
		b = play_behind(pl, lo, SBX_PTE_U);
		if (b == NULL || memcmp(b, zero, l))
			return (0);
	}
	return (1);
}

/*--------------------------------------------------------------------
 * What has to hold whenever the host has done something
 */

static void
play_check_mm(const struct sbx_mm *mm)
{
	const struct sbx_mm_extent *e;
	uint64_t end;
	unsigned u;

	assert(mm->brk >= mm->lo && mm->brk <= mm->hi);
	assert(mm->used <= mm->hi);
	assert(mm->n_extent <= SBX_MM_EXTENTS_MAX);
	end = (mm->brk + SBX_PAGE - 1) & ~(uint64_t)(SBX_PAGE - 1);
	for (u = 0; u < mm->n_extent; u++) {
		e = &mm->extent[u];
		AZ(e->lo % SBX_PAGE);
		AZ(e->hi % SBX_PAGE);
		assert(e->lo < e->hi);
		/* neighbours are one, but for what is a file's */
		assert(u == 0 ? e->lo >= end : e->lo > end || (e->lo == end &&
		    e->backed != e[-1].backed));
		assert(e->lo >= mm->used);
		end = e->hi;
	}
	assert(end <= mm->hi);
}

static void
play_check_files(const struct sbx_files *fs)
{
	unsigned u, refs[SBX_FD_MAX] = { 0 }, tmp[SBX_TMP_NODES_MAX] = { 0 };

	for (u = 0; u < SBX_FD_MAX; u++) {
		if (!fs->fd[u].used)
			continue;
		assert(fs->fd[u].ofd < SBX_FD_MAX);
		refs[fs->fd[u].ofd]++;
	}
	for (u = 0; u < SBX_FD_MAX; u++) {
		assert(fs->ofd[u].refs == refs[u]);
		assert((fs->ofd[u].kind == SBX_OFD_NONE) == (refs[u] == 0));
		assert((fs->ofd[u].kind == SBX_OFD_FILE ||
		    fs->ofd[u].kind == SBX_OFD_DIR) ==
		    (fs->ofd[u].file != NULL));
		if (fs->ofd[u].kind == SBX_OFD_TMP)
			tmp[fs->ofd[u].node]++;
		assert(fs->ofd[u].pos >= 0);
	}
	for (u = 0; u < fs->tmp.n; u++)
		assert(fs->tmp.node[u].refs == tmp[u]);
}

/* The host's pages, but for those that edits and exceptions go to. */
static void
play_check_host(const struct play *pl)
{
	const uint8_t *mem = pl->m->gmem.base, *golden = pl->img->golden;

	AZ(memcmp(mem, golden, SBX_SYS_STACK));
	AZ(memcmp(mem + SBX_SYS_ENTRY, golden + SBX_SYS_ENTRY,
	    SBX_SYS_EDITS - SBX_SYS_ENTRY));
	AZ(memcmp(mem + SBX_SYS_VDSO, golden + SBX_SYS_VDSO, SBX_PAGE));
	/* registers of the thread that was switched to are in between */
	AZ(memcmp(mem + SBX_SYS_SWITCH_DATA + SBX_PAGE, golden +
	    SBX_SYS_SWITCH_DATA + SBX_PAGE,
	    SBX_SYS_END - SBX_SYS_SWITCH_DATA - SBX_PAGE));
}

/* An entry may change in its rights only. */
static void
play_check_entry(const struct play *pl, uint64_t was, uint64_t is, int in_call)
{

	AN(was & SBX_PTE_U);
	AZ((was ^ is) & ~(SBX_PTE_P | SBX_PTE_W | SBX_PTE_NX));
	AN((is & SBX_PTE_NX) || !(is & SBX_PTE_W));
	/* only what was mapped from a file becomes code */
	if (in_call && !(is & SBX_PTE_NX) && (was & SBX_PTE_NX))
		assert(pl->nr == SYS_mmap && (pl->a[2] & PROT_EXEC) &&
		    !(pl->a[3] & MAP_ANONYMOUS));
}

/*
 * The page tables that there were when the program was frozen. Those for
 * reservations (linux/far.h) are made behind them, and entered by the host.
 */
static void
play_check_tables(struct play *pl)
{
	const struct sbx_layout *lay = &pl->img->layout;
	uint64_t off, is, was;

	if (!memcmp(pl->m->gmem.base + SBX_SYS_END, pl->tables,
	    pl->tables_len))
		return;
	for (off = 0; off < pl->tables_len; off += sizeof is) {
		memcpy(&is, pl->m->gmem.base + SBX_SYS_END + off, sizeof is);
		memcpy(&was, pl->tables + off, sizeof was);
		if (is == was)
			continue;
		if (was != 0) {
			/* no CPU remembers what was not present */
			AZ(was & SBX_PTE_P);
			play_check_entry(pl, was, is, 1);
		} else {
			assert((is & ~SBX_PTE_ADDR) == PLAY_TABLE);
			assert((is & SBX_PTE_ADDR) >= lay->table);
			assert((is & SBX_PTE_ADDR) < lay->table_end);
		}
		memcpy(pl->tables + off, &is, sizeof is);
	}
}

static void
play_check(struct play *pl)
{

	play_check_mm(&pl->proc->mm);
	play_check_files(&pl->proc->files);
	if (pl->wild)
		return;
	play_check_host(pl);
	play_check_tables(pl);
}

/* An entry for a reservation goes, or changes its rights. */
static void
play_edit_far(const struct play *pl, const struct sbx_edit *edit)
{
	const struct sbx_layout *lay = &pl->img->layout;
	uint64_t pa = edit->value & SBX_PTE_ADDR;

	assert(edit->entry - SBX_GVA_TABLES <
	    lay->table_end - SBX_SYS_END);
	if (edit->value == 0)
		return;
	AN(edit->value & SBX_PTE_U);
	AN((edit->value & SBX_PTE_NX) || !(edit->value & SBX_PTE_W));
	assert(pa >= lay->arena_pa);
	assert(pa - lay->arena_pa < lay->arena_hi - lay->arena_lo);
}

/* A page table entry is about to change. */
static void
play_edit(void *priv, struct fake_vm *vm, const struct sbx_edit *edit)
{
	struct play *pl;
	uint64_t off, old;

	CAST_OBJ_NOTNULL(pl, priv, PLAY_MAGIC);
	(void)vm;
	if (pl->wild || pl->vm == NULL)
		return;
	off = edit->entry - SBX_GVA_TABLES;
	AZ(off % sizeof old);
	if (off >= pl->tables_len) {
		play_edit_far(pl, edit);
		return;
	}
	memcpy(&old, pl->tables + off, sizeof old);
	if (edit->addr >= pl->img->layout.far_lo) {
		/* a table of its own, which is not needed any more */
		AZ(edit->value);
		memcpy(pl->tables + off, &edit->value, sizeof old);
		return;
	}
	assert(edit->addr >= SBX_SYS_END && edit->addr < SBX_GVA_USER_END);
	AN(edit->value & SBX_PTE_U);
	play_check_entry(pl, old, edit->value, pl->pending);
	memcpy(pl->tables + off, &edit->value, sizeof old);
}

/* Before a call: will memory that nobody has been given be fresh? A program
 * that writes there has itself to blame. */
static void
play_before(struct play *pl)
{
	const struct sbx_mm *mm = &pl->proc->mm;
	const uint64_t mask = SBX_PAGE - 1;
	uint64_t va;

	pl->fresh = 0;
	pl->brk = mm->brk;
	if (pl->wild || (pl->nr != SYS_mmap && pl->nr != SYS_brk &&
	    pl->nr != SYS_mremap))
		return;
	for (va = (mm->brk + mask) & ~mask; va < mm->used; va += SBX_PAGE)
		if (!play_is_zero(pl, va, va + SBX_PAGE))
			return;
	pl->fresh = 1;
}

/* The rights that mmap() was asked for, but for PROT_READ, which is more. */
static void
play_rights(const struct play *pl, uint64_t lo, uint64_t hi)
{
	uint64_t e, want = 0;

	if (pl->a[2] & PROT_EXEC)
		want = SBX_PTE_P;
	else if (pl->a[2] != PROT_NONE)
		want = SBX_PTE_P | SBX_PTE_W | SBX_PTE_NX;
	else
		want = SBX_PTE_NX;
	for (; lo < hi; lo += SBX_PAGE) {
		e = play_leaf(pl, lo);
		assert((e & (SBX_PTE_P | SBX_PTE_W | SBX_PTE_NX)) == want);
	}
}

/* After a call: what was promised is there. */
static void
play_after(struct play *pl, uint64_t result)
{
	const uint64_t mask = SBX_PAGE - 1;
	uint64_t len = (pl->a[1] + mask) & ~mask;
	int is_file;

	if (pl->wild || !pl->fresh || result >= (uint64_t)-4095 ||
	    result >= pl->img->layout.far_lo)
		return;
	switch (pl->nr) {
	case SYS_mmap:
		assert(result >= pl->proc->mm.lo);
		assert(len <= pl->proc->mm.hi - result);
		is_file = !(pl->a[3] & MAP_ANONYMOUS);
		AN(is_file || play_is_zero(pl, result, result + len));
		play_rights(pl, result, result + len);
		break;
	case SYS_mremap:
		len = (pl->a[2] + mask) & ~mask;
		assert(result >= pl->proc->mm.lo);
		assert(len <= pl->proc->mm.hi - result);
		break;
	case SYS_brk:
		if (result > pl->brk)
			AN(play_is_zero(pl, (pl->brk + mask) & ~mask, result));
		break;
	default:
		break;
	}
}

static void
play_returned(struct play *pl, const struct kvm_regs *r)
{
	uint64_t result = r->rax;

	if (!pl->pending)
		return;
	pl->pending = 0;
	play_check(pl);
	/* and not to another thread, or a handler */
	if (r->rip == PLAY_CODE && pl->proc->threads.n == 1)
		play_after(pl, result);
	memmove(pl->result + 1, pl->result, 3 * sizeof *pl->result);
	pl->result[0] = result;
}

/*--------------------------------------------------------------------
 * What a program can do. True if it leaves the VM.
 */

static const uint16_t play_nr[] = {
#define SYSCALL(name, handler, ...) SYS_##name,
#define ANOTHER(name, handler, ...) SYS_##name,
#include "tbl/syscalls.h"
};

static int
play_call(struct play *pl, struct fake_vm *vm)
{
	struct kvm_regs *r = &vm->run->s.regs.regs;

	pl->pending = 1;
	pl->calls++;
	play_before(pl);
	r->rax = pl->nr;
	r->rdi = pl->a[0];
	r->rsi = pl->a[1];
	r->rdx = pl->a[2];
	r->r10 = pl->a[3];
	r->r8 = pl->a[4];
	r->r9 = pl->a[5];
	r->rcx = PLAY_CODE;
	Fake_Out(vm, SBX_PORT_SYSCALL, SBX_SYS_SYSCALL);
	return (1);
}

static void
play_args(struct play *pl)
{
	uint64_t mask;
	unsigned u;

	mask = Play_Bytes(pl, 1);
	for (u = 0; u < 6; u++)
		pl->a[u] = mask >> u & 1 ? Play_Arg(pl) : 0;
}

static int
play_syscall(struct play *pl, struct fake_vm *vm)
{
	uint64_t n;

	n = Play_Bytes(pl, 1);
	pl->nr = n < sizeof play_nr / sizeof *play_nr ? play_nr[n] : n - 64;
	play_args(pl);
	return (play_call(pl, vm));
}

static int
play_hostcall(struct play *pl, struct fake_vm *vm)
{

	pl->nr = SANDBOX_CALL_BASE + Play_Bytes(pl, 1) % 8;
	play_args(pl);
	return (play_call(pl, vm));
}

static int
play_put_bytes(struct play *pl, struct fake_vm *vm)
{
	uint8_t b[256];
	uint64_t va, n, u;

	va = Play_Arg(pl);
	n = Play_Bytes(pl, 1);
	for (u = 0; u < n; u++)
		b[u] = (uint8_t)Play_Bytes(pl, 1);
	play_write(pl, vm, va, b, n);
	return (0);
}

static int
play_put_words(struct play *pl, struct fake_vm *vm)
{
	uint64_t va, n, v;

	va = Play_Arg(pl);
	for (n = Play_Bytes(pl, 1) & 31; n > 0; n--, va += sizeof v) {
		v = Play_Arg(pl);
		play_write(pl, vm, va, &v, sizeof v);
	}
	return (0);
}

static const char * const play_paths[PLAY_PATHS] = {
	"/dev/null", "/dev/zero", "/dev/urandom", PLAY_FILES "/text.bin",
	PLAY_FILES "/empty.bin", PLAY_FILES, PLAY_FILES "/../fuzz/play.c",
	PLAY_FILES "/nothing", "/proc/self/exe", "/etc/passwd", "/", "",
	"relative", PLAY_FILES "/", PLAY_FILES "/./alpha.png", "//",
	"/tmp", "/tmp/a", "/tmp/b", "/tmp/d", "/tmp/d/a", "/tmp/d/d",
	"/tmp/../tmp/a", "/tmp/d/../../etc", "/proc/self/maps", "/proc/cpuinfo",
	"/proc/self/fd", "/proc/self/status", "/dev", "/proc/meminfo",
	"/tmp/d/d/", "/dev/fd/3",
};

static int
play_put_path(struct play *pl, struct fake_vm *vm)
{
	uint64_t k = Play_Bytes(pl, 1);
	const char *p = play_paths[k % PLAY_PATHS];

	/* calls that take two have the other one behind it */
	play_write(pl, vm, pl->img->layout.stack_hi - PLAY_SCRATCH +
	    (k & PLAY_PATHS ? 100 : 0), p, strlen(p) + 1);
	return (0);
}

/* A good answer behind PLAY_SCRATCH, then one word of it spoilt, perhaps. */
static int
play_answer(struct play *pl, struct fake_vm *vm)
{
	struct sandbox_response r;
	struct sandbox_header h;
	uint64_t va, at, spoil, n;
	unsigned u;
	char b[2];

	va = pl->img->layout.stack_hi - PLAY_SCRATCH;
	at = va + 4096;
	memset(&r, 0, sizeof r);
	memset(&h, 0, sizeof h);
	r.size = sizeof r;
	r.status = 200 + (uint32_t)Play_Bytes(pl, 1) * 4;
	r.headers.va = va + 512;
	r.n_headers = (uint32_t)Play_Bytes(pl, 1) & 31;
	for (u = 0; u < r.n_headers; u++) {
		h.name.ptr.va = h.value.ptr.va = at;
		n = Play_Bytes(pl, 1);
		h.name.len = 1;
		h.value.len = n & 3;
		b[0] = (char)('A' + n % 26);
		b[1] = '_';
		play_write(pl, vm, at, b, 2);
		play_write(pl, vm, r.headers.va + u * sizeof h, &h, sizeof h);
		at += 2;
	}
	r.body.va = Play_Arg(pl);
	r.body_len = Play_Arg(pl) % PLAY_MEMORY;
	play_write(pl, vm, va, &r, sizeof r);
	spoil = Play_Bytes(pl, 1);
	if (spoil != 0) {
		n = Play_Arg(pl);
		play_write(pl, vm, va + spoil * 4, &n,
		    spoil & 1 ? sizeof n : sizeof n / 2);
	}
	pl->nr = SANDBOX_CALL_NEXT;
	memset(pl->a, 0, sizeof pl->a);
	pl->a[0] = SANDBOX_ABI_VERSION;
	pl->a[1] = va;
	return (play_call(pl, vm));
}

/*
 * Fetches, in the program's last page: the list, responses, requests and two
 * headers. Those responses that are not new stay what the host has made of
 * them. Then one word is spoilt, perhaps.
 */
static int
play_fetch(struct play *pl, struct fake_vm *vm)
{
	const uint64_t va = PLAY_DATA + 0x2000, rsp = va + 256, rqs = va + 1792;
	const uint64_t hdr = va + 3584;
	struct sandbox_fetch f;
	struct sandbox_fetch_request rq;
	struct sandbox_fetch_response r;
	struct sandbox_header h;
	uint64_t n, u, new, spoil;

	n = Play_Bytes(pl, 1) & 15;
	new = Play_Bytes(pl, 2);
	for (u = 0; u < n; u++) {
		f.response.va = rsp + u * 96;
		f.request.va = rqs + u * sizeof rq;
		play_write(pl, vm, va + u * sizeof f, &f, sizeof f);
		if (!(new >> u & 1))
			continue;
		memset(&r, 0, sizeof r);
		r.size = sizeof r;
		r.space.va = Play_Arg(pl);
		r.space_len = Play_Arg(pl);
		play_write(pl, vm, f.response.va, &r, sizeof r);
		memset(&rq, 0, sizeof rq);
		rq.size = sizeof rq;
		rq.url.ptr.va = PLAY_DATA + 3 * PLAY_PATH_LEN;
		rq.url.len = 9;
		rq.headers.va = hdr;
		rq.n_headers = new >> 15 & 1;
		rq.body.va = PLAY_CONST;
		rq.body_len = Play_Arg(pl);
		rq.max_body = Play_Arg(pl);
		rq.timeout_ns = (int64_t)Play_Arg(pl);
		play_write(pl, vm, f.request.va, &rq, sizeof rq);
	}
	memset(&h, 0, sizeof h);
	h.name.ptr.va = h.value.ptr.va = PLAY_CONST;
	h.name.len = 3;
	h.value.len = 300;
	play_write(pl, vm, hdr, &h, sizeof h);
	spoil = Play_Bytes(pl, 2);
	if (spoil != 0) {
		u = Play_Arg(pl);
		play_write(pl, vm, va + spoil % 1024 * 4, &u,
		    spoil >> 15 ? sizeof u : sizeof u / 2);
	}
	pl->nr = SANDBOX_CALL_FETCH;
	memset(pl->a, 0, sizeof pl->a);
	pl->a[0] = va;
	pl->a[1] = n;
	pl->a[2] = Play_Bytes(pl, 1) & 15;
	return (play_call(pl, vm));
}

static int
play_fault(struct play *pl, struct fake_vm *vm)
{
	struct kvm_regs *r = &vm->run->s.regs.regs;
	uint64_t frame[7] = { 0 };
	unsigned u;

	frame[0] = Play_Bytes(pl, 1) & 31;
	for (u = 1; u < 6; u++)
		frame[u] = Play_Arg(pl);
	vm->sregs.cr2 = Play_Arg(pl);
	r->rsp = SBX_SYS_STACK + SBX_PAGE - sizeof frame;
	memcpy(vm->mem + r->rsp, frame, sizeof frame);
	Fake_Dirty(vm, r->rsp, sizeof frame);
	if (Play_Bytes(pl, 1) & 1)
		r->rsp = Play_Arg(pl);
	vm->sregs.cs.dpl = 0;
	Fake_Out(vm, SBX_PORT_FAULT, SBX_SYS_FAULT + frame[0] * 16);
	return (1);
}

/* What a guest in ring 0 can make KVM say. */
static int
play_exit(struct play *pl, struct fake_vm *vm)
{
	uint64_t how;

	how = Play_Bytes(pl, 1);
	Fake_Out(vm, SBX_PORT_SYSCALL + (unsigned)(how & 3), Play_Arg(pl));
	vm->run->s.regs.regs.rcx = Play_Arg(pl);
	if (how & 4)
		vm->run->io.size = (uint8_t)Play_Bytes(pl, 1);
	if (how & 8)
		vm->run->io.direction = KVM_EXIT_IO_IN;
	if (how & 16)
		vm->run->io.count = (uint32_t)Play_Bytes(pl, 4);
	if (how & 32)
		vm->run->exit_reason = (uint32_t)Play_Bytes(pl, 1);
	if (how & 64)
		fake.fail_edit = 1;
	pl->pending = 0;
	return (how < 128);
}

static int
play_time(struct play *pl)
{

	fake.now += INT64_C(1) << Play_Bytes(pl, 1) % 34;
	return (0);
}

static int
play_ring0(struct play *pl, struct fake_vm *vm)
{
	uint64_t pa, v;

	pa = Play_Bytes(pl, 1) & 1 ? SBX_SYS_END + Play_Bytes(pl, 2) * 8 :
	    Play_Bytes(pl, 4);
	v = Play_Arg(pl) | (Play_Bytes(pl, 1) & 0x67);
	if (pa > PLAY_MEMORY - sizeof v)
		return (0);
	pl->wild = 1;
	memcpy(vm->mem + pa, &v, sizeof v);
	Fake_Dirty(vm, pa, sizeof v);
	return (0);
}

static int
play_op(struct play *pl, struct fake_vm *vm)
{

	switch (pl->mix[Play_Bytes(pl, 1) & 15]) {
	case PLAY_SYSCALL:
		return (play_syscall(pl, vm));
	case PLAY_HOSTCALL:
		return (play_hostcall(pl, vm));
	case PLAY_ANSWER:
		return (play_answer(pl, vm));
	case PLAY_BYTES:
		return (play_put_bytes(pl, vm));
	case PLAY_WORDS:
		return (play_put_words(pl, vm));
	case PLAY_PATH:
		return (play_put_path(pl, vm));
	case PLAY_FETCH:
		return (play_fetch(pl, vm));
	case PLAY_FAULT:
		return (play_fault(pl, vm));
	case PLAY_EXIT:
		return (play_exit(pl, vm));
	case PLAY_TIME:
		return (play_time(pl));
	case PLAY_RING0:
		return (play_ring0(pl, vm));
	default:
		WRONG("a mix");
	}
	return (0);
}

/*--------------------------------------------------------------------
 * The program starts: so that the golden image has a bit of everything.
 */

#define RW		(PROT_READ | PROT_WRITE)
#define ANON		(MAP_PRIVATE | MAP_ANONYMOUS)
#define PATH(n)		(PLAY_DATA + (n) * PLAY_PATH_LEN)
#define LAST		UINT64_C(0xfeedfeedfeed)	/* result of the last */

static const uint64_t play_boot[][7] = {
	{ SYS_brk, 0 },
	{ SYS_open, PATH(3), O_RDONLY },
	{ SYS_read, 3, PLAY_DATA + 0x1000, 100 },
	{ SYS_dup, 3 },
	{ SYS_open, PATH(1), O_RDWR },
	{ SYS_mmap, 0, 4 * SBX_PAGE, RW, ANON, UINT64_MAX, 0 },
	{ SYS_read, 3, LAST, 2 * SBX_PAGE },
	{ SYS_mmap, 0, 3 * SBX_PAGE, RW, ANON, UINT64_MAX, 0 },
	{ SYS_mprotect, LAST, SBX_PAGE, PROT_READ },
	{ SYS_prctl, 15, PATH(3) },
	{ SYS_rt_sigaction, 10, PATH(3), 0, 8 },
	{ SYS_mkdir, PATH(19), 0777 },
	{ SYS_open, PATH(17), O_RDWR | O_CREAT, 0666 },
	{ SYS_write, 6, PLAY_DATA, 5000 },
	{ SYS_pipe, PLAY_DATA + 0x1f00 },
	{ SYS_write, 8, PLAY_DATA, 100 },
	{ SYS_eventfd2, 5, 0 },
	{ SYS_epoll_create1, 0 },
	{ SYS_epoll_ctl, 10, 1, 7, PLAY_DATA + 0x2000 },
	{ SYS_alarm, 1000 },
	{ SYS_timer_create, CLOCK_MONOTONIC, 0, PLAY_DATA + 0x1f80 },
	{ SYS_chdir, PATH(19) },
	{ SANDBOX_CALL_NEXT, SANDBOX_ABI_VERSION, 0 },
};

static void
play_run_boot(struct play *pl, struct fake_vm *vm)
{
	struct kvm_regs *r = &vm->run->s.regs.regs;
	const uint64_t *c = play_boot[pl->booted];

	/* what is last but one is the address, for mprotect and read */
	if ((int64_t)r->rax > 4096)
		pl->result[0] = r->rax;
	assert(pl->booted < sizeof play_boot / sizeof *play_boot);
	assert(pl->booted == 0 || (int64_t)r->rax >= 0);
	pl->booted++;
	r->rax = c[0];
	r->rdi = c[1] == LAST ? pl->result[0] : c[1];
	r->rsi = c[2] == LAST ? pl->result[0] : c[2];
	r->rdx = c[3];
	r->r10 = c[4];
	r->r8 = c[5];
	r->r9 = c[6];
	r->rcx = PLAY_CODE;
	Fake_Out(vm, SBX_PORT_SYSCALL, SBX_SYS_SYSCALL);
}

static void
play_run(void *priv, struct fake_vm *vm)
{
	struct play *pl;

	CAST_OBJ_NOTNULL(pl, priv, PLAY_MAGIC);
	if (pl->vm == NULL) {
		play_run_boot(pl, vm);
		return;
	}
	if (vm->sregs.cs.dpl == 0) {
		/* the editor, and it is to fail */
		fake.fail_edit = 0;
		vm->run->exit_reason = KVM_EXIT_SHUTDOWN;
		return;
	}
	if (pl->run != NULL) {
		pl->run(pl->run_priv, vm);
		return;
	}
	play_returned(pl, &vm->run->s.regs.regs);
	while (pl->p < pl->e && pl->calls < PLAY_CALLS)
		if (play_op(pl, vm))
			return;
	/* the end of it is a good answer */
	pl->p = pl->e;
	(void)play_answer(pl, vm);
}

/*--------------------------------------------------------------------
 * A file that is a program
 */

struct play_elf {
	Elf64_Ehdr		eh;
	Elf64_Phdr		ph[3];
	uint8_t			pad[SBX_PAGE - sizeof(Elf64_Ehdr) -
				    3 * sizeof(Elf64_Phdr)];
	uint8_t			konst[SBX_PAGE];
	char			data[PLAY_PATHS][PLAY_PATH_LEN];
};

static void
play_segment(Elf64_Phdr *ph, uint64_t at, uint64_t off, uint64_t len,
    uint32_t flags)
{

	ph->p_type = PT_LOAD;
	ph->p_flags = flags;
	ph->p_vaddr = ph->p_paddr = at;
	ph->p_offset = off;
	ph->p_filesz = len;
	ph->p_memsz = len;
	ph->p_align = SBX_PAGE;
}

static void
play_make_elf(struct play_elf *f)
{
	unsigned u;

	memset(f, 0, sizeof *f);
	ehdr_init(&f->eh, ET_EXEC, PLAY_CODE + 0x800, 3);
	play_segment(&f->ph[0], PLAY_CODE, 0, SBX_PAGE, PF_R | PF_X);
	play_segment(&f->ph[1], PLAY_CONST, SBX_PAGE, SBX_PAGE, PF_R);
	play_segment(&f->ph[2], PLAY_DATA, 2 * SBX_PAGE, sizeof f->data,
	    PF_R | PF_W);
	f->ph[2].p_memsz = 0x3000;
	memset(f->konst, 'c', sizeof f->konst);
	for (u = 0; u < PLAY_PATHS; u++)
		(void)snprintf(f->data[u], PLAY_PATH_LEN, "%s", play_paths[u]);
}

/*--------------------------------------------------------------------
 * Requests
 */

/* A VM is memory of its own, where the leak sanitizer does not look by itself
 * for what it refers to. */
static void
play_root(const struct sbx_vm *vm, int on)
{

	if (on && __lsan_register_root_region != NULL)
		__lsan_register_root_region(vm, sizeof *vm);
	if (!on && __lsan_unregister_root_region != NULL)
		__lsan_unregister_root_region(vm, sizeof *vm);
}

static void
play_vm_new(struct play *pl)
{
	struct sbx_err err;

	SBX_Err_Clear(&err);
	AZ(SBX_VM_New(pl->img, PLAY_TIMEOUT, 0, &pl->vm, &err));
	play_root(pl->vm, 1);
	pl->m = pl->vm->m;
	pl->proc = &pl->vm->proc;
	fake.watched = pl->m;
}

/* What is to go to the client: copies, and the body as the guest has it. */
static void
play_check_answer(const struct play *pl)
{
	const struct sbx_answer *a;
	const uint8_t *g;
	uint8_t b[1000];
	uint64_t off, l, u;

	a = SBX_VM_Answer(pl->vm);
	assert(a->status >= 200 && a->status <= 999);
	assert(a->n_headers <= SANDBOX_MAX_HEADERS);
	assert(a->body_len <= PLAY_ANSWER_MAX);
	Play_Text(&a->reason, 0);
	for (u = 0; u < a->n_headers; u++) {
		Play_Text(&a->headers[u].name, 1);
		Play_Text(&a->headers[u].value, 0);
	}
	assert(a->body_len == 0 || pl->vm->x.body.va >= SBX_SYS_END);
	for (off = 0; off < a->body_len; off += l) {
		l = SBX_VM_AnswerBody(pl->vm, off, b, sizeof b);
		assert(l > 0 && l <= sizeof b);
		for (u = 0; u < l && !pl->wild; u++) {
			g = play_at(pl, pl->vm->x.body.va + off + u, 0);
			AN(g);
			assert(*g == b[u]);
		}
	}
	assert(off == a->body_len);
	AZ(SBX_VM_AnswerBody(pl->vm, off, b, sizeof b));
}

static void
play_check_threads(const struct sbx_threads *ts, const struct sbx_threads *gs)
{
	const struct sbx_thread *t, *g;
	unsigned u;

	assert(ts->n == gs->n && ts->last_tid == gs->last_tid);
	assert(ts->cur == gs->cur && ts->loaded == gs->loaded);
	assert(ts->pending == gs->pending);
	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = ts->t[u];
		g = gs->t[u];
		if (g == NULL || g->state == SBX_THREAD_FREE) {
			assert(t == NULL || t->state == SBX_THREAD_FREE);
			continue;
		}
		AN(t);
		assert(t->state == g->state && t->tid == g->tid);
		assert(t->sigmask == g->sigmask && t->pending == g->pending);
		assert(t->until == g->until && t->addr == g->addr);
		assert(t->suspended == g->suspended);
		assert(t->pending_user == g->pending_user);
		AZ(memcmp(t->sigstack, g->sigstack, sizeof g->sigstack));
		AZ(memcmp(t->name, g->name, sizeof g->name));
		if (g->saved)
			AZ(memcmp(&t->cpu, &g->cpu, sizeof g->cpu));
	}
}

static void
play_check_channels(const struct sbx_channels *cs,
    const struct sbx_channels *gs)
{
	const struct sbx_channel *c, *g;
	uint64_t i;
	unsigned u;

	assert(cs->watched == gs->watched && cs->turn == gs->turn);
	for (u = 0; u < SBX_CHANNELS_MAX; u++) {
		c = &cs->ch[u];
		g = &gs->ch[u];
		assert(c->turn == g->turn && c->n == g->n);
		assert(c->bytes == g->bytes && c->at == g->at);
		assert(c->count == g->count);
		assert(c->until == g->until && c->every == g->every);
		if (g->n > 0)
			AZ(memcmp(c->mem.watch, g->mem.watch,
			    g->n * sizeof *g->mem.watch));
		/* what has been read, or not been written, is not looked at */
		for (i = 0; i < g->bytes; i++)
			assert(c->mem.b[(g->at + i) % SBX_CHANNEL_MEM] ==
			    g->mem.b[(g->at + i) % SBX_CHANNEL_MEM]);
	}
}

static void
play_check_timers(const struct sbx_timers *ts, const struct sbx_timers *gs)
{
	const struct sbx_timer *t, *g;
	unsigned u;

	assert(ts->n == gs->n);
	for (u = 0; u < SBX_TIMERS_MAX; u++) {
		t = &ts->t[u];
		g = &gs->t[u];
		assert(t->used == g->used && t->clock == g->clock);
		assert(t->notify == g->notify && t->sig == g->sig);
		assert(t->tid == g->tid && t->relative == g->relative);
		assert(t->sent == g->sent && t->stale == g->stale);
		assert(t->value == g->value && t->until == g->until);
		assert(t->every == g->every && t->missed == g->missed);
	}
}

/* A VM that was reset is the golden image. */
static void
play_check_reset(const struct play *pl)
{
	const struct sbx_proc *p = pl->proc, *g = &pl->img->proc;
	unsigned u;

	AZ(memcmp(pl->m->gmem.base, pl->img->golden, PLAY_MEMORY));
	play_check_mm(&p->mm);
	play_check_files(&p->files);
	assert(p->files.tmp.n == g->files.tmp.n);
	AZ(memcmp(p->files.tmp.node, g->files.tmp.node,
	    g->files.tmp.n * sizeof *g->files.tmp.node));
	assert(p->mm.brk == g->mm.brk && p->mm.used == g->mm.used);
	assert(p->mm.narrowed == g->mm.narrowed);
	assert(p->mm.n_extent == g->mm.n_extent);
	for (u = 0; u < g->mm.n_extent; u++) {
		assert(p->mm.extent[u].lo == g->mm.extent[u].lo);
		assert(p->mm.extent[u].hi == g->mm.extent[u].hi);
		assert(p->mm.extent[u].backed == g->mm.extent[u].backed);
	}
	AZ(memcmp(p->files.fd, g->files.fd, sizeof g->files.fd));
	for (u = 0; u < SBX_FD_MAX; u++)
		AZ(memcmp(&p->files.ofd[u], &g->files.ofd[u],
		    sizeof g->files.ofd[u]));
	AZ(memcmp(p->sigaction, g->sigaction, sizeof g->sigaction));
	AZ(p->edits.n);
	AZ(p->edits.overflow);
	AZ(p->out[0].len);
	AZ(p->out[1].len);
	play_check_threads(&p->threads, &g->threads);
	play_check_channels(&p->channels, &g->channels);
	play_check_timers(&p->timers, &g->timers);
	AZ(strcmp(p->files.cwd, g->files.cwd));
	assert(p->files.tmp.n == g->files.tmp.n);
	AZ(memcmp(p->files.tmp.node, g->files.tmp.node,
	    g->files.tmp.n * sizeof *g->files.tmp.node));
	assert(fake.n_fd == pl->n_fd);
	assert(fake.n_map == pl->n_map);
}

/* Reset, or replaced if that is not possible. */
static void
play_over(struct play *pl)
{
	struct sbx_err err;

	SBX_Err_Clear(&err);
	if (pl->vm->state != SBX_VM_DEAD)
		(void)SBX_VM_Reset(pl->vm, &err);
	if (pl->vm->state != SBX_VM_READY) {
		fake.watched = NULL;
		play_root(pl->vm, 0);
		SBX_VM_Destroy(&pl->vm);
		play_vm_new(pl);
	} else if (!pl->wild)
		/* what was undone by the editor, and not by copying memory */
		AZ(memcmp(pl->tables, pl->img->golden + SBX_SYS_END,
		    pl->tables_len));
	play_check_reset(pl);
}

static void
play_begin(struct play *pl)
{

	pl->wild = pl->pending = 0;
	pl->calls = pl->n_lines = pl->n_fetch = 0;
	pl->fetched = 0;
	fake.fail_edit = 0;
	memcpy(pl->tables, pl->img->golden + SBX_SYS_END, pl->tables_len);
	memset(pl->result, 0, sizeof pl->result);
	SBX_VM_State(pl->vm, SBX_VM_LENT);
}

static void
play_request(struct play *pl)
{
	static const struct sbx_header h[1] = {{ { "Host", 4 }, { "a", 1 } }};
	static const struct sbx_request rq = {
		.method = { "GET", 3 }, .url = { "/", 1 },
		.proto = { "HTTP/1.1", 8 }, .arg = { "", 0 },
		.client_ip = { "127.0.0.1", 9 }, .n_headers = 1, .headers = h,
	};
	const struct sbx_host host = {
		.log = Play_Log,
		.fetch_start = Play_FetchStart,
		.fetch_wait = Play_FetchWait,
		.fetch_answer = Play_FetchAnswer,
		.fetch_drop = Play_FetchDrop,
		.priv = pl,
	};
	struct sbx_err err;

	SBX_Err_Clear(&err);
	play_begin(pl);
	AZ(SBX_VM_Body(pl->vm, "body", 4, &err));
	if (SBX_VM_Serve(pl->vm, &rq, &host, &err)) {
		assert(err.kind == SBX_FAIL_GUEST || err.kind == SBX_FAIL_HOST);
		AN(err.msg[0]);
		assert(pl->vm->state == SBX_VM_DEAD);
		assert(pl->proc->kill != SBX_KILL_NONE);
		assert(pl->proc->tail_len <= sizeof pl->proc->tail);
		if (pl->calls % 4 == 0)
			Play_Core(pl);
	}
	AZ(pl->fetches);
	assert(pl->fetched <= PLAY_FETCH_BYTES);
	assert(pl->vm->usage.fetch.bytes <= PLAY_FETCH_BYTES);
	play_check(pl);
	if (pl->vm->state == SBX_VM_SPENT)
		play_check_answer(pl);
	play_over(pl);
}

void
Play_Input(const uint8_t *b, size_t l)
{
	struct play *pl = &play;
	unsigned u;

	pl->p = b;
	pl->e = b + l;
	for (u = 0; u < PLAY_REQUESTS && (u == 0 || pl->p < pl->e); u++)
		play_request(pl);
}

void
Play_Init(const char *mix)
{
	static struct play_elf f;
	static const char * const files[] = { PLAY_FILES, NULL };
	struct play *pl = &play;
	struct sbx_program_cfg cfg;
	struct sbx_err err;
	uint64_t e;

	assert(strlen(mix) == 16);
	Fake_Init(SBX_PLATFORM_P);
	fake.run = play_run;
	fake.edit = play_edit;
	fake.priv = pl;
	INIT_OBJ(pl, PLAY_MAGIC);
	pl->mix = mix;
	play_make_elf(&f);
	SBX_Program_Defaults(&cfg);
	cfg.path = "/the/program";
	cfg.files = files;
	cfg.memory = PLAY_MEMORY;
	cfg.max_request_body = PLAY_BODY;
	cfg.max_response_body = PLAY_ANSWER_MAX;
	cfg.max_fetches = PLAY_FETCHES;
	cfg.max_fetch_bytes = PLAY_FETCH_BYTES;
	SBX_Err_Clear(&err);
	if (SBX_Image_New(&fake.kvm, &cfg, &f, sizeof f, &pl->img, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		abort();
	}
	/* the tables that are in use */
	pl->tables_len = SBX_Paging_Room(PLAY_MEMORY);
	do {
		pl->tables_len -= sizeof e;
		memcpy(&e, pl->img->golden + SBX_SYS_END + pl->tables_len,
		    sizeof e);
	} while (e == 0);
	pl->tables_len += SBX_PAGE - pl->tables_len % SBX_PAGE;
	pl->tables = malloc(pl->tables_len);
	AN(pl->tables);
	play_vm_new(pl);
	pl->n_fd = fake.n_fd;
	pl->n_map = fake.n_map;
}

/*--------------------------------------------------------------------
 * For other fuzzers
 */

struct sbx_vm *
Play_Lend(fake_run_f *run, void *priv)
{
	struct play *pl = &play;

	play_begin(pl);
	pl->run = run;
	pl->run_priv = priv;
	return (pl->vm);
}

void
Play_Return(void)
{

	play_check(&play);
	play_over(&play);
}

uint8_t *
Play_At(uint64_t va, int writing)
{

	return (play_at(&play, va, writing));
}

void
Play_Write(struct fake_vm *vm, uint64_t va, const void *b, size_t l)
{

	play_write(&play, vm, va, b, l);
}

uint64_t
Play_Window(void)
{

	return (play.img->layout.window);
}

uint64_t
Play_Arena(void)
{

	return (play.img->layout.arena_lo);
}

void
Play_Answer(struct fake_vm *vm)
{

	play.p = play.e;
	(void)play_answer(&play, vm);
}

void
Play_Next(struct fake_vm *vm, uint64_t va)
{

	play.nr = SANDBOX_CALL_NEXT;
	memset(play.a, 0, sizeof play.a);
	play.a[0] = SANDBOX_ABI_VERSION;
	play.a[1] = va;
	(void)play_call(&play, vm);
}
