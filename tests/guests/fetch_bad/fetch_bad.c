/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Fetches as it should not; the path says how, ?url= what. Without the
 * library, which would not do it. Two are listed, and the second is the bad
 * one. Answers with what the call returned and what became of that:
 *
 *	r=-22 state=0 error=0
 *
 * /flood?n=10000 starts so many and never waits; /leave, /leave-dead and
 * /leave-hang end with fetches running: by an answer, a crash, not at all.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../guest.h"

#define KERNEL		0xffff800000000000

struct all {
	struct sandbox_fetch		list[SANDBOX_MAX_FETCH + 1];
	struct sandbox_fetch_request	rq[2];
	struct sandbox_fetch_response	rp[2];
	struct sandbox_header		h[2];
	uint64_t			at;	/* of the list */
	uint64_t			n, wait_for;
	char				space[2][GUEST_PAGE];
};

static char url[1024];

static void
make(struct all *a)
{
	int i;

	memset(a, 0, sizeof *a);
	for (i = 0; i < 2; i++) {
		sandbox_fetch_init(&a->rq[i], &a->rp[i], url);
		a->rp[i].space = a->space[i];
		a->rp[i].space_len = sizeof a->space[i];
		a->list[i].request = &a->rq[i];
		a->list[i].response = &a->rp[i];
	}
	a->h[0] = a->h[1] = sandbox_make_header("X-Good", "good");
	a->at = (uintptr_t)a->list;
	a->n = a->wait_for = 2;
}

static long
call(const struct all *a)
{

	return (guest_call(SANDBOX_CALL_FETCH, a->at, a->n, a->wait_for, 0, 0,
	    0));
}

