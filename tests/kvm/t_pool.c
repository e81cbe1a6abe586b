/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The pool under several threads: growth, the queue, kills, warm and cold,
 * sharing.
 */

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "pool/vm_priv.h"
#include "test.h"

#define THREADS			8

static struct sbx_program *prg;
static _Atomic unsigned n_good, n_busy, n_killed, n_wrong;
static unsigned rounds;

static void
count(int status, const char *body, const struct sbx_err *err)
{

	if (status == 200 && !strncmp(body, "Hello", 5))
		n_good++;
	else if (status == 200)
		n_wrong++;
	else if (err->kind == SBX_FAIL_BUSY)
		n_busy++;
	else if (err->kind == SBX_FAIL_GUEST)
		n_killed++;
	else
		n_wrong++;
}

static void *
client(void *priv)
{
	struct sbx_err err;
	char body[64];
	unsigned u;
	int i;

	for (u = 0; u < rounds; u++) {
		i = Kvm_Get(prg, priv == NULL ? "/" : priv, body, sizeof body,
		    &err);
		count(i, body, &err);
	}
	return (NULL);
}

static void
clients(const char *url)
{
	pthread_t t[THREADS];
	unsigned u;

	n_good = n_busy = n_killed = n_wrong = 0;
	for (u = 0; u < THREADS; u++)
		AZ(pthread_create(&t[u], NULL, client,
		    (void *)(uintptr_t)url));
	for (u = 0; u < THREADS; u++)
		AZ(pthread_join(t[u], NULL));
}

static void
many_threads(void)
{
	struct sbx_program_cfg cfg;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	cfg.max_vms = 4;
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Stats(prg).vms, 1);
	rounds = 500;
	clients(NULL);
	CHECK_EQ(n_good, rounds * THREADS);
	CHECK(Kvm_Stats(prg).vms <= 4);
	CHECK_EQ(Kvm_Stats(prg).vms_busy, 0);
	CHECK_EQ(Kvm_Stats(prg).requests, rounds * THREADS);
	CHECK_EQ(Kvm_Stats(prg).answers, rounds * THREADS);
	CHECK_EQ(Kvm_Stats(prg).resets, rounds * THREADS);
	Kvm_Close(&prg);
}

/* How often the pool's own thread has gone to sleep. */
static long
sleeps(void)
{
	char path[512], text[4096];
	struct dirent *de;
	const char *p;
	long n = -1;
	size_t l;
	FILE *f;
	DIR *d;

	d = opendir("/proc/self/task");
	AN(d);
	while (n < 0 && (de = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof path,
		    "/proc/self/task/%s/status", de->d_name);
		f = fopen(path, "r");
		if (f == NULL)
			continue;
		l = fread(text, 1, sizeof text - 1, f);
		text[l] = '\0';
		(void)fclose(f);
		p = strstr(text, "\nvoluntary_ctxt_switches:");
		if (strstr(text, "\tsbx-pool\n") != NULL && p != NULL)
			n = strtol(strchr(p, ':') + 1, NULL, 10);
	}
	(void)closedir(d);
	return (n);
}

/* When there are as many VMs as there may be, a request that waits for one is
 * no business of the pool's thread. */
static void
upkeep_sleeps(void)
{
	long n;

	prg = Kvm_OpenOne(Kvm_Example("hello"));
	/* it may not have come to its bed yet */
	while ((n = sleeps()) < 1)
		(void)usleep(1000);
	(void)usleep(100000);
	n = sleeps();
	rounds = 200;
	clients(NULL);
	CHECK_EQ(n_good, rounds * THREADS);
	CHECK(Kvm_Stats(prg).waited > 100);
	CHECK(sleeps() - n < 10);
	Kvm_Close(&prg);
}

static void
no_queue(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_vm *vm;
	struct sbx_err err;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	cfg.max_vms = 1;
	cfg.queue_length = 0;
	prg = Kvm_Open(&cfg);
	vm = Kvm_Borrow(prg, &err);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), -1);
	CHECK_EQ(err.kind, SBX_FAIL_BUSY);
	CHECK_HAS(err.msg, "queue_length");
	CHECK_EQ(Kvm_Stats(prg).queue_full, 1);
	SBX_Pool_Put(SBX_Program_Pool(prg), &vm);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	Kvm_Close(&prg);
}

