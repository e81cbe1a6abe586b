/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Many programs and many threads, and everything at once: requests, kills,
 * deadlines, VCLs that come and go, cold and warm, programs that are reloaded,
 * VMs that are made and retired, counters that are read. Made for the thread sanitizer
 * (./configure --enable-tsan), and worth something without: each answer says
 * which program it is from, and whether it found anything that was not its
 * own.
 *
 * SBX_TEST_RACE says for how many seconds it is to go on (default: 4).
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

#define SLOTS			6
#define CLIENTS			8

/*
 * What an object in VCL is: a program, which requests use while they have the
 * slot's lock shared, as a VCL that is busy is neither cooled nor discarded.
 * In (name) is what its guests have to say.
 */
struct slot {
	pthread_rwlock_t	lock;
	struct sbx_program	*prg;
	int			is_warm;
	char			name[32];
	unsigned		generation;
};

static struct slot slots[SLOTS];
static _Atomic unsigned n_good, n_busy, n_killed, n_late, n_wrong, n_reloaded;
static _Atomic int stop;

/*--------------------------------------------------------------------
 * One program of its own name
 */

static struct sbx_program *
open_named(const char *name, unsigned u, double timeout)
{
	const char *argv[2] = { name, NULL };
	struct sbx_program_cfg cfg;
	struct sbx_program *prg = NULL;
	struct sbx_err err;

	Kvm_Cfg(&cfg, Kvm_Guest("identity"));
	cfg.argv = argv;
	cfg.memory = 8 << 20;
	cfg.min_vms = 1 + u % 2;
	cfg.max_vms = 2 + u % 3;
	cfg.queue_length = 2 + 20 * (u % 2);
	cfg.queue_timeout = 10 * timeout * Kvm_Slow();
	cfg.request_timeout = timeout * Kvm_Slow();
	/* pauses and shares for some */
	cfg.backoff = u % 2;
	cfg.max_cpu = u % 3 == 0 ? 0.5 : 0;
	cfg.max_concurrency = u % 4 == 0 ? 3 : 0;
	SBX_Err_Clear(&err);
	if (SBX_Program_Open(&cfg, &prg, &err)) {
		fprintf(stderr, "%s: %s\n", name, err.msg);
		exit(1);
	}
	return (prg);
}

static void
ask(struct sbx_program *prg, const char *name, const char *url)
{
	struct sbx_err err;
	char body[128] = "", want[128];
	int i;

	i = Kvm_Get(prg, url, body, sizeof body, &err);
	(void)snprintf(want, sizeof want, "%s %s 0\n", name, url);
	if (i == 200 && !strcmp(body, want))
		n_good++;
	else if (i == -1 && (err.kind == SBX_FAIL_BUSY ||
	    err.kind == SBX_FAIL_SHARE || err.kind == SBX_FAIL_BACKOFF))
		n_busy++;
	else if (i == -1 && strstr(err.msg, "request_timeout") != NULL)
		n_late++;
	else if (i == -1 && err.kind == SBX_FAIL_GUEST)
		n_killed++;
	else if (n_wrong++ < 10)
		fprintf(stderr, "%s%s: %d \"%s\" %s\n", name, url, i, body,
		    i == -1 ? err.msg : "");
}

/*--------------------------------------------------------------------
 * Threads
 */

static unsigned
chance(unsigned *seed, unsigned n)
{

	return ((unsigned)rand_r(seed) / 7 % n);
}

static void *
client(void *priv)
{
	unsigned seed = (unsigned)(uintptr_t)priv, n = 0, k;
	struct slot *s;
	char url[24];

	while (!stop) {
		s = &slots[chance(&seed, SLOTS)];
		k = chance(&seed, 100);
		(void)snprintf(url, sizeof url, "/%u-%u", seed, n++);
		AZ(pthread_rwlock_rdlock(&s->lock));
		if (s->prg != NULL)
			ask(s->prg, s->name, k < 4 ? "/die" : k < 6 ? "/spin" :
			    url);
		AZ(pthread_rwlock_unlock(&s->lock));
	}
	return (NULL);
}

