/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * trace.c: names, arguments and results of a guest's calls.
 *
 * How they are shown is said by a letter for the result and for each argument
 * in tbl/syscalls.h:
 *
 *	d	number			x	number, hexadecimal
 *	u	size			p	address
 *	s	string			f	descriptor
 *	b	bytes, as many as the next argument says
 *	r	bytes, as many as the result says
 *	o	flags of open()		m	mode, octal
 *	P	protection		M	flags of mmap()
 *	S	signal
 *
 * All is read after the call was made. Nothing here changes the guest.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "sandbox_abi.h"

#include "vdef.h"
#include "vas.h"

#include "linux/proc.h"
#include "linux/syscall.h"
#include "run/trace.h"

/* Bytes of a string or buffer that are shown */
#define TRACE_STR		64

/* Calls that are counted by number when there are none such; the others are
 * counted together. */
#define TRACE_NR_MAX		1024

static const struct trace_call {
	const char		*name;
	const char		*args;
} trace_calls[] = {
#define SYSCALL(name, handler, leaves, args)	[SYS_##name] = { #name, args },
#define ANOTHER(name, handler, leaves, args)	[SYS_##name] = { #name, args },
#include "tbl/syscalls.h"
};

static const struct trace_call trace_ours[] = {
	[SANDBOX_CALL_NEXT - SANDBOX_CALL_BASE] = { "sandbox_next", "pdp" },
	[SANDBOX_CALL_LOG - SANDBOX_CALL_BASE] = { "sandbox_log", "ddbu" },
	[SANDBOX_CALL_FETCH - SANDBOX_CALL_BASE] = { "sandbox_fetch", "dpdd" },
};

static unsigned long trace_unknown[TRACE_NR_MAX + 1];

struct trace_flag {
	uint64_t		bit;
	const char		*name;
};

static const struct trace_flag trace_open[] = {
	{ O_WRONLY,		"O_WRONLY" },
	{ O_RDWR,		"O_RDWR" },
	{ O_CREAT,		"O_CREAT" },
	{ O_EXCL,		"O_EXCL" },
	{ O_TRUNC,		"O_TRUNC" },
	{ O_APPEND,		"O_APPEND" },
	{ O_NONBLOCK,		"O_NONBLOCK" },
	{ O_DIRECTORY,		"O_DIRECTORY" },
	{ O_NOFOLLOW,		"O_NOFOLLOW" },
	{ O_CLOEXEC,		"O_CLOEXEC" },
	{ 0, NULL }
};

static const struct trace_flag trace_prot[] = {
	{ PROT_READ,		"PROT_READ" },
	{ PROT_WRITE,		"PROT_WRITE" },
	{ PROT_EXEC,		"PROT_EXEC" },
	{ 0, NULL }
};

static const struct trace_flag trace_map[] = {
	{ MAP_SHARED,		"MAP_SHARED" },
	{ MAP_PRIVATE,		"MAP_PRIVATE" },
	{ MAP_FIXED,		"MAP_FIXED" },
	{ MAP_FIXED_NOREPLACE,	"MAP_FIXED_NOREPLACE" },
	{ MAP_ANONYMOUS,	"MAP_ANONYMOUS" },
	{ MAP_DENYWRITE,	"MAP_DENYWRITE" },
	{ MAP_NORESERVE,	"MAP_NORESERVE" },
	{ MAP_STACK,		"MAP_STACK" },
	{ MAP_POPULATE,		"MAP_POPULATE" },
	{ 0, NULL }
};

static void
trace_flags(const struct trace_flag *f, const char *none, uint64_t v)
{
	const char *sep = "";

	for (; f->name != NULL; f++) {
		if (!(v & f->bit))
			continue;
		fprintf(stderr, "%s%s", sep, f->name);
		sep = "|";
		v &= ~f->bit;
	}
	if (v != 0)
		fprintf(stderr, "%s0x%jx", sep, (uintmax_t)v);
	else if (*sep == '\0')
		fputs(none, stderr);
}

/* Bytes of the guest's, as a C string. (more) if there are others behind. */
static void
trace_quote(const char *b, size_t l, int more)
{
	unsigned char c;
	size_t u;

	fputc('"', stderr);
	for (u = 0; u < l; u++) {
		c = (unsigned char)b[u];
		if (c == '\n')
			fputs("\\n", stderr);
		else if (c == '"' || c == '\\')
			fprintf(stderr, "\\%c", c);
		else if (c < ' ' || c > '~')
			fprintf(stderr, "\\%03o", c);
		else
			fputc(c, stderr);
	}
	fprintf(stderr, "\"%s", more ? "..." : "");
}

static void
trace_address(uint64_t va)
{

	if (va == 0)
		fputs("NULL", stderr);
	else
		fprintf(stderr, "0x%jx", (uintmax_t)va);
}

