/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox_abi.h: the contract between a guest program and its host.
 *
 * A guest talks to the host with the SYSCALL instruction only. Linux numbers
 * are answered as Linux would answer them, as far as the sandbox has the call.
 * The numbers below are the sandbox's own. They lie far above any number that
 * Linux uses, so that the same binary started outside of a sandbox gets ENOSYS
 * and can tell.
 *
 * The calling convention is that of Linux: number in RAX, arguments in RDI,
 * RSI, RDX, R10, R8 and R9, result in RAX; RCX and R11 are clobbered, every
 * other register is preserved, vector registers included. Results from -4095
 * to -1 are negated Linux errno values.
 *
 * This header is self-contained and needs nothing but C99 (it is valid C++
 * too). The host defines SANDBOX_HOST before it includes it: guest pointers
 * are then plain numbers of a type of their own, and can not be dereferenced
 * by accident.
 *
 * Versions: SANDBOX_ABI_VERSION goes up by one when a structure or a call
 * changes in a way that an old guest or an old host would get wrong. Members
 * are only ever added at the end of a structure; `size` says how much of it
 * the writer knew. What a reader knows beyond that reads as zero; what the
 * writer knew and the reader does not must be zero. Reserved members are zero.
 */

#ifndef SANDBOX_ABI_H_INCLUDED
#define SANDBOX_ABI_H_INCLUDED

#include <stdint.h>

#define SANDBOX_ABI_VERSION		1

/* C99 has no static assertion. A false one gives an array of negative size. */
#define SANDBOX_ASSERT_SIZE(tag, bytes)					\
	typedef char sandbox_size_of_##tag				\
	    [sizeof(struct tag) == (bytes) ? 1 : -1]

/* A guest virtual address, as the host sees it. */
typedef struct sandbox_gva {
	uint64_t		va;
} sandbox_gva_t;

#ifdef SANDBOX_HOST
#  define SANDBOX_PTR(type)	sandbox_gva_t
#else
#  define SANDBOX_PTR(type)	type *
#endif

/*--------------------------------------------------------------------
 * Limits. The VCL author may set lower ones; these can not be exceeded.
 */

/* Headers in a response; Varnish's own http_max_hdr is 64 by default. */
#define SANDBOX_MAX_HEADERS		256

/* Bytes of all header names and values and the reason of a response. */
#define SANDBOX_MAX_HEADER_BYTES	65536

/* Bytes of the request block: the structure, headers and all strings. */
#define SANDBOX_MAX_REQUEST_BLOCK	131072

/* Bytes of one sandbox_log() message; what is longer is cut. */
#define SANDBOX_MAX_LOG			1024

/* Fetches in one call; a request may make more, one call after the other. */
#define SANDBOX_MAX_FETCH		64

/*--------------------------------------------------------------------
 * Strings: (len) bytes at (ptr). In a request there is always a NUL at
 * ptr[len] that (len) does not count, so C may use it as a string. In a
 * response none is needed.
 */

struct sandbox_str {
	SANDBOX_PTR(const char)	ptr;
	uint32_t		len;
	uint32_t		reserved;	/* zero */
};
SANDBOX_ASSERT_SIZE(sandbox_str, 16);

/* Header names carry no colon. In a request names are as the client sent
 * them; compare them without regard to case. */
struct sandbox_header {
	struct sandbox_str	name;
	struct sandbox_str	value;
};
SANDBOX_ASSERT_SIZE(sandbox_header, 32);

/*--------------------------------------------------------------------
 * The request block. The host writes it into the guest's memory before
 * the guest runs; the guest may change it in place. It is gone, with
 * everything else the request did, once the guest has answered.
 */

/* sandbox_request.flags */

/* Nobody asked: the host is touching a new VM's memory for the first time.
 * The answer is thrown away. A handler need not look at this. */
#define SANDBOX_REQUEST_WARMUP		0x1u

