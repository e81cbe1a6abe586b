/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * fetch(): Varnish is asked for the URL, as a client would ask. What is started
 * before the handler waits for any of it runs at the same time.
 *
 * There is no browser here: every response can be read, whatever its origin,
 * and with redirect: "manual" the redirect itself is what one gets. Varnish
 * passes redirects on, so "follow" is done here, as the standard says it.
 */

import { newBody, takeBody } from "./body.js";
import { offAbort, onAbort } from "./dom.js";
import { getFrom } from "./headers.js";
import { host } from "./host.js";
import { Request, requestParts } from "./request.js";
import { makeResponse } from "./response.js";
import {
	HASH, HREF, PASSWORD, PATHNAME, PROTOCOL, SEARCH, USERNAME, hostOf,
	originOf, parseURL,
} from "./url.js";

const MAX_REDIRECTS = 20;
/*
 * What is between two machines, and not part of the message. Of encodings the
 * handler knows nothing: Varnish unpacks for those who do not ask for one.
 */
const HOP_HEADERS = ["accept-encoding", "connection", "content-length", "expect", "host",
	"keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
	"upgrade"];
const BODY_HEADERS = ["content-encoding", "content-language",
	"content-location", "content-type", "content-length"];
const WHY = {
	E2BIG: "the request's headers are too large",
	EAGAIN: "Varnish has no thread to spare",
	EDQUOT: "more fetches, or bytes, than a request may have",
	EINVAL: "Varnish can not send such a request",
	EIO: "the response ended early",
	ELOOP: "it would wait for itself, or is too deep",
	EMSGSIZE: "the response is too large",
	ENETDOWN: "there is nobody to ask, outside of Varnish and before the " +
	    "first request",
	EPERM: "the program may not fetch; see the VCL",
	ETIMEDOUT: "the time is up",
};

/* id => { resolve, reject } */
const waiting = new Map();

function failure(rq, error) {
	const e = new TypeError(`fetch failed: ${rq.url}: ` +
	    `${WHY[error] ?? "it could not be done"} (${error})`);

	e.code = error;
	return (e);
}

/* hooks.onFetch() */
export function onFetch(id, error, status, reason, list, body) {
	const w = waiting.get(id);

	waiting.delete(id);
	if (w === undefined)
		return;
	if (error !== null)
		w.reject(failure(w.rq, error));
	else
		w.resolve({ status, reason, list, body });
}

/* One exchange. */
function exchange(rq, content) {
	const url = parseURL(rq.url);
	const list = rq.list.slice();

	drop(list, HOP_HEADERS);
	return (new Promise((resolve, reject) => {
		const id = host.fetchStart(rq.method,
		    url[PATHNAME] + url[SEARCH], hostOf(url), list,
		    content === "" ? null : content, 0, 0);

		function abort(reason) {
			if (waiting.delete(id)) {
				host.fetchCancel(id);
				reject(reason);
			}
		}

		function done(f) {
			return ((value) => {
				if (rq.signal !== null)
					offAbort(rq.signal, abort);
				f(value);
			});
		}

		waiting.set(id,
		    { rq, resolve: done(resolve), reject: done(reject) });
		if (rq.signal !== null)
			onAbort(rq.signal, abort);
	}));
}

/* https://fetch.spec.whatwg.org/#http-redirect-fetch; null: it is not one. */
function redirected(rq, content, answer) {
	const location = getFrom(answer.list, "location");
	const s = answer.status;
	let next, url, far;

	if (location === null || ![301, 302, 303, 307, 308].includes(s))
		return (null);
	url = parseURL(location, rq.url);
	if (url === null || !/^https?:$/.test(url[PROTOCOL]))
		throw new TypeError(`fetch failed: ${rq.url}: redirected to ` +
		    `"${location}"`);
	far = originOf(url) !== originOf(parseURL(rq.url));
	if (far && (url[USERNAME] !== "" || url[PASSWORD] !== ""))
		throw new TypeError(`fetch failed: ${rq.url}: redirected to ` +
		    "a URL with a password in it");
	if (s !== 303 && rq.body !== null && rq.body.source === null)
		throw new TypeError(`fetch failed: ${rq.url}: redirected, ` +
		    "and a stream can not be sent again");
	next = { ...rq, list: rq.list.slice() };
	next.url = url[HREF];
	if (url[HASH] === "" && rq.url.includes("#"))
		next.url += rq.url.slice(rq.url.indexOf("#"));
	if (((s === 301 || s === 302) && rq.method === "POST") ||
	    (s === 303 && rq.method !== "GET" && rq.method !== "HEAD")) {
		next.method = "GET";
		drop(next.list, BODY_HEADERS);
		content = "";
	}
	if (far)
		drop(next.list, ["authorization", "cookie",
			"proxy-authorization"]);
	return ({ rq: next, content });
}

function drop(list, names) {
	for (let i = list.length - 2; i >= 0; i -= 2)
		if (names.includes(list[i]))
			list.splice(i, 2);
}

function toResponse(rq, answer, times) {
	const none = rq.method === "HEAD" ||
	    [101, 103, 204, 205, 304].includes(answer.status);

	return (makeResponse({
		status: answer.status,
		statusText: answer.reason,
		list: answer.list,
		body: none ? null : newBody(answer.body === null ||
		    answer.body === undefined ? "" :
		    new Uint8Array(answer.body)),
	}, {
		type: "basic",
		url: rq.url.replace(/#.*/s, ""),
		redirected: times > 0,
	}));
}

export async function fetch(input, init = undefined) {
	const given = new Request(input, init);
	let rq = requestParts(given);
	let content, times = 0;

	if (!/^https?:/.test(rq.url))
		throw new TypeError(`fetch failed: ${rq.url}: only http and ` +
		    "https can be fetched");
	rq.signal?.throwIfAborted();
	content = takeBody(rq.body);
	if (content instanceof Promise)
		content = await content;
	for (;;) {
		const answer = await exchange(rq, content);
		let next = null;

		if (rq.redirect !== "manual")
			next = redirected(rq, content, answer);
		if (next === null)
			return (toResponse(rq, answer, times));
		if (rq.redirect === "error" || ++times > MAX_REDIRECTS)
			throw new TypeError(`fetch failed: ${rq.url}: ` +
			    (times === 0 ? "there is a redirect" :
			    `more than ${MAX_REDIRECTS} redirects`));
		({ rq, content } = next);
	}
}
