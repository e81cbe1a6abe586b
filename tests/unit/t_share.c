/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program's share: what is let in at once, what is not, and what it comes to
 * in the long run. The clock is the test's.
 */

#include "config.h"

#include <stdint.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "pool/share.h"
#include "test.h"

static struct sbx_share sh;
static struct sbx_err err;
static double deposit;		/* of the last one */

static enum sbx_share_e
begin(double now)
{

	SBX_Err_Clear(&err);
	return (SBX_Share_Begin(&sh, now, &deposit, &err));
}

/* A request that computes for so long, and ends at once. */
static enum sbx_share_e
one(double now, double seconds)
{
	enum sbx_share_e e;

	e = begin(now);
	if (e == SBX_SHARE_FINE) {
		SBX_Share_End(&sh);
		SBX_Share_Pay(&sh, deposit, seconds);
	}
	return (e);
}

static void
no_limits(void)
{
	unsigned u;

	SBX_Share_Init(&sh, 0, 0);
	CHECK(!SBX_Share_IsTimed(&sh));
	for (u = 0; u < 100000; u++)
		CHECK_EQ(begin(0), SBX_SHARE_FINE);
	CHECK_EQ(sh.under_way, 100000);
	SBX_Share_Pay(&sh, deposit, 1e6);
	CHECK_EQ(begin(0), SBX_SHARE_FINE);
}

static void
requests(void)
{

	SBX_Share_Init(&sh, 0, 2);
	CHECK(!SBX_Share_IsTimed(&sh));
	CHECK_EQ(begin(0), SBX_SHARE_FINE);
	CHECK_EQ(begin(0), SBX_SHARE_FINE);
	CHECK_EQ(begin(0), SBX_SHARE_REQUESTS);
	CHECK_EQ(err.kind, SBX_FAIL_SHARE);
	CHECK_HAS(err.msg, "2 requests are under way (max_concurrency)");
	SBX_Share_End(&sh);
	CHECK_EQ(begin(0), SBX_SHARE_FINE);
	CHECK_EQ(begin(0), SBX_SHARE_REQUESTS);
	SBX_Share_End(&sh);
	SBX_Share_End(&sh);
	CHECK_EQ(sh.under_way, 0);
}

/* What was saved up is there at once, and not more than a second's worth. */
static void
saved(void)
{
	unsigned u;

	SBX_Share_Init(&sh, 0.5, 0);
	CHECK(SBX_Share_IsTimed(&sh));
	for (u = 0; u < 5; u++)
		CHECK_EQ(one(1000, 0.125), u < 4 ? SBX_SHARE_FINE :
		    SBX_SHARE_CPU);
	CHECK_EQ(err.kind, SBX_FAIL_SHARE);
	CHECK_HAS(err.msg, "0.5 s a second");
	CHECK_HAS(err.msg, "in 0.000 s (max_cpu)");
	/* a year later */
	for (u = 0; u < 5; u++)
		CHECK_EQ(one(3e7, 0.125), u < 4 ? SBX_SHARE_FINE :
		    SBX_SHARE_CPU);
}

/* A debt is paid back, and the message says when. */
static void
debt(void)
{

	SBX_Share_Init(&sh, 0.25, 0);
	CHECK_EQ(one(10, 2.25), SBX_SHARE_FINE);
	CHECK_EQ(one(10, 0), SBX_SHARE_CPU);
	CHECK_HAS(err.msg, "in 8.000 s");
	CHECK_EQ(one(14, 0), SBX_SHARE_CPU);
	CHECK_HAS(err.msg, "in 4.000 s");
	CHECK_EQ(one(18, 0), SBX_SHARE_CPU);
	CHECK_EQ(one(18.001, 0), SBX_SHARE_FINE);
	CHECK_EQ(sh.under_way, 0);
}

/* Others that are under way when the purse gets empty have to be paid for,
 * too. */
static void
all_at_once(void)
{
	double left = 0;
	unsigned u;

	SBX_Share_Init(&sh, 1, 0);
	for (u = 0; u < 16; u++) {
		CHECK_EQ(begin(0), SBX_SHARE_FINE);
		left = deposit;
	}
	/* nothing is known yet; so many could be a sixteenth of it each */
	CHECK_EQ(begin(0), SBX_SHARE_CPU);
	for (u = 0; u < 16; u++) {
		SBX_Share_End(&sh);
		SBX_Share_Pay(&sh, left, 1);
	}
	CHECK_EQ(begin(1), SBX_SHARE_CPU);
	CHECK_EQ(begin(15), SBX_SHARE_CPU);
	CHECK_EQ(begin(15.5), SBX_SHARE_FINE);
}

/* Once it is known what requests take, as many are let in as can be paid for,
 * and one more. Those that are not run get their deposit back. */
static void
deposits(void)
{
	double t;
	unsigned u, n;

	SBX_Share_Init(&sh, 1, 0);
	for (u = 0; u < 200; u++)
		CHECK_EQ(one(u, 0.1), SBX_SHARE_FINE);
	for (n = 0; begin(1000) == SBX_SHARE_FINE; n++)
		CHECK(deposit > 0.0999 && deposit < 0.1001);
	CHECK(n == 10 || n == 11);
	for (u = 0; u < n; u++) {
		SBX_Share_End(&sh);
		SBX_Share_Refund(&sh, 0.1);
	}
	CHECK_EQ(begin(1000), SBX_SHARE_FINE);
	/* not more than all there can be, or nobody would get in again */
	SBX_Share_Init(&sh, 0.5, 0);
	for (t = 0; t < 2000; t += 20)
		CHECK_EQ(one(t, 7), SBX_SHARE_FINE);
	CHECK_EQ(begin(3000), SBX_SHARE_FINE);
	t = deposit;
	CHECK(t <= 0.5);
	CHECK_EQ(begin(3000), SBX_SHARE_CPU);
	SBX_Share_End(&sh);
	SBX_Share_Pay(&sh, t, 0);
	CHECK_EQ(begin(3000), SBX_SHARE_FINE);
}

/* In the long run it is the rate, whatever the requests are like. */
static void
long_run(void)
{
	static const double takes[] = { 0.001, 0.02, 0.7, 5 };
	double now, used;
	unsigned u;

	for (u = 0; u < sizeof takes / sizeof takes[0]; u++) {
		SBX_Share_Init(&sh, 0.3, 0);
		used = 0;
		for (now = 0; now < 1000; now += 0.002)
			if (one(now, takes[u]) == SBX_SHARE_FINE)
				used += takes[u];
		CHECK(used > 0.299 * 1000);
		CHECK(used < 0.3 * 1001 + takes[u]);
	}
}

/* A clock that goes back brings nothing and takes nothing. */
static void
clock_back(void)
{

	SBX_Share_Init(&sh, 1, 0);
	CHECK_EQ(one(100, 1.5), SBX_SHARE_FINE);
	CHECK_EQ(one(99, 0), SBX_SHARE_CPU);
	CHECK_HAS(err.msg, "in 0.500 s");
	CHECK_EQ(one(100.25, 0), SBX_SHARE_CPU);
	CHECK_HAS(err.msg, "in 0.250 s");
	CHECK_EQ(one(100.75, 0), SBX_SHARE_FINE);
	/* nor does a request that has run for less than nothing */
	SBX_Share_Pay(&sh, deposit, -5);
	CHECK(sh.purse < 1);
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(no_limits);
	TEST(requests);
	TEST(saved);
	TEST(debt);
	TEST(all_at_once);
	TEST(deposits);
	TEST(long_run);
	TEST(clock_back);
	TEST_END();
}
