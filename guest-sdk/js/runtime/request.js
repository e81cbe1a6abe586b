/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * https://fetch.spec.whatwg.org/#request-class
 *
 * The request that is to be answered is one of these; what is in it is asked
 * for when the handler looks at it. There is one for each request served, so
 * its object is made before the program is frozen.
 */

import {
	bodyStream, cloneBody, extract, isUnusable, mixin, newBody,
} from "./body.js";
import { AbortController, AbortSignal } from "./dom.js";
import {
	TOKEN, getFrom, headerList, headerValue, listFrom, makeHeaders,
} from "./headers.js";
import { host, phase } from "./host.js";
import { TransformStream, sourceOf } from "./streams.js";
import { HREF, PASSWORD, USERNAME, parseURL, requestHref } from "./url.js";
import { dictionary, expose, isObject, need, oneOf, usv } from "./webidl.js";

const UPPER = /^(?:delete|get|head|options|post|put)$/i;

/* The words of the enumerations; the first is the default. */
const ENUMS = {
	mode: ["cors", "no-cors", "same-origin", "navigate"],
	credentials: ["same-origin", "include", "omit"],
	cache: ["default", "no-store", "reload", "no-cache", "force-cache",
		"only-if-cached"],
	redirect: ["follow", "error", "manual"],
	referrerPolicy: ["", "no-referrer", "no-referrer-when-downgrade",
		"origin", "origin-when-cross-origin", "same-origin",
		"strict-origin", "strict-origin-when-cross-origin",
		"unsafe-url"],
	priority: ["auto", "high", "low"],
	duplex: ["half"],
};

/* What fetch() needs of one: { method, url, list, body, signal, redirect } */
export let requestParts;

/* The request that is being answered; boot() has it made. */
export let incomingRequest;
export let makeIncoming;

/*
 * The URL of the request that is being answered. Varnish knows the Host and
 * what is behind it; https is what X-Forwarded-Proto says it was. This is for
 * those that the host does not take apart.
 */
function incomingURL() {
	const scheme = /^https$/i.test(host.header("x-forwarded-proto") ??
	    "") ? "https" : "http";
	const authority = host.header("host") || "localhost";
	let path = host.target();

	if (path[0] !== "/")
		path = `/${path}`;
	return ((parseURL(`${scheme}://${authority}${path}`) ??
	    parseURL(`${scheme}://localhost${path}`))[HREF]);
}

function incomingBody() {
	const buffer = host.body();

	return (buffer === null ? null : newBody(new Uint8Array(buffer)));
}

/*
 * Absolute. A relative URL is one of the request that is being answered; this
 * goes beyond what other servers do, which take none.
 */
export function resolveURL(url, what) {
	const text = usv(url);
	const found = parseURL(text,
	    phase.serving ? incomingRequest.url : undefined);

	if (found === null)
		throw new TypeError(`${what}: Invalid URL: "${text}"`);
	return (found);
}

function normalMethod(method) {
	const s = `${method}`;

	if (!TOKEN.test(s))
		throw new TypeError(`Request: "${s}" is not a method`);
	if (/^(?:connect|trace|track)$/i.test(s))
		throw new TypeError(`Request: the method ${s} is forbidden`);
	return (UPPER.test(s) ? s.toUpperCase() : s);
}

function referrerFrom(value) {
	const s = usv(value);

	return (s === "" ? "" : s === "about:client" ? s :
	    resolveURL(s, "Request: referrer")[HREF]);
}

function freshState() {
	return ({
		method: "GET",
		url: "",
		headers: null,
		body: null,
		signal: null,
		mode: "cors",
		credentials: "same-origin",
		cache: "default",
		redirect: "follow",
		referrer: "about:client",
		referrerPolicy: "",
		integrity: "",
		keepalive: false,
		duplex: "half",
	});
}

export class Request {
	#s;

