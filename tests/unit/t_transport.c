/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Another varnishd's struct transport is noticed: vmod/transport.c.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "test.h"
#include "vmod/compat.h"
#include "vmod/transport.h"

static VSBX_DELIVER_T
deliver(VSBX_DELIVER_ARGS)
{

	(void)req;
	(void)sendbody;
	VSBX_DELIVER_UNUSED;
	VSBX_DELIVER_RETURN;
}

static void
req_fail(struct req *req, stream_close_t reason)
{

	(void)req;
	(void)reason;
}

static void
req_body(struct req *req)
{

	(void)req;
}

static void
req_panic(struct vsb *vsb, const struct req *req)
{

	(void)vsb;
	(void)req;
}

static void
reembark(struct worker *wrk, struct req *req)
{

	(void)wrk;
	(void)req;
}

static int
minimal_response(struct req *req, uint16_t status)
{

	(void)req;
	return (status);
}

/* As varnishd's for HTTP/1 is. */
static const struct transport good = {
	.magic =		TRANSPORT_MAGIC,
	.number =		2,
	.proto_ident =		"HTTP",
	.name =			"HTTP/1",
	.req_fail =		req_fail,
	.req_body =		req_body,
	.deliver =		deliver,
	.req_panic =		req_panic,
	.minimal_response =	minimal_response,
};

/* The address of our deliver(), as dlsym() would give it. */
static const void *
address(void)
{
	VSBX_DELIVER_T (*f)(VSBX_DELIVER_ARGS) = deliver;
	const void *p;

	memcpy(&p, &f, sizeof p);
	return (p);
}

/* One member is another. */
#define BAD(member, value, why)						\
	do {								\
		struct transport t = good;				\
		const char *s;						\
									\
		t.member = (value);					\
		s = vsbx_transport_check(&t, sizeof t, address());	\
		CHECK(s != NULL);					\
		CHECK_HAS(s == NULL ? "" : s, why);			\
	} while (0)

static void
members(void)
{

	CHECK(vsbx_transport_check(&good, sizeof good, address()) == NULL);
	BAD(magic, TRANSPORT_MAGIC + 1, "begins differently");
	BAD(name, NULL, "begins differently");
	BAD(name, "HTTP/2", "begins differently");
	BAD(deliver, NULL, "other members");
	BAD(req_fail, NULL, "ends differently");
	BAD(req_body, NULL, "ends differently");
	BAD(req_panic, NULL, "ends differently");
	BAD(reembark, reembark, "ends differently");
	BAD(minimal_response, NULL, "ends differently");
	BAD(number, 0, "other numbers");
	BAD(number, VSBX_TRANSPORT_NUMBER, "other numbers");
}

/* It is not read: there is nothing at these addresses. */
static void
sizes(void)
{
	const void *nowhere = (const void *)(uintptr_t)16;
	size_t i;

	for (i = 0; i <= 2 * sizeof good; i++)
		if (i != sizeof good)
			CHECK_HAS(vsbx_transport_check(nowhere, i, address()),
			    "another size");
}

/* Another function, and none: this varnishd has no V1D_Deliver(). */
static void
functions(void)
{
	struct transport t = good;

	CHECK_HAS(vsbx_transport_check(&good, sizeof good, &good),
	    "other members");
	CHECK_HAS(vsbx_transport_check(&good, sizeof good, NULL),
	    "other members");
	t.deliver = NULL;
	CHECK_HAS(vsbx_transport_check(&t, sizeof t, NULL), "other members");
}

/* A member more in front of a table that is right otherwise. */
static void
shifted(void)
{
	struct {
		unsigned long		first;
		struct transport	t;
	} more = { TRANSPORT_MAGIC, good };

	CHECK_HAS(vsbx_transport_check(&more, sizeof good, address()),
	    "begins differently");
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(members);
	TEST(sizes);
	TEST(functions);
	TEST(shifted);
	TEST_END();
}
