#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Does the benchmark of fetching still work?

exec "${top_srcdir:-.}/tests/bench/fetch" --selftest "${top_builddir:-.}"
