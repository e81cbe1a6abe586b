#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Does the benchmark of handlers in JavaScript still work?

exec "${top_srcdir:-.}/tests/bench/js" --selftest "${top_builddir:-.}"
