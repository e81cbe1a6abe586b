/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * fetch.c: the call by which a guest fetches.
 *
 * In this order: everything that decides whether the call is one is copied and
 * checked; what is to be given up is; what is new is copied, checked and
 * started, one by one; then it waits; then what has ended is delivered. The
 * guest's structures say which fetch is meant (handle), and nothing else is
 * believed of what they say about it: what it is is in its slot.
 *
 * The budget, limits.bytes: a fetch pays for the request's strings and body
 * when it is started, and for the answer's when it has ended. Until then room
 * for the answer's body is reserved, so that those that run at the same time
 * can not take more than there is together: max_body, or what is left if that
 * is less. Those of a call that do not say how much they want share what is
 * left equally. So an answer can be too large for what was left, EDQUOT, with
 * budget unused in the end; a guest that minds says max_body.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "hostcall/copy.h"
#include "hostcall/exchange.h"
#include "hostcall/header.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "machine/machine.h"

/*--------------------------------------------------------------------
 * Slots
 */

static struct sbx_fetch_slot *
slot_find(struct sbx_fetches *f, uint32_t handle)
{
	struct sbx_fetch_slot *s = &f->slot[handle % SANDBOX_MAX_FETCH];

	return (handle != 0 && s->handle == handle ? s : NULL);
}

/* The host's part of a request, if it has one for this. */
static const struct sbx_host *
fetch_host(const struct sbx_proc *p)
{

	return (p->host != NULL && p->host->fetch_start != NULL ? p->host :
	    NULL);
}

static void
slot_free(struct sbx_fetches *f, struct sbx_proc *p, struct sbx_fetch_slot *s)
{
	const struct sbx_host *host = fetch_host(p);

	AN(s->handle);
	AN(host);
	host->fetch_drop(host->priv, &s->fetch);
	AZ(s->fetch);
	if (s->answer == NULL)
		f->use.reserved -= s->max_body;
	memset(s, 0, sizeof *s);
	AN(f->n);
	f->n--;
}

void
SBX_Fetch_Begin(struct sbx_fetches *f)
{

	AN(f);
	AZ(f->n);
	memset(&f->use, 0, sizeof f->use);
	f->serial = f->call = 0;
}

void
SBX_Fetch_End(struct sbx_fetches *f, struct sbx_proc *p)
{
	unsigned u;

	AN(f);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	for (u = 0; f->n > 0; u++) {
		assert(u < SANDBOX_MAX_FETCH);
		if (f->slot[u].handle == 0)
			continue;
		f->use.given_up += f->slot[u].answer == NULL;
		slot_free(f, p, &f->slot[u]);
	}
}

/*--------------------------------------------------------------------
 * The list
 */

/* It is over, without an answer. */
static void
item_over(struct sbx_fetches *f, struct sbx_proc *p,
    struct sbx_fetch_item *it, int error)
{

	AN(error);
	if (error != ECANCELED)
		f->use.errors++;
	else if (it->slot != NULL && it->slot->answer == NULL)
		f->use.given_up++;
	if (it->slot != NULL)
		slot_free(f, p, it->slot);
	it->slot = NULL;
	it->error = error;
	if (error == ELOOP)
		f->use.loops++;
}

/* One that is new. What its structure points at is looked at later. */
static int
item_new(struct sbx_fetch_item *it, struct sbx_copy *c, sandbox_gva_t at)
{

	if (!SBX_Copy_Struct(c, &it->request, sizeof it->request, at.va))
		return (0);
	if (c->bad != SBX_BAD_STRUCT)
		return (-EINVAL);
	it->error = EFAULT;
	return (0);
}

/* One that is not. None may be listed twice: it could only end once. */
static int
item_old(struct sbx_fetches *f, struct sbx_fetch_item *it)
{

	it->slot = slot_find(f, it->response.handle);
	if (it->slot == NULL || it->slot->call == f->call)
		return (-EINVAL);
	it->slot->call = f->call;
	return (0);
}

