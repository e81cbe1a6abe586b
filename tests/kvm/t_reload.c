/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A program is reloaded while it serves: what is answered by whom, bad files,
 * and what is left behind. CHECK() is for the main thread.
 */

#include "config.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "pool/pool_priv.h"
#include "test.h"

#define THREADS			4

static char dir[] = "/tmp/t_reload.XXXXXX";
static char path[sizeof dir + 10];
static struct sbx_program *prg;

/* What was told. */
static _Atomic unsigned n_told, n_told_bad;

static void
tell(const struct sbx_reload *r)
{

	AZ(strcmp(r->path, path));
	AZ(strcmp(r->who, "test"));
	assert(r->time > 0);
	assert(r->generation >= 1);
	assert(r->err != NULL || (r->boot > 0 && r->vms <= 8));
	if (r->err != NULL)
		n_told_bad++;
	n_told++;
}

/*--------------------------------------------------------------------
 * Files
 */

static char *guest;
static size_t guest_len;

static void
read_guest(void)
{
	FILE *f;
	long l;

	f = fopen(Kvm_Guest("version"), "r");
	AN(f);
	AZ(fseek(f, 0, SEEK_END));
	l = ftell(f);
	assert(l > 0);
	rewind(f);
	guest_len = (size_t)l;
	guest = malloc(guest_len);
	AN(guest);
	assert(fread(guest, 1, guest_len, f) == guest_len);
	AZ(fclose(f));
}

/* Put a file in the place of what is there, as mv(1) does. */
static void
install_bytes(const void *b, size_t len)
{
	char tmp[sizeof path + 4];
	FILE *f;

	(void)snprintf(tmp, sizeof tmp, "%s.new", path);
	f = fopen(tmp, "w");
	AN(f);
	assert(fwrite(b, 1, len, f) == len);
	AZ(fclose(f));
	AZ(rename(tmp, path));
}

static void
install(unsigned version, const char *fault)
{
	static const char mark[] = "@VERSION=";
	char text[40], *p;

	p = memmem(guest, guest_len, mark, sizeof mark - 1);
	AN(p);
	(void)snprintf(text, sizeof text, "@VERSION=%06u@FAULT=%-7s@",
	    version, fault);
	memcpy(p, text, 30);
	install_bytes(guest, guest_len);
}

/*--------------------------------------------------------------------
 * Requests
 */

static struct sbx_program_info
info(void)
{
	struct sbx_program_info i;

	SBX_Program_Info(prg, &i);
	return (i);
}

static void
ask(void)
{
	struct sbx_err err;

	SBX_Err_Clear(&err);
	AZ(SBX_Program_Reload(prg, "test", tell, &err));
}

static void
wait_for_it(void)
{

	while (info().reloading)
		(void)usleep(1000);
}

/* Old VMs are destroyed by the pool's thread. */
static void
wait_for_vms(unsigned n)
{
	unsigned u;

	for (u = 0; u < 5000 && Kvm_Stats(prg).vms > n; u++)
		(void)usleep(1000);
	CHECK_EQ(Kvm_Stats(prg).vms, n);
}

static void
reload(unsigned version)
{

	install(version, "none");
	ask();
	wait_for_it();
	CHECK_EQ(strlen(info().error), 0);
}

/* The version that answers, if all of the answer says so; 0 if not. */
static unsigned
version_of(const char *body)
{
	const char *p;
	unsigned v;

	v = (unsigned)strtoul(body, NULL, 10);
	for (p = body; *p != '\0'; p += 7)
		if (strlen(p) < 7 || strncmp(p, body, 7))
			return (0);
	return (v);
}

static unsigned
get(const char *url)
{
	struct sbx_err err;
	char body[4096];

	if (Kvm_Get(prg, url, body, sizeof body, &err) == 200)
		return (version_of(body));
	fprintf(stderr, "%s\n", err.msg);
	return (0);
}

static void
begin_cfg(struct sbx_program_cfg *cfg)
{

	Kvm_Cfg(cfg, path);
	cfg->max_vms = 4;
	cfg->boot_timeout = 0.4 * Kvm_Slow();
	cfg->queue_timeout = 10 * Kvm_Slow();
}

