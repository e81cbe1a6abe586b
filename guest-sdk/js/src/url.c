/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

#include <string.h>

#include "url.h"

/* Where a character may stand as it is. The standard has these the other way
 * round, as sets of what is escaped. */
#define IN_NAME		1	/* a label of a host */
#define IN_PATH		2
#define IN_QUERY	4
#define IN_FRAGMENT	8
#define IN_ALL		(IN_PATH | IN_QUERY | IN_FRAGMENT)
#define IN_SEARCH	(IN_QUERY | IN_FRAGMENT)

static const unsigned char url_class[256] = {
	['a' ... 'z'] = IN_NAME | IN_ALL,
	['0' ... '9'] = IN_NAME | IN_ALL,
	['A' ... 'Z'] = IN_ALL,
	['_'] = IN_ALL, ['!'] = IN_ALL, ['$'] = IN_ALL, ['%'] = IN_ALL,
	['&'] = IN_ALL, ['('] = IN_ALL, [')'] = IN_ALL, ['*'] = IN_ALL,
	['+'] = IN_ALL, [','] = IN_ALL, ['-'] = IN_ALL, ['.'] = IN_ALL,
	['/'] = IN_ALL, [':'] = IN_ALL, [';'] = IN_ALL, ['='] = IN_ALL,
	['@'] = IN_ALL, ['|'] = IN_ALL, ['~'] = IN_ALL, ['['] = IN_ALL,
	[']'] = IN_ALL,
	['?'] = IN_SEARCH, ['\\'] = IN_SEARCH, ['^'] = IN_SEARCH,
	['{'] = IN_SEARCH, ['}'] = IN_SEARCH,
	['\''] = IN_PATH | IN_FRAGMENT,
	['`'] = IN_QUERY,
	['#'] = IN_FRAGMENT,
};

/* The first from (i) on that may not stand there. */
static size_t
url_run(const char *text, size_t len, size_t i, unsigned where)
{

	while (i < len && (url_class[(unsigned char)text[i]] & where) != 0)
		i++;
	return (i);
}

static int
url_is_digit(char c)
{

	return (c >= '0' && c <= '9');
}

/* A decimal number of at most (max) from (i) on, without zeroes before it:
 * where it ends, or 0 if there is none. */
static size_t
url_number(const char *text, size_t len, size_t i, unsigned max)
{
	const size_t from = i;
	unsigned n = 0;

	for (; i < len && url_is_digit(text[i]); i++) {
		n = n * 10 + (unsigned)(text[i] - '0');
		if (n > max)
			return (0);
	}
	if (i == from || (text[from] == '0' && i > from + 1))
		return (0);
	return (i);
}

/* An IPv4 address: where it ends, or 0. */
static size_t
url_ipv4(const char *text, size_t len, size_t i)
{
	int n;

	for (n = 0; n < 4; n++) {
		if (n > 0 && (i == len || text[i++] != '.'))
			return (0);
		i = url_number(text, len, i, 255);
		if (i == 0)
			return (0);
	}
	return (i);
}

/* Labels with dots between them, no hyphen at the end of one, no two in a row
 * (that may be Punycode): where the name ends, or 0. */
static size_t
url_name(const char *text, size_t len, size_t i)
{
	size_t last, label;

	last = label = i;
	for (;;) {
		i = url_run(text, len, i, IN_NAME);
		if (i == label)
			return (0);
		if (i == len || (text[i] != '-' && text[i] != '.'))
			break;
		label = i + 1;
		if (text[i++] == '.')
			last = i;
	}
	return (url_is_digit(text[last]) ? 0 : i);
}

/* ":80": where it ends, which is where it begins if there is none, or 0. */
static size_t
url_port(const char *text, size_t len, size_t i)
{

	if (i == len || text[i] != ':')
		return (i);
	i = url_number(text, len, i + 1, 65535);
	return (i > 0 && text[i - 1] == '0' && text[i - 2] == ':' ? 0 : i);
}

/* Is there one of "/." and "%2e", which may be "." and ".."? */
static int
url_has_dots(const char *p, const char *e)
{

	for (; p < e; p++)
		if ((p[0] == '/' && p + 1 < e && p[1] == '.') ||
		    (p[0] == '%' && p + 2 < e && p[1] == '2' &&
		    (p[2] | 0x20) == 'e'))
			return (1);
	return (0);
}

/* What begins with (mark), if anything does: where it ends. */
static size_t
url_tail(const char *text, size_t len, size_t i, char mark, unsigned where)
{

	return (i < len && text[i] == mark ?
	    url_run(text, len, i + 1, where) : i);
}

int
url_split(const char *text, size_t len, size_t at[URL_N_PART + 1])
{
	size_t i;

	at[URL_SCHEME] = 0;
	i = len >= 5 && memcmp(text, "https", 5) == 0 ? 5 : 4;
	if (len < i + 3 || memcmp(text, "http", 4) != 0 ||
	    memcmp(text + i, "://", 3) != 0)
		return (-1);
	at[URL_SLASHES] = i + 1;
	at[URL_HOST] = i + 3;
	i = url_ipv4(text, len, at[URL_HOST]);
	/* "1.2.3.4.example" is a name */
	if (i == 0 || (i < len && strchr(":/?#", text[i]) == NULL))
		i = url_name(text, len, at[URL_HOST]);
	if (i == 0)
		return (-1);
	at[URL_PORT] = i;
	i = url_port(text, len, i);
	if (i == 0)
		return (-1);
	at[URL_PATH] = i;
	at[URL_QUERY] = url_tail(text, len, i, '/', IN_PATH);
	at[URL_FRAGMENT] = url_tail(text, len, at[URL_QUERY], '?', IN_QUERY);
	at[URL_N_PART] = url_tail(text, len, at[URL_FRAGMENT], '#',
	    IN_FRAGMENT);
	if (at[URL_N_PART] != len ||
	    at[URL_FRAGMENT] == at[URL_QUERY] + 1 ||
	    at[URL_N_PART] == at[URL_FRAGMENT] + 1 ||
	    url_has_dots(text + i, text + at[URL_QUERY]))
		return (-1);
	return (0);
}
