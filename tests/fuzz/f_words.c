/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The arguments of sandbox.program(). The first character of the input says
 * which of them it is.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/cache.h"

#include "vcc_sandbox_if.h"

#include "base/err.h"
#include "pool/program.h"
#include "vmod/vsbx.h"
#include "vmod/words.h"

#include "fuzz.h"

/*--------------------------------------------------------------------
 * Words
 */

/* Put words together again so that they must come apart as they were. */
static void
words_again(char **list, size_t room)
{
	const char *why;
	char *s, *d, **again, *p;
	unsigned u;

	d = s = malloc(room * 6 + 16);
	AN(s);
	for (u = 0; list[u] != NULL; u++) {
		*d++ = '\'';
		for (p = list[u]; *p != '\0'; p++)
			if (*p == '\'')
				d += sprintf(d, "'\\''");
			else
				*d++ = *p;
		*d++ = '\'';
		*d++ = u & 1 ? '\n' : ' ';
	}
	*d = '\0';
	again = vsbx_words_split(s, &why);
	AN(again);
	for (u = 0; list[u] != NULL; u++) {
		AN(again[u]);
		AZ(strcmp(again[u], list[u]));
	}
	AZ(again[u]);
	vsbx_words_free(&again);
	free(s);
}

static void
words_words(const char *s)
{
	const char *why = NULL;
	char **list;
	size_t l = 0;
	unsigned u;

	list = vsbx_words_split(s, &why);
	if (list == NULL) {
		AN(why);
		return;
	}
	AZ(why);
	for (u = 0; list[u] != NULL; u++)
		l += strlen(list[u]) + 1;
	assert(l <= strlen(s) + 1);
	words_again(list, l);
	vsbx_words_free(&list);
}

/*--------------------------------------------------------------------
 * The arguments of sandbox.program()
 */

static unsigned args_failed;

void
VRT_fail(VRT_CTX, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	CHECK_OBJ_NOTNULL(ctx, VRT_CTX_MAGIC);
	va_start(ap, fmt);
	assert(vsnprintf(buf, sizeof buf, fmt, ap) > 0);
	va_end(ap);
	AZ(strncmp(buf, "sandbox app: ", 13));
	args_failed++;
}

static void
words_limits(struct VARGS(program__init) *v, const char *s, size_t l)
{
	union {
		uint8_t		b[8];
		int64_t		i;
		double		d;
	} n;
	size_t u = 0, left;

	memset(v, 0, sizeof *v);
#define LIMIT(type, name, unit, dflt, min, max, text)			\
	v->name = dflt;							\
	memset(&n, 0, sizeof n);					\
	if (u < l && s[u++] != ' ') {					\
		left = l - u < sizeof n ? l - u : sizeof n;		\
		memcpy(n.b, s + u, left);				\
		u += left;						\
		if (unit[0] == 's')					\
			memcpy(&v->name, &n, sizeof n);			\
		else							\
			v->name = n.i;					\
	}
#include "tbl/limits.h"
}

static void
words_args(char what, const char *s, size_t l)
{
	struct VARGS(program__init) v;
	struct sbx_program_cfg cfg;
	struct vrt_ctx ctx;

	INIT_OBJ(&ctx, VRT_CTX_MAGIC);
	words_limits(&v, what == 'l' ? s : "", what == 'l' ? l : 0);
	v.path = what == 'p' ? s : "/path";
	v.valid_arguments = what == 'a';
	v.valid_environment = what == 'e';
	v.valid_files = what == 'f';
	v.arguments = v.environment = v.files = s;
	args_failed = 0;
	if (vsbx_args_parse(&ctx, "app", &v, &cfg)) {
		assert(args_failed == 1);
		return;
	}
	AZ(args_failed);
#define LIMIT(type, name, unit, dflt, min, max, text)			\
	assert((double)cfg.name >= (double)(min));			\
	assert((double)cfg.name <= (double)(max));
#include "tbl/limits.h"
	assert(cfg.path[0] == '/');
	vsbx_args_free(&cfg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{
	char *s;

	if (l == 0)
		return (0);
	s = malloc(l);
	AN(s);
	memcpy(s, b + 1, l - 1);
	s[l - 1] = '\0';
	switch (b[0]) {
	case 'w':
		words_words(s);
		break;
	default:
		words_args((char)b[0], s, l - 1);
		break;
	}
	free(s);
	return (0);
}
