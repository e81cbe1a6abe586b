/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The kinds of events, and how work is called off.
 */

import {
	Event, EventTarget, handlerAttribute, trustedEvent,
} from "./event.js";
import { DOMException } from "./exception.js";
import { expose, isObject, need } from "./webidl.js";

export { DOMException, Event, EventTarget };

export class CustomEvent extends Event {
	#detail;

	constructor(type, init = {}) {
		need(arguments.length, 1, "CustomEvent");
		super(type, init);
		this.#detail = init?.detail ?? null;
	}

	get detail() {
		return (this.#detail);
	}
}
expose(CustomEvent, "CustomEvent");

export class ErrorEvent extends Event {
	#init;

	constructor(type, init = {}) {
		need(arguments.length, 1, "ErrorEvent");
		super(type, init);
		this.#init = init ?? {};
	}

	get message() {
		return (`${this.#init.message ?? ""}`);
	}

	get filename() {
		return (`${this.#init.filename ?? ""}`);
	}

	get lineno() {
		return (this.#init.lineno >>> 0);
	}

	get colno() {
		return (this.#init.colno >>> 0);
	}

	get error() {
		return (this.#init.error);
	}
}
expose(ErrorEvent, "ErrorEvent");

export class PromiseRejectionEvent extends Event {
	#init;

	constructor(type, init) {
		need(arguments.length, 2, "PromiseRejectionEvent");
		super(type, init);
		if (!isObject(init) || !("promise" in init))
			throw new TypeError("PromiseRejectionEvent: no promise");
		this.#init = init;
	}

	get promise() {
		return (this.#init.promise);
	}

	get reason() {
		return (this.#init.reason);
	}
}
expose(PromiseRejectionEvent, "PromiseRejectionEvent");

let abortSignal, onAbort, offAbort;
const MAKE = Symbol("make");

/* https://dom.spec.whatwg.org/#interface-AbortSignal */
export class AbortSignal extends EventTarget {
	#aborted = false;
	#reason = undefined;
	#steps = new Set();
	#sources = null;	/* of a dependent one: what it depends on */
	#dependents = null;

	constructor(token) {
		if (token !== MAKE)
			throw new TypeError("AbortSignal: use AbortController");
		super();
	}

	static {
		abortSignal = (signal, reason) => signal.#abort(reason);
		onAbort = (signal, step) => signal.#steps.add(step);
		offAbort = (signal, step) => signal.#steps.delete(step);
	}

	#abort(reason) {
		const all = [this];

		if (this.#aborted)
			return;
		this.#set(reason);
		for (const dependent of this.#dependents ?? [])
			if (!dependent.#aborted) {
				dependent.#set(this.#reason);
				all.push(dependent);
			}
		for (const signal of all)
			signal.#run();
	}

	#set(reason) {
		this.#aborted = true;
		this.#reason = reason === undefined ? new DOMException(
		    "This operation was aborted", "AbortError") : reason;
	}

	#run() {
		const steps = this.#steps;

		this.#steps = new Set();
		for (const step of steps)
			step(this.#reason);
		this.dispatchEvent(trustedEvent("abort"));
	}

	static abort(reason = undefined) {
		const signal = new AbortSignal(MAKE);

		signal.#set(reason);
		return (signal);
	}

	static timeout(ms) {
		const signal = new AbortSignal(MAKE);
		const n = Number(ms);

		need(arguments.length, 1, "AbortSignal.timeout");
		if (!(n > -1 && n <= Number.MAX_SAFE_INTEGER))
			throw new TypeError(
			    `AbortSignal.timeout: ${n} is not a time`);
		globalThis.setTimeout(() => signal.#abort(new DOMException(
		    "The operation was aborted due to timeout",
		    "TimeoutError")), Math.trunc(n));
		return (signal);
	}

	static any(signals) {
		const result = new AbortSignal(MAKE);
		const list = [...signals];

		for (const signal of list)
			if (!(isObject(signal) && #aborted in signal))
				throw new TypeError(
				    "AbortSignal.any: not an AbortSignal");
		for (const signal of list)
			if (signal.#aborted) {
				result.#set(signal.#reason);
				return (result);
			}
		result.#sources = new Set();
		for (const signal of list)
			for (const source of signal.#sources ?? [signal]) {
				result.#sources.add(source);
				source.#dependents ??= new Set();
				source.#dependents.add(result);
			}
		return (result);
	}

	get aborted() {
		return (this.#aborted);
	}

	get reason() {
		return (this.#reason);
	}

	throwIfAborted() {
		if (this.#aborted)
			throw this.#reason;
	}

}
handlerAttribute(AbortSignal, "abort");
expose(AbortSignal, "AbortSignal");

/* https://dom.spec.whatwg.org/#interface-abortcontroller */
export class AbortController {
	#signal = new AbortSignal(MAKE);

	get signal() {
		return (this.#signal);
	}

	abort(reason = undefined) {
		abortSignal(this.#signal, reason);
	}
}
expose(AbortController, "AbortController");

/* Call step(reason) when the signal is aborted; and not any more. */
export { onAbort, offAbort };
