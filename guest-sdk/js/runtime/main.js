/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The runtime for handlers in JavaScript, after WinterTC's Minimum Common Web
 * API: what is on globalThis, and how a request gets to the handler. host.d.ts
 * has the contract with the C side.
 *
 * It is bundled by esbuild with --platform=neutral --main-fields=module,main:
 * for a browser @exodus/bytes would expect a TextDecoder to be there.
 */

import * as text from "./text.js";		/* before url.js */
import * as blob from "./blob.js";
import { neverClone, structuredClone } from "./clone.js";
import { console } from "./console.js";
import { Crypto, CryptoKey, SubtleCrypto, crypto } from "./crypto.js";
import * as dom from "./dom.js";
import * as events from "./events.js";
import { fetch, onFetch } from "./fetch.js";
import { FormData } from "./formdata.js";
import { freeze, handle, ready, useEnv } from "./handler.js";
import { Headers } from "./headers.js";
import { host, setHost } from "./host.js";
import { Request, makeIncoming } from "./request.js";
import { Response } from "./response.js";
import { settle } from "./settle.js";
import * as streams from "./streams.js";
import * as textStreams from "./text_streams.js";
import * as timers from "./timers.js";
import { URL, URLSearchParams } from "./url.js";
import { expose, need } from "./webidl.js";
import { URLPattern } from "urlpattern-polyfill/urlpattern";

class Performance extends dom.EventTarget {
	now() {
		return (host.monoMs());
	}

	get timeOrigin() {
		return (host.wallMs() - host.monoMs());
	}

	toJSON() {
		return ({ timeOrigin: this.timeOrigin });
	}
}
expose(Performance, "Performance");

class Navigator {
	get userAgent() {
		return ("vmod_sandbox");
	}
}
expose(Navigator, "Navigator");

function invalidCharacter(f, args) {
	need(args.length, 1, "atob, btoa");
	try {
		return (f(`${args[0]}`));
	} catch (e) {
		if (!(e instanceof TypeError))
			throw e;
		throw new dom.DOMException(e.message, "InvalidCharacterError");
	}
}

const functions = {
	addEventListener: events.addEventListener,
	removeEventListener: events.removeEventListener,
	dispatchEvent: events.dispatchEvent,
	reportError: events.reportError,
	atob(data) {
		return (invalidCharacter((s) => host.atob(s), arguments));
	},
	btoa(data) {
		return (invalidCharacter((s) => host.btoa(s), arguments));
	},
	clearInterval: timers.clearInterval,
	clearTimeout: timers.clearTimeout,
	setInterval: timers.setInterval,
	setTimeout: timers.setTimeout,
	fetch,
	queueMicrotask(callback) {
		if (typeof callback !== "function")
			throw new TypeError("queueMicrotask: not a function");
		Promise.resolve().then(() => {
			try {
				callback();
			} catch (e) {
				events.uncaught(e, "a microtask threw");
			}
		});
	},
	structuredClone,
};

const classes = {
	AbortController: dom.AbortController,
	AbortSignal: dom.AbortSignal,
	Blob: blob.Blob,
	ByteLengthQueuingStrategy: streams.ByteLengthQueuingStrategy,
	CountQueuingStrategy: streams.CountQueuingStrategy,
	Crypto,
	CryptoKey,
	CustomEvent: dom.CustomEvent,
	DOMException: dom.DOMException,
	ErrorEvent: dom.ErrorEvent,
	Event: dom.Event,
	EventTarget: dom.EventTarget,
	ExtendableEvent: events.ExtendableEvent,
	FetchEvent: events.FetchEvent,
	File: blob.File,
	FormData,
	Headers,
	Navigator,
	Performance,
	PromiseRejectionEvent: dom.PromiseRejectionEvent,
	ReadableByteStreamController: streams.ReadableByteStreamController,
	ReadableStream: streams.ReadableStream,
	ReadableStreamBYOBReader: streams.ReadableStreamBYOBReader,
	ReadableStreamBYOBRequest: streams.ReadableStreamBYOBRequest,
	ReadableStreamDefaultController:
	    streams.ReadableStreamDefaultController,
	ReadableStreamDefaultReader: streams.ReadableStreamDefaultReader,
	Request,
	Response,
	SubtleCrypto,
	TextDecoder: text.TextDecoder,
	TextDecoderStream: textStreams.TextDecoderStream,
	TextEncoder: text.TextEncoder,
	TextEncoderStream: textStreams.TextEncoderStream,
	TransformStream: streams.TransformStream,
	TransformStreamDefaultController:
	    streams.TransformStreamDefaultController,
	URL,
	URLPattern,
	URLSearchParams,
	WritableStream: streams.WritableStream,
	WritableStreamDefaultController:
	    streams.WritableStreamDefaultController,
	WritableStreamDefaultWriter: streams.WritableStreamDefaultWriter,
};

const objects = {
	crypto,
	navigator: new Navigator(),
	performance: new Performance(),
	self: globalThis,
};

neverClone(...Object.values(classes).filter((cls) =>
    cls !== dom.DOMException && cls !== blob.Blob && cls !== blob.File &&
    cls !== CryptoKey));

function define(members, enumerable) {
	for (const [name, value] of Object.entries(members))
		Object.defineProperty(globalThis, name, {
			value,
			enumerable,
			writable: true,
			configurable: true,
		});
}

export default function boot(given) {
	setHost(given);
	makeIncoming();
	useEnv(given.env());
	define(functions, true);
	define(classes, false);
	define({ console }, false);
	define(objects, true);
	settle();
	return ({
		ready,
		freeze,
		handle,
		onTimer: timers.onTimer,
		onFetch,
		onUnhandled: events.onUnhandled,
	});
}
