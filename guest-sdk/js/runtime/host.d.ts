/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * host.d.ts: what the C side gives to the runtime in JavaScript, and what it
 * wants of it. This is the one description of both; nothing reads it but
 * people and editors.
 *
 * The runtime is the module runtime/main.js, bundled to one file when the
 * project is built. The C side evaluates it once, before the user's module,
 * and calls its default export:
 *
 *	export default function boot(host: Host): Hooks
 *
 * `host` is passed to boot() and to nobody else: user code never sees it. All
 * that user code is to see, boot() puts on globalThis. What is on globalThis
 * before is what ECMAScript has, with these changes made by the C side:
 * Math.random() is reseeded for each request; Date is on the request's clock.
 * eval() and new Function() work; modules can not be imported at run time.
 *
 * Strings: where it says ByteString each character is one byte, U+0000 to
 * U+00FF, as in the Fetch standard. All others are Unicode; a lone surrogate
 * becomes U+FFFD on its way out.
 *
 * Bytes: BufferSource is an ArrayBuffer, or any view of one.
 *
 * Wrong arguments throw a TypeError; memory that is not there, an
 * InternalError "out of memory". Neither ends the program.
 *
 * Cost: a call without arguments or result takes about 50 ns; what returns a
 * string or buffer allocates it. "Exit" means that the host is asked, 25 us
 * on platform P: only log(), sleeping and fetching do that.
 */

type Bytes = ArrayBuffer | ArrayBufferView;

/* "SHA-1" | "SHA-256" | "SHA-384" | "SHA-512", in just this case. */
type Digest = string;

/* [name, value, name, value ...] */
type FlatHeaders = string[];

interface Host {
	/*------------------------------------------------------------
	 * The request. Valid from the call of handle() on; before the first
	 * one (module top level, warmup()) these throw a TypeError. Each call
	 * makes a new string, so that what is not asked for costs nothing.
	 */
	method(): string;		/* "GET" */
	target(): string;		/* "/path?query", as the client wrote it;
					 * ByteString */
	arg(): string;			/* .backend()'s argument in VCL, or "" */
	clientIp(): string;		/* "192.0.2.1" */
	clientPort(): number;		/* 0 when unknown */
	xid(): number;			/* of the backend transaction */
	timeLeft(): number;		/* ms until the deadline of this request */
	maxBody(): number;		/* bytes that the answer may have */
	isWarmup(): boolean;		/* the host's rehearsal: nobody will see
					 * the answer */

	/* All headers in the order in which they came, names in lower case,
	 * values are ByteStrings. */
	headers(): FlatHeaders;

	/* The headers with that name joined by ", ", or null. Without making
	 * the list above. undefined if that is no name of a header. */
	header(name: unknown): string | null | undefined;

	/* The body, or null if there is none. The buffer is the request's own
	 * memory, not a copy, and the same object each time. */
	body(): ArrayBuffer | null;
	bodyLength(): number;		/* 0 when there is none */

	/*------------------------------------------------------------
	 * The answer. To be called once for a request. It does not return to
	 * the client at once: the C side first runs the job queue to its end,
	 * and then waits for the promise given to hold(), if any.
	 *
	 * reason: null for the usual one. A header name that is no token, a
	 * value with control characters, too many or too long, a status out of
	 * 200..999, a body beyond maxBody(): TypeError. headers may be null;
	 * type is a Content-Type for those that have none.
	 * A string becomes UTF-8; bytes are kept, not copied, and must not be
	 * changed or detached before the request's end.
	 */
	respond(status: number, reason: string | null,
	    headers: FlatHeaders | null, body: string | Bytes | null,
	    type: string | null): void;

	/* Instead: a 500 for the client, which says nothing about us, and the
	 * error's message and stack for Varnish's log. (what) is a word for
	 * the log line: "fetch() threw", "not a Response". */
	fail(what: string, error: unknown): void;

	/* ctx.waitUntil(): the answer waits for this promise too, until shortly
	 * before the deadline; then it goes out without. A rejection is logged
	 * and changes nothing. May be called several times. */
	hold(promise: Promise<unknown>): void;

	/* What a promise has been fulfilled with, if no job is waiting that
	 * would run before anything that waits for it; or null. */
	settled(promise: unknown): unknown;

	/*------------------------------------------------------------
	 * Log, clocks, random
	 */

	/* One line in Varnish's log; 0 info, 1 error. What is longer than 1,024
	 * bytes is cut, newlines are made into several lines, 24 at the most,
	 * of which each is an exit. Places in the bundle, as stacks have them,
	 * become places in the sources. */
	log(level: 0 | 1, text: string): void;

	/* Readable form of any value, for console.log(): objects, arrays,
	 * errors with their stack, maps ... without calling user code. */
	inspect(value: unknown): string;

	wallMs(): number;		/* ms since 1970, with a fraction */
	monoMs(): number;		/* ms since the start of the request (or
					 * of the program, before the freeze),
					 * with a fraction; never goes back */

	random(view: ArrayBufferView): void;	/* fills it; no exit */

