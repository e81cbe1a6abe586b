/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A JSON API, routed by Hono (https://hono.dev), as it comes from npm:
 *
 *	npm install hono
 *
 * The routes are laid out once, before the first request, and so is the data.
 */

import { Hono } from "hono";
import { cors } from "hono/cors";

const books = new Map([
	["1", { id: "1", title: "The Mythical Man-Month", year: 1975 }],
	["2", { id: "2", title: "Computer Lib", year: 1974 }],
]);

const app = new Hono();

app.use("/api/*", cors());

app.get("/api/books", (c) => {
	const before = Number(c.req.query("before") ?? Infinity);

	return (c.json([...books.values()].filter((b) => b.year < before)));
});

app.get("/api/books/:id", (c) => {
	const book = books.get(c.req.param("id"));

	return (book ? c.json(book) : c.json({ error: "no such book" }, 404));
});

/* What is added here is gone with this request: state lives elsewhere. */
app.post("/api/books", async (c) => {
	const book = await c.req.json().catch(() => null);

	if (typeof book?.title !== "string")
		return (c.json({ error: "a book has a title" }, 400));
	return (c.json({ ...book, id: crypto.randomUUID() }, 201));
});

/* c.env is env: the program's settings, and ARG, the argument in VCL. */
app.get("/api/whoami", (c) => c.json({
	arg: c.env.ARG,
	agent: c.req.header("user-agent") ?? null,
}));

app.onError((error, c) => {
	console.error(error);
	return (c.json({ error: "internal" }, 500));
});

/* Every request goes through the routes once before it is frozen: the tables
 * that Hono makes at the first one are then there. */
export function warmup() {
	return (app.request("http://localhost/api/books/1"));
}

export default app;