static int
item_read(struct sbx_fetches *f, struct sbx_copy *c, struct sbx_fetch_item *it,
    const struct sandbox_fetch *from)
{

	it->at = from->response;
	it->slot = NULL;
	it->error = 0;
	if (SBX_Copy_Struct(c, &it->response, sizeof it->response, it->at.va))
		return (c->bad == SBX_BAD_STRUCT ? -EFAULT : -EINVAL);
	if (!SBX_Gmem_Check(c->gmem, it->at, sizeof it->response,
	    SBX_ACC_WRITE))
		return (-EFAULT);
	if (it->response.reserved != 0)
		return (-EINVAL);
	switch (it->response.state) {
	case SANDBOX_FETCH_NEW:
		return (item_new(it, c, from->request));
	case SANDBOX_FETCH_RUNNING:
	case SANDBOX_FETCH_HELD:
	case SANDBOX_FETCH_CANCEL:
		return (item_old(f, it));
	case SANDBOX_FETCH_DONE:
		return (0);
	default:
		return (-EINVAL);
	}
}

static int
fetch_read(struct sbx_exchange *x, struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_fetches *f = &x->fetches;
	struct sandbox_fetch list[SANDBOX_MAX_FETCH];
	struct sbx_copy c;
	unsigned u;
	int i;

	if (!p->serving || f->limits.max == 0)
		return (-EPERM);
	if (a[1] > SANDBOX_MAX_FETCH || a[2] > a[1])
		return (-EINVAL);
	SBX_Copy_Init(&c, &p->machine->gmem, &x->store);
	f->call++;
	f->n_item = (unsigned)a[1];
	if (SBX_Gmem_CopyIn(c.gmem, list, (sandbox_gva_t){ a[0] },
	    a[1] * sizeof list[0]))
		return (-EFAULT);
	for (u = 0; u < f->n_item; u++) {
		i = item_read(f, &c, &f->item[u], &list[u]);
		if (i != 0)
			return (i);
	}
	return (0);
}

/*--------------------------------------------------------------------
 * Starting
 */

static int
start_is_line(const struct sbx_txt *t)
{

	return (SBX_Header_IsValue(t) && memchr(t->b, ' ', t->l) == NULL &&
	    memchr(t->b, '\t', t->l) == NULL);
}

/* Which of them are the guest's to send. Returns an errno. */
static int
start_filter(struct sbx_fetch_request *rq, struct sbx_header *h, unsigned n)
{
	unsigned u;

	rq->headers = h;
	for (u = rq->n_headers = 0; u < n; u++) {
		if (SBX_Header_Is(&h[u].name, "Host"))
			return (EINVAL);
		if (!SBX_Header_IsHop(&h[u].name) &&
		    !SBX_Header_Is(&h[u].name, "Content-Length") &&
		    !SBX_Header_Is(&h[u].name, "Expect"))
			h[rq->n_headers++] = h[u];
	}
	return (0);
}

/* Copy and check all but the body. Returns an errno. */
static int
start_head(struct sbx_exchange *x, struct sbx_proc *p,
    const struct sandbox_fetch_request *from, struct sbx_fetch_request *rq)
{
	struct sbx_copy c;

	memset(rq, 0, sizeof *rq);
	if (from->flags != 0 || from->reserved != 0 || from->timeout_ns < 0)
		return (EINVAL);
	SBX_Copy_Init(&c, &p->machine->gmem, &x->store);
	if (SBX_Copy_Str(&c, &from->method, &rq->method) ||
	    SBX_Copy_Str(&c, &from->url, &rq->url) ||
	    SBX_Copy_Str(&c, &from->host, &rq->host) ||
	    SBX_Copy_Headers(&c, from->headers, from->n_headers))
		return (c.bad == SBX_BAD_HEADER || c.bad == SBX_BAD_STRING ?
		    EFAULT : c.bad == SBX_BAD_LONG || c.bad == SBX_BAD_MANY ?
		    E2BIG : EINVAL);
	if (rq->method.l == 0)
		rq->method = SBX_Txt("GET");
	if (!SBX_Header_IsToken(&rq->method) || rq->url.l == 0 ||
	    rq->url.b[0] != '/' || !start_is_line(&rq->url) ||
	    !start_is_line(&rq->host))
		return (EINVAL);
	return (start_filter(rq, x->store.header, from->n_headers));
}

