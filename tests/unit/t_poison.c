/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is refused after kills, for how long, and who is not. The clock is the
 * test's.
 */

#include "config.h"

#include <stdint.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "hostcall/http.h"
#include "pool/poison.h"
#include "test.h"

#define LONGEST			60.0

static const uint64_t key[2] = { 1, 2 };
static struct sbx_poison p;
static struct sbx_ask ask;
static struct sbx_err err;
static double now;

static void
begin_test(double longest)
{

	SBX_Poison_Init(&p, longest, key);
	now = 1000;
}

/* The print of the URL /u/(n). */
static uint64_t
print(unsigned n)
{
	struct sbx_txt t[2] = {{ "GET", 3 }};
	char url[32];

	(void)snprintf(url, sizeof url, "/u/%u", n);
	t[1].b = url;
	t[1].l = strlen(url);
	return (SBX_Poison_Print(&p, t, 2));
}

static enum sbx_poison_e
begin(uint64_t pr)
{

	memset(&ask, 0, sizeof ask);
	ask.print = pr;
	ask.counts = 1;
	SBX_Err_Clear(&err);
	return (SBX_Poison_Begin(&p, &ask, now, &err));
}

/* A request that kills, if it may run. */
static enum sbx_poison_e
bad(uint64_t pr)
{
	enum sbx_poison_e e;

	e = begin(pr);
	if (e == SBX_POISON_NOT)
		SBX_Poison_Killed(&p, &ask, now);
	return (e);
}

static enum sbx_poison_e
good(uint64_t pr)
{
	enum sbx_poison_e e;

	e = begin(pr);
	if (e == SBX_POISON_NOT)
		SBX_Poison_Good(&p, &ask);
	return (e);
}

/* Different requests are killed, each once, until the program is paused. */
static void
make_sick(void)
{
	unsigned u;

	for (u = 0; u < 100 && !SBX_Poison_IsSick(&p, now); u++) {
		CHECK_EQ(bad(print(500000 + u)), SBX_POISON_NOT);
		now += 0.3;
	}
	now -= 0.3;
	CHECK_EQ(u, SBX_POISON_RUN);
}

/*--------------------------------------------------------------------*/

/* Where one text ends and the next begins matters, and so does the key. */
static void
prints(void)
{
	struct sbx_txt a[2] = {{ "ab", 2 }, { "c", 1 }};
	struct sbx_txt b[2] = {{ "a", 1 }, { "bc", 2 }};
	struct sbx_txt c[2] = {{ "ab", 2 }, { "", 0 }};
	static const uint64_t key2[2] = { 1, 3 };
	uint64_t pr;

	begin_test(LONGEST);
	pr = SBX_Poison_Print(&p, a, 2);
	CHECK(pr != 0);
	CHECK(SBX_Poison_Print(&p, a, 2) == pr);
	CHECK(SBX_Poison_Print(&p, b, 2) != pr);
	CHECK(SBX_Poison_Print(&p, c, 2) != pr);
	CHECK(SBX_Poison_Print(&p, a, 1) != SBX_Poison_Print(&p, c, 2));
	SBX_Poison_Init(&p, LONGEST, key2);
	CHECK(SBX_Poison_Print(&p, a, 2) != pr);
}

/* The third kill in succession is the last one for now; nobody else is
 * concerned, and the program is well. */
static void
one_request(void)
{
	unsigned u;

	begin_test(LONGEST);
	CHECK(!SBX_Poison_IsTimed(&p));
	for (u = 0; u < SBX_POISON_KILLS; u++)
		CHECK_EQ(bad(print(1)), SBX_POISON_NOT);
	CHECK_EQ(SBX_Poison_Count(&p), 1);
	for (u = 0; u < 1000; u++) {
		CHECK_EQ(bad(print(1)), SBX_POISON_REQUEST);
		CHECK_EQ(good(print(2 + u)), SBX_POISON_NOT);
	}
	CHECK_EQ(bad(print(1)), SBX_POISON_REQUEST);
	CHECK_EQ(err.kind, SBX_FAIL_BACKOFF);
	CHECK_HAS(err.msg, "3 times in succession");
	CHECK_HAS(err.msg, "for 1.000 s more, of 1 s (backoff)");
	CHECK(!SBX_Poison_IsSick(&p, now));
}

/* For an hour it is asked a hundred times a second: each pause is twice as
 * long, up to the longest, and ends with one try. */
