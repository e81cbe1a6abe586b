/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * HTML from a template, by mustache, as it comes from npm:
 *
 *	npm install mustache
 *
 * The template is a file of its own, which sandbox-jsc puts into the program.
 * It is taken apart once. mustache escapes what it fills in, so what a visitor
 * sends is text in the page and nothing else.
 */

import Mustache from "mustache";
import template from "./page.html";

const goods = [
	{ name: "Teapot", price: "12.00" },
	{ name: "Cup & saucer", price: "4.50" },
	{ name: "Spoon", price: "1.20" },
];

Mustache.parse(template);

export default {
	fetch(request) {
		const query = new URL(request.url).searchParams.get("q") ?? "";
		const items = goods.filter((g) =>
		    g.name.toLowerCase().includes(query.toLowerCase()));
		const html = Mustache.render(template,
		    { title: "Shop", items, query });

		return (new Response(html, { headers: {
			"Content-Type": "text/html; charset=utf-8",
			"Cache-Control": "max-age=60",
		} }));
	},
};
