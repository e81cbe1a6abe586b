/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Is what counters and log say about a request true? Memory is compared with
 * what the kernel says, times with a clock beside it.
 */

#include "config.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "machine/kvm.h"
#include "pool/vm_priv.h"
#include "test.h"

#define MS			INT64_C(1000000)

static struct sbx_program *prg;
static struct sbx_err err;

static struct sbx_return
give_back(struct sbx_vm *vm)
{
	struct sbx_return ret;

	SBX_Pool_Return(SBX_Program_Pool(prg), &vm, &ret);
	AZ(vm);
	return (ret);
}

/*--------------------------------------------------------------------
 * Memory
 */

/* Bytes in [lo, hi) that are this process's own, as the kernel has it. */
static uint64_t
smaps(uintptr_t lo, uintptr_t hi)
{
	uintptr_t from, to;
	uint64_t kb, sum = 0;
	int in = 0;
	char line[512];
	FILE *f;

	f = fopen("/proc/self/smaps", "r");
	AN(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from,
		    &to) == 2)
			in = from >= lo && to <= hi;
		else if (in &&
		    sscanf(line, "Anonymous: %" SCNu64 " kB", &kb) == 1)
			sum += kb << 10;
	}
	(void)fclose(f);
	return (sum);
}

/* Between requests: what the only VM has is what is said to be private. */
static void
check_private(void)
{
	struct sbx_pool_stats st;
	struct sbx_vm *vm;
	uint64_t is;

	vm = Kvm_Borrow(prg, &err);
	(void)give_back(vm);
	st = Kvm_Stats(prg);
	is = smaps((uintptr_t)vm->mem, (uintptr_t)vm->mem + vm->img->size);
	CHECK_EQ(st.private_bytes, st.pages_hot * 4096);
	/* a CPU may write to page tables without KVM's seeing it */
	if (vm->img->kvm->platform == SBX_PLATFORM_P)
		CHECK_EQ(st.private_bytes, is);
	CHECK(st.private_bytes <= is);
	CHECK(is - st.private_bytes < 64 * 4096);
}

static void
memory(void)
{
	struct sbx_return ret;
	struct sbx_vm *vm;

	prg = Kvm_OpenOne(Kvm_Guest("dirty"));
	check_private();
	CHECK_EQ(Kvm_Get(prg, "/?pages=300", NULL, 0, &err), 200);
	CHECK(Kvm_Stats(prg).private_bytes >= 300 * 4096);
	CHECK(Kvm_Stats(prg).private_bytes < 400 * 4096);
	check_private();
	/* more than may stay */
	vm = Kvm_Borrow(prg, &err);
	CHECK_EQ(Kvm_Serve(vm, "/?pages=3000", &err), 200);
	ret = give_back(vm);
	CHECK_EQ(ret.reset, 1);
	CHECK(ret.pages + ret.dropped >= 3000);
	CHECK(ret.pages + ret.dropped < 3200);
	CHECK_EQ(ret.pages, ret.hot);
	CHECK_EQ(ret.hot, SBX_HOT_MAX);
	CHECK_EQ(Kvm_Stats(prg).pages_hot, SBX_HOT_MAX);
	CHECK(Kvm_Stats(prg).pages_dropped >= 3000 - SBX_HOT_MAX);
	check_private();
	/* the image is what the file has, and zeroes are not in it */
	CHECK(Kvm_Stats(prg).image_bytes > 100000);
	CHECK(Kvm_Stats(prg).image_bytes < 2000000);
	Kvm_Close(&prg);
}

/*--------------------------------------------------------------------
 * Time
 */

/* One request; returns how long it took by our own clock. */
static int64_t
timed(const char *url, struct sbx_usage *us)
{
	struct sbx_vm *vm;
	int64_t t;

	vm = Kvm_Borrow(prg, &err);
	t = SBX_Os_Mono();
	CHECK_EQ(Kvm_Serve(vm, url, &err), 200);
	t = SBX_Os_Mono() - t;
	*us = *SBX_VM_Usage(vm);
	CHECK(us->run <= t);
	CHECK(us->cpu > 0);
	CHECK(us->cpu + us->waited <= us->run);
	CHECK(give_back(vm).time > 0);
	return (t);
}

