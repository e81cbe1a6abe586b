/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The request block as a guest finds it, and answers of every bad kind.
 */

#include "config.h"

#include "vdef.h"
#include "vas.h"

#include "test.h"
#include "world.h"

static struct world w;
static struct sbx_err err;

#define TXT(s)			{ (s), sizeof (s) - 1 }

static const struct sbx_header headers[] = {
	{ TXT("Host"), TXT("example.com") },
	{ TXT("X-Empty"), TXT("") },
};

static const struct sbx_request plain = {
	.method = TXT("POST"),
	.url = TXT("/path?query"),
	.proto = TXT("HTTP/1.1"),
	.arg = TXT("argument"),
	.client_ip = TXT("192.0.2.1"),
	.client_port = 4711,
	.xid = 12345,
	.n_headers = 2,
	.headers = headers,
};

static const struct sbx_moment now = {
	.wall_ns = 1, .mono_ns = 2, .timeout_ns = 3, .random = { 4, 5, 6 },
};

/* The string that the guest finds, with its NUL. */
static const char *
str(struct sandbox_str s)
{
	static char buf[4][8192];
	static unsigned n;
	char *b = buf[n++ % 4];

	World_Get(&w, s.ptr.va, b, s.len + 1);
	CHECK_EQ(b[s.len], 0);
	CHECK_EQ(strlen(b), s.len);
	return (b);
}

static void
request_block(void)
{
	struct sandbox_request r;
	struct sandbox_header h[2];
	char body[8];

	World_New(&w, NULL);
	SBX_Err_Clear(&err);
	/* the window need not be zero */
	memset(SBX_Gmem_Phys(&w.m.gmem, (sbx_gpa_t){ *SBX_Gmem_Entry(
	    &w.m.gmem, (sandbox_gva_t){ WORLD_WINDOW }) & SBX_PTE_ADDR },
	    SBX_PAGE), 0xff, SBX_PAGE);
	CHECK_EQ(SBX_Exchange_Body(&w.x, &w.proc, "body", 4, &err), 0);
	CHECK_EQ(SBX_Exchange_Body(&w.x, &w.proc, "more", 4, &err), 0);
	CHECK_EQ(SBX_Exchange_Request(&w.x, &w.proc, &plain, &now, &err), 0);
	World_Get(&w, WORLD_WINDOW, &r, sizeof r);
	CHECK_EQ(r.version, SANDBOX_ABI_VERSION);
	CHECK_EQ(r.size, sizeof r);
	CHECK_EQ(r.n_headers, 2);
	CHECK_EQ(r.body_len, 8);
	CHECK_EQ(r.body.va % SBX_PAGE, 0);
	CHECK_EQ(r.max_response_body, w.x.body_max);
	CHECK_EQ(r.xid, 12345);
	CHECK_EQ(r.wall_ns, 1);
	CHECK_EQ(r.mono_ns, 2);
	CHECK_EQ(r.timeout_ns, 3);
	CHECK_EQ(r.random[2], 6);
	CHECK_EQ(r.client_port, 4711);
	CHECK(!strcmp(str(r.method), "POST"));
	CHECK(!strcmp(str(r.url), "/path?query"));
	CHECK(!strcmp(str(r.proto), "HTTP/1.1"));
	CHECK(!strcmp(str(r.arg), "argument"));
	CHECK(!strcmp(str(r.client_ip), "192.0.2.1"));
	World_Get(&w, r.headers.va, h, sizeof h);
	CHECK(!strcmp(str(h[0].name), "Host"));
	CHECK(!strcmp(str(h[0].value), "example.com"));
	CHECK(!strcmp(str(h[1].name), "X-Empty"));
	CHECK(!strcmp(str(h[1].value), ""));
	World_Get(&w, r.body.va, body, 8);
	CHECK(!memcmp(body, "bodymore", 8));
	World_Fini(&w);
}

