/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of libsandbox that need neither a host nor a command line.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdk.h"

#define CHECK(e)							\
	do {								\
		n_checks++;						\
		if (!(e)) {						\
			(void)fprintf(stderr, "%s:%d: failed: %s\n",	\
			    __FILE__, __LINE__, #e);			\
			n_failed++;					\
		}							\
	} while (0)

static unsigned n_checks, n_failed;

static struct sandbox_str
str(const char *text)
{
	struct sandbox_str s;

	s.ptr = text;
	s.len = (uint32_t)strlen(text);
	s.reserved = 0;
	return (s);
}

static struct sandbox_request
request(const char *url)
{
	struct sandbox_request rq;

	memset(&rq, 0, sizeof rq);
	rq.url = str(url);
	rq.max_response_body = 1 << 20;
	return (rq);
}

static int
is(struct sandbox_str s, const char *text)
{

	return (s.len == strlen(text) && memcmp(s.ptr, text, s.len) == 0);
}

/*--------------------------------------------------------------------
 * Requests
 */

static void
test_headers(void)
{
	struct sandbox_request rq = request("/");
	struct sandbox_header h[4];
	char buf[16];

	CHECK(sandbox_get_header(&rq, "Host") == NULL);
	h[0].name = str("Host");
	h[0].value = str("example.com");
	h[1].name = str("accept");
	h[1].value = str("a");
	h[2].name = str("Accept-Language");
	h[2].value = str("");
	h[3].name = str("ACCEPT");
	h[3].value = str("b");
	rq.headers = h;
	rq.n_headers = 4;
	CHECK(strcmp(sandbox_get_header(&rq, "hOST"), "example.com") == 0);
	CHECK(strcmp(sandbox_get_header(&rq, "Accept"), "a") == 0);
	CHECK(strcmp(sandbox_nth_header(&rq, "Accept", 1), "b") == 0);
	CHECK(sandbox_nth_header(&rq, "Accept", 2) == NULL);
	CHECK(sandbox_get_header(&rq, "Hos") == NULL);
	CHECK(sandbox_get_header(&rq, "Host:") == NULL);
	CHECK(sandbox_get_header(&rq, "") == NULL);
	CHECK(strcmp(sandbox_get_header(&rq, "accept-language"), "") == 0);
	CHECK(sandbox_join_header(&rq, "accept", buf, sizeof buf) == 4);
	CHECK(strcmp(buf, "a, b") == 0);
	CHECK(sandbox_join_header(&rq, "accept", buf, 3) == 4);
	CHECK(strcmp(buf, "a,") == 0);
	CHECK(sandbox_join_header(&rq, "accept", NULL, 0) == 4);
	CHECK(sandbox_join_header(&rq, "accept-language", buf, 1) == 0);
	CHECK(strcmp(buf, "") == 0);
	strcpy(buf, "x");
	CHECK(sandbox_join_header(&rq, "nope", buf, sizeof buf) == -1);
	CHECK(strcmp(buf, "") == 0);
}

static void
test_url(void)
{
	struct sandbox_request rq = request("/a/b?c=d&e#f?g");

	CHECK(is(sandbox_path(&rq), "/a/b"));
	CHECK(is(sandbox_query(&rq), "c=d&e"));
	CHECK(sandbox_path_is(&rq, "/a/b"));
	CHECK(!sandbox_path_is(&rq, "/a/b?"));
	CHECK(!sandbox_path_is(&rq, "/a/"));
	rq = request("/#x?y=z");
	CHECK(is(sandbox_path(&rq), "/"));
	CHECK(is(sandbox_query(&rq), ""));
	rq = request("?");
	CHECK(is(sandbox_path(&rq), ""));
	CHECK(is(sandbox_query(&rq), ""));
	rq = request("");
	CHECK(is(sandbox_path(&rq), ""));
	CHECK(is(sandbox_query(&rq), ""));
	CHECK(sandbox_path_is(&rq, ""));
	rq = request("/a?b?c");
	CHECK(is(sandbox_query(&rq), "b?c"));
}

static void
test_decode(void)
{
	char buf[8];

	CHECK(sandbox_decode(str("a%20b"), 0, buf, sizeof buf) == 3);
	CHECK(strcmp(buf, "a b") == 0);
	CHECK(sandbox_decode(str("a+b"), 0, buf, sizeof buf) == 3);
	CHECK(strcmp(buf, "a+b") == 0);
	CHECK(sandbox_decode(str("a+b"), 1, buf, sizeof buf) == 3);
	CHECK(strcmp(buf, "a b") == 0);
	CHECK(sandbox_decode(str("%2"), 0, buf, sizeof buf) == 2);
	CHECK(strcmp(buf, "%2") == 0);
	CHECK(sandbox_decode(str("%"), 0, buf, sizeof buf) == 1);
	CHECK(sandbox_decode(str("%zz%4a%4A"), 0, buf, sizeof buf) == 5);
	CHECK(strcmp(buf, "%zzJJ") == 0);
	CHECK(sandbox_decode(str("%00x"), 0, buf, sizeof buf) == 2);
	CHECK(memcmp(buf, "\0x", 3) == 0);
	CHECK(sandbox_decode(str("1234567"), 0, buf, sizeof buf) == 7);
	CHECK(strcmp(buf, "1234567") == 0);
	CHECK(sandbox_decode(str("12345678"), 0, buf, sizeof buf) == 8);
	CHECK(strcmp(buf, "1234567") == 0);
	CHECK(sandbox_decode(str("12345678"), 0, NULL, 0) == 8);
	CHECK(sandbox_decode(str(""), 0, buf, 1) == 0);
	CHECK(buf[0] == '\0');
}

static void
test_params(void)
{
	struct sandbox_request rq;
	char buf[8];

	rq = request("/?a=1+1&b&&c=&%61b=x%3dy&a=2&d=e=f#g=h");
	CHECK(sandbox_get_param(&rq, "a", buf, sizeof buf) == 3);
	CHECK(strcmp(buf, "1 1") == 0);
	CHECK(sandbox_get_param(&rq, "b", buf, sizeof buf) == 0);
	CHECK(sandbox_get_param(&rq, "c", buf, sizeof buf) == 0);
	CHECK(sandbox_get_param(&rq, "ab", buf, sizeof buf) == 3);
	CHECK(strcmp(buf, "x=y") == 0);
	CHECK(sandbox_get_param(&rq, "d", buf, sizeof buf) == 3);
	CHECK(strcmp(buf, "e=f") == 0);
	CHECK(sandbox_get_param(&rq, "g", buf, sizeof buf) == -1);
	CHECK(strcmp(buf, "") == 0);
	CHECK(sandbox_get_param(&rq, "A", buf, sizeof buf) == -1);
	CHECK(sandbox_get_param(&rq, "", buf, sizeof buf) == -1);
	CHECK(sandbox_find_param(str("x=1"), "x", NULL, 0) == 1);
}

static void
test_numbers(void)
{
	struct sandbox_request rq;
	long v = 7;

	rq = request("/?a=5&b=&c=5x&d=-5&e=99999999999999999999&f=%35&g=5%00"
	    "&h=000000000000000000000000000000005");
	CHECK(sandbox_get_param_long(&rq, "z", 0, 9, &v) == 0 && v == 7);
	CHECK(sandbox_get_param_long(&rq, "a", 0, 9, &v) == 1 && v == 5);
	CHECK(sandbox_get_param_long(&rq, "a", 5, 5, &v) == 1);
	v = 7;
	CHECK(sandbox_get_param_long(&rq, "a", 6, 9, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "a", 0, 4, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "b", 0, 9, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "c", 0, 9, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "d", 0, 9, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "e", 0, 9, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "g", 0, 9, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "h", 0, 9, &v) == -1);
	CHECK(v == 7);
	CHECK(sandbox_get_param_long(&rq, "d", -9, 9, &v) == 1 && v == -5);
	CHECK(sandbox_get_param_long(&rq, "d", -9, -5, &v) == 1);
	CHECK(sandbox_get_param_long(&rq, "d", -4, 9, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "d", -9, -6, &v) == -1);
	CHECK(sandbox_get_param_long(&rq, "f", 0, 9, &v) == 1 && v == 5);
	CHECK(sdk_number("9223372036854775807", 0, INT64_MAX, &v) == 0 &&
	    v == INT64_MAX);
	CHECK(sdk_number("9223372036854775808", 0, INT64_MAX, &v) == -1);
	CHECK(sdk_number("-9223372036854775808", INT64_MIN, 0, &v) == 0 &&
	    v == INT64_MIN);
	CHECK(sdk_number("-9223372036854775809", INT64_MIN, 0, &v) == -1);
	CHECK(sdk_number("-", -9, 9, &v) == -1);
	CHECK(sdk_number("--1", -9, 9, &v) == -1);
	CHECK(sdk_number("8", 0, 3, &v) == -1);
}

/*--------------------------------------------------------------------
 * What may be in a header
 */

/* Each byte at each place of a value that is looked at eight at a time. */
static void
test_check(void)
{
	static const char token[] = "!#$%&'*+-.^_`|~0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	char buf[20];
	unsigned c, i, wrong;
	int good;

	for (c = 0, wrong = 0; c < 256; c++) {
		good = (c >= ' ' || c == '\t') && c != 0x7f;
		for (i = 0; i < sizeof buf; i++) {
			memset(buf, i % 2 ? '~' : '\377', sizeof buf);
			buf[i] = (char)c;
			if (sdk_check_value(buf, sizeof buf) != good)
				wrong++;
			memset(buf, ' ', sizeof buf);
			buf[i] = (char)c;
			if (sdk_check_value(buf, sizeof buf) != good ||
			    !sdk_check_value(buf, i))
				wrong++;
		}
		good = c != 0 && strchr(token, (int)c) != NULL;
		memset(buf, 'a', sizeof buf);
		buf[7] = (char)c;
		if (sdk_check_name(buf, sizeof buf) != good)
			wrong++;
	}
	CHECK(wrong == 0);
	CHECK(!sdk_check_name("", 0) && sdk_check_value("", 0));
}

/*--------------------------------------------------------------------
 * Replies
 */

static void
test_reply(void)
{
	struct sandbox_request rq = request("/");
	struct sandbox_reply rp;
	const struct sandbox_response *r;

	sandbox_reply_init(&rp, &rq);
	r = sandbox_reply_end(&rp);
	CHECK(r->size == sizeof *r && r->status == 200);
	CHECK(r->n_headers == 0 && r->body_len == 0 && r->reason.len == 0);
	CHECK(sdk_check_response(r, 0) == NULL);

	CHECK(sandbox_set_status(&rp, 404, "Not Here") == 0);
	CHECK(sandbox_add_header(&rp, "A", "1") == 0);
	CHECK(sandbox_add_headerf(&rp, "B", "%d-%s", 2, "x") == 0);
	CHECK(sandbox_add_header(&rp, "a", "3") == 0);
	CHECK(sandbox_puts(&rp, "Hello, ") == 0);
	CHECK(sandbox_printf(&rp, "%s!", "world") == 0);
	r = sandbox_reply_end(&rp);
	CHECK(r->status == 404 && is(r->reason, "Not Here"));
	CHECK(r->n_headers == 3 && is(r->headers[1].value, "2-x"));
	CHECK(r->body_len == 13 && memcmp(r->body, "Hello, world!", 13) == 0);
	CHECK((const char *)r->body >= (char *)&rp &&
	    (const char *)r->body < (char *)(&rp + 1));

	CHECK(sandbox_set_header(&rp, "A", "4") == 0);
	CHECK(r->n_headers == 2 && is(r->headers[0].name, "B") &&
	    is(r->headers[1].value, "4"));
	CHECK(sandbox_set_header(&rp, "b", NULL) == 0);
	CHECK(r->n_headers == 1);
	CHECK(sdk_check_response(sandbox_reply_end(&rp), 13) == NULL);
	CHECK(sdk_check_response(sandbox_reply_end(&rp), 12) != NULL);

	CHECK(sandbox_fail(&rp, 400, "no %s", "good") == -1);
	r = sandbox_reply_end(&rp);
	CHECK(r->status == 400 && r->n_headers == 1);
	CHECK(r->body_len == 8 && memcmp(r->body, "no good\n", 8) == 0);
}

/* A body set by reference, replaced, and written to. */
static void
test_body(void)
{
	static const char text[] = "0123456789";
	struct sandbox_request rq = request("/");
	struct sandbox_reply rp;
	const struct sandbox_response *r;

	sandbox_reply_init(&rp, &rq);
	CHECK(sandbox_set_body(&rp, text, 10) == 0);
	r = sandbox_reply_end(&rp);
	CHECK(r->body == text && r->body_len == 10);
	CHECK(sandbox_puts(&rp, "ab") == 0);
	CHECK(r->body != text && r->body_len == 12);
	CHECK(memcmp(r->body, "0123456789ab", 12) == 0);
	CHECK(sandbox_set_body(&rp, NULL, 0) == 0);
	CHECK(r->body_len == 0);
	CHECK(sandbox_write(&rp, NULL, 0) == 0);
	CHECK(sandbox_set_body(&rp, NULL, 1) == -1);
	CHECK(sandbox_reply_end(&rp)->status == 500);
}

/* Byte by byte, through all the places where a body can be. */
static void
test_body_grows(void)
{
	struct sandbox_request rq = request("/");
	struct sandbox_reply rp;
	const struct sandbox_response *r;
	const char *p;
	unsigned i;
	int bad;

	sandbox_reply_init(&rp, &rq);
	for (i = 0; i < 300000; i++) {
		if (i % 7 == 0)
			bad = sandbox_printf(&rp, "%c", 'a' + i % 26);
		else {
			char c = (char)('a' + i % 26);

			bad = sandbox_write(&rp, &c, 1);
		}
		if (bad)
			break;
		if (i == 900)
			CHECK(sandbox_add_header(&rp, "X", "in between") ==
			    0);
	}
	r = sandbox_reply_end(&rp);
	CHECK(r->status == 200 && r->body_len == 300000);
	CHECK(r->n_headers == 1 && is(r->headers[0].value, "in between"));
	for (p = r->body, i = 0; i < 300000 && p[i] == 'a' + (int)i % 26;)
		i++;
	CHECK(i == 300000);
	free((void *)(uintptr_t)r->body);
}

/* A body that is written stops at the limit, and not long after it. */
static void
test_body_limit(void)
{
	struct sandbox_request rq = request("/");
	struct sandbox_reply rp;
	static char block[100000];
	unsigned i;

	rq.max_response_body = 5 * sizeof block;
	sandbox_reply_init(&rp, &rq);
	for (i = 0; i < 5; i++)
		CHECK(sandbox_write(&rp, block, sizeof block) == 0);
	CHECK(sandbox_reply_end(&rp)->status == 200);
	CHECK(rp.body_size == 5 * sizeof block + 1);
	CHECK(sandbox_printf(&rp, "%s", "") == 0);
	CHECK(sandbox_reply_end(&rp)->status == 200);
	CHECK(sandbox_printf(&rp, "%d", 12) == -1);
	free(rp.body);
	CHECK(sandbox_reply_end(&rp)->status == 500);
	rq.max_response_body = UINT64_MAX;
	sandbox_reply_init(&rp, &rq);
	CHECK(sandbox_printf(&rp, "%0100000d", 1) == 0);
	CHECK(sandbox_reply_end(&rp)->status == 200);
	free(rp.body);
	rq.max_response_body = 0;
	sandbox_reply_init(&rp, &rq);
	CHECK(sandbox_puts(&rp, "") == 0);
	CHECK(sandbox_reply_end(&rp)->status == 200);
	CHECK(sandbox_puts(&rp, "x") == 0);
	CHECK(sandbox_reply_end(&rp)->status == 500);
}

static void
test_printf_sizes(void)
{
	struct sandbox_request rq = request("/");
	const struct sandbox_response *r;
	struct sandbox_reply rp;
	char value[600];
	int i;

	/* Around the ends of the reply's own memory and of the static one. */
	for (i = 1000; i < 1050; i++) {
		sandbox_reply_init(&rp, &rq);
		CHECK(sandbox_printf(&rp, "%*d", i, 5) == 0);
		r = sandbox_reply_end(&rp);
		CHECK(r->body_len == (uint64_t)i &&
		    ((const char *)r->body)[i - 1] == '5');
	}
	for (i = 65530; i < 65540; i++) {
		sandbox_reply_init(&rp, &rq);
		CHECK(sandbox_printf(&rp, "%*d", i, 5) == 0);
		r = sandbox_reply_end(&rp);
		CHECK(r->body_len == (uint64_t)i &&
		    ((const char *)r->body)[i - 1] == '5');
		if (i + 1 > 65536)
			free((void *)(uintptr_t)r->body);
	}
	sandbox_reply_init(&rp, &rq);
	memset(value, 'v', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	CHECK(sandbox_add_headerf(&rp, "Long", "%s", value) == 0);
	CHECK(is(sandbox_reply_end(&rp)->headers[0].value, value));
}

static void
test_many_headers(void)
{
	struct sandbox_request rq = request("/");
	struct sandbox_reply rp;
	const struct sandbox_response *r;
	char name[16];
	unsigned i;

	sandbox_reply_init(&rp, &rq);
	for (i = 0; i < SANDBOX_MAX_HEADERS; i++) {
		(void)snprintf(name, sizeof name, "X-%u", i);
		CHECK(sandbox_add_headerf(&rp, name, "%0100u", i) == 0);
	}
	r = sandbox_reply_end(&rp);
	CHECK(r->n_headers == SANDBOX_MAX_HEADERS);
	CHECK(sdk_check_response(r, 0) == NULL);
	for (i = 0; i < SANDBOX_MAX_HEADERS; i++) {
		(void)snprintf(name, sizeof name, "X-%u", i);
		CHECK(is(r->headers[i].name, name));
		CHECK(r->headers[i].value.len == 100);
	}
	CHECK(sandbox_add_header(&rp, "One", "more") == -1);
	r = sandbox_reply_end(&rp);
	CHECK(r->status == 500 && r->n_headers == 0);
}

/* More text than a response may have. */
static void
test_long_headers(void)
{
	struct sandbox_request rq = request("/");
	struct sandbox_reply rp;
	int i, r;

	sandbox_reply_init(&rp, &rq);
	for (i = r = 0; i < 70 && r == 0; i++)
		r = sandbox_add_headerf(&rp, "X", "%01000d", i);
	CHECK(r == -1 && i > 60 && i < 68);
	CHECK(sandbox_reply_end(&rp)->status == 500);
}

static void
test_refused(void)
{
	static const char * const names[] = { "", " ", "A B", "A:", "A\r",
	    "A\n", "\x7f", "\xff", "(", "A\tB", "A/B" };
	static const char * const values[] = { "\r", "\n", "a\r\nB: c", "\x01",
	    "\x7f", "\x1b[1m" };
	static const unsigned status[] = { 0, 1, 99, 100, 199, 1000, 99999 };
	struct sandbox_request rq = request("/");
	struct sandbox_reply rp;
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		sandbox_reply_init(&rp, &rq);
		CHECK(sandbox_add_header(&rp, names[i], "x") == -1);
		CHECK(sandbox_add_header(&rp, "Fine", "x") == 0);
		CHECK(sandbox_reply_end(&rp)->status == 500);
	}
	for (i = 0; i < sizeof values / sizeof values[0]; i++) {
		sandbox_reply_init(&rp, &rq);
		CHECK(sandbox_add_header(&rp, "X", values[i]) == -1);
		CHECK(sandbox_reply_end(&rp)->status == 500);
		sandbox_reply_init(&rp, &rq);
		CHECK(sandbox_set_status(&rp, 200, values[i]) == -1);
	}
	for (i = 0; i < sizeof status / sizeof status[0]; i++) {
		sandbox_reply_init(&rp, &rq);
		CHECK(sandbox_set_status(&rp, status[i], NULL) == -1);
	}
	sandbox_reply_init(&rp, &rq);
	CHECK(sandbox_add_header(&rp, "!#$%&'*+-.^_`|~09AZaz", "\t \xc3") ==
	    0);
	rq.max_response_body = 3;
	sandbox_reply_init(&rp, &rq);
	CHECK(sandbox_set_body(&rp, "1234", 3) == 0);
	CHECK(sandbox_reply_end(&rp)->status == 200);
	CHECK(sandbox_set_body(&rp, "1234", 4) == 0);
	CHECK(sandbox_reply_end(&rp)->status == 500);
}

/*--------------------------------------------------------------------
 * The command line
 */

static void
test_split(void)
{
	char *w[4];
	char a[] = " one 'two words' th\\ r\"e e\" ";
	char b[] = "", c[] = "  ", d[] = "'open", e[] = "1 2 3 4 5";
	char f[] = "'' \"\\\"'\" '\\' x";
	char g[] = "end";

	CHECK(sdk_args_split(a, w, 4) == 3);
	CHECK(strcmp(w[0], "one") == 0);
	CHECK(strcmp(w[1], "two words") == 0);
	CHECK(strcmp(w[2], "th re e") == 0);
	CHECK(sdk_args_split(b, w, 4) == 0);
	CHECK(sdk_args_split(c, w, 4) == 0);
	CHECK(sdk_args_split(d, w, 4) == -1);
	CHECK(sdk_args_split(e, w, 4) == -1);
	CHECK(sdk_args_split(f, w, 4) == 4);
	CHECK(strcmp(w[0], "") == 0);
	CHECK(strcmp(w[1], "\"'") == 0);
	CHECK(strcmp(w[2], "\\") == 0);
	CHECK(strcmp(w[3], "x") == 0);
	CHECK(sdk_args_split(g, w, 1) == 1);
}

static const char *
parse(struct sdk_args *args, char *text, int *skipped)
{
	char *words[16];
	int n;

	n = sdk_args_split(text, words, 16);
	return (sdk_args_parse(args, n, words, skipped));
}

static void
test_args(void)
{
	char a[] = "", b[] = "script.js -v --url /x --data hi --header A:b"
	    " --header 'C: d' --client-port 80 --body-only";
	char c[] = "--url", d[] = "--url / more", e[] = "--help",
	    f[] = "--client-port 65536", g[] = "--header none",
	    h[] = "--data x --method PUT";
	struct sdk_args args[1];
	int skipped;

	CHECK(parse(args, a, &skipped) == NULL && skipped == 0);
	CHECK(strcmp(args->url, "/") == 0 && strcmp(args->method, "GET") == 0);
	CHECK(parse(args, b, &skipped) == NULL && skipped == 2);
	CHECK(strcmp(args->url, "/x") == 0 && strcmp(args->data, "hi") == 0);
	CHECK(strcmp(args->method, "POST") == 0 && args->n_headers == 2);
	CHECK(strcmp(args->headers[1], "C: d") == 0);
	CHECK(args->client_port == 80 && args->body_only);
	CHECK(parse(args, c, &skipped) != NULL);
	CHECK(parse(args, d, &skipped) != NULL);
	CHECK(strcmp(parse(args, e, &skipped), "") == 0);
	CHECK(parse(args, f, &skipped) != NULL);
	CHECK(parse(args, g, &skipped) != NULL);
	CHECK(parse(args, h, &skipped) == NULL);
	CHECK(strcmp(args->method, "PUT") == 0);
}

int
main(void)
{

	test_headers();
	test_url();
	test_decode();
	test_params();
	test_numbers();
	test_check();
	test_reply();
	test_body();
	test_body_grows();
	test_body_limit();
	test_printf_sizes();
	test_many_headers();
	test_long_headers();
	test_refused();
	test_split();
	test_args();
	printf("%u checks, %u failed\n", n_checks, n_failed);
	return (n_failed == 0 ? 0 : 1);
}
