/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What programs look for at certain places: themselves, their memory, the CPU,
 * the time zone, devices, the working directory, standard streams. With many
 * segments, far from each other, if it was linked so. What differs from machine
 * to machine is not part of the answer, but whether it is right.
 */

#define _GNU_SOURCE	1

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sandbox.h>

/* Each a segment of its own, with -Wl,--section-start */
#define PIECE(n)							\
	static volatile int piece##n					\
	    __attribute__((__section__(".piece" #n), __used__)) = 100 + n
PIECE(1);
PIECE(2);
PIECE(3);
PIECE(4);
PIECE(5);
PIECE(6);
PIECE(7);
PIECE(8);

static void
pieces(struct sandbox_reply *rp)
{
	volatile int * const all[] = { &piece1, &piece2, &piece3, &piece4,
	    &piece5, &piece6, &piece7, &piece8 };
	size_t u;

	for (u = 0; u < sizeof all / sizeof *all; u++)
		sandbox_printf(rp, "%d ", (*all[u])++);
	sandbox_printf(rp, "pieces\n");
}

static void
self(struct sandbox_reply *rp, const char *argv0)
{
	char path[PATH_MAX], real[PATH_MAX], magic[5] = "";
	struct stat a, b;
	ssize_t l;
	int fd;

	l = readlink("/proc/self/exe", path, sizeof path - 1);
	path[l < 0 ? 0 : l] = '\0';
	if (realpath(argv0, real) == NULL)
		snprintf(real, sizeof real, "%s", argv0);
	fd = open("/proc/self/exe", O_RDONLY);
	sandbox_printf(rp, "exe %s, %zd read: %s", strcmp(path, real) ?
	    "another" : "itself", read(fd, magic, 4), magic + 1);
	sandbox_printf(rp, ", size %s\n", fstat(fd, &a) || stat(path, &b) ||
	    a.st_size != b.st_size ? "not the same" : "the same");
	close(fd);
}

/* Is (p) in a line of the map that has these rights, and ends so? */
static int
mapped(const void *p, const char *rights, const char *name)
{
	unsigned long lo, hi;
	char line[PATH_MAX + 100], is[5];
	size_t l = strlen(name);
	int found = 0;
	FILE *f;

	f = fopen("/proc/self/maps", "r");
	if (f == NULL)
		return (-errno);
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%lx-%lx %4s", &lo, &hi, is) == 3 &&
		    (unsigned long)p >= lo && (unsigned long)p < hi)
			found = !strcmp(is, rights) && strlen(line) >= l &&
			    !strcmp(line + strlen(line) - l, name);
	}
	fclose(f);
	return (found);
}

static void
maps(struct sandbox_reply *rp, const char *path)
{
	void *heap = malloc(100);
	int local;

	sandbox_printf(rp, "maps: code %d, data %d, stack %d, heap %d\n",
	    mapped((const void *)(size_t)maps, "r-xp", path),
	    mapped((const void *)(size_t)&piece1, "rw-p", ""),
	    mapped(&local, "rw-p", "[stack]"), mapped(heap, "rw-p", "[heap]"));
	free(heap);
}

static void
cpu(struct sandbox_reply *rp)
{
	char line[8192];
	int first = 0, flags = 0, sse = 0;
	FILE *f;

	f = fopen("/proc/cpuinfo", "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		first += !strcmp(line, "processor\t: 0\n");
		if (strncmp(line, "flags", 5))
			continue;
		flags = 1;
		sse = strstr(line, " sse2 ") != NULL &&
		    strstr(line, " fpu ") != NULL;
	}
	if (f != NULL)
		fclose(f);
	sandbox_printf(rp, "cpuinfo: first %d, flags %d, sse2 %d, CPUs %d\n",
	    first, flags, sse, sysconf(_SC_NPROCESSORS_ONLN) > 0);
}

static void
zone(struct sandbox_reply *rp, const char *name)
{
	const time_t t[] = { 0, 1720000000, 1735000000 };
	struct tm tm;
	char buf[100];
	size_t u;

	if (name != NULL)
		setenv("TZ", name, 1);
	tzset();
	for (u = 0; u < sizeof t / sizeof *t; u++) {
		strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S %Z",
		    localtime_r(&t[u], &tm));
		sandbox_printf(rp, "%s, offset %ld\n", buf, tm.tm_gmtoff);
	}
}

static void
devices(struct sandbox_reply *rp)
{
	unsigned char a[64], b[64], zero[64] = { 0 };
	struct stat st;
	ssize_t i, j;
	int fd;

	fd = open("/dev/urandom", O_RDONLY);
	i = read(fd, a, 64);
	j = read(fd, b, 64);
	sandbox_printf(rp, "urandom %zd %zd, %s", i, j, memcmp(a, b, 64) &&
	    memcmp(a, zero, 64) ? "random" : "not random");
	close(fd);
	fd = open("/dev/null", O_RDWR);
	i = write(fd, a, 64);
	j = read(fd, b, 64);
	sandbox_printf(rp, "; null %zd %zd, %s", i, j, !fstat(fd, &st) &&
	    S_ISCHR(st.st_mode) ? "a device" : "no device");
	close(fd);
	fd = open("/dev/zero", O_RDONLY);
	i = read(fd, a, 64);
	sandbox_printf(rp, "; zero %zd, %s\n", i, memcmp(a, zero, 64) ?
	    "not zero" : "zero");
	close(fd);
}

static void
directory(struct sandbox_reply *rp)
{
	char path[PATH_MAX];
	int i;

	(void)mkdir("/tmp/sandbox-places", 0700);
	i = chdir("/tmp/sandbox-places");
	sandbox_printf(rp, "chdir %d %s", i, getcwd(path, sizeof path));
	i = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
	sandbox_printf(rp, ", written %zd", write(i, "abc", 3));
	close(i);
	sandbox_printf(rp, ", found %d", access("/tmp/sandbox-places/file",
	    R_OK));
	i = unlink("../sandbox-places/file");
	sandbox_printf(rp, ", removed %d %d", i,
	    rmdir("/tmp/sandbox-places"));
	sandbox_printf(rp, ", back %d\n", chdir("/"));
}

static void
handler(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	char path[PATH_MAX];

	(void)rq;
	pieces(rp);
	self(rp, priv);
	if (realpath(priv, path) == NULL)
		snprintf(path, sizeof path, "%s", (const char *)priv);
	maps(rp, path);
	cpu(rp);
	zone(rp, NULL);
	zone(rp, ":Europe/Berlin");
	devices(rp);
	directory(rp);
	sandbox_printf(rp, "input %d, error %d\n", getchar(),
	    fprintf(stderr, "a line\n"));
}

int
main(int argc, char **argv)
{

	(void)argc;
	return (sandbox_serve(handler, argv[0]));
}