/* What the budget says. Fills what concerns it in (s). Returns an errno. */
static int
start_budget(const struct sbx_exchange *x, const struct sbx_fetch_request *rq,
    uint64_t wants, unsigned share, struct sbx_fetch_slot *s, uint64_t *cost)
{
	const struct sbx_fetches *f = &x->fetches;
	uint64_t left = f->limits.bytes;

	*cost = x->store.used + rq->body_len;
	if (f->use.started >= f->limits.max || rq->body_len > left ||
	    f->use.bytes > left - f->use.reserved ||
	    *cost >= left - f->use.reserved - f->use.bytes)
		return (EDQUOT);
	left -= f->use.reserved + f->use.bytes + *cost;
	s->max_body = share > 0 ? left / share : left;
	s->lowered = wants == 0 || wants > s->max_body;
	if (!s->lowered)
		s->max_body = wants;
	return (0);
}

/* The guest's body where it is, if it lies in a row there, else a copy. The
 * guest does not run before the host has its own. Returns an errno. */
static int
start_body(struct sbx_proc *p, sandbox_gva_t at, struct sbx_fetch_request *rq,
    void **copy)
{
	uint8_t *b;

	*copy = NULL;
	if (rq->body_len == 0)
		return (0);
	if (!SBX_Gmem_Check(&p->machine->gmem, at, rq->body_len,
	    SBX_ACC_READ))
		return (EFAULT);
	if (SBX_Gmem_Span(&p->machine->gmem, at, rq->body_len, SBX_ACC_READ,
	    &b) == rq->body_len) {
		rq->body = b;
		return (0);
	}
	rq->body = *copy = sbx_os.calloc(1, rq->body_len);
	if (rq->body == NULL)
		return (EAGAIN);
	return (SBX_Gmem_CopyIn(&p->machine->gmem, *copy, at, rq->body_len) ?
	    EFAULT : 0);
}

static struct sbx_fetch_slot *
start_slot(struct sbx_fetches *f)
{
	unsigned u;

	for (u = 0; u < SANDBOX_MAX_FETCH; u++)
		if (f->slot[u].handle == 0)
			return (&f->slot[u]);
	return (NULL);
}

/* It runs. A handle is never given twice in a request. */
static void
start_taken(struct sbx_fetches *f, struct sbx_fetch_item *it,
    struct sbx_fetch_slot *to, const struct sbx_fetch_slot *s,
    const struct sbx_proc *p)
{
	int64_t now = SBX_Os_Mono(), timeout = it->request.timeout_ns;

	*to = *s;
	to->handle = ++f->serial * SANDBOX_MAX_FETCH +
	    (uint32_t)(to - f->slot);
	to->call = f->call;
	to->deadline = timeout == 0 || timeout > p->deadline - now ?
	    p->deadline : now + timeout;
	f->use.reserved += to->max_body;
	f->n++;
	it->slot = to;
}

/* (share) of those that are new divide what is left. Returns an errno. */
static int
start_one(struct sbx_exchange *x, struct sbx_proc *p,
    struct sbx_fetch_item *it, unsigned share)
{
	struct sbx_fetches *f = &x->fetches;
	const struct sbx_host *host = fetch_host(p);
	struct sbx_fetch_slot s, *to;
	struct sbx_fetch_request rq;
	uint64_t cost;
	void *copy;
	int i;

	i = start_head(x, p, &it->request, &rq);
	if (i != 0)
		return (i);
	if (host == NULL)
		return (ENETDOWN);
	memset(&s, 0, sizeof s);
	rq.body_len = it->request.body_len;
	i = start_budget(x, &rq, it->request.max_body, share, &s, &cost);
	if (i != 0)
		return (i);
	rq.max_body = s.max_body;
	to = start_slot(f);
	if (to == NULL)
		return (EAGAIN);
	i = start_body(p, it->request.body, &rq, &copy);
	if (i == 0) {
		f->use.started++;
		f->use.bytes += cost;
		i = host->fetch_start(host->priv, &rq, &s.fetch);
	}
	free(copy);
	if (i != 0)
		return (i);
	AN(s.fetch);
	start_taken(f, it, to, &s, p);
	return (0);
}

