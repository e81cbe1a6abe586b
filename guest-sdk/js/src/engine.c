/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * QuickJS. Another build of it, or another engine, takes its place by taking
 * the place of this file and of engine_*.c.
 *
 * Values that C code does not give back are no leak: they are put back with
 * the rest of memory when the request has been answered.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cells.h"
#include "engine_priv.h"
#include "heap.h"
#include "text.h"

#define N_TABLES	12		/* of functions */
#define LIST_STEP	16		/* values in one call */
#define INIT_MARK	((size_t)0x6b72616d2d736a2d)

static struct {
	JSRuntime		*rt;
	JSContext		*ctx;
	JSValue			push;		/* Array.prototype.push */
	JSAtom			length;
	struct engine_setup	setup;
	const struct engine_func *funcs[N_TABLES];
	unsigned		n_funcs;
} engine;

/*--------------------------------------------------------------------
 * Values
 */

static struct engine_value
value_out(JSValue v)
{
	struct engine_value ev = { { 0, 0 } };
	typedef char fits[sizeof v <= sizeof ev ? 1 : -1];

	(void)sizeof(fits);
	memcpy(&ev, &v, sizeof v);
	return (ev);
}

static JSValue
value_in(struct engine_value ev)
{
	JSValue v;

	memcpy(&v, &ev, sizeof v);
	return (v);
}

struct engine_value
engine_null(void)
{

	return (value_out(JS_NULL));
}

struct engine_value
engine_bool(int b)
{

	return (value_out(JS_NewBool(engine.ctx, b)));
}

struct engine_value
engine_number(double d)
{

	return (value_out(JS_NewFloat64(engine.ctx, d)));
}

struct engine_value
engine_keep(struct engine_value v)
{

	return (value_out(JS_DupValue(engine.ctx, value_in(v))));
}

void
engine_drop(struct engine_value v)
{

	JS_FreeValue(engine.ctx, value_in(v));
}

int
engine_is_function(struct engine_value v)
{

	return (JS_IsFunction(engine.ctx, value_in(v)));
}

int
engine_is_true(struct engine_value v)
{

	return (JS_ToBool(engine.ctx, value_in(v)) > 0);
}

int
engine_is_same(struct engine_value a, struct engine_value b)
{

	return (JS_StrictEq(engine.ctx, value_in(a), value_in(b)));
}

struct engine_value
engine_bytes(const void *ptr, size_t len)
{

	return (value_out(JS_NewArrayBufferCopy(engine.ctx, ptr, len)));
}

static void
bytes_stay(JSRuntime *rt, void *opaque, void *ptr)
{

	(void)rt;
	(void)opaque;
	(void)ptr;
}

struct engine_value
engine_bytes_here(void *ptr, size_t len)
{

	return (value_out(JS_NewArrayBuffer(engine.ctx, ptr, len, bytes_stay,
	    NULL, 0)));
}

/* Array.prototype.push() makes room for all of them at once. */
static int
list_push(JSValueConst list, const struct engine_value *v, unsigned n)
{
	JSValue args[LIST_STEP], r;
	unsigned i;

	for (i = 0; i < n; i++)
		args[i] = value_in(v[i]);
	r = JS_Call(engine.ctx, engine.push, list, (int)n, args);
	for (i = 0; i < n; i++)
		JS_FreeValue(engine.ctx, args[i]);
	return (JS_IsException(r) ? -1 : 0);
}

int
engine_append(struct engine_value *list, const struct engine_value *v,
    unsigned n)
{
	JSValue l = value_in(*list);
	unsigned k;

	for (; n > 0 && !JS_IsException(l); n -= k, v += k) {
		k = n < LIST_STEP ? n : LIST_STEP;
		if (list_push(l, v, k) == 0)
			continue;
		JS_FreeValue(engine.ctx, l);
		l = JS_EXCEPTION;
	}
	*list = value_out(l);
	return (JS_IsException(l) ? -1 : 0);
}

struct engine_value
engine_list(const struct engine_value *v, unsigned n)
{
	struct engine_value list;

	list = value_out(JS_NewArray(engine.ctx));
	(void)engine_append(&list, v, n);
	return (list);
}