static void
pauses(void)
{
	static const double want[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };
	double last = 0, step[64];
	unsigned u, n = 0, refused = 0;

	begin_test(LONGEST);
	for (u = 0; u < 360000; u++, now += 0.01) {
		if (bad(print(1)) != SBX_POISON_NOT) {
			refused++;
			continue;
		}
		if (n >= SBX_POISON_KILLS && n < 64)
			step[n - SBX_POISON_KILLS] = now - last;
		last = now;
		n++;
	}
	/* 3 at once, then after 1, 3, 7, ... 63 s, then each minute */
	CHECK(n >= SBX_POISON_KILLS + 6 + 3537 / 61);
	CHECK(n <= SBX_POISON_KILLS + 6 + 3537 / 60);
	CHECK_EQ(n + refused, 360000);
	for (u = 0; u < sizeof want / sizeof want[0]; u++) {
		CHECK(step[u] > want[u] - 0.001);
		CHECK(step[u] < want[u] + 0.02);
	}
	CHECK(!SBX_Poison_IsSick(&p, now));
}

/* Without a word about how the try ended there is another one, after a pause
 * of the same length. */
static void
lost_try(void)
{

	begin_test(LONGEST);
	while (bad(print(1)) == SBX_POISON_NOT)
		continue;
	now += 1.001;
	CHECK_EQ(begin(print(1)), SBX_POISON_NOT);
	CHECK_EQ(ask.tries, SBX_POISON_REQUEST);
	CHECK_EQ(begin(print(1)), SBX_POISON_REQUEST);
	now += 0.9;
	CHECK_EQ(begin(print(1)), SBX_POISON_REQUEST);
	now += 0.2;
	CHECK_EQ(begin(print(1)), SBX_POISON_NOT);
}

/* A try that goes well ends it; then more kills are needed. */
static void
recovers(void)
{
	unsigned u, need;

	begin_test(LONGEST);
	for (need = SBX_POISON_KILLS; need < 4 * SBX_POISON_KILLS_MAX;
	    need *= 2) {
		for (u = 0; bad(print(1)) == SBX_POISON_NOT; u++)
			continue;
		CHECK_EQ(u, need < SBX_POISON_KILLS_MAX ? need :
		    SBX_POISON_KILLS_MAX);
		now += 1.001;
		CHECK_EQ(good(print(1)), SBX_POISON_NOT);
		CHECK_EQ(good(print(1)), SBX_POISON_NOT);
		CHECK_EQ(SBX_Poison_Count(&p), 0);
	}
}

/* Those that were under way when the pause began do not make it longer. */
static void
under_way(void)
{
	struct sbx_ask many[16];
	unsigned u;

	begin_test(LONGEST);
	for (u = 0; u < 16; u++) {
		CHECK_EQ(begin(print(1)), SBX_POISON_NOT);
		many[u] = ask;
	}
	for (u = 0; u < 16; u++)
		SBX_Poison_Killed(&p, &many[u], now);
	now += 0.99;
	CHECK_EQ(begin(print(1)), SBX_POISON_REQUEST);
	CHECK_HAS(err.msg, "of 1 s");
	now += 0.02;
	CHECK_EQ(begin(print(1)), SBX_POISON_NOT);
	/* nor do those of a program that is paused */
	begin_test(LONGEST);
	for (u = 0; u < 16; u++) {
		CHECK_EQ(begin(print(100 + u)), SBX_POISON_NOT);
		many[u] = ask;
	}
	make_sick();
	for (u = 0; u < 16; u++)
		SBX_Poison_Killed(&p, &many[u], now);
	CHECK_EQ(begin(print(1)), SBX_POISON_PROGRAM);
	CHECK_HAS(err.msg, "of 1 s");
}

/* A table that is full of others does not set free who is refused. */
static void
many_others(void)
{
	unsigned u, n = 0;

	begin_test(LONGEST);
	while (bad(print(1)) == SBX_POISON_NOT)
		continue;
	for (u = 0; u < 100000; u++) {
		if (u % 10 == 0) {
			CHECK_EQ(good(print(0)), SBX_POISON_NOT);
			now += 0.001;
		}
		CHECK_EQ(bad(print(1000 + u)), SBX_POISON_NOT);
		if (now < 1001)
			CHECK_EQ(bad(print(1)), SBX_POISON_REQUEST);
	}
	CHECK(p.n <= SBX_POISON_SETS * SBX_POISON_WAYS);
	/* and does not keep it from getting there */
	for (u = 0; u < 10000 && bad(print(2)) == SBX_POISON_NOT; u++) {
		n++;
		(void)bad(print(200000 + u));
		(void)good(print(0));
	}
	CHECK_EQ(n, SBX_POISON_KILLS);
}

