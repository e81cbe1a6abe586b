/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Dies three functions deep, with something in its variables for a debugger to
 * find. The path says how; built without optimization, so that a debugger knows
 * all of it.
 */

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../guest.h"

struct order {
	unsigned		number;
	const char		*colour;
	double			price;
};

static volatile int *nowhere;
static volatile unsigned turns;
static char big[8 << 20];
static pthread_mutex_t mtx = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int waiting, go;

static void
inner(const struct order *o, int how)
{

	if (how == 'l')
		for (;;)
			turns += o->number;
	if (how == 'a')
		abort();
	if (how == 'e')
		_exit(3);
	*nowhere = (int)o->number;	/* HERE */
}

static void
middle(struct order *o, int how)
{
	unsigned twice = 2 * o->number;

	inner(o, how);
	o->number = twice;
}

static void
outer(int how)
{
	struct order o = { 4711, "blue", 2.5 };

	middle(&o, how);
}

/*--------------------------------------------------------------------*/

static void *
thread_main(void *priv)
{
	long mine = (long)priv * 1111;

	pthread_mutex_lock(&mtx);
	waiting++;
	pthread_cond_broadcast(&cond);
	while (!go)
		pthread_cond_wait(&cond, &mtx);
	pthread_mutex_unlock(&mtx);
	return ((void *)mine);
}

static void
threads(void)
{
	pthread_t t[2];
	long u;

	for (u = 0; u < 2; u++)
		if (pthread_create(&t[u], NULL, thread_main, (void *)(u + 1)))
			abort();
	pthread_mutex_lock(&mtx);
	while (waiting < 2)
		pthread_cond_wait(&cond, &mtx);
	pthread_mutex_unlock(&mtx);
	outer('c');
}

/* More memory than a core may have in it. */
static void
large(void)
{
	size_t u;

	for (u = 0; u < sizeof big; u += GUEST_PAGE)
		big[u] = 'b';
	outer('c');
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	double x = 1.25;

	(void)rp;
	__asm__ volatile ("movsd %0, %%xmm7" : : "m" (x));
	if (sandbox_path_is(rq, "/threads"))
		threads();
	if (sandbox_path_is(rq, "/large"))
		large();
	outer(rq->url.len > 1 ? rq->url.ptr[1] : 'c');
}

int
main(void)
{

	if (getenv("CRASH_AT_ONCE") != NULL)
		outer('c');
	return (guest_serve(bad));
}
