/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Is varnishd's struct transport ours?
 */

#include "config.h"

#include <string.h>

#include "cache/cache.h"

#include "vmod/compat.h"
#include "vmod/transport.h"

const char *
vsbx_transport_check(const void *table, size_t size, const void *deliver)
{
	const struct transport *t = table;

	if (size != sizeof *t)
		return ("its struct transport has another size");
	if (t->magic != TRANSPORT_MAGIC || t->name == NULL ||
	    strcmp(t->name, "HTTP/1"))
		return ("its struct transport begins differently");
	/* a pointer to a function can not be made one to an object */
	if (deliver == NULL || memcmp(&t->deliver, &deliver, sizeof deliver))
		return ("its struct transport has other members");
	if (t->req_fail == NULL || t->req_body == NULL ||
	    t->req_panic == NULL || t->reembark != NULL ||
	    t->minimal_response == NULL)
		return ("its struct transport ends differently");
	if (t->number == 0 || t->number >= VSBX_TRANSPORT_NUMBER)
		return ("its transports have other numbers");
	return (NULL);
}
