/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * After a reset all of a VM's memory is the golden image's, byte for byte,
 * whatever the request did; and page tables that it changed are in force as
 * they were.
 */

#include "config.h"

#include <errno.h>
#include <linux/kvm.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "machine/watchdog.h"
#include "pool/vm_priv.h"
#include "test.h"

static struct sbx_err err;

static void
same_threads(const struct sbx_threads *ts, const struct sbx_threads *gs)
{
	const struct sbx_thread *t, *g;
	unsigned u;

	CHECK_EQ(ts->n, gs->n);
	CHECK_EQ(ts->last_tid, gs->last_tid);
	CHECK_EQ(ts->cur, gs->cur);
	CHECK_EQ(ts->loaded, gs->loaded);
	CHECK_EQ(ts->pending, gs->pending);
	for (u = 0; u < SBX_THREADS_MAX; u++) {
		t = ts->t[u];
		g = gs->t[u];
		if (g == NULL || g->state == SBX_THREAD_FREE) {
			CHECK(t == NULL || t->state == SBX_THREAD_FREE);
			continue;
		}
		AN(t);
		CHECK_EQ(t->state, g->state);
		CHECK_EQ(t->until, g->until);
		CHECK_EQ(t->sigmask, g->sigmask);
		CHECK_EQ(t->pending, g->pending);
		if (g->saved)
			CHECK(!memcmp(&t->cpu, &g->cpu, sizeof g->cpu));
	}
}

static void
same_timers(const struct sbx_timers *ts, const struct sbx_timers *gs)
{
	const struct sbx_timer *t, *g;
	unsigned u;

	CHECK_EQ(ts->n, gs->n);
	for (u = 0; u < SBX_TIMERS_MAX; u++) {
		t = &ts->t[u];
		g = &gs->t[u];
		CHECK_EQ(t->used, g->used);
		CHECK_EQ(t->until, g->until);
		CHECK_EQ(t->every, g->every);
		CHECK_EQ(t->sent, g->sent);
	}
}

static void
same_channels(const struct sbx_channels *cs, const struct sbx_channels *gs)
{
	const struct sbx_channel *c, *g;
	unsigned u;

	CHECK_EQ(cs->turn, gs->turn);
	CHECK_EQ(cs->watched, gs->watched);
	for (u = 0; u < SBX_CHANNELS_MAX; u++) {
		c = &cs->ch[u];
		g = &gs->ch[u];
		CHECK_EQ(c->turn, g->turn);
		CHECK_EQ(c->bytes, g->bytes);
		CHECK_EQ(c->count, g->count);
		CHECK_EQ(c->at, g->at);
		CHECK_EQ(c->until, g->until);
		CHECK_EQ(c->n, g->n);
		if (g->n > 0)
			CHECK(!memcmp(c->mem.any, g->mem.any,
			    g->n * sizeof *g->mem.watch));
		else if (g->at == 0 && g->bytes > 0)
			CHECK(!memcmp(c->mem.b, g->mem.b, g->bytes));
	}
}

static int
same(struct sbx_program *prg)
{
	struct sbx_pool *pool = SBX_Program_Pool(prg);
	struct sbx_vm *vm;
	int i;

	vm = Kvm_Borrow(prg, &err);
	i = !memcmp(vm->mem, vm->img->golden, vm->img->size);
	same_threads(&vm->proc.threads, &vm->img->proc.threads);
	same_channels(&vm->proc.channels, &vm->img->proc.channels);
	same_timers(&vm->proc.timers, &vm->img->proc.timers);
	SBX_Pool_Put(pool, &vm);
	return (i);
}

