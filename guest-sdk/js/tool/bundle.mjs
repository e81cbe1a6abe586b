/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * One module of many, by esbuild.
 */

import { builtinModules } from "node:module";
import path from "node:path";

const LOADERS = {
	".html": "text",
	".txt": "text",
	".md": "text",
	".css": "text",
	".svg": "text",
	".sql": "text",
	".bin": "binary",
	".png": "binary",
	".jpg": "binary",
	".webp": "binary",
	".ico": "binary",
	".woff2": "binary",
};

/* What Node.js has and a sandbox has not. */
const noNode = {
	name: "no-node",
	setup(build) {
		const names = builtinModules.filter((m) => !m.startsWith("_"));
		const filter = new RegExp(`^(node:.*|${names.join("|")})$`);
		build.onResolve({ filter }, async (args) => {
			if (args.pluginData === "again")
				return (undefined);
			/* A package of that name may be installed. */
			if (!args.path.startsWith("node:")) {
				const r = await build.resolve(args.path, {
					importer: args.importer,
					kind: args.kind,
					pluginData: "again",
					resolveDir: args.resolveDir,
				});
				if (r.errors.length === 0)
					return (r);
			}
			return ({ errors: [{
				text: `"${args.path}" is a part of Node.js`,
				notes: [{ text: "A handler has what edge " +
				    "runtimes have: fetch, Request, Response, " +
				    "URL, crypto ... Look for a build of the " +
				    "package for browsers or workers." }],
			}] });
		});
	},
};

/* Options for esbuild. */
export function settings(options)
{
	return ({
		entryPoints: [options.entry],
		outfile: path.resolve("handler.js"),
		bundle: true,
		write: false,
		metafile: true,
		format: "esm",
		platform: "neutral",
		mainFields: ["browser", "module", "main"],
		conditions: ["worker", "browser"],
		target: "es2024",
		charset: "utf8",
		sourcemap: "external",
		sourcesContent: false,
		legalComments: "none",
		logLevel: "silent",
		minify: options.minify === true,
		/* Stacks are found by line, then by column. */
		lineLimit: options.minify ? 200 : 0,
		define: {
			"process.env.NODE_ENV": '"production"',
			...options.define,
		},
		loader: LOADERS,
		plugins: [noNode],
	});
}

/*
 * { code, map, modules, exports, listens } of a build. listens: there is a
 * call of addEventListener() somewhere.
 */
export function result(build)
{
	const js = build.outputFiles.find((f) => f.path.endsWith(".js"));
	const map = build.outputFiles.find((f) => f.path.endsWith(".map"));
	const meta = Object.values(build.metafile.outputs)
	    .find((o) => o.entryPoint !== undefined);

	return ({
		code: js.text,
		map: JSON.parse(map.text),
		modules: Object.keys(meta.inputs).length,
		exports: meta.exports,
		listens: js.text.includes("addEventListener"),
	});
}

/* esbuild's advice is for people who run bundles elsewhere. */
export function explain(messages)
{
	for (const m of messages) {
		const name = m.text.match(/^Could not resolve "([^"]+)"/)?.[1];
		if (name === undefined)
			continue;
		const pkg = name.match(/^(@[^/]+\/)?[^/]+/)[0];
		m.notes = /^[./]/.test(name) || m.location === null ? [] : [{
			text: `If it is a package: npm install ${pkg}`,
		}];
	}
	return (messages);
}
