/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What programs of sandbox-jsc are made of, without the engine: memory, text,
 * random bytes.
 */

#include <stdint.h>

#include "test.h"

#include "cells.h"
#include "heap.h"
#include "random.h"
#include "text.h"
#include "url.h"

#define TEST_HEAP	((size_t)32 << 20)

/*--------------------------------------------------------------------
 * Text
 */

static void
text_is(const char *from, size_t len, const char *to, size_t n_wrong)
{
	char buf[64];
	size_t n, w;

	n = text_repair(from, len, NULL, &w);
	CHECK(n == strlen(to) && w == n_wrong);
	n = text_repair(from, len, buf, &w);
	CHECK(n == strlen(to) && w == n_wrong && memcmp(buf, to, n) == 0);
}

/* The examples of the Unicode standard, table 3-8 and those above it. */
static void
test_utf8(void)
{

	text_is("plain", 5, "plain", 0);
	text_is("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9,
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 0);
	text_is("\xc0\xaf", 2, "\xef\xbf\xbd\xef\xbf\xbd", 2);
	text_is("\xed\xa0\x80", 3,
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3);
	text_is("a\xf0\x9f\x98", 4, "a\xef\xbf\xbd", 1);
	text_is("\xe2\x82" "a", 3, "\xef\xbf\xbd" "a", 1);
	text_is("\xf4\x91\x92\x93", 4,
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 4);
	text_is("\xff" "A", 2, "\xef\xbf\xbd" "A", 1);
}

static void
test_surrogates(void)
{
	char s[] = "a\xed\xa0\xbd" "b\xed\x9f\xbf";

	CHECK(text_has_surrogates(s, sizeof s - 1));
	text_drop_surrogates(s, sizeof s - 1);
	CHECK(strcmp(s, "a\xef\xbf\xbd" "b\xed\x9f\xbf") == 0);
	CHECK(!text_has_surrogates(s, sizeof s - 1));
	CHECK(!text_has_surrogates("\xed\xa0", 2));
}

static void
test_latin1(void)
{
	char buf[16] = "", euro[] = "\xe2\x82\xac";
	size_t len;

	len = text_from_latin1("A\xe9" "B", 3, 1, buf);
	CHECK(len == 4 && memcmp(buf, "a\xc3\xa9" "b", 4) == 0);
	CHECK(text_to_latin1(buf, &len) == 0);
	CHECK(len == 3 && memcmp(buf, "a\xe9" "b", 4) == 0);
	len = 3;
	CHECK(text_to_latin1(euro, &len) < 0);
}

static void
base64_is(const char *from, const char *to)
{
	char buf[64];
	size_t len;

	len = strlen(from);
	memcpy(buf, from, len);
	if (to == NULL) {
		CHECK(text_from_base64(buf, &len) < 0);
		return;
	}
	CHECK(text_from_base64(buf, &len) == 0);
	CHECK(len == strlen(to) && memcmp(buf, to, len) == 0);
}

/* RFC 4648, 10., and what the Infra standard calls forgiving. */
static void
test_base64(void)
{
	static const char *const pairs[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};
	char buf[16];
	size_t i, len;

	for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		len = text_to_base64((const unsigned char *)pairs[i][0],
		    strlen(pairs[i][0]), buf);
		CHECK(len == strlen(pairs[i][1]) &&
		    memcmp(buf, pairs[i][1], len) == 0);
		base64_is(pairs[i][1], pairs[i][0]);
	}
	base64_is(" Z\tg\n", "f");
	base64_is("Z", NULL);
	base64_is("Zg=", NULL);
	base64_is("Zg===", NULL);
	base64_is("Z=g=", NULL);
	base64_is("Zm9v=", NULL);
	base64_is("Zm-v", NULL);
}

/*--------------------------------------------------------------------
 * Random bytes
 */

/* RFC 8439, A.1, test vectors 1 and 2. */
static void
test_random(void)
{
	static const uint8_t key[32], want[] = {
		0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90,
		0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28
	}, second[] = {
		0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a
	};
	uint8_t buf[96];
	double d;
	int i;

	random_seed(key);
	random_fill(buf, 7);
	random_fill(buf + 7, sizeof buf - 7);
	CHECK(memcmp(buf, want, sizeof want) == 0);
	CHECK(memcmp(buf + 64, second, sizeof second) == 0);
	for (i = 0; i < 1000; i++) {
		d = random_number();
		CHECK(d >= 0 && d < 1);
	}
}

