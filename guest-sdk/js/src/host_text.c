/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Text and values.
 */

#include "heap.h"
#include "host.h"
#include "text.h"

#define INSPECT_MAX	16384

static void
text_encode(struct engine_call *c)
{
	const char *p;
	size_t len;

	p = engine_arg_text(c, 0, &len);
	if (p != NULL)
		engine_return(c, engine_bytes(p, len));
}

static void
text_decode(struct engine_call *c)
{
	size_t len, wrong;
	uint8_t *p;

	if (engine_arg_bytes(c, 0, &p, &len) < 0)
		return;
	if (engine_is_true(engine_arg(c, 1))) {
		(void)text_repair((const char *)p, len, NULL, &wrong);
		if (wrong > 0) {
			engine_throw(c, "these bytes are not UTF-8");
			return;
		}
	}
	engine_return(c, engine_text((const char *)p, len));
}

static void
text_latin1(struct engine_call *c)
{
	uint8_t *p;
	size_t len;

	if (engine_arg_bytes(c, 0, &p, &len) == 0)
		engine_return(c, engine_latin1((const char *)p, len, 0));
}

static void
text_btoa(struct engine_call *c)
{
	const char *p;
	size_t len;
	char *buf;

	p = engine_arg_latin1(c, 0, &len);
	if (p == NULL)
		return;
	buf = heap_alloc((len + 2) / 3 * 4 + 1);
	if (buf == NULL) {
		engine_throw(c, "out of memory");
		return;
	}
	len = text_to_base64((const unsigned char *)p, len, buf);
	engine_return(c, engine_latin1(buf, len, 0));
	heap_free(buf);
}

static void
text_atob(struct engine_call *c)
{
	const char *p;
	size_t len, i;
	char *buf;

	p = engine_arg_text(c, 0, &len);
	if (p == NULL)
		return;
	buf = heap_alloc(len + 1);
	if (buf == NULL) {
		engine_throw(c, "out of memory");
		return;
	}
	for (i = 0; i < len; i++)
		buf[i] = p[i];
	if (text_from_base64(buf, &len) < 0)
		engine_throw(c, "this is not base64");
	else
		engine_return(c, engine_latin1(buf, len, 0));
	heap_free(buf);
}

static void
text_inspect(struct engine_call *c)
{
	size_t len;
	char *buf;

	buf = heap_alloc(INSPECT_MAX);
	if (buf == NULL) {
		engine_throw(c, "out of memory");
		return;
	}
	len = engine_inspect(engine_arg(c, 0), buf, INSPECT_MAX);
	engine_return(c, engine_text(buf, len));
	heap_free(buf);
}

static void
text_clone(struct engine_call *c)
{

	engine_clone(c, 0);
}

const struct engine_func host_text[] = {
	{ "utf8Encode",		text_encode,	1 },
	{ "utf8Decode",		text_decode,	2 },
	{ "latin1Decode",	text_latin1,	1 },
	{ "btoa",		text_btoa,	1 },
	{ "atob",		text_atob,	1 },
	{ "inspect",		text_inspect,	1 },
	{ "structuredClone",	text_clone,	1 },
};
const size_t host_text_n = sizeof host_text / sizeof host_text[0];
