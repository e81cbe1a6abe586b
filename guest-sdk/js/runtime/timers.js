/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * setTimeout() and its relatives. The C side waits, and no longer than the
 * request may take.
 */

import { uncaught } from "./events.js";
import { host } from "./host.js";

/* id => { callback, args, every }; (every) is -1 for those that run once */
const timers = new Map();
let last = 0;

function start(callback, delay, args, repeat) {
	const ms = Math.max(0, delay | 0);
	const id = ++last;

	if (typeof callback !== "function")
		throw new TypeError("setTimeout, setInterval: not a function");
	timers.set(id, { callback, args, every: repeat ? ms : -1 });
	host.setTimer(id, ms);
	return (id);
}

function stop(id) {
	id = Number(id);
	if (timers.delete(id))
		host.clearTimer(id);
}

export function setTimeout(callback, delay = 0, ...args) {
	return (start(callback, delay, args, false));
}

export function setInterval(callback, delay = 0, ...args) {
	return (start(callback, delay, args, true));
}

export function clearTimeout(id = 0) {
	stop(id);
}

export function clearInterval(id = 0) {
	stop(id);
}

/* hooks.onTimer() */
export function onTimer(id) {
	const t = timers.get(id);

	if (t === undefined)
		return;
	if (t.every < 0)
		timers.delete(id);
	try {
		t.callback.apply(globalThis, t.args);
	} catch (e) {
		uncaught(e, "a timer's callback threw");
	}
	/* At least 1 ms, so that others get their turn. */
	if (timers.has(id))
		host.setTimer(id, Math.max(1, t.every));
}
