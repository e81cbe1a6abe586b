/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Events, AbortSignal, DOMException, timers, structuredClone, base64, and what
 * is on globalThis
 */

import { eq, hex, ok, rejects, test, throws } from "./check.js";

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

test("dom: DOMException", () => {
	const e = new DOMException("m", "AbortError");

	eq(e.name, "AbortError");
	eq(e.message, "m");
	eq(e.code, 20);
	eq(e.ABORT_ERR, 20);
	eq(DOMException.DATA_CLONE_ERR, 25);
	ok(e instanceof Error);
	ok(e instanceof DOMException);
	eq(typeof e.stack, "string");
	eq(new DOMException().name, "Error");
	eq(new DOMException().message, "");
	eq(new DOMException("", "Mine").code, 0);
	eq(String(e), "AbortError: m");
	eq(Object.prototype.toString.call(e), "[object DOMException]");
	eq(new DOMException("", { name: "X", cause: 1 }).cause, 1);
});
test("dom: EventTarget", () => {
	const t = new EventTarget();
	const seen = [];
	const f = (e) => seen.push(["f", e.type]);

	t.addEventListener("x", f);
	t.addEventListener("x", f);
	t.addEventListener("x", { handleEvent(e) {
		seen.push(["o", this !== undefined && e.target === t]);
	} });
	t.addEventListener("x", () => seen.push(["once"]), { once: true });
	eq(t.dispatchEvent(new Event("x")), true);
	t.removeEventListener("x", f);
	t.dispatchEvent(new Event("x"));
	eq(seen, [["f", "x"], ["o", true], ["once"], ["o", true]]);
	t.addEventListener("x", null);
});
test("dom: Event", () => {
	const t = new EventTarget();
	const e = new Event("x", { cancelable: true, bubbles: true });

	eq(e.type, "x");
	eq(e.cancelable, true);
	eq(e.bubbles, true);
	eq(e.composed, false);
	eq(e.target, null);
	eq(e.isTrusted, false);
	eq(typeof e.timeStamp, "number");
	t.addEventListener("x", (ev) => {
		eq(ev.eventPhase, 2);
		eq(ev.composedPath().length, 1);
		ev.preventDefault();
		ev.stopImmediatePropagation();
	});
	t.addEventListener("x", () => {
		throw new Error("not stopped");
	});
	eq(t.dispatchEvent(e), false);
	eq(e.defaultPrevented, true);
	eq(e.target === t, true);
	eq(e.currentTarget, null);
	throws(() => new Event(), TypeError);
	throws(() => t.dispatchEvent({}), TypeError);
});
test("dom: an event is dispatched once at a time", () => {
	const t = new EventTarget();
	let n = 0;

	t.addEventListener("y", (ev) => {
		throws(() => t.dispatchEvent(ev), "InvalidStateError");
		n++;
	});
	t.dispatchEvent(new Event("y"));
	eq(n, 1);
}, "Node.js has an error of its own");
test("dom: a listener with a signal", () => {
	const t = new EventTarget();
	const c = new AbortController();
	let n = 0;

	t.addEventListener("x", () => n++, { signal: c.signal });
	t.dispatchEvent(new Event("x"));
	c.abort();
	t.dispatchEvent(new Event("x"));
	eq(n, 1);
});
test("dom: CustomEvent", () => {
	eq(new CustomEvent("x", { detail: 1 }).detail, 1);
	eq(new CustomEvent("x").detail, null);
	ok(new CustomEvent("x") instanceof Event);
	throws(() => new CustomEvent(), TypeError);
});
test("abort: controller", () => {
	const c = new AbortController();
	const seen = [];

	c.signal.addEventListener("abort", (e) => seen.push(e.type));
	c.signal.onabort = function (e) {
		seen.push([e.target === c.signal, this === c.signal]);
	};
	eq(c.signal.aborted, false);
	eq(c.signal.reason, undefined);
	c.signal.throwIfAborted();
	c.abort();
	c.abort("again");
	eq(c.signal.aborted, true);
	eq(c.signal.reason.name, "AbortError");
	eq(seen, ["abort", [true, true]]);
	throws(() => c.signal.throwIfAborted(), "AbortError");
	throws(() => new AbortSignal(), TypeError);
	ok(c.signal === c.signal);
});
test("abort: reasons", () => {
	const c = new AbortController();
	const why = new Error("why");

	c.abort(why);
	ok(c.signal.reason === why);
	eq(AbortSignal.abort("x").reason, "x");
	eq(AbortSignal.abort(null).reason, null);
	eq(AbortSignal.abort().reason.name, "AbortError");
});
test("abort: timeout", async () => {
	const s = AbortSignal.timeout(5);

	eq(s.aborted, false);
	await new Promise((done) => s.addEventListener("abort", done));
	eq(s.reason.name, "TimeoutError");
	throws(() => AbortSignal.timeout(), TypeError);
	throws(() => AbortSignal.timeout(-1), TypeError);
}, "Node.js throws a RangeError for -1");
test("abort: any", () => {
	const a = new AbortController();
	const b = new AbortController();
	const s = AbortSignal.any([a.signal, b.signal]);
	const t = AbortSignal.any([s]);
	const seen = [];

	t.addEventListener("abort", () => seen.push(s.aborted));
	eq(s.aborted, false);
	b.abort("b");
	a.abort("a");
	eq(s.reason, "b");
	eq(t.reason, "b");
	eq(seen, [true]);
	eq(AbortSignal.any([]).aborted, false);
	eq(AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)])
	    .reason, 1);
	throws(() => AbortSignal.any([1]), TypeError);
	throws(() => AbortSignal.any(), TypeError);
});

