/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Guest memory: what may be reached, at both edges and across the wrap.
 */

#include "config.h"

#include "vdef.h"
#include "vas.h"

#include "test.h"
#include "world.h"

static struct world w;

static int
readable(uint64_t va, uint64_t len)
{

	return (SBX_Gmem_Check(&w.m.gmem, (sandbox_gva_t){ va }, len,
	    SBX_ACC_READ));
}

static int
writable(uint64_t va, uint64_t len)
{

	return (SBX_Gmem_Check(&w.m.gmem, (sandbox_gva_t){ va }, len,
	    SBX_ACC_WRITE));
}

static void
edges(void)
{
	const uint64_t lo = WORLD_STACK, hi = WORLD_STACK + WORLD_STACK_LEN;

	CHECK(readable(lo, 1));
	CHECK(readable(lo, WORLD_STACK_LEN));
	CHECK(readable(hi - 1, 1));
	CHECK(!readable(lo - 1, 1));
	CHECK(!readable(lo - 1, 2));
	CHECK(!readable(hi, 1));
	CHECK(!readable(hi - 1, 2));
	CHECK(!readable(lo, WORLD_STACK_LEN + 1));
	/* nothing can be done with nothing */
	CHECK(readable(0, 0));
	CHECK(writable(UINT64_MAX, 0));
}

static void
wrap(void)
{

	CHECK(!readable(UINT64_MAX, 1));
	CHECK(!readable(UINT64_MAX, 2));
	CHECK(!readable(UINT64_MAX - 4095, 4096));
	CHECK(!readable(WORLD_STACK, UINT64_MAX));
	CHECK(!readable(WORLD_STACK, UINT64_MAX - WORLD_STACK));
	CHECK(!readable(WORLD_STACK, UINT64_MAX - WORLD_STACK + 1));
	CHECK(!readable(UINT64_C(1) << 47, 1));
	CHECK(!readable((UINT64_C(1) << 47) - 1, 2));
	CHECK(!readable(UINT64_C(0xffff800000000000), 1));
}

static void
rights(void)
{

	CHECK(readable(WORLD_RO, SBX_PAGE));
	CHECK(!writable(WORLD_RO, 1));
	CHECK(!readable(WORLD_KERNEL, 1));
	CHECK(!writable(WORLD_KERNEL, 1));
	/* the page tables themselves, by both names */
	CHECK(!readable(SBX_SYS_END, 1));
	CHECK(!readable(SBX_GVA_TABLES, 1));
	CHECK(!readable(0, 1));
}

static void
copies(void)
{
	static uint8_t a[3 * SBX_PAGE], b[3 * SBX_PAGE];
	struct sbx_gmem *gm = &w.m.gmem;
	sandbox_gva_t at = { WORLD_ARENA + SBX_PAGE - 7 };
	size_t i;

	for (i = 0; i < sizeof a; i++)
		a[i] = (uint8_t)(i * 7 + i / 256);
	AZ(SBX_Gmem_CopyOut(gm, at, a, 2 * SBX_PAGE + 14));
	AZ(SBX_Gmem_CopyIn(gm, b, at, 2 * SBX_PAGE + 14));
	CHECK(!memcmp(a, b, 2 * SBX_PAGE + 14));
	AZ(SBX_Gmem_Zero(gm, (sandbox_gva_t){ at.va + 1 }, 5));
	AZ(SBX_Gmem_CopyIn(gm, b, at, 7));
	CHECK(b[0] == a[0] && b[1] == 0 && b[5] == 0 && b[6] == a[6]);
	CHECK_EQ(SBX_Gmem_CopyOut(gm, (sandbox_gva_t){ WORLD_RO }, a, 1), -1);
	CHECK_EQ(SBX_Gmem_CopyIn(gm, b, (sandbox_gva_t){ WORLD_KERNEL }, 1),
	    -1);
	/* from the last byte on */
	at.va = WORLD_ARENA + WORLD_ARENA_LEN - 1;
	CHECK_EQ(SBX_Gmem_CopyOut(gm, at, a, 1), 0);
	CHECK_EQ(SBX_Gmem_CopyOut(gm, at, a, 2), -1);
}

/* The same byte by byte, over the edges of pages and back. */
static void
pages(void)
{
	static uint8_t a[2 * SBX_PAGE], b[2 * SBX_PAGE];
	struct sbx_gmem *gm = &w.m.gmem;
	sandbox_gva_t at = { WORLD_ARENA + 5 };
	const sandbox_gva_t ro = { WORLD_RO }, kernel = { WORLD_KERNEL };
	struct sbx_gpage in, out;
	size_t i;

	SBX_Gpage_Init(&in, gm);
	SBX_Gpage_Init(&out, gm);
	for (i = 0; i < sizeof a; i++) {
		a[i] = (uint8_t)(i * 11 + i / 256);
		AZ(SBX_Gpage_CopyOut(&out, (sandbox_gva_t){ at.va + i },
		    a + i, 1));
	}
	AZ(SBX_Gmem_CopyIn(gm, b, at, sizeof b));
	CHECK(!memcmp(a, b, sizeof a));
	memset(b, 0, sizeof b);
	AZ(SBX_Gpage_CopyIn(&in, b, at, sizeof b));
	CHECK(!memcmp(a, b, sizeof a));

	/* what fails is not remembered, and rights are those of each page */
	CHECK_EQ(SBX_Gpage_CopyOut(&out, ro, a, 1), -1);
	CHECK_EQ(SBX_Gpage_CopyOut(&out, ro, a, 1), -1);
	CHECK_EQ(SBX_Gpage_CopyIn(&in, b, ro, 1), 0);
	CHECK_EQ(SBX_Gpage_CopyIn(&in, b, kernel, 1), -1);
	CHECK_EQ(SBX_Gpage_CopyIn(&in, b, kernel, 0), 0);
	CHECK_EQ(SBX_Gpage_CopyIn(&in, b, (sandbox_gva_t){ UINT64_MAX }, 2),
	    -1);
	at.va = WORLD_ARENA + WORLD_ARENA_LEN - 1;
	CHECK_EQ(SBX_Gpage_CopyOut(&out, at, a, 1), 0);
	CHECK_EQ(SBX_Gpage_CopyOut(&out, at, a, 2), -1);
	CHECK_EQ(SBX_Gpage_CopyOut(&out, at, a, 1), 0);
}

