/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Headers: the lists of what requests and fetches bring, and what most names,
 * values and { "Name": "value" } of handlers are.
 */

#include <string.h>

#include "host.h"

#define NAME_MAX_LEN	64	/* a longer one goes the other way */

#define HEADERS_STEP	16	/* values put into a list at once */

/* A list, and what comes to its end next. */
struct headers {
	struct engine_value	list;
	struct engine_value	next[HEADERS_STEP];
	unsigned		n;
};

/*--------------------------------------------------------------------
 * Lists
 */

static void
headers_begin(struct headers *hl)
{

	hl->list = engine_list(NULL, 0);
	hl->n = 0;
}

static int
headers_flush(struct headers *hl)
{
	unsigned n = hl->n;

	hl->n = 0;
	return (engine_append(&hl->list, hl->next, n));
}

static int
headers_add(struct headers *hl, struct engine_value name,
    struct engine_value value)
{

	hl->next[hl->n++] = name;
	hl->next[hl->n++] = value;
	return (hl->n == HEADERS_STEP ? headers_flush(hl) : 0);
}

struct engine_value
headers_list(const struct sandbox_header *h, unsigned n)
{
	struct headers hl;

	headers_begin(&hl);
	for (; n > 0; n--, h++)
		(void)headers_add(&hl,
		    engine_latin1(h->name.ptr, h->name.len, 1),
		    engine_latin1(h->value.ptr, h->value.len, 0));
	(void)headers_flush(&hl);
	return (hl.list);
}

/*--------------------------------------------------------------------
 * A handler's
 */

/* One of a token, in lower case; or NUL. */
static char
headers_lower(char ch)
{
	static const char other[] = "!#$%&'*+-.^_`|~0123456789";

	if (ch >= 'A' && ch <= 'Z')
		return ((char)(ch | 0x20));
	if ((ch >= 'a' && ch <= 'z') || ch == '-' ||
	    memchr(other, ch, sizeof other - 1) != NULL)
		return (ch);
	return ('\0');
}

int
headers_is_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (headers_lower(name[i]) == '\0')
			return (0);
	return (len > 0);
}

static int
headers_name(const char *name, size_t len, char *lower)
{
	size_t i;

	if (len == 0 || len > NAME_MAX_LEN)
		return (-1);
	for (i = 0; i < len; i++) {
		lower[i] = headers_lower(name[i]);
		if (lower[i] == '\0')
			return (-1);
	}
	return (0);
}

/* Printable, and no space at its ends. */
static int
headers_value(const char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] > '~')
			return (-1);
	return (len == 0 || p[0] == ' ' || p[len - 1] == ' ' ? -1 : 0);
}

static int
headers_pair(void *priv, const struct engine_pair *pair)
{
	struct headers *hl = priv;
	char lower[NAME_MAX_LEN];

	if (headers_name(pair->name, pair->name_len, lower) ||
	    headers_value(pair->text, pair->text_len))
		return (-1);
	return (headers_add(hl, engine_ascii(lower, pair->name_len),
	    engine_keep(pair->value)));
}

static void
headers_plain(struct engine_call *c)
{
	struct headers hl;
	int r;

	headers_begin(&hl);
	r = engine_arg_pairs(c, 0, headers_pair, &hl);
	if (headers_flush(&hl) < 0 || r == 0) {
		engine_return(c, hl.list);
		return;
	}
	engine_drop(hl.list);
	engine_return(c, engine_null());
}

static void
headers_plain_name(struct engine_call *c)
{
	char lower[NAME_MAX_LEN];
	const char *p;
	size_t len;

	engine_return(c, engine_null());
	p = engine_arg_ascii(c, 0, &len);
	if (p == NULL)
		return;
	if (headers_name(p, len, lower) == 0)
		engine_return(c, memcmp(p, lower, len) == 0 ?
		    engine_keep(engine_arg(c, 0)) :
		    engine_ascii(lower, len));
	engine_ascii_done(c, p);
}

static void
headers_plain_value(struct engine_call *c)
{
	const char *p;
	size_t len;

	p = engine_arg_ascii(c, 0, &len);
	engine_return(c, engine_bool(p != NULL && headers_value(p, len) == 0));
	if (p != NULL)
		engine_ascii_done(c, p);
}

const struct engine_func host_headers[] = {
	{ "plainHeaders",	headers_plain,		1 },
	{ "plainName",		headers_plain_name,	1 },
	{ "isPlainValue",	headers_plain_value,	1 },
};
const size_t host_headers_n = sizeof host_headers / sizeof host_headers[0];
