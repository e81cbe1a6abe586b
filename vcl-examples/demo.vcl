# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# All example programs under one roof.
#
#	/		hello
#	/echo		sends back what it gets
#	/inspect	shows what a program knows about a request
#	/webp		POST a JPEG or PNG, get a WebP
#	/page		the first three of them on one page, which fetches them
#	/stats/NAME	counters, for the machine itself only

vcl 4.1;

import sandbox;

backend default none;

acl local {
	"127.0.0.0"/8;
	"::1";
}

sub vcl_init {
	new hello = sandbox.program("/srv/guests/hello");
	new echo = sandbox.program("/srv/guests/echo");
	new inspect = sandbox.program("/srv/guests/inspect",
	    arguments = "--an 'example argument'",
	    environment = "GREETING='Hello there'");

	# It may fetch, and what is said in vcl_recv.
	new compose = sandbox.program("/srv/guests/compose",
	    max_fetches = 16);

	# Images are large, and decoding them takes memory and time.
	new webp = sandbox.program("/srv/guests/webp",
	    memory = 128MB,
	    max_request_body = 10MB,
	    request_timeout = 20s);
}

sub vcl_recv {
	if (req.url ~ "^/stats/") {
		if (client.ip !~ local) {
			return (synth(403));
		}
		return (synth(700));
	}
	if (req.url ~ "^/webp") {
		if (req.method != "POST") {
			return (synth(405));
		}
		return (pass);
	}
	if (req.url ~ "^/page") {
		# Guests may fetch, but not this, or it would go on for ever:
		# not quite, as there is max_fetch_depth
		if (sandbox.is_subrequest()) {
			return (synth(403));
		}
		return (pass);
	}
	if (req.url ~ "^/(echo|inspect)") {
		return (pass);
	}
}

sub vcl_backend_fetch {
	if (bereq.url ~ "^/echo") {
		set bereq.backend = echo.backend();
	} else if (bereq.url ~ "^/inspect") {
		set bereq.backend = inspect.backend("from demo.vcl");
	} else if (bereq.url ~ "^/page") {
		set bereq.backend = compose.backend("/ /echo /inspect");
	} else if (bereq.url ~ "^/webp") {
		set bereq.backend = webp.backend();
	} else {
		set bereq.backend = hello.backend();
	}
}

sub vcl_synth {
	if (resp.status == 700) {
		set resp.status = 200;
		set resp.http.Content-Type = "application/json";
		if (req.url == "/stats/hello") {
			set resp.body = hello.stats() + {"
"};
		} else if (req.url == "/stats/echo") {
			set resp.body = echo.stats() + {"
"};
		} else if (req.url == "/stats/inspect") {
			set resp.body = inspect.stats() + {"
"};
		} else if (req.url == "/stats/compose") {
			set resp.body = compose.stats() + {"
"};
		} else if (req.url == "/stats/webp") {
			set resp.body = webp.stats() + {"
"};
		} else {
			set resp.status = 404;
			set resp.body = "{}";
		}
		return (deliver);
	}
}
