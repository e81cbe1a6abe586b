/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * gmem.c: guest memory.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "machine/gmem.h"

int
SBX_Page_IsZero(const void *page)
{
	const uint8_t *p = page;

	AN(p);
	return (p[0] == 0 && !memcmp(p, p + 1, SBX_PAGE - 1));
}

int
SBX_Gmem_Init(struct sbx_gmem *gm, void *base, uint64_t size)
{

	AN(gm);
	AN(base);
	AN(size);
	AZ(size % SBX_PAGE);
	INIT_OBJ(gm, SBX_GMEM_MAGIC);
	gm->base = base;
	gm->size = size;
	gm->touched = sbx_os.calloc(
	    (size / SBX_PAGE + 63) / 64, sizeof *gm->touched);
	return (gm->touched == NULL ? -1 : 0);
}

void
SBX_Gmem_Fini(struct sbx_gmem *gm)
{

	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	free(gm->touched);
	memset(gm, 0, sizeof *gm);
}

static int
gmem_inside(const struct sbx_gmem *gm, uint64_t pa, uint64_t len)
{

	return (len <= gm->size && pa <= gm->size - len);
}

void *
SBX_Gmem_Phys(const struct sbx_gmem *gm, sbx_gpa_t gpa, uint64_t len)
{

	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	assert(gmem_inside(gm, gpa.pa, len));
	return (gm->base + gpa.pa);
}

uint64_t *
SBX_Gmem_Entry(const struct sbx_gmem *gm, sandbox_gva_t gva)
{
	uint64_t *e, table;
	int shift;

	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	if (gva.va >= UINT64_C(1) << 47)
		return (NULL);
	table = SBX_SYS_END;
	for (shift = 39; ; shift -= 9) {
		/* a guest that got into its own ring 0 may have written it */
		if (!gmem_inside(gm, table, SBX_PAGE))
			return (NULL);
		e = (uint64_t *)(void *)(gm->base + table) +
		    ((gva.va >> shift) & 511);
		if (shift == 12)
			return (e);
		if (!(*e & SBX_PTE_P))
			return (NULL);
		table = *e & SBX_PTE_ADDR;
	}
}

/* The guest physical page behind (va), or false if ring 3 may not (acc). */
static int
gmem_page(const struct sbx_gmem *gm, uint64_t va, enum sbx_access_e acc,
    uint64_t *pa)
{
	const uint64_t *ep;
	uint64_t e, need;

	/* ring 3 can read some of the host's pages there; they are no place
	 * for anything that a guest has to say */
	if (va < SBX_GVA_USER_MIN)
		return (0);
	ep = SBX_Gmem_Entry(gm, (sandbox_gva_t){ va });
	if ((ep == NULL || !(*ep & SBX_PTE_P)) && gm->missing != NULL &&
	    gm->missing(gm->priv, va))
		ep = SBX_Gmem_Entry(gm, (sandbox_gva_t){ va });
	if (ep == NULL)
		return (0);
	e = *ep;
	need = SBX_PTE_P | SBX_PTE_U;
	if (acc == SBX_ACC_WRITE)
		need |= SBX_PTE_W;
	if ((e & need) != need)
		return (0);
	*pa = e & SBX_PTE_ADDR;
	return (gmem_inside(gm, *pa, SBX_PAGE));
}

void
SBX_Gmem_Touch(struct sbx_gmem *gm, sbx_gpa_t gpa, uint64_t len)
{
	uint64_t p;

	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	AN(len);
	assert(gmem_inside(gm, gpa.pa, len));
	for (p = gpa.pa / SBX_PAGE; p <= (gpa.pa + len - 1) / SBX_PAGE; p++)
		gm->touched[p / 64] |= UINT64_C(1) << (p % 64);
}

void
SBX_Gmem_Forget(struct sbx_gmem *gm, sbx_gpa_t gpa)
{
	void *b = SBX_Gmem_Phys(gm, gpa, SBX_PAGE);

	if (SBX_Page_IsZero(b))
		return;
	memset(b, 0, SBX_PAGE);
	SBX_Gmem_Touch(gm, gpa, SBX_PAGE);
}

/* As SBX_Gmem_Span(), but does not remember anything. */
static uint64_t
gmem_span(const struct sbx_gmem *gm, uint64_t va, uint64_t len,
    enum sbx_access_e acc, uint64_t *pap)
{
	uint64_t pa, next, l;

	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	if (len == 0 || !gmem_page(gm, va, acc, &pa))
		return (0);
	*pap = pa + va % SBX_PAGE;
	l = SBX_PAGE - va % SBX_PAGE;
	while (l < len && gmem_page(gm, va + l, acc, &next) &&
	    next == *pap + l)
		l += SBX_PAGE;
	return (l < len ? l : len);
}

uint64_t
SBX_Gmem_Span(struct sbx_gmem *gm, sandbox_gva_t gva, uint64_t len,
    enum sbx_access_e acc, uint8_t **ptr)
{
	uint64_t l, pa;