static void
memory(void)
{
	static const struct {
		const char	*guest;
		const char	*url;
	} cases[] = {
		{ "dirty", "/?pages=1" },
		{ "dirty", "/?pages=1023" },
		{ "dirty", "/?pages=1025" },
		{ "dirty", "/?pages=5000" },
		{ "dirty", "/random?pages=3000" },
		{ "memory_hog", "/" },
		{ "oom", "/" },
		{ "big_body", "/" },
		{ "fd_leak", "/" },
		{ "residue", "/fill" },
		{ "residue", "/read" },
		{ "pthreads", "/pool" },
		{ "pthreads", "/spin" },
		{ "pthreads", "/barrier" },
		{ "pthreads", "/robust" },
		{ "pthreads", "/many" },
		{ "pthreads", "/ten-thousand" },
		{ "pthreads", "/answer" },
		{ "pthreads", "/exit" },
		{ "signals", "/store" },
		{ "signals", "/raise" },
		{ "signals", "/pending" },
		{ "signals", "/preempt" },
		{ "signals", "/interrupt" },
		{ "signals", "/forged-fp-good" },
		{ "alarms", "/real" },
		{ "alarms", "/create" },
		{ "alarms", "/thread" },
		{ "alarms", "/none" },
		{ "alarms", "/errors" },
		{ "alarms", "/suspend" },
		{ "alarms", "/masks" },
		{ "alarms", "/boot" },
		{ "channels", "/boot" },
		{ "channels", "/pipe" },
		{ "channels", "/wait" },
		{ "channels", "/epoll" },
		{ "channels", "/many" },
		{ "channels", "/socket" },
	};
	struct sbx_program *prg;
	size_t u;

	for (u = 0; u < sizeof cases / sizeof *cases; u++) {
		prg = Kvm_OpenOne(Kvm_Guest(cases[u].guest));
		CHECK(same(prg));
		CHECK_EQ(Kvm_Get(prg, cases[u].url, NULL, 0, &err), 200);
		CHECK(same(prg));
		CHECK_EQ(Kvm_Get(prg, "/ok", NULL, 0, &err) > 0, 1);
		CHECK(same(prg));
		CHECK_EQ(Kvm_Get(prg, cases[u].url, NULL, 0, &err), 200);
		CHECK(same(prg));
		Kvm_Close(&prg);
	}
}

/* Everything that ring 3 can set, in one request; all of it, in the next. */
static void
residue(void)
{
	static char body[262144];
	struct sbx_program *prg;
	unsigned u;

	prg = Kvm_OpenOne(Kvm_Guest("residue"));
	CHECK_EQ(Kvm_Get(prg, "/read", body, sizeof body, &err), 200);
	for (u = 0; u < 20; u++) {
		CHECK_EQ(Kvm_Get(prg, "/fill", NULL, 0, &err), 200);
		CHECK_EQ(Kvm_Get(prg, "/read", body, sizeof body, &err), 200);
		CHECK(strstr(body, "LEAK") == NULL);
		CHECK_HAS(body, "same");
	}
	Kvm_Close(&prg);
}

/* The budget: what is above it goes back, what is below it stays. */
static void
budget(void)
{
	struct sbx_pool_stats st;
	struct sbx_program *prg;

	prg = Kvm_OpenOne(Kvm_Guest("dirty"));
	CHECK_EQ(Kvm_Get(prg, "/?pages=5000", NULL, 0, &err), 200);
	st = Kvm_Stats(prg);
	CHECK_EQ(st.pages_hot, SBX_HOT_MAX);
	CHECK(st.pages_dropped > 5000 - SBX_HOT_MAX);
	CHECK(st.pages_dropped < 5100 - SBX_HOT_MAX);
	Kvm_Close(&prg);
}

/* One large request, then small ones: they do not pay for it for ever. */
static void
aging(void)
{
	struct sbx_pool_stats st, old;
	struct sbx_program *prg;
	unsigned u;

	prg = Kvm_OpenOne(Kvm_Guest("dirty"));
	CHECK_EQ(Kvm_Get(prg, "/?pages=800", NULL, 0, &err), 200);
	old = Kvm_Stats(prg);
	CHECK(old.pages_hot >= 800);
	for (u = 0; u < 3 * SBX_AGE_MIN; u++) {
		CHECK_EQ(Kvm_Get(prg, "/?pages=20", NULL, 0, &err), 200);
		CHECK(same(prg));
	}
	st = Kvm_Stats(prg);
	CHECK(st.pages_hot >= 20);
	CHECK(st.pages_hot < 40);
	CHECK(st.pages_dropped - old.pages_dropped > 750);
	/* and what is in use stays */
	for (u = 0; u < 8 * SBX_AGE_MIN; u++) {
		CHECK_EQ(Kvm_Get(prg, "/?pages=20", NULL, 0, &err), 200);
		CHECK(same(prg));
	}
	old = Kvm_Stats(prg);
	CHECK_EQ(old.pages_dropped, st.pages_dropped);
	CHECK_EQ(old.pages_hot, st.pages_hot);
	Kvm_Close(&prg);
}

