/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Strings that are ASCII, where they are, without running user code. Most are;
 * for those that are not there is another way, in JavaScript.
 */

#include <string.h>

#include "engine_priv.h"
#include "text.h"

static const char *
ascii_of(JSContext *ctx, JSValueConst v, size_t *len)
{
	const char *p;

	if (!JS_IsString(v))
		return (NULL);
	p = JS_ToCStringLen(ctx, len, v);
	if (p == NULL) {
		JS_FreeValue(ctx, JS_GetException(ctx));
		return (NULL);
	}
	if (text_is_ascii(p, *len))
		return (p);
	JS_FreeCString(ctx, p);
	return (NULL);
}

const char *
engine_arg_ascii(const struct engine_call *c, int i, size_t *len)
{

	return (ascii_of(c->ctx, arg_get(c, i), len));
}

void
engine_ascii_done(const struct engine_call *c, const char *p)
{

	JS_FreeCString(c->ctx, p);
}

/* A property that is a value, and not the answer of a function. */
static int
ascii_pair(JSContext *ctx, JSValueConst o, JSAtom atom, engine_pair_f *func,
    void *priv)
{
	JSPropertyDescriptor d;
	struct engine_pair pair;
	JSValue name;
	int r = -1;

	memset(&pair, 0, sizeof pair);
	if (JS_GetOwnProperty(ctx, &d, o, atom) <= 0)
		return (-1);
	name = JS_AtomToValue(ctx, atom);
	if ((d.flags & JS_PROP_GETSET) == 0 &&
	    (d.flags & JS_PROP_ENUMERABLE) != 0) {
		pair.name = ascii_of(ctx, name, &pair.name_len);
		pair.text = ascii_of(ctx, d.value, &pair.text_len);
		memcpy(&pair.value, &d.value, sizeof d.value);
	}
	if (pair.name != NULL && pair.text != NULL)
		r = func(priv, &pair);
	if (pair.name != NULL)
		JS_FreeCString(ctx, pair.name);
	if (pair.text != NULL)
		JS_FreeCString(ctx, pair.text);
	JS_FreeValue(ctx, name);
	JS_FreeValue(ctx, d.value);
	JS_FreeValue(ctx, d.getter);
	JS_FreeValue(ctx, d.setter);
	return (r);
}

int
engine_arg_pairs(const struct engine_call *c, int i, engine_pair_f *func,
    void *priv)
{
	JSValueConst o = arg_get(c, i);
	JSPropertyEnum *props;
	uint32_t n, u;
	int r = 0;

	if (!JS_IsObject(o) || JS_GetClassID(o) != JS_CLASS_OBJECT)
		return (-1);
	if (JS_GetOwnPropertyNames(c->ctx, &props, &n, o,
	    JS_GPN_STRING_MASK | JS_GPN_SYMBOL_MASK)) {
		JS_FreeValue(c->ctx, JS_GetException(c->ctx));
		return (-1);
	}
	for (u = 0; u < n; u++) {
		if (r == 0)
			r = ascii_pair(c->ctx, o, props[u].atom, func, priv);
		JS_FreeAtom(c->ctx, props[u].atom);
	}
	js_free(c->ctx, props);
	return (r);
}
