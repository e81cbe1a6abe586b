/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

#include <string.h>

#include "payload.h"

/*
 * sandbox-jsc looks for the name in the file and writes the other two. They
 * are volatile so that the compiler does not think that it knows them.
 */
static volatile const struct {
	char			name[32];
	uint64_t		addr;
	uint64_t		len;
} payload_slot __attribute__((__used__, __aligned__(16))) = {
	"sandbox-js payload slot", 0, 0
};

static const struct payload_head *
payload_head(void)
{
	const struct payload_head *h;

	if (payload_slot.len < sizeof *h)
		return (NULL);
	h = (const struct payload_head *)(uintptr_t)payload_slot.addr;
	if (strncmp(h->name, PAYLOAD_NAME, sizeof h->name) != 0)
		return (NULL);
	return (h);
}

int
payload_is_here(void)
{

	return (payload_head() != NULL);
}

const uint8_t *
payload_find(uint32_t kind, size_t *len)
{
	const struct payload_head *h;
	const struct payload_section *s;
	uint32_t i;

	h = payload_head();
	if (h == NULL)
		return (NULL);
	s = (const struct payload_section *)(const void *)(h + 1);
	for (i = 0; i < h->n; i++)
		if (s[i].kind == kind && s[i].off <= payload_slot.len &&
		    s[i].len <= payload_slot.len - s[i].off) {
			*len = s[i].len;
			return ((const uint8_t *)h + s[i].off);
		}
	return (NULL);
}
