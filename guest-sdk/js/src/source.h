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

#include <stddef.h>

#define SOURCE_BUNDLE	"sandbox:handler:"

/*
 * Copy a line of text, with places in the bundle ("sandbox:handler:12:7") made
 * into places in the sources. Writes at most (size) bytes, a NUL among them.
 */
void source_map(const char *from, size_t len, char *buf, size_t size);

#endif