/* Nor does one that is full of others of their kind; those that find no place
 * are killed each time. */
static void
many_refused(void)
{
	unsigned refused[100], u, k;

	begin_test(LONGEST);
	for (u = 0; u < 2000; u++) {
		for (k = 0; k < SBX_POISON_KILLS; k++)
			CHECK_EQ(bad(print(u)), SBX_POISON_NOT);
		if (u < 100)
			refused[u] = begin(print(u));
	}
	for (u = k = 0; u < 100; u++) {
		CHECK_EQ(begin(print(u)), refused[u]);
		k += refused[u] == SBX_POISON_REQUEST;
	}
	CHECK(k > 90);
	CHECK_EQ(SBX_Poison_Count(&p), SBX_POISON_SETS * SBX_POISON_WAYS);
}

/*--------------------------------------------------------------------
 * The program
 */

/* One request, however often, does not make the program sick; different ones
 * do, if it goes on for some time without a good answer. */
static void
sick(void)
{
	unsigned u;

	begin_test(LONGEST);
	for (u = 0; u < 100000; u++, now += 0.01)
		(void)bad(print(1));
	CHECK(!SBX_Poison_IsSick(&p, now));
	/* in no time at all it is an accident */
	begin_test(LONGEST);
	for (u = 0; u < 100; u++)
		CHECK_EQ(bad(print(u)), SBX_POISON_NOT);
	CHECK(!SBX_Poison_IsSick(&p, now));
	now += SBX_POISON_RUN_TIME;
	CHECK_EQ(bad(print(u)), SBX_POISON_NOT);
	CHECK(SBX_Poison_IsSick(&p, now));
	CHECK_EQ(begin(print(1000)), SBX_POISON_PROGRAM);
	CHECK_EQ(err.kind, SBX_FAIL_BACKOFF);
	CHECK_HAS(err.msg, "paused for 1.000 s more, of 1 s (backoff)");
	CHECK_EQ(begin(0), SBX_POISON_PROGRAM);
	/* what has no print is always another request */
	begin_test(LONGEST);
	for (u = 0; u < SBX_POISON_RUN; u++, now += 0.5)
		CHECK_EQ(bad(0), SBX_POISON_NOT);
	CHECK(SBX_Poison_IsSick(&p, now - 0.5));
}

/* One try after each pause, which gets longer; a good answer ends it. */
static void
program_pauses(void)
{
	static const double want[] = { 1, 2, 4, 8, 16, 32, 60, 60 };
	struct sbx_ask tries;
	unsigned u;

	begin_test(LONGEST);
	make_sick();
	for (u = 0; u < sizeof want / sizeof want[0]; u++) {
		CHECK(SBX_Poison_IsSick(&p, now));
		now += want[u] - 0.001;
		CHECK_EQ(bad(print(u)), SBX_POISON_PROGRAM);
		CHECK(SBX_Poison_IsSick(&p, now));
		now += 0.002;
		CHECK(!SBX_Poison_IsSick(&p, now));
		CHECK_EQ(begin(print(u)), SBX_POISON_NOT);
		CHECK_EQ(ask.tries, SBX_POISON_PROGRAM);
		tries = ask;
		CHECK(SBX_Poison_IsSick(&p, now));
		CHECK_EQ(begin(print(100 + u)), SBX_POISON_PROGRAM);
		SBX_Poison_Killed(&p, &tries, now);
	}
	now += 60.001;
	CHECK_EQ(good(print(1)), SBX_POISON_NOT);
	CHECK(!SBX_Poison_IsSick(&p, now));
	CHECK(!SBX_Poison_IsTimed(&p));
	/* what was killed meanwhile was not to blame */
	for (u = 0; u < 20; u++)
		CHECK_EQ(good(print(u)), SBX_POISON_NOT);
}

/* Many kinds of poison, a hundred times as much as good requests, and those
 * good ones are all different: each of them is answered. */
static void
good_among_bad(void)
{
	unsigned u;

	begin_test(LONGEST);
	for (u = 0; u < 200000; u++, now += 0.01) {
		if (u % 100 == 0)
			CHECK_EQ(good(print(u)), SBX_POISON_NOT);
		else
			CHECK_EQ(bad(print(u)), SBX_POISON_NOT);
	}
	CHECK(!SBX_Poison_IsSick(&p, now));
}

/* Good requests so rare that the program is paused in between: those that have
 * been answered well before are let through. */
