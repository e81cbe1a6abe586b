# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# Programs in JavaScript, made by sandbox-jsc of guest-sdk/js/examples. To VCL
# they are programs like any other:
#
#	sandbox-jsc api.js -o /srv/guests/js/api
#
# Which program answers is decided here, by the path. What a handler gets to
# know of VCL is the argument of .backend(), which it sees as env.ARG, and the
# program's settings, env.JWT_KEY for example.

vcl 4.1;

import sandbox;

# What the programs fetch: an application, or files.
backend origin {
	.host = "127.0.0.1";
	.port = "8080";
}

sub vcl_init {
	new api = sandbox.program("/srv/guests/js/api", max_vms = 16);
	new page = sandbox.program("/srv/guests/js/page", max_vms = 8);
	new ab = sandbox.program("/srv/guests/js/ab", max_vms = 8);
	new front = sandbox.program("/srv/guests/js/compose",
	    max_fetches = 10, max_vms = 8);
	new members = sandbox.program("/srv/guests/js/jwt",
	    environment = "JWT_KEY=change-me", max_vms = 8);
}

sub vcl_recv {
	# Guests may fetch the fragments, and nothing else.
	if (sandbox.is_subrequest()) {
		if (req.url !~ "^/fragment/") {
			return (synth(403));
		}
		unset req.http.Cookie;
		return (hash);
	}
	# This one is ours, whatever the client says. A VMOD that knows where
	# addresses are would set it.
	unset req.http.X-Country;
	if (req.url ~ "^/ab") {
		# Of all cookies only the variant counts, so that there are two
		# objects in the cache. Who has none gets one drawn.
		if (req.http.Cookie ~ "(^|; *)variant=[ab](;|$)") {
			set req.http.Cookie = regsub(req.http.Cookie,
			    "^(.*; *)?(variant=[ab])(;.*)?$", "\2");
			return (hash);
		}
		return (pass);
	}
	if (req.url ~ "^/(members|api)/") {
		return (pass);
	}
	unset req.http.Cookie;
}

sub vcl_backend_fetch {
	if (bereq.url ~ "^/fragment/") {
		set bereq.backend = origin;
	} else if (bereq.url ~ "^/api/") {
		set bereq.backend = api.backend("for " + bereq.http.Host);
	} else if (bereq.url ~ "^/members/") {
		set bereq.backend = members.backend();
	} else if (bereq.url ~ "^/ab") {
		set bereq.backend = ab.backend();
	} else if (bereq.url ~ "^/shop") {
		set bereq.backend = page.backend();
	} else {
		set bereq.backend = front.backend();
	}
}

sub vcl_backend_response {
	# An answer that hands out a variant is for one visitor.
	if (beresp.http.Set-Cookie) {
		set beresp.uncacheable = true;
	}
	return (deliver);
}
