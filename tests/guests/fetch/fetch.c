/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Fetches what its URL says, and answers with what came of it.
 *
 *	/get?url=/path		the parameters below may follow
 *	n=3			so many at the same time (default 1); a '*' in
 *				url becomes 0, 1, 2 ...
 *	seq=1			one after the other instead
 *	wait=1			wait for so many only (default: all)
 *	sleep=100		milliseconds, between starting and waiting
 *	cancel=1		then give up those that are not done
 *	spin=1			then never answer
 *	method=POST, host=example.com, body=text, body_len=1000 (of 'b')
 *	h=Name:value, h2=, h3=	request headers
 *	max_body=1000, timeout=100 (milliseconds)
 *	space=1000		the response goes to memory of our own
 *	quiet=1			leave the bodies out of the answer
 *
 * One fetch that got a response is answered with its status, body, and headers
 * as "Got-NAME"; one that failed with 502. Several are answered with 200 and
 * the bodies, one behind the other. In any case there is for each, in order:
 *
 *	X-Fetch: 0 state=2 error=0 status=200 hit=1 len=5
 *
 * and X-Done says how many were done when it had waited. error= is the name
 * of a Linux errno, or 0. If nothing could be fetched at all the status is 500
 * and X-Failed has the name of the errno.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../guest.h"

#define MAX_N			20000
#define MAX_PARAM		4096

static const struct {
	int		no;
	const char	*name;
} errors[] = {
	{ 0, "0" },
	{ EINVAL, "EINVAL" },
	{ EFAULT, "EFAULT" },
	{ E2BIG, "E2BIG" },
	{ ELOOP, "ELOOP" },
	{ EDQUOT, "EDQUOT" },
	{ EMSGSIZE, "EMSGSIZE" },
	{ EAGAIN, "EAGAIN" },
	{ ETIMEDOUT, "ETIMEDOUT" },
	{ ECANCELED, "ECANCELED" },
	{ EIO, "EIO" },
	{ ENETDOWN, "ENETDOWN" },
	{ EPERM, "EPERM" },
	{ ENOMEM, "ENOMEM" },
	{ ENOSYS, "ENOSYS" },
};

static const char *
error_name(int no)
{
	static char other[24];
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (errors[i].no == no)
			return (errors[i].name);
	(void)snprintf(other, sizeof other, "%d", no);
	return (other);
}

/* A parameter, allocated, or NULL. */
static char *
text(const struct sandbox_request *rq, const char *name)
{
	char buf[MAX_PARAM];

	if (sandbox_get_param(rq, name, buf, sizeof buf) < 0)
		return (NULL);
	return (strdup(buf));
}

static char *
url_of(const struct sandbox_request *rq, long i)
{
	char buf[MAX_PARAM + 24], *url, *star;

	url = text(rq, "url");
	if (url == NULL)
		url = strdup("/");
	star = strchr(url, '*');
	if (star == NULL)
		return (url);
	(void)snprintf(buf, sizeof buf, "%.*s%ld%s", (int)(star - url), url,
	    i, star + 1);
	return (strdup(buf));
}

static void
headers(const struct sandbox_request *rq, struct sandbox_fetch_request *frq)
{
	static struct sandbox_header h[3];
	static const char * const names[] = { "h", "h2", "h3" };
	char *p, *colon;
	size_t i;

	for (i = 0; i < 3; i++) {
		p = text(rq, names[i]);
		if (p == NULL || (colon = strchr(p, ':')) == NULL)
			continue;
		*colon++ = '\0';
		colon += strspn(colon, " ");
		h[frq->n_headers++] = sandbox_make_header(p, colon);
	}
	frq->headers = h;
}

static void
body(const struct sandbox_request *rq, struct sandbox_fetch_request *frq)
{
	size_t len;
	char *p;

	p = text(rq, "body");
	len = p != NULL ? strlen(p) : (size_t)guest_long(rq, "body_len", 0);
	if (p == NULL && len > 0) {
		p = malloc(len);
		if (p != NULL)
			memset(p, 'b', len);
	}
	frq->body = p;
	frq->body_len = len;
}

/* All that a request says, in (frq). */
static void
make(const struct sandbox_request *rq, struct sandbox_fetch_request *frq,
    struct sandbox_fetch_response *frp, long i)
{
	char *p;