static void
begin(void)
{
	struct sbx_program_cfg cfg;

	begin_cfg(&cfg);
	install(1, "none");
	prg = Kvm_Open(&cfg);
	CHECK_EQ(info().generation, 1);
	CHECK_EQ(get("/"), 1);
}

/*--------------------------------------------------------------------
 * Good files
 */

static void
anew(void)
{
	uint64_t requests;
	unsigned u, maps;

	begin();
	maps = test_mappings();
	for (u = 2; u < 10; u++) {
		reload(u);
		CHECK_EQ(info().generation, u);
		CHECK_EQ(get("/"), u);
	}
	requests = Kvm_Stats(prg).requests;
	/* the same file once more is a start of its own */
	ask();
	wait_for_it();
	CHECK_EQ(info().generation, u);
	CHECK_EQ(get("/"), u - 1);
	CHECK_EQ(Kvm_Stats(prg).requests, requests + 1);
	CHECK_EQ(Kvm_Stats(prg).requests, 10);
	CHECK_EQ(Kvm_Stats(prg).reloads, 9);
	CHECK_EQ(Kvm_Stats(prg).reload_fails, 0);
	wait_for_vms(1);
	CHECK_EQ(Kvm_Stats(prg).created, 10);
	CHECK_EQ(Kvm_Stats(prg).destroyed, 9);
	/* of the images, too, there is one left */
	for (u = 0; u < 1000 && test_mappings() > maps; u++)
		(void)usleep(1000);
	CHECK_EQ(test_mappings(), maps);
	Kvm_Close(&prg);
}

/* A request that is being served stays where it is. */
static void
in_flight(void)
{
	struct sbx_pool *pool;
	struct sbx_err err;
	struct sbx_vm *vm;
	char body[200];
	size_t l;

	begin();
	pool = SBX_Program_Pool(prg);
	vm = Kvm_Borrow(prg, &err);
	reload(2);
	reload(3);
	CHECK(SBX_Program_Pool(prg) == pool);
	CHECK_EQ(get("/"), 3);
	CHECK_EQ(Kvm_Serve(vm, "/", &err), 200);
	l = SBX_VM_AnswerBody(vm, 0, body, sizeof body - 1);
	body[l] = '\0';
	CHECK_EQ(version_of(body), 1);
	CHECK_EQ(get("/"), 3);
	CHECK_EQ(Kvm_Stats(prg).vms_busy, 1);
	SBX_Pool_Put(pool, &vm);
	CHECK_EQ(Kvm_Stats(prg).vms_busy, 0);
	wait_for_vms(1);
	CHECK_EQ(get("/"), 3);
	Kvm_Close(&prg);
}

static _Atomic unsigned waiter_got;

static void *
waiter(void *priv)
{

	(void)priv;
	waiter_got = get("/");
	return (NULL);
}

/* Who waits in line is served by the new one at once. */
static void
in_line(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;
	struct sbx_vm *vm;
	pthread_t t;

	begin_cfg(&cfg);
	cfg.max_vms = 1;
	cfg.queue_length = 1;
	install(1, "none");
	prg = Kvm_Open(&cfg);
	vm = Kvm_Borrow(prg, &err);
	waiter_got = 0;
	AZ(pthread_create(&t, NULL, waiter, NULL));
	while (Kvm_Stats(prg).queue == 0)
		(void)usleep(1000);
	reload(2);
	AZ(pthread_join(t, NULL));
	CHECK_EQ(waiter_got, 2);
	CHECK_EQ(Kvm_Stats(prg).waited, 1);
	SBX_Pool_Put(SBX_Program_Pool(prg), &vm);
	wait_for_vms(1);
	Kvm_Close(&prg);
}

