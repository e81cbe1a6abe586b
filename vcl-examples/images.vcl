# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# An upload service: JPEG and PNG in, WebP out. Image decoders have a long
# history of being tricked into running foreign code; here they may.

vcl 4.1;

import sandbox;
import std;

backend default none;

sub vcl_init {
	# The queue is short: who waits for an image waits long already.
	new webp = sandbox.program("/srv/guests/webp",
	    memory = 128MB,
	    max_vms = 8,
	    queue_length = 32,
	    queue_timeout = 2s,
	    request_timeout = 20s,
	    max_request_body = 10MB,
	    max_response_body = 10MB);
}

sub vcl_recv {
	if (req.method != "POST" && req.method != "PUT") {
		return (synth(405));
	}
	if (req.http.Content-Type !~ "^image/(jpeg|png)$") {
		return (synth(415));
	}

	# A VM is taken when the fetch begins. Have the upload complete before
	# that, so that slow clients do not hold one for nothing.
	if (!std.cache_req_body(10MB)) {
		return (synth(413));
	}
	return (pass);
}

sub vcl_backend_fetch {
	# Clients have no say in this
	if (bereq.url ~ "^/thumbnail") {
		set bereq.backend = webp.backend("q=60&w=320&h=320");
	} else {
		set bereq.backend = webp.backend("q=80&w=1600&h=1600");
	}
}

sub vcl_deliver {
	if (resp.status == 503 && resp.reason == "Sandbox busy") {
		set resp.http.Retry-After = "2";
	}
}
