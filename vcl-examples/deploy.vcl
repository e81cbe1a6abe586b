# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# A program whose new versions get into service without a failed request, and
# without a new VCL. On this machine:
#
#	cp app.new /srv/guests/hello.tmp
#	mv /srv/guests/hello.tmp /srv/guests/hello
#	curl -X POST http://localhost:6081/-/app	202: it is on its way
#	curl -f http://localhost:6081/-/app		202: not yet; 200: it
#							serves; 500: it does
#							not, and why
#
# Move a file into place, never write to one that is there: it may be read just
# then. To go back do the same with the old file.

vcl 4.1;

import sandbox;

backend default none;

# Not for the world. An address is not much of a proof; a site that has
# something better should ask for that.
acl deployers {
	"localhost";
}

sub vcl_init {
	# /health is what the program has to answer before it gets requests
	new app = sandbox.program("/srv/guests/hello",
	    min_vms = 2, max_vms = 32,
	    boot_timeout = 20s, probe_url = "/health");
}

sub vcl_recv {
	if (req.url == "/-/app") {
		call deploy;
	}
	set req.backend_hint = app.backend();
}

sub deploy {
	# A guest that fetches has the address of its client, but is not it
	if (client.ip !~ deployers || sandbox.is_subrequest()) {
		return (synth(404));
	}
	if (req.method == "POST") {
		if (!app.reload()) {
			return (synth(503));
		}
		return (synth(202));
	}
	if (req.method != "GET" && req.method != "HEAD") {
		return (synth(405));
	}
	if (app.reloading()) {
		return (synth(202));
	}
	if (app.reload_error() != "") {
		return (synth(500));
	}
	return (synth(200));
}

sub vcl_synth {
	if (req.url == "/-/app" && resp.status != 404) {
		set resp.http.Content-Type = "text/plain; charset=utf-8";
		set resp.http.Cache-Control = "no-store";
		set resp.body = "generation " + app.generation() + {" serves
"} + app.reload_error() + {"
"};
		return (deliver);
	}
}
