/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * os.c: the table of the host's system calls.
 */

#include "config.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"

static int
os_open(const char *path, int flags)
{

	return (open(path, flags));
}

static int
os_ioctl(int fd, unsigned long nr, void *arg)
{

	return (ioctl(fd, nr, arg));
}

static int
os_fcntl(int fd, int cmd, int arg)
{

	return (fcntl(fd, cmd, arg));
}

/* glibc has no wrapper for this one */
static int
os_openat2(int dirfd, const char *path, const struct open_how *how)
{

	return ((int)syscall(SYS_openat2, dirfd, path, how, sizeof *how));
}

#define OS_TABLE {							\
	.open = os_open,						\
	.close = close,							\
	.ioctl = os_ioctl,						\
	.memfd_create = memfd_create,					\
	.ftruncate = ftruncate,						\
	.lseek = lseek,							\
	.fallocate = fallocate,						\
	.fcntl = os_fcntl,						\
	.fstat = fstat,							\
	.fstatfs = fstatfs,						\
	.openat2 = os_openat2,						\
	.readlinkat = readlinkat,					\
	.getdents64 = getdents64,					\
	.pread = pread,							\
	.pwrite = pwrite,						\
	.unlinkat = unlinkat,						\
	.mmap = mmap,							\
	.munmap = munmap,						\
	.madvise = madvise,						\
	.getrandom = getrandom,						\
	.pthread_create = pthread_create,				\
	.calloc = calloc,						\
	.malloc = malloc,						\
}

const struct sbx_os sbx_os_real = OS_TABLE;
struct sbx_os sbx_os = OS_TABLE;

void
SBX_Os_CloseFd(int *fdp)
{

	AN(fdp);
	assert(*fdp >= 0);
	/* Linux has released the descriptor whatever close() returns */
	(void)sbx_os.close(*fdp);
	*fdp = -1;
}

char *
SBX_Os_Strdup(const char *s)
{
	size_t l;
	char *d;

	AN(s);
	l = strlen(s) + 1;
	d = sbx_os.calloc(1, l);
	if (d != NULL)
		memcpy(d, s, l);
	return (d);
}

static int64_t
os_clock(clockid_t clk)
{
	struct timespec ts;

	AZ(clock_gettime(clk, &ts));
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

int64_t
SBX_Os_Mono(void)
{

	return (os_clock(CLOCK_MONOTONIC));
}

int64_t
SBX_Os_Cpu(void)
{

	return (os_clock(CLOCK_THREAD_CPUTIME_ID));
}

int64_t
SBX_Os_Wall(void)
{

	return (os_clock(CLOCK_REALTIME));
}