	/*------------------------------------------------------------
	 * Bytes and text
	 */
	utf8Encode(text: string): ArrayBuffer;
	/* As TextDecoder does for UTF-8 without a BOM in front being taken
	 * away (that is the runtime's). fatal: TypeError on a wrong byte. */
	utf8Decode(bytes: Bytes, fatal: boolean): string;
	latin1Decode(bytes: Bytes): string;	/* isomorphic decode */
	btoa(text: string): string;	/* throws a TypeError when there is a
					 * character above U+00FF; */
	atob(text: string): string;	/* or when it is not base64 (WHATWG
					 * forgiving decode). The runtime makes
					 * an InvalidCharacterError of it. */
	/*
	 * What most URLs and headers are, for the runtime to be quick; null
	 * for what is not, which is for the runtime's other way.
	 *
	 * [href, protocol, username, password, hostname, port, pathname,
	 * search, hash, null] of an absolute http or https URL in which the URL
	 * parser would change nothing, but for a port that is the default one
	 * and a pathname that is "" instead of "/". Of the request's: Host, and
	 * the scheme that X-Forwarded-Proto says.
	 */
	splitURL(url: string): (string | null)[] | null;
	requestURL(): (string | null)[] | null;

	/* The list, of a plain object whose own properties are strings, of
	 * printable ASCII without spaces at their ends, by names that are
	 * tokens. No property of it runs user code. */
	plainHeaders(init: unknown): FlatHeaders | null;

	/* One of these names in lower case, or null; is it one of these
	 * values? */
	plainName(name: unknown): string | null;
	isPlainValue(value: unknown): boolean;

	structuredClone(value: unknown): unknown;	/* see README: what it
					 * does not take throws a TypeError;
					 * transfer is the runtime's */

	/*------------------------------------------------------------
	 * Cryptography
	 */
	digest(alg: Digest, data: Bytes): ArrayBuffer;
	hmac(alg: Digest, key: Bytes, data: Bytes): ArrayBuffer;
	/* True if they are the same, in a time that depends on the lengths
	 * only. */
	timingSafeEqual(a: Bytes, b: Bytes): boolean;

	/*------------------------------------------------------------
	 * Timers. (id) is the runtime's, a positive integer. When it is due,
	 * hooks.onTimer(id) is called, once. Those which never become due
	 * before the answer are forgotten with the request.
	 */
	setTimer(id: number, ms: number): void;
	clearTimer(id: number): void;

	/*------------------------------------------------------------
	 * Fetching. What is started in one turn goes to the host in one exit,
	 * when the job queue has become empty. Returns an id for which
	 * hooks.onFetch() will be called once, unless it was cancelled.
	 *
	 * target is "/path?query". hostName null: the host of this request.
	 * headers may be null; no Host among them. maxBody 0: what the budget
	 * has left. timeoutMs 0: until the request's deadline.
	 */
	fetchStart(method: string, target: string, hostName: string | null,
	    headers: FlatHeaders | null, body: string | Bytes | null,
	    maxBody: number, timeoutMs: number): number;
	fetchCancel(id: number): void;

	/*------------------------------------------------------------
	 * Settings: the environment the program was started with, NAME=value,
	 * as an object with no prototype. A new one each time; for boot(). The
	 * runtime adds ARG (host.arg()) as a getter for each request.
	 */
	env(): Record<string, string>;
}

interface Hooks {
	/*
	 * The user's module has been evaluated, top-level await included.
	 * Look for its default export's fetch(), or a listener added with
	 * addEventListener("fetch"). Throw an Error whose message tells the
	 * author what is missing; that ends the program before it is ready.
	 *
	 * Returns the settings, to be given to warmup().
	 */
	ready(module: Record<string, unknown>): Record<string, string>;

	/* Before the freeze, when the handler is known. Jobs may come after
	 * it. */
	freeze(): void;

	/*
	 * A request. Whatever it throws is a 500. Returning without having
	 * called host.respond() is fine: the C side runs jobs, timers and
	 * fetches until it is called. When there is nothing left to wait for,
	 * it is a 500 that says so.
	 */
	handle(): void;

	onTimer(id: number): void;

	/*
	 * error: null, or "EINVAL", "E2BIG", "ELOOP", "EDQUOT", "EMSGSIZE",
	 * "EAGAIN", "ETIMEDOUT", "EIO", "ENETDOWN", "EPERM" (sandbox_abi.h says
	 * when); the other arguments are then undefined. hit: from the cache.
	 */
	onFetch(id: number, error: string | null, status?: number,
	    reason?: string, headers?: FlatHeaders, body?: ArrayBuffer | null,
	    hit?: boolean): void;

	/*
	 * A promise was rejected and nobody was there to handle it when the
	 * job queue became empty. Return true if a listener of
	 * "unhandledrejection" called preventDefault(). Otherwise it is a 500,
	 * even if there was an answer already. May be left out.
	 */
	onUnhandled?(reason: unknown, promise: Promise<unknown>): boolean;
}

/*
 * What the C side does, in order:
 *
 *	boot(host)
 *	evaluate the user's module; run jobs and timers until its promise is
 *	    settled (a rejection ends the program)
 *	hooks.ready(module)
 *	module.warmup(settings), if exported; run jobs until its promise is settled
 *	hooks.freeze(), garbage collection; freeze
 *	for each request: hooks.handle(), then the event loop
 *
 * The user's module is one file, bundled. error.stack has lines of that file,
 * so that nothing else gets to clients; on its way to the log the C side makes
 * lines of the sources of them.
 *
 * What goes wrong is answered by the C side, with a 500 that says nothing:
 * handle() throws, there is nothing left to wait for, time or memory is up. It
 * then answers from wherever JavaScript is, which is not told.
 */

export type { Host, Hooks, Bytes, Digest, FlatHeaders };