static void
trace_string(struct sbx_proc *p, uint64_t va)
{
	char b[TRACE_STR * 4];
	int l;

	l = SBX_Gmem_StrIn(SBX_Sys_Gmem(p), b, sizeof b,
	    (sandbox_gva_t){ va });
	if (l == -1)
		trace_address(va);
	else
		trace_quote(b, l < 0 ? sizeof b : (size_t)l, l < 0);
}

static void
trace_bytes(struct sbx_proc *p, uint64_t va, uint64_t len)
{
	char b[TRACE_STR];
	uint64_t l;

	l = len < sizeof b ? len : sizeof b;
	if (SBX_Sys_Get(p, b, va, l))
		trace_address(va);
	else
		trace_quote(b, l, l < len);
}

static void
trace_signal(uint64_t sig)
{
	const char *name;

	name = sig < 64 ? sigabbrev_np((int)sig) : NULL;
	if (name != NULL)
		fprintf(stderr, "SIG%s", name);
	else
		fprintf(stderr, "%jd", (intmax_t)sig);
}

static void
trace_arg(struct sbx_proc *p, char how, const uint64_t *a, int64_t result)
{

	switch (how) {
	case 'd':	fprintf(stderr, "%jd", (intmax_t)(int32_t)*a);	break;
	case 'u':	fprintf(stderr, "%ju", (uintmax_t)*a);		break;
	case 'x':	fprintf(stderr, "0x%jx", (uintmax_t)*a);	break;
	case 'm':	fprintf(stderr, "0%jo", (uintmax_t)*a);		break;
	case 's':	trace_string(p, *a);				break;
	case 'S':	trace_signal(*a);				break;
	case 'b':	trace_bytes(p, *a, a[1]);			break;
	case 'o':	trace_flags(trace_open, "O_RDONLY", *a);	break;
	case 'P':	trace_flags(trace_prot, "PROT_NONE", *a);	break;
	case 'M':	trace_flags(trace_map, "0", *a);		break;
	case 'f':
		if ((int32_t)*a == AT_FDCWD)
			fputs("AT_FDCWD", stderr);
		else
			fprintf(stderr, "%d", (int32_t)*a);
		break;
	case 'r':
		if (result >= 0)
			trace_bytes(p, *a, (uint64_t)result);
		else
			trace_address(*a);
		break;
	default:
		trace_address(*a);
		break;
	}
}

static void
trace_result(char how, int64_t result)
{
	const char *name = NULL;

	if (result < 0 && result > -4096)
		name = strerrorname_np((int)-result);
	if (name != NULL)
		fprintf(stderr, " = -1 %s (%s)\n", name,
		    strerror((int)-result));
	else if (how == 'x' || how == 'p')
		fprintf(stderr, " = 0x%jx\n", (uintmax_t)result);
	else
		fprintf(stderr, " = %jd\n", (intmax_t)result);
}

static const struct trace_call *
trace_find(uint64_t nr)
{
	const struct trace_call *tc = NULL;

	if (nr < sizeof trace_calls / sizeof *trace_calls)
		tc = &trace_calls[nr];
	else if (nr >= SANDBOX_CALL_BASE && nr - SANDBOX_CALL_BASE <
	    sizeof trace_ours / sizeof *trace_ours)
		tc = &trace_ours[nr - SANDBOX_CALL_BASE];
	return (tc != NULL && tc->name != NULL ? tc : NULL);
}

static void
trace_call(struct sbx_proc *p, uint64_t nr, const uint64_t *a,
    int64_t result, int gone)
{
	static const struct trace_call unknown = { NULL, "dxxxxxx" };
	const struct trace_call *tc;
	unsigned u;

	flockfile(stderr);
	fputs(!p->serving ? "start: " : p->host == NULL ? "warm-up: " :
	    "request: ", stderr);
	tc = trace_find(nr);
	if (tc != NULL)
		fprintf(stderr, "%s(", tc->name);
	else {
		fprintf(stderr, "syscall_%ju(", (uintmax_t)nr);
		tc = &unknown;
		trace_unknown[nr < TRACE_NR_MAX ? nr : TRACE_NR_MAX]++;
	}
	for (u = 0; tc->args[u + 1] != '\0'; u++) {
		if (u > 0)
			fputs(", ", stderr);
		trace_arg(p, tc->args[u + 1], a + u, result);
	}
	fputc(')', stderr);
	if (gone)
		fputs(" = ?\n", stderr);
	else
		trace_result(tc->args[0], result);
	funlockfile(stderr);
}

void
Run_Trace(void)
{

	sbx_trace = trace_call;
}

void
Run_TraceEnd(void)
{
	unsigned u;

	if (sbx_trace == NULL)
		return;
	for (u = 0; u <= TRACE_NR_MAX; u++)
		if (trace_unknown[u] > 0)
			fprintf(stderr, "not supported: system call %u%s, "
			    "%lu times\n", u, u == TRACE_NR_MAX ?
			    " and above" : "", trace_unknown[u]);
}
