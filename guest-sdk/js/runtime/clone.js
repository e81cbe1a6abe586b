/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://html.spec.whatwg.org/#structured-cloning, in one step. (The packages
 * there are for it know neither buffers nor DataCloneError.)
 */

import { Blob, File } from "./blob.js";
import { CryptoKey, copyKey } from "./crypto.js";
import { DOMException } from "./dom.js";
import { dictionary, isObject, need } from "./webidl.js";

const ERRORS = [EvalError, RangeError, ReferenceError, SyntaxError, TypeError,
	URIError];

/* These have something inside that can not be copied. */
const never = [Promise, WeakMap, WeakSet, WeakRef, FinalizationRegistry,
	SharedArrayBuffer];

export function neverClone(...classes) {
	never.push(...classes);
}

function refuse(value) {
	let what = "this";

	if (typeof value === "symbol")
		what = value.toString();
	else if (typeof value === "function")
		what = `the function ${value.name}`;
	else if (isObject(value))
		what = `an object of ${value.constructor?.name ?? "no class"}`;
	return (new DOMException(`${what} can not be cloned`,
	    "DataCloneError"));
}

/* Whether (method) of its class takes (value). */
function is(value, cls, method) {
	if (!(value instanceof cls))
		return (false);
	try {
		method(value);
		return (true);
	} catch {
		return (false);
	}
}

function boxed(value) {
	for (const cls of [Boolean, Number, String, BigInt])
		if (is(value, cls, (v) => cls.prototype.valueOf.call(v)))
			return (true);
	if (is(value, Symbol, (v) => Symbol.prototype.valueOf.call(v)))
		throw refuse(value);
	return (false);
}

function copyBuffer(buffer) {
	let copy;

	if (buffer.detached)
		throw refuse(buffer);
	if (!buffer.resizable)
		return (buffer.slice(0));
	copy = new ArrayBuffer(buffer.byteLength,
	    { maxByteLength: buffer.maxByteLength });
	new Uint8Array(copy).set(new Uint8Array(buffer));
	return (copy);
}

function copyView(view, clone) {
	const cls = view instanceof DataView ? DataView :
	    globalThis[view[Symbol.toStringTag]];

	return (new cls(clone(view.buffer), view.byteOffset,
	    cls === DataView ? view.byteLength : view.length));
}

function copyError(error, memory, clone) {
	const cls = ERRORS.find((e) => e.name === error.name) ?? Error;
	const copy = Object.create(cls.prototype);
	const message = Object.getOwnPropertyDescriptor(error, "message");

	/* A real one, so that it is one for those who look closely. */
	const made = new cls();

	Object.setPrototypeOf(made, Object.getPrototypeOf(copy));
	memory.set(error, made);
	if (message !== undefined && "value" in message)
		define(made, "message", `${message.value}`);
	else
		delete made.message;
	define(made, "stack", `${error.stack}`);
	if (Object.hasOwn(error, "cause"))
		define(made, "cause", clone(error.cause));
	return (made);
}

function define(object, name, value) {
	Object.defineProperty(object, name,
	    { value, writable: true, configurable: true });
}

function copyException(error) {
	const copy = new DOMException(error.message, error.name);

	define(copy, "stack", error.stack);
	return (copy);
}

/* Those without anything below them; undefined if it is none of them. */
function leaf(value) {
	if (boxed(value))
		return (Object(value.valueOf()));
	if (is(value, Date, (v) => Date.prototype.getTime.call(v)))
		return (new Date(value.getTime()));
	if (value instanceof RegExp)
		return (new RegExp(value.source, value.flags));
	if (value instanceof ArrayBuffer)
		return (copyBuffer(value));
	if (value instanceof File)
		return (new File([value], value.name, value));
	if (value instanceof Blob)
		return (value.slice(0, value.size, value.type));
	if (value instanceof CryptoKey)
		return (copyKey(value));
	if (value instanceof DOMException)
		return (copyException(value));
	return (undefined);
}

function copyProperties(value, copy, clone) {
	for (const key of Object.keys(value))
		if (Object.hasOwn(value, key))
			Object.defineProperty(copy, key, {
				value: clone(value[key]),
				writable: true,
				enumerable: true,
				configurable: true,
			});
	return (copy);
}

function container(value, memory, clone) {
	let copy;

	if (is(value, Map, (v) => Map.prototype.has.call(v, 0))) {
		memory.set(value, copy = new Map());
		for (const [k, v] of [...value])
			copy.set(clone(k), clone(v));
		return (copy);
	}
	if (is(value, Set, (v) => Set.prototype.has.call(v, 0))) {
		memory.set(value, copy = new Set());
		for (const v of [...value])
			copy.add(clone(v));
		return (copy);
	}
	if (Error.isError(value))
		return (copyError(value, memory, clone));
	if (typeof value === "function" ||
	    never.some((cls) => value instanceof cls))
		throw refuse(value);
	copy = Array.isArray(value) ? new Array(value.length) : {};
	memory.set(value, copy);
	return (copyProperties(value, copy, clone));
}

function cloneWith(value, memory) {
	let copy;

	if (typeof value === "symbol")
		throw refuse(value);
	if (!isObject(value))
		return (value);
	if (memory.has(value))
		return (memory.get(value));
	if (ArrayBuffer.isView(value))
		copy = copyView(value, (v) => cloneWith(v, memory));
	else
		copy = leaf(value);
	if (copy === undefined)
		return (container(value, memory,
		    (v) => cloneWith(v, memory)));
	memory.set(value, copy);
	return (copy);
}

export function structuredClone(value, options = undefined) {
	const memory = new Map();
	const transfer = dictionary(options,
	    "structuredClone: options").transfer;
	const buffers = transfer === undefined ? [] : [...transfer];
	let copy;

	need(arguments.length, 1, "structuredClone");
	for (const buffer of buffers) {
		if (!isObject(buffer))
			throw new TypeError("structuredClone: only objects " +
			    "can be transferred");
		if (!(buffer instanceof ArrayBuffer) || buffer.detached ||
		    memory.has(buffer))
			throw refuse(buffer);
		memory.set(buffer, buffer);
	}
	if (buffers.length === 0)
		return (cloneWith(value, memory));
	/* First see that all the rest can be cloned: nothing may be detached
	 * if not. Then the views get the buffers that have moved. */
	cloneWith(value, new Map(memory));
	for (const buffer of buffers)
		memory.set(buffer, buffer.transfer());
	copy = cloneWith(value, memory);
	return (copy);
}