test("timers: order and arguments", async () => {
	const seen = [];

	setTimeout((...a) => seen.push(a), 20, 1, 2);
	setTimeout(() => seen.push("b"), 1);
	setTimeout(() => seen.push("no"), 3) && 0;
	clearTimeout(setTimeout(() => seen.push("never"), 2));
	clearTimeout();
	clearTimeout(12345678);
	await sleep(40);
	eq(seen, ["b", "no", [1, 2]]);
	throws(() => setTimeout(), TypeError);
});
test("timers: interval", async () => {
	let n = 0;

	await new Promise((done) => {
		const t = setInterval(() => {
			if (++n === 3) {
				clearInterval(t);
				done();
			}
		}, 1);
	});
	await sleep(10);
	eq(n, 3);
});
test("timers: microtasks go first", async () => {
	const seen = [];

	setTimeout(() => seen.push("timer"), 0);
	queueMicrotask(() => seen.push("micro"));
	Promise.resolve().then(() => seen.push("then"));
	seen.push("now");
	await sleep(10);
	eq(seen, ["now", "micro", "then", "timer"]);
	throws(() => queueMicrotask(), TypeError);
	throws(() => queueMicrotask(1), TypeError);
});
test("timers: time goes by", async () => {
	const a = performance.now(), b = Date.now();

	await sleep(20);
	ok(performance.now() - a >= 19, "20 ms by performance.now()");
	ok(Date.now() - b >= 19, "20 ms by Date.now()");
	ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) <
	    1000, "about now");
});

test("clone: values", () => {
	const c = structuredClone;

	for (const v of [1, "a", true, null, undefined, 10n, -0, NaN])
		ok(Object.is(c(v), v), String(v));
	eq(c({ a: [1, { b: 2 }] }), { a: [1, { b: 2 }] });
	eq(c(new Date(5)).getTime(), 5);
	eq(String(c(/a\/b/gi)), "/a\\/b/gi");
	eq([...c(new Map([[{ a: 1 }, "b"]]))], [[{ a: 1 }, "b"]]);
	eq([...c(new Set([1, [2]]))], [1, [2]]);
	eq(typeof c(Object(1)), "object");
	eq(c(Object("x")).valueOf(), "x");
	eq(c([1, , 3]).hasOwnProperty(1), false);
	eq(c([1, , 3]).length, 3);
	eq(Object.keys(c(Object.assign([1], { x: 2 }))), ["0", "x"]);
});
test("clone: cycles and identity", () => {
	const a = { list: [] };
	const shared = {};
	let b;

	a.me = a;
	a.list.push(shared, shared);
	a.map = new Map([["self", a]]);
	b = structuredClone(a);
	ok(b !== a && b.me === b && b.map.get("self") === b);
	ok(b.list[0] === b.list[1] && b.list[0] !== shared);
});
test("clone: buffers and views", () => {
	const buffer = new Uint8Array([1, 2, 3, 4]).buffer;
	const two = structuredClone([new Uint8Array(buffer, 1, 2),
		new DataView(buffer, 2), buffer]);

	eq(two[0], new Uint8Array([2, 3]));
	eq(two[0].byteOffset, 1);
	ok(two[0].buffer === two[1].buffer && two[2] === two[0].buffer);
	ok(two[2] !== buffer);
	eq(two[1].getUint8(0), 3);
	eq(structuredClone(new Float64Array([1.5])), new Float64Array([1.5]));
	eq(structuredClone(new BigInt64Array([1n]))[0], 1n);
});
test("clone: transfer", () => {
	const buffer = new Uint8Array([1, 2]).buffer;
	const c = structuredClone({ buffer }, { transfer: [buffer] });

	eq(buffer.byteLength, 0);
	eq(hex(c.buffer), "0102");
	throws(() => structuredClone(buffer), "DataCloneError");
	throws(() => structuredClone(1, { transfer: [{}] }), "DataCloneError");
	throws(() => structuredClone(1, { transfer: [1] }), TypeError);
}, "Node.js 20 says TypeError for some of it");
test("clone: errors", () => {
	const e = new RangeError("m");
	let c;

	e.own = 1;
	c = structuredClone(e);
	ok(c instanceof RangeError && c !== e);
	eq(c.message, "m");
	eq(c.own, undefined);
	eq(typeof c.stack, "string");
	eq(Object.getPrototypeOf(structuredClone(new (class X extends Error {
	})("x"))) === Error.prototype, true);
});
test("clone: what is lost", () => {
	class A {
		constructor() {
			this.x = 1;
		}

		get y() {
			return (2);
		}
	}
	const o = Object.defineProperty({ get z() {
		return (3);
	} }, "hidden", { value: 1 });
	const c = structuredClone(new A());

	eq(Object.getPrototypeOf(c) === Object.prototype, true);
	eq(c, { x: 1 });
	eq(structuredClone(o), { z: 3 });
	eq(structuredClone({ [Symbol("a")]: 1 }), {});
});
test("clone: what can not be", () => {
	for (const v of [() => {}, Symbol("x"), { f() {} }, new WeakMap(),
		Promise.resolve(), [Symbol("x")], new Map([[1, () => {}]]),
		new Headers(), new Response(), class {}])
		throws(() => structuredClone(v), "DataCloneError",
		    typeof v);
	throws(() => structuredClone(), TypeError);
}, "Node.js 20 clones Headers and Response to {}");
test("clone: a getter that throws", () => {
	throws(() => structuredClone({ get a() {
		throw new RangeError("x");
	} }), RangeError);
});
test("clone: Blob", async () => {
	eq(await structuredClone(new Blob(["abc"])).text(), "abc");
});

