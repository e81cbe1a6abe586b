/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A request on its way to the handler, and the response on its way back.
 * Whatever can be made before the program is frozen is made then; a handler
 * that returns a Response with a string costs little more than that string.
 */

import { isUnusable, takeBody } from "./body.js";
import { dispatchFetch, hasFetchListener } from "./events.js";
import { headerList } from "./headers.js";
import { host, serving, setServing } from "./host.js";
import { incomingRequest } from "./request.js";
import { Response, responseState } from "./response.js";
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
let env, call;

/* The second argument: the program's settings, and ARG. */
export function useEnv(settings) {
	env = Object.assign({}, settings);
	Object.defineProperty(env, "ARG", {
		get() {
			return (serving ? host.arg() : "");
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
		call = (rq) => handler.fetch(rq, env, context);
	else if (hasFetchListener())
		call = dispatchFetch;
	else
		throw new TypeError("the module has no handler: it needs " +
		    '"export default { fetch(request, env, ctx) { ... } }", ' +
		    'or addEventListener("fetch", ...)');
	return (env);
}

function failed(error) {
	host.fail("the handler threw", error);
}

function respond(s, content) {
	const list = s.headers === null ? s.list : headerList(s.headers);

	try {
		host.respond(s.status, s.statusText || null, list,
		    s.body === null ? null : content);
	} catch (e) {
		host.fail("the Response can not be sent", e);
	}
}

function send(response) {
	let s, content;

	if (!(response instanceof Response)) {
		host.fail("the handler's result is not a Response",
		    new TypeError(`it is ${host.inspect(response)}`));
		return;
	}
	s = responseState(response);
	if (s.type === "error" || isUnusable(s.body)) {
		host.fail("the Response can not be sent", new TypeError(
		    s.type === "error" ? "it is Response.error()" :
		    "its body has been used, or is locked"));
		return;
	}
	content = takeBody(s.body);
	if (content instanceof Promise)
		content.then((bytes) => respond(s, bytes),
		    (e) => host.fail("the Response's body failed", e));
	else
		respond(s, content);
}

/* hooks.handle() */
export function handle() {
	let result;

	setServing();
	try {
		result = call(incomingRequest);
	} catch (e) {
		failed(e);
		return;
	}
	if (result instanceof Response)
		send(result);
	else
		Promise.resolve(result).then(send, failed);
}
