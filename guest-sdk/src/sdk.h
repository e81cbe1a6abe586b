/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the files of libsandbox share. Not for programs.
 *
 * The library is built with the C library's headers of the build machine and
 * must link with any other: so no <ctype.h>, no *scanf(), no fortified calls.
 */

#ifndef SDK_H_INCLUDED
#define SDK_H_INCLUDED

#include "sandbox.h"

/* check.c [sdk_check] */

/* True if (len) bytes at (ptr) are a header name. */
int sdk_check_name(const char *ptr, size_t len);

/* True if (len) bytes at (ptr) can be a header's value or a reason. */
int sdk_check_value(const char *ptr, size_t len);

/* NULL if the host would accept this response, and if not, why. Pointers are
 * taken to be good. */
const char *sdk_check_response(const struct sandbox_response *,
    uint64_t max_body);

/* request.c [sdk_request] */

/* True if the first (len) bytes at (ptr) are (str), whatever the case. */
int sdk_same(const char *ptr, size_t len, const char *str);

/* The value of the (nth) of (n) headers at (h) that is called (name). */
const char *sdk_nth_header(const struct sandbox_header *h, unsigned n,
    const char *name, unsigned nth);

/* Parse decimal digits that fill (str) up to its NUL, with a '-' in front if
 * (min) is negative. Returns 0, or -1 if it is not a number or out of range. */
int sdk_number(const char *str, long min, long max, long *val);

/* syscall.c [sdk_call] */

/* One system call. Returns what the kernel does: -errno for errors. */
long sdk_call(long nr, long a, long b, long c);

/* True once the first next() found no sandbox around us. */
int sdk_is_outside(void);

/* outside.c [sdk_outside] */

/* The request from the command line. Ends the process if there is none. */
const struct sandbox_request *sdk_outside_request(void);

/* Write the answer to standard output and end the process. */
void sdk_outside_answer(const struct sandbox_response *)
    __attribute__((__noreturn__));

/* outside_args.c [sdk_args] */

#define SDK_ARGS_MAX_HEADERS	128

struct sdk_args {
	const char		*method;
	const char		*url;
	const char		*proto;
	const char		*arg;
	const char		*client_ip;
	long			client_port;
	const char		*data;		/* text, "@file" or "-" */
	const char		*message;	/* "file" or "-" */
	int			body_only;
	unsigned		n_headers;
	const char		*headers[SDK_ARGS_MAX_HEADERS];
};

/*
 * Parse the words of a command line, without the program's name. Words before
 * the first one of ours belong to the program; their number goes to (skipped).
 * Pointers in (args) are into (argv). Returns NULL, or what is wrong; "" asks
 * for the usage.
 */
const char *sdk_args_parse(struct sdk_args *args, int argc, char **argv,
    int *skipped);

/*
 * Cut (text) into words in place, as a shell does with blanks, quotes and
 * backslashes but with nothing else. Returns their number, at most (max), or
 * -1 if there are more or a quote is open.
 */
int sdk_args_split(char *text, char **words, int max);

/* The options, for --help. */
const char *sdk_args_usage(void);

#endif
