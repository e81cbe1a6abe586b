/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The memory map, compared with a plain array of pages while random calls are
 * made.
 */

#include "config.h"

#include "vdef.h"
#include "vas.h"

#include "linux/mm.h"
#include "test.h"

#define LO		UINT64_C(0x1000000)
#define PAGES		64
#define HI		(LO + PAGES * SBX_PAGE)

static struct sbx_mm mm;
static uint8_t model[PAGES];

static unsigned
page(uint64_t va)
{

	return ((unsigned)((va - LO) / SBX_PAGE));
}

static void
same_as_model(void)
{
	unsigned u, i;
	int mapped;

	for (u = 0; u < PAGES; u++) {
		mapped = 0;
		for (i = 0; i < mm.n_extent; i++)
			mapped |= mm.extent[i].lo <= LO + u * SBX_PAGE &&
			    mm.extent[i].hi > LO + u * SBX_PAGE;
		CHECK_EQ(mapped, model[u]);
	}
	for (i = 1; i < mm.n_extent; i++)
		CHECK(mm.extent[i - 1].hi < mm.extent[i].lo);
}

static void
random_calls(void)
{
	uint64_t va, len, zero, at;
	unsigned n, u;

	SBX_Mm_Init(&mm, LO, HI);
	srandom(1);
	for (n = 0; n < 20000 && test_failed == 0; n++) {
		len = (uint64_t)(random() % 9 + 1) * SBX_PAGE;
		at = LO + (uint64_t)(random() % PAGES) * SBX_PAGE;
		switch (random() % 3) {
		case 0:
			va = SBX_Mm_Map(&mm, 0, len, &zero);
			if (va == 0)
				break;
			CHECK(va >= LO && va + len <= HI);
			for (u = 0; u < len / SBX_PAGE; u++) {
				CHECK_EQ(model[page(va) + u], 0);
				model[page(va) + u] = 1;
			}
			break;
		case 1:
			va = SBX_Mm_Map(&mm, at, len, &zero);
			CHECK_EQ(va, at + len <= HI ? at : 0);
			if (va != 0)
				memset(model + page(va), 1, len / SBX_PAGE);
			break;
		default:
			if (at + len > HI)
				len = HI - at;
			CHECK_EQ(SBX_Mm_Unmap(&mm, at, at + len), 0);
			memset(model + page(at), 0, len / SBX_PAGE);
			break;
		}
		same_as_model();
	}
}

static void
brk_and_mmap_meet(void)
{
	uint64_t va, zero;

	SBX_Mm_Init(&mm, LO, HI);
	mm.brk = LO + 10 * SBX_PAGE + 1;
	CHECK_EQ(SBX_Mm_BrkMax(&mm), HI);
	va = SBX_Mm_Map(&mm, 0, (PAGES - 11) * SBX_PAGE, &zero);
	CHECK_EQ(va, LO + 11 * SBX_PAGE);
	CHECK_EQ(zero, HI);
	CHECK_EQ(SBX_Mm_BrkMax(&mm), va);
	CHECK_EQ(SBX_Mm_Map(&mm, 0, SBX_PAGE, &zero), 0);
	CHECK_EQ(SBX_Mm_Map(&mm, LO + 10 * SBX_PAGE, SBX_PAGE, &zero), 0);
	CHECK_EQ(SBX_Mm_Unmap(&mm, LO, HI), 0);
	CHECK_EQ(SBX_Mm_BrkMax(&mm), HI);
	/* had before: must be zeroed */
	va = SBX_Mm_Map(&mm, 0, SBX_PAGE, &zero);
	CHECK_EQ(va, HI - SBX_PAGE);
	CHECK(zero <= va);
}

static void
extremes(void)
{
	uint64_t zero, u;

	SBX_Mm_Init(&mm, LO, LO + UINT64_C(0x10000000));
	CHECK_EQ(SBX_Mm_Map(&mm, 0, UINT64_C(1) << 62, &zero), 0);
	CHECK_EQ(SBX_Mm_Map(&mm, LO, UINT64_C(1) << 62, &zero), 0);
	CHECK_EQ(SBX_Mm_Map(&mm, UINT64_MAX - SBX_PAGE + 1, SBX_PAGE, &zero),
	    0);
	/* every other page, until the list is full */
	for (u = 0; u < SBX_MM_EXTENTS_MAX; u++)
		CHECK(SBX_Mm_Map(&mm, LO + (2 * u + 1) * SBX_PAGE, SBX_PAGE,
		    &zero) != 0);
	CHECK_EQ(SBX_Mm_Map(&mm, LO + (2 * u + 1) * SBX_PAGE, SBX_PAGE,
	    &zero), 0);
	CHECK_EQ(mm.n_extent, SBX_MM_EXTENTS_MAX);
	CHECK_EQ(SBX_Mm_Unmap(&mm, LO, LO + UINT64_C(0x10000000)), 0);
	CHECK_EQ(mm.n_extent, 0);
}

/* A place that was only tried leaves no trace: what is mapped there next need
 * not be zeroed. One that something else was mapped behind does. */
static void
idle(void)
{
	uint64_t va, zero, used;

	SBX_Mm_Init(&mm, LO, HI);
	va = SBX_Mm_Map(&mm, 0, 4 * SBX_PAGE, &used);
	CHECK_EQ(va, HI - 4 * SBX_PAGE);
	CHECK_EQ(used, HI);
	SBX_Mm_Idle(&mm, va, va + 4 * SBX_PAGE, used);
	CHECK_EQ(SBX_Mm_Unmap(&mm, va, va + 4 * SBX_PAGE), 0);
	CHECK_EQ(SBX_Mm_Map(&mm, 0, 2 * SBX_PAGE, &zero), HI - 2 * SBX_PAGE);
	CHECK_EQ(zero, HI);
	va = SBX_Mm_Map(&mm, 0, 4 * SBX_PAGE, &used);
	SBX_Mm_Idle(&mm, va, va + 4 * SBX_PAGE, used);
	CHECK_EQ(SBX_Mm_Map(&mm, 0, SBX_PAGE, &zero), va - SBX_PAGE);
	CHECK_EQ(SBX_Mm_Unmap(&mm, va, va + 4 * SBX_PAGE), 0);
	CHECK_EQ(SBX_Mm_Map(&mm, va, SBX_PAGE, &zero), va);
	CHECK_EQ(zero, va - SBX_PAGE);
	/* a part of it is not all of it */
	SBX_Mm_Init(&mm, LO, HI);
	va = SBX_Mm_Map(&mm, 0, 4 * SBX_PAGE, &used);
	SBX_Mm_Idle(&mm, va, va + 4 * SBX_PAGE, used);
	CHECK_EQ(SBX_Mm_Unmap(&mm, va, va + SBX_PAGE), 0);
	CHECK_EQ(SBX_Mm_Unmap(&mm, va, va + 4 * SBX_PAGE), 0);
	CHECK_EQ(SBX_Mm_Map(&mm, 0, SBX_PAGE, &zero), HI - SBX_PAGE);
	CHECK_EQ(zero, va);
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(random_calls);
	TEST(brk_and_mmap_meet);
	TEST(extremes);
	TEST(idle);
	TEST_END();
}
