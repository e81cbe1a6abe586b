/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line of sandbox-jsc.
 */

import { parseArgs } from "node:util";

const OPTIONS = {
	output: { type: "string", short: "o" },
	watch: { type: "boolean", short: "w" },
	minify: { type: "boolean", short: "m" },
	define: { type: "string", short: "D", multiple: true },
	rehearse: { type: "string", short: "r", multiple: true },
	"no-check": { type: "boolean" },
	"no-sources": { type: "boolean" },
	quiet: { type: "boolean", short: "q" },
	help: { type: "boolean", short: "h" },
	version: { type: "boolean" },
};

export const USAGE = `\
usage: sandbox-jsc [options] HANDLER [-o FILE]

Makes one executable of a JavaScript or TypeScript module and all that it
imports, for sandbox.program() in VCL. The module exports what answers requests:

    export default {
        async fetch(request, env, ctx) {
            return new Response("Hello\\n");
        }
    };

and may export warmup(), which runs once before the first request.

  -o, --output FILE    default: the handler's name without its suffix
  -w, --watch          stay, and make it again whenever a source has changed
  -m, --minify         smaller; names in stacks are then short ones as well
  -D, --define K=V     replace the expression K by V: -D DEBUG=false
  -r, --rehearse URL   let it answer this, to see what memory a request reads
                       and writes and put that together: "/path"; default:
                       "/"; any number of times
      --no-check       do not start the program to see if it gets ready, and
                       rehearse nothing. That runs the module's top level,
                       warmup() and fetch() here, now, outside of any sandbox,
                       for 10 seconds at the most
      --no-sources     leave out what maps stacks to lines of the sources
  -q, --quiet          print nothing but errors
  -h, --help           this
      --version        of this program, the engine and esbuild

Exit status: 0, made; 1, an error in the sources, on standard error; 2, bad
usage, or something that this program needs is not there.
`;

export class UsageError extends Error {}

function defines(list)
{
	const all = {};

	for (const text of list ?? []) {
		const eq = text.indexOf("=");
		if (eq < 1)
			throw (new UsageError(`--define ${text}: not K=V`));
		all[text.slice(0, eq)] = text.slice(eq + 1);
	}
	return (all);
}

/* Throws a UsageError. */
export function parse(args)
{
	let r;

	try {
		r = parseArgs({ args, options: OPTIONS,
		    allowPositionals: true });
	} catch (e) {
		throw (new UsageError(e.message));
	}
	const o = { ...r.values, define: defines(r.values.define) };
	if (o.help || o.version)
		return (o);
	if (r.positionals.length !== 1)
		throw (new UsageError(r.positionals.length === 0 ?
		    "which handler?" : "one handler at a time"));
	o.rehearse ??= ["/"];
	for (const url of o.rehearse)
		if (!url.startsWith("/"))
			throw (new UsageError(`--rehearse ${url}: not a path`));
	o.entry = r.positionals[0];
	o.output ??= o.entry.replace(/\.[^./]*$/, "");
	if (o.output === o.entry || o.output === "")
		throw (new UsageError(`${o.entry}: -o FILE is needed`));
	return (o);
}