/*--------------------------------------------------------------------
 * Memory
 */

struct block {
	unsigned char		*p;
	size_t			len;
	unsigned char		fill;
};

static unsigned test_seed = 1;

static unsigned
test_draw(unsigned below)
{

	test_seed = test_seed * 1103515245 + 12345;
	return ((test_seed >> 8) % below);
}

static size_t
test_size(void)
{

	switch (test_draw(8)) {
	case 0:
		return (test_draw(100000));
	case 1:
		return (test_draw(5000));
	default:
		return (test_draw(600));
	}
}

static void
block_check(const struct block *b)
{
	size_t i;

	for (i = 0; i < b->len; i++)
		if (b->p[i] != b->fill) {
			CHECK(!"memory of one block is another's");
			return;
		}
}

static void
block_fill(struct block *b, unsigned n)
{

	b->fill = (unsigned char)n;
	memset(b->p, b->fill, b->len);
}

static void
block_step(struct block *b, unsigned n)
{
	unsigned char *q;
	size_t len;

	if (b->p == NULL) {
		b->len = test_size();
		b->p = cells_alloc(b->len);
		CHECK(b->p != NULL && (uintptr_t)b->p % 8 == 0 &&
		    cells_size(b->p) >= b->len);
		block_fill(b, n);
		return;
	}
	block_check(b);
	if (test_draw(2) == 0) {
		cells_free(b->p);
		b->p = NULL;
		return;
	}
	len = test_size() + 1;
	q = cells_realloc(b->p, len);
	CHECK(q != NULL && cells_size(q) >= len);
	b->p = q;
	if (len < b->len)
		b->len = len;
	block_check(b);
	b->len = len;
	block_fill(b, n);
}

/* Blocks of all sizes come, go and move, and none touches another. */
static void
test_memory(struct block *blocks, size_t n_blocks, unsigned steps)
{
	unsigned i;

	for (i = 0; i < steps; i++)
		block_step(&blocks[test_draw((unsigned)n_blocks)], i);
}

/* What is marked in one life is put together in the next. */
static void
test_profile(void)
{
	uint8_t profile[256];
	size_t len, i;
	char *p[100];

	cells_record();
	cells_phase();
	for (i = 0; i < 100; i++)
		p[i] = cells_alloc(40);
	/* number 100 is where number 97 was */
	cells_free(p[97]);
	CHECK(cells_alloc(40) == p[97]);
	cells_mark((uintptr_t)p[97], CELLS_WRITTEN);
	for (i = 0; i < 100; i += 10)
		cells_mark((uintptr_t)p[i] + 8,
		    CELLS_WRITTEN | (i == 50 ? CELLS_READ : 0));
	cells_mark((uintptr_t)p[33], CELLS_READ);
	cells_mark((uintptr_t)p[66], CELLS_READ);
	cells_mark(8, CELLS_WRITTEN);
	len = cells_marked(profile, sizeof profile);
	/* phase 0: whatever it was, nothing marked; phase 1: 101 cells */
	CHECK(len == 4 + 4 + 26);
	CHECK(profile[0] == 0 && profile[4] == 2 * 101);
	for (i = 0; i < 101; i++)
		CHECK((profile[8 + i / 4] >> i % 4 * 2 & 3) ==
		    (i == 33 || i == 66 ? 2 : i == 50 ? 3 : i % 10 == 0));
	CHECK(cells_marked(profile, 10) == 0);

	cells_profile(profile, len);
	cells_phase();
	for (i = 0; i < 100; i++)
		p[i] = cells_alloc(40);
	for (i = 10; i < 91; i += 10)
		CHECK(p[i] - p[i - 10] == 48);
	CHECK(p[66] - p[33] == 48);
	CHECK(p[11] - p[9] == 48);
	CHECK(p[99] - p[98] == 48);
}