static void
request_limits(void)
{
	static struct sbx_header many[5000];
	static char big[SANDBOX_MAX_REQUEST_BLOCK];
	struct sbx_request r = plain;
	size_t l;

	World_New(&w, NULL);
	SBX_Err_Clear(&err);
	memset(big, 'a', sizeof big);
	CHECK_EQ(SBX_Exchange_Body(&w.x, &w.proc, big, WORLD_BODY, &err), 0);
	CHECK_EQ(SBX_Exchange_Body(&w.x, &w.proc, big, 0, &err), 0);
	CHECK_EQ(SBX_Exchange_Body(&w.x, &w.proc, big, 1, &err), -1);
	CHECK_EQ(err.kind, SBX_FAIL_REQUEST);
	CHECK_HAS(err.msg, "max_request_body");
	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Exchange_Body(&w.x, &w.proc, big, UINT64_MAX, &err), -1);
	/* every length around the one that just fits */
	for (l = sizeof big - 400; l < sizeof big; l++) {
		SBX_Err_Clear(&err);
		r.url.b = big;
		r.url.l = l;
		if (SBX_Exchange_Request(&w.x, &w.proc, &r, &now, &err)) {
			CHECK_EQ(err.kind, SBX_FAIL_REQUEST);
			break;
		}
	}
	CHECK(l > sizeof big - 400 && l < sizeof big - 200);
	r = plain;
	r.n_headers = 5000;
	r.headers = many;
	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Exchange_Request(&w.x, &w.proc, &r, &now, &err), -1);
	CHECK_EQ(err.kind, SBX_FAIL_REQUEST);
	World_Fini(&w);
}

/*--------------------------------------------------------------------
 * Answers. They live in the arena: response, headers, strings.
 */

#define AT_RESPONSE		(WORLD_ARENA + 8)
#define AT_HEADERS		(WORLD_ARENA + 0x1000 - 32)
#define AT_STRINGS		(WORLD_ARENA + 0x8000)
#define AT_BODY			(WORLD_ARENA + 0x100ff0)
#define END			(WORLD_ARENA + WORLD_ARENA_LEN)

static struct sandbox_response rsp;
static struct sandbox_header hdr[SANDBOX_MAX_HEADERS + 1];

static struct sandbox_str
put(const char *s, size_t l)
{
	static uint64_t at;
	struct sandbox_str r;

	if (at < AT_STRINGS || at > AT_STRINGS + 0x40000)
		at = AT_STRINGS;
	World_Put(&w, at, s, l);
	memset(&r, 0, sizeof r);
	r.ptr.va = at;
	r.len = (uint32_t)l;
	at += l;
	return (r);
}

static void
make(void)
{

	memset(&rsp, 0, sizeof rsp);
	memset(hdr, 0, sizeof hdr);
	rsp.size = sizeof rsp;
	rsp.status = 200;
	rsp.headers.va = AT_HEADERS;
	rsp.n_headers = 2;
	rsp.body.va = AT_BODY;
	rsp.body_len = 100;
	hdr[0].name = put("Content-Type", 12);
	hdr[0].value = put("text/plain; x=\"\xc3\xa4\"\t", 19);
	hdr[1].name = put("x-y_z!", 6);
}

/* 0 if it is taken. */
static int
answer(void)
{

	w.proc.kill = SBX_KILL_NONE;
	SBX_Err_Clear(&w.proc.err);
	SBX_Exchange_Begin(&w.x);
	World_Put(&w, AT_RESPONSE, &rsp, sizeof rsp);
	World_Put(&w, AT_HEADERS, hdr, sizeof hdr);
	return (SBX_Exchange_Answer(&w.x, &w.proc, AT_RESPONSE));
}

static void
refused(const char *why)
{

	CHECK_EQ(answer(), -1);
	CHECK_EQ(w.proc.kill, SBX_KILL_answer);
	CHECK_EQ(w.proc.err.kind, SBX_FAIL_GUEST);
	CHECK_HAS(w.proc.err.msg, why);
}

#define REFUSED(field, value, why)					\
	do {								\
		make();							\
		field = (value);					\
		refused(why);						\
	} while (0)

