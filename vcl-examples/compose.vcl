# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Pages of fragments. A program puts them together for each request, the
# fragments are in the cache, each for as long as it is good.

vcl 4.1;

import sandbox;

# Who makes the fragments. It could be a program, too.
backend origin {
	.host = "127.0.0.1";
	.port = "8080";
}

sub vcl_init {
	# A page has few fragments, and small ones. What is more than that is
	# a mistake, and ends as one.
	new page = sandbox.program("/srv/guests/compose",
	    max_fetches = 16,
	    max_fetch_bytes = 2MB);
}

sub vcl_recv {
	if (sandbox.is_subrequest()) {
		# This is a guest that asks. Here is said what it may have.
		if (req.url !~ "^/fragment/") {
			return (synth(403));
		}
		unset req.http.Cookie;
		return (hash);
	}
	if (req.url ~ "^/fragment/") {
		# Fragments are no pages. No client can pretend to be a guest.
		return (synth(404));
	}
	return (pass);
}

sub vcl_backend_fetch {
	if (bereq.url ~ "^/fragment/") {
		set bereq.backend = origin;
	} else if (bereq.url ~ "^/news") {
		set bereq.backend = page.backend(
		    "/fragment/head /fragment/news /fragment/foot");
	} else {
		set bereq.backend = page.backend(
		    "/fragment/head /fragment/home /fragment/foot");
	}
}

sub vcl_backend_response {
	if (bereq.url ~ "^/fragment/(head|foot)") {
		set beresp.ttl = 1h;
	} else if (bereq.url ~ "^/fragment/") {
		set beresp.ttl = 10s;
		set beresp.grace = 1m;
	}
}
