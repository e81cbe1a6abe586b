/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * All tests as a handler: the answer is the report. /?word runs those with
 * that word in their names; /samples says what t_samples.js says.
 */

import { run } from "./check.js";
import "./t_body.js";
import "./t_dom.js";
import "./t_fetch.js";
import "./t_headers.js";
import { samples } from "./t_samples.js";
import "./t_text.js";
import "./t_url.js";

export default {
	async fetch(request) {
		const url = new URL(request.url);

		if (url.pathname === "/samples")
			return (new Response(samples()));
		return (new Response(await run(
		    decodeURIComponent(url.search.slice(1)))));
	},
};
