/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * reset.c: putting a VM back as the golden image is.
 *
 * What a request can have changed, and where it is put back:
 *
 *	memory			here, from KVM's dirty log and gmem's own
 *	page table entries	SBX_Proc_Undo(), by code in the guest
 *	general registers	SBX_Machine_Enter(), at the next request
 *	vector registers, MXCSR, x87, PKRU, segment registers and their
 *	bases			the trampoline, at the next request
 *	brk, mmap, reservations, descriptors, names in /tmp, signal
 *	handlers, threads and their registers, pipes and the like
 *				SBX_Proc_Reset()
 *	request and answer	SBX_Exchange_Begin()
 *	fetches			SBX_Fetch_End(), before this
 *	clock, random numbers	never put back, but new for each request
 *	control registers, descriptor tables
 *				machine.c looks at them at each system call
 *	debug registers, MSRs	ring 3 can not change them
 *
 * A page that has been dirtied once stays private to the VM and writable: its
 * bit in KVM's log is not cleared, so that the next request does not fault on
 * it, and it is copied back after each request. SBX_HOT_MAX bounds that; the
 * pages above it are dropped, so that they are the golden image's again.
 *
 * One large request must not make all that follow pay for its pages. So some
 * time after the hot pages became more (SBX_AGE_MIN resets) their bits are
 * cleared, to see which of them are still written to; at the next look the
 * others are dropped. The looks become rare where they find nothing, because
 * each costs a fault on every page that is in use.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/watchdog.h"
#include "pool/vm_priv.h"

/* How long undoing page table edits may take. */
#define RESET_TIMEOUT		INT64_C(1000000000)

/* A cache line. KVM's copy of the log takes 0.1 us longer to where one does not
 * begin: what the kernel copies with, "rep movsb", is slower then. */
#define RESET_ALIGN		((size_t)64)

int
SBX_VM_ResetInit(struct sbx_vm *vm, struct sbx_err *err)
{
	unsigned char *p;
	size_t size;

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	vm->words = (vm->img->size / SBX_PAGE + 63) / 64;
	/* each bitmap in cache lines of its own */
	size = (vm->words * sizeof *vm->dirty + RESET_ALIGN - 1) &
	    ~(RESET_ALIGN - 1);
	vm->bitmaps = sbx_os.calloc(1, 4 * size + RESET_ALIGN);
	if (vm->bitmaps == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "VM"));
	p = vm->bitmaps;
	p += -(uintptr_t)p & (RESET_ALIGN - 1);
	vm->dirty = (void *)p;
	vm->hot = (void *)(p + size);
	vm->drop = (void *)(p + 2 * size);
	vm->recent = (void *)(p + 3 * size);
	vm->age_every = SBX_AGE_MIN;
	return (0);
}

void
SBX_VM_ResetFini(struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	free(vm->bitmaps);
	vm->bitmaps = NULL;
	vm->dirty = vm->hot = vm->drop = vm->recent = NULL;
}

static int
reset_get_log(struct sbx_vm *vm, struct sbx_err *err)
{
	struct kvm_dirty_log log = {
		.slot = 0,
		.dirty_bitmap = vm->dirty,
	};

	if (sbx_os.ioctl(vm->m->vm_fd, KVM_GET_DIRTY_LOG, &log) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_GET_DIRTY_LOG"));
	return (0);
}

/* Copy the pages in (bits) of word (w) from the golden image; those that are
 * not in it are zero. Returns how many these were. */
static unsigned
reset_copy(const struct sbx_vm *vm, size_t w, uint64_t bits)
{
	uint64_t off, data = vm->img->data[w];
	unsigned n, copied = 0;

	for (; bits != 0; bits &= bits - 1, copied++) {
		n = (unsigned)__builtin_ctzll(bits);
		off = (w * 64 + n) * SBX_PAGE;
		if (data >> n & 1)
			memcpy((uint8_t *)vm->mem + off,
			    vm->img->golden + off, SBX_PAGE);
		else
			memset((uint8_t *)vm->mem + off, 0, SBX_PAGE);
	}
	return (copied);
}

/* Of (fresh), pages that were not hot before, as many as the budget allows
 * become it. Returns those that do not. */
static uint64_t
reset_budget(struct sbx_vm *vm, size_t w, uint64_t fresh)
{

	while (fresh != 0 && vm->n_hot < SBX_HOT_MAX) {
		vm->hot[w] |= fresh & -fresh;
		vm->n_hot++;
		fresh &= fresh - 1;
	}
	return (fresh);
}

/* Give [from, to) pages back to the host. */
static int
reset_madvise(struct sbx_vm *vm, uint64_t from, uint64_t to,
    struct sbx_err *err)
{

	if (sbx_os.madvise((uint8_t *)vm->mem + from * SBX_PAGE,
	    (to - from) * SBX_PAGE, MADV_DONTNEED) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "MADV_DONTNEED"));
	return (0);
}

