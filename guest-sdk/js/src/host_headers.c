/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Headers for a response as most handlers give them: { "Name": "value" }.
 */

#include <string.h>

#include "host.h"

#define NAME_MAX_LEN	64	/* a longer one goes the other way */

struct headers_list {
	struct engine_value	list;
	uint32_t		n;
};

/* A token, in lower case. */
static int
headers_name(const char *name, size_t len, char *lower)
{
	static const char other[] = "!#$%&'*+-.^_`|~0123456789";
	size_t i;
	char ch;

	if (len == 0 || len > NAME_MAX_LEN)
		return (-1);
	for (i = 0; i < len; i++) {
		ch = name[i];
		if (ch >= 'A' && ch <= 'Z')
			ch = (char)(ch | 0x20);
		else if ((ch < 'a' || ch > 'z') &&
		    memchr(other, ch, sizeof other - 1) == NULL)
			return (-1);
		lower[i] = ch;
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
	struct headers_list *hl = priv;
	char lower[NAME_MAX_LEN];

	if (headers_name(pair->name, pair->name_len, lower) ||
	    headers_value(pair->text, pair->text_len))
		return (-1);
	engine_push(hl->list, hl->n++,
	    engine_latin1(lower, pair->name_len, 0));
	engine_push(hl->list, hl->n++, engine_keep(pair->value));
	return (0);
}

static void
headers_plain(struct engine_call *c)
{
	struct headers_list hl;

	hl.list = engine_list();
	hl.n = 0;
	if (engine_arg_pairs(c, 0, headers_pair, &hl) == 0) {
		engine_return(c, hl.list);
		return;
	}
	engine_drop(hl.list);
	engine_return(c, engine_null());
}

const struct engine_func host_headers[] = {
	{ "plainHeaders",	headers_plain,		1 },
};
const size_t host_headers_n = sizeof host_headers / sizeof host_headers[0];
