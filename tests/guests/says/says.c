/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Behaves well, and answers what the query of the URL says:
 *
 *	status=404		the status
 *	reason=Text		the reason
 *	h=Name:value		a header, as often as wanted
 *	text=Text		the body
 *	body=1000		a body of that many bytes
 *	echo			the request's body as the body
 *	gzip			"hello gzip\n", compressed, and says so
 *	etag=x			ETag: "x", and a 304 if the client has that
 *	headers=100		that many headers H0: 0, H1: 1, ...
 *	long=1000		a header of that many bytes
 *	ms=100			takes that long, by the clock
 *	log=Text err=Text	sandbox_log(), level info and error
 *	out=Text stderr=Text	a line to descriptor 1 and 2
 *	file=/path		the first 100 bytes of a file, or why not
 *	main			what main() got: arguments and environment
 *	die			abort()
 *
 * If there is none of text, body, echo, gzip, file and main the body tells what the
 * request was, and how many requests there were before it (none, always).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"

#define SAYS_MAX		65536

static char **says_argv;
extern char **environ;

/* What a request has asked for. */
struct says {
	const struct sandbox_request	*rq;
	struct sandbox_reply		*rp;
	int				has_body;
};

static const unsigned char says_gzip[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb,
	0x48, 0xcd, 0xc9, 0xc9, 0x57, 0x48, 0xaf, 0xca, 0x2c, 0xe0, 0x02,
	0x00, 0x39, 0x7c, 0x63, 0x56, 0x0b, 0x00, 0x00, 0x00
};

static void
says_pattern(struct sandbox_reply *rp, const char *v)
{
	size_t i, l;
	char *p;

	l = strtoul(v, NULL, 10);
	p = malloc(l + 1);
	if (p == NULL) {
		sandbox_fail(rp, 500, "no memory for %zu bytes", l);
		return;
	}
	for (i = 0; i < l; i++)
		p[i] = "0123456789abcde\n"[i % 16];
	sandbox_set_body(rp, p, l);
}

static void
says_header(struct sandbox_reply *rp, char *v)
{
	char *p;

	p = strchr(v, ':');
	if (p == NULL)
		return;
	*p++ = '\0';
	sandbox_add_header(rp, v, p);
}

static void
says_headers(struct sandbox_reply *rp, const char *v)
{
	unsigned long u, n;
	char name[32];

	n = strtoul(v, NULL, 10);
	for (u = 0; u < n; u++) {
		snprintf(name, sizeof name, "H%lu", u);
		sandbox_add_headerf(rp, name, "%lu", u);
	}
}

static void
says_long(struct sandbox_reply *rp, const char *v)
{
	static char buf[SANDBOX_MAX_HEADER_BYTES];
	size_t l;

	l = strtoul(v, NULL, 10);
	if (l >= sizeof buf)
		l = sizeof buf - 1;
	memset(buf, 'x', l);
	buf[l] = '\0';
	sandbox_add_header(rp, "Long", buf);
}

static void
says_etag(struct says *s, const char *v)
{
	const char *inm;
	char tag[64];

	snprintf(tag, sizeof tag, "\"%s\"", v);
	sandbox_set_header(s->rp, "ETag", tag);
	inm = sandbox_get_header(s->rq, "If-None-Match");
	if (inm == NULL || strcmp(inm, tag) != 0)
		return;
	sandbox_set_status(s->rp, 304, NULL);
	s->has_body = 1;
}

static void
says_wait(const char *v)
{
	struct timespec a, b;
	double ms;

	ms = strtod(v, NULL);
	clock_gettime(CLOCK_MONOTONIC, &a);
	do
		clock_gettime(CLOCK_MONOTONIC, &b);
	while ((double)(b.tv_sec - a.tv_sec) * 1e3 +
	    (double)(b.tv_nsec - a.tv_nsec) * 1e-6 < ms);
}

static void
says_file(struct sandbox_reply *rp, const char *v)
{
	char buf[100];
	ssize_t l;
	int fd;

	fd = open(v, O_RDONLY);
	if (fd < 0) {
		sandbox_printf(rp, "open: %s", strerror(errno));
		return;
	}
	l = read(fd, buf, sizeof buf);
	if (l < 0)
		sandbox_printf(rp, "read: %s", strerror(errno));
	else
		sandbox_write(rp, buf, (size_t)l);
	(void)close(fd);
}

