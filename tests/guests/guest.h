/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the test guests share. A guest misbehaves when it is asked to, and
 * answers "ok" to /ok and to rehearsals, so that a test can see that the next
 * request on the same program is right.
 */

#ifndef GUEST_H_INCLUDED
#define GUEST_H_INCLUDED

#include <stdint.h>
#include <string.h>

#include <sandbox.h>

#define GUEST_PAGE		4096
#define GUEST_UNUSED		__attribute__((__unused__))

/* Misbehave. A handler that returns has its reply sent. */
typedef void guest_bad_f(const struct sandbox_request *,
    struct sandbox_reply *);

static inline int
guest_is_ok(const struct sandbox_request *rq)
{

	return (rq->flags & SANDBOX_REQUEST_WARMUP ||
	    sandbox_path_is(rq, "/ok"));
}

static void
guest_handler(const struct sandbox_request *rq, struct sandbox_reply *rp,
    void *priv)
{
	guest_bad_f **bad = priv;

	if (guest_is_ok(rq))
		sandbox_puts(rp, "ok\n");
	else
		(*bad)(rq, rp);
}

/* Serve. For main(): return (guest_serve(bad)); */
static inline int
guest_serve(guest_bad_f *bad)
{
	static guest_bad_f *keep;

	keep = bad;
	return (sandbox_serve(guest_handler, &keep));
}

/* A parameter of the query in hex, "0x" or not, or (dflt). */
static inline uint64_t
guest_hex(const struct sandbox_request *rq, const char *name, uint64_t dflt)
{
	char buf[32], *p;
	uint64_t v;

	if (sandbox_get_param(rq, name, buf, sizeof buf) <= 0)
		return (dflt);
	v = 0;
	for (p = buf + (strncmp(buf, "0x", 2) == 0 ? 2 : 0); *p != '\0'; p++) {
		v <<= 4;
		if (*p >= '0' && *p <= '9')
			v |= (uint64_t)(*p - '0');
		else
			v |= (uint64_t)((*p | 0x20) - 'a' + 10) & 15;
	}
	return (v);
}

/* A parameter of the query in decimal, or (dflt). */
static inline long
guest_long(const struct sandbox_request *rq, const char *name, long dflt)
{

	(void)sandbox_get_param_long(rq, name, 0, INT64_MAX, &dflt);
	return (dflt);
}

/*
 * Which of the (n) structures of (size) bytes at (cases), each of which begins
 * with a path, is the request for? (n), and a 404, if none.
 */
static inline size_t
guest_case(const struct sandbox_request *rq, struct sandbox_reply *rp,
    const void *cases, size_t size, size_t n)
{
	const char *path;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(&path, (const char *)cases + i * size, sizeof path);
		if (sandbox_path_is(rq, path))
			return (i);
	}
	(void)sandbox_fail(rp, 404, "No such case.");
	return (n);
}

/* What most of them have: one way to misbehave for each path. */
struct guest_path {
	const char		*path;
	guest_bad_f		*func;
};

static inline void
guest_path(const struct sandbox_request *rq, struct sandbox_reply *rp,
    const struct guest_path *cases, size_t n)
{
	size_t i;

	i = guest_case(rq, rp, cases, sizeof *cases, n);
	if (i < n)
		cases[i].func(rq, rp);
}

#define GUEST_CASES(cases)	(sizeof (cases) / sizeof (cases)[0])
#define GUEST_CASE(rq, rp, cases)					\
	guest_case((rq), (rp), (cases), sizeof (cases)[0],		\
	    GUEST_CASES(cases))
#define GUEST_PATH(rq, rp, cases)					\
	guest_path((rq), (rp), (cases), GUEST_CASES(cases))

/* A system call or a sandbox call, with no library in between. */
static inline long
guest_call(long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
    uint64_t e, uint64_t f)
{
	register uint64_t r10 __asm__("r10") = d;
	register uint64_t r8 __asm__("r8") = e;
	register uint64_t r9 __asm__("r9") = f;
	long r;

	__asm__ volatile("syscall" : "=a" (r)
	    : "0" (nr), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8),
	    "r" (r9) : "rcx", "r11", "memory");
	return (r);
}

/* Answer with whatever is at (rsp), which the library would not let through.
 * The host should not let us come back. */
static inline void
guest_answer(uint64_t rsp)
{

	(void)guest_call(SANDBOX_CALL_NEXT, SANDBOX_ABI_VERSION, rsp, 0, 0, 0,
	    0);
}

/* A good response, to be spoilt. */
static inline struct sandbox_response
guest_response(void)
{
	struct sandbox_response rsp;

	memset(&rsp, 0, sizeof rsp);
	rsp.size = sizeof rsp;
	rsp.status = 200;
	rsp.body = "ok\n";
	rsp.body_len = 3;
	return (rsp);
}

static inline struct sandbox_str
guest_str(const char *ptr, size_t len)
{
	struct sandbox_str s;

	s.ptr = ptr;
	s.len = (uint32_t)len;
	s.reserved = 0;
	return (s);
}

#endif
