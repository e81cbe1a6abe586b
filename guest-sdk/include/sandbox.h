/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox.h: write a program that answers HTTP requests inside Varnish.
 *
 *	#include <sandbox.h>
 *
 *	static void
 *	hello(const struct sandbox_request *rq, struct sandbox_reply *rp,
 *	    void *priv)
 *	{
 *		sandbox_printf(rp, "Hello, you asked for %s\n", rq->url.ptr);
 *	}
 *
 *	int
 *	main(void)
 *	{
 *		return (sandbox_serve(hello, NULL));
 *	}
 *
 *	gcc -static hello.c $(pkg-config --cflags --libs --static sandbox)
 *
 * Whatever main() does before it calls sandbox_serve() is done once. Then the
 * program is frozen, and each request runs in a copy of it: one request at a
 * time in each copy, and no request sees what another one left behind. So
 * there is nothing to free and nothing to clean up in a handler.
 *
 * Each page of memory that a handler writes to costs a little time, because
 * it has to be put back. A struct sandbox_reply is made so that a small
 * answer needs none but the page of stack that the handler runs on.
 *
 * Started outside of a sandbox the same program serves one request from its
 * command line and writes the answer to standard output; start it with --help.
 *
 * Strings: what a request holds is NUL terminated, and what you pass in must
 * be, unless a length goes with it. Sizes and lengths are in bytes.
 *
 * C99 or C++11, any libc. Nothing here may be called from two threads at once.
 */

#ifndef SANDBOX_H_INCLUDED
#define SANDBOX_H_INCLUDED

#include <stddef.h>

#include "sandbox_abi.h"

#if defined(__GNUC__)
#  define SANDBOX_PRINTF(fmt, arg)					\
	__attribute__((__format__(__printf__, fmt, arg)))
#else
#  define SANDBOX_PRINTF(fmt, arg)
#endif