/* What is promised to the next generation the present one does not get. */
static void
reserved(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_pool *pool;
	struct sbx_vm *vm[7];
	struct sbx_err err;
	unsigned u;

	begin_cfg(&cfg);
	cfg.queue_timeout = 0.5;
	install(1, "none");
	prg = Kvm_Open(&cfg);
	pool = SBX_Program_Pool(prg);
	for (u = 0; u < 6; u++) {
		vm[u] = Kvm_Borrow(prg, &err);
		if (u == 2)
			reload(2);
	}
	/* three and three of eight: a reload gets the last two */
	CHECK_EQ(Kvm_Stats(prg).vms, 6);
	CHECK_EQ(SBX_Pool_Room(pool), 2);
	CHECK(SBX_Pool_Get(pool, &err) == NULL);
	CHECK_EQ(err.kind, SBX_FAIL_BUSY);
	CHECK_EQ(Kvm_Stats(prg).vms, 6);
	SBX_Pool_NoSwitch(pool);
	vm[u] = Kvm_Borrow(prg, &err);
	CHECK_EQ(Kvm_Stats(prg).vms, 7);
	for (u = 0; u < 7; u++)
		SBX_Pool_Put(pool, &vm[u]);
	Kvm_Close(&prg);
}

/* VMs of old generations that do not come back: there is an end to it. */
static void
bound(void)
{
	struct sbx_pool *pool;
	struct sbx_vm *vm[9];
	struct sbx_err err;
	unsigned u;

	begin();
	pool = SBX_Program_Pool(prg);
	for (u = 0; u < 9; u++) {
		vm[u] = Kvm_Borrow(prg, &err);
		if (u % 2)
			reload(u + 1);
	}
	/* twice four, and the one without which nothing would go on */
	CHECK_EQ(Kvm_Stats(prg).vms, 9);
	CHECK_EQ(Kvm_Stats(prg).vms_busy, 9);
	/* for two that go there is another one */
	SBX_Pool_Put(pool, &vm[0]);
	SBX_Pool_Put(pool, &vm[1]);
	CHECK_EQ(get("/"), 8);
	for (u = 2; u < 9; u++)
		SBX_Pool_Put(pool, &vm[u]);
	CHECK_EQ(Kvm_Stats(prg).vms_busy, 0);
	wait_for_vms(2);
	CHECK_EQ(get("/"), 8);
	Kvm_Close(&prg);
}

/*--------------------------------------------------------------------
 * Load
 */

static _Atomic unsigned reported;	/* the version that must serve */
static _Atomic unsigned n_good, n_bad, n_back;
static _Atomic int done;

static void *
client(void *priv)
{
	unsigned u, v, least, last = 0;

	(void)priv;
	for (u = 0; !done; u++) {
		least = reported;
		v = get(u % 3 ? "/?size=4000" : "/?ms=8&size=4000");
		if (v == 0)
			n_bad++;
		else if (v < least || v < last)
			n_back++;
		else
			n_good++;
		last = v;
	}
	return (NULL);
}

static const char * const faults[] = { "crash", "exit", "never", "spin" };

static void
load(void)
{
	pthread_t t[THREADS];
	unsigned u;

	begin();
	n_good = n_bad = n_back = n_told = n_told_bad = 0;
	reported = 1;
	done = 0;
	for (u = 0; u < THREADS; u++)
		AZ(pthread_create(&t[u], NULL, client, NULL));
	for (u = 2; u < 30; u++) {
		reload(u);
		CHECK_EQ(info().generation, u);
		reported = u;
		if (u % 7)
			continue;
		install(999999, faults[u / 7 - 1]);
		ask();
		wait_for_it();
		CHECK(info().error[0] != '\0');
	}
	(void)usleep(100000);
	done = 1;
	for (u = 0; u < THREADS; u++)
		AZ(pthread_join(t[u], NULL));
	printf("%u requests over %u reloads\n", n_good, n_told);
	CHECK_EQ(n_bad, 0);
	CHECK_EQ(n_back, 0);
	CHECK(n_good > 200);
	CHECK_EQ(n_told, 28 + 4);
	CHECK_EQ(n_told_bad, 4);
	CHECK_EQ(Kvm_Stats(prg).kills, 0);
	CHECK_EQ(Kvm_Stats(prg).vms_busy, 0);
	CHECK_EQ(Kvm_Stats(prg).requests, n_good + 1);
	CHECK_EQ(Kvm_Stats(prg).answers, n_good + 1);
	CHECK_EQ(Kvm_Stats(prg).reloads, 28);
	CHECK_EQ(Kvm_Stats(prg).reload_fails, 4);
	Kvm_Close(&prg);
}