struct sandbox_request {
	uint32_t		version;	/* SANDBOX_ABI_VERSION */
	uint32_t		size;		/* of this structure */
	uint32_t		flags;		/* SANDBOX_REQUEST_... */
	uint32_t		n_headers;
	SANDBOX_PTR(struct sandbox_header)
				headers;	/* n_headers of them */
	SANDBOX_PTR(char)	body;		/* page aligned; NULL if none */
	uint64_t		body_len;	/* bytes */
	uint64_t		max_response_body; /* bytes we will accept */
	uint64_t		xid;		/* of the backend transaction */
	int64_t			wall_ns;	/* CLOCK_REALTIME at the start */
	int64_t			mono_ns;	/* CLOCK_MONOTONIC at the start */
	int64_t			timeout_ns;	/* time until we are stopped */
	uint8_t			random[32];	/* never the same twice */
	struct sandbox_str	method;		/* "GET" */
	struct sandbox_str	url;		/* "/path?query" */
	struct sandbox_str	proto;		/* "HTTP/1.1" */
	struct sandbox_str	arg;		/* .backend()'s argument, or "" */
	struct sandbox_str	client_ip;	/* "192.0.2.1", "2001:db8::1" */
	uint32_t		client_port;	/* 0 when unknown */
	uint32_t		reserved;	/* zero */
};
SANDBOX_ASSERT_SIZE(sandbox_request, 200);

/*--------------------------------------------------------------------
 * The response, written by the guest. Everything it points at stays in
 * the guest's memory, is checked, and is read before the guest's memory
 * is put back.
 */

struct sandbox_response {
	uint32_t		size;		/* of this structure */
	uint32_t		status;		/* 200 to 999 */
	struct sandbox_str	reason;		/* empty: the usual one */
	SANDBOX_PTR(const struct sandbox_header)
				headers;
	uint32_t		n_headers;
	uint32_t		reserved;	/* zero */
	SANDBOX_PTR(const void)	body;
	uint64_t		body_len;	/* bytes */
};
SANDBOX_ASSERT_SIZE(sandbox_response, 56);

/*--------------------------------------------------------------------
 * Fetching: the guest asks Varnish for a URL, as a client would. VCL sees
 * it, the cache answers it if it can, and VCL decides what a guest may
 * have. A program may fetch if the VCL author has said so.
 */

/*
 * What to ask for. The host has read it, and all that it points at, when the
 * call returns. Headers that concern a connection, Content-Length and Expect
 * are left out: the length is that of the body.
 */
struct sandbox_fetch_request {
	uint32_t		size;		/* of this structure */
	uint32_t		flags;		/* zero */
	struct sandbox_str	method;		/* empty: GET */
	struct sandbox_str	url;		/* "/path?query" */
	struct sandbox_str	host;		/* empty: this request's own */
	SANDBOX_PTR(const struct sandbox_header)
				headers;
	uint32_t		n_headers;
	uint32_t		reserved;	/* zero */
	SANDBOX_PTR(const void)	body;
	uint64_t		body_len;	/* bytes */
	uint64_t		max_body;	/* of the response, bytes; 0:
						 * what is left of the budget,
						 * in equal shares for those
						 * that are started together */
	int64_t			timeout_ns;	/* 0: until we are stopped */
};
SANDBOX_ASSERT_SIZE(sandbox_fetch_request, 104);

/* sandbox_fetch_response.state */
#define SANDBOX_FETCH_NEW	0	/* by the guest: not started yet */
#define SANDBOX_FETCH_RUNNING	1
#define SANDBOX_FETCH_DONE	2	/* see error, then the rest */
#define SANDBOX_FETCH_HELD	3	/* ended, but (space) is too small: list
					 * it again with (need) bytes of it */
#define SANDBOX_FETCH_CANCEL	4	/* by the guest: give up, whether it is
					 * running or held */

/* sandbox_fetch_response.flags */
#define SANDBOX_FETCH_HIT	0x1u	/* the cache had it */

/*
 * What came of it. The guest clears the structure, and sets size, space and
 * space_len. The host writes the rest, and into (space): headers, strings,
 * each with a NUL behind it that its length does not count, and the body, with
 * a NUL behind it as well.
 *
 * error is 0 if there is a response, whatever its status, or a Linux errno:
 *
 *	EINVAL		the request is not one: a method or header name that
 *			is not a token, control characters, a URL that does not
 *			begin with '/', a Host among the headers, flags
 *	EFAULT		it, or (space), is not the guest's memory
 *	E2BIG		its headers do not fit into Varnish's workspace, or
 *			are more than SANDBOX_MAX_HEADERS, or its strings more
 *			than SANDBOX_MAX_HEADER_BYTES
 *	ELOOP		it would wait for itself, or is too deep: a guest that
 *			answers a guest's fetch fetches ...
 *	EDQUOT		more fetches, or bytes, than a request may have
 *	EMSGSIZE	the response's body is larger than max_body, or its
 *			headers than those a guest's response can have
 *	EAGAIN		Varnish has no thread or memory to spare, or it is
 *			going down; or SANDBOX_MAX_FETCH of this request's
 *			fetches are running or held
 *	ETIMEDOUT	timeout_ns have passed
 *	ECANCELED	by the guest
 *	EIO		the response ended early
 *	ENETDOWN	there is nobody to ask: in the warm-up, for the probe
 *			(probe_url), and outside of Varnish (a program that may
 *			not fetch is told so even there: the call fails with
 *			EPERM)
 */
