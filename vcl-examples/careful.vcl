# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What a site with users wants: if the program can not answer, try a second
# one; if that can not either, stale content is better than an error; and if
# there is none, an error page of our own, and nobody sees it twice.

vcl 4.1;

import directors;
import sandbox;

backend default none;

sub vcl_init {
	new app = sandbox.program("/srv/guests/hello",
	    min_vms = 2, max_vms = 32,
	    queue_timeout = 500ms, request_timeout = 2s);

	# The release before, say. It has a pool of its own.
	new old = sandbox.program("/srv/guests/inspect", max_vms = 4);

	new choice = directors.fallback();
	choice.add_backend(app.backend());
	choice.add_backend(old.backend());
}

sub vcl_recv {
	set req.backend_hint = choice.backend();
}

sub vcl_backend_fetch {
	# Not the one that has just failed
	if (bereq.retries == 1) {
		set bereq.backend = old.backend();
	}
}

sub vcl_backend_response {
	set beresp.grace = 1h;

	# Do not let an error take the place of something good
	if (beresp.status >= 500 && bereq.is_bgfetch) {
		return (abandon);
	}
}

sub vcl_backend_error {
	# A crash or a timeout is worth a second try, a full queue is not
	if (beresp.reason == "Sandbox failed" && bereq.retries == 0) {
		return (retry);
	}
	if (bereq.is_bgfetch) {
		return (abandon);
	}
	set beresp.http.Content-Type = "text/html; charset=utf-8";
	set beresp.http.Retry-After = "5";
	set beresp.body = {"<!DOCTYPE html>
<title>Just a moment</title>
<p>This page is not available right now. Please try again.</p>
"};
	return (deliver);
}
