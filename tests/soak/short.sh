#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The soak test's short form. "tests/soak/run" is the long one.

exec "${top_srcdir:-.}/tests/soak/run" --requests 8000 --warmup 3000 \
    --settle 2 --interval 5 "${top_builddir:-.}"
