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

/* [href, protocol, hostname, port, pathname, search, hash], or null. */
static struct engine_value
url_list(const char *p, size_t len)
{
	static const enum url_part_e parts[] = {
		URL_SCHEME, URL_HOST, URL_PORT, URL_PATH, URL_QUERY,
		URL_FRAGMENT
	};
	size_t at[URL_N_PART + 1], from, to;
	struct engine_value list;
	uint32_t i;

	if (url_split(p, len, at))
		return (engine_null());
	list = engine_list();
	engine_push(list, 0, engine_latin1(p, len, 0));
	for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		from = at[parts[i]];
		to = at[parts[i] + 1];
		if (parts[i] == URL_PORT && from < to)
			from++;		/* the colon */
		engine_push(list, i + 1, engine_latin1(p + from, to - from, 0));
	}
	return (list);
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

static char *
url_cat(char *to, const char *end, const char *from, size_t len)
{

	if (to == NULL || len > (size_t)(end - to))
		return (NULL);
	memcpy(to, from, len);
	return (to + len);
}

/* request.js, incomingURL() */
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