	constructor(input, init = undefined) {
		let from = null;

		need(arguments.length, 1, "Request");
		init = dictionary(init, "Request: init");
		if (isObject(input) && #s in input) {
			from = input.#s;
			this.#s = { ...from, method: input.method,
			    url: input.url, signal: null };
		} else {
			const url = resolveURL(input, "Request");

			if (url[USERNAME] !== "" || url[PASSWORD] !== "")
				throw new TypeError("Request: there is a " +
				    `password in "${url[HREF]}"`);
			this.#s = freshState();
			this.#s.url = url[HREF];
		}
		this.#options(init);
		this.#setHeaders(init, from);
		this.#setBody(init, from, input);
		this.#setSignal(init, from, input);
	}

	static {
		requestParts = (rq) => {
			const s = rq.#s;

			return ({
				method: rq.method,
				url: rq.url,
				list: headerList(rq.headers),
				body: rq.#body(),
				signal: s.signal,
				redirect: s.redirect,
			});
		};
		/* What is null or undefined is asked for when needed. */
		makeIncoming = () => {
			incomingRequest = new Request("http://localhost/");
			incomingRequest.#s = {
				...freshState(),
				method: null,
				url: null,
				headers: makeHeaders(null, true),
				body: undefined,
				/* fetch(request) passes redirects on, as a
				 * gateway does. */
				redirect: "manual",
			};
		};
	}

	#options(init) {
		const s = this.#s;

		if (init.window !== undefined && init.window !== null)
			throw new TypeError("Request: window is not null");
		if (init.method !== undefined)
			s.method = normalMethod(init.method);
		for (const name of ["mode", "credentials", "cache", "redirect",
			"referrerPolicy", "priority", "duplex"])
			if (init[name] !== undefined)
				s[name] = oneOf(init[name], ENUMS[name],
				    `Request: ${name}`);
		if (s.mode === "navigate" && init.mode !== undefined)
			throw new TypeError("Request: the mode navigate is " +
			    "for browsers");
		if (s.mode === "no-cors" &&
		    !["GET", "HEAD", "POST"].includes(s.method))
			throw new TypeError("Request: the mode no-cors has " +
			    "GET, HEAD and POST only");
		if (s.cache === "only-if-cached" && s.mode !== "same-origin")
			throw new TypeError("Request: only-if-cached needs " +
			    "the mode same-origin");
		if (init.referrer !== undefined)
			s.referrer = referrerFrom(init.referrer);
		if (init.integrity !== undefined)
			s.integrity = `${init.integrity}`;
		if (init.keepalive !== undefined)
			s.keepalive = Boolean(init.keepalive);
	}

	#setHeaders(init, from) {
		const list = init.headers !== undefined ?
		    listFrom(init.headers) :
		    from !== null ? headerList(from.headers).slice() : [];

		this.#s.headers = makeHeaders(list, false);
	}

	#setBody(init, from, input) {
		const s = this.#s;
		let body = null, list;

		s.body = null;
		if (init.body !== undefined && init.body !== null) {
			if (s.method === "GET" || s.method === "HEAD")
				throw new TypeError(
				    `Request: ${s.method} has no body`);
			body = extract(init.body);
			list = headerList(s.headers);
			if (body.type !== null &&
			    getFrom(list, "content-type") === null)
				list.push("content-type", body.type);
			if (body.source === null && init.duplex !== "half")
				throw new TypeError("Request: a body that is " +
				    'a stream needs duplex: "half"');
		} else if (init.body === undefined && from !== null) {
			const old = input.#body();

			if (old === null)
				return;
			if (s.method === "GET" || s.method === "HEAD")
				throw new TypeError(
				    `Request: ${s.method} has no body`);
			body = Request.#takeOver(old);
		}
		s.body = body;
	}

	/* The body of another request, which has been used then. */
	static #takeOver(old) {
		const body = newBody(null);

		if (isUnusable(old))
			throw new TypeError("Request: the body of the other " +
			    "request has been used, or is locked");
		body.source = old.stream === null ? old.source :
		    sourceOf(old.stream) ?? null;
		body.shared = old.shared;
		if (body.source === null)
			body.stream = bodyStream(old).pipeThrough(
			    new TransformStream());
		old.used = true;
		return (body);
	}

	#setSignal(init, from, input) {
		let signal = from === null ? null : input.#s.signal;

		if ("signal" in init && init.signal !== undefined)
			signal = init.signal;
		if (signal === null)
			return;
		if (!(signal instanceof AbortSignal))
			throw new TypeError(
			    "Request: signal is not an AbortSignal");
		this.#s.signal = AbortSignal.any([signal]);
	}

	#body() {
		const s = this.#s;

		if (s.body === undefined)
			s.body = incomingBody();
		return (s.body);
	}

	static {
		mixin(Request, (rq) => rq.#body(),
		    (rq) => headerValue(rq.headers, "content-type"));
	}

	get method() {
		const s = this.#s;

		s.method ??= host.method();
		return (s.method);
	}

	get url() {
		const s = this.#s;

		s.url ??= requestHref() ?? incomingURL();
		return (s.url);
	}

	get headers() {
		return (this.#s.headers);
	}

	get destination() {
		this.#s;
		return ("");
	}

	get referrer() {
		return (this.#s.referrer);
	}

	get referrerPolicy() {
		return (this.#s.referrerPolicy);
	}

	get mode() {
		return (this.#s.mode);
	}

	get credentials() {
		return (this.#s.credentials);
	}

	get cache() {
		return (this.#s.cache);
	}

	get redirect() {
		return (this.#s.redirect);
	}

	get integrity() {
		return (this.#s.integrity);
	}

	get keepalive() {
		return (this.#s.keepalive);
	}

	get isReloadNavigation() {
		this.#s;
		return (false);
	}

	get isHistoryNavigation() {
		this.#s;
		return (false);
	}

	get signal() {
		const s = this.#s;

		s.signal ??= new AbortController().signal;
		return (s.signal);
	}

	get duplex() {
		this.#s;
		return ("half");
	}

	clone() {
		const body = this.#body();
		let copy;

		if (isUnusable(body))
			throw new TypeError("Request.clone: the body has " +
			    "been used, or is locked");
		copy = new Request("http://localhost/");
		copy.#s = {
			...this.#s,
			method: this.method,
			url: this.url,
			headers: makeHeaders(headerList(this.headers).slice(),
			    false),
			body: body === null ? null : cloneBody(body),
			signal: this.#s.signal === null ? null :
			    AbortSignal.any([this.#s.signal]),
		};
		return (copy);
	}
}
expose(Request, "Request");
