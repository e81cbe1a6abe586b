/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What HTTP says about headers.
 */

#ifndef SBX_HEADER_H_INCLUDED
#define SBX_HEADER_H_INCLUDED

#include <stddef.h>

struct sbx_txt;

/* True if all of it, and there is some, is characters of a token (RFC 9110,
 * 5.6.2), as a method and a header's name are. */
int SBX_Header_IsToken(const struct sbx_txt *);

/* True if it has no control characters but TAB (RFC 9110, 5.5). */
int SBX_Header_IsValue(const struct sbx_txt *);

/* Is it this name? Case does not matter. */
int SBX_Header_Is(const struct sbx_txt *name, const char *);

/* Does a header of this name belong to a connection, not to the message? */
int SBX_Header_IsHop(const struct sbx_txt *name);

#endif
