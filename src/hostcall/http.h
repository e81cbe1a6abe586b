/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Requests and answers, as the host side of the core sees them.
 */

#ifndef SBX_HTTP_H_INCLUDED
#define SBX_HTTP_H_INCLUDED

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns; not NUL terminated. */
struct sbx_txt {
	const char		*b;
	size_t			l;
};

/* Those of a string, which stays its owner's; none of NULL. */
static inline struct sbx_txt
SBX_Txt(const char *s)
{
	struct sbx_txt t;

	t.b = s == NULL ? "" : s;
	t.l = strlen(t.b);
	return (t);
}

struct sbx_header {
	struct sbx_txt		name;		/* without the colon */
	struct sbx_txt		value;
};

struct sbx_request {
	struct sbx_txt		method;
	struct sbx_txt		url;
	struct sbx_txt		proto;
	struct sbx_txt		arg;		/* .backend()'s argument */
	struct sbx_txt		client_ip;
	unsigned		client_port;
	uint64_t		xid;
	unsigned		flags;		/* SANDBOX_REQUEST_... */
	unsigned		n_headers;
	const struct sbx_header	*headers;
};

/* Checked: status in 200..999, header names are tokens, values and reason
 * hold no CR, LF or NUL and no other control character but TAB. */
struct sbx_answer {
	unsigned		status;
	struct sbx_txt		reason;		/* .l == 0: none given */
	unsigned		n_headers;
	const struct sbx_header	*headers;	/* copies, ours */
	uint64_t		body_len;
};

/* What a guest wants to fetch. Checked as an answer is: the method and header
 * names are tokens, the URL begins with '/' and has no blanks, nothing holds
 * control characters. Host, and what concerns a connection, is not among the
 * headers. Valid during fetch_start() only. */
struct sbx_fetch_request {
	struct sbx_txt		method;
	struct sbx_txt		url;
	struct sbx_txt		host;		/* .l == 0: as the request */
	unsigned		n_headers;
	const struct sbx_header	*headers;
	const void		*body;
	uint64_t		body_len;
	uint64_t		max_body;	/* of the answer */
};

/* What came of it; the host's, until fetch_drop(). */
struct sbx_fetch_answer {
	int			error;		/* errno of sandbox_abi.h, or 0 */
	int			hit;
	unsigned		status;
	struct sbx_txt		reason;
	unsigned		n_headers;
	const struct sbx_header	*headers;
	const void		*body;
	uint64_t		body_len;
};

/* What a request has done in fetches. Bytes are headers and bodies, of
 * requests and of answers. */
struct sbx_fetch_use {
	uint64_t		asked;		/* for, good or bad */
	uint64_t		started;	/* counted for max_fetches */
	uint64_t		bytes;		/* moved, of max_fetch_bytes */
	uint64_t		reserved;	/* for answers to come */
	uint64_t		answers;	/* that came */
	uint64_t		hits;		/* of the answers */
	uint64_t		errors;
	uint64_t		loops;		/* of the errors */
	uint64_t		given_up;	/* while they ran */
};

#endif
