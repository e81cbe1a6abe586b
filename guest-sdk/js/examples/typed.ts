/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * TypeScript: sandbox-jsc takes it as it is, and removes the types. To have
 * them checked as well (and completed by an editor), add sandbox.d.ts and run
 *
 *	npx tsc --noEmit --strict --target es2024 --lib es2024,dom \
 *	    --module esnext --moduleResolution bundler typed.ts
 */

import type { Handler } from "../sandbox.js";

interface Settings {
	GREETING?: string;
}

interface Visit {
	path: string;
	tags: readonly string[];
}

enum Tone {
	Plain = ".",
	Loud = "!",
}

function visit(request: Request): Visit {
	const url = new URL(request.url);

	return ({ path: url.pathname, tags: url.searchParams.getAll("tag") });
}

export default {
	async fetch(request, env, ctx): Promise<Response> {
		const { path, tags } = visit(request);
		const tone = tags.includes("loud") ? Tone.Loud : Tone.Plain;

		return (Response.json({
			text: `${env.GREETING ?? "Hello"}, ${path}${tone}`,
			arg: env.ARG,
			client: ctx.clientIp,
		}));
	},
} satisfies Handler<Settings>;