static int
item_is_new(const struct sbx_fetch_item *it)
{

	return (it->response.state == SANDBOX_FETCH_NEW && it->slot == NULL);
}

/* Those that say how much they want first, then the others. */
static void
fetch_start(struct sbx_exchange *x, struct sbx_proc *p)
{
	struct sbx_fetches *f = &x->fetches;
	struct sbx_fetch_item *it;
	unsigned share = 0;
	int i, pass;

	for (it = f->item; it < f->item + f->n_item; it++)
		if (item_is_new(it)) {
			f->use.asked++;
			if (it->error != 0)
				item_over(f, p, it, it->error);
			else
				share += it->request.max_body == 0;
		}
	for (pass = 0; pass < 2; pass++)
		for (it = f->item; it < f->item + f->n_item; it++) {
			if (!item_is_new(it) || it->error != 0 ||
			    pass != (it->request.max_body == 0))
				continue;
			i = start_one(x, p, it, pass ? share-- : 0);
			if (i != 0)
				item_over(f, p, it, i);
		}
}

static void
fetch_cancel(struct sbx_fetches *f, struct sbx_proc *p)
{
	struct sbx_fetch_item *it;

	for (it = f->item; it < f->item + f->n_item; it++)
		if (it->response.state == SANDBOX_FETCH_CANCEL)
			item_over(f, p, it, ECANCELED);
}

/*--------------------------------------------------------------------
 * Waiting
 */

/* Bytes of an answer. One that has more headers than the guest could answer
 * with is too large. */
static uint64_t
answer_bytes(const struct sbx_fetch_answer *a)
{
	uint64_t l = a->reason.l;
	unsigned u;

	if (a->n_headers > SANDBOX_MAX_HEADERS)
		return (UINT64_MAX);
	for (u = 0; u < a->n_headers; u++)
		l += a->headers[u].name.l + a->headers[u].value.l;
	return (l > SANDBOX_MAX_HEADER_BYTES ? UINT64_MAX : l + a->body_len);
}

/* The answer is there: pay for it. Returns an errno. */
static int
wait_answer(struct sbx_fetches *f, struct sbx_fetch_slot *s,
    const struct sbx_fetch_answer *a)
{
	uint64_t l;

	s->answer = a;
	f->use.reserved -= s->max_body;
	if (a->error == EMSGSIZE && s->lowered)
		return (EDQUOT);
	if (a->error != 0)
		return (a->error);
	l = answer_bytes(a);
	if (l == UINT64_MAX)
		return (EMSGSIZE);
	f->use.bytes += l;
	if (a->body_len > s->max_body)
		return (s->lowered ? EDQUOT : EMSGSIZE);
	f->use.answers++;
	f->use.hits += a->hit != 0;
	return (0);
}

/* Look at one that has not ended yet as far as we know. */
static void
wait_look(struct sbx_fetches *f, struct sbx_proc *p,
    struct sbx_fetch_item *it, int64_t now)
{
	const struct sbx_fetch_answer *a;
	int i = 0;

	a = p->host->fetch_answer(p->host->priv, it->slot->fetch);
	if (a != NULL)
		i = wait_answer(f, it->slot, a);
	else if (now >= it->slot->deadline && now < p->deadline)
		i = ETIMEDOUT;
	if (i != 0)
		item_over(f, p, it, i);
}

/* Those that run go to (run), and the next of their deadlines to (until). */
static unsigned
wait_running(struct sbx_fetches *f, struct sbx_proc *p, int64_t now,
    struct sbx_fetch **run, int64_t *until)
{
	struct sbx_fetch_item *it;
	unsigned n = 0;