static int
reset_is_dropped(const struct sbx_vm *vm, uint64_t page)
{

	return ((vm->drop[page / 64] >> (page % 64)) & 1);
}

/* Let KVM log the pages in (bits), of words [first, last], again. */
static int
reset_clear_log(struct sbx_vm *vm, uint64_t *bits, size_t first, size_t last,
    struct sbx_err *err)
{
	uint64_t end = (last + 1) * 64, pages = vm->img->size / SBX_PAGE;
	struct kvm_clear_dirty_log log = {
		.slot = 0,
		.first_page = first * 64,
		.dirty_bitmap = bits + first,
	};

	if (end > pages)
		end = pages;
	log.num_pages = (uint32_t)(end - log.first_page);
	if (sbx_os.ioctl(vm->m->vm_fd, KVM_CLEAR_DIRTY_LOG, &log) < 0)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errno,
		    "KVM_CLEAR_DIRTY_LOG"));
	return (0);
}

/*
 * Give the pages in vm->drop, all of them in words [first, last] and not in
 * KVM's log any more, back: the next access finds the golden image's page.
 */
static int
reset_drop(struct sbx_vm *vm, size_t first, size_t last, struct sbx_err *err)
{
	uint64_t from, to, end = (last + 1) * 64;

	for (from = first * 64; from < end; from = to) {
		to = from + 1;
		if (!reset_is_dropped(vm, from))
			continue;
		while (to < end && reset_is_dropped(vm, to))
			to++;
		if (reset_madvise(vm, from, to, err))
			return (-1);
		vm->n_dropped += to - from;
	}
	memset(vm->drop + first, 0, (last + 1 - first) * sizeof *vm->drop);
	return (0);
}

/*
 * Look through the hot pages: those that have been written to since the last
 * look stay, and are put to the test again; the others are dropped.
 */
static int
reset_age(struct sbx_vm *vm, struct sbx_err *err)
{
	uint64_t used, stale, n_stale = 0, n_hot = vm->n_hot;
	size_t w;

	for (w = 0; w < vm->words; w++) {
		used = vm->dirty[w] | vm->recent[w];
		stale = vm->hot[w] & ~used;
		vm->drop[w] = stale;
		n_stale += (unsigned)__builtin_popcountll(stale);
		vm->recent[w] = 0;
	}
	if (reset_clear_log(vm, vm->hot, 0, vm->words - 1, err))
		return (-1);
	for (w = 0; w < vm->words; w++)
		vm->hot[w] &= ~vm->drop[w];
	vm->n_hot -= n_stale;
	vm->age_every = n_stale * 4 >= n_hot ? SBX_AGE_MIN :
	    vm->age_every < SBX_AGE_MAX ? 2 * vm->age_every : SBX_AGE_MAX;
	vm->age_in = vm->n_hot > SBX_HOT_FEW ? vm->age_every : 0;
	return (n_stale > 0 ? reset_drop(vm, 0, vm->words - 1, err) : 0);
}

/* When to look: soon after there were clearly more, else when it is due. */
static int
reset_is_old(struct sbx_vm *vm, uint64_t n_hot_before)
{

	if (vm->n_hot > SBX_HOT_FEW &&
	    (vm->age_in == 0 || vm->n_hot - n_hot_before > n_hot_before)) {
		vm->age_every = SBX_AGE_MIN;
		vm->age_in = SBX_AGE_MIN;
	}
	return (vm->age_in > 0 && --vm->age_in == 0);
}

