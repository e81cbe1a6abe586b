#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Does all that the benchmark asks for have an answer? Half a minute.

exec "${top_srcdir:-.}/tests/bench/run" --selftest "${top_builddir:-.}"
