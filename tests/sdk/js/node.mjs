/*
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The same handler in Node.js: node.mjs /path
 */

import handler from "./selftest.js";

const response = await handler.fetch(
    new Request(`http://localhost${process.argv[2] ?? "/"}`));

process.stdout.write(await response.text());
