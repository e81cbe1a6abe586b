/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Copying structures, strings and headers that a guest wrote, and checking the
 * copies. Says what is wrong with them and leaves to others what follows.
 */

#ifndef SBX_COPY_H_INCLUDED
#define SBX_COPY_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

#include "sandbox_abi.h"

#include "hostcall/http.h"
#include "machine/gmem.h"

/* No structure of sandbox_abi.h will ever be larger. */
#define SBX_COPY_STRUCT_MAX	4096

/* What is wrong with what a guest wrote. */
enum sbx_bad_e {
	SBX_BAD_NOTHING,
	SBX_BAD_STRUCT,		/* at (va), not the guest's memory */
	SBX_BAD_SIZE,		/* a structure says it has (len) bytes */
	SBX_BAD_UNKNOWN,	/* it has something that we do not know */
	SBX_BAD_RESERVED,	/* a reserved member is not zero */
	SBX_BAD_MANY,		/* (len) headers */
	SBX_BAD_HEADER,		/* header (n) is at (va), not the guest's */
	SBX_BAD_STRING,		/* (len) bytes at (va), not the guest's */
	SBX_BAD_LONG,		/* more than SANDBOX_MAX_HEADER_BYTES */
	SBX_BAD_NAME,		/* of header (n), not a token */
	SBX_BAD_VALUE,		/* of header (n), has control characters */
};

/* Where copies go: strings one after the other. */
struct sbx_store {
	size_t			used;		/* of (bytes) */
	struct sbx_header	header[SANDBOX_MAX_HEADERS];
	char			bytes[SANDBOX_MAX_HEADER_BYTES];
};

struct sbx_copy {
	unsigned		magic;
#define SBX_COPY_MAGIC		0x39e57d02
	struct sbx_gmem		*gmem;
	struct sbx_gpage	page;
	struct sbx_store	*store;
	enum sbx_bad_e		bad;		/* after -1 */
	uint64_t		va;
	uint32_t		len;
	unsigned		n;
};

/* From this guest to (store), which is empty afterwards. The guest must not
 * run before the last copy. */
void SBX_Copy_Init(struct sbx_copy *, struct sbx_gmem *,
    struct sbx_store *store);

/*
 * Copy a structure of (len) bytes, whose first member is its size. A guest
 * that was built with a later SDK may have a longer one; that is all right as
 * long as it does not use what we do not know. All of these return -1, with
 * (bad) and what goes with it, if something is wrong.
 */
int SBX_Copy_Struct(struct sbx_copy *, void *to, uint32_t len, uint64_t va);

/* Copy a string. Its characters are not looked at. */
int SBX_Copy_Str(struct sbx_copy *, const struct sandbox_str *,
    struct sbx_txt *);

/* Copy (n) headers to the store's, and check their characters. */
int SBX_Copy_Headers(struct sbx_copy *, sandbox_gva_t, uint32_t n);

#endif
