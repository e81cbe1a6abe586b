/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Without a sandbox around it a program serves one request and ends, so that
 * a handler can be tried, debugged and profiled as any program can. Nothing in
 * this file runs inside of a sandbox: it may allocate and never frees.
 *
 * argv belongs to the program and is not ours to ask for, so the command line
 * is read from /proc.
 */

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdk.h"

#define OUTSIDE_MAX_WORDS	1024
#define OUTSIDE_MAX_BODY	(UINT64_C(1) << 30)
#define OUTSIDE_TIMEOUT		(INT64_C(3600) * 1000000000)

static int outside_body_only;

static void __attribute__((__noreturn__, __format__(__printf__, 1, 2)))
outside_die(const char *fmt, ...)
{
	va_list ap;

	(void)fputs("sandbox: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputs("\n", stderr);
	exit(2);
}

static void *
outside_alloc(void *old, size_t size)
{
	static void **blocks;
	static size_t n;
	size_t i;
	void *p;

	/* all that there is stays reachable, so that a leak that somebody is
	 * after is not hidden among ours */
	for (i = 0; i < n && (old == NULL || blocks[i] != old);)
		i++;
	p = realloc(old, size);
	if (i == n)
		blocks = realloc(blocks, ++n * sizeof *blocks);
	if (p == NULL || blocks == NULL)
		outside_die("out of memory");
	blocks[i] = p;
	return (p);
}

/* All of a file, "-" is standard input, with a NUL after it. */
static char *
outside_slurp(const char *path, size_t *len)
{
	size_t l, size;
	ssize_t n;
	char *p;
	int fd;

	fd = strcmp(path, "-") == 0 ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	p = NULL;
	l = size = 0;
	do {
		if (size - l < 4096) {
			size = 2 * size + 65536;
			p = outside_alloc(p, size);
		}
		n = fd < 0 ? -1 : read(fd, p + l, size - l - 1);
		if (n < 0) {
			perror(path);
			outside_die("can not read %s", path);
		}
		l += (size_t)n;
	} while (n > 0);
	if (fd > 0)
		(void)close(fd);
	p[l] = '\0';
	*len = l;
	return (p);
}

/*--------------------------------------------------------------------
 * The request
 */

static struct sandbox_str
outside_str(const char *ptr, size_t len)
{
	struct sandbox_str s;
	char *p;

	p = outside_alloc(NULL, len + 1);
	memcpy(p, ptr, len);
	p[len] = '\0';
	s.ptr = p;
	s.len = (uint32_t)len;
	s.reserved = 0;
	return (s);
}

/* "Name: value", of (len) bytes. */
static void
outside_header(struct sandbox_request *rq, const char *line, size_t len)
{
	struct sandbox_header *h;
	const char *colon, *end;

	end = line + len;
	colon = memchr(line, ':', len);
	if (colon == NULL)
		outside_die("not a header: %.*s", (int)len, line);
	h = outside_alloc(rq->headers, (rq->n_headers + 1) * sizeof *h);
	rq->headers = h;
	h += rq->n_headers++;
	h->name = outside_str(line, (size_t)(colon - line));
	for (colon++; colon < end && (*colon == ' ' || *colon == '\t');)
		colon++;
	h->value = outside_str(colon, (size_t)(end - colon));
}

/* The line at (*p) without its end, which may be CR LF or LF. */
static const char *
outside_line(const char **p, const char *end, size_t *len)
{
	const char *line, *nl;

	line = *p;
	nl = memchr(line, '\n', (size_t)(end - line));
	if (nl == NULL)
		nl = end;
	*p = nl < end ? nl + 1 : end;
	*len = (size_t)(nl - line);
	if (*len > 0 && line[*len - 1] == '\r')
		(*len)--;
	return (line);
}

/* A whole HTTP/1 request. */
static void
outside_message(struct sandbox_request *rq, const char *path)
{
	const char *p, *end, *line, *sp1, *sp2;
	size_t len;

	p = outside_slurp(path, &len);
	end = p + len;
	line = outside_line(&p, end, &len);
	sp1 = memchr(line, ' ', len);
	sp2 = sp1 == NULL ? NULL :
	    memchr(sp1 + 1, ' ', len - (size_t)(sp1 + 1 - line));
	if (sp2 == NULL)
		outside_die("%s: does not begin with METHOD URL PROTO", path);
	rq->method = outside_str(line, (size_t)(sp1 - line));
	rq->url = outside_str(sp1 + 1, (size_t)(sp2 - sp1) - 1);
	rq->proto = outside_str(sp2 + 1, len - (size_t)(sp2 + 1 - line));
	while (line = outside_line(&p, end, &len), len > 0)
		outside_header(rq, line, len);
	if (p < end) {
		rq->body_len = (uint64_t)(end - p);
		rq->body = outside_alloc(NULL, rq->body_len);
		memcpy(rq->body, p, rq->body_len);
	}
}

static void
outside_plain(struct sandbox_request *rq, const struct sdk_args *args)
{
	size_t len;
	unsigned i;

	rq->method = outside_str(args->method, strlen(args->method));
	rq->url = outside_str(args->url, strlen(args->url));
	rq->proto = outside_str(args->proto, strlen(args->proto));
	for (i = 0; i < args->n_headers; i++)
		outside_header(rq, args->headers[i],
		    strlen(args->headers[i]));
	if (args->data == NULL)
		return;
	if (strcmp(args->data, "-") == 0 || strcmp(args->data, "@-") == 0)
		rq->body = outside_slurp("-", &len);
	else if (args->data[0] == '@')
		rq->body = outside_slurp(args->data + 1, &len);
	else {
		len = strlen(args->data);
		rq->body = outside_alloc(NULL, len + 1);
		memcpy(rq->body, args->data, len + 1);
	}
	rq->body_len = len;
	if (len == 0)
		rq->body = NULL;
}

static int64_t
outside_clock(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		outside_die("no clock");
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

static void
outside_random(uint8_t *buf, size_t len)
{
	int fd;

	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, buf, len) != (ssize_t)len)
		outside_die("can not read /dev/urandom");
	(void)close(fd);
}