#ifdef __cplusplus
extern "C" {
#endif

struct sandbox_reply;

/*--------------------------------------------------------------------
 * Serving
 */

/*
 * Answer one request. The request and all that it points at may be read, and
 * the reply starts as an empty one with status 200. (priv) is what was passed
 * to sandbox_serve().
 */
typedef void sandbox_handler_f(const struct sandbox_request *,
    struct sandbox_reply *, void *priv);

/*
 * Say that the program is ready, and answer each request with (handler).
 *
 * Does not return, unless the host does not speak our version of the contract
 * or there is no request to serve: then 1, after a line on standard error, so
 * that main() can end with "return (sandbox_serve(handler, priv));".
 *
 * When the handler's reply can not be sent (out of memory, a header that is
 * not one, larger than rq->max_response_body) the client gets a 500, and a
 * log line says why.
 */
int sandbox_serve(sandbox_handler_f *handler, void *priv);

/*
 * For programs with a loop of their own, instead of sandbox_serve().
 *
 * The first call takes NULL, says that the program is ready, and returns the
 * request. Each later call answers the request, and does not return: what
 * comes next is the first call returning again, with another request, in a
 * program that remembers nothing of this one.
 *
 * The request belongs to the caller until it is answered. The answer and all
 * that it points at must stay where they are until then; sandbox_reply_end()
 * makes one, or fill the structure yourself. An answer that breaks one of the
 * rules in sandbox_abi.h, or no answer (NULL), ends the VM.
 *
 * Returns NULL with errno set when the host refuses the first call: EPROTO,
 * it does not speak our version of the contract.
 */
const struct sandbox_request *sandbox_next(const struct sandbox_response *);

/*
 * Write one line to Varnish's log, made as by printf(), without a newline.
 * (level) is SANDBOX_LOG_INFO or SANDBOX_LOG_ERROR. What is longer than
 * SANDBOX_MAX_LOG bytes is cut. There is a limit to what one request may log;
 * lines beyond it are dropped. Outside of a sandbox: to standard error.
 *
 * Returns 0, or -1 when the line was dropped.
 */
int sandbox_log(int level, const char *fmt, ...) SANDBOX_PRINTF(2, 3);

/*--------------------------------------------------------------------
 * The request
 *
 * The members of struct sandbox_request (sandbox_abi.h) are there to be read:
 *
 *	rq->method.ptr, .len	"GET"
 *	rq->url.ptr		"/path?query", as the client wrote it
 *	rq->proto.ptr		"HTTP/1.1"
 *	rq->arg.ptr		the argument of .backend() in VCL, or ""
 *	rq->client_ip.ptr	"192.0.2.1"
 *	rq->client_port		0 when unknown
 *	rq->headers[i]		i < rq->n_headers; .name.ptr and .value.ptr
 *	rq->body, rq->body_len	NULL when there is none; not NUL terminated
 *	rq->max_response_body	bytes that an answer's body may have
 *	rq->xid			to find the request in Varnish's log
 *	rq->random		32 bytes that no other request gets
 *	rq->wall_ns		time of day at the start of the request, in
 *				nanoseconds since 1970, UTC
 *	rq->mono_ns		the same moment by CLOCK_MONOTONIC
 *	rq->timeout_ns		how long from then until we are stopped
 *	rq->flags		SANDBOX_REQUEST_WARMUP: a rehearsal, nobody
 *				will see the answer
 *
 * What follows makes no system calls and allocates nothing.
 */

/*
 * The value of the (nth) header called (name), in the order in which they
 * came; the first is 0. Case does not matter in (name). NULL if there is none.
 */
const char *sandbox_nth_header(const struct sandbox_request *,
    const char *name, unsigned nth);

/* The value of the first header called (name), or NULL. */
const char *sandbox_get_header(const struct sandbox_request *,
    const char *name);

/*
 * All values of the headers called (name), joined by ", ", as HTTP allows for
 * lists. Writes at most (size) bytes to (buf), a NUL among them if size > 0.
 * Returns the length of the whole, which was cut if that is not less than
 * (size), or -1 if there is no such header: then (buf) is "".
 */
long sandbox_join_header(const struct sandbox_request *, const char *name,
    char *buf, size_t size);

/* The part of the URL before the first '?' or '#'; not NUL terminated. */
struct sandbox_str sandbox_path(const struct sandbox_request *);

/* The part of the URL between '?' and '#', or an empty one; not NUL
 * terminated. */
struct sandbox_str sandbox_query(const struct sandbox_request *);

/* True if the path of the URL is (path), byte for byte. */
int sandbox_path_is(const struct sandbox_request *, const char *path);

/*
 * Decode (str) to (buf): %XX becomes the byte, a '%' without two hex digits
 * stays as it is, and a '+' becomes a space if (form) is true. Writes at most
 * (size) bytes, a NUL at the end among them if size > 0. Returns the length
 * of the whole, which was cut if that is not less than (size). The result can
 * hold NUL bytes, if %00 was in it.
 */
size_t sandbox_decode(struct sandbox_str str, int form, char *buf,
    size_t size);

/*
 * The first parameter (name) in (query), decoded to (buf) as by
 * sandbox_decode(), as forms are: "a=1+1&b" has a, "1 1", and b, "". (name) is
 * compared after decoding, case matters. Returns the length of the whole,
 * which was cut if that is not less than (size), or -1 if there is no such
 * parameter: then (buf) is "".
 */
long sandbox_find_param(struct sandbox_str query, const char *name, char *buf,
    size_t size);

/*
 * The same, as a decimal number from (min) to (max). Returns 1 and fills
 * (val), or 0 if there is no such parameter, or -1 if it is not a number or
 * out of range; (val) is then as it was.
 */
int sandbox_find_param_long(struct sandbox_str query, const char *name,
    long min, long max, long *val);

/* The same two, for the query of the request's URL. */
long sandbox_get_param(const struct sandbox_request *, const char *name,
    char *buf, size_t size);
int sandbox_get_param_long(const struct sandbox_request *, const char *name,
    long min, long max, long *val);

/*--------------------------------------------------------------------
 * The reply
 *
 * Functions return 0, or -1 when the reply can no longer be sent as asked.
 * There is no need to look: a reply that failed once stays failed, and
 * becomes a 500 with a log line that says why.
 */

/* Headers and bytes of text (header names and values, the reason, and the
 * body if it is written and not set) up to which a reply needs no memory but
 * its own. Beyond that it uses static memory (64 KB for the headers, 64 KB for
 * the body) and malloc() for a larger body. */
#define SANDBOX_REPLY_HEADERS		16
#define SANDBOX_REPLY_TEXT		1024

/* The members are private. */
struct sandbox_reply {
	struct sandbox_response	rsp;
	const char		*failed;	/* why, the first time */
	uint64_t		max_body;
	struct sandbox_header	*headers;	/* small, or static */
	char			*body;		/* ours, or NULL */
	size_t			body_size;	/* of that, bytes */
	uint32_t		text_top;	/* strings: text[top..] */
	uint32_t		spilled;	/* bytes of static memory */
	struct sandbox_header	small[SANDBOX_REPLY_HEADERS];
	char			text[SANDBOX_REPLY_TEXT];
};

/*
 * The status, 200 to 999, and the reason, which is copied. NULL or "": the
 * usual reason for that status.
 */
int sandbox_set_status(struct sandbox_reply *, unsigned status,
    const char *reason);

/*
 * Add a header. Both are copied. (name) is without the colon and is made of
 * the characters that HTTP allows, (value) has no control characters but
 * tabs. There can be SANDBOX_MAX_HEADERS of them, SANDBOX_MAX_HEADER_BYTES
 * long together. Varnish itself takes fewer unless http_max_hdr is raised.
 */
int sandbox_add_header(struct sandbox_reply *, const char *name,
    const char *value);

/* The same, with the value made as by printf(). */
int sandbox_add_headerf(struct sandbox_reply *, const char *name,
    const char *fmt, ...) SANDBOX_PRINTF(3, 4);

/* The same as sandbox_add_header(), and takes away all headers of that name
 * that were there before. NULL for a value only takes away. */
int sandbox_set_header(struct sandbox_reply *, const char *name,
    const char *value);

/*
 * Make the body the (len) bytes at (ptr), which are not copied. They must stay
 * as they are after the handler returned: good are string literals, static and
 * allocated memory, the request's own body; bad is the handler's stack.
 * Replaces what was set or written before.
 */
int sandbox_set_body(struct sandbox_reply *, const void *ptr, size_t len);

/* Append a copy of (len) bytes to the body. */
int sandbox_write(struct sandbox_reply *, const void *ptr, size_t len);

/* Append a copy of a string to the body. */
int sandbox_puts(struct sandbox_reply *, const char *str);

/* Append to the body, as printf() does. */
int sandbox_printf(struct sandbox_reply *, const char *fmt, ...)
    SANDBOX_PRINTF(2, 3);

/*
 * Forget headers and body, and answer with this status and one line of plain
 * text, made as by printf(), without a newline. Always returns -1.
 */
int sandbox_fail(struct sandbox_reply *, unsigned status, const char *fmt,
    ...) SANDBOX_PRINTF(3, 4);

/*
 * With sandbox_next(): make an empty reply to this request, with status 200.
 * Only one reply may be in use at a time. The structure is 1.7 KB, and only
 * the parts of it that are used are touched.
 */
void sandbox_reply_init(struct sandbox_reply *,
    const struct sandbox_request *);

/*
 * With sandbox_next(): what to pass to it. It points into the reply. If the
 * reply failed it is a 500, and a line has been logged.
 */
const struct sandbox_response *sandbox_reply_end(struct sandbox_reply *);

/*--------------------------------------------------------------------
 * Fetching
 *
 * A handler can ask Varnish for a URL, as a client would: vcl_recv runs, the
 * cache answers if it can, and VCL decides what a program may have. VCL has to
 * allow it at all (max_fetches of sandbox.program()).
 *
 *	struct sandbox_fetch_request frq;
 *	struct sandbox_fetch_response frp;
 *
 *	sandbox_fetch_init(&frq, &frp, "/fragment");
 *	if (sandbox_fetch(&frq, &frp) < 0)
 *		(void)sandbox_fail(rp, 502, "fetch: %s", strerror(errno));
 *	else if (frp.status == 200)
 *		(void)sandbox_write(rp, frp.body, frp.body_len);
 *
 * The members of struct sandbox_fetch_request (sandbox_abi.h) are there to be
 * set, after sandbox_fetch_init(). What they point at is not copied, and must
 * stay until the fetch has been started:
 *
 *	frq.method		= sandbox_text("POST"); empty: GET
 *	frq.host		= sandbox_text("example.com"); empty: that of
 *				the request which the handler answers
 *	frq.headers, .n_headers	an array of the caller's, see
 *				sandbox_make_header()
 *	frq.body, frq.body_len
 *	frq.max_body		bytes that the response's body may have; 0: as
 *				much as VCL allows
 *	frq.timeout_ns		how long to wait, from the start; 0: as long
 *				as the handler itself may take
 *
 * Those of struct sandbox_fetch_response are there to be read, when it is
 * SANDBOX_FETCH_DONE:
 *
 *	frp.error		0, or why there is no response, an errno; see
 *				sandbox_abi.h for which
 *	frp.status		200 to 999. Redirects are not followed, and a
 *				404 or a 503 is a response like any other
 *	frp.headers[i]		i < frp.n_headers; .name.ptr and .value.ptr
 *	frp.body, frp.body_len	NULL when there is none; NUL terminated
 *	frp.flags		SANDBOX_FETCH_HIT: the cache had it
 *
 * What the response points at lies in memory that the library finds for it and
 * that is gone, with everything else, when the request has been answered.
 * There is nothing to free. A handler that wants it in memory of its own sets
 * frp.space and frp.space_len, for a response that fits into it.
 *
 * While one thread waits for a fetch no other one runs; start it, let them
 * compute, and wait then. In the rehearsal (SANDBOX_REQUEST_WARMUP), outside of
 * a sandbox and with sandbox-run there is nobody to ask, and each fetch fails
 * with ENETDOWN; or with EPERM, if the program may not fetch (for sandbox-run,
 * if there is no -o max_fetches=N).
 */

/* Set up a GET for (url), "/path?query", which is not copied. Both structures
 * are for one fetch and must be set up again for another. */
void sandbox_fetch_init(struct sandbox_fetch_request *,
    struct sandbox_fetch_response *, const char *url);

/* A string, and a header of two, for the members above. Not copied. */
struct sandbox_str sandbox_text(const char *);
struct sandbox_header sandbox_make_header(const char *name,
    const char *value);

/*
 * Fetch, and wait for the response. Returns 0 if there is one, whatever its
 * status, or -1 with errno set to what is in error, or to why nothing could be
 * fetched at all: EPERM, VCL has not allowed it, or the program has not called
 * sandbox_serve() yet; EINVAL, the structures have not been set up; ENOSYS,
 * the host can not do it; ENOMEM.
 */
int sandbox_fetch(const struct sandbox_fetch_request *,
    struct sandbox_fetch_response *);

/*
 * Fetch (n) at the same time: start those in (list) that have not been
 * started, and return when at least (wait_for) of all that are listed are
 * SANDBOX_FETCH_DONE; with 0, without waiting. Those that are done already
 * count, and are otherwise left alone; so the same list can be given again and
 * again, to wait for the next one.
 *
 * Returns how many in (list) are done, good and bad, or -1 with errno set as
 * by sandbox_fetch(). Up to SANDBOX_MAX_FETCH of them run at a time, the
 * others have their turn when they are done. Small responses, which is 500 KB
 * for all of them, cost one exit to the host, however many there are.
 *
 * What still runs when the handler returns is given up.
 */
int sandbox_fetch_many(const struct sandbox_fetch *list, unsigned n,
    unsigned wait_for);

/* Give it up, if it is not done: it is then, with error ECANCELED. Returns 0,
 * or -1 with errno set if (frp) is none that was started. */
int sandbox_fetch_cancel(struct sandbox_fetch_response *frp);

/* The value of the (nth) header called (name) of a response, and of the first
 * one, as sandbox_nth_header() does for requests. */
const char *sandbox_fetch_nth_header(const struct sandbox_fetch_response *,
    const char *name, unsigned nth);
const char *sandbox_fetch_header(const struct sandbox_fetch_response *,
    const char *name);

#ifdef __cplusplus
}
#endif

#endif /* SANDBOX_H_INCLUDED */
