/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * From the guest's answer to beresp.
 *
 * The core has checked the answer's characters. How much there is of it is
 * the guest's choice within the limits of the ABI, and has to be checked
 * against what this fetch has room for.
 */

#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cache/cache.h"

#include "sandbox_abi.h"

#include "base/err.h"
#include "hostcall/header.h"
#include "pool/vm.h"
#include "vmod/compat.h"
#include "vmod/vsbx.h"

/* What the answer becomes, before anything is written. */
struct resp_plan {
	unsigned			magic;
#define RESP_PLAN_MAGIC			0x6f02b8c7
	const struct sbx_answer		*ans;
	unsigned			is_head;
	uint64_t			body_len;	/* to deliver */
	char				cl[24];		/* Content-Length */
	unsigned			n;		/* headers */
	size_t				bytes;		/* for all of them */
};

static int
resp_is_ours(const struct sbx_header *h)
{

	return (SBX_Header_IsHop(&h->name) ||
	    SBX_Header_Is(&h->name, "Content-Length") ||
	    SBX_Header_Is(&h->name, "X-Varnish") ||
	    SBX_Header_Is(&h->name, "X-Vinyl") ||
	    (h->name.l >= 6 && !strncasecmp(h->name.b, "Proxy-", 6)));
}

/* The guest's own one is worth something only if there is no body to tell
 * from, and only if it is a number. */
static void
resp_head_length(struct resp_plan *rp)
{
	const struct sbx_header *h;
	unsigned u;
	size_t l;

	for (u = 0; u < rp->ans->n_headers; u++) {
		h = &rp->ans->headers[u];
		if (!SBX_Header_Is(&h->name, "Content-Length"))
			continue;
		if (h->value.l == 0 || h->value.l > 18)
			return;
		for (l = 0; l < h->value.l; l++)
			if (!isdigit((unsigned char)h->value.b[l]))
				return;
		memcpy(rp->cl, h->value.b, h->value.l);
		rp->cl[h->value.l] = '\0';
		return;
	}
}

static void
resp_plan_body(struct resp_plan *rp)
{
	const struct sbx_answer *ans;

	CHECK_OBJ_NOTNULL(rp, RESP_PLAN_MAGIC);
	ans = rp->ans;
	if (ans->status == 204 || ans->status == 304)
		return;
	if (rp->is_head && ans->body_len == 0) {
		resp_head_length(rp);
		return;
	}
	bprintf(rp->cl, "%ju", (uintmax_t)ans->body_len);
	if (!rp->is_head)
		rp->body_len = ans->body_len;
}

static int
resp_plan_headers(struct resp_plan *rp, struct sbx_err *err)
{
	const struct sbx_header *h;
	unsigned u;

	CHECK_OBJ_NOTNULL(rp, RESP_PLAN_MAGIC);
	if (rp->ans->n_headers > SANDBOX_MAX_HEADERS)
		return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "the response has %u headers", rp->ans->n_headers));
	for (u = 0; u < rp->ans->n_headers; u++) {
		h = &rp->ans->headers[u];
		if (h->name.l > SANDBOX_MAX_HEADER_BYTES ||
		    h->value.l > SANDBOX_MAX_HEADER_BYTES)
			return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
			    "header %u of the response is too long", u));
		if (resp_is_ours(h))
			continue;
		rp->n++;
		rp->bytes += h->name.l + 2 + h->value.l + 1;
	}
	if (rp->cl[0] != '\0') {
		rp->n++;
		rp->bytes += sizeof "Content-Length: " + strlen(rp->cl);
	}
	if (rp->ans->reason.l > SANDBOX_MAX_HEADER_BYTES)
		return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "the reason of the response is too long"));
	rp->bytes += sizeof "200" + rp->ans->reason.l + 1;
	return (0);
}

/*--------------------------------------------------------------------*/

/* Without logging it, as http_SetH() does: see VSBX_LOG_BERESP(). */
static void
resp_field(const struct http *hp, unsigned n, const char *b, const char *e)
{

	CHECK_OBJ_NOTNULL(hp, HTTP_MAGIC);
	assert(n < hp->shd);
	hp->hd[n].b = b;
	hp->hd[n].e = e;
	hp->hdf[n] = 0;
}

