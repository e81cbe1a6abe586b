/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Why something did not work, in words for a person.
 *
 * The function that fails fills a struct sbx_err and returns -1 (or NULL).
 * Its callers may put context in front with SBX_Err_Wrap(), so that the text
 * reads as a chain, outermost first: "app: /srv/app: open: No such file".
 * The first error wins: filling an error that is already filled is ignored.
 * Control characters become question marks.
 */

#ifndef SBX_ERR_H_INCLUDED
#define SBX_ERR_H_INCLUDED

#define SBX_ERR_MAX		1024

/* What kind of failure it was: who has to do something about it. */
enum sbx_fail_e {
	SBX_FAIL_NONE = 0,
	SBX_FAIL_CONFIG,	/* the VCL author: argument, file, program */
	SBX_FAIL_HOST,		/* the host refused: EMFILE, ENOMEM, no KVM */
	SBX_FAIL_GUEST,		/* the guest misbehaved, the VM was killed */
	SBX_FAIL_REQUEST,	/* the request does not fit (too large) */
	SBX_FAIL_BUSY,		/* all VMs busy and the queue full or late */
	SBX_FAIL_SHARE,		/* more than the program may have */
	SBX_FAIL_BACKOFF,	/* refused, it is known to kill VMs */
};

struct sbx_err {
	enum sbx_fail_e		kind;
	char			msg[SBX_ERR_MAX];
};

/* Empty the error, so that it can be filled. */
void SBX_Err_Clear(struct sbx_err *);

/* Fill the error. (errnum) is an errno value whose text is appended, or 0.
 * With SBX_FAIL_HOST the limit that is likely to have been hit is named behind
 * it. Always returns -1, for the convenience of the caller. */
int SBX_Err_Set(struct sbx_err *, enum sbx_fail_e kind, int errnum,
    const char *fmt, ...)
    __attribute__((__format__(__printf__, 4, 5)));

/* Replace control characters in what comes from a file or a guest, before
 * somebody's terminal shows it. */
void SBX_Err_Printable(char *);

/* Put "text: " in front of a filled error. Always returns -1. */
int SBX_Err_Wrap(struct sbx_err *, const char *fmt, ...)
    __attribute__((__format__(__printf__, 2, 3)));

#endif
