/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * source.c [source]: which line of which source file a line of the bundle came
 * from. sandbox-jsc makes the table from esbuild's source map:
 *
 *	uint32_t	number of files, F
 *	uint32_t	number of lines of the bundle, L
 *	uint32_t [F]	where each file's name begins, a NUL behind it
 *	uint32_t [L+1]	where each line's pieces begin, and their end
 *
 * (offsets from the table's begin, in bytes; little endian), and for each piece
 * four numbers of seven bits a byte, the lowest first, the eighth bit set if
 * there are more: column in the bundle, file, line, column, each the difference
 * to the piece before it on that line (the first: to 0), and all but the first
 * with their sign in the lowest bit. Columns and lines count from 0.
 */

#ifndef SOURCE_H_INCLUDED
#define SOURCE_H_INCLUDED

#include <stdint.h>

#define SOURCE_BUNDLE	"sandbox:handler"

/* Map (line, column) of the bundle, which count from 1. Returns 1 and fills
 * all three, or 0 if it is not known. */
int source_find(const char **name, uint32_t *line, uint32_t *column);

#endif
