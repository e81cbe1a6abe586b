/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

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

int
source_find(const char **name, uint32_t *line, uint32_t *column)
{
	uint32_t n_files, n_lines, from, to, col, f, l, c, name_at;
	struct cursor cur[1];
	const uint8_t *table;
	size_t len;
	int found;

	table = payload_find(PAYLOAD_SOURCES, &len);
	if (table == NULL || *line == 0 || strcmp(*name, SOURCE_BUNDLE) != 0)
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