/* Two words, what every x86-64 has registers for */
typedef uint64_t reset_pair __attribute__((__vector_size__(16),
    __aligned__(8), __may_alias__));

/* What is in the eight words from (p) on, one over the other */
static inline reset_pair
reset_eight(const uint64_t *p)
{
	const reset_pair *v = (const void *)p;

	return (v[0] | v[1] | v[2] | v[3]);
}

/* The first word from (w) on with something in it, in the log or in (touched).
 * Nearly all are zero. */
static size_t
reset_next(const struct sbx_vm *vm, const uint64_t *touched, size_t w)
{
	const uint64_t *dirty = vm->dirty;
	const size_t words = vm->words;
	reset_pair any;

	for (; w + 8 <= words; w += 8) {
		any = reset_eight(dirty + w) | reset_eight(touched + w);
		if ((any[0] | any[1]) != 0)
			break;
	}
	while (w < words && (dirty[w] | touched[w]) == 0)
		w++;
	return (w);
}

static int
reset_memory(struct sbx_vm *vm, struct sbx_err *err)
{
	uint64_t *touched = vm->m->gmem.touched, bits, drop;
	uint64_t n_hot = vm->n_hot;
	size_t w, first = vm->words, last = 0;

	vm->n_reset = vm->n_dropped = 0;
	if (reset_get_log(vm, err))
		return (-1);
	for (w = reset_next(vm, touched, 0); w < vm->words;
	    w = reset_next(vm, touched, w + 1)) {
		bits = vm->dirty[w] | touched[w];
		vm->recent[w] |= touched[w];
		touched[w] = 0;
		drop = reset_budget(vm, w, bits & ~vm->hot[w]);
		bits &= ~drop;
		vm->n_reset += reset_copy(vm, w, bits);
		if (drop == 0)
			continue;
		vm->drop[w] = drop;
		if (first > w)
			first = w;
		last = w;
	}
	if (first <= last && (reset_clear_log(vm, vm->drop, first, last,
	    err) || reset_drop(vm, first, last, err)))
		return (-1);
	return (reset_is_old(vm, n_hot) ? reset_age(vm, err) : 0);
}

int
SBX_VM_Written(struct sbx_vm *vm, struct sbx_err *err)
{
	size_t w;

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	assert(vm->state == SBX_VM_DEAD);
	if (reset_get_log(vm, err))
		return (-1);
	for (w = 0; w < vm->words; w++)
		vm->dirty[w] |= vm->img->data[w] | vm->hot[w] |
		    vm->m->gmem.touched[w];
	return (0);
}

struct reset_undo {
	unsigned		magic;
#define RESET_UNDO_MAGIC	0x6ea093b4
	struct sbx_vm		*vm;
	struct sbx_err		*err;
	int			failed;
};

static void
reset_undo(void *priv)
{
	struct reset_undo *u;

	CAST_OBJ_NOTNULL(u, priv, RESET_UNDO_MAGIC);
	SBX_Watchdog_Arm(u->vm->m, SBX_Os_Mono() + RESET_TIMEOUT);
	u->failed = SBX_Proc_Undo(&u->vm->proc, u->err);
	SBX_Watchdog_Disarm(u->vm->m);
}

static int
reset_page_tables(struct sbx_vm *vm, struct sbx_err *err)
{
	struct reset_undo u;

	if (vm->proc.edits.n == 0 && !vm->proc.edits.overflow)
		return (0);
	INIT_OBJ(&u, RESET_UNDO_MAGIC);
	u.vm = vm;
	u.err = err;
	SBX_VM_Call(vm, reset_undo, &u);
	return (u.failed);
}

int
SBX_VM_Reset(struct sbx_vm *vm, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	if (vm->state == SBX_VM_LENT)
		SBX_VM_State(vm, SBX_VM_SPENT);
	assert(vm->state == SBX_VM_SPENT);
	if (reset_page_tables(vm, err) || reset_memory(vm, err)) {
		SBX_VM_State(vm, SBX_VM_DEAD);
		return (-1);
	}
	SBX_Proc_Reset(&vm->proc, &vm->img->proc);
	SBX_Exchange_Begin(&vm->x);
	SBX_VM_State(vm, SBX_VM_READY);
	return (0);
}