static void
late(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_vm *vm;
	struct sbx_err err;
	int64_t t;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	cfg.max_vms = 1;
	cfg.queue_timeout = 0.05;
	prg = Kvm_Open(&cfg);
	vm = Kvm_Borrow(prg, &err);
	t = SBX_Os_Mono();
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), -1);
	t = SBX_Os_Mono() - t;
	CHECK(t >= 50000000);
	CHECK_EQ(err.kind, SBX_FAIL_BUSY);
	CHECK_HAS(err.msg, "queue_timeout");
	CHECK_EQ(Kvm_Stats(prg).queue_late, 1);
	CHECK_EQ(Kvm_Stats(prg).queue, 0);
	SBX_Pool_Put(SBX_Program_Pool(prg), &vm);
	Kvm_Close(&prg);
}

/* Each request kills its VM; the pool recovers each time. */
static void
crashes(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;
	char body[64];

	Kvm_Cfg(&cfg, Kvm_Guest("segfault"));
	cfg.max_vms = 2;
	cfg.queue_timeout = 10 * Kvm_Slow();
	prg = Kvm_Open(&cfg);
	rounds = 10;
	clients("/");
	CHECK_EQ(n_killed, rounds * THREADS);
	CHECK_EQ(Kvm_Stats(prg).kill_fault, rounds * THREADS);
	CHECK_EQ(Kvm_Stats(prg).kills, rounds * THREADS);
	CHECK_EQ(Kvm_Get(prg, "/ok", body, sizeof body, &err), 200);
	Kvm_Close(&prg);
}

static void
deadlines(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;
	int64_t t;

	Kvm_Cfg(&cfg, Kvm_Guest("endless_loop"));
	cfg.request_timeout = 0.1;
	prg = Kvm_Open(&cfg);
	t = SBX_Os_Mono();
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), -1);
	t = SBX_Os_Mono() - t;
	CHECK_HAS(err.msg, "request_timeout");
	CHECK(t >= 100000000);
	CHECK_EQ(Kvm_Stats(prg).kill_timeout, 1);
	CHECK_EQ(Kvm_Get(prg, "/ok", NULL, 0, &err), 200);
	Kvm_Close(&prg);
	/* waiting inside of the host ends too */
	Kvm_Cfg(&cfg, Kvm_Guest("slow"));
	cfg.request_timeout = 0.1;
	prg = Kvm_Open(&cfg);
	t = SBX_Os_Mono();
	CHECK_EQ(Kvm_Get(prg, "/?ms=60000", NULL, 0, &err), -1);
	t = SBX_Os_Mono() - t;
	CHECK_HAS(err.msg, "request_timeout");
	CHECK(t < INT64_C(20000000000));
	Kvm_Close(&prg);
}

/* A guest that stalls each new VM's warm-up, which happens while others wait:
 * Start must not take long, and the program serves. */
static void
warmup_stalls(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;
	int64_t t;

	Kvm_Cfg(&cfg, Kvm_Guest("warmup_hang"));
	cfg.min_vms = cfg.max_vms = 30;
	cfg.request_timeout = 3600;
	t = SBX_Os_Mono();
	prg = Kvm_Open(&cfg);
	t = SBX_Os_Mono() - t;
	CHECK(t < 30 * INT64_C(1000000000));
	CHECK(Kvm_Stats(prg).warmup_fail >= 1);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	Kvm_Close(&prg);
}

/* The same file and settings are one program. */
static void
sharing(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *a, *b;
	struct sbx_err err;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	a = Kvm_Open(&cfg);
	b = Kvm_Open(&cfg);
	CHECK(a == b);
	Kvm_Close(&a);
	CHECK_EQ(Kvm_Get(b, "/", NULL, 0, &err), 200);
	cfg.max_vms++;
	a = Kvm_Open(&cfg);
	CHECK(a != b);
	CHECK_EQ(Kvm_Get(a, "/", NULL, 0, &err), 200);
	Kvm_Close(&b);
	Kvm_Close(&a);
}

