/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's rules for a response. The library checks them as well, because a
 * 500 with a reason is of more help than a VM that was killed.
 */

#include <string.h>

#include "sdk.h"

/* RFC 9110, 5.6.2: the characters of a token, a bit for each of 64. */
#define TOKEN_LOW	UINT64_C(0x03ff6cfa00000000)	/* !#$%&'*+-. 0-9 */
#define TOKEN_HIGH	UINT64_C(0x57ffffffc7fffffe)	/* A-Z^_` a-z|~ */

static int
check_is_token(unsigned char c)
{
	uint64_t set;

	set = c < 64 ? TOKEN_LOW : c < 128 ? TOKEN_HIGH : 0;
	return ((set >> (c & 63) & 1) != 0);
}

int
sdk_check_name(const char *ptr, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!check_is_token((unsigned char)ptr[i]))
			return (0);
	return (len > 0);
}

#define EACH(byte)	(UINT64_C(0x0101010101010101) * (byte))

/* True if none of eight bytes is below ' ', is DEL, or is above 0x7f, which
 * would be all right. */
static int
check_is_plain(const char *ptr)
{
	uint64_t w;

	memcpy(&w, ptr, sizeof w);
	return ((((w - EACH(' ')) | (w + EACH(1)) | w) & EACH(0x80)) == 0);
}

int
sdk_check_value(const char *ptr, size_t len)
{
	unsigned char c;
	size_t i;

	for (i = 0; i + 8 <= len && check_is_plain(ptr + i);)
		i += 8;
	for (; i < len; i++) {
		c = (unsigned char)ptr[i];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return (0);
	}
	return (1);
}

const char *
sdk_check_response(const struct sandbox_response *rsp, uint64_t max_body)
{
	const struct sandbox_header *h;
	uint64_t bytes;
	unsigned i;

	if (rsp->status < 200 || rsp->status > 999)
		return ("the status is not in 200..999");
	if (!sdk_check_value(rsp->reason.ptr, rsp->reason.len))
		return ("the reason has control characters in it");
	if (rsp->n_headers > SANDBOX_MAX_HEADERS)
		return ("too many headers");
	bytes = rsp->reason.len;
	for (i = 0; i < rsp->n_headers; i++) {
		h = &rsp->headers[i];
		if (!sdk_check_name(h->name.ptr, h->name.len))
			return ("a header's name is not a token");
		if (!sdk_check_value(h->value.ptr, h->value.len))
			return ("a header's value has control characters"
			    " in it");
		bytes += (uint64_t)h->name.len + h->value.len;
	}
	if (bytes > SANDBOX_MAX_HEADER_BYTES)
		return ("the headers are too long");
	if (rsp->body == NULL && rsp->body_len > 0)
		return ("the body has a length and no address");
	if (rsp->body_len > max_body)
		return ("the body is larger than the limit");
	return (NULL);
}
