/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * socket.c: what fetching would cost through a socket: GET over connections
 * that stay open, with as little as possible around it.
 *
 *	socket ADDRESS PATH CONNECTIONS ROUNDS
 *
 * ADDRESS is a port of 127.0.0.1 or the path of a Unix socket. In each round
 * there is one request on each connection, all sent before the first answer is
 * read. Prints the nanoseconds of each round in a line of their own.
 */

#include "config.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNS	64
#define MAX_ANSWER	65536

static void
fatal(const char *what)
{

	perror(what);
	exit(1);
}

static long
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000000000L + ts.tv_nsec);
}

static int
open_tcp(const char *port)
{
	struct sockaddr_in sin;
	int fd, one = 1;

	memset(&sin, 0, sizeof sin);
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)atoi(port));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sin, sizeof sin))
		fatal("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return (fd);
}

static int
open_unix(const char *path)
{
	struct sockaddr_un sun;
	int fd;

	memset(&sun, 0, sizeof sun);
	sun.sun_family = AF_UNIX;
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sun, sizeof sun))
		fatal("connect");
	return (fd);
}

/* Read one answer, whose length is in its headers. */
static void
get_answer(int fd)
{
	static char buf[MAX_ANSWER + 1];
	size_t have = 0, want = 0;
	const char *p;
	ssize_t l;

	while (want == 0 || have < want) {
		l = read(fd, buf + have, MAX_ANSWER - have);
		if (l <= 0)
			fatal("read");
		have += (size_t)l;
		buf[have] = '\0';
		p = strstr(buf, "\r\n\r\n");
		if (want != 0 || p == NULL)
			continue;
		if (strncmp(buf, "HTTP/1.1 200 ", 13))
			fatal("not 200");
		want = (size_t)(p + 4 - buf);
		p = strcasestr(buf, "\r\ncontent-length:");
		if (p == NULL)
			fatal("no Content-Length");
		want += strtoul(p + 17, NULL, 10);
	}
}

int
main(int argc, char **argv)
{
	char req[512];
	int fd[MAX_CONNS], i, n, l;
	long rounds, t;

	if (argc != 5 || (n = atoi(argv[3])) < 1 || n > MAX_CONNS) {
		(void)fprintf(stderr,
		    "usage: socket ADDRESS PATH CONNECTIONS ROUNDS\n");
		return (2);
	}
	for (i = 0; i < n; i++)
		fd[i] = argv[1][0] == '/' ? open_unix(argv[1]) :
		    open_tcp(argv[1]);
	l = snprintf(req, sizeof req, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
	    argv[2]);
	for (rounds = atol(argv[4]); rounds > 0; rounds--) {
		t = now();
		for (i = 0; i < n; i++)
			if (write(fd[i], req, (size_t)l) != l)
				fatal("write");
		for (i = 0; i < n; i++)
			get_answer(fd[i]);
		(void)printf("%ld\n", now() - t);
	}
	return (0);
}
