/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Events of the whole program: "fetch", "error" and "unhandledrejection", and
 * what happens to errors that nobody catches.
 */

import {
	DOMException, ErrorEvent, Event, EventTarget, PromiseRejectionEvent,
} from "./dom.js";
import { host, phase } from "./host.js";
import { expose, need } from "./webidl.js";

const target = new EventTarget();
let listeners = 0;

/* While the listeners of "fetch" run: what one of them has thrown. */
let dispatching = null;

export function addEventListener(type, callback, options = undefined) {
	if (`${type}` === "fetch" && callback)
		listeners++;
	target.addEventListener(type, callback, options);
}

export function removeEventListener(type, callback, options = undefined) {
	target.removeEventListener(type, callback, options);
}

export function dispatchEvent(event) {
	return (target.dispatchEvent(event));
}

export function hasFetchListener() {
	return (listeners > 0);
}

/* Without calling anything of the handler's. */
function messageOf(error) {
	const own = Error.isError(error) ?
	    Object.getOwnPropertyDescriptor(error, "message") : undefined;

	return (own?.value ?? host.inspect(error));
}

/* True if a listener of "error" says that it has taken care of it. */
function handled(error) {
	return (!target.dispatchEvent(new ErrorEvent("error", {
		error,
		message: messageOf(error),
		cancelable: true,
	})));
}

export function reportError(error) {
	need(arguments.length, 1, "reportError");
	if (dispatching !== null) {
		dispatching.errors.push(error);
		return;
	}
	if (!handled(error))
		host.log(1, `reportError: ${host.inspect(error)}`);
}

/* An error that nobody has caught, in work that somebody waits for. */
export function uncaught(error, what) {
	if (handled(error))
		return;
	if (phase.serving)
		host.fail(what, error);
	else
		throw error;
}

/* hooks.onUnhandled() */
export function onUnhandled(reason, promise) {
	return (!target.dispatchEvent(new PromiseRejectionEvent(
	    "unhandledrejection", { reason, promise, cancelable: true })));
}

export class ExtendableEvent extends Event {
	waitUntil(promise) {
		host.hold(Promise.resolve(promise));
	}
}
expose(ExtendableEvent, "ExtendableEvent");

export let takeResponse;

/* https://w3c.github.io/ServiceWorker/#fetchevent-interface */
export class FetchEvent extends ExtendableEvent {
	#request;
	#response = null;

	constructor(type, init) {
		super(type, init);
		this.#request = init.request;
	}

	static {
		takeResponse = (event) => event.#response;
	}

	get request() {
		return (this.#request);
	}

	get clientId() {
		return ("");
	}

	respondWith(response) {
		if (dispatching === null || this.#response !== null)
			throw new DOMException("respondWith() can be called " +
			    "once, and before the listener returns",
			    "InvalidStateError");
		this.#response = Promise.resolve(response);
		this.stopImmediatePropagation();
	}
}
expose(FetchEvent, "FetchEvent");

/* Ask the listeners of "fetch". Returns the promise of a response. */
export function dispatchFetch(request) {
	const event = new FetchEvent("fetch", { request, cancelable: true });
	const errors = [];

	dispatching = { errors };
	try {
		target.dispatchEvent(event);
	} finally {
		dispatching = null;
	}
	if (takeResponse(event) !== null)
		return (takeResponse(event));
	if (errors.length > 0)
		throw errors[0];
	throw new Error("no listener called event.respondWith()");
}
