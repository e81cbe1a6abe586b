# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The least there can be: a program, and all requests go to it. It is cached
# as its responses say.

vcl 4.1;

import sandbox;

backend default none;

sub vcl_init {
	new hello = sandbox.program("/srv/guests/hello");
}

sub vcl_backend_fetch {
	set bereq.backend = hello.backend();
}