static char *
resp_cat(char *p, const char *b, size_t l)
{

	memcpy(p, b, l);
	return (p + l);
}

static char *
resp_header(struct http *hp, char *p, const struct sbx_txt *name,
    const struct sbx_txt *value)
{
	char *b;

	b = p;
	p = resp_cat(p, name->b, name->l);
	p = resp_cat(p, ": ", 2);
	p = resp_cat(p, value->b, value->l);
	*p = '\0';
	resp_field(hp, hp->nhd++, b, p);
	return (p + 1);
}

/* "200", then the reason. */
static char *
resp_first_line(struct http *hp, const struct resp_plan *rp, char *p)
{
	static const char proto[] = "HTTP/1.1";
	const char *reason;
	unsigned status;

	resp_field(hp, HTTP_HDR_PROTO, proto, proto + sizeof proto - 1);
	http_Proto(hp);

	status = rp->ans->status;
	hp->status = (uint16_t)status;
	p[0] = (char)('0' + status / 100);
	p[1] = (char)('0' + status / 10 % 10);
	p[2] = (char)('0' + status % 10);
	p[3] = '\0';
	resp_field(hp, HTTP_HDR_STATUS, p, p + 3);
	p += 4;

	if (rp->ans->reason.l == 0) {
		reason = http_Status2Reason(status, NULL);
		resp_field(hp, HTTP_HDR_REASON, reason,
		    reason + strlen(reason));
		return (p);
	}
	reason = p;
	p = resp_cat(p, rp->ans->reason.b, rp->ans->reason.l);
	*p = '\0';
	resp_field(hp, HTTP_HDR_REASON, reason, p);
	return (p + 1);
}

/* There is room for what was planned: (p) has that many bytes. */
static void
resp_write(struct http *hp, const struct resp_plan *rp, char *p)
{
	static const char cl[] = "Content-Length";
	struct sbx_txt name, value;
	const char *e;
	unsigned u;

	CHECK_OBJ_NOTNULL(rp, RESP_PLAN_MAGIC);
	e = p + rp->bytes;
	p = resp_first_line(hp, rp, p);
	for (u = 0; u < rp->ans->n_headers; u++)
		if (!resp_is_ours(&rp->ans->headers[u]))
			p = resp_header(hp, p, &rp->ans->headers[u].name,
			    &rp->ans->headers[u].value);
	if (rp->cl[0] != '\0') {
		name.b = cl;
		name.l = sizeof cl - 1;
		value.b = rp->cl;
		value.l = strlen(rp->cl);
		p = resp_header(hp, p, &name, &value);
	}
	assert(p <= e);
}

static int
resp_full(struct sbx_err *err)
{

	return (SBX_Err_Set(err, SBX_FAIL_HOST, 0,
	    "the response does not fit into workspace_backend; raise that "
	    "parameter"));
}

int
vsbx_response_apply(struct busyobj *bo, struct vsbx_task *task,
    struct sbx_err *err)
{
	struct resp_plan rp[1];
	struct http *hp;
	char *p;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	hp = bo->beresp;
	CHECK_OBJ_NOTNULL(hp, HTTP_MAGIC);
	INIT_OBJ(rp, RESP_PLAN_MAGIC);
	rp->ans = SBX_VM_Answer(task->vm);
	AN(rp->ans);
	rp->is_head = !strcmp(http_GetMethod(bo->bereq), "HEAD");
	if (rp->ans->status < 200 || rp->ans->status > 999)
		return (SBX_Err_Set(err, SBX_FAIL_GUEST, 0,
		    "status %u is not from 200 to 999", rp->ans->status));
	resp_plan_body(rp);
	if (resp_plan_headers(rp, err))
		return (-1);

	/* Varnish may have to add a Date. */
	if (hp->nhd + rp->n + 1 > hp->shd)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, 0,
		    "the response has more headers than http_max_hdr; raise "
		    "that parameter"));
	p = WS_Alloc(bo->ws, (unsigned)rp->bytes);
	if (p == NULL)
		return (resp_full(err));
	if (vsbx_body_open(bo, task, rp->body_len))
		return (resp_full(err));
	resp_write(hp, rp, p);
	bo->acct.beresp_hdrbytes += rp->bytes;
	VSBX_LOG_BERESP(bo);
	return (0);
}
