/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Running the engine, and the programs made of it.
 */

import { spawnSync } from "node:child_process";
import fs from "node:fs";

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

/* The bits of both, phase by phase (src/cells.h). */
function merge(a, b)
{
	const out = [];

	for (let i = 0, j = 0; i < a.length || j < b.length;) {
		const m = i < a.length ? a.readUInt32LE(i) : 0;
		const n = j < b.length ? b.readUInt32LE(j) : 0;
		const most = Math.max(m, n);
		const part = Buffer.alloc(4 + Math.ceil(most / 8));
		const bytes = [Math.ceil(m / 8), Math.ceil(n / 8)];
		part.writeUInt32LE(most);
		for (let k = 0; k < part.length - 4; k++)
			part[4 + k] = (k < bytes[0] ? a[i + 4 + k] : 0) |
			    (k < bytes[1] ? b[j + 4 + k] : 0);
		out.push(part);
		i += 4 + bytes[0];
		j += 4 + bytes[1];
	}
	return (Buffer.concat(out));
}

/* What Varnish sends along with most requests. */
const HEADERS = ["Host: www.example.com", "User-Agent: Mozilla/5.0",
	"Accept: */*", "Accept-Encoding: gzip", "X-Forwarded-For: 192.0.2.1",
	"X-Varnish: 32770"].flatMap((h) => ["--header", h]);

/*
 * Which of a program's objects requests for these URLs read and write; null if
 * that can not be seen here. What they answer does not matter.
 */
export function profile(program, urls)
{
	const file = `${program}.profile`;
	let all = Buffer.alloc(0);

	try {
		for (const url of urls) {
			const r = spawnSync(program,
			    ["--profile", file, "--url", url, ...HEADERS],
			    { timeout: 20000, stdio: "ignore" });
			if (r.status !== 0)
				return (null);
			all = merge(all, fs.readFileSync(file));
		}
		return (all);
	} catch {
		return (null);
	} finally {
		fs.rmSync(file, { force: true });
	}
}
