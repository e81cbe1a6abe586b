/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Leaves as much behind as a program can, and looks for what was left behind.
 *
 *	/fill	fill all registers, all kinds of memory and all that a kernel
 *		keeps for a process, and answer with the registers so; the
 *		body says what each attempt came to, a line each
 *	/read	say of each of them what it was at the snapshot, what it was
 *		at the first instruction of this request, and if that is a
 *		leak. Status 200 if nothing is, 500 if anything is. X-Residue
 *		has the names.
 *	/alternate
 *		/fill when rq->xid is even, and /read when it is odd: that is
 *		for "sandbox-run --count", which counts in xid
 *
 * A line of the report is: name, verdict, value at the snapshot, value now, in
 * hex, low byte first. Verdicts: "same"; "init", as after a reset of the CPU;
 * "LEAK". Other paths are answered with "ok".
 *
 * Outside of a sandbox it fills, has nobody to reset it, and reads: that has to
 * find a leak everywhere, and shows that the looking works.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../guest.h"
#include "residue.h"

typedef char residue_same_as_entry_S[SANDBOX_ABI_VERSION == 1 &&
    SANDBOX_CALL_NEXT == 0x5b001 &&
    offsetof(struct cpu, cs) == CPU_CS &&
    offsetof(struct cpu, xsave) == 256 ? 1 : -1];

static char lines[262144];
static size_t lines_len;
static char notes[4096];
static size_t notes_len;
static char leaks[2048];
static size_t leaks_len;
static unsigned n_reported, n_leaks;

/* Append, and cut what does not fit. */
static void
append(char *buf, size_t size, size_t *len, const char *text)
{
	size_t l;

	l = strlen(text);
	if (l > size - *len - 1)
		l = size - *len - 1;
	memcpy(buf + *len, text, l);
	*len += l;
	buf[*len] = '\0';
}

static void
line(const char *text)
{

	append(lines, sizeof lines, &lines_len, text);
}

static void
line_hex(const uint8_t *p, size_t len)
{
	char buf[4];
	size_t i;

	line(" ");
	for (i = 0; i < len; i++) {
		(void)snprintf(buf, sizeof buf, "%02x", p[i]);
		line(buf);
	}
}

void
report(const char *name, const void *was, const void *is, const void *init,
    size_t len)
{
	const char *verdict;

	n_reported++;
	if (memcmp(was, is, len) == 0)
		verdict = "same";
	else if (init != NULL && memcmp(init, is, len) == 0)
		verdict = "init";
	else {
		verdict = "LEAK";
		if (n_leaks++ > 0)
			append(leaks, sizeof leaks, &leaks_len, " ");
		append(leaks, sizeof leaks, &leaks_len, name);
	}
	line(name);
	line(" ");
	line(verdict);
	line_hex(was, len);
	line_hex(is, len);
	line("\n");
}

void
report_long(const char *name, long was, long is)
{

	report(name, &was, &is, NULL, sizeof was);
}

void
note(const char *what, long ret)
{
	char buf[64];

	(void)snprintf(buf, sizeof buf, "%s %ld\n", what, ret);
	append(notes, sizeof notes, &notes_len, buf);
}

static void
read_all(const struct sandbox_request *rq, struct sandbox_reply *rp)
{

	cpu_report();
	memory_report(rq);
	kernel_report();
	sandbox_reply_init(rp, rq);
	sandbox_set_status(rp, n_leaks == 0 ? 200 : 500, NULL);
	sandbox_add_header(rp, "X-Residue", n_leaks == 0 ? "clean" : leaks);
	sandbox_add_headerf(rp, "X-Residue-Leaks", "%u of %u", n_leaks,
	    n_reported);
	sandbox_set_body(rp, lines, lines_len);
}

static void
fill_all(void)
{

	kernel_fill();
	memory_fill();
	cpu_load_fill();
	cross_again = 1;
}

static int
wants(const struct sandbox_request *rq, const char *path, unsigned odd)
{

	return (sandbox_path_is(rq, path) ||
	    (sandbox_path_is(rq, "/alternate") && rq->xid % 2 == odd));
}

static int
outside(void)
{
	struct sandbox_request rq;
	struct sandbox_reply rp;

	memset(&rq, 0, sizeof rq);
	rq.max_response_body = sizeof lines;
	fprintf(stderr, "residue: there is no sandbox; what follows is what"
	    " one would have to clean\n");
	fill_all();
	(void)cross(NULL);
	read_all(&rq, &rp);
	(void)fcntl(1, F_SETFL, 0);
	(void)fwrite(lines, 1, lines_len, stdout);
	printf("%u of %u leak\n", n_leaks, n_reported);
	return (0);
}

int
main(int argc, char **argv)
{
	static struct sandbox_response filled;
	const struct sandbox_request *rq;
	struct sandbox_reply rp;
	long r;

	(void)argc;
	cpu_boot();
	memory_boot(argv);
	kernel_boot();
	cpu_load_snapshot();
	r = cross(NULL);
	if (r < 0 && r >= -4095)
		return (outside());
	rq = (const struct sandbox_request *)r;
	if (wants(rq, "/fill", 0)) {
		fill_all();
		filled = guest_response();
		filled.body = notes;
		filled.body_len = notes_len;
		(void)cross(&filled);
		abort();
	}
	if (wants(rq, "/read", 1))
		read_all(rq, &rp);
	else {
		sandbox_reply_init(&rp, rq);
		sandbox_puts(&rp, "ok\n");
	}
	(void)sandbox_next(sandbox_reply_end(&rp));
	return (1);
}
