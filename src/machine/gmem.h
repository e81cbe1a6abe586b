/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guest memory, and the only gate to it.
 *
 * Guest physical memory is one range of the host's address space. Guest
 * virtual addresses are looked up in the guest's own page tables, as the CPU
 * does: what ring 3 can not reach, the host does not read or write on its
 * behalf. Every address and length that comes from a guest may be handed to
 * these functions unchecked.
 *
 * Pages written through here are remembered in (touched), because KVM's dirty
 * log does not see the host's writes.
 *
 * No locking: a VM's memory is used by one thread at a time.
 */

#ifndef SBX_GMEM_H_INCLUDED
#define SBX_GMEM_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "sandbox_abi.h"

#include "machine/layout.h"

/* A guest virtual address is a sandbox_gva_t; a physical one this. Neither
 * is a number or a pointer by accident. */
typedef struct sbx_gpa {
	uint64_t		pa;
} sbx_gpa_t;

/* An address or a length, down and up to whole pages. Up wraps to 0. */
static inline uint64_t
SBX_Page_Down(uint64_t v)
{

	return (v & ~(uint64_t)(SBX_PAGE - 1));
}

static inline uint64_t
SBX_Page_Up(uint64_t v)
{

	return (SBX_Page_Down(v + SBX_PAGE - 1));
}

/* True if all of the page is zero. */
int SBX_Page_IsZero(const void *);

struct sbx_gmem {
	unsigned		magic;
#define SBX_GMEM_MAGIC		0x6d1c27b9
	uint8_t			*base;		/* guest physical 0 */
	uint64_t		size;		/* bytes, whole pages */
	uint64_t		*touched;	/* a bit per page */

	/* If set: asked for a page that is not present and that ring 3 may
	 * expect to be. Returns 1 if it has been made so. */
	int			(*missing)(void *priv, uint64_t va);
	void			*priv;
};

/*
 * For many small copies one after the other: the page that the last one was on
 * is not looked up again. Good as long as the guest does not run and nobody
 * changes its page tables.
 */
struct sbx_gpage {
	unsigned		magic;
#define SBX_GPAGE_MAGIC		0x7d52a90e
	struct sbx_gmem		*gmem;
	uint64_t		va;
	uint8_t			*ptr;		/* NULL: none yet */
};

/* Bits of page table entries (SDM vol. 3, table 4-20). A and D are always
 * set, so that the CPU never has to write an entry. */
#define SBX_PTE_P		(UINT64_C(1) << 0)
#define SBX_PTE_W		(UINT64_C(1) << 1)
#define SBX_PTE_U		(UINT64_C(1) << 2)
#define SBX_PTE_A		(UINT64_C(1) << 5)
#define SBX_PTE_D		(UINT64_C(1) << 6)
#define SBX_PTE_NX		(UINT64_C(1) << 63)
#define SBX_PTE_ADDR		UINT64_C(0x000ffffffffff000)

/*
 * Make (gm) describe (size) bytes at (base), which stay the caller's. Returns
 * -1 if there is no memory for the bookkeeping.
 */
int SBX_Gmem_Init(struct sbx_gmem *, void *base, uint64_t size);
void SBX_Gmem_Fini(struct sbx_gmem *);

/*
 * The host address of guest physical memory, which the host itself has chosen:
 * asserts that [pa, pa + len) is inside. Writes are not remembered.
 */
void *SBX_Gmem_Phys(const struct sbx_gmem *, sbx_gpa_t, uint64_t len);

/* Remember (len) bytes at (gpa) as written by the host. */
void SBX_Gmem_Touch(struct sbx_gmem *, sbx_gpa_t, uint64_t len);

/* Zero the page at (gpa), which is inside, but do not dirty one that is. */
void SBX_Gmem_Forget(struct sbx_gmem *, sbx_gpa_t);

/*
 * The page table entry for an address, or NULL where there is no table. The
 * entry need not be present.
 */
uint64_t *SBX_Gmem_Entry(const struct sbx_gmem *, sandbox_gva_t);

/* What the guest must be allowed to do at an address. */
enum sbx_access_e {
	SBX_ACC_READ,
	SBX_ACC_WRITE,
};

/*
 * True if ring 3 may read or write all of [va, va + len). Zero bytes may be
 * read and written anywhere. Takes time in proportion to the pages that are
 * there, not to (len).
 */
int SBX_Gmem_Check(const struct sbx_gmem *, sandbox_gva_t, uint64_t len,
    enum sbx_access_e);

/*
 * Copy (len) bytes from or to the guest, or fill them with zeroes. Return 0,
 * or -1 if the guest could not have done it; part of it may then have been
 * done.
 */
int SBX_Gmem_CopyIn(const struct sbx_gmem *, void *dst, sandbox_gva_t,
    uint64_t len);
int SBX_Gmem_CopyOut(struct sbx_gmem *, sandbox_gva_t, const void *src,
    uint64_t len);
int SBX_Gmem_Zero(struct sbx_gmem *, sandbox_gva_t, uint64_t len);

/*
 * Copy a NUL terminated string of less than (max) bytes. Returns its length,
 * -1 if it can not be read, -2 if it is too long.
 */
int SBX_Gmem_StrIn(const struct sbx_gmem *, char *dst, size_t max,
    sandbox_gva_t);

/*
 * How many of the (len) bytes at (va) lie in a row in the host's memory, and
 * where: for callers that hand them to a system call or copy them themselves.
 * 0 if not even the first one may be accessed so. Writable ones are
 * remembered as written.
 */
uint64_t SBX_Gmem_Span(struct sbx_gmem *, sandbox_gva_t, uint64_t len,
    enum sbx_access_e, uint8_t **ptr);

/*
 * As SBX_Gmem_CopyIn() and SBX_Gmem_CopyOut(). Each wants a page of its own:
 * what may be read need not be writable.
 */
void SBX_Gpage_Init(struct sbx_gpage *, struct sbx_gmem *);
int SBX_Gpage_CopyIn(struct sbx_gpage *, void *dst, sandbox_gva_t,
    uint64_t len);
int SBX_Gpage_CopyOut(struct sbx_gpage *, sandbox_gva_t, const void *src,
    uint64_t len);

#endif