static void
good_answer(void)
{
	char buf[200];

	World_New(&w, NULL);
	make();
	rsp.reason = put("Fine", 4);
	World_Put(&w, AT_BODY, "0123456789", 10);
	CHECK_EQ(answer(), 0);
	CHECK_EQ(w.x.answer.status, 200);
	CHECK_EQ(w.x.answer.reason.l, 4);
	CHECK_EQ(w.x.answer.n_headers, 2);
	CHECK_EQ(w.x.answer.headers[1].value.l, 0);
	CHECK_EQ(w.x.answer.body_len, 100);
	CHECK_EQ(SBX_Exchange_AnswerBody(&w.x, &w.proc, 8, buf, 200), 92);
	CHECK(!memcmp(buf, "89", 2));
	CHECK_EQ(SBX_Exchange_AnswerBody(&w.x, &w.proc, 99, buf, 200), 1);
	CHECK_EQ(SBX_Exchange_AnswerBody(&w.x, &w.proc, 100, buf, 200), 0);
	CHECK_EQ(SBX_Exchange_AnswerBody(&w.x, &w.proc, UINT64_MAX, buf, 1),
	    0);
	/* nothing at all is an answer too, and so are the limits */
	memset(&rsp, 0, sizeof rsp);
	rsp.size = sizeof rsp;
	rsp.status = 999;
	CHECK_EQ(answer(), 0);
	make();
	rsp.body.va = END - w.x.body_max;
	rsp.body_len = w.x.body_max;
	CHECK_EQ(answer(), 0);
	World_Fini(&w);
}

/* As from a later SDK: longer, and what is new is zero or is not. */
static void
longer_answer(void)
{

	World_New(&w, NULL);
	make();
	rsp.size = sizeof rsp + 8;
	CHECK_EQ(answer(), 0);
	World_Put(&w, AT_RESPONSE + sizeof rsp + 7, "x", 1);
	refused("does not know");
	rsp.size = sizeof rsp + 7;
	CHECK_EQ(answer(), 0);
	World_Fini(&w);
}

static void
bad_answers(void)
{

	World_New(&w, NULL);
	REFUSED(rsp.size, 0, "struct sandbox_response");
	REFUSED(rsp.size, UINT32_MAX, "struct sandbox_response");
	REFUSED(rsp.size, sizeof rsp - 1, "struct sandbox_response");
	REFUSED(rsp.reserved, 1, "does not know");
	REFUSED(hdr[0].value.reserved, 1, "reserved");
	REFUSED(rsp.body.va, SBX_SYS_ENTRY, "does not have");
	REFUSED(rsp.status, 0, "status 0");
	REFUSED(rsp.status, 199, "status");
	REFUSED(rsp.status, 1000, "status");
	REFUSED(rsp.status, UINT32_MAX, "status");
	REFUSED(rsp.n_headers, SANDBOX_MAX_HEADERS + 1, "headers");
	REFUSED(rsp.n_headers, UINT32_MAX, "headers");
	REFUSED(rsp.headers.va, 0, "does not have");
	REFUSED(rsp.headers.va, END - 31, "does not have");
	REFUSED(rsp.headers.va, UINT64_MAX - 15, "does not have");
	REFUSED(rsp.headers.va, WORLD_KERNEL, "does not have");
	REFUSED(hdr[0].name.ptr.va, 0, "does not have");
	REFUSED(hdr[0].name.ptr.va, UINT64_MAX, "does not have");
	REFUSED(hdr[0].name.len, UINT32_MAX, "more than 65536");
	REFUSED(hdr[0].name.len, 0, "name of header 0");
	REFUSED(hdr[1].value.len, 65537, "more than 65536");
	REFUSED(rsp.reason.len, 65537, "more than 65536");
	REFUSED(rsp.reason, put("a\rb", 3), "reason");
	/* each of them is short enough, together they are not */
	make();
	hdr[0].name.len = hdr[0].value.len = hdr[1].name.len = 1;
	rsp.reason.ptr.va = AT_STRINGS;
	rsp.reason.len = 65534;
	refused("more than 65536");
	REFUSED(rsp.body_len, w.x.body_max + 1, "max_response_body");
	REFUSED(rsp.body_len, UINT64_MAX, "max_response_body");
	REFUSED(rsp.body.va, 0, "does not have");
	REFUSED(rsp.body.va, END - 99, "does not have");
	REFUSED(rsp.body.va, UINT64_MAX - 50, "does not have");
	REFUSED(rsp.body.va, WORLD_KERNEL, "does not have");
	REFUSED(rsp.body.va, UINT64_C(0xffff800000000000), "does not have");
	/* the response itself */
	make();
	CHECK_EQ(answer(), 0);
	CHECK_EQ(SBX_Exchange_Answer(&w.x, &w.proc, END - 55), -1);
	CHECK_EQ(SBX_Exchange_Answer(&w.x, &w.proc, UINT64_MAX), -1);
	World_Fini(&w);
}

