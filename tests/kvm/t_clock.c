/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Time and randomness are refreshed, never restored: a guest's clock lies
 * between the host's before and after the request, whichever way it asks; and
 * no random bytes are seen twice.
 */

#include "config.h"

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "test.h"

#define ROUNDS		2000

static struct sbx_err err;
static char body[4096];

/* The three numbers behind (name): block, then two readings of the clock. */
static void
in_between(const char *name, int64_t before, int64_t after)
{
	long long t[3] = { 0 };
	const char *p;

	p = strstr(body, name);
	CHECK(p != NULL);
	if (p == NULL)
		return;
	CHECK_EQ(sscanf(p + strlen(name), "%lld %lld %lld", &t[0], &t[1],
	    &t[2]), 3);
	CHECK(before <= t[0]);
	CHECK(t[0] <= t[1]);
	CHECK(t[1] <= t[2]);
	CHECK(t[2] <= after);
}

static void
clocks(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	int64_t mono, wall;
	unsigned u;

	Kvm_Cfg(&cfg, Kvm_Guest("fresh"));
	prg = Kvm_Open(&cfg);
	for (u = 0; u < ROUNDS; u++) {
		mono = SBX_Os_Mono();
		wall = SBX_Os_Wall();
		CHECK_EQ(Kvm_Get(prg, "/", body, sizeof body, &err), 200);
		in_between("\nmono ", mono, SBX_Os_Mono());
		in_between("\nwall ", wall, SBX_Os_Wall());
	}
	Kvm_Close(&prg);
}

static int
cmp(const void *a, const void *b)
{

	return (memcmp(a, b, 64));
}

static void
randomness(void)
{
	static char seen[ROUNDS][64];
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	const char *p;
	unsigned u;

	Kvm_Cfg(&cfg, Kvm_Guest("fresh"));
	prg = Kvm_Open(&cfg);
	for (u = 0; u < ROUNDS; u++) {
		CHECK_EQ(Kvm_Get(prg, "/", body, sizeof body, &err), 200);
		p = strstr(body, "request ");
		AN(p);
		memcpy(seen[u], p + 8, 64);
	}
	qsort(seen, ROUNDS, 64, cmp);
	for (u = 1; u < ROUNDS; u++)
		CHECK(memcmp(seen[u - 1], seen[u], 64) != 0);
	Kvm_Close(&prg);
}

/* The time stamp counter counts, without a system call. */
static void
without_exits(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	struct sbx_pool_stats a, b;

	Kvm_Cfg(&cfg, Kvm_Guest("slow"));
	prg = Kvm_Open(&cfg);
	a = Kvm_Stats(prg);
	CHECK_EQ(Kvm_Get(prg, "/?ms=20", NULL, 0, &err), 200);
	b = Kvm_Stats(prg);
	/* where the host has no steady TSC it takes calls, and many */
	CHECK(b.syscalls - a.syscalls == 0 || b.syscalls - a.syscalls > 20);
	printf("%s\n", b.syscalls == a.syscalls ? "vDSO" : "no vDSO");
	Kvm_Close(&prg);
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(240);
	TEST(clocks);
	TEST(randomness);
	TEST(without_exits);
	TEST_END();
}