static void
cold(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;
	unsigned u;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	prg = Kvm_Open(&cfg);
	for (u = 0; u < 3; u++) {
		CHECK_EQ(SBX_Pool_Healthy(SBX_Program_Pool(prg)), 1);
		CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
		SBX_Program_Cool(prg);
		CHECK_EQ(SBX_Pool_Healthy(SBX_Program_Pool(prg)), 0);
		CHECK_EQ(Kvm_Stats(prg).vms, 0);
		CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), -1);
		CHECK_HAS(err.msg, "cold");
		SBX_Err_Clear(&err);
		CHECK_EQ(SBX_Program_Warm(prg, &err), 0);
	}
	Kvm_Close(&prg);
}

static void *
cooler(void *priv)
{

	(void)priv;
	SBX_Program_Cool(prg);
	return (NULL);
}

/* Cool waits for the VM that is lent out, and wakes who waits in line. */
static void
cold_while_busy(void)
{
	const struct timespec ts = { 0, 20000000 };
	struct sbx_vm *vm;
	struct sbx_err err;
	pthread_t t;

	prg = Kvm_OpenOne(Kvm_Example("hello"));
	vm = Kvm_Borrow(prg, &err);
	AZ(pthread_create(&t, NULL, cooler, NULL));
	while (SBX_Pool_Healthy(SBX_Program_Pool(prg)))
		(void)nanosleep(&ts, NULL);
	CHECK_EQ(Kvm_Serve(vm, "/", &err), 200);
	SBX_Pool_Put(SBX_Program_Pool(prg), &vm);
	AZ(pthread_join(t, NULL));
	CHECK_EQ(Kvm_Stats(prg).vms, 0);
	SBX_Program_Close(&prg);
}

/*
 * A host with vm.max_map_count mappings refuses to take a VM's own memory out
 * of the middle of one. Nothing breaks, and the pages go all the same.
 */
static void * _Atomic kept;

static int
full_munmap(void *p, size_t l)
{

	if (l != sizeof(struct sbx_vm))
		return (sbx_os_real.munmap(p, l));
	kept = p;
	errno = ENOMEM;
	return (-1);
}

static void
mappings_full(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	kept = NULL;
	sbx_os.munmap = full_munmap;
	SBX_Program_Cool(prg);
	sbx_os.munmap = sbx_os_real.munmap;
	CHECK_EQ(Kvm_Stats(prg).vms, 0);
	AN(kept);
	CHECK_EQ(((struct sbx_vm *)kept)->serial, 0);
	AZ(munmap(kept, sizeof(struct sbx_vm)));
	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Program_Warm(prg, &err), 0);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	Kvm_Close(&prg);
}

/*
 * An image can not be sealed while somebody has hold of one of its pages, which
 * passes; or it does not, and that is said.
 */
static int busy;

static int
busy_fcntl(int fd, int cmd, int arg)
{

	if (cmd != F_ADD_SEALS || busy-- <= 0)
		return (sbx_os_real.fcntl(fd, cmd, arg));
	errno = EBUSY;
	return (-1);
}

static void
image_busy(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;

	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	sbx_os.fcntl = busy_fcntl;
	busy = 3;
	prg = Kvm_Open(&cfg);
	CHECK_EQ(busy, -1);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	Kvm_Close(&prg);

	busy = INT_MAX;
	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Program_Open(&cfg, &prg, &err), -1);
	CHECK_EQ(err.kind, SBX_FAIL_HOST);
	CHECK_HAS(err.msg, "sealing the image: Device or resource busy");
	sbx_os.fcntl = sbx_os_real.fcntl;
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(300);
	TEST(many_threads);
	TEST(upkeep_sleeps);
	TEST(no_queue);
	TEST(late);
	TEST(crashes);
	TEST(deadlines);
	TEST(warmup_stalls);
	TEST(sharing);
	TEST(cold);
	TEST(cold_while_busy);
	TEST(mappings_full);
	TEST(image_busy);
	TEST_END();
}
