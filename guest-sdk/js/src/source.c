/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "payload.h"
#include "source.h"

struct cursor {
	const uint8_t		*p, *end;
};

static uint32_t
source_word(const uint8_t *table, size_t len, size_t i)
{
	uint32_t w;

	if (len / sizeof w <= i)
		return (0);
	memcpy(&w, table + i * sizeof w, sizeof w);
	return (w);
}

static uint32_t
source_number(struct cursor *c)
{
	uint32_t n, shift;

	for (n = shift = 0; c->p < c->end && shift < 32; shift += 7) {
		n |= (uint32_t)(*c->p & 0x7f) << shift;
		if ((*c->p++ & 0x80) == 0)
			break;
	}
	return (n);
}

static uint32_t
source_signed(struct cursor *c)
{
	uint32_t n;

	n = source_number(c);
	return (n & 1 ? -(n >> 1) : n >> 1);
}

/* Map (line, column) of the bundle, which count from 1. Returns 1 and fills
 * all three, or 0 if it is not known. */
static int
source_find(const char **name, uint32_t *line, uint32_t *column)
{
	uint32_t n_files, n_lines, from, to, col, f, l, c, name_at;
	struct cursor cur[1];
	const uint8_t *table;
	size_t len;
	int found;

	table = payload_find(PAYLOAD_SOURCES, &len);
	if (table == NULL || *line == 0)
		return (0);
	n_files = source_word(table, len, 0);
	n_lines = source_word(table, len, 1);
	if (*line > n_lines)
		return (0);
	from = source_word(table, len, 2 + (size_t)n_files + *line - 1);
	to = source_word(table, len, 2 + (size_t)n_files + *line);
	if (from > to || to > len)
		return (0);
	cur->p = table + from;
	cur->end = table + to;
	col = f = l = c = 0;
	for (found = 0; cur->p < cur->end; found = 1) {
		col += source_number(cur);
		if (col + 1 > *column && found)
			break;
		f += source_signed(cur);
		l += source_signed(cur);
		c += source_signed(cur);
	}
	name_at = source_word(table, len, 2 + (size_t)f);
	if (!found || f >= n_files || name_at >= len ||
	    memchr(table + name_at, '\0', len - name_at) == NULL)
		return (0);
	*name = (const char *)table + name_at;
	*line = l + 1;
	*column = c + 1;
	return (1);
}

/* "12:7" at (p), which ends at (end). Returns what is behind it, or NULL. */
static const char *
source_place(const char *p, const char *end, uint32_t n[2])
{
	int i;

	for (i = 0; i < 2; i++) {
		if (i > 0 && (p == end || *p++ != ':'))
			return (NULL);
		if (p == end || *p < '0' || *p > '9')
			return (NULL);
		for (n[i] = 0; p < end && *p >= '0' && *p <= '9'; p++)
			n[i] = n[i] * 10 + (uint32_t)(*p - '0');
	}
	return (p);
}

void
source_map(const char *from, size_t len, char *buf, size_t size)
{
	const char *p, *q, *name, *end = from + len;
	uint32_t n[2];
	size_t at;
	int l;

	for (p = from, at = 0; p < end && at + 1 < size;) {
		q = (size_t)(end - p) < sizeof SOURCE_BUNDLE ||
		    memcmp(p, SOURCE_BUNDLE, sizeof SOURCE_BUNDLE - 1) != 0 ?
		    NULL :
		    source_place(p + sizeof SOURCE_BUNDLE - 1, end, n);
		if (q == NULL || !source_find(&name, &n[0], &n[1])) {
			buf[at++] = *p++;
			continue;
		}
		l = snprintf(buf + at, size - at, "%s:%u:%u", name, n[0],
		    n[1]);
		at += l < 0 ? 0 : (size_t)l < size - at ? (size_t)l :
		    size - at - 1;
		p = q;
	}
	if (size > 0)
		buf[at] = '\0';
}
