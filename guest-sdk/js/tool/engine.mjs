/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Running the engine, and the programs made of it.
 */

import { spawnSync } from "node:child_process";

/* Bytecode of a module, or { error: { text, line, column } } of the bundle. */
export function compile(engine, code, name)
{
	const r = spawnSync(engine, ["compile", name], {
		input: code, maxBuffer: 1 << 30,
	});

	if (r.error !== undefined)
		throw (r.error);
	if (r.status === 0)
		return ({ code: r.stdout });
	const text = r.stderr.toString();
	const at = text.match(/:(\d+):(\d+)\)?\s*$/m);
	return ({ error: {
		text: text.split("\n")[0] || `ended by ${r.signal}`,
		line: Number(at?.[1] ?? 0),
		column: Number(at?.[2] ?? 0),
	} });
}

/* Start a program, without a request. { ok, text, heap, ms } */
export function check(program)
{
	const start = performance.now();
	const r = spawnSync(program, ["--check"], { timeout: 10000 });
	const ms = performance.now() - start;

	if (r.error?.code === "ETIMEDOUT")
		return ({ ok: false, text:
		    "it is not ready after 10 seconds" });
	if (r.error !== undefined)
		throw (r.error);
	return ({
		ok: r.status === 0,
		text: r.stderr.toString().trimEnd() +
		    (r.signal === null ? "" : `\nended by ${r.signal}`),
		heap: Number(r.stdout.toString()),
		ms,
	});
}