/* Each byte in a name, in a value, in the reason: RFC 9110 says which. */
static void
bad_bytes(void)
{
	unsigned c;
	char b[3] = { 'a', 'X', 'b' };
	int token, value;

	World_New(&w, NULL);
	for (c = 0; c < 256; c++) {
		b[1] = (char)c;
		token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		    (c >= 'A' && c <= 'Z') ||
		    (c != 0 && c < 128 && strchr("!#$%&'*+-.^_`|~", (int)c));
		value = c == '\t' || (c >= ' ' && c != 0x7f);
		make();
		hdr[0].name = put(b, 3);
		CHECK_EQ(answer(), token ? 0 : -1);
		make();
		hdr[0].value = put(b, 3);
		CHECK_EQ(answer(), value ? 0 : -1);
		make();
		rsp.reason = put(b, 3);
		CHECK_EQ(answer(), value ? 0 : -1);
	}
	World_Fini(&w);
}

static void
calls(void)
{
	uint64_t a[6] = { 0 };
	int64_t r = 0;

	World_New(&w, NULL);
	CHECK(SBX_Hostcall_Is(SANDBOX_CALL_NEXT));
	CHECK(!SBX_Hostcall_Is(0));
	CHECK(!SBX_Hostcall_Is(UINT64_MAX));
	CHECK_EQ(SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_BASE, a, &r),
	    SBX_NEXT_RETURN);
	CHECK_EQ(r, -38);
	World_Put(&w, WORLD_ARENA, "a\nb\x1b", 4);
	a[1] = WORLD_ARENA;
	a[2] = 4;
	CHECK_EQ(SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_LOG, a, &r),
	    SBX_NEXT_RETURN);
	CHECK_EQ(r, 0);
	CHECK_HAS(w.log, "0:a?b?\n");
	a[0] = 2;
	(void)SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_LOG, a, &r);
	CHECK_EQ(r, -22);
	a[0] = 1;
	a[1] = 0;
	(void)SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_LOG, a, &r);
	CHECK_EQ(r, -14);
	/* asking without answering; asking too early with an answer */
	memset(a, 0, sizeof a);
	a[0] = SANDBOX_ABI_VERSION;
	CHECK_EQ(SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_NEXT, a, &r),
	    SBX_NEXT_KILLED);
	CHECK_HAS(w.proc.err.msg, "without answering");
	w.proc.serving = 0;
	CHECK_EQ(SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_NEXT, a, &r),
	    SBX_NEXT_READY);
	a[1] = 1;
	CHECK_EQ(SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_NEXT, a, &r),
	    SBX_NEXT_RETURN);
	CHECK_EQ(r, -22);
	a[0]++;
	CHECK_EQ(SBX_Hostcall(&w.x, &w.proc, SANDBOX_CALL_NEXT, a, &r),
	    SBX_NEXT_RETURN);
	CHECK_EQ(r, -71);
	World_Fini(&w);
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(request_block);
	TEST(request_limits);
	TEST(good_answer);
	TEST(longer_answer);
	TEST(bad_answers);
	TEST(bad_bytes);
	TEST(calls);
	TEST_END();
}
