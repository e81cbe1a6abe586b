/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Where the bytes of an ArrayBuffer or of a view are. Scripts can give a view
 * properties of its own, and change those that all views have, so what is asked
 * is the getters that were there before any script; and views of a buffer that
 * can be resized have the length that it has now, which is not what QuickJS's
 * own JS_GetTypedArrayBuffer() says.
 */

#include <string.h>

#include "engine_priv.h"

enum {
	VIEW_BUFFER,
	VIEW_OFFSET,
	VIEW_LENGTH,
	N_VIEW
};

static JSContext *bytes_ctx;

/* Of typed arrays, and of DataView. */
static JSValue bytes_getters[2][N_VIEW];

static int
bytes_init_class(JSValueConst proto, JSValue getters[N_VIEW])
{
	static const char *const names[N_VIEW] = {
		"buffer", "byteOffset", "byteLength"
	};
	JSPropertyDescriptor d;
	JSAtom name;
	int i, r;

	for (i = 0; i < N_VIEW; i++) {
		name = JS_NewAtom(bytes_ctx, names[i]);
		r = JS_GetOwnProperty(bytes_ctx, &d, proto, name);
		JS_FreeAtom(bytes_ctx, name);
		if (r <= 0 || !JS_IsFunction(bytes_ctx, d.getter))
			return (-1);
		getters[i] = d.getter;
	}
	return (0);
}

int
engine_bytes_init(JSContext *ctx)
{
	JSValue uint8, typed, view;
	int r;

	bytes_ctx = ctx;
	uint8 = JS_GetClassProto(bytes_ctx, JS_CLASS_UINT8_ARRAY);
	typed = JS_GetPrototype(bytes_ctx, uint8);
	view = JS_GetClassProto(bytes_ctx, JS_CLASS_DATAVIEW);
	r = bytes_init_class(typed, bytes_getters[0]);
	r |= bytes_init_class(view, bytes_getters[1]);
	JS_FreeValue(bytes_ctx, uint8);
	JS_FreeValue(bytes_ctx, typed);
	JS_FreeValue(bytes_ctx, view);
	return (r);
}

/* Throws if (v) is no view, or if it is one of what is not there any more. */
static JSValue
bytes_ask(JSValueConst v, int what)
{

	return (JS_Call(bytes_ctx, bytes_getters[JS_GetClassID(v) ==
	    JS_CLASS_DATAVIEW][what], v, 0, NULL));
}

static int
bytes_number(JSValueConst v, int what, size_t *n)
{
	JSValue number;
	int64_t i;

	/* An exception is none. */
	number = bytes_ask(v, what);
	if (JS_ToInt64(bytes_ctx, &i, number) < 0 || i < 0)
		return (-1);
	*n = (size_t)i;
	return (0);
}

/* The buffer itself, of which the caller is one more owner. */
static JSValue
bytes_buffer(JSValueConst v)
{
	JSClassID class;

	class = JS_GetClassID(v);
	if (class == JS_CLASS_ARRAY_BUFFER ||
	    class == JS_CLASS_SHARED_ARRAY_BUFFER)
		return (JS_DupValue(bytes_ctx, v));
	return (bytes_ask(v, VIEW_BUFFER));
}

/* NULL and 0 if it was given away. */
static uint8_t *
bytes_memory(JSValueConst buffer, size_t *len)
{
	uint8_t *p;

	*len = 0;
	p = JS_GetArrayBuffer(bytes_ctx, len, buffer);
	if (p == NULL)
		JS_FreeValue(bytes_ctx, JS_GetException(bytes_ctx));
	return (p);
}

static int
bytes_of(JSValueConst v, uint8_t **ptr, size_t *len)
{
	size_t off, all;
	JSValue buffer;
	int same;

	buffer = bytes_buffer(v);
	if (JS_IsException(buffer))
		return (-1);
	*ptr = bytes_memory(buffer, &all);
	same = JS_VALUE_GET_PTR(buffer) == JS_VALUE_GET_PTR(v);
	/* The argument keeps it alive. */
	JS_FreeValue(bytes_ctx, buffer);
	*len = all;
	if (same)
		return (0);
	if (bytes_number(v, VIEW_OFFSET, &off) < 0 ||
	    bytes_number(v, VIEW_LENGTH, len) < 0 ||
	    off > all || *len > all - off)
		return (-1);
	if (*ptr != NULL)
		*ptr += off;
	return (0);
}

int
engine_arg_bytes(struct engine_call *c, int i, uint8_t **ptr, size_t *len)
{

	if (bytes_of(arg_get(c, i), ptr, len) == 0)
		return (0);
	engine_throw(c, "not an ArrayBuffer, nor a view of one");
	return (-1);
}

struct engine_value
engine_arg_buffer(const struct engine_call *c, int i)
{
	struct engine_value ev = { { 0, 0 } };
	JSValue v;

	v = bytes_buffer(arg_get(c, i));
	memcpy(&ev, &v, sizeof v);
	return (ev);
}

int
engine_buffer_has(struct engine_value buffer, const void *ptr, size_t len)
{
	const uint8_t *p = ptr, *base;
	size_t size;
	JSValue v;

	memcpy(&v, &buffer, sizeof v);
	base = bytes_memory(v, &size);
	return (len == 0 || (base != NULL && p >= base &&
	    (size_t)(p - base) <= size && len <= size - (size_t)(p - base)));
}
