/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

#include "host.h"

int
host_object(struct engine_value *o)
{
	int r;

	*o = engine_bare();
	r = engine_add(*o, host_request, host_request_n);
	r |= engine_add(*o, host_answer, host_answer_n);
	r |= engine_add(*o, host_system, host_system_n);
	r |= engine_add(*o, host_text, host_text_n);
	r |= engine_add(*o, host_url, host_url_n);
	r |= engine_add(*o, host_headers, host_headers_n);
	r |= engine_add(*o, host_crypto, host_crypto_n);
	r |= engine_add(*o, host_timer, host_timer_n);
	r |= engine_add(*o, host_fetch, host_fetch_n);
	return (r);
}
