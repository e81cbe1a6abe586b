/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the interfaces of the web platform have in common: how values are
 * converted on their way in (WebIDL), and how classes look from outside.
 */

/* USVString: no lone surrogates. */
export function usv(value) {
	return (`${value}`.toWellFormed());
}

/* ByteString: one character, one byte. */
export function byteString(value) {
	const s = `${value}`;

	if (/[^\0-\xff]/.test(s))
		throw new TypeError(
		    `"${s}" has characters that are not bytes`);
	return (s);
}

export function isObject(value) {
	return ((typeof value === "object" && value !== null) ||
	    typeof value === "function");
}

/* A dictionary: an object, or nothing. */
export function dictionary(value, what) {
	if (value === undefined || value === null)
		return ({});
	if (!isObject(value))
		throw new TypeError(`${what} is not an object`);
	return (value);
}

/* One of an enumeration's words. */
export function oneOf(value, words, what) {
	const s = `${value}`;

	if (!words.includes(s))
		throw new TypeError(
		    `${what}: "${s}" is none of ${words.join(", ")}`);
	return (s);
}

/* unsigned short, without [EnforceRange] */
export function uint16(value) {
	const n = Number(value);

	return (Number.isFinite(n) ? Math.trunc(n) & 0xffff : 0);
}

export function need(args, n, what) {
	if (args < n)
		throw new TypeError(
		    `${what}: ${n} argument${n === 1 ? "" : "s"} needed, ` +
		    `${args} given`);
}

/* The bytes that a BufferSource stands for, where they are; or null. */
export function bytesOf(value) {
	if (value instanceof Uint8Array)
		return (value);
	if (ArrayBuffer.isView(value))
		return (new Uint8Array(value.buffer, value.byteOffset,
		    value.byteLength));
	if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer)
		return (new Uint8Array(value));
	return (null);
}

/*
 * Make a class look as WebIDL says: its members can be enumerated, and it has
 * a name for Object.prototype.toString(). The bundler may have changed its
 * own, because there are globals with the same.
 */
export function expose(cls, name) {
	for (const [object, hidden] of [
		[cls.prototype, ["constructor"]],
		[cls, ["prototype", "name", "length"]],
	]) {
		for (const key of Object.getOwnPropertyNames(object))
			if (!hidden.includes(key))
				Object.defineProperty(object, key,
				    { enumerable: true });
	}
	Object.defineProperty(cls.prototype, Symbol.toStringTag,
	    { value: name, configurable: true });
	Object.defineProperty(cls, "name",
	    { value: name, configurable: true });
	return (cls);
}

/*
 * The iterators of a class of name and value pairs: (at) gives the pair at an
 * index now, or undefined at the end.
 */
export function pairs(cls, name, at) {
	const proto = Object.setPrototypeOf({
		next() {
			const it = iterators.get(this);
			let pair;

			if (it === undefined)
				throw new TypeError("not such an iterator");
			pair = at(it.object, it.index++);
			if (pair === undefined)
				return ({ value: undefined, done: true });
			return ({
				value: it.kind === 2 ? [pair[0], pair[1]] :
				    pair[it.kind],
				done: false,
			});
		},
	}, Object.getPrototypeOf(
	    Object.getPrototypeOf([][Symbol.iterator]())));
	const iterators = new WeakMap();

	function iterate(object, kind) {
		const it = Object.create(proto);

		at(object, 0);		/* throws if it is not one */
		iterators.set(it, { object, kind, index: 0 });
		return (it);
	}

	Object.defineProperty(proto, Symbol.toStringTag,
	    { value: `${name} Iterator`, configurable: true });
	Object.defineProperties(cls.prototype, {
		keys: { value: function keys() {
			return (iterate(this, 0));
		}, writable: true, configurable: true },
		values: { value: function values() {
			return (iterate(this, 1));
		}, writable: true, configurable: true },
		entries: { value: function entries() {
			return (iterate(this, 2));
		}, writable: true, configurable: true },
		forEach: { value: function forEach(callback) {
			let pair;

			if (typeof callback !== "function")
				throw new TypeError("not a function");
			for (let i = 0; (pair = at(this, i)); i++)
				callback.call(arguments[1], pair[1], pair[0],
				    this);
		}, writable: true, configurable: true },
	});
	Object.defineProperty(cls.prototype, Symbol.iterator, {
		value: cls.prototype.entries,
		writable: true,
		configurable: true,
	});
}
