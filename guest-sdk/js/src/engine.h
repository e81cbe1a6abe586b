/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * engine.c [engine]: the JavaScript engine, as the rest of the program sees
 * it. engine.c and engine_*.c are the only files that know which one that is.
 *
 * There is one engine in a program. Functions that return int return 0, or -1
 * when JavaScript threw: error_last() (error.h) then says what.
 */

#ifndef ENGINE_H_INCLUDED
#define ENGINE_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* A value of JavaScript's. Who gets one from a function that says so owns it,
 * and gives it back with engine_drop(); nobody need do that after the freeze,
 * when memory is put back anyway. */
struct engine_value {
	uint64_t		w[2];
};

/* A call from JavaScript to C. The members are engine.c's. */
struct engine_call {
	void			*ctx;
	int			argc;
	const void		*argv;
	struct engine_value	ret;
};

typedef void engine_func_f(struct engine_call *);

struct engine_func {
	const char		*name;
	engine_func_f		*func;
	int			n_args;
};

struct engine_setup {
	size_t			stack;		/* bytes JavaScript may use */

	/* Asked now and then while JavaScript runs; true stops it with an
	 * error that it can not catch. */
	int			(*stop)(void);

	/* A promise was rejected and nobody handles it; or, with (handled),
	 * somebody does after all. Values are the caller's. */
	void			(*rejected)(struct engine_value promise,
				    struct engine_value reason, int handled);

	/* Math.random(): a number from 0 to 1, without 1. */
	double			(*random)(void);
};

/* Memory comes from cells.c and heap.c. */
int engine_init(const struct engine_setup *);

/* Collect garbage, and from now on only when (limit) bytes are in use. */
void engine_collect(size_t limit);

/*--------------------------------------------------------------------
 * Programs
 */

/*
 * Compile a module. The result comes from heap.c. With an error the text of
 * error_last() has the line in it.
 */
int engine_compile(const char *text, size_t len, const char *name,
    uint8_t **code, size_t *code_len);

/* Start a module; (promise) is settled when its top level has run. Its exports
 * are in (module), an object, already. Both are the caller's to drop. */
int engine_start(const uint8_t *code, size_t len, struct engine_value *module,
    struct engine_value *promise);

/* Give an object these functions; the table stays in place. */
int engine_add(struct engine_value obj, const struct engine_func *,
    size_t n);

/* obj[name]; undefined if there is none. */
int engine_get(struct engine_value obj, const char *name,
    struct engine_value *);

/* Call a function with (argc) values, without a `this`. (ret) may be NULL. */
int engine_call(struct engine_value func, int argc,
    const struct engine_value *argv, struct engine_value *ret);

/* Run jobs (what comes after an await) until there are none. An error in a job
 * ends it early: call again. */
int engine_jobs(void);

enum engine_state_e {
	ENGINE_PENDING,
	ENGINE_FULFILLED,
	ENGINE_REJECTED,
	ENGINE_NO_PROMISE
};

/* (result) may be NULL; else it is filled when the promise is settled. */
enum engine_state_e engine_promise(struct engine_value,
    struct engine_value *result);

/* True if engine_jobs() would do something. */
int engine_has_jobs(void);

/*--------------------------------------------------------------------
 * Values
 */

struct engine_value engine_null(void);
struct engine_value engine_bool(int);
struct engine_value engine_number(double);
/* Bytes that are not UTF-8 become U+FFFD. */
struct engine_value engine_text(const char *ptr, size_t len);
/* What is known to be ASCII. */
struct engine_value engine_ascii(const char *ptr, size_t len);
/* Each byte one character. */
struct engine_value engine_latin1(const char *ptr, size_t len, int lower);
/* An ArrayBuffer: a copy, or the memory itself, which then stays in place. */
struct engine_value engine_bytes(const void *ptr, size_t len);
struct engine_value engine_bytes_here(void *ptr, size_t len);
/* A list of values, which are taken; and (n) more at its end. What is there
 * instead of a list that could not be made throws when it is returned. */
struct engine_value engine_list(const struct engine_value *, unsigned n);
int engine_append(struct engine_value *list, const struct engine_value *,
    unsigned n);
/* obj[name] = value, which is taken. */
int engine_set(struct engine_value obj, const char *name,
    struct engine_value);
/* A bare object. */
struct engine_value engine_bare(void);

struct engine_value engine_keep(struct engine_value);	/* one more owner */
void engine_drop(struct engine_value);
int engine_is_function(struct engine_value);
int engine_is_true(struct engine_value);
int engine_is_same(struct engine_value, struct engine_value);

/* What was thrown last, and is thereby forgotten. */
struct engine_value engine_take_error(void);

int engine_is_error(struct engine_value);

/* An Error, which knows where it was made. */
struct engine_value engine_new_error(void);

/* String(v), cut at (size); nothing if that throws. Returns its length. */
size_t engine_to_text(struct engine_value, char *buf, size_t size);

/*--------------------------------------------------------------------
 * For functions that are called from JavaScript. What returns NULL or -1 has
 * thrown; the function then just returns. A result is set with engine_return.
 * Strings stay until the request's end.
 */

struct engine_value engine_arg(const struct engine_call *, int i);
int engine_arg_is_null(const struct engine_call *, int i);  /* or undefined */
int engine_arg_number(struct engine_call *, int i, double *);
/* UTF-8; a lone surrogate is U+FFFD. */
const char *engine_arg_text(struct engine_call *, int i, size_t *len);
/* ByteString: a character above U+00FF throws. */
const char *engine_arg_latin1(struct engine_call *, int i, size_t *len);
/* A string that is ASCII, or NULL, and nothing has been thrown. The caller's,
 * until engine_ascii_done(). */
const char *engine_arg_ascii(const struct engine_call *, int i, size_t *len);
void engine_ascii_done(const struct engine_call *, const char *);
/*
 * A plain object whose own properties are all strings by names that are no
 * symbols, names and strings in ASCII: call (func) for each, in their order,
 * until it returns other than 0. Returns that, or -1 for any other value; no
 * user code is run and nothing thrown. What is in the pair is (func)'s until it
 * returns.
 */
struct engine_pair {
	const char		*name;
	size_t			name_len;
	const char		*text;
	size_t			text_len;
	struct engine_value	value;		/* the text, to be kept */
};
typedef int engine_pair_f(void *priv, const struct engine_pair *);
int engine_arg_pairs(const struct engine_call *, int i, engine_pair_f *,
    void *priv);
/* An ArrayBuffer or a view. NULL may be the address of no bytes: -1 throws. */
int engine_arg_bytes(struct engine_call *, int i, uint8_t **ptr, size_t *len);
/* The buffer of what engine_arg_bytes() took; and whether memory that was found
 * there is still its own, which JavaScript may have moved or given away. */
struct engine_value engine_arg_buffer(const struct engine_call *, int i);
int engine_buffer_has(struct engine_value, const void *ptr, size_t len);
int engine_arg_is_text(const struct engine_call *, int i);
/* A list of ByteStrings. */
int engine_arg_list(struct engine_call *, int i, uint32_t *n);
const char *engine_arg_list_latin1(struct engine_call *, int i, uint32_t nth,
    size_t *len);

void engine_return(struct engine_call *, struct engine_value);
void engine_throw(struct engine_call *, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

/* A readable form, as console.log() prints it; cut at (size). Returns its
 * length. */
size_t engine_inspect(struct engine_value, char *buf, size_t size);

/* A deep copy. Throws for functions, symbols and what has no copy. */
void engine_clone(struct engine_call *, int i);

#endif
