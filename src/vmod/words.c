/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Lists of words in a string. The result is one array and one buffer: the
 * first word begins at the buffer's start, which is how it is freed. No word
 * is longer than the string it came from, quotes only make it shorter.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "vdef.h"

#include "miniobj.h"
#include "vas.h"

#include "vmod/words.h"

struct words {
	unsigned		magic;
#define WORDS_MAGIC		0x21c7f09b
	const char		*s;		/* next to read */
	char			*d;		/* next to write */
	const char		*why;
};

static int
words_is_space(char c)
{

	return (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

static void
words_single(struct words *w)
{

	CHECK_OBJ_NOTNULL(w, WORDS_MAGIC);
	while (*w->s != '\0' && *w->s != '\'')
		*w->d++ = *w->s++;
	if (*w->s == '\0')
		w->why = "a single quote is not closed";
	else
		w->s++;
}

static void
words_double(struct words *w)
{

	CHECK_OBJ_NOTNULL(w, WORDS_MAGIC);
	while (*w->s != '\0' && *w->s != '"') {
		if (*w->s == '\\' && (w->s[1] == '"' || w->s[1] == '\\'))
			w->s++;
		*w->d++ = *w->s++;
	}
	if (*w->s == '\0')
		w->why = "a double quote is not closed";
	else
		w->s++;
}

static void
words_escape(struct words *w)
{

	CHECK_OBJ_NOTNULL(w, WORDS_MAGIC);
	if (*w->s == '\0')
		w->why = "there is a backslash at the end";
	else
		*w->d++ = *w->s++;
}

/* One word, from its first character on. */
static void
words_one(struct words *w)
{
	char c;

	CHECK_OBJ_NOTNULL(w, WORDS_MAGIC);
	while (w->why == NULL && *w->s != '\0' && !words_is_space(*w->s)) {
		c = *w->s++;
		if (c == '\'')
			words_single(w);
		else if (c == '"')
			words_double(w);
		else if (c == '\\')
			words_escape(w);
		else
			*w->d++ = c;
	}
	*w->d++ = '\0';
}

char **
vsbx_words_split(const char *s, const char **why)
{
	struct words w[1];
	char **list, *buf;
	size_t l, n = 0;

	AN(why);
	if (s == NULL)
		s = "";
	l = strlen(s);

	/* A word takes at least one character, and a space or the end. */
	list = calloc(l / 2 + 2, sizeof *list);
	AN(list);
	buf = malloc(l + 1);
	AN(buf);

	INIT_OBJ(w, WORDS_MAGIC);
	w->s = s;
	w->d = buf;
	while (1) {
		while (words_is_space(*w->s))
			w->s++;
		if (*w->s == '\0' || w->why != NULL)
			break;
		assert(n < l / 2 + 1);
		list[n++] = w->d;
		words_one(w);
		assert(w->d <= buf + l + 1);
	}
	if (n == 0)
		free(buf);
	if (w->why != NULL)
		vsbx_words_free(&list);
	*why = w->why;
	return (list);
}

void
vsbx_words_free(char ***listp)
{
	char **list;

	AN(listp);
	list = *listp;
	*listp = NULL;
	if (list == NULL)
		return;
	free(list[0]);
	free(list);
}
