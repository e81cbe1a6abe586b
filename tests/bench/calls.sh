#!/bin/sh
#
# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The system calls of a request in varnishd, compared.

exec "${top_srcdir:-.}/tests/bench/calls" "${top_builddir:-.}"