/* Kilobytes of shared memory that this process has mapped. */
static long
rss_shmem(void)
{
	char line[256];
	long kb = -1;
	FILE *f;

	f = fopen("/proc/self/status", "r");
	AN(f);
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "RssShmem: %ld", &kb) == 1)
			break;
	AZ(fclose(f));
	return (kb);
}

/* What requests read and write does not make the image larger. */
static void
image_stays(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	struct sbx_vm *vm;
	struct stat st, now;

	Kvm_Cfg(&cfg, Kvm_Guest("memory_hog"));
	cfg.memory = 256 << 20;
	prg = Kvm_Open(&cfg);
	vm = Kvm_Borrow(prg, &err);
	AZ(fstat(vm->img->fd, &st));
	CHECK(st.st_blocks * 512 < 4 << 20);
	CHECK_EQ(Kvm_Serve(vm, "/", &err), 200);
	AZ(fstat(vm->img->fd, &now));
	/* but for small gaps in it */
	CHECK(now.st_blocks - st.st_blocks < 100);
	SBX_Pool_Put(SBX_Program_Pool(prg), &vm);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	CHECK(rss_shmem() < 8 << 10);
	Kvm_Close(&prg);
}

/* The largest and the smallest that can be asked for. */
static void
sizes(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	/* its page tables alone take 128 MB */
	cfg.memory = UINT64_C(64) << (Kvm_Slow() > 1 ? 27 : 30);
	cfg.boot_timeout = 60;
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	Kvm_Close(&prg);
	cfg.memory = 4 << 20;
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	CHECK(same(prg));
	Kvm_Close(&prg);
}

/* A request whose VM is given back without having run. */
static void
not_run(void)
{
	struct sbx_program *prg;
	struct sbx_vm *vm;

	prg = Kvm_OpenOne(Kvm_Example("hello"));
	vm = Kvm_Borrow(prg, &err);
	CHECK_EQ(SBX_VM_Body(vm, "secret", 6, &err), 0);
	SBX_Pool_Put(SBX_Program_Pool(prg), &vm);
	CHECK(same(prg));
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	Kvm_Close(&prg);
}

/*--------------------------------------------------------------------
 * While page tables are put back, by code in the guest: a signal that is not
 * for it, and the watchdog.
 */

static struct sbx_machine *kicked_machine;
static int kicked_how;

static int
kicked_ioctl(int fd, unsigned long nr, void *arg)
{
	int how = kicked_how;

	if (nr != KVM_RUN || how == 0)
		return (sbx_os_real.ioctl(fd, nr, arg));
	kicked_how = 0;
	if (how == 1) {
		errno = EINTR;
		return (-1);
	}
	atomic_store(&kicked_machine->deadline, 0);
	while (!SBX_Watchdog_Kicked(kicked_machine))
		(void)usleep(100);
	return (sbx_os_real.ioctl(fd, nr, arg));
}

static void
kicked_one(struct sbx_program *prg, int how, unsigned fails)
{
	struct sbx_pool *pool = SBX_Program_Pool(prg);
	struct sbx_pool_stats st;
	struct sbx_vm *vm;
	char body[16];

	vm = Kvm_Borrow(prg, &err);
	CHECK_EQ(Kvm_Serve(vm, "/rights?n=20", &err), 200);
	kicked_machine = vm->m;
	kicked_how = how;
	SBX_Pool_Put(pool, &vm);
	CHECK_EQ(kicked_how, 0);
	SBX_Pool_Stats(pool, &st);
	CHECK_EQ(st.reset_fail, fails);
	CHECK_EQ(Kvm_Get(prg, "/ok", body, sizeof body, &err), 200);
	CHECK(!strcmp(body, "ok\n"));
}

static void
kicked(void)
{
	struct sbx_program *prg;

	prg = Kvm_OpenOne(Kvm_Guest("storm"));
	sbx_os.ioctl = kicked_ioctl;
	kicked_one(prg, 1, 0);
	kicked_one(prg, 2, 1);
	kicked_one(prg, 1, 1);
	sbx_os.ioctl = sbx_os_real.ioctl;
	Kvm_Close(&prg);
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(240);
	TEST(memory);
	TEST(residue);
	TEST(budget);
	TEST(aging);
	TEST(image_stays);
	TEST(sizes);
	TEST(not_run);
	TEST(kicked);
	TEST_END();
}