/*--------------------------------------------------------------------
 * Words of ours, from the environment or the command line
 */

static int
outside_words(char **words)
{
	char *p, *end;
	size_t len;
	int n;

	p = getenv("SANDBOX_REQUEST");
	if (p != NULL) {
		p = outside_alloc(NULL, strlen(p) + 1);
		(void)strcpy(p, getenv("SANDBOX_REQUEST"));
		n = sdk_args_split(p, words, OUTSIDE_MAX_WORDS);
		if (n < 0)
			outside_die("SANDBOX_REQUEST: an open quote, or more"
			    " than %d words", OUTSIDE_MAX_WORDS);
		return (n);
	}
	p = outside_slurp("/proc/self/cmdline", &len);
	end = p + len;
	for (n = -1; p < end && n < OUTSIDE_MAX_WORDS; p += strlen(p) + 1) {
		if (n >= 0)
			words[n] = p;
		n++;
	}
	return (n < 0 ? 0 : n);
}

static void
outside_args(struct sdk_args *args)
{
	char **words;
	const char *why;
	int n, skipped;

	words = outside_alloc(NULL, OUTSIDE_MAX_WORDS * sizeof *words);
	n = outside_words(words);
	why = sdk_args_parse(args, n, words, &skipped);
	if (why != NULL && *why == '\0') {
		(void)fputs(sdk_args_usage(), stdout);
		exit(0);
	}
	if (why != NULL)
		outside_die("%s; --help lists the options", why);
	(void)fprintf(stderr, "sandbox: there is none around this program; it"
	    " serves one request (--help)\n");
	if (skipped > 0)
		(void)fprintf(stderr, "sandbox: taken as the program's own:"
		    " %s%s\n", words[0], skipped > 1 ? " ..." : "");
}

const struct sandbox_request *
sdk_outside_request(void)
{
	static struct sandbox_request rq[1];
	struct sdk_args args[1];

	outside_args(args);
	outside_body_only = args->body_only;
	rq->version = SANDBOX_ABI_VERSION;
	rq->size = sizeof *rq;
	if (args->message != NULL)
		outside_message(rq, args->message);
	else
		outside_plain(rq, args);
	rq->max_response_body = OUTSIDE_MAX_BODY;
	rq->xid = 1;
	rq->arg = outside_str(args->arg, strlen(args->arg));
	rq->client_ip = outside_str(args->client_ip, strlen(args->client_ip));
	rq->client_port = (uint32_t)args->client_port;
	rq->timeout_ns = OUTSIDE_TIMEOUT;
	outside_random(rq->random, sizeof rq->random);
	rq->wall_ns = outside_clock(CLOCK_REALTIME);
	rq->mono_ns = outside_clock(CLOCK_MONOTONIC);
	return (rq);
}

/*--------------------------------------------------------------------
 * The answer
 */

static void
outside_put(struct sandbox_str s)
{

	if (s.len > 0)
		(void)fwrite(s.ptr, 1, s.len, stdout);
}

static void
outside_head(const struct sandbox_response *rsp)
{
	unsigned i;

	(void)printf("HTTP/1.1 %u%s", rsp->status,
	    rsp->reason.len > 0 ? " " : "");
	outside_put(rsp->reason);
	(void)fputs("\n", stdout);
	for (i = 0; i < rsp->n_headers; i++) {
		outside_put(rsp->headers[i].name);
		(void)fputs(": ", stdout);
		outside_put(rsp->headers[i].value);
		(void)fputs("\n", stdout);
	}
	(void)fputs("\n", stdout);
}

void
sdk_outside_answer(const struct sandbox_response *rsp)
{
	const char *why;

	if (rsp == NULL)
		why = "there is none";
	else
		why = sdk_check_response(rsp, OUTSIDE_MAX_BODY);
	if (why != NULL) {
		(void)fprintf(stderr,
		    "sandbox: Varnish would refuse this answer: %s\n", why);
		exit(1);
	}
	if (!outside_body_only)
		outside_head(rsp);
	if (rsp->body_len > 0)
		(void)fwrite(rsp->body, 1, rsp->body_len, stdout);
	if (fflush(stdout) != 0) {
		perror("stdout");
		exit(1);
	}
	exit(0);
}