/* Many ask at once: the one that goes on, and one more. */
static void *
asker(void *priv)
{
	unsigned u;

	(void)priv;
	for (u = 0; u < 1000; u++)
		ask();
	return (NULL);
}

static void
many(void)
{
	pthread_t t[THREADS];
	unsigned u, n;

	begin();
	n_told = 0;
	ask();
	for (u = 0; u < THREADS; u++)
		AZ(pthread_create(&t[u], NULL, asker, NULL));
	for (u = 0; u < THREADS; u++)
		AZ(pthread_join(t[u], NULL));
	install(2, "none");
	n = n_told;
	ask();
	wait_for_it();
	/* what the file is when it is asked for is what is loaded */
	CHECK_EQ(get("/"), 2);
	CHECK(n_told - n >= 1);
	CHECK(n_told - n <= 2);
	CHECK(n_told < 1000);
	Kvm_Close(&prg);
}

/*--------------------------------------------------------------------
 * Bad files
 */

static void
refused(const char *why)
{
	const uint64_t fails = Kvm_Stats(prg).reload_fails;
	const unsigned gen = info().generation;

	ask();
	wait_for_it();
	CHECK_HAS(info().error, why);
	CHECK_HAS(info().error, path);
	CHECK(info().failed > 0);
	CHECK_EQ(info().generation, gen);
	CHECK_EQ(Kvm_Stats(prg).reload_fails, fails + 1);
	CHECK_EQ(get("/"), 1);
	CHECK_EQ(Kvm_Stats(prg).vms, 1);
}

static void
bad_files(void)
{

	begin();
	install_bytes("hello, world\n", 13);
	refused("");
	install_bytes("", 0);
	refused("the file is empty");
	install_bytes(guest, 5000);
	refused("truncated");
	install(2, "crash");
	refused("Aborted");
	install(2, "exit");
	refused("exit(3)");
	install(2, "never");
	refused("boot_timeout");
	install(2, "spin");
	refused("boot_timeout");
	AZ(unlink(path));
	refused("No such file");
	reload(2);
	CHECK_EQ(get("/"), 2);
	CHECK_EQ(info().failed, 0);
	Kvm_Close(&prg);
}

static void
open_fails(const struct sbx_program_cfg *cfg, const char *why)
{
	struct sbx_program *p = NULL;
	struct sbx_err err;

	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Program_Open(cfg, &p, &err), -1);
	CHECK_HAS(err.msg, why);
}

static void
probe(void)
{
	struct sbx_program_cfg cfg;

	begin_cfg(&cfg);
	cfg.probe_url = "/probe";
	cfg.request_timeout = 0.5 * Kvm_Slow();
	/* at first */
	install(1, "status");
	open_fails(&cfg, "the probe /probe failed: status 500 where 200 is "
	    "expected");
	install(1, "abort");
	open_fails(&cfg, "the probe /probe failed: ");
	install(1, "none");
	prg = Kvm_Open(&cfg);
	CHECK_EQ(get("/"), 1);
	CHECK_EQ(Kvm_Stats(prg).requests, 1);
	/* and later */
	install(2, "status");
	refused("the probe /probe failed: status 500 where 200 is expected "
	    "(probe_status), and \"");
	CHECK_HAS(info().error, "its last words: \"the database is closed\"");
	install(2, "abort");
	refused("the probe /probe failed: ");
	install(2, "sleep");
	refused("request_timeout");
	reload(2);
	CHECK_EQ(get("/"), 2);
	CHECK_EQ(Kvm_Stats(prg).kills, 0);
	Kvm_Close(&prg);
	/* another status, another program */
	cfg.probe_status = 500;
	open_fails(&cfg, "status 200 where 500 is expected");
	install(3, "status");
	prg = Kvm_Open(&cfg);
	CHECK_EQ(get("/"), 3);
	Kvm_Close(&prg);
	cfg.probe_url = "probe";
	open_fails(&cfg, "does not begin with a /");
}

/*--------------------------------------------------------------------
 * Cold, and gone
 */

