/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of words: vmod/words.c.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "vdef.h"

#include "vas.h"

#include "vmod/words.h"

struct good {
	const char	*in;
	const char	*out[6];
};

static const struct good good[] = {
	{ NULL,			{ NULL } },
	{ "",			{ NULL } },
	{ " \t\n ",		{ NULL } },
	{ "a",			{ "a" } },
	{ "a b\tc\nd\re",	{ "a", "b", "c", "d", "e" } },
	{ "  a  ",		{ "a" } },
	{ "'a b'",		{ "a b" } },
	{ "\"a b\"",		{ "a b" } },
	{ "''",			{ "" } },
	{ "'' \"\"",		{ "", "" } },
	{ "A='b c'd\" e\"",	{ "A=b cd e" } },
	{ "a\\ b",		{ "a b" } },
	{ "\\'",		{ "'" } },
	{ "\\\\",		{ "\\" } },
	{ "'\\'",		{ "\\" } },
	{ "'\"'",		{ "\"" } },
	{ "\"'\"",		{ "'" } },
	{ "\"\\\"\\\\\\n\"",	{ "\"\\\\n" } },
	{ "'a\nb'",		{ "a\nb" } },
	{ "$HOME * `x` #",	{ "$HOME", "*", "`x`", "#" } },
};

static const char * const bad[] = {
	"'", "\"", "a 'b", "a \"b", "\\", "a \\", "'a' '", "\"\\\"", "\"\\",
};

static void
check_good(const struct good *g)
{
	const char *why;
	char **list;
	unsigned u;

	list = vsbx_words_split(g->in, &why);
	AN(list);
	AZ(why);
	for (u = 0; g->out[u] != NULL; u++) {
		AN(list[u]);
		if (strcmp(list[u], g->out[u]))
			printf("<%s> [%u]: <%s>, not <%s>\n", g->in, u,
			    list[u], g->out[u]);
		AZ(strcmp(list[u], g->out[u]));
	}
	AZ(list[u]);
	vsbx_words_free(&list);
	AZ(list);
}

/* As many words as there can be in a string of each length: the arrays are
 * as large as that and no larger. */
static void
check_sizes(void)
{
	const char *why;
	char buf[202];
	char **list;
	unsigned n, u;

	for (n = 0; n < 200; n++) {
		for (u = 0; u < n; u++)
			buf[u] = u % 2 ? ' ' : 'x';
		buf[n] = '\0';
		list = vsbx_words_split(buf, &why);
		AN(list);
		for (u = 0; list[u] != NULL; u++)
			AZ(strcmp(list[u], "x"));
		assert(u == (n + 1) / 2);
		vsbx_words_free(&list);
	}
}

int
main(void)
{
	const char *why;
	unsigned u;

	for (u = 0; u < sizeof good / sizeof good[0]; u++)
		check_good(&good[u]);
	for (u = 0; u < sizeof bad / sizeof bad[0]; u++) {
		why = NULL;
		AZ(vsbx_words_split(bad[u], &why));
		AN(why);
	}
	check_sizes();
	return (0);
}
