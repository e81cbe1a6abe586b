/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A request on its way to the handler, and the response on its way back.
 * Whatever can be made before the program is frozen is made then; a handler
 * that returns a Response with a string costs little more than that string.
 */

import { isUnusable, newBody, spareBody, takeBody } from "./body.js";
import { dispatchFetch, hasFetchListener } from "./events.js";
import { headerList } from "./headers.js";
import { host, phase } from "./host.js";
import { after, isPlain, isPromise } from "./promises.js";
import { incomingRequest } from "./request.js";
import { Response, responseState, spareResponse } from "./response.js";
import { spareStream } from "./streams.js";
import { expose } from "./webidl.js";

/* The third argument of a handler; sandbox.d.ts describes it. */
class Context {
	waitUntil(promise) {
		host.hold(Promise.resolve(promise));
	}

	passThroughOnException() {
		throw new TypeError("ctx.passThroughOnException(): there is " +
		    "nothing behind this program; see vcl_backend_error");
	}

	get clientIp() {
		return (host.clientIp());
	}

	get clientPort() {
		return (host.clientPort());
	}

	get xid() {
		return (host.xid());
	}

	get timeLeft() {
		return (host.timeLeft());
	}
}
expose(Context, "Context");

const context = new Context();
let env;

/* The object whose fetch() is the handler; or null, and a function. */
let object = null, call;

/* The second argument: the program's settings, and ARG. */
export function useEnv(settings) {
	env = Object.assign({}, settings);
	Object.defineProperty(env, "ARG", {
		get() {
			return (phase.serving ? host.arg() : "");
		},
		enumerable: true,
		configurable: true,
	});
}

/* hooks.ready() */
export function ready(module) {
	const handler = module.default;

	if (typeof handler === "function")
		call = (rq) => handler(rq, env, context);
	else if (typeof handler?.fetch === "function")
		object = handler;
	else if (hasFetchListener())
		call = dispatchFetch;
	else
		throw new TypeError("the module has no handler: it needs " +
		    '"export default { fetch(request, env, ctx) { ... } }", ' +
		    'or addEventListener("fetch", ...)');
	rehearse();
	return (env);
}

/*
 * What most requests do, done once before the program is frozen. The engine
 * makes some things when they are first used, and has a description ("shape")
 * of each kind of object only as long as there is one: so one of each is kept.
 * Each of these would otherwise be made, in pages of their own, by every
 * request.
 */
const kept = [];

/* An object gets its properties one after the other, and there is a shape for
 * each of these steps. */
function keepSteps(object) {
	let step = {};

	for (const name of Object.keys(object)) {
		step = { ...step, [name]: null };
		kept.push(step);
	}
}

function rehearse() {
	const init = { status: 200, headers: { "Content-Type": "text/html" } };
	const url = new URL("http://a/b?c=d");
	const responses = [new Response("a"), new Response("a", init),
		new Response(new Uint8Array(1)), Response.json({ a: 1 }),
		new Response(null, init), new Response("a", init)];
	const rq = new Request(url, { method: "POST", body: "a" });

	url.searchParams.get("c");
	responses[5].headers.get("content-type");
	rq.headers.get("accept");
	for (const rs of responses)
		takeBody(responseState(rs).body);
	for (const object of [responses[0], rq, url, rq.headers])
		kept.push(Object.create(Object.getPrototypeOf(object)));
	keepSteps(responseState(responses[0]));
	keepSteps(newBody(""));
	kept.push(url, init, responses, rq, new Headers(init.headers),
	    new URL("/e", url));
}

function failed(error) {
	host.fail("the handler threw", error);
}

/* The host adds the Content-Type of a body if nobody has looked at the headers,
 * which do not have it then. */
function respond(s, content) {
	const { body, headers } = s;

	try {
		host.respond(s.status, s.statusText || null,
		    headers === null ? s.list : headerList(headers), content,
		    headers === null && body !== null ? body.type : null);
	} catch (e) {
		host.fail("the Response can not be sent", e);
	}
}

/* One with a stream, or none; or that was fetched, or can not be sent. */
function sendSlowly(s) {
	let content;

	if (s.more?.type === "error" || isUnusable(s.body)) {
		host.fail("the Response can not be sent", new TypeError(
		    s.more?.type === "error" ? "it is Response.error()" :
		    "its body has been used, or is locked"));
		return;
	}
	content = s.body === null ? null : takeBody(s.body);
	if (isPromise(content))
		after(content, (bytes) => respond(s, bytes),
		    (e) => host.fail("the Response's body failed", e));
	else
		respond(s, content);
}

function send(s) {
	const { body } = s;

	if (s.more !== null || body === null || body.used ||
	    body.stream !== null) {
		sendSlowly(s);
	} else {
		body.used = true;
		respond(s, body.source);
	}
}

function sendResult(result) {
	const s = responseState(result);

	if (s !== null)
		send(s);
	else
		host.fail("the handler's result is not a Response",
		    new TypeError(`it is ${host.inspect(result)}`));
}

/*
 * What a promise is fulfilled with is asked for, if waiting for it would change
 * nothing: there is no job that would run before.
 */
function sendLater(result) {
	const value = host.settled(result);
	const s = value !== null && isPlain(result) ? responseState(value) :
	    null;

	if (s !== null)
		send(s);
	else
		after(result, sendResult, failed);
}

/* hooks.freeze() */
export function freeze() {
	spareResponse();
	spareBody();
	spareStream();
}

/* To take the result apart would be work for nothing: all of memory is put back
 * when it has been sent. */
let answered;

/* hooks.handle() */
export function handle() {
	let result, s;

	phase.serving = true;
	try {
		result = object === null ? call(incomingRequest) :
		    object.fetch(incomingRequest, env, context);
	} catch (e) {
		failed(e);
		return;
	}
	answered = result;
	s = responseState(result);
	if (s !== null)
		send(s);
	else
		sendLater(result);
}
