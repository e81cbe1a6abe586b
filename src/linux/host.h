/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the core asks of its caller while a guest runs. The functions are
 * called on the thread that called us or on the VM's runner while that
 * thread waits: never two at a time for one VM.
 */

#ifndef SBX_HOST_H_INCLUDED
#define SBX_HOST_H_INCLUDED

#include <stddef.h>

enum sbx_log_e {
	SBX_LOG_INFO,		/* sandbox_log(), level info */
	SBX_LOG_ERROR,		/* sandbox_log(), level error */
	SBX_LOG_STDOUT,		/* a line the guest wrote to descriptor 1 */
	SBX_LOG_STDERR,		/* a line the guest wrote to descriptor 2 */
};

/* One line without its newline, not NUL terminated, printable characters
 * only: control characters have been replaced. */
typedef void sbx_log_f(void *priv, enum sbx_log_e, const char *line,
    size_t len);

struct sbx_host {
	sbx_log_f		*log;		/* may be NULL: not wanted */
	void			*priv;
};

#endif
