/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * KILL(name, text): why a VM is killed. tbl/pool_stats.h has a counter
 * kill_(name) for each.
 */

KILL(fault,	"the guest crashed")
KILL(exit,	"the guest exited")
KILL(timeout,	"the guest took too long")
KILL(answer,	"the answer broke a rule")
KILL(gone,	"its client went away")
KILL(host,	"the host refused something")
#undef KILL