test("base64: btoa", () => {
	eq(btoa(""), "");
	eq(btoa("a"), "YQ==");
	eq(btoa("\u00ff\u00fe"), "//4=");
	eq(btoa(null), "bnVsbA==");
	throws(() => btoa("\u0100"), "InvalidCharacterError");
	throws(() => btoa(), TypeError);
});
test("base64: atob", () => {
	eq(atob(""), "");
	eq(atob("YQ=="), "a");
	eq(atob("YQ"), "a");
	eq(atob(" Y\nQ\t=\r= \f"), "a");
	eq(atob("//4="), "\u00ff\u00fe");
	eq(atob("YR=="), "a");
	eq(atob(null), "\u009e\u00e9e");
	for (const bad of ["Y", "YQ=", "Y===", "=", "Y Q = = =", "-_==", "YQ==Y",
		"\u00e4", "YQ\u00a0", "=YQ="])
		throws(() => atob(bad), "InvalidCharacterError", bad);
	throws(() => atob(), TypeError);
});

test("globals: they are there", () => {
	for (const name of ["AbortController", "AbortSignal", "Blob",
		"ByteLengthQueuingStrategy", "CountQueuingStrategy", "Crypto",
		"CryptoKey", "CustomEvent", "DOMException", "Event",
		"EventTarget", "File", "FormData", "Headers",
		"ReadableByteStreamController", "ReadableStream",
		"ReadableStreamBYOBReader", "ReadableStreamBYOBRequest",
		"ReadableStreamDefaultController",
		"ReadableStreamDefaultReader", "Request", "Response",
		"SubtleCrypto", "TextDecoder", "TextDecoderStream",
		"TextEncoder", "TextEncoderStream", "TransformStream",
		"TransformStreamDefaultController", "URL", "URLSearchParams",
		"WritableStream", "WritableStreamDefaultController",
		"atob", "btoa", "clearInterval", "clearTimeout", "fetch",
		"queueMicrotask", "setInterval", "setTimeout",
		"structuredClone"])
		eq(typeof globalThis[name], "function", name);
	for (const name of ["console", "crypto", "performance"])
		eq(typeof globalThis[name], "object", name);
	eq(Object.getOwnPropertyDescriptor(globalThis, "Request").enumerable,
	    false);
});
test("globals: those that Node.js 20 has not", () => {
	ok(self === globalThis);
	for (const name of ["ErrorEvent", "PromiseRejectionEvent", "URLPattern",
		"addEventListener", "removeEventListener", "dispatchEvent",
		"reportError"])
		eq(typeof globalThis[name], "function", name);
	eq(typeof navigator.userAgent, "string");
	eq(new URLPattern({ pathname: "/a/:id" }).exec("http://x/a/7")
	    .pathname.groups.id, "7");
}, "not before Node.js 21, or 24");
test("globals: nothing of the host's", () => {
	for (const name of ["host", "std", "os", "scriptArgs", "require",
		"print", "__loadScript"])
		eq(typeof globalThis[name], "undefined", name);
}, "Node.js has others");
test("globals: reportError and listeners of error", () => {
	const e = new Error("x");
	let seen = null;
	const f = (ev) => {
		seen = ev.error;
		ev.preventDefault();
	};

	addEventListener("error", f);
	reportError(e);
	removeEventListener("error", f);
	ok(seen === e);
}, "not in Node.js");
test("console: nothing is thrown", () => {
	const o = {};

	o.me = o;
	if (typeof process !== "undefined")
		return;
	console.log("a %s %d %o %% %c", "b", 1.5, { a: 1 }, "x", o, Symbol());
	console.error(new Error("e"), null, undefined, -0, 10n);
	console.assert(true, "no");
	console.assert(false, "yes");
	console.group("g");
	console.table([{ a: 1 }, { b: 2 }, 3]);
	console.groupEnd();
	console.time("t");
	console.timeLog("t");
	console.timeEnd("t");
	console.count();
	console.dir([1, new Map([[1, 2]]), new Set([1]), /x/, new Date(0)]);
	console.log("\u20ac".repeat(2000));
});