static unsigned
n_touched(void)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < WORLD_SIZE / SBX_PAGE / 64; i++) {
		n += (unsigned)__builtin_popcountll(w.m.gmem.touched[i]);
		w.m.gmem.touched[i] = 0;
	}
	return (n);
}

/* Reset relies on it. */
static void
touched(void)
{
	struct sbx_gmem *gm = &w.m.gmem;
	struct sbx_gpage gp;
	char buf[16];

	(void)n_touched();
	AZ(SBX_Gmem_CopyIn(gm, buf, (sandbox_gva_t){ WORLD_ARENA }, 16));
	CHECK_EQ(n_touched(), 0);
	SBX_Gpage_Init(&gp, gm);
	AZ(SBX_Gpage_CopyIn(&gp, buf, (sandbox_gva_t){ WORLD_ARENA }, 16));
	CHECK_EQ(n_touched(), 0);
	SBX_Gpage_Init(&gp, gm);
	AZ(SBX_Gpage_CopyOut(&gp, (sandbox_gva_t){ WORLD_ARENA + SBX_PAGE - 1 },
	    buf, 2));
	CHECK_EQ(n_touched(), 2);
	AZ(SBX_Gmem_CopyOut(gm, (sandbox_gva_t){ WORLD_ARENA }, buf, 16));
	CHECK_EQ(n_touched(), 1);
	AZ(SBX_Gmem_CopyOut(gm, (sandbox_gva_t){ WORLD_ARENA + SBX_PAGE - 1 },
	    buf, 2));
	CHECK_EQ(n_touched(), 2);
	AZ(SBX_Gmem_Zero(gm, (sandbox_gva_t){ WORLD_ARENA }, 5 * SBX_PAGE));
	CHECK_EQ(n_touched(), 5);
	/* a copy that fails half-way has written the first half */
	CHECK_EQ(SBX_Gmem_Zero(gm, (sandbox_gva_t){ WORLD_STACK +
	    WORLD_STACK_LEN - SBX_PAGE }, 2 * SBX_PAGE), -1);
	CHECK_EQ(n_touched(), 1);
}

static int
str(uint64_t va, size_t max)
{
	static char buf[65536];

	return (SBX_Gmem_StrIn(&w.m.gmem, buf, max, (sandbox_gva_t){ va }));
}

static void
strings(void)
{
	const uint64_t end = WORLD_ARENA + WORLD_ARENA_LEN;
	static char fill[8192];

	memset(fill, 'x', sizeof fill);
	World_Put(&w, WORLD_ARENA, "hello", 6);
	CHECK_EQ(str(WORLD_ARENA, 6), 5);
	CHECK_EQ(str(WORLD_ARENA, 5), -2);
	CHECK_EQ(str(WORLD_ARENA, 1), -2);
	/* without an end before the memory ends */
	World_Put(&w, end - 3, "abc", 3);
	CHECK_EQ(str(end - 3, 100), -1);
	CHECK_EQ(str(end - 3, 3), -2);
	World_Put(&w, end - 3, "ab", 3);
	CHECK_EQ(str(end - 3, 100), 2);
	/* across pages */
	World_Put(&w, WORLD_ARENA + 100, fill, sizeof fill);
	World_Put(&w, WORLD_ARENA + 100 + sizeof fill, "", 1);
	CHECK_EQ(str(WORLD_ARENA + 100, 65536), (int)sizeof fill);
	CHECK_EQ(str(0, 10), -1);
	CHECK_EQ(str(UINT64_MAX, 10), -1);
}

/* Tables that point outside of memory, as after a break into ring 0. */
static void
wild_tables(void)
{
	uint64_t *e, old;

	e = SBX_Gmem_Entry(&w.m.gmem, (sandbox_gva_t){ WORLD_ARENA });
	CHECK(e != NULL);
	old = *e;
	*e = (old & ~SBX_PTE_ADDR) | WORLD_SIZE;
	CHECK(!readable(WORLD_ARENA, 1));
	*e = (old & ~SBX_PTE_ADDR) | SBX_PTE_ADDR;
	CHECK(!readable(WORLD_ARENA, 1));
	*e = old;
	CHECK(readable(WORLD_ARENA, 1));
	e = (uint64_t *)(void *)(w.m.gmem.base + SBX_SYS_END);
	old = e[0];
	e[0] = (old & ~SBX_PTE_ADDR) | (WORLD_SIZE - SBX_PAGE / 2);
	CHECK(!readable(WORLD_ARENA, 1));
	e[0] = SBX_PTE_ADDR | SBX_PTE_P;
	CHECK(!readable(WORLD_ARENA, 1));
	e[0] = old;
	CHECK(readable(WORLD_ARENA, 1));
}

static void
everything(void)
{

	World_New(&w, NULL);
	edges();
	wrap();
	rights();
	copies();
	pages();
	touched();
	strings();
	wild_tables();
	World_Fini(&w);
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(everything);
	TEST_END();
}
