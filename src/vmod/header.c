/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Names of headers.
 */

#include "config.h"

#include <string.h>
#include <strings.h>

#include "cache/cache.h"

#include "pool/vm.h"
#include "vmod/vsbx.h"

int
vsbx_hdr_is(const struct sbx_txt *name, const char *is)
{
	size_t l;

	AN(name);
	AN(is);
	l = strlen(is);
	return (name->l == l && !strncasecmp(name->b, is, l));
}

int
vsbx_hdr_is_hop(const struct sbx_txt *name)
{
	static const char * const hop[] = {
		"Connection", "HTTP2-Settings", "Keep-Alive", "TE", "Trailer",
		"Transfer-Encoding", "Upgrade", "Proxy-Connection",
	};
	unsigned u;

	AN(name);
	for (u = 0; u < sizeof hop / sizeof hop[0]; u++)
		if (vsbx_hdr_is(name, hop[u]))
			return (1);
	return (0);
}
