/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Markdown in, HTML out, by marked, as it comes from npm:
 *
 *	npm install marked
 *	curl --data-binary @README.md http://127.0.0.1:6081/markdown
 *
 * What comes in is somebody's text, so raw HTML in it is not let through.
 */

import { marked } from "marked";

const MAX = 256 * 1024;

function escape(text) {
	return (text.replaceAll("&", "&amp;").replaceAll("<", "&lt;"));
}

marked.use({ renderer: { html: ({ text }) => escape(text) } });

/* Its patterns are compiled when they are first used: use them now. */
export function warmup() {
	marked.parse("# a\n\nb *c* [d](e) `f`\n\n- g\n\n> h\n\n```\ni\n```\n");
}

export default {
	async fetch(request) {
		let text;

		if (request.method !== "POST")
			return (new Response("POST a text in Markdown\n",
			    { status: 405, headers: { "Allow": "POST" } }));
		text = await request.text();
		if (text.length > MAX)
			return (new Response("too long\n", { status: 413 }));
		return (new Response(marked.parse(text), {
			headers: { "Content-Type": "text/html; charset=utf-8" },
		}));
	},
};
