/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Errors: the first one wins, context goes in front, nothing overflows.
 */

#include "config.h"

#include <errno.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"
#include "test.h"

static void
first_wins(void)
{
	struct sbx_err e;

	SBX_Err_Clear(&e);
	CHECK_EQ(e.kind, SBX_FAIL_NONE);
	CHECK_EQ(SBX_Err_Set(&e, SBX_FAIL_HOST, ENOMEM, "page %d", 7), -1);
	CHECK(!strcmp(e.msg, "page 7: Cannot allocate memory (limit: memory, "
	    "vm.max_map_count)"));
	CHECK_EQ(SBX_Err_Set(&e, SBX_FAIL_GUEST, 0, "other"), -1);
	CHECK_EQ(e.kind, SBX_FAIL_HOST);
	CHECK(!strncmp(e.msg, "page 7: ", 8));
	SBX_Err_Clear(&e);
	(void)SBX_Err_Set(&e, SBX_FAIL_CONFIG, ENOMEM, "file");
	CHECK(!strcmp(e.msg, "file: Cannot allocate memory"));
}

static void
wrapping(void)
{
	struct sbx_err e;

	SBX_Err_Clear(&e);
	(void)SBX_Err_Set(&e, SBX_FAIL_CONFIG, 0, "inner");
	CHECK_EQ(SBX_Err_Wrap(&e, "middle %s", "x"), -1);
	CHECK_EQ(SBX_Err_Wrap(&e, "outer"), -1);
	CHECK(!strcmp(e.msg, "outer: middle x: inner"));
}

static void
long_ones(void)
{
	static char big[4096];
	struct sbx_err e;

	memset(big, 'a', sizeof big - 1);
	SBX_Err_Clear(&e);
	(void)SBX_Err_Set(&e, SBX_FAIL_CONFIG, EINVAL, "%s", big);
	CHECK_EQ(strlen(e.msg), SBX_ERR_MAX - 1);
	(void)SBX_Err_Wrap(&e, "front");
	CHECK_EQ(strlen(e.msg), SBX_ERR_MAX - 1);
	CHECK(!strncmp(e.msg, "front: aaa", 10));
	(void)SBX_Err_Wrap(&e, "%s", big);
	CHECK(strlen(e.msg) < SBX_ERR_MAX);
}

/* Words of a program's that move the cursor. */
static void
control_characters(void)
{
	struct sbx_err e;

	SBX_Err_Clear(&e);
	(void)SBX_Err_Set(&e, SBX_FAIL_CONFIG, 0, "%s",
	    "a\033[1mb\nc\177\xc3\xa9");
	CHECK(!strcmp(e.msg, "a?[1mb?c?\xc3\xa9"));
	(void)SBX_Err_Wrap(&e, "%s", "d\r");
	CHECK(!strcmp(e.msg, "d?: a?[1mb?c?\xc3\xa9"));
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(first_wins);
	TEST(wrapping);
	TEST(long_ones);
	TEST(control_characters);
	TEST_END();
}
