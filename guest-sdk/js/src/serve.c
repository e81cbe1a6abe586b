/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Before the freeze: the runtime, the user's module, its warmup(), a garbage
 * collection. After it: one request, from the call of the runtime's handle()
 * to an answer, and that there always is one.
 */

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cells.h"
#include "error.h"
#include "heap.h"
#include "host.h"
#include "payload.h"
#include "random.h"
#include "serve.h"

/* The most we ask the system for. */
#define SERVE_HEAP	((size_t)4 << 30)

/* JavaScript's part of the stack; C code that it calls needs some. */
#define SERVE_STACK	((size_t)1 << 20)

#define MAX_REJECTED	16

struct rejected {
	struct engine_value	promise;
	struct engine_value	reason;
};

static struct {
	size_t			heap;		/* bytes */
	struct engine_value	handle;		/* hooks of the runtime's */
	struct engine_value	on_unhandled;
	void			(*on_answer)(void);
	unsigned		n_rejected;
	struct rejected		rejected[MAX_REJECTED];
} serve_state;

/*--------------------------------------------------------------------
 * What the engine asks
 */

static void
serve_failed(const char *what, const char *why)
{

	system_log(SANDBOX_LOG_ERROR, what, why);
	answer_fail();
}

static int
serve_late(void)
{

	return (request_deadline() != 0 &&
	    system_mono() >= request_deadline());
}

static const struct sandbox_request *
serve_next(void)
{
	const struct sandbox_response *rsp;

	rsp = answer_get();
	if (serve_state.on_answer != NULL)
		serve_state.on_answer();
	return (sandbox_next(rsp));
}

void
serve_on_answer(void (*f)(void))
{

	serve_state.on_answer = f;
}

/* Answer from where we are; this does not return. */
static void
serve_end(void)
{

	(void)serve_next();
}

/* Time is up. JavaScript need not be unwound, which it could resist. */
static int
serve_stop(void)
{

	if (!serve_late())
		return (0);
	if (answer_is_ready())
		system_log(SANDBOX_LOG_ERROR, "waitUntil()",
		    "given up, its time is up; it was running");
	else
		serve_failed("no answer",
		    "its time is up; it was running");
	system_log(SANDBOX_LOG_ERROR, NULL, error_where());
	serve_end();
	return (1);
}

/* There is not even memory for an error. */
static void
serve_no_memory(void)
{

	if (request_now() == NULL) {
		(void)sandbox_log(SANDBOX_LOG_ERROR, "out of memory");
		_exit(1);
	}
	if (!answer_is_ready())
		serve_failed("no answer", "out of memory, time and again");
	serve_end();
}

static void
serve_rejected(struct engine_value promise, struct engine_value reason,
    int handled)
{
	struct rejected *r = serve_state.rejected;
	unsigned i;

	if (!handled) {
		if (serve_state.n_rejected == MAX_REJECTED)
			return;
		r += serve_state.n_rejected++;
		r->promise = engine_keep(promise);
		r->reason = engine_keep(reason);
		return;
	}
	for (i = 0; i < serve_state.n_rejected; i++)
		if (engine_is_same(r[i].promise, promise)) {
			r[i] = r[--serve_state.n_rejected];
			return;
		}
}

int
serve_engine(void)
{
	static const uint8_t no_key[32];
	struct engine_setup setup[1];
	struct rlimit rl;
	const uint8_t *profile;
	uint8_t key[32];
	size_t len;

	profile = payload_find(PAYLOAD_PROFILE, &len);
	if (profile != NULL)
		cells_profile(profile, len);
	serve_state.heap = heap_init(SERVE_HEAP);
	heap_on_end(serve_no_memory);
	memset(setup, 0, sizeof setup);
	setup->stack = SERVE_STACK;
	if (getrlimit(RLIMIT_STACK, &rl) == 0 &&
	    rl.rlim_cur / 4 * 3 < setup->stack)
		setup->stack = (size_t)rl.rlim_cur / 4 * 3;
	setup->stop = serve_stop;
	setup->rejected = serve_rejected;
	setup->random = random_number;
	memcpy(key, no_key, sizeof key);
	if (getrandom(key, sizeof key, 0) != sizeof key)
		(void)fprintf(stderr, "no random bytes before the first"
		    " request\n");
	random_seed(key);
	if (serve_state.heap > 0 && engine_init(setup) == 0)
		return (0);
	(void)fprintf(stderr, "not enough memory to start JavaScript in;"
	    " give the program more (memory=)\n");
	return (-1);
}

/*--------------------------------------------------------------------
 * Waiting
 */

/* Sleep until the next timer, while fetches run: no call waits for both. */
#define WAIT_SLICE	((int64_t)2 * 1000 * 1000)

static void
wait_timer(int64_t until)
{
	struct timespec ts;
	int64_t ns;

	ns = until - system_mono();
	if (fetch_is_pending() && ns > WAIT_SLICE)
		ns = WAIT_SLICE;
	if (ns <= 0)
		return;
	ts.tv_sec = ns / 1000000000;
	ts.tv_nsec = ns % 1000000000;
	(void)nanosleep(&ts, NULL);
}

/*
 * Let something happen that JavaScript waits for: a timer, the end of a fetch.
 * Returns 1, or 0 if there is nothing, or -1 if JavaScript threw.
 */
static int
wait_something(void)
{
	int64_t next;
	int n;

	n = timer_run();
	if (n != 0)
		return (n < 0 ? -1 : 1);
	next = timer_next();
	if (fetch_is_pending()) {
		n = fetch_run(next == INT64_MAX);
		if (n != 0)
			return (n < 0 ? -1 : 1);
	} else if (next == INT64_MAX)
		return (0);
	if (request_deadline() != 0 && next > request_deadline())
		next = request_deadline();
	wait_timer(next);
	return (1);
}