static void
known_good(void)
{
	unsigned u, n = 0;

	begin_test(LONGEST);
	CHECK_EQ(good(print(1)), SBX_POISON_NOT);
	for (u = 2; u < 100000; u++, now += 0.01) {
		if (u % 1000 == 0)
			CHECK_EQ(good(print(1)), SBX_POISON_NOT);
		else
			n += bad(print(u)) == SBX_POISON_PROGRAM;
	}
	CHECK(n > 50000);
	/* once it is killed itself it is not known to be good any more */
	begin_test(LONGEST);
	CHECK_EQ(good(print(1)), SBX_POISON_NOT);
	make_sick();
	CHECK_EQ(bad(print(1)), SBX_POISON_NOT);
	CHECK_EQ(bad(print(1)), SBX_POISON_PROGRAM);
	CHECK_HAS(err.msg, "of 1 s");
}

/* All of it, but the key: prints are made by others meanwhile, who have no
 * lock. */
static void
forgiven(void)
{
	const uint64_t pr = (begin_test(LONGEST), print(1));
	unsigned u;

	CHECK_EQ(good(print(2)), SBX_POISON_NOT);
	for (u = 0; u < SBX_POISON_KILLS; u++)
		CHECK_EQ(bad(pr), SBX_POISON_NOT);
	CHECK_EQ(bad(pr), SBX_POISON_REQUEST);
	SBX_Poison_Forgive(&p);
	CHECK(print(1) == pr);
	CHECK(!SBX_Poison_IsTimed(&p));
	CHECK_EQ(SBX_Poison_Count(&p), 0);
	for (u = 0; u < SBX_POISON_GOOD; u++)
		CHECK_EQ(p.good[u], 0);
	for (u = 0; u < SBX_POISON_KILLS; u++)
		CHECK_EQ(bad(pr), SBX_POISON_NOT);
	CHECK_EQ(bad(pr), SBX_POISON_REQUEST);
}

/* What happened long ago is forgotten. */
static void
forgotten(void)
{
	unsigned u;

	begin_test(LONGEST);
	for (u = 0; u < 100; u++, now += SBX_POISON_FORGET + 1)
		CHECK_EQ(bad(print(1)), SBX_POISON_NOT);
	now -= SBX_POISON_FORGET + 1;
	for (u = 1; u < SBX_POISON_KILLS; u++)
		CHECK_EQ(bad(print(1)), SBX_POISON_NOT);
	CHECK_EQ(bad(print(1)), SBX_POISON_REQUEST);
	now += SBX_POISON_FORGET + 1;
	CHECK_EQ(begin(print(1)), SBX_POISON_NOT);
	CHECK_EQ(ask.tries, SBX_POISON_NOT);
	CHECK(!SBX_Poison_IsTimed(&p));
	/* but not within a pause */
	begin_test(3600);
	while (p.pause < 3600) {
		(void)bad(print((unsigned)now));
		now += 0.25;
	}
	now += 3598;
	CHECK_EQ(begin(print(1)), SBX_POISON_PROGRAM);
	CHECK(SBX_Poison_IsSick(&p, now));
}

/* Whoever does not want any of this, or does not count, is left alone. */
static void
left_alone(void)
{
	unsigned u;

	begin_test(LONGEST);
	make_sick();
	while (bad(print(1)) == SBX_POISON_NOT)
		continue;
	memset(&ask, 0, sizeof ask);
	ask.print = print(1);
	for (u = 0; u < 100; u++) {
		CHECK_EQ(SBX_Poison_Begin(&p, &ask, now, &err),
		    SBX_POISON_NOT);
		SBX_Poison_Killed(&p, &ask, now);
	}
	SBX_Poison_Good(&p, &ask);
	CHECK(SBX_Poison_IsSick(&p, now));
	/* a shorter longest pause */
	begin_test(0.25);
	while (bad(print(1)) == SBX_POISON_NOT)
		continue;
	CHECK_HAS(err.msg, "of 0.25 s");
	now += 0.251;
	CHECK_EQ(bad(print(1)), SBX_POISON_NOT);
	CHECK_EQ(bad(print(1)), SBX_POISON_REQUEST);
	CHECK_HAS(err.msg, "of 0.25 s");
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(prints);
	TEST(one_request);
	TEST(pauses);
	TEST(lost_try);
	TEST(recovers);
	TEST(under_way);
	TEST(many_others);
	TEST(many_refused);
	TEST(sick);
	TEST(program_pauses);
	TEST(good_among_bad);
	TEST(known_good);
	TEST(forgiven);
	TEST(forgotten);
	TEST(left_alone);
	TEST_END();
}
