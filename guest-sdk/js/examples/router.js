/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same idea with itty-router (https://itty.dev), which is very small:
 *
 *	npm install itty-router
 */

import { AutoRouter, error, text } from "itty-router";

const router = AutoRouter();

router
	.get("/", () => text("a small shop\n"))
	.get("/items/:id", ({ id }) => ({ id, price: 42 }))
	.get("/search", ({ query }) => ({ for: query.q ?? null }))
	.post("/echo", async (request) => await request.json())
	.all("*", () => error(404, "no such page"));

export default router;