	*until = p->deadline;
	for (it = f->item; it < f->item + f->n_item; it++) {
		if (it->slot != NULL && it->slot->answer == NULL)
			wait_look(f, p, it, now);
		if (it->slot == NULL || it->slot->answer != NULL)
			continue;
		run[n++] = it->slot->fetch;
		if (it->slot->deadline < *until)
			*until = it->slot->deadline;
	}
	return (n);
}

/* Returns when (want) in the list have ended, or the process is killed. The
 * host may come back for nothing. */
static void
fetch_wait(struct sbx_fetches *f, struct sbx_proc *p, unsigned want)
{
	struct sbx_fetch *run[SANDBOX_MAX_FETCH];
	int64_t now, until;
	unsigned n;
	int i;

	for (;;) {
		now = SBX_Os_Mono();
		n = wait_running(f, p, now, run, &until);
		if (f->n_item - n >= want)
			return;
		if (now >= p->deadline) {
			SBX_Proc_KillLate(p);
			return;
		}
		i = p->host->fetch_wait(p->host->priv, run, n,
		    want - (f->n_item - n), until);
		p->waited += SBX_Os_Mono() - now;
		if (i < 0) {
			SBX_Proc_Kill(p, SBX_KILL_gone, "the guest was "
			    "waiting for a fetch when its client went away");
			return;
		}
	}
}

/*--------------------------------------------------------------------
 * Telling the guest
 */

/* The answer is there. Tells if the guest has it, or will not get it. */
static void
tell_answer(struct sbx_fetches *f, struct sbx_proc *p,
    struct sbx_fetch_item *it, struct sandbox_fetch_response *r)
{
	int i;

	i = SBX_Fetch_Deliver(p, it->slot->answer, r);
	if (i == EMSGSIZE) {
		r->state = SANDBOX_FETCH_HELD;
		r->handle = it->slot->handle;
		return;
	}
	if (i != 0) {
		item_over(f, p, it, i);
		return;
	}
	slot_free(f, p, it->slot);
	it->slot = NULL;
}

/* Returns 0, or -1 if the guest has lost its structure meanwhile. */
static int
tell_one(struct sbx_fetches *f, struct sbx_proc *p, struct sbx_fetch_item *it)
{
	struct sandbox_fetch_response r;

	if (it->response.state == SANDBOX_FETCH_DONE)
		return (0);
	memset(&r, 0, sizeof r);
	r.size = it->response.size;
	r.space = it->response.space;
	r.space_len = it->response.space_len;
	r.state = SANDBOX_FETCH_DONE;
	if (it->slot != NULL && it->slot->answer != NULL)
		tell_answer(f, p, it, &r);
	else if (it->slot != NULL) {
		r.state = SANDBOX_FETCH_RUNNING;
		r.handle = it->slot->handle;
	}
	if (it->error != 0) {
		memset(&r.status, 0, offsetof(struct sandbox_fetch_response,
		    space) - offsetof(struct sandbox_fetch_response, status));
		r.error = (uint32_t)it->error;
	}
	return (SBX_Gmem_CopyOut(&p->machine->gmem, it->at, &r, sizeof r));
}

static int64_t
fetch_tell(struct sbx_fetches *f, struct sbx_proc *p)
{
	struct sbx_fetch_item *it;
	int64_t ended = 0;
	int failed = 0;

	for (it = f->item; it < f->item + f->n_item; it++) {
		ended += it->slot == NULL || it->slot->answer != NULL;
		failed |= tell_one(f, p, it);
	}
	return (failed ? -EFAULT : ended);
}

int64_t
SBX_Fetch_Call(struct sbx_exchange *x, struct sbx_proc *p, const uint64_t *a)
{
	struct sbx_fetches *f;
	int64_t i;

	CHECK_OBJ_NOTNULL(x, SBX_EXCHANGE_MAGIC);
	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	AN(a);
	f = &x->fetches;
	i = fetch_read(x, p, a);
	if (i != 0)
		return (i);
	fetch_cancel(f, p);
	fetch_start(x, p);
	fetch_wait(f, p, (unsigned)a[2]);
	if (p->kill != SBX_KILL_NONE)
		return (-EINTR);
	return (fetch_tell(f, p));
}
