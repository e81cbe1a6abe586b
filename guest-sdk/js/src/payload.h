/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * payload.c [payload]: what sandbox-jsc adds to this program to make a handler
 * of it: a segment of its own, which the file's header names as one, and
 * within it sections, which only we know.
 *
 *	struct payload_head, struct payload_section [n], their contents
 *
 * All numbers are little endian; the contents begin at multiples of 16.
 */

#ifndef PAYLOAD_H_INCLUDED
#define PAYLOAD_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#define PAYLOAD_NAME	"sandbox-js.1"	/* and NULs, 16 bytes */

struct payload_head {
	char			name[16];
	uint32_t		n;
	uint32_t		reserved;
};

struct payload_section {
	uint32_t		kind;
	uint32_t		off;		/* from the head, bytes */
	uint32_t		len;
	uint32_t		reserved;
};

#define PAYLOAD_RUNTIME	1		/* bytecode */
#define PAYLOAD_HANDLER	2		/* bytecode */
#define PAYLOAD_SOURCES	3		/* see source.h */
#define PAYLOAD_PROFILE	4		/* see cells.h */

/* True if there is one. */
int payload_is_here(void);

/* A section, or NULL. */
const uint8_t *payload_find(uint32_t kind, size_t *len);

#endif
