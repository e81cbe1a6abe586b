/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the functions that the runtime in JavaScript calls share.
 * runtime/host.d.ts says what each of them does; the tables are here.
 */

#ifndef HOST_H_INCLUDED
#define HOST_H_INCLUDED

#include <sandbox.h>

#include "engine.h"

/* host.c [host] */

/* Make the object with all of these functions in it. */
int host_object(struct engine_value *);

extern const struct engine_func host_text[];		/* host_text.c */
extern const size_t host_text_n;
extern const struct engine_func host_url[];		/* host_url.c */
extern const size_t host_url_n;
extern const struct engine_func host_headers[];		/* host_headers.c */
extern const size_t host_headers_n;
extern const struct engine_func host_request[];		/* host_request.c */
extern const size_t host_request_n;
extern const struct engine_func host_system[];		/* host_system.c */
extern const size_t host_system_n;
extern const struct engine_func host_crypto[];		/* host_crypto.c */
extern const size_t host_crypto_n;
extern const struct engine_func host_answer[];		/* host_answer.c */
extern const size_t host_answer_n;
extern const struct engine_func host_timer[];		/* host_timer.c */
extern const size_t host_timer_n;
extern const struct engine_func host_fetch[];		/* host_fetch.c */
extern const size_t host_fetch_n;

/* host_request.c [request] */

/* The request that is served, or NULL before the first one. */
const struct sandbox_request *request_now(void);
void request_set(const struct sandbox_request *);

/* When we stop by ourselves, by CLOCK_MONOTONIC, which is a little before the
 * host would stop us; 0 before the first request. */
int64_t request_deadline(void);

/* host_headers.c [headers] */

/* [name, value, name, value ...], names in lower case. */
struct engine_value headers_list(const struct sandbox_header *, unsigned n);

/* True if it is a token. */
int headers_is_name(const char *, size_t len);

/* host_system.c [system] */

/* CLOCK_MONOTONIC, in nanoseconds; no exit. */
int64_t system_mono(void);

/* Write (text) to the log, a line for each of its lines; to (prefix) if it is
 * not NULL comes a ": " and the first line. */
void system_log(int level, const char *prefix, const char *text);

/* host_answer.c [answer] */

/* True if there is an answer. */
int answer_is_ready(void);

/* What to give to sandbox_next(). */
const struct sandbox_response *answer_get(void);

/* Forget what is there and answer with a 500. */
void answer_fail(void);

/* True if this promise was given to hold(). */
int answer_holds(struct engine_value promise);

/* True when the promises given to hold() are settled; logs those that were
 * rejected. */
int answer_is_released(void);

/* host_timer.c [timer] */

/* When the next timer is due, by CLOCK_MONOTONIC; INT64_MAX if there is
 * none. */
int64_t timer_next(void);

/* Tell the runtime of those that are due, and run the jobs that come of it.
 * Returns how many there were, or -1 if JavaScript threw. */
int timer_run(void);

void timer_set_hook(struct engine_value);

/* host_fetch.c [fetch] */

/* True if a fetch has not ended. */
int fetch_is_pending(void);

/* Start what has been asked for, tell the runtime of those that have ended;
 * with (wait) not before one has. Returns how many there were, or -1 if
 * JavaScript threw. */
int fetch_run(int wait);

void fetch_set_hook(struct engine_value);

#endif
