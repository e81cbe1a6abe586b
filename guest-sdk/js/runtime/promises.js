/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Promises as they were before user code could change them.
 */

const { Promise } = globalThis;
const { then } = Promise.prototype;
const { apply } = Reflect;
const resolve = Promise.resolve.bind(Promise);
const fulfilled = resolve();

export function isPromise(value) {
	return (value instanceof Promise);
}

/* One that "await" takes as it is, and not for something with a then(). */
export function isPlain(promise) {
	return (promise.constructor === Promise);
}

/* As "await" waits for any value. */
export function after(value, good, bad) {
	return (apply(then, resolve(value), [good, bad]));
}

/* The promise of what (func) returns, which runs as a job. */
export function later(func) {
	return (apply(then, fulfilled, [func]));
}

export const rejected = Promise.reject.bind(Promise);
