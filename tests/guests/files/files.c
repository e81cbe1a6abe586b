/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Looks into /etc, which it may read, into /proc and /tmp, and leaves things in
 * /tmp; in main() and in each request, which finds what main() has left and
 * nothing else. Says what is not as it should be. With /few it asks about some
 * names only.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../guest.h"

/* Links are asked about until there were so many. */
static int asked_max;

/* Names in a directory, and links among them that can be read. */
static int
list(const char *path, int *links)
{
	char name[PATH_MAX], to[PATH_MAX];
	struct dirent *de;
	int n = 0;
	DIR *d;

	*links = 0;
	d = opendir(path);
	if (d == NULL)
		return (-errno);
	while ((de = readdir(d)) != NULL) {
		n++;
		(void)snprintf(name, sizeof name, "%s/%s", path, de->d_name);
		if (n <= asked_max)
			*links += readlink(name, to, sizeof to) > 0;
	}
	(void)closedir(d);
	return (n);
}

static long
size(const char *path)
{
	struct stat st;

	return (stat(path, &st) ? -errno : (long)st.st_size);
}

/* Bytes of a file, counted by reading them. */
static long
length(const char *path)
{
	long n = 0;
	FILE *f;

	f = fopen(path, "r");
	if (f == NULL)
		return (-errno);
	while (getc(f) != EOF)
		n++;
	(void)fclose(f);
	return (n);
}

static int
leave(const char *path, int lines)
{
	FILE *f;
	int i;

	f = fopen(path, "w");
	if (f == NULL)
		return (-errno);
	for (i = 0; i < lines; i++)
		(void)fprintf(f, "%07d\n", i);
	return (fclose(f) ? -errno : 0);
}

static void
answer(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	int n, links;

	asked_max = sandbox_path_is(rq, "/few") ? 10 : INT_MAX;
	n = list("/etc", &links);
	sandbox_printf(rp, "etc %s, links %s\n", n > 5 ? "listed" : "empty",
	    links > 0 ? "read" : "none");
	sandbox_printf(rp, "passwd %ld\n",
	    length("/etc/passwd") - size("/etc/passwd"));
	sandbox_printf(rp, "maps %s\n",
	    length("/proc/self/maps") > 100 ? "told" : "none");
	sandbox_printf(rp, "tmp %d, boot %ld\n", list("/tmp", &links),
	    length("/tmp/boot"));
	/* large enough to move, small enough to fit */
	sandbox_printf(rp, "leave %d", leave("/tmp/one", 50000));
	sandbox_printf(rp, " %d", leave("/tmp/boot", 3));
	sandbox_printf(rp, " %d", rename("/tmp/one", "/tmp/two") ? -errno : 0);
	sandbox_printf(rp, " %ld %ld\n", size("/tmp/two"), size("/tmp/boot"));
	sandbox_printf(rp, "mkdir %d", mkdir("/tmp/dir", 0700) ? -errno : 0);
	sandbox_printf(rp, ", there %d\n", list("/tmp", &links));
}

int
main(void)
{

	if (leave("/tmp/boot", 1000))
		return (1);
	return (guest_serve(answer));
}
