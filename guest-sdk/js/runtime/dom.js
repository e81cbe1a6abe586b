/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Events, errors with names, and how work is called off.
 */

import {
	Event, EventTarget, getEventAttributeValue, setErrorHandler,
	setEventAttributeValue, setWarningHandler,
} from "event-target-shim";
import { expose, isObject, need } from "./webidl.js";

const CODES = [
	"", "IndexSizeError", "", "HierarchyRequestError",
	"WrongDocumentError", "InvalidCharacterError", "",
	"NoModificationAllowedError", "NotFoundError", "NotSupportedError",
	"InUseAttributeError", "InvalidStateError", "SyntaxError",
	"InvalidModificationError", "NamespaceError", "InvalidAccessError",
	"", "TypeMismatchError", "SecurityError", "NetworkError",
	"AbortError", "URLMismatchError", "QuotaExceededError",
	"TimeoutError", "InvalidNodeTypeError", "DataCloneError",
];
const CONSTANTS = [
	"INDEX_SIZE_ERR", "DOMSTRING_SIZE_ERR", "HIERARCHY_REQUEST_ERR",
	"WRONG_DOCUMENT_ERR", "INVALID_CHARACTER_ERR",
	"NO_DATA_ALLOWED_ERR", "NO_MODIFICATION_ALLOWED_ERR",
	"NOT_FOUND_ERR", "NOT_SUPPORTED_ERR", "INUSE_ATTRIBUTE_ERR",
	"INVALID_STATE_ERR", "SYNTAX_ERR", "INVALID_MODIFICATION_ERR",
	"NAMESPACE_ERR", "INVALID_ACCESS_ERR", "VALIDATION_ERR",
	"TYPE_MISMATCH_ERR", "SECURITY_ERR", "NETWORK_ERR", "ABORT_ERR",
	"URL_MISMATCH_ERR", "QUOTA_EXCEEDED_ERR", "TIMEOUT_ERR",
	"INVALID_NODE_TYPE_ERR", "DATA_CLONE_ERR",
];

export class DOMException extends Error {
	#name = "Error";

	constructor(message = "", options = "Error") {
		super(`${message}`);
		if (isObject(options)) {
			if (options.name !== undefined)
				this.#name = `${options.name}`;
			if ("cause" in options)
				Object.defineProperty(this, "cause", {
					value: options.cause,
					writable: true,
					configurable: true,
				});
		} else
			this.#name = `${options}`;
	}

	get name() {
		return (this.#name);
	}

	get code() {
		return (Math.max(0, CODES.indexOf(this.#name || "?")));
	}
}
expose(DOMException);
CONSTANTS.forEach((name, i) => {
	for (const object of [DOMException, DOMException.prototype])
		Object.defineProperty(object, name,
		    { value: i + 1, enumerable: true });
});

/* What the shim has to say about unusual calls, browsers say not at all. */
setWarningHandler(() => {});
setErrorHandler((error) => globalThis.reportError(error));

Object.defineProperty(Event.prototype, Symbol.toStringTag,
    { value: "Event", configurable: true });
Object.defineProperty(EventTarget.prototype, Symbol.toStringTag,
    { value: "EventTarget", configurable: true });

export { Event, EventTarget };

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
expose(CustomEvent);

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
expose(ErrorEvent);

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
expose(PromiseRejectionEvent);

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
		this.dispatchEvent(new Event("abort"));
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

	get onabort() {
		return (getEventAttributeValue(this, "abort"));
	}

	set onabort(value) {
		setEventAttributeValue(this, "abort",
		    isObject(value) ? value : null);
	}
}
expose(AbortSignal);

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
expose(AbortController);

/* Call step(reason) when the signal is aborted; and not any more. */
export { onAbort, offAbort };