struct engine_value
engine_bare(void)
{

	return (value_out(JS_NewObjectProto(engine.ctx, JS_NULL)));
}

int
engine_set(struct engine_value obj, const char *name, struct engine_value v)
{

	return (JS_SetPropertyStr(engine.ctx, value_in(obj), name,
	    value_in(v)) < 0 ? -1 : 0);
}

int
engine_get(struct engine_value obj, const char *name, struct engine_value *v)
{
	JSValue p;

	p = JS_GetPropertyStr(engine.ctx, value_in(obj), name);
	*v = value_out(p);
	return (JS_IsException(p) ? -1 : 0);
}

/*--------------------------------------------------------------------
 * Text. What QuickJS calls UTF-8 can hold surrogates, and it reads bytes that
 * are not UTF-8 in a way of its own; both are put right here.
 */

static struct engine_value
text_in(const char *ptr, size_t len)
{

	return (value_out(JS_NewStringLen(engine.ctx, ptr, len)));
}

struct engine_value
engine_ascii(const char *ptr, size_t len)
{

	return (text_in(ptr, len));
}

struct engine_value
engine_latin1(const char *ptr, size_t len, int lower)
{
	char small[256], *buf;
	struct engine_value v;

	if (!lower && text_is_ascii(ptr, len))
		return (text_in(ptr, len));
	buf = 2 * len <= sizeof small ? small : heap_alloc(2 * len);
	if (buf == NULL)
		return (value_out(JS_ThrowOutOfMemory(engine.ctx)));
	v = text_in(buf, text_from_latin1(ptr, len, lower, buf));
	if (buf != small)
		heap_free(buf);
	return (v);
}

struct engine_value
engine_text(const char *ptr, size_t len)
{
	struct engine_value v;
	size_t n, wrong;
	char *buf;

	n = text_repair(ptr, len, NULL, &wrong);
	if (wrong == 0)
		return (text_in(ptr, len));
	buf = heap_alloc(n + 1);
	if (buf == NULL)
		return (value_out(JS_ThrowOutOfMemory(engine.ctx)));
	(void)text_repair(ptr, len, buf, &wrong);
	v = text_in(buf, n);
	heap_free(buf);
	return (v);
}

/* A copy of a string that is about to be changed. */
static char *
text_copy(const char *p, size_t len)
{
	char *buf;

	buf = heap_alloc(len + 1);
	if (buf == NULL)
		(void)JS_ThrowOutOfMemory(engine.ctx);
	else
		memcpy(buf, p, len + 1);
	return (buf);
}

static const char *
text_of(JSValueConst v, size_t *len)
{
	const char *p;
	char *q;

	p = JS_ToCStringLen(engine.ctx, len, v);
	if (p == NULL || !text_has_surrogates(p, *len))
		return (p);
	q = text_copy(p, *len);
	if (q != NULL)
		text_drop_surrogates(q, *len);
	return (q);
}

static const char *
latin1_of(JSValueConst v, size_t *len)
{
	const char *p;
	char *q;

	p = JS_ToCStringLen(engine.ctx, len, v);
	if (p == NULL || text_is_ascii(p, *len))
		return (p);
	q = text_copy(p, *len);
	if (q == NULL)
		return (NULL);
	if (text_to_latin1(q, len) < 0) {
		(void)JS_ThrowTypeError(engine.ctx, NULL, -1,
		    "not a ByteString: there is a character above U+00FF");
		return (NULL);
	}
	return (q);
}

/*--------------------------------------------------------------------
 * Errors
 */

struct engine_value
engine_take_error(void)
{

	return (value_out(JS_GetException(engine.ctx)));
}

int
engine_is_error(struct engine_value v)
{

	return (JS_IsError(engine.ctx, value_in(v)));
}

struct engine_value
engine_new_error(void)
{
	JSValue v, ctor, global;

	global = JS_GetGlobalObject(engine.ctx);
	ctor = JS_GetPropertyStr(engine.ctx, global, "Error");
	v = JS_CallConstructor(engine.ctx, ctor, 0, NULL);
	JS_FreeValue(engine.ctx, ctor);
	JS_FreeValue(engine.ctx, global);
	return (value_out(v));
}