/* As varnishd's CLI thread for varnishstat and health. */
static void *
watcher(void *priv)
{
	const struct timespec ts = { 0, 1000000 };
	struct sbx_program_info info;
	struct sbx_pool_stats st;
	struct sbx_pool *pool;
	unsigned u;

	(void)priv;
	while (!stop) {
		for (u = 0; u < SLOTS; u++) {
			AZ(pthread_rwlock_rdlock(&slots[u].lock));
			if (slots[u].prg != NULL) {
				pool = SBX_Program_Pool(slots[u].prg);
				SBX_Pool_Stats(pool, &st);
				(void)SBX_Pool_Healthy(pool);
				SBX_Program_Info(slots[u].prg, &info);
				/* twice as many while it is reloaded */
				if (st.vms > 2 * st.vms_max ||
				    st.vms_busy + st.vms_idle > st.vms ||
				    info.generation == 0) {
					n_wrong++;
					fprintf(stderr, "%s: %ju VMs, %ju busy,"
					    " %ju idle, at most %ju; "
					    "generation %u\n", slots[u].name,
					    (uintmax_t)st.vms,
					    (uintmax_t)st.vms_busy,
					    (uintmax_t)st.vms_idle,
					    (uintmax_t)st.vms_max,
					    info.generation);
				}
			}
			AZ(pthread_rwlock_unlock(&slots[u].lock));
		}
		(void)nanosleep(&ts, NULL);
	}
	return (NULL);
}

static void
warm(struct slot *s)
{
	struct sbx_err err;

	SBX_Err_Clear(&err);
	if (SBX_Program_Warm(s->prg, &err)) {
		fprintf(stderr, "warm: %s\n", err.msg);
		exit(1);
	}
	s->is_warm = 1;
}

static void
cool(struct slot *s)
{

	if (s->is_warm)
		SBX_Program_Cool(s->prg);
	s->is_warm = 0;
}

/* A new VCL: sometimes with the same program, which is then shared. */
static void
reload(struct slot *s, unsigned *seed)
{
	struct slot old = *s;

	if (chance(seed, 2))
		s->generation++;
	(void)snprintf(s->name, sizeof s->name, "program-%u.%u",
	    (unsigned)(s - slots), s->generation);
	s->prg = open_named(s->name, s->generation, 0.05);
	warm(s);
	if (old.prg != NULL) {
		cool(&old);
		SBX_Program_Close(&old.prg);
	}
}

/* Retire what is above the minimum, as after a minute without requests. */
static void
shrink(struct slot *s)
{
	int64_t ns = SBX_Os_Mono();
	double now = (double)ns * 1e-9 + 100;
	unsigned u;

	for (u = 0; s->is_warm && u < 4; u++)
		(void)SBX_Pool_Tick(SBX_Program_Pool(s->prg), now);
}

static void
told(const struct sbx_reload *r)
{

	if (r->err != NULL)
		fprintf(stderr, "reload of %s: %s\n", r->who, r->err->msg);
	n_reloaded += r->err == NULL;
}

/* The CLI thread: the only one that does these. */
static void
cli_step(struct slot *s, unsigned *seed)
{
	unsigned k = chance(seed, 10);
	struct sbx_err err;

	if (k > 7) {
		/* by a thread of its own */
		SBX_Err_Clear(&err);
		if (SBX_Program_Reload(s->prg, s->name, told, &err)) {
			n_wrong++;
			fprintf(stderr, "%s: %s\n", s->name, err.msg);
		}
		return;
	}
	if (k < 3) {
		/* while requests run: they do not hold the program up */
		AZ(pthread_rwlock_rdlock(&s->lock));
		shrink(s);
		AZ(pthread_rwlock_unlock(&s->lock));
		return;
	}
	if (k == 3) {
		/* cold while some wait in line: they have to be told */
		AZ(pthread_rwlock_rdlock(&s->lock));
		cool(s);
		warm(s);
		AZ(pthread_rwlock_unlock(&s->lock));
		return;
	}
	AZ(pthread_rwlock_wrlock(&s->lock));
	if (k < 7)
		reload(s, seed);
	else if (s->is_warm)
		cool(s);
	else
		warm(s);
	AZ(pthread_rwlock_unlock(&s->lock));
}

