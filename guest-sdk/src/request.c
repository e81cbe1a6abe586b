/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Finding things in a request. No system calls, no memory but the caller's.
 */

#include <string.h>

#include "sdk.h"

/* Room to write a result that may be longer than the room. */
struct room {
	char			*buf;
	size_t			size;
	size_t			len;		/* of the whole result */
};

static void
room_put(struct room *rm, char c)
{

	if (rm->len + 1 < rm->size)
		rm->buf[rm->len] = c;
	rm->len++;
}

static void
room_end(const struct room *rm)
{

	if (rm->size > 0)
		rm->buf[rm->len < rm->size ? rm->len : rm->size - 1] = '\0';
}

/*--------------------------------------------------------------------
 * Headers
 */

static char
request_lower(char c)
{

	return (c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
}

int
sdk_same(const char *ptr, size_t len, const char *str)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (str[i] == '\0' ||
		    request_lower(ptr[i]) != request_lower(str[i]))
			return (0);
	return (str[len] == '\0');
}

const char *
sdk_nth_header(const struct sandbox_header *h, unsigned n, const char *name,
    unsigned nth)
{

	for (; n > 0; h++, n--)
		if (sdk_same(h->name.ptr, h->name.len, name) && nth-- == 0)
			return (h->value.ptr);
	return (NULL);
}

const char *
sandbox_nth_header(const struct sandbox_request *rq, const char *name,
    unsigned nth)
{

	return (sdk_nth_header(rq->headers, rq->n_headers, name, nth));
}

const char *
sandbox_get_header(const struct sandbox_request *rq, const char *name)
{

	return (sandbox_nth_header(rq, name, 0));
}

long
sandbox_join_header(const struct sandbox_request *rq, const char *name,
    char *buf, size_t size)
{
	struct room rm = { buf, size, 0 };
	const char *p;
	unsigned n;

	for (n = 0; (p = sandbox_nth_header(rq, name, n)) != NULL; n++) {
		if (n > 0) {
			room_put(&rm, ',');
			room_put(&rm, ' ');
		}
		for (; *p != '\0'; p++)
			room_put(&rm, *p);
	}
	room_end(&rm);
	return (n > 0 ? (long)rm.len : -1);
}

/*--------------------------------------------------------------------
 * The URL
 */

/* The first of (stop) in (str), or its end. */
static uint32_t
str_find(struct sandbox_str str, const char *stop)
{
	uint32_t i;

	for (i = 0; i < str.len; i++)
		if (str.ptr[i] != '\0' && strchr(stop, str.ptr[i]) != NULL)
			break;
	return (i);
}

static struct sandbox_str
str_part(struct sandbox_str str, uint32_t from, uint32_t to)
{

	str.ptr += from;
	str.len = to - from;
	return (str);
}

struct sandbox_str
sandbox_path(const struct sandbox_request *rq)
{

	return (str_part(rq->url, 0, str_find(rq->url, "?#")));
}

struct sandbox_str
sandbox_query(const struct sandbox_request *rq)
{
	struct sandbox_str u;
	uint32_t i;

	u = str_part(rq->url, 0, str_find(rq->url, "#"));
	i = str_find(u, "?");
	return (str_part(u, i < u.len ? i + 1 : i, u.len));
}

int
sandbox_path_is(const struct sandbox_request *rq, const char *path)
{
	struct sandbox_str p;

	p = sandbox_path(rq);
	return (strlen(path) == p.len && memcmp(p.ptr, path, p.len) == 0);
}

/*--------------------------------------------------------------------
 * Percent encoding
 */

static int
decode_digit(char c)
{

	if (c >= '0' && c <= '9')
		return (c - '0');
	c = request_lower(c);
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (-1);
}

/* Take one character off the front of (str), which is not empty. */
static char
decode_one(struct sandbox_str *str, int form)
{
	int hi, lo;
	char c;

	c = str->ptr[0];
	if (c == '%' && str->len >= 3) {
		hi = decode_digit(str->ptr[1]);
		lo = decode_digit(str->ptr[2]);
		if (hi >= 0 && lo >= 0) {
			*str = str_part(*str, 3, str->len);
			return ((char)(hi << 4 | lo));
		}
	}
	*str = str_part(*str, 1, str->len);
	return (form && c == '+' ? ' ' : c);
}

size_t
sandbox_decode(struct sandbox_str str, int form, char *buf, size_t size)
{
	struct room rm = { buf, size, 0 };

	while (str.len > 0)
		room_put(&rm, decode_one(&str, form));
	room_end(&rm);
	return (rm.len);
}

static int
decode_is(struct sandbox_str str, const char *name)
{

	while (str.len > 0) {
		if (*name == '\0' || decode_one(&str, 1) != *name)
			return (0);
		name++;
	}
	return (*name == '\0');
}

long
sandbox_find_param(struct sandbox_str q, const char *name, char *buf,
    size_t size)
{
	struct sandbox_str p;
	uint32_t end, eq;

	while (q.len > 0) {
		end = str_find(q, "&");
		p = str_part(q, 0, end);
		q = str_part(q, end < q.len ? end + 1 : end, q.len);
		if (p.len == 0)
			continue;
		eq = str_find(p, "=");
		if (!decode_is(str_part(p, 0, eq), name))
			continue;
		p = str_part(p, eq < p.len ? eq + 1 : eq, p.len);
		return ((long)sandbox_decode(p, 1, buf, size));
	}
	if (size > 0)
		buf[0] = '\0';
	return (-1);
}

/*--------------------------------------------------------------------
 * Numbers
 */

int
sdk_number(const char *str, long min, long max, long *val)
{
	unsigned long u, d, lim;
	int neg;

	neg = (min < 0 && *str == '-');
	if (neg)
		str++;
	if (neg)
		lim = -(unsigned long)min;
	else if (max < 0)
		return (-1);
	else
		lim = (unsigned long)max;
	if (*str == '\0')
		return (-1);
	for (u = 0; *str != '\0'; str++) {
		if (*str < '0' || *str > '9')
			return (-1);
		d = (unsigned long)(*str - '0');
		if (d > lim || u > (lim - d) / 10)
			return (-1);
		u = u * 10 + d;
	}
	if (neg ? (long)-u > max : (long)u < min)
		return (-1);
	*val = neg ? (long)-u : (long)u;
	return (0);
}

int
sandbox_find_param_long(struct sandbox_str q, const char *name, long min,
    long max, long *val)
{
	char buf[24];
	long l;

	l = sandbox_find_param(q, name, buf, sizeof buf);
	if (l < 0)
		return (0);
	if ((size_t)l >= sizeof buf || strlen(buf) != (size_t)l)
		return (-1);
	return (sdk_number(buf, min, max, val) == 0 ? 1 : -1);
}

/*--------------------------------------------------------------------
 * The request's own query
 */

long
sandbox_get_param(const struct sandbox_request *rq, const char *name,
    char *buf, size_t size)
{

	return (sandbox_find_param(sandbox_query(rq), name, buf, size));
}

int
sandbox_get_param_long(const struct sandbox_request *rq, const char *name,
    long min, long max, long *val)
{

	return (sandbox_find_param_long(sandbox_query(rq), name, min, max,
	    val));
}
