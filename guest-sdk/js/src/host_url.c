/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * URLs that are as most URLs are.
 */

#include <string.h>
#include <strings.h>

#include "host.h"
#include "url.h"

#define URL_MAX		2048	/* a longer one goes the other way */

static char *
url_cat(char *to, const char *end, const char *from, size_t len)
{

	if (to == NULL || len > (size_t)(end - to))
		return (NULL);
	memcpy(to, from, len);
	return (to + len);
}

static struct engine_value
url_value(const char *p, const size_t *at, enum url_part_e part)
{

	return (engine_ascii(p + at[part], at[part + 1] - at[part]));
}

/* What the parser leaves out is there: the port that is the scheme's. */
static int
url_has_default(const char *p, const size_t *at)
{
	const char *port = p + at[URL_PORT];
	size_t len = at[URL_PATH] - at[URL_PORT];

	/* "http:" or "https:" */
	return (at[URL_SLASHES] == 5 ?
	    len == 3 && memcmp(port, ":80", 3) == 0 :
	    len == 4 && memcmp(port, ":443", 4) == 0);
}

/* The parts in the order of url.js. */
static struct engine_value
url_parts(const char *p, const size_t *at)
{
	struct engine_value v[10];
	size_t port = at[URL_PORT] < at[URL_PATH];

	v[0] = engine_ascii(p, at[URL_N_PART]);
	v[1] = url_value(p, at, URL_SCHEME);
	v[2] = engine_ascii("", 0);		/* username, password */
	v[3] = engine_keep(v[2]);
	v[4] = url_value(p, at, URL_HOST);
	v[5] = engine_ascii(p + at[URL_PORT] + port,
	    at[URL_PATH] - at[URL_PORT] - port);
	v[6] = url_value(p, at, URL_PATH);
	v[7] = url_value(p, at, URL_QUERY);
	v[8] = url_value(p, at, URL_FRAGMENT);
	v[9] = engine_null();
	return (engine_list(v, 10));
}

/* The list of parts, or null. */
static struct engine_value
url_list(const char *p, size_t len)
{
	size_t at[URL_N_PART + 1];
	char buf[URL_MAX], *q;
	const char *end = buf + sizeof buf;

	if (url_split(p, len, at))
		return (engine_null());
	if (at[URL_PATH] < at[URL_QUERY] && !url_has_default(p, at))
		return (url_parts(p, at));
	/* Write it as the parser would, and look again. */
	q = url_cat(buf, end, p, url_has_default(p, at) ?
	    at[URL_PORT] : at[URL_PATH]);
	if (at[URL_PATH] == at[URL_QUERY])
		q = url_cat(q, end, "/", 1);
	q = url_cat(q, end, p + at[URL_PATH], len - at[URL_PATH]);
	if (q == NULL || url_split(buf, (size_t)(q - buf), at))
		return (engine_null());
	return (url_parts(buf, at));
}

static void
url_of_text(struct engine_call *c)
{
	const char *p;
	size_t len;

	engine_return(c, engine_null());
	p = engine_arg_ascii(c, 0, &len);
	if (p == NULL)
		return;
	engine_return(c, url_list(p, len));
	engine_ascii_done(c, p);
}

/* url.js, requestHref() */
static void
url_of_request(struct engine_call *c)
{
	const struct sandbox_request *rq = request_now();
	const char *host, *proto, *end;
	char buf[URL_MAX], *p;

	engine_return(c, engine_null());
	if (rq == NULL || sandbox_nth_header(rq, "host", 1) != NULL ||
	    sandbox_nth_header(rq, "x-forwarded-proto", 1) != NULL)
		return;
	host = sandbox_nth_header(rq, "host", 0);
	proto = sandbox_nth_header(rq, "x-forwarded-proto", 0);
	if (host == NULL || rq->url.len == 0 || rq->url.ptr[0] != '/')
		return;
	end = buf + sizeof buf;
	p = url_cat(buf, end, "https://", 5);
	if (proto == NULL || strcasecmp(proto, "https") != 0)
		p--;
	p = url_cat(p, end, "://", 3);
	p = url_cat(p, end, host, strlen(host));
	p = url_cat(p, end, rq->url.ptr, rq->url.len);
	if (p != NULL)
		engine_return(c, url_list(buf, (size_t)(p - buf)));
}

const struct engine_func host_url[] = {
	{ "splitURL",		url_of_text,		1 },
	{ "requestURL",		url_of_request,		0 },
};
const size_t host_url_n = sizeof host_url / sizeof host_url[0];
