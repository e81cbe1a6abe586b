# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Photos of a web server, converted to WebP on their way for those who take
# it, and shrunk to the width that the page asks for. The original is in the
# cache once, and so is each version that somebody has asked for.

vcl 4.1;

import sandbox;

backend photos {
	.host = "127.0.0.1";
	.port = "8080";
}

sub vcl_init {
	new webp = sandbox.program("/srv/guests/webp",
	    memory = 128MB,
	    max_vms = 8,
	    request_timeout = 20s,
	    max_fetches = 1,
	    max_fetch_bytes = 16MB);
}

sub vcl_recv {
	if (req.method != "GET" && req.method != "HEAD") {
		return (synth(405));
	}
	set req.backend_hint = photos;
	unset req.http.Cookie;
	unset req.http.X-WebP;
	if (sandbox.is_subrequest()) {
		# The program wants the original
		return (hash);
	}
	if (req.url ~ "^[^?]*\.(jpe?g|png)(\?|$)" &&
	    req.http.Accept ~ "image/webp") {
		set req.http.X-WebP = "yes";
		set req.http.Accept = "image/webp";
		set req.backend_hint = webp.backend("q=80");
		# Of the query only this matters. Three widths are enough, or
		# somebody asks for all that there can be.
		if (req.url ~ "[?&]w=(320|640|1280)(&|$)") {
			set req.url = regsub(req.url,
			    "\?(?:.*&)?w=(320|640|1280)(?:&.*)?$", "?w=\1");
			return (hash);
		}
	}
	set req.url = regsub(req.url, "\?.*", "");
	return (hash);
}

sub vcl_hash {
	# The original and what is made of it may have the same URL, but must
	# not be the same object: the program would wait for itself, which
	# ends at once, with ELOOP.
	if (req.http.X-WebP) {
		hash_data("webp");
	}
}

sub vcl_deliver {
	# What is right for us is not right for a cache behind us
	if (req.url ~ "\.(jpe?g|png)") {
		set resp.http.Vary = "Accept";
	}
}