size_t
engine_to_text(struct engine_value v, char *buf, size_t size)
{
	const char *p;
	size_t len;

	p = text_of(value_in(v), &len);
	if (p == NULL) {
		JS_FreeValue(engine.ctx, JS_GetException(engine.ctx));
		return (0);
	}
	if (len > size)
		len = size;
	memcpy(buf, p, len);
	return (len);
}

/*--------------------------------------------------------------------
 * Arguments and results
 */

struct engine_value
engine_arg(const struct engine_call *c, int i)
{

	return (value_out(arg_get(c, i)));
}

int
engine_arg_is_null(const struct engine_call *c, int i)
{
	JSValueConst v = arg_get(c, i);

	return (JS_IsNull(v) || JS_IsUndefined(v));
}

int
engine_arg_is_text(const struct engine_call *c, int i)
{

	return (JS_IsString(arg_get(c, i)));
}

/* An exception is in the engine already; have the call return it. */
static void
arg_failed(struct engine_call *c)
{

	c->ret = value_out(JS_EXCEPTION);
}

int
engine_arg_number(struct engine_call *c, int i, double *d)
{

	if (JS_ToFloat64(engine.ctx, d, arg_get(c, i)) == 0)
		return (0);
	arg_failed(c);
	return (-1);
}

const char *
engine_arg_text(struct engine_call *c, int i, size_t *len)
{
	const char *p;

	p = text_of(arg_get(c, i), len);
	if (p == NULL)
		arg_failed(c);
	return (p);
}

const char *
engine_arg_latin1(struct engine_call *c, int i, size_t *len)
{
	const char *p;

	p = latin1_of(arg_get(c, i), len);
	if (p == NULL)
		arg_failed(c);
	return (p);
}

int
engine_arg_list(struct engine_call *c, int i, uint32_t *n)
{
	JSValue v;
	int r;

	v = JS_GetProperty(engine.ctx, arg_get(c, i), engine.length);
	r = JS_IsException(v) ? -1 : JS_ToUint32(engine.ctx, n, v);
	JS_FreeValue(engine.ctx, v);
	if (r == 0)
		return (0);
	arg_failed(c);
	return (-1);
}

const char *
engine_arg_list_latin1(struct engine_call *c, int i, uint32_t nth,
    size_t *len)
{
	const char *p;
	JSValue v;

	/* The list keeps the string alive, and who made the list waits for
	 * us; or else the copy does not need it. */
	v = JS_GetPropertyUint32(engine.ctx, arg_get(c, i), nth);
	p = JS_IsException(v) ? NULL : latin1_of(v, len);
	JS_FreeValue(engine.ctx, v);
	if (p == NULL)
		arg_failed(c);
	return (p);
}

void
engine_return(struct engine_call *c, struct engine_value v)
{

	c->ret = v;
}

void
engine_throw(struct engine_call *c, const char *fmt, ...)
{
	char buf[256];
	va_list ap;

	JS_FreeValue(engine.ctx, JS_GetException(engine.ctx));
	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	(void)JS_ThrowTypeError(engine.ctx, NULL, -1, "%s", buf);
	arg_failed(c);
}

struct inspect {
	char			*buf;
	size_t			size, len;
};

static void
inspect_write(void *priv, const char *buf, size_t len)
{
	struct inspect *in = priv;

	if (len > in->size - in->len)
		len = in->size - in->len;
	memcpy(in->buf + in->len, buf, len);
	in->len += len;
}

size_t
engine_inspect(struct engine_value v, char *buf, size_t size)
{
	JSPrintValueOptions opt[1];
	struct inspect in[1] = { { buf, size, 0 } };

	JS_PrintValueSetDefaultOptions(opt);
	opt->max_depth = 4;
	JS_PrintValue(engine.ctx, inspect_write, in, value_in(v), opt);
	return (in->len);
}

