/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Makes code and runs it, as a just-in-time compiler does: in main() and in
 * each request. What a call says if it may not is in the answer.
 *
 *	/		writes code, then makes it code (W^X), twice in one place
 *	/rwx		to a page that can be both at once
 *	/file		maps its own file for execution, and what it has made
 *			itself in /tmp; and the file in a reservation, where
 *			pages have a second address
 *	/stale		runs code where an earlier request may have made some
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../guest.h"

#define RW		(PROT_READ | PROT_WRITE)
#define RX		(PROT_READ | PROT_EXEC)

static unsigned char *page;
static int at_boot;

typedef int code_f(void);

static int
run(const void *p)
{
	code_f *f;

	memcpy(&f, &p, sizeof f);
	return (f());
}

/* mov $n, %eax; ret */
static void
code(unsigned char *p, int n)
{

	p[0] = 0xb8;
	memcpy(p + 1, &n, sizeof n);
	p[5] = 0xc3;
}

/* The number that the code has returned, or a negative errno. */
static int
make(unsigned char *p, int n)
{

	if (mprotect(p, GUEST_PAGE, RW))
		return (-errno);
	code(p, n);
	if (mprotect(p, GUEST_PAGE, RX))
		return (-errno);
	return (run(p));
}

static int
both(void)
{
	unsigned char *p;

	p = mmap(NULL, GUEST_PAGE, RW | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return (-errno);
	code(p, 1);
	if (run(p) != 1)
		return (-1);
	code(p, 2);
	return (run(p));
}

/* A file as code, anywhere or at (at): 1, or a negative errno. */
static int
file(const char *path, void *at)
{
	void *p;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0)
		return (-errno);
	p = mmap(at, GUEST_PAGE, RX, MAP_PRIVATE | (at != NULL ? MAP_FIXED :
	    0), fd, 0);
	return (p == MAP_FAILED ? -errno : 1);
}

static void
answer(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	unsigned char b[6];
	int fd;

	if (sandbox_path_is(rq, "/rwx")) {
		sandbox_printf(rp, "rwx %d\n", both());
	} else if (sandbox_path_is(rq, "/file")) {
		fd = open("/tmp/code", O_RDWR | O_CREAT, 0700);
		code(b, 3);
		(void)!write(fd, b, sizeof b);
		sandbox_printf(rp, "own %d, made %d, reserved %d\n",
		    file("/proc/self/exe", NULL), file("/tmp/code", NULL),
		    file("/proc/self/exe", mmap(NULL, (size_t)1 << 30,
		    PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
	} else if (sandbox_path_is(rq, "/stale")) {
		sandbox_printf(rp, "stale %d\n", run(page + GUEST_PAGE));
	} else {
		sandbox_printf(rp, "boot %d, request %d %d\n", at_boot,
		    make(page + GUEST_PAGE, 42), make(page + GUEST_PAGE, 43));
	}
}

int
main(void)
{

	page = mmap(NULL, 2 * GUEST_PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
	if (page == MAP_FAILED)
		return (1);
	at_boot = make(page, 41);
	return (guest_serve(answer));
}
