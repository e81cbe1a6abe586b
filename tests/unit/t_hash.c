/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The keyed hash. The values were computed by another implementation, that of
 * CPython 3.11: hash(bytes) with PYTHONHASHSEED=0, which is a key of zeros, and
 * with 12345, of which CPython makes the other key.
 */

#include "config.h"

#include <stdint.h>

#include "vdef.h"
#include "vas.h"

#include "base/hash.h"
#include "test.h"

static const uint64_t zero[2];
static const uint64_t other[2] = {
	UINT64_C(0x25556dc46dc3dca0), UINT64_C(0xfc3ee4dbd06f6c90)
};

/* Byte i of the text is 7 * i + 1. */
static const struct {
	size_t			len;
	uint64_t		with_zero;
	uint64_t		with_other;
} known[] = {
	{ 1, UINT64_C(0x44bc103b1f8540ed), UINT64_C(0x2fa2a562722d7e86) },
	{ 7, UINT64_C(0xb41012aeee05c7d4), UINT64_C(0x64af71461176b0eb) },
	{ 8, UINT64_C(0xd22d9341176d0728), UINT64_C(0x774c3172df2be4f9) },
	{ 9, UINT64_C(0x4ec42971d570753b), UINT64_C(0xc4d947ba817b7140) },
	{ 63, UINT64_C(0x5c34c6b66e3070ff), UINT64_C(0x87adc3b3a6673dd0) },
	{ 64, UINT64_C(0x814eabd66a4299eb), UINT64_C(0xc3f12a00f9755966) },
	{ 300, UINT64_C(0xcf5d9b6ec8561d64), UINT64_C(0xcadf4f439171b54c) },
};

static void
as_others_do(void)
{
	uint8_t text[300];
	unsigned u;

	for (u = 0; u < sizeof text; u++)
		text[u] = (uint8_t)(7 * u + 1);
	for (u = 0; u < sizeof known / sizeof known[0]; u++) {
		CHECK(SBX_Hash(zero, text, known[u].len) ==
		    known[u].with_zero);
		CHECK(SBX_Hash(other, text, known[u].len) ==
		    known[u].with_other);
	}
}

/* Wherever the text is, and nothing behind it is looked at. */
static void
anywhere(void)
{
	char a[64] = "/poison?x=1", b[64] = "xxx/poison?x=1yyy";
	unsigned u;

	for (u = 0; u <= 11; u++)
		CHECK(SBX_Hash(other, a, u) == SBX_Hash(other, b + 3, u));
	CHECK(SBX_Hash(other, a, 11) != SBX_Hash(other, a, 12));
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(as_others_do);
	TEST(anywhere);
	TEST_END();
}
