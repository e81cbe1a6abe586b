/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A handler that runs a file of the web-platform-tests. The request's body is
 * { scripts: [[name, source] ...], search, files: { path: text ... } }: the
 * harness, what the test needs, and the test; what the test will fetch. The
 * answer is a list of { name, status, message }.
 */

const STATUS = ["PASS", "FAIL", "TIMEOUT", "NOTRUN", "PRECONDITION_FAILED"];

/* Some tests look at blobs and make shared memory with these; they are not what
 * is tested. */
class FileReader {
	#read(promise) {
		promise.then((result) => {
			this.result = result;
			this.onload?.({ target: this });
		}, (error) => this.onerror?.(error));
	}

	readAsText(blob) {
		this.#read(blob.text());
	}

	readAsArrayBuffer(blob) {
		this.#read(blob.arrayBuffer());
	}
}

class Memory {
	buffer = new SharedArrayBuffer(0);
}

function prepare({ search, files }) {
	const realFetch = globalThis.fetch;

	globalThis.GLOBAL = {
		isWindow: () => false,
		isWorker: () => false,
		isShadowRealm: () => false,
	};
	globalThis.self ??= globalThis;
	globalThis.FileReader ??= FileReader;
	globalThis.WebAssembly ??= { Memory };
	globalThis.location = new URL(`http://localhost/test${search}`);
	globalThis.fetch = async (input, init) => {
		const path = String(input).replace(/^https?:\/\/[^/]*\//, "");

		return (path in files ? new Response(files[path]) :
		    realFetch(input, init));
	};
	for (const type of ["error", "unhandledrejection"])
		globalThis.addEventListener?.(type, (e) => e.preventDefault());
}

export default {
	async fetch(request) {
		const job = await request.json();
		let done, results;

		prepare(job);
		for (const [name, source] of job.scripts) {
			(0, eval)(`${source}\n//# sourceURL=${name}`);
			if (name === "testharness.js")
				results = new Promise((f) => {
					add_completion_callback((tests) =>
					    f(tests));
				});
		}
		done = await results;
		return (Response.json(done.map((t) => ({
			name: t.name,
			status: STATUS[t.status],
			message: t.message,
		}))));
	},
};