static void
cold(void)
{
	struct sbx_err err;
	unsigned u;

	begin();
	for (u = 2; u < 12; u++) {
		install(u, "none");
		ask();
		if (u % 2)
			(void)usleep(u * 1000);
		SBX_Program_Cool(prg);
		CHECK_EQ(Kvm_Stats(prg).vms, 0);
		if (u % 3 == 0)
			wait_for_it();
		SBX_Err_Clear(&err);
		CHECK_EQ(SBX_Program_Warm(prg, &err), 0);
		CHECK(get("/") >= u - 1);
		wait_for_it();
		CHECK_EQ(get("/"), u);
	}
	/* while it is cold nothing is kept */
	SBX_Program_Cool(prg);
	reload(u);
	CHECK_EQ(Kvm_Stats(prg).vms, 0);
	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Program_Warm(prg, &err), 0);
	CHECK_EQ(get("/"), u);
	CHECK_EQ(Kvm_Stats(prg).vms, 1);
	Kvm_Close(&prg);
}

/* Closing does not wait for a guest that is being started, and nothing is left
 * of it some time later: test.h looks. */
static void
gone(void)
{
	unsigned fds, u;
	int64_t t;

	fds = test_entries("/proc/self/fd");
	begin();
	n_told = n_told_bad = 0;
	install(2, "never");
	ask();
	(void)usleep(50000);
	t = SBX_Os_Mono();
	Kvm_Close(&prg);
	t = SBX_Os_Mono() - t;
	CHECK(n_told == 1 || t < INT64_C(200000000));
	/* meanwhile another one may come */
	begin();
	CHECK_EQ(get("/"), 1);
	Kvm_Close(&prg);
	for (u = 0; u < 5000 &&
	    (n_told == 0 || test_entries("/proc/self/fd") > fds); u++)
		(void)usleep(1000);
	CHECK_EQ(n_told, 1);
	CHECK_EQ(n_told_bad, 1);
	/* as soon as it has been asked for; each one is told */
	n_told = 0;
	for (u = 0; u < 20; u++) {
		begin();
		ask();
		(void)usleep(u * 500);
		Kvm_Close(&prg);
	}
	for (u = 0; u < 5000 && test_entries("/proc/self/fd") > fds; u++)
		(void)usleep(1000);
	CHECK_EQ(n_told, 20);
}

/* Two references are one program. */
static void
shared(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *other;

	begin();
	begin_cfg(&cfg);
	other = Kvm_Open(&cfg);
	CHECK(other == prg);
	reload(2);
	/* the file is what it has been loaded from */
	Kvm_Close(&other);
	other = Kvm_Open(&cfg);
	CHECK(other == prg);
	install(3, "none");
	Kvm_Close(&other);
	other = Kvm_Open(&cfg);
	CHECK(other != prg);
	CHECK_EQ(get("/"), 2);
	Kvm_Close(&prg);
	prg = other;
	CHECK_EQ(get("/"), 3);
	Kvm_Close(&prg);
}

/* Another file and the same settings: it comes with as many VMs. */
static void
successor(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *old;
	struct sbx_pool *pool;
	struct sbx_vm *vm[3];
	struct sbx_err err;
	unsigned u;

	begin();
	pool = SBX_Program_Pool(prg);
	for (u = 0; u < 3; u++)
		vm[u] = Kvm_Borrow(prg, &err);
	for (u = 0; u < 3; u++)
		SBX_Pool_Put(pool, &vm[u]);
	CHECK_EQ(Kvm_Stats(prg).vms, 3);
	old = prg;
	install(2, "none");
	begin_cfg(&cfg);
	prg = Kvm_Open(&cfg);
	CHECK(prg != old);
	CHECK_EQ(Kvm_Stats(prg).vms, 3);
	CHECK_EQ(get("/"), 2);
	Kvm_Close(&prg);
	cfg.max_vms++;
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Stats(prg).vms, 1);
	Kvm_Close(&prg);
	Kvm_Close(&old);
}

int
main(void)
{

	Kvm_Need();
	AN(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/app", dir);
	read_guest();
	TEST_BEGIN(600);
	TEST(anew);
	TEST(in_flight);
	TEST(in_line);
	TEST(reserved);
	TEST(bound);
	TEST(load);
	TEST(many);
	TEST(bad_files);
	TEST(probe);
	TEST(cold);
	TEST(gone);
	TEST(shared);
	TEST(successor);
	(void)unlink(path);
	(void)rmdir(dir);
	free(guest);
	TEST_END();
}
