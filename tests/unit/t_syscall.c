/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * System calls, without a CPU: what they answer, and that nothing a guest
 * passes does any harm.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "vdef.h"
#include "vas.h"

#include "linux/syscall.h"
#include "test.h"
#include "world.h"

static struct world w;
static char dir[] = "/tmp/t_syscall.XXXXXX";

static int64_t
call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
    uint64_t f)
{
	uint64_t args[6] = { a, b, c, d, e, f };

	return (SBX_Syscall(&w.proc, nr, args));
}

#define CALL0(nr)		call(SYS_##nr, 0, 0, 0, 0, 0, 0)
#define CALL1(nr, a)		call(SYS_##nr, (uint64_t)(a), 0, 0, 0, 0, 0)
#define CALL2(nr, a, b)							\
	call(SYS_##nr, (uint64_t)(a), (uint64_t)(b), 0, 0, 0, 0)
#define CALL3(nr, a, b, c)						\
	call(SYS_##nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0, 0, 0)
#define CALL4(nr, a, b, c, d)						\
	call(SYS_##nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c),	\
	    (uint64_t)(d), 0, 0)
#define CALL6(nr, a, b, c, d, e, f)					\
	call(SYS_##nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c),	\
	    (uint64_t)(d), (uint64_t)(e), (uint64_t)(f))

#define BUF			WORLD_STACK
#define ANON			(MAP_PRIVATE | MAP_ANONYMOUS)

static uint64_t
path(const char *p)
{

	World_Put(&w, BUF + 0x8000, p, strlen(p) + 1);
	return (BUF + 0x8000);
}

static void
brk_calls(void)
{
	const uint64_t lo = WORLD_ARENA;
	char c;

	World_New(&w, NULL);
	CHECK_EQ(CALL1(brk, 0), lo);
	CHECK_EQ(CALL1(brk, lo + 0x3001), lo + 0x3001);
	World_Put(&w, lo + 0x3000, "x", 1);
	CHECK_EQ(CALL1(brk, lo + 0x1000), lo + 0x1000);
	CHECK_EQ(CALL1(brk, lo + 0x3001), lo + 0x3001);
	World_Get(&w, lo + 0x3000, &c, 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(CALL1(brk, lo + WORLD_ARENA_LEN + 1), lo + 0x3001);
	CHECK_EQ(CALL1(brk, UINT64_MAX), lo + 0x3001);
	CHECK_EQ(CALL1(brk, lo - 1), lo + 0x3001);
	CHECK_EQ(CALL1(brk, lo + WORLD_ARENA_LEN), lo + WORLD_ARENA_LEN);
	CHECK_EQ(CALL6(mmap, 0, 4096, 3, ANON, -1, 0), -ENOMEM);
	World_Fini(&w);
}

static void
mmap_calls(void)
{
	int64_t a, b;
	char c;

	World_New(&w, NULL);
	a = CALL6(mmap, 0, 5000, PROT_READ | PROT_WRITE, ANON, -1, 0);
	CHECK_EQ(a, WORLD_ARENA + WORLD_ARENA_LEN - 8192);
	World_Put(&w, (uint64_t)a + 8191, "x", 1);
	CHECK_EQ(CALL2(munmap, a, 8192), 0);
	b = CALL6(mmap, 0, 4096, PROT_READ | PROT_WRITE, ANON, -1, 0);
	CHECK_EQ(b, a + 4096);
	World_Get(&w, (uint64_t)a + 8191, &c, 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(CALL6(mmap, b, 4096, 3, ANON | MAP_FIXED_NOREPLACE, -1, 0),
	    -EEXIST);
	World_Put(&w, (uint64_t)b, "x", 1);
	CHECK_EQ(CALL6(mmap, b, 4096, 3, ANON | MAP_FIXED, -1, 0), b);
	World_Get(&w, (uint64_t)b, &c, 1);
	CHECK_EQ(c, 0);
	/* what must not work */
	CHECK_EQ(CALL6(mmap, 0, 0, 3, ANON, -1, 0), -EINVAL);
	CHECK_EQ(CALL6(mmap, 0, UINT64_MAX, 3, ANON, -1, 0), -ENOMEM);
	CHECK_EQ(CALL6(mmap, 0, UINT64_MAX - 4095, 3, ANON, -1, 0), -ENOMEM);
	CHECK_EQ(CALL6(mmap, 0, WORLD_ARENA_LEN, 3, ANON, -1, 0), -ENOMEM);
	CHECK_EQ(CALL6(mmap, 0, 4096, 7, ANON, -1, 0), -EACCES);
	CHECK_EQ(CALL6(mmap, 0, 4096, 3, MAP_PRIVATE, 9, 0), -EBADF);
	CHECK_EQ(CALL6(mmap, 0, 4096, 3, MAP_PRIVATE, 1, 0), -ENODEV);
	CHECK_EQ(CALL6(mmap, 0, 4096, 3, MAP_ANONYMOUS, -1, 0), -EINVAL);
	CHECK_EQ(CALL6(mmap, WORLD_STACK, 4096, 3, ANON | MAP_FIXED, -1, 0),
	    -ENOMEM);
	CHECK_EQ(CALL6(mmap, UINT64_MAX - 4095, 4096, 3, ANON | MAP_FIXED,
	    -1, 0), -ENOMEM);
	CHECK_EQ(CALL6(mmap, b + 1, 4096, 3, ANON | MAP_FIXED, -1, 0),
	    -EINVAL);
	CHECK_EQ(CALL2(munmap, b + 1, 4096), -EINVAL);
	CHECK_EQ(CALL2(munmap, b, UINT64_MAX), -EINVAL);
	CHECK_EQ(CALL2(munmap, 0, 4096), -EINVAL);
	CHECK_EQ(CALL3(mprotect, SBX_SYS_SYSCALL, 4096, 3), -ENOMEM);
	CHECK_EQ(CALL3(mprotect, WORLD_KERNEL, 4096, 3), -ENOMEM);
	CHECK_EQ(CALL3(mprotect, SBX_GVA_TABLES, 4096, 3), -ENOMEM);
	CHECK_EQ(CALL3(mprotect, b, 4096, PROT_READ | PROT_EXEC), -EACCES);
	CHECK_EQ(CALL3(mprotect, b, UINT64_MAX, PROT_READ), -ENOMEM);
	World_Fini(&w);
}

static void
mremap_calls(void)
{
	int64_t a, b;
	unsigned u, n;
	char c;

	World_New(&w, NULL);
	a = CALL6(mmap, 0, 8192, 3, ANON, -1, 0);
	World_Put(&w, (uint64_t)a + 8191, "x", 1);
	CHECK_EQ(CALL4(mremap, a, 8192, 16384, 0), -ENOMEM);
	b = CALL4(mremap, a, 8192, 16384, MREMAP_MAYMOVE);
	CHECK_EQ(b, a - 16384);
	World_Get(&w, (uint64_t)b + 8191, &c, 1);
	CHECK_EQ(c, 'x');
	CHECK_EQ(CALL4(mremap, b, 16384, 4096, 0), b);
	CHECK_EQ(CALL4(mremap, b, 4096, 12288, 0), b);
	World_Get(&w, (uint64_t)b + 8191, &c, 1);
	CHECK_EQ(c, 0);
	CHECK_EQ(CALL4(mremap, b, 4096, UINT64_MAX, 1), -ENOMEM);
	CHECK_EQ(CALL4(mremap, b, 4096, 0, 1), -EINVAL);
	CHECK_EQ(CALL4(mremap, 0, 4096, 8192, 1), -EINVAL);
	CHECK_EQ(CALL3(madvise, b, 4096, MADV_DONTNEED), 0);
	CHECK_EQ(CALL3(madvise, 0, 4096, MADV_DONTNEED), -EINVAL);
	CHECK_EQ(CALL3(madvise, b, UINT64_MAX, MADV_DONTNEED), -EINVAL);
	CHECK_EQ(CALL3(madvise, b, UINT64_MAX - 8192, MADV_DONTNEED), -ENOMEM);
	World_Put(&w, (uint64_t)b, "x", 1);
	memset(w.m.gmem.touched, 0, WORLD_SIZE / SBX_PAGE / 8);
	CHECK_EQ(CALL3(madvise, WORLD_ARENA, WORLD_ARENA_LEN, MADV_DONTNEED),
	    0);
	World_Get(&w, (uint64_t)b, &c, 1);
	CHECK_EQ(c, 0);
	/* what is zero anyway has not been written to: that page has, and the
	 * one that mremap has left */
	for (u = n = 0; u < WORLD_SIZE / SBX_PAGE / 64; u++)
		n += (unsigned)__builtin_popcountll(w.m.gmem.touched[u]);
	CHECK_EQ(n, 2);
	World_Fini(&w);
}

static void
make_file(const char *name, const char *text)
{
	char p[4096];
	FILE *f;

	(void)snprintf(p, sizeof p, "%s/%s", dir, name);
	f = fopen(p, "w");
	AN(f);
	fputs(text, f);
	AZ(fclose(f));
}

static int64_t
open_in(const char *name, int flags)
{
	char p[4096];

	(void)snprintf(p, sizeof p, "%s/%s", dir, name);
	return (CALL3(open, path(p), flags, 0));
}

static void
file_tree(void)
{
	char p[4096], q[4096];

	AN(mkdtemp(dir));
	(void)snprintf(p, sizeof p, "%s/in", dir);
	AZ(mkdir(p, 0755));
	(void)snprintf(p, sizeof p, "%s/in/sub", dir);
	AZ(mkdir(p, 0755));
	make_file("in/a", "0123456789");
	make_file("in/sub/b", "bbb");
	make_file("secret", "secret");
	make_file("single", "single");
	make_file("single2", "not this one");
	(void)snprintf(p, sizeof p, "%s/in/link", dir);
	AZ(symlink("../secret", p));
	(void)snprintf(p, sizeof p, "%s/in/abs", dir);
	(void)snprintf(q, sizeof q, "%s/secret", dir);
	AZ(symlink(q, p));
	(void)snprintf(p, sizeof p, "%s/in/good", dir);
	AZ(symlink("sub/b", p));
	(void)snprintf(p, sizeof p, "%s/in/up", dir);
	AZ(symlink("..", p));
	(void)snprintf(p, sizeof p, "%s/in/magic", dir);
	AZ(symlink("/proc/self/root", p));
	(void)snprintf(p, sizeof p, "%s/in/fifo", dir);
	AZ(mkfifo(p, 0644));
}

static void
file_paths(void)
{
	static char in[4096], single[4096];
	const char *files[] = { in, single, NULL };

	(void)snprintf(in, sizeof in, "%s/in/", dir);
	(void)snprintf(single, sizeof single, "%s/single", dir);
	World_New(&w, files);
	CHECK_EQ(open_in("in/a", O_RDONLY), 3);
	CHECK_EQ(open_in("in/sub/b", O_RDONLY), 4);
	CHECK_EQ(open_in("in/good", O_RDONLY), 5);
	CHECK_EQ(open_in("in//sub/../a", O_RDONLY), 6);
	CHECK_EQ(open_in("single", O_RDONLY), 7);
	CHECK_EQ(open_in("single2", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("single/x", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("secret", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/../secret", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/sub/../../secret", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/link", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/abs", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/up/secret", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/magic/etc/passwd", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/fifo", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in/none", O_RDONLY), -ENOENT);
	CHECK_EQ(open_in("in", O_RDWR), -EISDIR);
	CHECK_EQ(open_in("in/a", O_RDWR), -EROFS);
	CHECK_EQ(open_in("in/a", O_WRONLY | O_TRUNC), -EROFS);
	CHECK_EQ(open_in("in/new", O_RDONLY | O_CREAT), -ENOENT);
	CHECK_EQ(CALL3(open, path("/etc/passwd"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, path("/proc/self/mem"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, path("/proc/self/fd/0"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, path("/dev/kvm"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, path(""), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, 0, O_RDONLY, 0), -EFAULT);
	CHECK_EQ(CALL4(openat, 3, path("a"), O_RDONLY, 0), -ENOTDIR);
	CHECK_EQ(CALL4(openat, 33, path("a"), O_RDONLY, 0), -EBADF);
	CHECK_EQ(CALL3(open, path("/dev/null"), O_RDWR, 0), 8);
	World_Fini(&w);
}

/* All that there is: the host's /proc is not part of it. */
static void
file_root(void)
{
	static const char * const files[] = { "/", NULL };
	struct stat st;

	World_New(&w, files);
	CHECK_EQ(open_in("secret", O_RDONLY), 3);
	CHECK_EQ(CALL3(open, path("/proc/self/mem"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, path("/proc/1/environ"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, path("/proc/self/fd"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(open, path("/proc"), O_RDONLY, 0), -ENOENT);
	CHECK_EQ(CALL3(readlink, path("/proc/self/fd/0"), BUF, 64), -ENOENT);
	CHECK_EQ(CALL3(openat, 3, path("/proc/self/maps"), O_RDONLY), 4);
	CHECK_EQ(CALL2(fstat, 4, BUF), 0);
	World_Get(&w, BUF, &st, sizeof st);
	CHECK_EQ(st.st_dev, 2);		/* ours */
	World_Fini(&w);
}

static void
file_io(void)
{
	static char in[4096];
	const char *files[] = { in, NULL };
	struct stat st;
	char b[16];

	(void)snprintf(in, sizeof in, "%s/in", dir);
	World_New(&w, files);
	CHECK_EQ(open_in("in/a", O_RDONLY), 3);
	CHECK_EQ(CALL3(read, 3, BUF, 4), 4);
	CHECK_EQ(CALL1(dup, 3), 4);
	CHECK_EQ(CALL3(read, 4, BUF, 100), 6);
	World_Get(&w, BUF, b, 6);
	CHECK(!memcmp(b, "456789", 6));
	CHECK_EQ(CALL3(lseek, 3, -3, SEEK_END), 7);
	CHECK_EQ(CALL3(read, 4, BUF, 100), 3);
	CHECK_EQ(CALL3(lseek, 3, -1, SEEK_SET), -EINVAL);
	CHECK_EQ(CALL3(lseek, 3, INT64_MIN, SEEK_CUR), -EINVAL);
	CHECK_EQ(CALL3(lseek, 3, INT64_MAX, SEEK_END), -EINVAL);
	CHECK_EQ(CALL3(lseek, 3, 0, 77), -EINVAL);
	CHECK_EQ(CALL4(pread64, 3, BUF, 2, 5), 2);
	CHECK_EQ(CALL4(pread64, 3, BUF, 2, -1), -EINVAL);
	CHECK_EQ(CALL3(read, 3, WORLD_KERNEL, 4), -EFAULT);
	CHECK_EQ(CALL3(lseek, 3, 0, SEEK_SET), 0);
	CHECK_EQ(CALL3(read, 3, WORLD_RO, 4), -EFAULT);
	CHECK_EQ(CALL3(write, 3, BUF, 1), -EBADF);
	CHECK_EQ(CALL3(read, 99, BUF, 1), -EBADF);
	CHECK_EQ(CALL3(read, -1, BUF, 1), -EBADF);
	CHECK_EQ(CALL2(fstat, 3, BUF), 0);
	World_Get(&w, BUF, &st, sizeof st);
	CHECK_EQ(st.st_size, 10);
	CHECK_EQ(st.st_mode, S_IFREG | 0444);
	CHECK_EQ(CALL6(mmap, 0, 4096, 1, MAP_PRIVATE, 3, 0),
	    WORLD_ARENA + WORLD_ARENA_LEN - 4096);
	World_Get(&w, WORLD_ARENA + WORLD_ARENA_LEN - 4096, b, 11);
	CHECK(!memcmp(b, "0123456789", 11));
	/* it can not be had again, and it is not zeroes; what is beside it can */
	CHECK_EQ(CALL6(mmap, 0, 8192, 3, ANON, -1, 0), WORLD_ARENA +
	    WORLD_ARENA_LEN - 3 * 4096);
	World_Put(&w, WORLD_ARENA + WORLD_ARENA_LEN - 2 * 4096, "x", 1);
	CHECK_EQ(CALL3(madvise, WORLD_ARENA + WORLD_ARENA_LEN - 2 * 4096, 8192,
	    MADV_DONTNEED), -EINVAL);
	CHECK_EQ(CALL3(madvise, WORLD_ARENA + WORLD_ARENA_LEN - 2 * 4096, 4096,
	    MADV_DONTNEED), 0);
	World_Get(&w, WORLD_ARENA + WORLD_ARENA_LEN - 2 * 4096, b, 1);
	CHECK_EQ(b[0], 0);
	World_Get(&w, WORLD_ARENA + WORLD_ARENA_LEN - 4096, b, 11);
	CHECK(!memcmp(b, "0123456789", 11));
	/* another mapping in its place is another matter */
	CHECK_EQ(CALL6(mmap, WORLD_ARENA + WORLD_ARENA_LEN - 4096, 4096, 3,
	    ANON | MAP_FIXED, -1, 0), WORLD_ARENA + WORLD_ARENA_LEN - 4096);
	CHECK_EQ(CALL3(madvise, WORLD_ARENA + WORLD_ARENA_LEN - 2 * 4096, 8192,
	    MADV_DONTNEED), 0);
	CHECK_EQ(CALL2(dup2, 3, 63), 63);
	CHECK_EQ(CALL2(dup2, 3, 64), -EBADF);
	CHECK_EQ(CALL3(fcntl, 3, F_DUPFD, 63), -EMFILE);
	CHECK_EQ(CALL3(fcntl, 3, F_DUPFD, UINT64_MAX), -EINVAL);
	CHECK_EQ(CALL3(fcntl, 63, F_SETFD, 1), 0);
	CHECK_EQ(CALL3(fcntl, 63, F_GETFD, 0), 1);
	CHECK_EQ(CALL3(fcntl, 3, F_GETFD, 0), 0);
	CHECK_EQ(CALL1(close, 3), 0);
	CHECK_EQ(CALL1(close, 3), -EBADF);
	World_Fini(&w);
}

/* Until there is none left: the description table can not overflow. */
static void
file_exhaust(void)
{
	unsigned u;

	World_New(&w, NULL);
	for (u = 3; u < SBX_FD_MAX; u++)
		CHECK_EQ(CALL3(open, path("/dev/null"), 0, 0), u);
	CHECK_EQ(CALL3(open, path("/dev/null"), 0, 0), -EMFILE);
	CHECK_EQ(CALL1(dup, 0), -EMFILE);
	CHECK_EQ(CALL1(close, 40), 0);
	CHECK_EQ(CALL1(dup, 0), 40);
	CHECK_EQ(CALL1(close, 41), 0);
	CHECK_EQ(CALL3(open, path("/dev/zero"), 0, 0), 41);
	World_Fini(&w);
}

/* Files of the host are fewer. */
static void
file_exhaust_host(void)
{
	static char in[4096];
	const char *files[] = { in, NULL };
	unsigned u;

	(void)snprintf(in, sizeof in, "%s/in", dir);
	World_New(&w, files);
	for (u = 0; u < SBX_FILES_OPEN_MAX; u++)
		CHECK_EQ(open_in("in/a", O_RDONLY), 3 + u);
	CHECK_EQ(open_in("in/a", O_RDONLY), -EMFILE);
	CHECK_EQ(CALL3(open, path("/dev/null"), 0, 0), 3 + u);
	CHECK_EQ(CALL1(close, 3), 0);
	CHECK_EQ(open_in("in/a", O_RDONLY), 3);
	World_Fini(&w);
}

/* What is longer than one look at the time. */
static void
file_large(void)
{
	static char in[4096], big[200000], back[200000];
	const char *files[] = { in, NULL };
	int64_t va;
	FILE *f;

	(void)snprintf(in, sizeof in, "%s/in/big", dir);
	memset(big, 'b', sizeof big);
	f = fopen(in, "w");
	AN(f);
	AN(fwrite(big, sizeof big, 1, f));
	AZ(fclose(f));
	World_New(&w, files);
	CHECK_EQ(open_in("in/big", O_RDONLY), 3);
	va = CALL6(mmap, 0, sizeof big, 3, ANON, -1, 0);
	CHECK_EQ(CALL3(read, 3, va, sizeof big + 1000), sizeof big);
	World_Get(&w, (uint64_t)va, back, sizeof back);
	CHECK(!memcmp(big, back, sizeof big));
	CHECK_EQ(CALL3(getrandom, va, sizeof big, 0), sizeof big);
	CHECK_EQ(CALL3(lseek, 3, 0, SEEK_SET), 0);
	/* to the end of memory, and no further */
	CHECK_EQ(CALL3(read, 3, WORLD_ARENA + WORLD_ARENA_LEN - 5000,
	    sizeof big), 5000);
	World_Fini(&w);
}

/* A request's descriptors are gone after it, the program's own are back. */
static void
file_reset(void)
{
	static char in[4096];
	const char *files[] = { in, NULL };
	static struct sbx_proc golden;
	unsigned fds;

	(void)snprintf(in, sizeof in, "%s/in", dir);
	World_New(&w, files);
	CHECK_EQ(open_in("in/a", O_RDONLY), 3);
	CHECK_EQ(CALL3(read, 3, BUF, 4), 4);
	SBX_Proc_Init(&golden, &w.m, &w.layout, w.allow, "/p");
	CHECK_EQ(SBX_Proc_Copy(&golden, &w.proc), 0);
	fds = test_entries("/proc/self/fd");
	CHECK_EQ(CALL3(read, 3, BUF, 4), 4);
	CHECK_EQ(open_in("in/sub/b", O_RDONLY), 4);
	CHECK_EQ(CALL1(close, 3), 0);
	CHECK_EQ(CALL1(close, 1), 0);
	CHECK_EQ(CALL1(brk, WORLD_ARENA + 4096), WORLD_ARENA + 4096);
	SBX_Proc_Reset(&w.proc, &golden);
	CHECK_EQ(test_entries("/proc/self/fd"), fds);
	CHECK_EQ(CALL3(lseek, 3, 0, SEEK_CUR), 4);
	CHECK_EQ(CALL3(write, 1, BUF, 1), 1);
	CHECK_EQ(CALL1(close, 4), -EBADF);
	CHECK_EQ(CALL1(brk, 0), WORLD_ARENA);
	SBX_Proc_Fini(&golden);
	World_Fini(&w);
}

static void
output(void)
{
	static char big[40000];
	unsigned u;

	World_New(&w, NULL);
	World_Put(&w, BUF, "one\ntwo", 7);
	CHECK_EQ(CALL3(write, 1, BUF, 7), 7);
	CHECK(!strcmp(w.log, "2:one\n"));
	CHECK_EQ(CALL3(write, 2, BUF, 4), 4);
	SBX_Proc_End(&w.proc);
	CHECK(!strcmp(w.log, "2:one\n3:one\n2:two\n"));
	SBX_Proc_Begin(&w.proc, &w.host, 0, INT64_MAX);
	SBX_Proc_End(&w.proc);
	w.log_len = 0;
	/* a share, and no more */
	SBX_Proc_Begin(&w.proc, &w.host, 0, INT64_MAX);
	memset(big, 'x', sizeof big);
	World_Put(&w, BUF, big, sizeof big);
	for (u = 0; u < 10; u++)
		CHECK_EQ(CALL3(write, 1, BUF, sizeof big), sizeof big);
	SBX_Proc_End(&w.proc);
	CHECK(w.log_len <= SBX_LOG_BYTES_MAX + SBX_LOG_LINES_MAX * 3);
	CHECK(w.proc.log_dropped > 300);
	World_Fini(&w);
}

static void
process(void)
{
	struct timespec ts;
	uint64_t ss[3];

	World_New(&w, NULL);
	CHECK_EQ(CALL0(getpid), 1);
	CHECK_EQ(CALL0(fork), -EAGAIN);
	CHECK_EQ(CALL1(execve, path("/bin/sh")), -EACCES);
	CHECK_EQ(CALL2(wait4, -1, BUF), -ECHILD);
	CHECK_EQ(CALL3(socket, 2, 1, 0), -EAFNOSUPPORT);
	CHECK_EQ(CALL1(getpgid, 0), 1);
	CHECK_EQ(CALL1(setuid, CALL0(getuid)), 0);
	CHECK_EQ(CALL1(setgid, 0), -EPERM);
	CHECK_EQ(CALL3(setresuid, -1, 65534, -1), 0);
	CHECK_EQ(CALL3(setresuid, -1, 65534, 0), -EPERM);
	CHECK_EQ(CALL2(setgroups, 0, 0), -EPERM);
	CHECK_EQ(CALL0(sync), 0);
	CHECK_EQ(CALL1(getsid, 2), -ESRCH);
	CHECK_EQ(CALL2(getpriority, 0, 0), 20);
	CHECK_EQ(CALL1(sched_get_priority_max, 1), 99);
	CHECK_EQ(CALL1(sched_get_priority_min, 9), -EINVAL);
	CHECK_EQ(CALL3(getresuid, BUF, BUF + 4, WORLD_RO), -EFAULT);
	CHECK_EQ(CALL3(rseq, BUF, 32, 0), -ENOSYS);
	CHECK_EQ(CALL2(clock_gettime, CLOCK_REALTIME, BUF), 0);
	World_Get(&w, BUF, &ts, sizeof ts);
	CHECK(ts.tv_sec > 1600000000);
	CHECK_EQ(CALL2(clock_gettime, 8, BUF), -EINVAL);
	CHECK_EQ(CALL2(clock_gettime, UINT64_MAX, BUF), -EINVAL);
	CHECK_EQ(CALL2(clock_gettime, 0, WORLD_RO), -EFAULT);
	CHECK_EQ(CALL3(getrandom, BUF, 16, 0), 16);
	CHECK_EQ(CALL3(getrandom, BUF, UINT64_MAX, 0), WORLD_STACK_LEN);
	CHECK_EQ(CALL2(sigaltstack, 0, BUF), 0);
	World_Get(&w, BUF, ss, sizeof ss);
	CHECK_EQ(ss[1], 2);			/* SS_DISABLE */
	World_Put(&w, BUF, "name", 5);
	CHECK_EQ(CALL2(prctl, 15, BUF), 0);
	CHECK_EQ(CALL2(prctl, 15, WORLD_STACK + WORLD_STACK_LEN - 1), -EFAULT);
	CHECK(!strcmp(w.proc.threads.first.name, "name"));
	CHECK_EQ(CALL4(readlinkat, AT_FDCWD, path("/proc/self/exe"), BUF, 4),
	    4);
	CHECK_EQ(CALL4(rt_sigaction, 0, 0, 0, 8), -EINVAL);
	CHECK_EQ(CALL4(rt_sigaction, 65, 0, 0, 8), -EINVAL);
	CHECK_EQ(CALL4(rt_sigaction, UINT64_MAX, 0, 0, 8), -EINVAL);
	CHECK_EQ(CALL4(rt_sigaction, 64, BUF, BUF, 8), 0);
	CHECK_EQ(CALL2(kill, 2, 9), -ESRCH);
	CHECK_EQ(CALL2(kill, 1, 65), -EINVAL);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	(void)CALL3(tgkill, 1, 1, 6);
	CHECK_EQ(w.proc.kill, SBX_KILL_fault);
	(void)CALL1(exit_group, 1);
	CHECK_EQ(w.proc.kill, SBX_KILL_fault);
	World_Fini(&w);
}

/*
 * Any call with any arguments: the sanitizers see what goes wrong. Those that
 * sleep or need a vCPU are left out.
 */
static uint64_t
any_argument(void)
{
	static const uint64_t some[] = {
		0, 1, 2, 3, 4, 8, 63, 64, 4095, 4096, 4097, 8192, 65536,
		WORLD_ARENA, WORLD_ARENA + 4096, WORLD_ARENA + 0x100000,
		WORLD_ARENA + WORLD_ARENA_LEN - 4096,
		WORLD_ARENA + WORLD_ARENA_LEN, WORLD_STACK, WORLD_STACK + 1,
		WORLD_STACK + WORLD_STACK_LEN - 1, WORLD_RO, WORLD_KERNEL,
		SBX_SYS_END, SBX_GVA_TABLES, 0x7fffffff, 0x80000000,
		0xffffffff, INT64_MAX, 0x8000000000000000, UINT64_MAX,
		UINT64_MAX - 4095, ANON, ANON | MAP_FIXED, MAP_PRIVATE,
	};

	return (some[(size_t)random() % (sizeof some / sizeof *some)]);
}

static void
any_call(void)
{
	static const uint64_t not[] = { SYS_arch_prctl, SYS_nanosleep,
	    SYS_clock_nanosleep, SYS_futex, SYS_mprotect,
	    SYS_rt_sigtimedwait, SYS_poll, SYS_ppoll, SYS_select,
	    SYS_pselect6, SYS_epoll_wait, SYS_epoll_pwait,
	    SYS_timerfd_settime };
	unsigned n;
	uint64_t nr, i;

	World_New(&w, NULL);
	srandom(7);
	for (n = 0; n < 300000; n++) {
		nr = (uint64_t)random() % 340;
		for (i = 0; i < sizeof not / sizeof *not; i++)
			if (nr == not[i])
				nr = SYS_mmap;
		(void)call(nr, any_argument(), any_argument(),
		    any_argument(), any_argument(), any_argument(),
		    any_argument());
		w.log_len = 0;
		w.proc.log_lines = 0;
	}
	World_Fini(&w);
}

/* What the table says that leaves nothing behind does not. */
static void
leaves_nothing(void)
{
	enum { READ, STATE, PAGES };
	static const struct {
		unsigned	nr;
		int		leaves;
	} table[] = {
#define SYSCALL(name, handler, leaves, args)	{ SYS_##name, leaves },
#define ANOTHER(name, handler, leaves, args)	{ SYS_##name, leaves },
#include "tbl/syscalls.h"
	};
	const struct sbx_proc *p = &w.proc;
	unsigned n, i, reads = 0;

	World_New(&w, NULL);
	CHECK_EQ(CALL3(open, path("/tmp/x"), O_RDWR | O_CREAT, 0), 3);
	w.proc.changed = w.proc.mm.changed = w.proc.far.changed = 0;
	w.proc.files.changed = w.proc.files.tmp.changed = 0;
	w.proc.threads.changed = w.proc.channels.changed = 0;
	w.proc.timers.changed = 0;
	srandom(9);
	for (n = 0; n < sizeof table / sizeof *table; n++) {
		if (table[n].leaves != READ || table[n].nr == SYS_nanosleep ||
		    table[n].nr == SYS_clock_nanosleep)
			continue;
		reads++;
		for (i = 0; i < 500; i++)
			(void)call(table[n].nr, i % 2 ? 3 : any_argument(),
			    i % 3 ? path("/tmp/x") : any_argument(),
			    any_argument(), any_argument(), any_argument(),
			    any_argument());
		if (p->changed || p->mm.changed || p->far.changed ||
		    p->files.changed || p->files.tmp.changed ||
		    p->threads.changed || p->channels.changed || p->edits.n)
			fprintf(stderr, "system call %u\n", table[n].nr);
		CHECK(!p->changed && !p->mm.changed && !p->far.changed);
		CHECK(!p->files.changed && !p->files.tmp.changed);
		CHECK(!p->threads.changed && !p->channels.changed);
		CHECK(!p->timers.changed);
		CHECK_EQ(p->edits.n, 0);
	}
	CHECK(reads > 30);
	World_Fini(&w);
}

/* Waiting for something that does not happen, for so long. */
static void
futexes(void)
{
	struct timespec ts = { 0, 20000000 };
	const uint32_t zero = 0;
	struct timespec t0, t1;

	World_New(&w, NULL);
	World_Put(&w, BUF, &zero, sizeof zero);
	AZ(clock_gettime(CLOCK_MONOTONIC, &t0));
	World_Put(&w, BUF + 8, &ts, sizeof ts);
	CHECK_EQ(CALL4(futex, BUF, 0, 0, BUF + 8), -ETIMEDOUT);
	AZ(clock_gettime(CLOCK_MONOTONIC, &t1));
	CHECK((t1.tv_sec - t0.tv_sec) * 1000000000 + t1.tv_nsec -
	    t0.tv_nsec >= 20000000);
	ts = t1;
	ts.tv_nsec += 20000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	World_Put(&w, BUF + 8, &ts, sizeof ts);
	CHECK_EQ(CALL4(futex, BUF, 9, 0, BUF + 8), -EINVAL);
	CHECK_EQ(CALL6(futex, BUF, 9, 0, BUF + 8, 0, -1), -ETIMEDOUT);
	AZ(clock_gettime(CLOCK_MONOTONIC, &t0));
	CHECK((t0.tv_sec - t1.tv_sec) * 1000000000 + t0.tv_nsec -
	    t1.tv_nsec >= 20000000);
	CHECK_EQ(CALL4(futex, BUF, 0, 1, 0), -EAGAIN);
	ts.tv_nsec = INT64_MAX;
	World_Put(&w, BUF + 8, &ts, sizeof ts);
	CHECK_EQ(CALL4(futex, BUF, 0, 0, BUF + 8), -EINVAL);
	CHECK_EQ(CALL4(futex, BUF, 0, 0, 1), -EFAULT);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	(void)CALL4(futex, BUF, 0, 0, 0);
	CHECK_EQ(w.proc.kill, SBX_KILL_fault);
	World_Fini(&w);
}

/* What a process with one thread is told about threads. */
static void
threads(void)
{
	const uint32_t v[2] = { 5, 0 };
	uint64_t set = UINT64_C(1) << 9;	/* SIGUSR1 */
	struct {
		uint64_t	handler, flags, restorer, mask;
	} sa = { 1, 0, 0, 0 };			/* SIG_IGN */
	uint32_t u;

	World_New(&w, NULL);
	CHECK_EQ(CALL0(gettid), 1);
	CHECK_EQ(CALL1(set_tid_address, BUF), 1);
	CHECK_EQ(CALL0(sched_yield), 0);
	CHECK_EQ(CALL3(sched_getaffinity, 0, 128, BUF), 8);
	CHECK_EQ(CALL3(sched_getaffinity, 7, 128, BUF), -ESRCH);
	CHECK_EQ(CALL2(set_robust_list, BUF, 24), 0);
	CHECK_EQ(CALL2(set_robust_list, BUF, 23), -EINVAL);
	/* processes, and what is not a thread */
	CHECK_EQ(CALL2(clone, 17, 0), -EAGAIN);
	CHECK_EQ(CALL2(clone, 0x10f00, 0), -EINVAL);
	CHECK_EQ(CALL2(clone, 0x20010f00, BUF), -EINVAL);
	CHECK_EQ(CALL2(clone3, BUF, 63), -EINVAL);
	CHECK_EQ(CALL2(clone3, 1, 64), -EFAULT);
	/* there is no vCPU to take registers from, and nothing stays of it */
	CHECK_EQ(CALL2(clone, 0x10f00, BUF), -EAGAIN);
	CHECK_EQ(w.proc.threads.n, 1);
	CHECK_EQ(CALL3(tgkill, 1, 2, 0), -ESRCH);
	CHECK_EQ(CALL3(tgkill, 1, 1, 0), 0);
	CHECK_EQ(CALL3(tgkill, 0, 1, 0), -EINVAL);
	CHECK_EQ(CALL3(tgkill, 1, 1, 65), -EINVAL);
	/* nobody waits; operations on the second word are done all the same */
	World_Put(&w, BUF, v, sizeof v);
	CHECK_EQ(CALL3(futex, BUF, 1, INT32_MAX), 0);
	CHECK_EQ(CALL3(futex, BUF + 2, 1, 1), -EINVAL);
	CHECK_EQ(CALL6(futex, BUF, 4, 1, 1, BUF + 4, 6), -EAGAIN);
	CHECK_EQ(CALL6(futex, BUF, 4, 1, 1, BUF + 4, 5), 0);
	CHECK_EQ(CALL6(futex, BUF, 5, 1, 1, BUF + 4, 0x1003000), 0);
	World_Get(&w, BUF + 4, &u, sizeof u);
	CHECK_EQ(u, 3);
	CHECK_EQ(CALL6(futex, BUF, 5, 1, 1, BUF + 4, 0xf0003000), -ENOSYS);
	CHECK_EQ(CALL6(futex, BUF, 5, 1, 1, WORLD_RO, 0x1003000), -EFAULT);
	CHECK_EQ(CALL6(futex, BUF, 10, 0, 0, BUF + 4, 0), -EINVAL);
	CHECK_EQ(CALL3(futex, BUF, 6, 0), -ENOSYS);
	/* blocked, so pending; ignored, so nothing */
	World_Put(&w, BUF, &set, sizeof set);
	CHECK_EQ(CALL4(rt_sigprocmask, 0, BUF, 0, 8), 0);
	CHECK_EQ(CALL2(kill, 1, 10), 0);
	CHECK_EQ(CALL2(rt_sigpending, BUF + 8, 8), 0);
	World_Get(&w, BUF + 8, &set, sizeof set);
	CHECK_EQ(set, UINT64_C(1) << 9);
	CHECK_EQ(CALL4(rt_sigtimedwait, BUF, 0, 0, 8), 10);
	CHECK_EQ(CALL2(rt_sigpending, BUF + 8, 8), 0);
	World_Get(&w, BUF + 8, &set, sizeof set);
	CHECK_EQ(set, 0);
	World_Put(&w, BUF, &sa, sizeof sa);
	CHECK_EQ(CALL4(rt_sigaction, 12, BUF, 0, 8), 0);
	CHECK_EQ(CALL2(tkill, 1, 12), 0);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	CHECK_EQ(CALL2(tkill, 1, 12 + 3), 0);
	CHECK_EQ(w.proc.kill, SBX_KILL_fault);
	World_Fini(&w);
}

/* Set, read, and what they may not be set to; that they go off takes a CPU. */
static void
timers(void)
{
	const int64_t every[4] = { 1, 500000000, 100, 7 };
	int64_t got[4];
	int32_t id, ev[16] = { 5, 0, 10, 0 };
	unsigned u;

	World_New(&w, NULL);
	CHECK_EQ(CALL1(alarm, 5), 0);
	CHECK_EQ(CALL1(alarm, 0), 5);
	CHECK_EQ(CALL1(alarm, UINT32_MAX), 0);
	CHECK_EQ(CALL1(alarm, 0), UINT32_MAX);
	CHECK_EQ(w.proc.timers.n, 0);
	World_Put(&w, BUF, every, sizeof every);
	CHECK_EQ(CALL3(setitimer, 1, WORLD_KERNEL, 0), -EFAULT);
	CHECK_EQ(CALL3(setitimer, 3, BUF, 0), -EINVAL);
	CHECK_EQ(CALL2(getitimer, UINT64_MAX, BUF), -EINVAL);
	/* that is no number of microseconds */
	CHECK_EQ(CALL3(setitimer, 1, BUF, 0), -EINVAL);
	CHECK_EQ(CALL3(timer_create, 0, 0, 8), -EFAULT);
	CHECK_EQ(CALL3(timer_create, 4, 0, BUF), -EOPNOTSUPP);
	CHECK_EQ(CALL3(timer_create, 8, 0, BUF), -EINVAL);
	/* CPU time of thread 1, and of one that is not there */
	CHECK_EQ(CALL3(timer_create, ~1u << 3 | 6, 0, BUF + 64), 0);
	CHECK_EQ(CALL3(timer_create, ~2u << 3 | 6, 0, BUF + 64), -EINVAL);
	World_Put(&w, BUF + 128, ev, sizeof ev);
	CHECK_EQ(CALL3(timer_create, 1, BUF + 128, BUF + 64), 0);
	World_Get(&w, BUF + 64, &id, sizeof id);
	CHECK_EQ(id, 1);
	CHECK_EQ(CALL4(timer_settime, 1, 0, BUF, 0), 0);
	CHECK_EQ(w.proc.timers.n, 1);
	CHECK_EQ(CALL2(timer_gettime, 1, BUF + 192), 0);
	World_Get(&w, BUF + 192, got, sizeof got);
	CHECK(!memcmp(got, every, 2 * sizeof *got));
	CHECK_EQ(got[2], 99 + (got[3] < 8));
	CHECK_EQ(CALL4(timer_settime, 1, 0, 0, 0), -EINVAL);
	CHECK_EQ(CALL4(timer_settime, 2, 0, BUF, 0), -EINVAL);
	CHECK_EQ(CALL1(timer_getoverrun, 1), 0);
	CHECK_EQ(CALL1(timer_delete, 1), 0);
	CHECK_EQ(CALL1(timer_delete, 1), -EINVAL);
	CHECK_EQ(CALL1(timer_delete, UINT64_MAX), -EINVAL);
	CHECK_EQ(w.proc.timers.n, 0);
	/* who gets the signal, and which */
	ev[2] = 65;
	World_Put(&w, BUF + 128, ev, sizeof ev);
	CHECK_EQ(CALL3(timer_create, 1, BUF + 128, BUF), -EINVAL);
	ev[2] = 10;
	ev[3] = 4;
	ev[4] = 7;
	World_Put(&w, BUF + 128, ev, sizeof ev);
	CHECK_EQ(CALL3(timer_create, 1, BUF + 128, BUF), -EINVAL);
	for (u = 1; u < SBX_TIMERS_MAX - SBX_TIMERS_OF_PROC; u++)
		CHECK_EQ(CALL3(timer_create, 1, 0, BUF), 0);
	CHECK_EQ(CALL3(timer_create, 1, 0, BUF), -EAGAIN);
	World_Fini(&w);
}

/* Signals that find nobody in the place to handle them. */
static void
signals(void)
{
	const uint64_t bit = SBX_SIGBIT(10);
	const uint64_t args[6] = { 0 };
	struct sbx_thread *t, *first;

	/* it came while the program was in code of ours, and then it waits */
	World_New(&w, NULL);
	w.proc.sigaction[10 - 1].handler = 0x400000;
	first = SBX_Thread_Me(&w.proc);
	first->pending = bit;
	CHECK_EQ(CALL0(pause), -EINTR);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	CHECK_EQ(first->state, SBX_THREAD_WAITS);
	w.proc.args = args;
	/* there is no vCPU to have a handler */
	CHECK_EQ(SBX_Sched_Return(&w.proc, 0), -1);
	CHECK_EQ(first->state, SBX_THREAD_RUNS);
	CHECK_EQ(first->result, -EINTR);
	World_Fini(&w);

	/* who has ended does not get it, if all others block it */
	World_New(&w, NULL);
	w.proc.sigaction[10 - 1].handler = 0x400000;
	first = SBX_Thread_Me(&w.proc);
	t = SBX_Thread_New(&w.proc);
	AN(t);
	t->sigmask = bit;
	CHECK_EQ(CALL1(exit, 0), 0);
	CHECK_EQ(first->state, SBX_THREAD_FREE);
	CHECK_EQ(SBX_Signal_Send(&w.proc, NULL, 10), 1);
	CHECK_EQ(first->pending, 0);
	CHECK_EQ(w.proc.threads.pending, bit);
	/* nor dies of it */
	w.proc.sigaction[11 - 1].handler = 0;
	t->sigmask |= SBX_SIGBIT(11);
	CHECK_EQ(SBX_Signal_Send(&w.proc, NULL, 11), 1);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	World_Fini(&w);
}

/* Relative paths are relative to it. */
static void
directory(void)
{
	char b[16];

	World_New(&w, NULL);
	CHECK_EQ(CALL2(getcwd, BUF, 1), -ERANGE);
	CHECK_EQ(CALL2(getcwd, BUF, 2), 2);
	CHECK_EQ(CALL1(chdir, path("/nowhere")), -ENOENT);
	CHECK_EQ(CALL1(chdir, path("/dev/null")), -ENOTDIR);
	CHECK_EQ(CALL1(chdir, path("")), -ENOENT);
	CHECK_EQ(CALL2(mkdir, path("/tmp/a"), 0), 0);
	CHECK_EQ(CALL1(chdir, path("tmp/./a/")), 0);
	CHECK_EQ(CALL2(getcwd, BUF, 6), -ERANGE);
	CHECK_EQ(CALL2(getcwd, BUF, 7), 7);
	World_Get(&w, BUF, b, 7);
	CHECK(!strcmp(b, "/tmp/a"));
	CHECK_EQ(CALL2(mkdir, path("b"), 0), 0);
	CHECK_EQ(CALL2(access, path("/tmp/a/b"), 0), 0);
	CHECK_EQ(CALL2(access, path("../a/b"), 0), 0);
	CHECK_EQ(CALL3(open, path(".."), O_RDONLY | O_DIRECTORY, 0), 3);
	CHECK_EQ(CALL1(fchdir, 3), 0);
	CHECK_EQ(CALL1(rmdir, path("a/b")), 0);
	CHECK_EQ(CALL1(fchdir, 1), -ENOTDIR);
	CHECK_EQ(CALL1(fchdir, 9), -EBADF);
	/* it is gone */
	CHECK_EQ(CALL1(chdir, path("a")), 0);
	CHECK_EQ(CALL1(rmdir, path("/tmp/a")), 0);
	CHECK_EQ(CALL3(open, path("x"), O_RDWR | O_CREAT, 0), -ENOENT);
	CHECK_EQ(CALL1(chdir, path("/")), 0);
	CHECK_EQ(CALL2(getcwd, BUF, 2), 2);
	World_Fini(&w);
}

static void
ranges(void)
{

	World_New(&w, NULL);
	CHECK_EQ(CALL1(dup, 1), 3);
	CHECK_EQ(CALL1(dup, 1), 4);
	CHECK_EQ(CALL3(close_range, 4, 3, 0), -EINVAL);
	CHECK_EQ(CALL3(close_range, 3, 4, 1), -EINVAL);
	CHECK_EQ(CALL3(close_range, 4, UINT32_MAX, 4), 0);
	CHECK_EQ(CALL2(fcntl, 3, F_GETFD), 0);
	CHECK_EQ(CALL2(fcntl, 4, F_GETFD), FD_CLOEXEC);
	CHECK_EQ(CALL3(close_range, 3, UINT32_MAX, 0), 0);
	CHECK_EQ(CALL2(fcntl, 3, F_GETFD), -EBADF);
	CHECK_EQ(CALL2(fcntl, 4, F_GETFD), -EBADF);
	CHECK_EQ(CALL2(fcntl, 2, F_GETFD), 0);
	World_Fini(&w);
}

/* Descriptors that are not files. */
static void
channels(void)
{
	int32_t fd[2], room;
	uint64_t v = 3;
	unsigned u;
	char c = 'x';

	World_New(&w, NULL);
	CHECK_EQ(CALL2(pipe2, BUF, 1), -EINVAL);
	CHECK_EQ(CALL1(pipe, WORLD_RO), -EFAULT);
	CHECK_EQ(CALL1(pipe, BUF), 0);
	World_Get(&w, BUF, fd, sizeof fd);
	CHECK_EQ(fd[0], 3);
	CHECK_EQ(fd[1], 4);
	World_Put(&w, BUF, &c, 1);
	CHECK_EQ(CALL3(write, 3, BUF, 1), -EBADF);
	CHECK_EQ(CALL3(read, 4, BUF, 1), -EBADF);
	CHECK_EQ(CALL3(lseek, 3, 1000, 0), -ESPIPE);
	CHECK_EQ(CALL4(pread64, 3, BUF, 1, 0), -ESPIPE);
	CHECK_EQ(CALL3(write, 4, BUF, 1), 1);
	CHECK_EQ(CALL3(write, 4, WORLD_KERNEL, 1), -EFAULT);
	CHECK_EQ(CALL3(read, 3, WORLD_RO, 1), -EFAULT);
	CHECK_EQ(CALL3(read, 3, BUF + 8, UINT64_MAX), 1);
	World_Get(&w, BUF + 8, &c, 1);
	CHECK_EQ(c, 'x');
	CHECK_EQ(CALL1(close, 4), 0);
	CHECK_EQ(CALL3(read, 3, BUF, 1), 0);
	CHECK_EQ(CALL1(close, 3), 0);
	CHECK_EQ(CALL4(socketpair, 2, 1, 0, BUF), -EAFNOSUPPORT);
	CHECK_EQ(CALL4(socketpair, 1, 2, 0, BUF), -ESOCKTNOSUPPORT);
	CHECK_EQ(CALL4(socketpair, 1, 1, 7, BUF), -EPROTONOSUPPORT);
	CHECK_EQ(CALL4(socketpair, 1, 1, 0, WORLD_RO), -EFAULT);
	CHECK_EQ(CALL4(socketpair, 1, 1, 0, BUF), 0);
	CHECK_EQ(CALL6(sendto, 3, BUF, 5, 0, 0, 0), 5);
	CHECK_EQ(CALL6(sendto, 3, BUF, 5, 1, 0, 0), -EOPNOTSUPP);
	CHECK_EQ(CALL6(sendto, 3, BUF, 5, 0, BUF, 16), -EISCONN);
	CHECK_EQ(CALL6(sendto, 1, BUF, 5, 0, 0, 0), -ENOTSOCK);
	CHECK_EQ(CALL6(recvfrom, 4, BUF, 9, 0, 0, 0), 5);
	CHECK_EQ(CALL6(recvfrom, 4, BUF, 9, 64, 0, 0), -EAGAIN);
	World_Put(&w, BUF, &(int32_t){ 4 }, 4);
	CHECK_EQ(CALL6(getsockopt, 3, SOL_SOCKET, SO_TYPE, BUF + 8, BUF, 0), 0);
	World_Get(&w, BUF + 8, &room, 4);
	CHECK_EQ(room, SOCK_STREAM);
	CHECK_EQ(CALL6(getsockopt, 3, SOL_SOCKET, 999, BUF + 8, BUF, 0),
	    -ENOPROTOOPT);
	CHECK_EQ(CALL6(getsockopt, 3, 6, 1, BUF + 8, BUF, 0), -EOPNOTSUPP);
	CHECK_EQ(CALL6(setsockopt, 3, SOL_SOCKET, SO_SNDBUF, BUF, 4, 0), 0);
	CHECK_EQ(CALL3(getsockname, 1, BUF + 8, BUF), -ENOTSOCK);
	CHECK_EQ(CALL3(getsockname, 3, WORLD_RO, BUF), -EFAULT);
	CHECK_EQ(CALL3(getpeername, 3, BUF + 8, BUF), 0);
	World_Get(&w, BUF, &room, 4);
	CHECK_EQ(room, 2);
	World_Put(&w, BUF, &(int32_t){ -1 }, 4);
	CHECK_EQ(CALL3(getsockname, 3, BUF + 8, BUF), -EINVAL);
	CHECK_EQ(CALL2(dup2, 1, 3), 3);
	CHECK_EQ(CALL6(sendto, 4, BUF, 5, 0, 0, 0), -EPIPE);
	CHECK_EQ(CALL6(recvfrom, 4, BUF, 9, 0, 0, 0), 0);
	CHECK_EQ(CALL1(close, 3), 0);
	CHECK_EQ(CALL1(close, 4), 0);
	CHECK_EQ(CALL2(eventfd2, 1, 2), -EINVAL);
	CHECK_EQ(CALL2(eventfd2, 1, O_NONBLOCK), 3);
	World_Put(&w, BUF, &v, sizeof v);
	CHECK_EQ(CALL3(write, 3, BUF, 7), -EINVAL);
	CHECK_EQ(CALL3(write, 3, BUF, 8), 8);
	CHECK_EQ(CALL3(read, 3, BUF, 8), 8);
	World_Get(&w, BUF, &v, sizeof v);
	CHECK_EQ(v, 4);
	CHECK_EQ(CALL3(read, 3, BUF, 8), -EAGAIN);
	CHECK_EQ(CALL1(epoll_create1, 0), 4);
	CHECK_EQ(CALL4(epoll_ctl, 4, 1, 4, BUF), -EINVAL);
	CHECK_EQ(CALL4(epoll_ctl, 4, 1, 9, BUF), -EBADF);
	CHECK_EQ(CALL4(epoll_ctl, 4, 1, 3, WORLD_KERNEL), -EFAULT);
	CHECK_EQ(CALL4(epoll_ctl, 3, 1, 4, BUF), -EINVAL);
	CHECK_EQ(CALL4(epoll_wait, 4, BUF, 0, 0), -EINVAL);
	CHECK_EQ(CALL4(epoll_wait, 4, BUF, 1, 0), 0);
	CHECK_EQ(CALL3(poll, BUF, 65, 0), -EINVAL);
	/* nothing but the end of time would end it */
	(void)CALL3(read, 3, BUF, 8);
	for (u = 0; CALL2(eventfd2, 0, 0) >= 0; u++)
		continue;
	CHECK_EQ(u, SBX_CHANNELS_MAX - 2);
	CHECK_EQ(CALL2(eventfd2, 0, 0), -EMFILE);
	CHECK_EQ(w.proc.kill, SBX_KILL_NONE);
	(void)CALL3(read, 5, BUF, 8);
	CHECK_EQ(w.proc.kill, SBX_KILL_fault);
	World_Fini(&w);
}

static void
clean_up(void)
{
	char cmd[4096];

	(void)snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	AZ(system(cmd));
}

int
main(void)
{

	TEST_BEGIN(240);
	file_tree();
	TEST(brk_calls);
	TEST(mmap_calls);
	TEST(mremap_calls);
	TEST(file_paths);
	TEST(file_root);
	TEST(file_io);
	TEST(file_exhaust);
	TEST(file_exhaust_host);
	TEST(file_large);
	TEST(file_reset);
	TEST(output);
	TEST(process);
	TEST(futexes);
	TEST(threads);
	TEST(timers);
	TEST(signals);
	TEST(directory);
	TEST(ranges);
	TEST(channels);
	TEST(any_call);
	TEST(leaves_nothing);
	clean_up();
	TEST_END();
}
