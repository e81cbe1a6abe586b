/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers with a response that can not be read, or that points at things that
 * can not be; the path says how. /at?addr=A (hex) puts the response there.
 */

#include "../guest.h"

#define KERNEL		0xffff800000000000

/* Spoil it as the path says, and return where the response is; 1: unknown. */
static uint64_t
spoil(const struct sandbox_request *rq, struct sandbox_response *rsp,
    struct sandbox_header *h)
{
	static char edge[2 * GUEST_PAGE];
	uint64_t at = (uintptr_t)rsp;

	if (sandbox_path_is(rq, "/at"))
		return (guest_hex(rq, "addr", 0x1000));
	if (sandbox_path_is(rq, "/good"))
		return (at);
	if (sandbox_path_is(rq, "/kernel"))
		return (KERNEL);
	if (sandbox_path_is(rq, "/low"))
		return (0x1000);
	if (sandbox_path_is(rq, "/wrap"))
		return (0xfffffffffffffff8);
	if (sandbox_path_is(rq, "/unaligned")) {
		memcpy(edge + GUEST_PAGE - 13, rsp, sizeof *rsp);
		return ((uintptr_t)edge + GUEST_PAGE - 13);
	}
	if (sandbox_path_is(rq, "/size-0"))
		rsp->size = 0;
	else if (sandbox_path_is(rq, "/size-1"))
		rsp->size = 1;
	else if (sandbox_path_is(rq, "/size-huge"))
		rsp->size = UINT32_MAX;
	else if (sandbox_path_is(rq, "/reserved"))
		rsp->reserved = 1;
	else if (sandbox_path_is(rq, "/headers-null"))
		rsp->headers = NULL;
	else if (sandbox_path_is(rq, "/headers-kernel"))
		rsp->headers = (struct sandbox_header *)KERNEL;
	else if (sandbox_path_is(rq, "/headers-count"))
		rsp->n_headers = UINT32_MAX;
	else if (sandbox_path_is(rq, "/name-null"))
		h[1].name.ptr = NULL;
	else if (sandbox_path_is(rq, "/name-kernel"))
		h[1].name.ptr = (const char *)KERNEL;
	else if (sandbox_path_is(rq, "/name-len"))
		h[1].name.len = UINT32_MAX;
	else if (sandbox_path_is(rq, "/value-low"))
		h[1].value.ptr = (const char *)0x1000;
	else if (sandbox_path_is(rq, "/value-len"))
		h[1].value.len = UINT32_MAX;
	else if (sandbox_path_is(rq, "/reason-kernel"))
		rsp->reason = guest_str((const char *)KERNEL, 4);
	else if (sandbox_path_is(rq, "/reason-len"))
		rsp->reason = guest_str("Fine", UINT32_MAX);
	else
		return (1);
	return (at);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static struct sandbox_response rsp;
	static struct sandbox_header h[2];
	uint64_t at;

	rsp = guest_response();
	h[0].name = h[1].name = guest_str("X-Good", 6);
	h[0].value = h[1].value = guest_str("good", 4);
	rsp.headers = h;
	rsp.n_headers = 2;
	at = spoil(rq, &rsp, h);
	if (at == 1)
		sandbox_fail(rp, 404, "No such case.");
	else {
		guest_answer(at);
		sandbox_puts(rp, "still alive\n");
	}
}

int
main(void)
{

	return (guest_serve(bad));
}