void
engine_clone(struct engine_call *c, int i)
{
	uint8_t *buf;
	size_t len;
	JSValue v;

	buf = JS_WriteObject(engine.ctx, &len, arg_get(c, i),
	    JS_WRITE_OBJ_REFERENCE | JS_WRITE_OBJ_SERIALIZE_ERRORS);
	if (buf == NULL) {
		arg_failed(c);
		return;
	}
	v = JS_ReadObject(engine.ctx, buf, len,
	    JS_READ_OBJ_REFERENCE | JS_READ_OBJ_SERIALIZE_ERRORS);
	js_free(engine.ctx, buf);
	c->ret = value_out(v);
}

/*--------------------------------------------------------------------
 * Functions of C's
 */

static JSValue
func_call(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv,
    int magic)
{
	struct engine_call c[1];

	(void)this;
	c->ctx = ctx;
	c->argc = argc;
	c->argv = argv;
	c->ret = value_out(JS_UNDEFINED);
	engine.funcs[magic >> 8][magic & 0xff].func(c);
	return (value_in(c->ret));
}

int
engine_add(struct engine_value obj, const struct engine_func *funcs, size_t n)
{
	JSValue f;
	size_t i;

	if (n > 256 || engine.n_funcs == N_TABLES)
		return (-1);
	engine.funcs[engine.n_funcs] = funcs;
	for (i = 0; i < n; i++) {
		f = JS_NewCFunctionMagic(engine.ctx, func_call, funcs[i].name,
		    funcs[i].n_args, JS_CFUNC_generic_magic,
		    (int)(engine.n_funcs << 8 | i));
		if (JS_IsException(f) ||
		    engine_set(obj, funcs[i].name, value_out(f)) < 0)
			return (-1);
	}
	engine.n_funcs++;
	return (0);
}

/*--------------------------------------------------------------------
 * Running
 */

int
engine_call(struct engine_value func, int argc,
    const struct engine_value *argv, struct engine_value *ret)
{
	JSValue args[8], v;
	int i;

	for (i = 0; i < argc && i < 8; i++)
		args[i] = value_in(argv[i]);
	v = JS_Call(engine.ctx, value_in(func), JS_UNDEFINED, i, args);
	if (JS_IsException(v))
		return (-1);
	if (ret != NULL)
		*ret = value_out(v);
	else
		JS_FreeValue(engine.ctx, v);
	return (0);
}

int
engine_jobs(void)
{
	JSContext *ctx;
	int r;

	while ((r = JS_ExecutePendingJob(engine.rt, &ctx)) > 0)
		continue;
	return (r);
}

int
engine_has_jobs(void)
{

	return (JS_IsJobPending(engine.rt));
}

enum engine_state_e
engine_promise(struct engine_value ev, struct engine_value *result)
{
	JSValue v = value_in(ev);

	if (JS_GetClassID(v) != JS_CLASS_PROMISE)
		return (ENGINE_NO_PROMISE);
	switch (JS_PromiseState(engine.ctx, v)) {
	case JS_PROMISE_FULFILLED:
		if (result != NULL)
			*result = value_out(JS_PromiseResult(engine.ctx, v));
		return (ENGINE_FULFILLED);
	case JS_PROMISE_REJECTED:
		if (result != NULL)
			*result = value_out(JS_PromiseResult(engine.ctx, v));
		return (ENGINE_REJECTED);
	default:
		return (ENGINE_PENDING);
	}
}

