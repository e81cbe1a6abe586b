/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The C side (host.d.ts), for the other files here: boot() sets it before
 * anything is called. User code never gets to see it.
 */

export let host = null;

/* True while a request is being answered. */
export const phase = { serving: false };

export function setHost(value) {
	host = value;
}
