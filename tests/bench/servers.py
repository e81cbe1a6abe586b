# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# What is measured against: varnishd, with the VMOD or with the one that has a
# function in place of VMs, and nginx behind it.

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time

TEXT = "Hello from a sandbox.\n"

# All VMs exist from the start, and nobody is turned away.
COMMON = "queue_length = 1000, queue_timeout = 60s, request_timeout = 60s"

PROGRAMS = (
    ("hello", "guest-sdk/examples/hello", 16, ""),
    ("echo", "guest-sdk/examples/echo", 16, ", max_request_body = 2MB"),
    ("dirty", "tests/guests/dirty/dirty.guest", 16, ""),
    ("webp", "guest-sdk/examples/webp", 4,
     ", memory = 128MB, max_request_body = 4MB"),
    # for what happens when there are more connections than VMs
    ("vms1", "guest-sdk/examples/hello", 1, ""),
    ("vms2", "guest-sdk/examples/hello", 2, ""),
    ("vms8", "guest-sdk/examples/hello", 8, ""),
)

VCL = """
vcl 4.1;
import sandbox from "%(vmod)s";
backend default none;
%(backend)s
sub vcl_init {
%(init)s}
sub vcl_recv {
	if (req.url == "/synth") {
		return (synth(200));
	}
	if (req.url ~ "^/(hit|hello-cached)$") {
		return (hash);
	}
	return (pass);
}
sub vcl_synth {
	set resp.http.Content-Type = "text/plain";
	synthetic({"%(text)s"});
	return (deliver);
}
sub vcl_backend_fetch {
%(route)s}
sub vcl_backend_response {
	if (!bereq.uncacheable) {
		set beresp.ttl = 1d;
	}
	return (deliver);
}
sub vcl_backend_error {
	return (deliver);
}
"""


def vcl_sandbox(build, nginx_port):
    init = "".join("""	new %s = sandbox.program("%s/%s",
	    min_vms = %d, max_vms = %d, %s%s);
""" % (name, build, path, vms, vms, COMMON, more)
                   for name, path, vms, more in PROGRAMS)
    route = "".join("""	if (bereq.url ~ "^/%s") {
		set bereq.backend = %s.backend();
	}
""" % (name, name) for name, _, _, _ in PROGRAMS)
    route += """	if (bereq.url ~ "^/(nginx|hit)$") {
		set bereq.backend = nginx;
	}
"""
    return VCL % {
        "vmod": build + "/.libs/libvmod_sandbox.so",
        "backend": 'backend nginx { .host = "127.0.0.1"; .port = "%d"; }' %
                   nginx_port,
        "init": init, "route": route, "text": TEXT,
    }


def vcl_native(build):
    return VCL % {
        "vmod": build + "/tests/bench/.libs/libvmod_native.so",
        "backend": "",
        "init": '	new native = sandbox.program("/native");\n',
        "route": "	set bereq.backend = native.backend();\n",
        "text": TEXT,
    }


class Varnish:
    """A varnishd of our own, on a free port."""

    def __init__(self, tmp, name, vcl, vms, more=()):
        self.dir = os.path.join(tmp, name)
        self.vms = vms
        os.mkdir(self.dir)
        with open(self.dir + "/vcl", "w") as f:
            f.write(vcl)
        self.log = open(self.dir + "/log", "wb")
        self.proc = subprocess.Popen(
            ["varnishd", "-F", "-n", self.dir, "-j", "none",
             "-a", "127.0.0.1:0", "-f", self.dir + "/vcl",
             "-p", "thread_pool_min=100", "-p", "cli_timeout=120",
             *more],
            stdout=self.log, stderr=self.log)

    def adm(self, *words):
        return subprocess.run(
            ["varnishadm", "-n", self.dir, "-t", "60", *words], check=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout.decode()

    def said(self):
        with open(self.dir + "/log", errors="replace") as f:
            return f.read()[-4000:]

    def wait(self):
        """Until it runs and has all of its VMs."""
        end = time.monotonic() + 120
        while time.monotonic() < end and self.proc.poll() is None:
            try:
                if "running" in self.adm("status") and self.has_vms():
                    addr = self.adm("debug.listen_address").split()
                    self.addr = addr[1], int(addr[2])
                    self.worker = int(re.search(r"Worker: *(\d+)",
                                                self.adm("pid"))[1])
                    return
            except subprocess.CalledProcessError:
                pass
            time.sleep(.2)
        raise RuntimeError("varnishd has not started:\n%s" % self.said())

    def has_vms(self):
        idle = re.findall(r"idle: (\d+)", self.adm("backend.list", "-p"))
        return sum(map(int, idle)) >= self.vms

    def cpu(self):
        """Seconds of CPU that the worker has used, all threads."""
        return time.clock_gettime((~self.worker << 3) | 2)

    def stop(self):
        self.proc.terminate()
        try:
            self.proc.wait(60)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()
        self.log.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


NGINX = """
daemon off;
worker_processes auto;
pid %(dir)s/pid;
error_log %(dir)s/log;
events { worker_connections 1024; }
http {
	access_log off;
	keepalive_requests 1000000000;
	keepalive_timeout 600s;
	client_body_temp_path %(dir)s/body;
	proxy_temp_path %(dir)s/proxy;
	fastcgi_temp_path %(dir)s/fastcgi;
	uwsgi_temp_path %(dir)s/uwsgi;
	scgi_temp_path %(dir)s/scgi;
	server {
		listen 127.0.0.1:%(port)d;
		default_type text/plain;
		add_header Cache-Control max-age=10;
		location / {
			return 200 "%(text)s";
		}
	}
}
"""


class Nginx:

    def __init__(self, tmp):
        self.dir = os.path.join(tmp, "nginx")
        self.port = free_port()
        os.mkdir(self.dir)
        with open(self.dir + "/conf", "w") as f:
            f.write(NGINX % {"dir": self.dir, "port": self.port,
                             "text": TEXT.replace("\n", "\\n")})
        self.proc = subprocess.Popen(
            ["nginx", "-c", self.dir + "/conf", "-p", self.dir,
             "-e", self.dir + "/log"],
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)

    def wait(self):
        for _ in range(100):
            if self.proc.poll() is not None:
                break
            try:
                get(("127.0.0.1", self.port), "GET", "/", None)
                return
            except OSError:
                time.sleep(.1)
        with open(self.dir + "/log", errors="replace") as f:
            raise RuntimeError("nginx has not started:\n%s" % f.read())

    def stop(self):
        self.proc.send_signal(signal.SIGQUIT)
        try:
            self.proc.wait(10)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait()


def get(addr, method, path, body):
    """One request. Returns status and body."""
    conn = http.client.HTTPConnection(*addr, timeout=60)
    try:
        conn.request(method, path, body)
        r = conn.getresponse()
        return r.status, r.read()
    finally:
        conn.close()


class Servers:
    """All of them; for "with"."""

    def __init__(self, build, tmp):
        self.running = []
        try:
            self.nginx = self.start(Nginx(tmp))
            self.sandbox = self.start(Varnish(
                tmp, "sandbox", vcl_sandbox(build, self.nginx.port),
                sum(vms for _, _, vms, _ in PROGRAMS)))
            self.native = self.start(Varnish(
                tmp, "native", vcl_native(build), 0))
        except BaseException:
            self.__exit__()
            raise

    def start(self, server):
        self.running.append(server)
        server.wait()
        return server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in reversed(self.running):
            server.stop()


def missing():
    """Programs that are not there."""
    return [name for name in ("varnishd", "varnishadm", "nginx", "wrk")
            if shutil.which(name) is None]
