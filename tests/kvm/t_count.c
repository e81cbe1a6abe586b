/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a request costs, counted: the host's system calls that go through the
 * table in base/os.h. No lock is held across those that take time.
 */

#include "config.h"

#include <linux/kvm.h>
#include <stdatomic.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "pool/vm_priv.h"
#include "test.h"

static _Atomic unsigned n_run, n_log, n_ioctl, n_random, n_other;
static struct sbx_pool *pool;

/* Takes the pool's lock: if whoever runs or resets a VM had it, that would be
 * the end of this test. */
static void
count_unlocked(void)
{
	struct sbx_pool_stats st;

	SBX_Pool_Stats(pool, &st);
	CHECK_EQ(st.vms_busy, 1);
}

static int
count_ioctl(int fd, unsigned long nr, void *arg)
{

	if (nr == KVM_RUN || nr == KVM_GET_DIRTY_LOG)
		count_unlocked();
	if (nr == KVM_RUN)
		n_run++;
	else if (nr == KVM_GET_DIRTY_LOG)
		n_log++;
	else
		n_ioctl++;
	return (sbx_os_real.ioctl(fd, nr, arg));
}

static void *
count_calloc(size_t n, size_t l)
{

	n_other++;
	return (sbx_os_real.calloc(n, l));
}

static int
count_madvise(void *p, size_t l, int a)
{

	n_other++;
	return (sbx_os_real.madvise(p, l, a));
}

static ssize_t
count_random(void *p, size_t l, unsigned f)
{

	n_random++;
	return (sbx_os_real.getrandom(p, l, f));
}

static void
count(const char *path, const char *url, unsigned exits)
{
	const unsigned n = 64;
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	struct sbx_err err;
	unsigned u;

	Kvm_Cfg(&cfg, path);
	cfg.max_fetches = 1;
	prg = Kvm_Open(&cfg);
	pool = SBX_Program_Pool(prg);
	/* the looks at what is hot (pool/reset.c) are rare after these */
	for (u = 0; u < 520; u++)
		CHECK_EQ(Kvm_Get(prg, url, NULL, 0, &err), 200);
	n_run = n_log = n_ioctl = n_random = n_other = 0;
	sbx_os.ioctl = count_ioctl;
	sbx_os.calloc = count_calloc;
	sbx_os.madvise = count_madvise;
	sbx_os.getrandom = count_random;
	for (u = 0; u < n; u++)
		CHECK_EQ(Kvm_Get(prg, url, NULL, 0, &err), 200);
	sbx_os = sbx_os_real;
	CHECK_EQ(n_run, n * exits);
	CHECK_EQ(n_log, n);
	CHECK_EQ(n_ioctl, 0);
	CHECK_EQ(n_other, 0);
	CHECK_EQ(n_random, n / SBX_SEEDS);
	Kvm_Close(&prg);
}

/* A request that asks the host for nothing: one crossing. */
static void
hello(void)
{

	count(Kvm_Example("hello"), "/", 1);
}

/* Pages that are dirtied again do not cost a call either. */
static void
dirty(void)
{

	count(Kvm_Guest("dirty"), "/?pages=100", 1);
	count(Kvm_Guest("dirty"), "/?pages=1024", 1);
}

/* A host that has everything at once. */
static int
ready_start(void *priv, const struct sbx_fetch_request *rq,
    struct sbx_fetch **fp)
{

	(void)rq;
	*fp = priv;
	return (0);
}

static int
ready_wait(void *priv, struct sbx_fetch * const *list, unsigned n,
    unsigned want, int64_t deadline)
{

	(void)priv;
	(void)list;
	(void)want;
	(void)deadline;
	return ((int)n);
}

static const struct sbx_fetch_answer *
ready_answer(void *priv, struct sbx_fetch *f)
{
	static const struct sbx_fetch_answer a = {
		.status = 200,
		.body = "body",
		.body_len = 4,
	};

	(void)priv;
	(void)f;
	return (&a);
}

static void
ready_drop(void *priv, struct sbx_fetch **fp)
{

	(void)priv;
	*fp = NULL;
}

/* A fetch is one crossing, and nothing else of ours. */
static void
fetch(void)
{
	static const struct sbx_host ready = {
		.fetch_start = ready_start,
		.fetch_wait = ready_wait,
		.fetch_answer = ready_answer,
		.fetch_drop = ready_drop,
		.priv = &n_run,
	};

	Kvm_Host = &ready;
	count(Kvm_Guest("fetch"), "/get?url=/", 2);
	Kvm_Host = NULL;
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(120);
	TEST(hello);
	TEST(dirty);
	TEST(fetch);
	TEST_END();
}
