/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Headers
 */

import { eq, ok, test, throws } from "./check.js";

test("headers: empty", () => {
	eq([...new Headers()], []);
	eq([...new Headers(undefined)], []);
	eq([...new Headers({})], []);
	eq([...new Headers([])], []);
});
test("headers: what is not an init", () => {
	throws(() => new Headers(null), TypeError);
	throws(() => new Headers("a"), TypeError);
	throws(() => new Headers(1), TypeError);
	throws(() => new Headers([["a"]]), TypeError);
	throws(() => new Headers([["a", "b", "c"]]), TypeError);
	throws(() => new Headers(["ab"]), TypeError);
	throws(() => Headers(), TypeError);
});
test("headers: from pairs, records, iterables, headers", () => {
	const want = [["a", "1"], ["b", "2"]];

	eq([...new Headers([["B", "2"], ["A", "1"]])], want);
	eq([...new Headers({ B: "2", A: "1" })], want);
	eq([...new Headers(new Map([["B", "2"], ["A", "1"]]))], want);
	eq([...new Headers(new Headers({ B: "2", A: "1" }))], want);
	eq([...new Headers({ *[Symbol.iterator]() {
		yield ["b", 2];
		yield new Set(["a", 1]);
	} })], want);
});
test("headers: a record takes own enumerable keys only", () => {
	const o = Object.create({ z: "0" });

	o.a = "1";
	Object.defineProperty(o, "b", { value: "2", enumerable: false });
	eq([...new Headers(o)], [["a", "1"]]);
	throws(() => new Headers({ [Symbol("x")]: "1" }), TypeError);
}, "Node.js 20 takes what can not be enumerated, too");
test("headers: values are converted to strings", () => {
	const h = new Headers({ a: 1, b: null, c: undefined, d: [1, 2] });

	eq([...h], [["a", "1"], ["b", "null"], ["c", "undefined"],
		["d", "1,2"]]);
	throws(() => new Headers({ a: Symbol("x") }), TypeError);
});
test("headers: names", () => {
	const h = new Headers();

	for (const name of ["", " ", "a b", "a:", "a\n", "\u00e4", "\u0100",
		"a(", "a/b", "a@", "{", "\"a\"", "a\0"]) {
		throws(() => h.append(name, "x"), TypeError, name);
		throws(() => h.set(name, "x"), TypeError, name);
		throws(() => h.get(name), TypeError, name);
		throws(() => h.has(name), TypeError, name);
		throws(() => h.delete(name), TypeError, name);
	}
	for (const name of ["a", "A-b_c", "!#$%&'*+-.^_`|~0"])
		h.set(name, "x");
	eq([...h.keys()], ["!#$%&'*+-.^_`|~0", "a", "a-b_c"]);
});
test("headers: values", () => {
	const h = new Headers();

	for (const value of ["a\0b", "a\nb", "a\rb", "\u0100", "a\r\n b"])
		throws(() => h.set("x", value), TypeError,
		    JSON.stringify(value));
	h.set("x", " \t\r\n a \t b \r\n\t ");
	eq(h.get("x"), "a \t b");
	h.set("x", "\u00e4\u00ff");
	eq(h.get("x"), "\u00e4\u00ff");
	h.set("x", "");
	eq(h.get("x"), "");
	h.set("x", " ");
	eq(h.get("x"), "");
	h.set("x", "\v");
	eq(h.get("x"), "\v");
	h.set("x", "a\x7fb\x01");
	eq(h.get("x"), "a\x7fb\x01");
});
test("headers: append, get, has, set, delete", () => {
	const h = new Headers({ "X-A": "1" });

	h.append("x-a", "2");
	h.append("X-a", "");
	eq(h.get("X-A"), "1, 2, ");
	eq(h.has("x-A"), true);
	eq(h.get("x-b"), null);
	eq(h.has("x-b"), false);
	h.append("x-b", "b");
	h.set("X-A", "3");
	eq([...h], [["x-a", "3"], ["x-b", "b"]]);
	h.delete("x-A");
	h.delete("x-c");
	eq([...h], [["x-b", "b"]]);
	eq(h.append("a", "b"), undefined);
	eq(h.set("a", "b"), undefined);
	eq(h.delete("a"), undefined);
});
test("headers: arguments are needed", () => {
	const h = new Headers();

	throws(() => h.append("a"), TypeError);
	throws(() => h.set("a"), TypeError);
	throws(() => h.get(), TypeError);
	throws(() => h.has(), TypeError);
	throws(() => h.delete(), TypeError);
	throws(() => h.forEach(), TypeError);
	throws(() => h.forEach({}), TypeError);
	throws(() => Headers.prototype.get.call({}, "a"), TypeError);
});
test("headers: sorted and combined", () => {
	const h = new Headers([["b", "1"], ["A", "2"], ["B", "3"], ["c", "4"]]);

	eq([...h], [["a", "2"], ["b", "1, 3"], ["c", "4"]]);
	eq([...h.keys()], ["a", "b", "c"]);
	eq([...h.values()], ["2", "1, 3", "4"]);
	eq([...h.entries()], [...h]);
});
test("headers: Set-Cookie is not combined", () => {
	const h = new Headers([["set-cookie", "a=1"], ["x", "y"],
		["Set-Cookie", "b=2"], ["Accept", "z"]]);

	eq(h.getSetCookie(), ["a=1", "b=2"]);
	eq(h.get("set-cookie"), "a=1, b=2");
	eq([...h], [["accept", "z"], ["set-cookie", "a=1"],
		["set-cookie", "b=2"], ["x", "y"]]);
	h.set("set-cookie", "c=3");
	eq(h.getSetCookie(), ["c=3"]);
	h.delete("set-cookie");
	eq(h.getSetCookie(), []);
	eq(new Headers(new Headers([["set-cookie", "a"], ["set-cookie", "b"]]))
	    .getSetCookie(), ["a", "b"]);
});
test("headers: forEach", () => {
	const h = new Headers({ b: "2", a: "1" });
	const seen = [];
	const that = {};

	h.forEach(function (value, name, all) {
		ok(this === that && all === h);
		seen.push([name, value]);
	}, that);
	eq(seen, [["a", "1"], ["b", "2"]]);
});
test("headers: iterators see changes", () => {
	const h = new Headers({ a: "1", c: "3" });
	const it = h.entries();

	eq(it.next(), { value: ["a", "1"], done: false });
	h.set("b", "2");
	eq(it.next(), { value: ["b", "2"], done: false });
	h.delete("c");
	eq(it.next().done, true);
	eq(it[Symbol.toStringTag], "Headers Iterator");
	ok(it[Symbol.iterator]() === it);
	ok(h[Symbol.iterator] === h.entries);
	throws(() => Headers.prototype.entries.call({}), TypeError);
});
test("headers: look", () => {
	eq(Object.prototype.toString.call(new Headers()), "[object Headers]");
	eq(Object.keys(Headers.prototype).includes("append"), true);
	eq(JSON.stringify(new Headers({ a: "b" })), "{}");
});
/* A plain object of strings is looked at by the host; all others are not. */
test("headers: from objects of many kinds", () => {
	const asked = [];
	const made = (object) => [...new Headers(object)];

	class Secret {
		#hidden = "x";

		constructor() {
			this.a = this.#hidden;
		}
	}

	eq(made({ "X-A_b.c": "v", "x-d": "!~ \u00e9~" }),
	    [["x-a_b.c", "v"], ["x-d", "!~ \u00e9~"]]);
	eq(made({ A: "1", a: "2" }), [["a", "1, 2"]]);
	eq(made({ 2: "b", 1: "a", c: "c" }),
	    [["1", "a"], ["2", "b"], ["c", "c"]]);
	eq(made({ a: 1, b: null, c: " d\t", d: "" }),
	    [["a", "1"], ["b", "null"], ["c", "d"], ["d", ""]]);
	eq(made({ ["n".repeat(65)]: "v" }), [["n".repeat(65), "v"]]);
	eq(made(new Secret()), [["a", "x"]]);
	eq(made(Object.create({ b: "2" }, {
		a: { value: "1", enumerable: true },
	})), [["a", "1"]]);
	eq(made({
		get b() {
			asked.push("b");
			return ("2");
		},
		a: "1",
	}), [["a", "1"], ["b", "2"]]);
	eq(asked, ["b"]);
	eq(made(new Proxy({ a: "1" }, {
		ownKeys(target) {
			asked.push("keys");
			return (Reflect.ownKeys(target));
		},
	})), [["a", "1"]]);
	ok(asked.includes("keys"));
	for (const bad of [{ [Symbol("s")]: "x" }, { "": "x" }, { "a b": "x" },
		{ "\u00e4": "x" }, { a: "\u0100" }, { a: "b\nc" }, { a: "\0" }])
		throws(() => new Headers(bad), TypeError);
	Object.defineProperty(Object.prototype, Symbol.iterator, {
		value: function* value() {
			yield ["z", "9"];
		},
		configurable: true,
	});
	try {
		asked.push(...new Headers({ a: "1" }));
	} finally {
		delete Object.prototype[Symbol.iterator];
	}
	eq(asked.at(-1), ["z", "9"]);
});
test("headers: a handler may give them to each response", () => {
	const init = { headers: { "X-A": "1" } };
	const first = new Response("", init);

	first.headers.append("x-a", "2");
	first.headers.set("x-b", "3");
	eq(new Response("", init).headers.get("x-a"), "1");
	eq(new Response("", init).headers.get("x-b"), null);
	eq(first.headers.get("x-a"), "1, 2");
});
test("headers: names and values of many kinds", () => {
	const h = new Headers();
	const long = `X-${"n".repeat(100)}`;

	h.set(1, 2);
	h.set({ toString: () => "X-O" }, { toString: () => " o " });
	h.set(long, "l");
	h.append("x-o", "\u00e4");
	h.append("X-Empty", "");
	h.append("X-Tab", "a\tb");
	eq(h.get("1"), "2");
	eq(h.get({ toString: () => "x-O" }), "o, \u00e4");
	eq(h.get(long.toLowerCase()), "l");
	eq([h.get("x-empty"), h.get("x-tab")], ["", "a\tb"]);
	eq(h.has(undefined), false);
	eq(h.get(null), null);
	throws(() => h.get(Symbol("s")), TypeError);
	throws(() => h.set("a", Symbol("s")), TypeError);
	throws(() => h.set(`${long} `, "x"), TypeError);
	throws(() => h.set("X-\u0130", "x"), TypeError);
});
test("headers: sorted, from any order", () => {
	const h = new Headers([["c", "1"], ["a", "2"], ["set-cookie", "z"],
		["b", "3"], ["c", "4"], ["set-cookie", "y"], ["a", "5"],
		["d", "6"], ["B", "7"]]);

	eq([...h], [["a", "2, 5"], ["b", "3, 7"], ["c", "1, 4"], ["d", "6"],
		["set-cookie", "z"], ["set-cookie", "y"]]);
});
