/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The host's rules for a response. The library checks them as well, because a
 * 500 with a reason is of more help than a VM that was killed.
 */

#include "sdk.h"

/* RFC 9110, 5.6.2: the characters of a token. */
static int
check_is_token(unsigned char c)
{
	const char *p;

	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return (1);
	for (p = "!#$%&'*+-.^_`|~"; *p != '\0'; p++)
		if (c == (unsigned char)*p)
			return (1);
	return (0);
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

int
sdk_check_value(const char *ptr, size_t len)
{
	unsigned char c;
	size_t i;

	for (i = 0; i < len; i++) {
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