static void
says_main(struct sandbox_reply *rp)
{
	char **p;

	for (p = says_argv + 1; *p != NULL; p++)
		sandbox_printf(rp, "argv: %s.\n", *p);
	for (p = environ; *p != NULL; p++)
		sandbox_printf(rp, "env: %s.\n", *p);
}

static void
says_body(struct says *s, const char *name, const char *v)
{

	s->has_body = 1;
	if (!strcmp(name, "text"))
		sandbox_puts(s->rp, v);
	else if (!strcmp(name, "body"))
		says_pattern(s->rp, v);
	else if (!strcmp(name, "echo"))
		sandbox_set_body(s->rp, s->rq->body, s->rq->body_len);
	else if (!strcmp(name, "gzip")) {
		sandbox_set_header(s->rp, "Content-Encoding", "gzip");
		sandbox_set_body(s->rp, says_gzip, sizeof says_gzip);
	} else if (!strcmp(name, "file"))
		says_file(s->rp, v);
	else if (!strcmp(name, "main"))
		says_main(s->rp);
	else
		s->has_body = 0;
}

static void
says_log(const char *name, const char *v)
{

	if (!strcmp(name, "log"))
		sandbox_log(SANDBOX_LOG_INFO, "%s", v);
	else if (!strcmp(name, "err"))
		sandbox_log(SANDBOX_LOG_ERROR, "%s", v);
	else if (!strcmp(name, "out")) {
		printf("%s\n", v);
		fflush(stdout);
	} else if (!strcmp(name, "stderr"))
		fprintf(stderr, "%s\n", v);
}

static void
says_one(struct says *s, const char *name, char *v)
{
	int had;

	if (!strcmp(name, "status"))
		sandbox_set_status(s->rp, (unsigned)atoi(v), NULL);
	else if (!strcmp(name, "reason"))
		sandbox_set_status(s->rp, s->rp->rsp.status, v);
	else if (!strcmp(name, "h"))
		says_header(s->rp, v);
	else if (!strcmp(name, "headers"))
		says_headers(s->rp, v);
	else if (!strcmp(name, "long"))
		says_long(s->rp, v);
	else if (!strcmp(name, "etag"))
		says_etag(s, v);
	else if (!strcmp(name, "ms"))
		says_wait(v);
	else if (!strcmp(name, "die"))
		abort();
	else {
		says_log(name, v);
		had = s->has_body;
		says_body(s, name, v);
		s->has_body |= had;
	}
}

static void
says_request(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	static unsigned before;
	uint32_t u;

	sandbox_printf(rp, "%s %s %s\n", rq->method.ptr, rq->url.ptr,
	    rq->proto.ptr);
	sandbox_printf(rp, "arg=%s.\nclient=%s %s\nxid=%s\nbody=%llu\n",
	    rq->arg.ptr, rq->client_ip.ptr,
	    rq->client_port != 0 ? "port" : "no port",
	    rq->xid != 0 ? "yes" : "no", (unsigned long long)rq->body_len);
	sandbox_printf(rp, "before=%u\n", before++);
	for (u = 0; u < rq->n_headers; u++)
		sandbox_printf(rp, "%s: %s\n", rq->headers[u].name.ptr,
		    rq->headers[u].value.ptr);
}

/* name=value&name=value..., each decoded on its own. */
static void
says_query(struct says *s)
{
	static char buf[SAYS_MAX];
	struct sandbox_str q, part;
	const char *e, *p;
	char *v;

	q = sandbox_query(s->rq);
	e = q.ptr + q.len;
	for (p = q.ptr; p < e; p += part.len + 1) {
		part.ptr = p;
		for (part.len = 0; p + part.len < e && p[part.len] != '&';)
			part.len++;
		(void)sandbox_decode(part, 1, buf, sizeof buf);
		v = strchr(buf, '=');
		if (v != NULL)
			*v++ = '\0';
		says_one(s, buf, v == NULL ? buf + strlen(buf) : v);
	}
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	struct says s;

	s.rq = rq;
	s.rp = rp;
	s.has_body = 0;
	says_query(&s);
	if (!s.has_body)
		says_request(rq, rp);
}

int
main(int argc, char **argv)
{
	int i;

	says_argv = argv;
	/* Seen when the VCL is loaded with a program that can not be. */
	for (i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--say=", 6) == 0)
			fprintf(stderr, "%s\n", argv[i] + 6);
		if (strcmp(argv[i], "--fail") == 0)
			return (1);
	}
	return (guest_serve(bad));
}