	AN(ptr);
	l = gmem_span(gm, gva.va, len, acc, &pa);
	if (l == 0)
		return (0);
	if (acc == SBX_ACC_WRITE)
		SBX_Gmem_Touch(gm, (sbx_gpa_t){ pa }, l);
	*ptr = gm->base + pa;
	return (l);
}

int
SBX_Gmem_Check(const struct sbx_gmem *gm, sandbox_gva_t gva, uint64_t len,
    enum sbx_access_e acc)
{
	uint64_t va, l, pa;

	for (va = gva.va; len > 0; va += l, len -= l) {
		l = gmem_span(gm, va, len, acc, &pa);
		if (l == 0)
			return (0);
	}
	return (1);
}

int
SBX_Gmem_CopyIn(const struct sbx_gmem *gm, void *dst, sandbox_gva_t gva,
    uint64_t len)
{
	uint64_t va, l, pa;
	uint8_t *d = dst;

	for (va = gva.va; len > 0; va += l, len -= l, d += l) {
		l = gmem_span(gm, va, len, SBX_ACC_READ, &pa);
		if (l == 0)
			return (-1);
		memcpy(d, gm->base + pa, l);
	}
	return (0);
}

int
SBX_Gmem_CopyOut(struct sbx_gmem *gm, sandbox_gva_t gva, const void *src,
    uint64_t len)
{
	uint64_t l;
	const uint8_t *s = src;
	uint8_t *d;

	for (; len > 0; gva.va += l, len -= l, s += l) {
		l = SBX_Gmem_Span(gm, gva, len, SBX_ACC_WRITE, &d);
		if (l == 0)
			return (-1);
		memcpy(d, s, l);
	}
	return (0);
}

int
SBX_Gmem_Zero(struct sbx_gmem *gm, sandbox_gva_t gva, uint64_t len)
{
	uint64_t l;
	uint8_t *d;

	for (; len > 0; gva.va += l, len -= l) {
		l = SBX_Gmem_Span(gm, gva, len, SBX_ACC_WRITE, &d);
		if (l == 0)
			return (-1);
		memset(d, 0, l);
	}
	return (0);
}

int
SBX_Gmem_StrIn(const struct sbx_gmem *gm, char *dst, size_t max,
    sandbox_gva_t gva)
{
	uint64_t va, l, pa;
	const uint8_t *z;
	size_t n = 0;

	AN(max);
	for (va = gva.va; n < max; va += l, n += l) {
		l = gmem_span(gm, va, max - n < SBX_PAGE ? max - n : SBX_PAGE,
		    SBX_ACC_READ, &pa);
		if (l == 0)
			return (-1);
		memcpy(dst + n, gm->base + pa, l);
		z = memchr(dst + n, '\0', l);
		if (z != NULL)
			return ((int)(z - (uint8_t *)dst));
	}
	return (-2);
}

/*--------------------------------------------------------------------
 * The page that was used last
 */

void
SBX_Gpage_Init(struct sbx_gpage *gp, struct sbx_gmem *gm)
{

	AN(gp);
	CHECK_OBJ_NOTNULL(gm, SBX_GMEM_MAGIC);
	INIT_OBJ(gp, SBX_GPAGE_MAGIC);
	gp->gmem = gm;
}

/* The bytes at (va), (*len) of them at the most, or NULL. */
static uint8_t *
gpage_at(struct sbx_gpage *gp, uint64_t va, uint64_t *len,
    enum sbx_access_e acc)
{
	uint64_t off = va % SBX_PAGE;

	CHECK_OBJ_NOTNULL(gp, SBX_GPAGE_MAGIC);
	if (gp->ptr == NULL || gp->va != va - off) {
		gp->va = va - off;
		if (SBX_Gmem_Span(gp->gmem, (sandbox_gva_t){ gp->va },
		    SBX_PAGE, acc, &gp->ptr) != SBX_PAGE) {
			gp->ptr = NULL;
			return (NULL);
		}
	}
	if (*len > SBX_PAGE - off)
		*len = SBX_PAGE - off;
	return (gp->ptr + off);
}

int
SBX_Gpage_CopyIn(struct sbx_gpage *gp, void *dst, sandbox_gva_t gva,
    uint64_t len)
{
	const uint8_t *s;
	uint8_t *d = dst;
	uint64_t l;

	for (; len > 0; gva.va += l, len -= l, d += l) {
		l = len;
		s = gpage_at(gp, gva.va, &l, SBX_ACC_READ);
		if (s == NULL)
			return (-1);
		memcpy(d, s, l);
	}
	return (0);
}

int
SBX_Gpage_CopyOut(struct sbx_gpage *gp, sandbox_gva_t gva, const void *src,
    uint64_t len)
{
	const uint8_t *s = src;
	uint8_t *d;
	uint64_t l;

	for (; len > 0; gva.va += l, len -= l, s += l) {
		l = len;
		d = gpage_at(gp, gva.va, &l, SBX_ACC_WRITE);
		if (d == NULL)
			return (-1);
		memcpy(d, s, l);
	}
	return (0);
}
