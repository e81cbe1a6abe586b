# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A program between clients and an API. Both what the API says and what the
# program makes of it are cached; clients do not reach the API itself.

vcl 4.1;

import sandbox;

backend products {
	.host = "127.0.0.1";
	.port = "8080";
	.first_byte_timeout = 2s;
}

sub vcl_init {
	# Two seconds for the API, the rest is for the program.
	new api = sandbox.program("/srv/guests/api",
	    request_timeout = 3s,
	    max_fetches = 1);
}

sub vcl_recv {
	if (req.method != "GET" && req.method != "HEAD") {
		return (synth(405));
	}
	if (sandbox.is_subrequest()) {
		if (req.url !~ "^/api/products\?") {
			return (synth(403));
		}
		set req.backend_hint = products;
	} else {
		set req.backend_hint = api.backend();
	}
	unset req.http.Cookie;
	unset req.http.Authorization;
	return (hash);
}

sub vcl_hash {
	# Clients may ask for /api/products as well, and get a 404 from the
	# program. That is another object.
	if (sandbox.is_subrequest()) {
		hash_data(sandbox.subrequest_program());
	}
}

sub vcl_backend_response {
	set beresp.ttl = 1m;
	set beresp.grace = 10m;
	if (beresp.status >= 400) {
		set beresp.ttl = 5s;
	}
}