/* Taken apart and joined by "|", or "-". */
static const char *
url_parts(const char *text)
{
	static char buf[256];
	size_t at[URL_N_PART + 1], o = 0;
	char *copy;
	int i;

	/* exactly as long, so that a read behind its end is seen */
	copy = malloc(strlen(text) + 1);
	CHECK(copy != NULL);
	memcpy(copy, text, strlen(text));
	if (url_split(copy, strlen(text), at)) {
		free(copy);
		return ("-");
	}
	CHECK(at[0] == 0 && at[URL_N_PART] == strlen(text));
	for (i = 0; i < URL_N_PART; i++) {
		CHECK(at[i] <= at[i + 1]);
		memcpy(buf + o, copy + at[i], at[i + 1] - at[i]);
		o += at[i + 1] - at[i];
		buf[o++] = '|';
	}
	buf[o] = '\0';
	free(copy);
	return (buf);
}

static void
test_url(void)
{
	static const char *const odd[] = {
		"", "h", "http", "http:", "http:/", "http://", "https://",
		"httpx://a", "HTTP://a", "ftp://a", "http:///a", "http://-",
		"http://a-", "http://-a", "http://a--b", "http://xn--a",
		"http://a.", "http://.a", "http://a..b", "http://A", "http://1",
		"http://1.2.3", "http://1.2.3.256", "http://01.2.3.4",
		"http://a.1", "http://a.1b", "http://1.2.3.4.5", "http://a_b",
		"http://u@a", "http://u:p@a", "http://[::1]", "http://a:",
		"http://a:0", "http://a:01", "http://a:65536", "http://a:99999",
		"http://a:1x", "http://a b", "http://a/ ", "http://a/\"",
		"http://a/<", "http://a/`", "http://a/{", "http://a/^",
		"http://a\\b", "http://a/\\", "http://a/.", "http://a/./b",
		"http://a/..", "http://a/.b", "http://a/%2e", "http://a/b%2E",
		"http://a?", "http://a/#", "http://a?b#", "http://a?'",
		"http://a?\"", "http://a#`", "http://a#<", "http://a/\303\244",
		"http://a/\t", " http://a", "http://a ", "http://\303\244",
	};
	unsigned u;

	for (u = 0; u < sizeof odd / sizeof odd[0]; u++)
		CHECK(!strcmp(url_parts(odd[u]), "-"));
	CHECK(!strcmp(url_parts("http://a"), "http:|//|a|||||"));
	CHECK(!strcmp(url_parts("https://a.b-c.d1:8443/e/f?g=?/h#i#'"),
	    "https:|//|a.b-c.d1|:8443|/e/f|?g=?/h|#i#'|"));
	CHECK(!strcmp(url_parts("http://127.0.0.1:65535?a"),
	    "http:|//|127.0.0.1|:65535||?a||"));
	CHECK(!strcmp(url_parts("http://1.2.3.4.e/"),
	    "http:|//|1.2.3.4.e||/|||"));
	CHECK(!strcmp(url_parts("http://0.0.0.0#%2e/."),
	    "http:|//|0.0.0.0||||#%2e/.|"));
	CHECK(!strcmp(url_parts("http://a/b..c%2/%2"),
	    "http:|//|a||/b..c%2/%2|||"));
	CHECK(!strcmp(url_parts("http://a/?/.&`\\^{}"),
	    "http:|//|a||/|?/.&`\\^{}||"));
	CHECK(!strcmp(url_parts("http://3com/"), "-"));
	CHECK(!strcmp(url_parts("http://3.com/"), "http:|//|3.com||/|||"));
}

static void
test_empty(void)
{
	size_t n;
	void *p;

	for (n = 0; (p = cells_alloc(1000)) != NULL; n++)
		memset(p, 1, 1000);
	CHECK(n > 10000);
	CHECK(cells_alloc((size_t)1 << 40) == NULL);
	CHECK(cells_alloc(SIZE_MAX) == NULL);
	/* a little is left for the error, once */
	CHECK(cells_alloc(1000) != NULL);
}

static void
test_blocks(void)
{
	static struct block blocks[500];

	test_memory(blocks, 500, 20000);
	cells_freeze();
	test_memory(blocks, 500, 20000);
}

int
main(void)
{

	/* It is never given back. */
	if (heap_init(TEST_HEAP) < TEST_HEAP / 2)
		return (1);
	TEST(test_utf8);
	TEST(test_surrogates);
	TEST(test_latin1);
	TEST(test_base64);
	TEST(test_url);
	TEST(test_random);
	TEST(test_profile);
	TEST(test_blocks);
	TEST(test_empty);
	TEST_END();
}
