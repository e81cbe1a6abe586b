/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * err.c: error texts.
 */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vdef.h"
#include "vas.h"

#include "base/err.h"

void
SBX_Err_Clear(struct sbx_err *err)
{

	AN(err);
	err->kind = SBX_FAIL_NONE;
	err->msg[0] = '\0';
}

/* Some of the words are a program's: what a terminal or a log reader could take
 * for something else is none of them. */
static void
err_clean(struct sbx_err *err)
{
	char *p;

	for (p = err->msg; *p != '\0'; p++)
		if ((*p >= 0 && *p < ' ') || *p == 0x7f)
			*p = '?';
}

/* What limits the host has for it. */
static const char *
err_limit(enum sbx_fail_e kind, int errnum)
{

	if (kind != SBX_FAIL_HOST)
		return ("");
	switch (errnum) {
	case EMFILE:
		return (" (limit: LimitNOFILE)");
	case ENFILE:
		return (" (limit: fs.file-max)");
	case ENOMEM:
		return (" (limit: memory, vm.max_map_count)");
	case EAGAIN:
		return (" (limit: TasksMax, LimitNPROC)");
	default:
		return ("");
	}
}

int
SBX_Err_Set(struct sbx_err *err, enum sbx_fail_e kind, int errnum,
    const char *fmt, ...)
{
	va_list ap;
	size_t l;

	AN(err);
	assert(kind != SBX_FAIL_NONE);
	if (err->kind != SBX_FAIL_NONE)
		return (-1);
	err->kind = kind;
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (errnum != 0) {
		l = strlen(err->msg);
		(void)snprintf(err->msg + l, sizeof err->msg - l, ": %s%s",
		    strerror(errnum), err_limit(kind, errnum));
	}
	err_clean(err);
	return (-1);
}

void
SBX_Err_Printable(char *s)
{

	AN(s);
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

int
SBX_Err_Wrap(struct sbx_err *err, const char *fmt, ...)
{
	char buf[SBX_ERR_MAX];
	va_list ap;
	size_t l, m;

	AN(err);
	assert(err->kind != SBX_FAIL_NONE);
	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof buf - 2, fmt, ap);
	va_end(ap);
	l = strlen(buf);
	buf[l++] = ':';
	buf[l++] = ' ';
	m = strlen(err->msg);
	if (m > sizeof err->msg - 1 - l)
		m = sizeof err->msg - 1 - l;
	memmove(err->msg + l, err->msg, m);
	err->msg[l + m] = '\0';
	memcpy(err->msg, buf, l);
	err_clean(err);
	return (-1);
}
