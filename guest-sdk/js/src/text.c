/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 */

#include <stdint.h>
#include <string.h>

#include "text.h"

#define REPLACEMENT	"\357\277\275"	/* U+FFFD */

int
text_is_ascii(const char *ptr, size_t len)
{
	uint64_t w;
	size_t i;

	for (i = 0; i + sizeof w <= len; i += sizeof w) {
		memcpy(&w, ptr + i, sizeof w);
		if (w & UINT64_C(0x8080808080808080))
			return (0);
	}
	for (; i < len; i++)
		if (ptr[i] & 0x80)
			return (0);
	return (1);
}

/*--------------------------------------------------------------------
 * UTF-8
 */

/* The length of the sequence at (p), or 0 if it is none; (*bad) is then how
 * many bytes one U+FFFD stands for (Unicode: a maximal subpart). */
static size_t
utf8_sequence(const unsigned char *p, size_t len, size_t *bad)
{
	unsigned lo, hi;
	size_t n, i;

	*bad = 1;
	if (p[0] < 0x80)
		return (1);
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return (0);
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	lo = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
	hi = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
	for (i = 1; i < n; i++) {
		if (i == len || p[i] < lo || p[i] > hi) {
			*bad = i;
			return (0);
		}
		lo = 0x80;
		hi = 0xbf;
	}
	return (n);
}

size_t
text_repair(const char *from, size_t len, char *to, size_t *wrong)
{
	const unsigned char *p = (const unsigned char *)from;
	size_t i, n, o, bad;

	*wrong = 0;
	if (to == NULL && text_is_ascii(from, len))
		return (len);
	for (i = o = 0; i < len; i += n) {
		n = utf8_sequence(p + i, len - i, &bad);
		if (n > 0) {
			if (to != NULL)
				memcpy(to + o, p + i, n);
			o += n;
			continue;
		}
		n = bad;
		if (to != NULL)
			memcpy(to + o, REPLACEMENT, 3);
		o += 3;
		(*wrong)++;
	}
	return (o);
}

static int
text_is_surrogate(const char *p)
{

	return ((unsigned char)p[0] == 0xed && (p[1] & 0xe0) == 0xa0);
}

int
text_has_surrogates(const char *ptr, size_t len)
{
	const char *p, *end = ptr + len;

	for (p = ptr; p < end; p++) {
		p = memchr(p, 0xed, (size_t)(end - p));
		if (p == NULL || end - p < 3)
			return (0);
		if (text_is_surrogate(p))
			return (1);
	}
	return (0);
}

void
text_drop_surrogates(char *ptr, size_t len)
{
	size_t i;

	for (i = 0; i + 3 <= len; i++)
		if (text_is_surrogate(ptr + i))
			memcpy(ptr + i, REPLACEMENT, 3);
}

/*--------------------------------------------------------------------
 * Bytes as characters
 */

size_t
text_from_latin1(const char *from, size_t len, int lower, char *to)
{
	unsigned char c;
	size_t i, n;

	for (i = n = 0; i < len; i++) {
		c = (unsigned char)from[i];
		if (lower && c >= 'A' && c <= 'Z')
			c = (unsigned char)(c - 'A' + 'a');
		if (c >= 0x80) {
			to[n++] = (char)(0xc0 | c >> 6);
			c = 0x80 | (c & 0x3f);
		}
		to[n++] = (char)c;
	}
	return (n);
}

int
text_to_latin1(char *text, size_t *len)
{
	unsigned char c;
	size_t i, n;

	for (i = n = 0; i < *len; i++) {
		c = (unsigned char)text[i];
		if (c >= 0x80) {
			if (c > 0xc3 || ++i == *len)
				return (-1);
			c = (unsigned char)(c << 6 | (text[i] & 0x3f));
		}
		text[n++] = (char)c;
	}
	if (n < *len)
		text[n] = '\0';
	*len = n;
	return (0);
}

/*--------------------------------------------------------------------
 * Base64
 */

static const char base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
text_to_base64(const unsigned char *p, size_t len, char *to)
{
	unsigned w;
	size_t i, n;

	for (i = n = 0; i < len; i += 3) {
		w = (unsigned)p[i] << 16;
		if (len - i > 1)
			w |= (unsigned)p[i + 1] << 8;
		if (len - i > 2)
			w |= p[i + 2];
		to[n++] = base64[w >> 18];
		to[n++] = base64[w >> 12 & 63];
		to[n++] = len - i > 1 ? base64[w >> 6 & 63] : '=';
		to[n++] = len - i > 2 ? base64[w & 63] : '=';
	}
	return (n);
}

static int
base64_digit(char c)
{
	const char *p;

	p = c == '\0' ? NULL : strchr(base64, c);
	return (p == NULL ? -1 : (int)(p - base64));
}

/* Take out white space, and the padding if it is where it belongs. */
static size_t
base64_strip(char *text, size_t len)
{
	size_t i, n;

	for (i = n = 0; i < len; i++)
		if (text[i] == '\0' || strchr(" \t\n\f\r", text[i]) == NULL)
			text[n++] = text[i];
	if (n % 4 == 0 && n > 0 && text[n - 1] == '=')
		n -= text[n - 2] == '=' ? 2 : 1;
	return (n);
}

int
text_from_base64(char *text, size_t *len)
{
	unsigned w;
	size_t i, n, o;
	int d;

	n = base64_strip(text, *len);
	if (n % 4 == 1)
		return (-1);
	for (i = o = 0, w = 0; i < n; i++) {
		d = base64_digit(text[i]);
		if (d < 0)
			return (-1);
		w = w << 6 | (unsigned)d;
		/* each digit but the first of four completes a byte */
		if (i % 4 == 1)
			text[o++] = (char)(w >> 4);
		else if (i % 4 == 2)
			text[o++] = (char)(w >> 2);
		else if (i % 4 == 3)
			text[o++] = (char)w;
	}
	*len = o;
	return (0);
}