static unsigned
race_seconds(void)
{
	const char *e = getenv("SBX_TEST_RACE");

	return (e == NULL ? 4 : (unsigned)strtoul(e, NULL, 10));
}

static void
everything(unsigned seconds)
{
	const struct timespec ts = { 0, 2000000 };
	pthread_t t[CLIENTS + 1];
	unsigned u, seed = 1, steps = 0;
	int64_t end;

	n_good = n_busy = n_killed = n_late = n_wrong = n_reloaded = 0;
	stop = 0;
	for (u = 0; u < SLOTS; u++) {
		memset(&slots[u], 0, sizeof slots[u]);
		AZ(pthread_rwlock_init(&slots[u].lock, NULL));
		reload(&slots[u], &seed);
	}
	for (u = 0; u < CLIENTS; u++)
		AZ(pthread_create(&t[u], NULL, client,
		    (void *)(uintptr_t)(u + 1)));
	AZ(pthread_create(&t[u], NULL, watcher, NULL));
	end = SBX_Os_Mono() + seconds * INT64_C(1000000000);
	while (SBX_Os_Mono() < end) {
		cli_step(&slots[chance(&seed, SLOTS)], &seed);
		steps++;
		(void)nanosleep(&ts, NULL);
	}
	stop = 1;
	for (u = 0; u <= CLIENTS; u++)
		AZ(pthread_join(t[u], NULL));
	for (u = 0; u < SLOTS; u++) {
		cool(&slots[u]);
		SBX_Program_Close(&slots[u].prg);
		AZ(pthread_rwlock_destroy(&slots[u].lock));
	}
	printf("  %u good, %u killed, %u late, %u busy, %u steps, %u reloads\n",
	    n_good, n_killed, n_late, n_busy, steps, n_reloaded);
}

static void
races(void)
{

	everything(race_seconds());
	CHECK_EQ(n_wrong, 0);
	CHECK(n_good > 0);
	CHECK(n_killed > 0);
	CHECK(n_late > 0);
	CHECK(n_reloaded > 0);
}

/*--------------------------------------------------------------------
 * A VM serves one program, whatever happens
 */

static void *
client_one(void *priv)
{
	const struct slot *s = priv;
	char url[24];
	unsigned u;

	for (u = 0; u < 150; u++) {
		(void)snprintf(url, sizeof url, "/%u", u);
		ask(s->prg, s->name, u % 30 == 7 ? "/die" : url);
	}
	return (NULL);
}

static void
identity(void)
{
	pthread_t t[2 * SLOTS];
	unsigned u;

	n_good = n_busy = n_killed = n_late = n_wrong = 0;
	for (u = 0; u < SLOTS; u++) {
		memset(&slots[u], 0, sizeof slots[u]);
		(void)snprintf(slots[u].name, sizeof slots[u].name, "me-%u",
		    u);
		slots[u].prg = open_named(slots[u].name, 2, 5);
		warm(&slots[u]);
	}
	for (u = 0; u < 2 * SLOTS; u++)
		AZ(pthread_create(&t[u], NULL, client_one,
		    &slots[u % SLOTS]));
	for (u = 0; u < 2 * SLOTS; u++)
		AZ(pthread_join(t[u], NULL));
	for (u = 0; u < SLOTS; u++) {
		cool(&slots[u]);
		SBX_Program_Close(&slots[u].prg);
	}
	CHECK_EQ(n_wrong, 0);
	CHECK_EQ(n_killed, 2 * SLOTS * 5);
	CHECK_EQ(n_good, 2 * SLOTS * 145);
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(300 + race_seconds());
	TEST(identity);
	TEST(races);
	TEST_END();
}