/*--------------------------------------------------------------------
 * Before the freeze
 */

static int
boot_failed(const char *what, const char *why)
{

	system_log(SANDBOX_LOG_ERROR, what, why);
	return (-1);
}

/* Run until (promise) is settled, if it is one. */
static int
boot_await(const char *what, struct engine_value promise)
{
	struct engine_value result;

	for (;;) {
		if (engine_jobs() < 0)
			return (boot_failed(what, error_last()));
		switch (engine_promise(promise, &result)) {
		case ENGINE_REJECTED:
			return (boot_failed(what, error_describe(result)));
		case ENGINE_PENDING:
			break;
		default:
			return (0);
		}
		switch (wait_something()) {
		case -1:
			return (boot_failed(what, error_last()));
		case 0:
			return (boot_failed(what, "waits for something that"
			    " can not happen: there is no timer left"));
		default:
			break;
		}
	}
}

static int
boot_module(const char *what, uint32_t kind, struct engine_value *module)
{
	struct engine_value promise;
	const uint8_t *code;
	size_t len;

	cells_phase();
	code = payload_find(kind, &len);
	if (code == NULL)
		return (boot_failed(what, "is not in this program"));
	if (engine_start(code, len, module, &promise) < 0)
		return (boot_failed(what, error_last()));
	return (boot_await(what, promise));
}

static int
boot_runtime(struct engine_value *hooks)
{
	struct engine_value module, boot, host, v;

	if (boot_module("runtime", PAYLOAD_RUNTIME, &module) < 0)
		return (-1);
	cells_phase();
	if (host_object(&host) < 0 ||
	    engine_get(module, "default", &boot) < 0 ||
	    engine_call(boot, 1, &host, hooks) < 0 ||
	    engine_get(*hooks, "onTimer", &v) < 0)
		return (boot_failed("runtime", error_last()));
	timer_set_hook(v);
	(void)engine_get(*hooks, "onFetch", &v);
	fetch_set_hook(v);
	(void)engine_get(*hooks, "handle", &serve_state.handle);
	(void)engine_get(*hooks, "onUnhandled", &serve_state.on_unhandled);
	return (0);
}

static int
boot_unhandled(void)
{

	if (serve_state.n_rejected == 0)
		return (0);
	return (boot_failed("a promise was rejected, and nobody handles it",
	    error_describe(serve_state.rejected[0].reason)));
}

int
serve_boot(void)
{
	struct engine_value hooks, ready, module, warmup, env, v;

	if (boot_runtime(&hooks) < 0 ||
	    boot_module("handler", PAYLOAD_HANDLER, &module) < 0)
		return (-1);
	cells_phase();
	if (engine_get(hooks, "ready", &ready) < 0 ||
	    engine_call(ready, 1, &module, &env) < 0)
		return (boot_failed("handler", error_last()));
	if (engine_get(module, "warmup", &warmup) == 0 &&
	    engine_is_function(warmup)) {
		if (engine_call(warmup, 1, &env, &v) < 0)
			return (boot_failed("warmup()", error_last()));
		if (boot_await("warmup()", v) < 0)
			return (-1);
	}
	if (engine_get(hooks, "freeze", &v) < 0 ||
	    engine_call(v, 0, NULL, NULL) < 0)
		return (boot_failed("handler", error_last()));
	/* What is left in the queue would be left to each request. */
	if (boot_await("handler", env) < 0 || boot_unhandled() < 0)
		return (-1);
	/* From here on garbage is collected when half of what is left is
	 * used, which most requests never do. */
	engine_collect(0);
	engine_collect(cells_used() + (serve_state.heap - heap_used()) / 2);
	cells_freeze();
	return (0);
}

/*--------------------------------------------------------------------
 * Requests
 */

/* Look for promises that were rejected. */
static void
serve_unhandled(void)
{
	struct engine_value args[2], v;
	struct rejected r;

	while (serve_state.n_rejected > 0) {
		r = serve_state.rejected[--serve_state.n_rejected];
		args[0] = r.reason;
		args[1] = r.promise;
		if (answer_holds(r.promise))
			continue;
		if (engine_is_function(serve_state.on_unhandled) &&
		    engine_call(serve_state.on_unhandled, 2, args, &v) == 0 &&
		    engine_is_true(v))
			continue;
		serve_failed("a promise was rejected, and nobody handles it",
		    error_describe(r.reason));
	}
}

/* Until there is an answer, and nothing that it waits for. */
static void
serve_run(void)
{
	int r;

	r = engine_call(serve_state.handle, 0, NULL, NULL);
	for (;;) {
		if (r == 0)
			r = engine_jobs();
		if (r < 0)
			break;
		serve_unhandled();
		if (answer_is_ready() && answer_is_released())
			return;
		if (serve_late())
			break;
		r = wait_something();
		if (r == 0 && answer_is_ready())
			return;
		if (r == 0) {
			serve_failed("no answer", "the handler waits for"
			    " something that can not happen: there is no timer"
			    " and no fetch left");
			return;
		}
		r = r < 0 ? -1 : 0;
	}
	if (r < 0)
		serve_failed("uncaught", error_last());
	else if (answer_is_ready())
		system_log(SANDBOX_LOG_ERROR, "waitUntil()",
		    "given up, its time is up");
	else
		serve_failed("no answer", "its time is up; it was waiting");
}

static void
serve_request(const struct sandbox_request *rq)
{

	random_seed(rq->random);
	request_set(rq);
	serve_run();
}

void
serve_requests(void)
{
	const struct sandbox_request *rq;

	rq = sandbox_next(NULL);
	while (rq != NULL) {
		serve_request(rq);
		rq = serve_next();
	}
	perror("the host refuses to serve us");
}