static void
times(void)
{
	struct sbx_pool_stats st;
	struct sbx_usage us;
	struct sbx_vm *vm;

	/* a loop that looks at the clock, which costs no exit */
	prg = Kvm_OpenOne(Kvm_Guest("says"));
	st = Kvm_Stats(prg);
	CHECK_EQ(st.run_us, 0);
	CHECK_EQ(st.cpu_us, 0);
	CHECK_EQ(st.reset_us, 0);
	CHECK(timed("/?ms=100&text=x", &us) >= 100 * MS);
	CHECK(us.run >= 100 * MS);
	CHECK(us.cpu >= 80 * MS);
	CHECK_EQ(us.waited, 0);
	CHECK_EQ(us.queued, 0);
	CHECK_EQ(us.vm, 1);
	st = Kvm_Stats(prg);
	CHECK_EQ(st.run_us, us.run / 1000);
	CHECK_EQ(st.cpu_us, us.cpu / 1000);
	CHECK_EQ(st.slept_us, 0);
	CHECK(st.reset_us > 0);
	CHECK_EQ(st.answers_2xx, 1);
	Kvm_Close(&prg);

	/* sleeping is on the host, and not in the VM */
	prg = Kvm_OpenOne(Kvm_Guest("asleep"));
	/* one that has been warmed up has done nothing for anybody yet */
	vm = Kvm_Borrow(prg, &err);
	CHECK_EQ(SBX_VM_Usage(vm)->exits, 0);
	(void)give_back(vm);
	CHECK_EQ(Kvm_Stats(prg).exits, 0);
	CHECK(timed("/sleep?ms=100", &us) >= 100 * MS);
	CHECK(us.waited >= 99 * MS);
	CHECK((double)us.cpu < 50 * MS * Kvm_Slow());
	CHECK_EQ(Kvm_Stats(prg).slept_us, us.waited / 1000);
	Kvm_Close(&prg);
}

/*--------------------------------------------------------------------
 * The queue
 */

static void *
waiter(void *priv)
{
	int64_t *queued = priv;
	struct sbx_vm *vm;

	vm = Kvm_Borrow(prg, &err);
	*queued = SBX_VM_Usage(vm)->queued;
	(void)give_back(vm);
	return (NULL);
}

static void
queue(void)
{
	struct sbx_program_cfg cfg;
	int64_t queued = -1;
	struct sbx_vm *vm;
	pthread_t t;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	cfg.max_vms = 1;
	cfg.queue_timeout = 10;
	prg = Kvm_Open(&cfg);
	vm = Kvm_Borrow(prg, &err);
	AZ(pthread_create(&t, NULL, waiter, &queued));
	while (Kvm_Stats(prg).queue == 0)
		(void)usleep(1000);
	(void)usleep(50000);
	(void)give_back(vm);
	AZ(pthread_join(t, NULL));
	CHECK(queued >= 50 * MS);
	CHECK_EQ(Kvm_Stats(prg).queued_us, queued / 1000);
	CHECK_EQ(Kvm_Stats(prg).waited, 1);
	Kvm_Close(&prg);

	/* those who wait in vain have waited, too */
	cfg.queue_timeout = 0.05;
	prg = Kvm_Open(&cfg);
	vm = Kvm_Borrow(prg, &err);
	AZ(SBX_Pool_Get(SBX_Program_Pool(prg), &err));
	CHECK(Kvm_Stats(prg).queued_us >= 50000);
	CHECK_EQ(Kvm_Stats(prg).waited, 0);
	(void)give_back(vm);
	Kvm_Close(&prg);
}

/*--------------------------------------------------------------------
 * Kills
 */

static struct sbx_vm *
killed(const char *url, struct sbx_killed *how)
{
	struct sbx_vm *vm;

	vm = Kvm_Borrow(prg, &err);
	CHECK_EQ(Kvm_Serve(vm, url, &err), -1);
	CHECK_EQ(SBX_VM_Killed(vm, how), 1);
	return (vm);
}

static void
kills(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_killed how;
	struct sbx_vm *vm;

	Kvm_Cfg(&cfg, Kvm_Guest("segfault"));
	prg = Kvm_Open(&cfg);
	vm = killed("/", &how);
	CHECK(!strcmp(how.reason, "fault"));
	CHECK_EQ(how.signo, SIGSEGV);
	CHECK(how.rip > 0x1000);
	CHECK(how.has_addr);
	CHECK_EQ(how.addr, 0);
	CHECK_HAS(how.symbol, "bad+0x");
	CHECK_EQ(how.words.l, 0);
	CHECK_EQ(give_back(vm).reset, 0);
	CHECK_EQ(Kvm_Stats(prg).kill_fault, 1);
	CHECK_EQ(Kvm_Stats(prg).resets, 0);
	CHECK_EQ(Kvm_Stats(prg).reset_us, 0);
	Kvm_Close(&prg);

	/* the end of what it has said, and nothing of the last one's */
	Kvm_Cfg(&cfg, Kvm_Guest("says"));
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Get(prg, "/?stderr=before&text=x", NULL, 0, &err), 200);
	vm = killed("/?stderr=the+last&die", &how);
	CHECK_EQ(how.signo, SIGABRT);
	CHECK(!how.has_addr);
	CHECK_EQ(how.words.l, 8);
	CHECK(!memcmp(how.words.b, "the last", 8));
	(void)give_back(vm);
	Kvm_Close(&prg);
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(60);
	TEST(memory);
	TEST(times);
	TEST(queue);
	TEST(kills);
	TEST_END();
}
