/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Reservations, compared with a plain array of pages while random calls are
 * made.
 */

#include "config.h"

#include "vdef.h"
#include "vas.h"

#include "linux/far.h"
#include "machine/layout.h"
#include "machine/paging.h"
#include "test.h"

#define LO		UINT64_C(0x40000000)
#define PAGES		64
#define HI		(LO + PAGES * SBX_PAGE)

static struct sbx_far f;
static uint8_t model[PAGES];		/* flags, 0: not mapped */

static void
same_as_model(void)
{
	const struct sbx_far_map *m;
	unsigned u;

	for (u = 0; u < PAGES; u++) {
		m = SBX_Far_Find(&f, LO + u * SBX_PAGE);
		CHECK_EQ(m == NULL ? 0 : m->flags, model[u]);
	}
	for (u = 0; u < f.n; u++) {
		CHECK(f.map[u].lo < f.map[u].hi);
		CHECK(u == 0 || f.map[u - 1].hi <= f.map[u].lo);
	}
}

static void
random_calls(void)
{
	static const unsigned flags[] = { SBX_MAP_USER | SBX_MAP_NONE,
	    SBX_MAP_USER, SBX_MAP_USER | SBX_MAP_WRITE };
	uint64_t va, len, at, first, u;
	unsigned n, fl;

	SBX_Far_Init(&f, LO, HI, 0, 0);
	srandom(1);
	for (n = 0; n < 20000 && test_failed == 0; n++) {
		first = (uint64_t)random() % PAGES;
		at = LO + first * SBX_PAGE;
		len = (uint64_t)random() % (PAGES - first) + 1;
		fl = flags[random() % 3];
		switch (random() % 3) {
		case 0:
			len = len % 9 + 1;
			va = SBX_Far_Map(&f, random() % 2 ? at : 0,
			    len * SBX_PAGE, fl);
			if (va == 0)
				break;
			CHECK(SBX_Far_Is(&f, va, va + len * SBX_PAGE));
			for (u = 0; u < len; u++) {
				CHECK_EQ(model[(va - LO) / SBX_PAGE + u], 0);
				model[(va - LO) / SBX_PAGE + u] = (uint8_t)fl;
			}
			break;
		case 1:
			CHECK_EQ(SBX_Far_Unmap(&f, at, at + len * SBX_PAGE),
			    0);
			memset(model + first, 0, len);
			break;
		default:
			CHECK_EQ(SBX_Far_Protect(&f, at, at + len * SBX_PAGE,
			    fl), 0);
			for (u = 0; u < len; u++)
				if (model[first + u] != 0)
					model[first + u] = (uint8_t)fl;
			break;
		}
		same_as_model();
	}
}

/* As many ranges as there can be: nothing happens any more. */
static void
exhaust(void)
{
	const uint64_t hi = LO + UINT64_C(0x10000000);
	unsigned u, n;

	SBX_Far_Init(&f, LO, hi, 0, 0);
	CHECK_EQ(SBX_Far_Map(&f, LO, hi - LO, SBX_MAP_NONE), LO);
	for (u = 1; SBX_Far_Protect(&f, LO + 2 * u * SBX_PAGE,
	    LO + (2 * u + 1) * SBX_PAGE, SBX_MAP_USER) == 0; u++)
		continue;
	n = f.n;
	CHECK(n > SBX_FAR_MAPS_MAX - 2 && n <= SBX_FAR_MAPS_MAX);
	CHECK_EQ(SBX_Far_Unmap(&f, LO, hi), -1);
	CHECK_EQ(SBX_Far_Map(&f, 0, SBX_PAGE, 0), 0);
	CHECK_EQ(f.n, n);
}

static void
extremes(void)
{

	SBX_Far_Init(&f, LO, HI, 0, 0);
	CHECK_EQ(SBX_Far_Map(&f, 0, UINT64_C(1) << 62, 0), 0);
	CHECK_EQ(SBX_Far_Map(&f, UINT64_MAX - SBX_PAGE + 1, SBX_PAGE, 0),
	    HI - 2 * SBX_PAGE);
	CHECK_EQ(SBX_Far_Map(&f, LO, HI - LO, 0), 0);
	CHECK(!SBX_Far_Is(&f, LO - 1, LO));
	CHECK(!SBX_Far_Is(&f, HI, HI + 1));
	CHECK(!SBX_Far_Is(&f, HI, LO));
	SBX_Far_Init(&f, HI, HI, 0, 0);
	CHECK_EQ(SBX_Far_Map(&f, 0, SBX_PAGE, 0), 0);
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(random_calls);
	TEST(exhaust);
	TEST(extremes);
	TEST_END();
}
