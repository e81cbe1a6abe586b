/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * header.c: characters and names of headers.
 */

#include "config.h"

#include <string.h>
#include <strings.h>

#include "vdef.h"
#include "vas.h"

#include "hostcall/header.h"
#include "hostcall/http.h"

int
SBX_Header_IsToken(const struct sbx_txt *t)
{
	static const char extra[] = "!#$%&'*+-.^_`|~";
	size_t u;
	char c;

	AN(t);
	for (u = 0; u < t->l; u++) {
		c = t->b[u];
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') ||
		    (c != '\0' && strchr(extra, c) != NULL)))
			return (0);
	}
	return (t->l > 0);
}

int
SBX_Header_IsValue(const struct sbx_txt *t)
{
	size_t u;
	char c;

	AN(t);
	for (u = 0; u < t->l; u++) {
		c = t->b[u];
		if ((c >= 0 && c < ' ' && c != '\t') || c == 0x7f)
			return (0);
	}
	return (1);
}

int
SBX_Header_Is(const struct sbx_txt *name, const char *is)
{
	size_t l;

	AN(name);
	AN(is);
	l = strlen(is);
	return (name->l == l && !strncasecmp(name->b, is, l));
}

int
SBX_Header_IsHop(const struct sbx_txt *name)
{
	static const char * const hop[] = {
		"Connection", "HTTP2-Settings", "Keep-Alive", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Proxy-Connection",
	};
	unsigned u;

	AN(name);
	for (u = 0; u < sizeof hop / sizeof hop[0]; u++)
		if (SBX_Header_Is(name, hop[u]))
			return (1);
	return (0);
}