/* A page that was there and is no more. */
static void *
gone(void)
{
	char *p;

	p = mmap(NULL, GUEST_PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	*p = 'x';
	(void)munmap(p, GUEST_PAGE);
	return (p);
}

static void
list_null(struct all *a)
{

	a->at = 0;
}

static void
list_gone(struct all *a)
{
	void *p = gone();

	a->at = (uintptr_t)p;
}

static void
list_kernel(struct all *a)
{

	a->at = KERNEL;
}

static void
list_wrap(struct all *a)
{

	a->at = 0xfffffffffffffff8;
}

static void
list_long(struct all *a)
{

	a->n = SANDBOX_MAX_FETCH + 1;
}

static void
list_endless(struct all *a)
{

	a->n = UINT64_MAX;
}

static void
wait_more(struct all *a)
{

	a->wait_for = 3;
}

static void
response_null(struct all *a)
{

	a->list[1].response = NULL;
}

static void
response_gone(struct all *a)
{

	a->list[1].response = gone();
}

/* A page that may be read only, with what looks like a response. */
static void
response_constant(struct all *a)
{
	void *p;

	p = mmap(NULL, GUEST_PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(p, &a->rp[1], sizeof a->rp[1]);
	(void)mprotect(p, GUEST_PAGE, PROT_READ);
	a->list[1].response = p;
}

static void
response_size(struct all *a)
{

	a->rp[1].size--;
}

static void
response_huge(struct all *a)
{

	a->rp[1].size = UINT32_MAX;
}

static void
response_same(struct all *a)
{

	a->list[1].response = a->list[0].response;
}

static void
state_unknown(struct all *a)
{

	a->rp[1].state = 5;
}

static void
state_running(struct all *a)
{

	a->rp[1].state = SANDBOX_FETCH_RUNNING;
}

static void
state_held(struct all *a)
{

	a->rp[1].state = SANDBOX_FETCH_HELD;
	a->rp[1].handle = SANDBOX_MAX_FETCH + 1;
}

static void
state_cancel(struct all *a)
{

	a->rp[1].state = SANDBOX_FETCH_CANCEL;
	a->rp[1].handle = UINT32_MAX;
}

static void
request_null(struct all *a)
{

	a->list[1].request = NULL;
}

static void
request_size(struct all *a)
{

	a->rq[1].size = 8;
}

static void
request_flags(struct all *a)
{

	a->rq[1].flags = 1;
}

static void
url_null(struct all *a)
{

	a->rq[1].url.ptr = NULL;
}

static void
url_long(struct all *a)
{

	a->rq[1].url.len = UINT32_MAX;
}

static void
url_line(struct all *a)
{

	a->rq[1].url = sandbox_text("/a HTTP/1.1\r\nX-Smuggled: yes\r\n");
}

static void
url_relative(struct all *a)
{

	a->rq[1].url = sandbox_text("a");
}

static void
url_absolute(struct all *a)
{

	a->rq[1].url = sandbox_text("http://example.com/");
}

static void
url_file(struct all *a)
{

	a->rq[1].url = sandbox_text("file:///etc/passwd");
}

static void
method_line(struct all *a)
{

	a->rq[1].method = sandbox_text("GET /\r\n");
}

static void
host_line(struct all *a)
{

	a->rq[1].host = sandbox_text("a\r\nX-Smuggled: yes");
}

static void
headers_host(struct all *a)
{

	a->h[1].name = sandbox_text("Host");
	a->rq[1].headers = a->h;
	a->rq[1].n_headers = 2;
}

static void
headers_line(struct all *a)
{

	a->h[1].value = sandbox_text("a\r\nX-Smuggled: yes");
	a->rq[1].headers = a->h;
	a->rq[1].n_headers = 2;
}

static void
headers_null(struct all *a)
{

	a->rq[1].n_headers = 2;
}

static void
headers_many(struct all *a)
{

	a->rq[1].headers = a->h;
	a->rq[1].n_headers = UINT32_MAX;
}

static void
timeout_negative(struct all *a)
{

	a->rq[1].timeout_ns = -1;
}

/* Answers over what they answer. */
static void
space_list(struct all *a)
{

	a->rp[0].space = a->list;
}

static void
space_response(struct all *a)
{

	a->rp[0].space = &a->rp[1];
	a->rp[1].space = &a->rp[0];
}

static void
space_request(struct all *a)
{

	a->rp[0].space = a->rq;
}

static void
space_text(struct all *a)
{

	a->rp[1].space = (void *)(uintptr_t)guest_serve;
}

static void
space_kernel(struct all *a)
{

	a->rp[1].space = (void *)KERNEL;
}

static void
space_all(struct all *a)
{

	a->rp[1].space_len = UINT64_MAX;
}

static const struct {
	const char	*path;
	void		(*spoil)(struct all *);
} cases[] = {
	{ "/list-null",		list_null },
	{ "/list-gone",		list_gone },
	{ "/list-kernel",	list_kernel },
	{ "/list-wrap",		list_wrap },
	{ "/list-long",		list_long },
	{ "/list-endless",	list_endless },
	{ "/wait-more",		wait_more },
	{ "/response-null",	response_null },
	{ "/response-gone",	response_gone },
	{ "/response-constant",	response_constant },
	{ "/response-size",	response_size },
	{ "/response-huge",	response_huge },
	{ "/response-same",	response_same },
	{ "/state-unknown",	state_unknown },
	{ "/state-running",	state_running },
	{ "/state-held",	state_held },
	{ "/state-cancel",	state_cancel },
	{ "/request-null",	request_null },
	{ "/request-size",	request_size },
	{ "/request-flags",	request_flags },
	{ "/url-null",		url_null },
	{ "/url-long",		url_long },
	{ "/url-line",		url_line },
	{ "/url-relative",	url_relative },
	{ "/url-absolute",	url_absolute },
	{ "/url-file",		url_file },
	{ "/method-line",	method_line },
	{ "/host-line",		host_line },
	{ "/headers-host",	headers_host },
	{ "/headers-line",	headers_line },
	{ "/headers-null",	headers_null },
	{ "/headers-many",	headers_many },
	{ "/timeout-negative",	timeout_negative },
	{ "/space-list",	space_list },
	{ "/space-response",	space_response },
	{ "/space-request",	space_request },
	{ "/space-text",	space_text },
	{ "/space-kernel",	space_kernel },
	{ "/space-all",		space_all },
};

static void
tell(struct sandbox_reply *rp, long r, const struct sandbox_fetch_response *f)
{

	(void)sandbox_printf(rp, "r=%ld state=%u error=%u\n", r, f->state,
	    f->error);
}

/* Start many, wait for none. */
static void
flood(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static struct all a;
	long i, n, r, good;

	n = guest_long(rq, "n", 10000);
	make(&a);
	for (i = good = r = 0; i < n && r >= 0; i++) {
		sandbox_fetch_init(&a.rq[1], &a.rp[1], url);
		a.list[0] = a.list[1];
		a.n = 1;
		a.wait_for = 0;
		r = call(&a);
		good += a.rp[1].state == SANDBOX_FETCH_RUNNING;
	}
	(void)sandbox_printf(rp, "%ld started, %ld running, ", i, good);
	tell(rp, r, &a.rp[1]);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static struct all a;
	size_t i;

	if (sandbox_get_param(rq, "url", url, sizeof url) < 0)
		(void)strcpy(url, "/");
	if (sandbox_path_is(rq, "/flood")) {
		flood(rq, rp);
		return;
	}
	make(&a);
	if (strncmp(rq->url.ptr, "/leave", 6) == 0) {
		a.wait_for = 0;
		tell(rp, call(&a), &a.rp[1]);
		if (sandbox_path_is(rq, "/leave-dead"))
			abort();
		while (sandbox_path_is(rq, "/leave-hang"))
			continue;
		return;
	}
	i = GUEST_CASE(rq, rp, cases);
	if (i == GUEST_CASES(cases))
		return;
	cases[i].spoil(&a);
	tell(rp, call(&a), &a.rp[1]);
}

int
main(void)
{

	return (guest_serve(bad));
}
