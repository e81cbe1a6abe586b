/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://dom.spec.whatwg.org/#events, for targets that are not in a tree.
 */

import { DOMException } from "./exception.js";
import { host } from "./host.js";
import { dictionary, expose, isObject, need } from "./webidl.js";

let stateOf;

/* The only property of an object itself, because the standard says so. */
const TRUSTED = {
	get() {
		return (stateOf(this).trusted);
	},
	enumerable: true,
};

export class Event {
	#s;

	constructor(type, init = undefined) {
		need(arguments.length, 1, "Event");
		init = dictionary(init, "Event: init");
		this.#s = {
			type: `${type}`,
			bubbles: Boolean(init.bubbles),
			cancelable: Boolean(init.cancelable),
			composed: Boolean(init.composed),
			target: null,
			current: null,
			dispatching: false,
			stopped: false,
			stoppedNow: false,
			canceled: false,
			passive: false,
			time: host.monoMs(),
			trusted: false,
		};
		Object.defineProperty(this, "isTrusted", TRUSTED);
	}

	static {
		stateOf = (event) => event.#s;
	}

	get type() {
		return (this.#s.type);
	}

	get target() {
		return (this.#s.target);
	}

	get srcElement() {
		return (this.#s.target);
	}

	get currentTarget() {
		return (this.#s.current);
	}

	composedPath() {
		return (this.#s.current === null ? [] : [this.#s.current]);
	}

	get eventPhase() {
		return (this.#s.current === null ? 0 : 2);
	}

	stopPropagation() {
		this.#s.stopped = true;
	}

	get cancelBubble() {
		return (this.#s.stopped);
	}

	set cancelBubble(value) {
		if (value)
			this.#s.stopped = true;
	}

	stopImmediatePropagation() {
		this.#s.stopped = this.#s.stoppedNow = true;
	}

	get bubbles() {
		return (this.#s.bubbles);
	}

	get cancelable() {
		return (this.#s.cancelable);
	}

	get returnValue() {
		return (!this.#s.canceled);
	}

	set returnValue(value) {
		if (!value)
			this.preventDefault();
	}

	preventDefault() {
		if (this.#s.cancelable && !this.#s.passive)
			this.#s.canceled = true;
	}

	get defaultPrevented() {
		return (this.#s.canceled);
	}

	get composed() {
		return (this.#s.composed);
	}

	get timeStamp() {
		return (this.#s.time);
	}

	initEvent(type, bubbles = false, cancelable = false) {
		need(arguments.length, 1, "Event.initEvent");
		if (this.#s.dispatching)
			return;
		Object.assign(this.#s, {
			type: `${type}`,
			bubbles: Boolean(bubbles),
			cancelable: Boolean(cancelable),
			target: null,
			stopped: false,
			stoppedNow: false,
			canceled: false,
		});
	}
}
["NONE", "CAPTURING_PHASE", "AT_TARGET", "BUBBLING_PHASE"].forEach(
    (name, value) => {
	for (const object of [Event, Event.prototype])
		Object.defineProperty(object, name,
		    { value, enumerable: true });
});
expose(Event, "Event");

/* An event of our own making, not the handler's. */
export function trustedEvent(type) {
	const event = new Event(type);

	stateOf(event).trusted = true;
	return (event);
}

function optionsFrom(options) {
	if (isObject(options))
		return ({
			capture: Boolean(options.capture),
			once: Boolean(options.once),
			passive: Boolean(options.passive),
			signal: options.signal,
		});
	return ({ capture: Boolean(options), once: false, passive: false });
}

function callbackFrom(callback) {
	if (callback === undefined || callback === null)
		return (null);
	if (!isObject(callback))
		throw new TypeError("addEventListener: neither a function " +
		    "nor an object with handleEvent()");
	return (callback);
}

function callListener(target, listener, event) {
	const callback = listener.callback;

	try {
		if (typeof callback === "function")
			callback.call(target, event);
		else
			callback.handleEvent(event);
	} catch (error) {
		globalThis.reportError(error);
	}
}

export class EventTarget {
	/* { type, callback, capture, once, passive, removed } */
	#listeners = [];

	#find(type, callback, capture) {
		return (this.#listeners.findIndex((l) => l.type === type &&
		    l.callback === callback && l.capture === capture));
	}

	#remove(at) {
		if (at >= 0)
			this.#listeners.splice(at, 1)[0].removed = true;
	}

	addEventListener(type, callback, options = undefined) {
		let o;

		need(arguments.length, 2, "addEventListener");
		type = `${type}`;
		callback = callbackFrom(callback);
		o = optionsFrom(options);
		if (o.signal !== undefined &&
		    typeof o.signal?.aborted !== "boolean")
			throw new TypeError("addEventListener: signal is " +
			    "not an AbortSignal");
		if (callback === null || o.signal?.aborted ||
		    this.#find(type, callback, o.capture) >= 0)
			return;
		this.#listeners.push({ type, callback, capture: o.capture,
		    once: o.once, passive: o.passive, removed: false });
		o.signal?.addEventListener("abort", () =>
		    this.removeEventListener(type, callback, o));
	}

	removeEventListener(type, callback, options = undefined) {
		need(arguments.length, 2, "removeEventListener");
		this.#remove(this.#find(`${type}`, callbackFrom(callback),
		    isObject(options) ? Boolean(options.capture) :
		    Boolean(options)));
	}

	dispatchEvent(event) {
		let s;

		if (!(event instanceof Event))
			throw new TypeError("dispatchEvent: not an Event");
		s = stateOf(event);
		if (s.dispatching)
			throw new DOMException("the event is being " +
			    "dispatched already", "InvalidStateError");
		s.dispatching = true;
		s.target = s.current = this;
		/* Those that capture go first, at the target too. */
		for (const capture of [true, false])
			if (!s.stopped)
				this.#invoke(event, s, capture);
		s.dispatching = s.stopped = s.stoppedNow = false;
		s.current = null;
		return (!s.canceled);
	}

	#invoke(event, s, capture) {
		for (const l of this.#listeners.slice()) {
			if (l.removed || l.type !== s.type ||
			    l.capture !== capture)
				continue;
			if (l.once)
				this.#remove(this.#listeners.indexOf(l));
			s.passive = l.passive;
			callListener(this, l, event);
			s.passive = false;
			if (s.stoppedNow)
				return;
		}
	}
}
expose(EventTarget, "EventTarget");

/* Give a class of targets the attribute "on" + (type). */
export function handlerAttribute(cls, type) {
	const handlers = new WeakMap();

	Object.defineProperty(cls.prototype, `on${type}`, {
		get() {
			return (handlers.get(this)?.callback ?? null);
		},
		set(value) {
			const old = handlers.get(this);
			const callback = isObject(value) ? value : null;

			if (old !== undefined) {
				old.callback = callback;
				return;
			}
			/* It keeps its place among the listeners. */
			const handler = { callback };

			handlers.set(this, handler);
			this.addEventListener(type, function (event) {
				if (typeof handler.callback === "function")
					handler.callback.call(this, event);
			});
		},
		enumerable: true,
		configurable: true,
	});
}
