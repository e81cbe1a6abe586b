/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A few words to write tests with, which run in a sandbox and in Node.js: what
 * holds in both is what the standards say, and not what we think they do.
 */

const tests = [];

/*
 * A test; (f) may be async. (node), if given, says why Node.js is left out:
 * it lacks something, or does not do what the standard says.
 */
export function test(name, f, node = undefined) {
	tests.push({ name, f, node });
}

function show(value) {
	if (typeof value === "bigint" || typeof value === "symbol" ||
	    value === undefined || Object.is(value, -0) || value !== value)
		return (Object.is(value, -0) ? "-0" : String(value));
	if (ArrayBuffer.isView(value) && !(value instanceof DataView))
		return (`${value[Symbol.toStringTag]}[${value}]`);
	return (JSON.stringify(value) ?? String(value));
}

/* They look the same. */
export function eq(actual, expected, what = "") {
	const a = show(actual), b = show(expected);

	if (a !== b)
		throw new Error(`${what && `${what}: `}${a}, and not ${b}`);
}

export function ok(value, what = "true") {
	if (!value)
		throw new Error(`not ${what}`);
}

function isError(e, type) {
	const right = typeof type === "string" ?
	    e instanceof DOMException && e.name === type : e instanceof type;

	if (!right)
		throw new Error(`threw ${e?.name}: ${e?.message}, and not ` +
		    (type.name ?? type));
}

/* (type) is a class, or the name of a DOMException. */
export function throws(f, type, what = "") {
	let result;

	try {
		result = f();
	} catch (e) {
		isError(e, type);
		return;
	}
	throw new Error(`${what && `${what}: `}no error, but ${show(result)}`);
}

export async function rejects(promise, type) {
	let result;

	try {
		result = await promise;
	} catch (e) {
		isError(e, type);
		return;
	}
	throw new Error(`no error, but ${show(result)}`);
}

export const utf8 = (s) => new TextEncoder().encode(s);
export const text = (b) => new TextDecoder().decode(b);
export const hex = (b) => [...new Uint8Array(b)].map((n) =>
    n.toString(16).padStart(2, "0")).join("");

const inNode = typeof process === "object" && process.versions?.node;

/*
 * Run those whose names contain (word). Returns a report whose last line is
 * "N passed, N failed, N left out".
 */
export async function run(word) {
	const lines = [];
	let passed = 0, failed = 0, out = 0;

	for (const t of tests) {
		if (!t.name.includes(word))
			continue;
		if (inNode && t.node !== undefined) {
			out++;
			continue;
		}
		try {
			await t.f();
			passed++;
		} catch (e) {
			failed++;
			lines.push(`failed: ${t.name}: ${e?.message ?? e}`);
			if (!/^failed|, and not |^no error|^not /.test(
			    e?.message))
				lines.push(String(e?.stack).replace(/^/gm,
				    "    "));
		}
	}
	lines.push(`${passed} passed, ${failed} failed, ${out} left out`);
	return (lines.join("\n") + "\n");
}