	sandbox_fetch_init(frq, frp, url_of(rq, i));
	if ((p = text(rq, "method")) != NULL)
		frq->method = sandbox_text(p);
	if ((p = text(rq, "host")) != NULL)
		frq->host = sandbox_text(p);
	if (i == 0) {
		headers(rq, frq);
		body(rq, frq);
	}
	frq->max_body = (uint64_t)guest_long(rq, "max_body", 0);
	frq->timeout_ns = guest_long(rq, "timeout", 0) * 1000000;
	frp->space_len = (uint64_t)guest_long(rq, "space", 0);
	if (frp->space_len > 0)
		frp->space = malloc((size_t)frp->space_len);
}

static void
nap(long ms)
{
	struct timespec ts;

	ts.tv_sec = ms / 1000;
	ts.tv_nsec = ms % 1000 * 1000000;
	if (ms > 0)
		(void)nanosleep(&ts, NULL);
}

/* Fetch. Returns how many were done, or -1. */
static int
fetch(const struct sandbox_request *rq, const struct sandbox_fetch *list,
    unsigned n)
{
	unsigned i;
	int r;

	if (guest_long(rq, "seq", 0)) {
		for (i = 0; i < n; i++)
			if (sandbox_fetch_many(list + i, 1, 1) < 0)
				return (-1);
		return ((int)n);
	}
	if (guest_long(rq, "sleep", 0) > 0) {
		if (sandbox_fetch_many(list, n, 0) < 0)
			return (-1);
		nap(guest_long(rq, "sleep", 0));
	}
	r = sandbox_fetch_many(list, n, (unsigned)guest_long(rq, "wait", n));
	for (i = 0; i < n && guest_long(rq, "cancel", 0); i++)
		if (sandbox_fetch_cancel(list[i].response) < 0)
			return (-1);
	return (r);
}

static void
tell(struct sandbox_reply *rp, const struct sandbox_fetch_response *frp,
    unsigned i)
{

	(void)sandbox_add_headerf(rp, "X-Fetch",
	    "%u state=%u error=%s status=%u hit=%d len=%llu", i, frp->state,
	    error_name((int)frp->error), frp->status,
	    (frp->flags & SANDBOX_FETCH_HIT) != 0,
	    (unsigned long long)frp->body_len);
}

static void
tell_headers(struct sandbox_reply *rp,
    const struct sandbox_fetch_response *frp)
{
	char name[256];
	unsigned i;

	for (i = 0; i < frp->n_headers; i++) {
		(void)snprintf(name, sizeof name, "Got-%s",
		    frp->headers[i].name.ptr);
		(void)sandbox_add_header(rp, name, frp->headers[i].value.ptr);
	}
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct sandbox_fetch_request *frq;
	struct sandbox_fetch_response *frp;
	struct sandbox_fetch *list;
	unsigned i, n;
	int done;

	n = (unsigned)guest_long(rq, "n", 1);
	if (n > MAX_N)
		n = MAX_N;
	frq = calloc(n + 1, sizeof *frq);
	frp = calloc(n + 1, sizeof *frp);
	list = calloc(n + 1, sizeof *list);
	for (i = 0; i < n; i++) {
		make(rq, &frq[i], &frp[i], (long)i);
		list[i].request = &frq[i];
		list[i].response = &frp[i];
	}
	done = fetch(rq, list, n);
	if (done < 0) {
		(void)sandbox_set_status(rp, 500, NULL);
		(void)sandbox_add_header(rp, "X-Failed", error_name(errno));
		return;
	}
	while (guest_long(rq, "spin", 0))
		continue;
	(void)sandbox_add_headerf(rp, "X-Done", "%d", done);
	if (n == 1)
		(void)sandbox_set_status(rp, frp->error || !frp->status ?
		    502 : frp->status, NULL);
	if (n == 1)
		tell_headers(rp, frp);
	for (i = 0; i < n; i++) {
		if (i < 32)
			tell(rp, &frp[i], i);
		if (frp[i].body_len > 0 && !guest_long(rq, "quiet", 0))
			(void)sandbox_write(rp, frp[i].body,
			    (size_t)frp[i].body_len);
	}
}

int
main(void)
{

	return (guest_serve(bad));
}