struct sandbox_fetch_response {
	uint32_t		size;		/* of this structure */
	uint32_t		state;		/* SANDBOX_FETCH_... */
	uint32_t		handle;		/* the host's */
	uint32_t		error;		/* a Linux errno, or 0 */
	uint32_t		status;		/* 200 to 999 */
	uint32_t		flags;		/* SANDBOX_FETCH_... */
	struct sandbox_str	reason;
	SANDBOX_PTR(const struct sandbox_header)
				headers;
	uint32_t		n_headers;
	uint32_t		reserved;	/* zero */
	SANDBOX_PTR(const char)	body;		/* NULL if there is none */
	uint64_t		body_len;	/* bytes */
	SANDBOX_PTR(void)	space;		/* the guest's, for the above */
	uint64_t		space_len;	/* bytes */
	uint64_t		need;		/* when held: bytes */
};
SANDBOX_ASSERT_SIZE(sandbox_fetch_response, 96);

struct sandbox_fetch {
	SANDBOX_PTR(const struct sandbox_fetch_request)
				request;	/* read when NEW only */
	SANDBOX_PTR(struct sandbox_fetch_response)
				response;
};
SANDBOX_ASSERT_SIZE(sandbox_fetch, 16);

/*--------------------------------------------------------------------
 * Calls
 */

#define SANDBOX_CALL_BASE		0x5b000

/*
 * request = next(version, response)
 *
 * Answer the current request and wait for the next one.
 *
 * version	RDI: SANDBOX_ABI_VERSION the guest was built with
 * response	RSI: address of a struct sandbox_response, or 0 in the first
 *		call, which has nothing to answer and says "I am ready"
 *
 * The first call freezes the program: from then on each request starts with
 * the return from this very call, in a copy of the memory and registers as
 * they were. It returns the address of a struct sandbox_request.
 *
 * Errors, in the first call only: -EPROTO, the host does not speak
 * (version); -EINVAL, there is a response. A later call does not return: a
 * response that breaks a rule ends the VM, and the client gets a 503.
 */
#define SANDBOX_CALL_NEXT		(SANDBOX_CALL_BASE + 1)

/*
 * log(level, text, len)
 *
 * One line for the Varnish log (VSL). Control characters are replaced, and
 * what is longer than SANDBOX_MAX_LOG bytes is cut. Before the first next()
 * the line is kept for the message that says why a program failed to load.
 *
 * level	RDI: SANDBOX_LOG_INFO or SANDBOX_LOG_ERROR
 * text, len	RSI, RDX: not NUL terminated
 *
 * Returns 0. Errors: -EFAULT, -EINVAL (level), -ENOSPC (this request has
 * used up its share of the log; the line is counted as dropped).
 */
#define SANDBOX_CALL_LOG		(SANDBOX_CALL_BASE + 2)
#define SANDBOX_LOG_INFO		0
#define SANDBOX_LOG_ERROR		1

/*
 * ended = fetch(list, n, wait_for)
 *
 * Start those fetches in the list that are new, all at once, then wait until
 * (wait_for) in the list have ended, so that one call does for one fetch, for
 * many, for the first of many, and for looking what has ended.
 *
 * list, n	RDI, RSI: an array of up to SANDBOX_MAX_FETCH struct
 *		sandbox_fetch
 * wait_for	RDX: 0 to n; what had ended before counts
 *
 * Returns how many in the list have ended, that is, are DONE or HELD. What goes
 * wrong with one of them is in its error. What has not ended when the request
 * is answered is given up. Waiting counts as running as far as timeouts are
 * concerned, and not as CPU time; no other thread runs meanwhile.
 *
 * Errors: -EFAULT, the list or a response in it; -EINVAL, n, wait_for, the
 * size of a structure, a state or a handle that is not one, one that is listed
 * twice; -EPERM, the program may not fetch, or is not frozen yet. With an error
 * nothing has been started.
 */
#define SANDBOX_CALL_FETCH		(SANDBOX_CALL_BASE + 3)

#endif /* SANDBOX_ABI_H_INCLUDED */
