#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Is the benchmark's arithmetic right?

exec python3 "${top_srcdir:-.}/tests/bench/t_figures.py"
