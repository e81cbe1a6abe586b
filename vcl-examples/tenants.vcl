# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# One program for many tenants, told apart by the argument of .backend(), and
# a program of their own for those that want one. No request sees what another
# one did, whoever the tenant is; separate programs also have separate pools,
# so that one's traffic does not make the other's wait.

vcl 4.1;

import sandbox;

backend default none;

sub vcl_init {
	new shared = sandbox.program("/srv/guests/inspect",
	    max_vms = 16);
	new acme = sandbox.program("/srv/guests/inspect",
	    environment = "TENANT=acme",
	    memory = 256MB, max_vms = 64);
}

sub vcl_recv {
	# The argument is made of the host's name: take only what you know.
	if (req.http.Host ~ "(?i)^[a-z0-9-]+\.example\.com$") {
		set req.http.Tenant = regsub(req.http.Host.lower(), "\..*", "");
	} else {
		return (synth(404));
	}
}

sub vcl_backend_fetch {
	if (bereq.http.Tenant == "acme") {
		set bereq.backend = acme.backend();
	} else {
		set bereq.backend = shared.backend(bereq.http.Tenant);
	}
}

sub vcl_backend_response {
	# Who was it?
	set beresp.http.Served-By = beresp.backend.name;
}