int
engine_compile(const char *text, size_t len, const char *name,
    uint8_t **code, size_t *code_len)
{
	JSValue v;

	/* Nobody needs the text again but Function.prototype.toString(). */
	JS_SetStripInfo(engine.rt, JS_STRIP_SOURCE);
	v = JS_Eval(engine.ctx, text, len, name,
	    JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
	if (JS_IsException(v))
		return (-1);
	*code = JS_WriteObject(engine.ctx, code_len, v,
	    JS_WRITE_OBJ_BYTECODE);
	JS_FreeValue(engine.ctx, v);
	return (*code == NULL ? -1 : 0);
}

int
engine_start(const uint8_t *code, size_t len, struct engine_value *module,
    struct engine_value *promise)
{
	JSModuleDef *m;
	JSValue v;

	v = JS_ReadObject(engine.ctx, code, len, JS_READ_OBJ_BYTECODE);
	if (JS_IsException(v))
		return (-1);
	if (JS_VALUE_GET_TAG(v) != JS_TAG_MODULE ||
	    JS_ResolveModule(engine.ctx, v) < 0) {
		JS_FreeValue(engine.ctx, v);
		return (-1);
	}
	m = JS_VALUE_GET_PTR(v);
	v = JS_EvalFunctionAsync(engine.ctx, v);
	if (JS_IsException(v))
		return (-1);
	*promise = value_out(v);
	v = JS_GetModuleNamespace(engine.ctx, m);
	*module = value_out(v);
	return (JS_IsException(v) ? -1 : 0);
}

void
engine_collect(size_t limit)
{

	JS_RunGC(engine.rt);
	JS_SetGCThreshold(engine.rt, limit);
}

/*--------------------------------------------------------------------
 * Set up
 */

/* These are for the runtime itself; all else goes through engine_alloc.c. */
static void *
init_malloc(JSMallocState *s, size_t size)
{

	s->malloc_size = INIT_MARK;
	return (heap_alloc(size));
}

static void
init_free(JSMallocState *s, void *ptr)
{

	(void)s;
	heap_free(ptr);
}

static void *
init_realloc(JSMallocState *s, void *ptr, size_t size)
{

	(void)s;
	return (heap_realloc(ptr, size));
}

/* What the engine goes by when it decides to collect garbage is a number in a
 * structure that only it knows. We have left a mark there. */
static int
init_count(void)
{
	size_t i, *p = (size_t *)(void *)engine.rt;

	for (i = 0; i < heap_size(p) / sizeof *p; i++)
		if (p[i] == INIT_MARK) {
			cells_count(&p[i]);
			return (0);
		}
	return (-1);
}

static int
init_stop(JSRuntime *rt, void *priv)
{

	(void)rt;
	(void)priv;
	return (engine.setup.stop());
}

static void
init_rejected(JSContext *ctx, JSValueConst promise, JSValueConst reason,
    JS_BOOL handled, void *priv)
{

	(void)ctx;
	(void)priv;
	engine.setup.rejected(value_out(promise), value_out(reason), handled);
}

static void
init_random(struct engine_call *c)
{

	engine_return(c, engine_number(engine.setup.random()));
}

static JSModuleDef *
init_no_module(JSContext *ctx, const char *name, void *priv)
{

	(void)priv;
	(void)JS_ThrowReferenceError(ctx, NULL, -1, "can not import '%s' at"
	    " run time: there are no files in a sandbox", name);
	return (NULL);
}

int
engine_init(const struct engine_setup *setup)
{
	static const JSMallocFunctions mf = {
		init_malloc, init_free, init_realloc, heap_size
	};
	static const struct engine_func math_random = {
		"random", init_random, 0
	};
	JSValue global, math, array;

	engine.setup = *setup;
	engine.rt = JS_NewRuntime2(&mf, NULL);
	if (engine.rt == NULL || init_count() < 0)
		return (-1);
	JS_SetMaxStackSize(engine.rt, setup->stack);
	JS_SetInterruptHandler(engine.rt, init_stop, NULL);
	JS_SetHostPromiseRejectionTracker(engine.rt, init_rejected, NULL);
	JS_SetModuleLoaderFunc(engine.rt, init_no_module);
	engine.ctx = JS_NewContext(engine.rt);
	if (engine.ctx == NULL)
		return (-1);
	global = JS_GetGlobalObject(engine.ctx);
	math = JS_GetPropertyStr(engine.ctx, global, "Math");
	if (engine_add(value_out(math), &math_random, 1) < 0 ||
	    engine_bytes_init(engine.ctx) < 0)
		return (-1);
	array = JS_GetClassProto(engine.ctx, JS_CLASS_ARRAY);
	engine.push = JS_GetPropertyStr(engine.ctx, array, "push");
	engine.length = JS_NewAtom(engine.ctx, "length");
	JS_FreeValue(engine.ctx, array);
	JS_FreeValue(engine.ctx, math);
	JS_FreeValue(engine.ctx, global);
	return (0);
}
