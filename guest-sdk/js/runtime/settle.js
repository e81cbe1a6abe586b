/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * QuickJS makes most of its built-in functions when a program first looks at
 * them. Each request begins in the same frozen heap, so it would make all that
 * it uses anew each time. Look at them all, once, before the freeze.
 */

/* Prototypes that no global name leads to. */
function hidden() {
	const generator = (function* () {})();
	const asyncGenerator = (async function* () {})();

	return ([
		generator, asyncGenerator, async () => {},
		[].values(), new Map().entries(), new Set().values(),
		""[Symbol.iterator](), "".matchAll(/x/g),
		new Uint8Array(0), Iterator.from({ next() {} }),
	]);
}

/* No getter is called by this. */
export function settle() {
	const seen = new Set();
	const list = [globalThis, ...hidden()];

	while (list.length > 0) {
		const o = list.pop();
		if (o === null || seen.has(o) ||
		    (typeof o !== "object" && typeof o !== "function"))
			continue;
		seen.add(o);
		list.push(Object.getPrototypeOf(o));
		for (const key of Reflect.ownKeys(o)) {
			const d = Object.getOwnPropertyDescriptor(o, key);
			list.push(d.value, d.get, d.set);
		}
	}
	return (seen.size);
}
