/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox.d.ts: what a handler gets, and exports. The rest is the web's: with
 * TypeScript use --lib es2024,dom.
 */

/*
 * The program's settings, environment = "NAME=value" of sandbox.program() in
 * VCL, and the argument that VCL has given to this request.
 */
export type Env<Settings = Record<string, string | undefined>> =
    Readonly<Settings> & {
	/* Of .backend("..."), or "". */
	readonly ARG: string;
};

export interface Context {
	/*
	 * The answer waits for this promise. There is no work after the answer
	 * has gone out: the program is put back to what it was before the
	 * request. What the promise is rejected with is logged.
	 */
	waitUntil(promise: Promise<unknown>): void;

	/* Of who asks: "192.0.2.1"; the port, 0 when unknown. */
	readonly clientIp: string;
	readonly clientPort: number;

	/* To find the request in Varnish's log. */
	readonly xid: number;

	/* Milliseconds until the request is given up. */
	readonly timeLeft: number;
}

/* The module's default export. */
export interface Handler<Settings = Record<string, string | undefined>> {
	fetch(request: Request, env: Env<Settings>, ctx: Context):
	    Response | Promise<Response>;
}

/*
 * The module may export this, too, as "warmup". It runs once, after the top
 * level of the module and before the first request; whatever it leaves in
 * memory each request finds there. There is no request yet, env.ARG is "", and
 * nothing can be fetched.
 */
export type Warmup<Settings = Record<string, string | undefined>> =
    (env: Env<Settings>) => void | Promise<unknown>;
