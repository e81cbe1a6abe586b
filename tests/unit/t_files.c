/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Directories, /tmp and /proc, without a CPU.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "vdef.h"
#include "vas.h"

#include "linux/syscall.h"
#include "test.h"
#include "world.h"

static struct world w;
static char dir[] = "/var/tmp/t_files.XXXXXX";

static int64_t
call(uint64_t nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint64_t args[6] = { a, b, c, d, 0, 0 };

	return (SBX_Syscall(&w.proc, nr, args));
}

#define CALL1(nr, a)	call(SYS_##nr, (uint64_t)(a), 0, 0, 0)
#define CALL2(nr, a, b)	call(SYS_##nr, (uint64_t)(a), (uint64_t)(b), 0, 0)
#define CALL3(nr, a, b, c)						\
	call(SYS_##nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), 0)
#define CALL4(nr, a, b, c, d)						\
	call(SYS_##nr, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c),	\
	    (uint64_t)(d))

#define BUF		WORLD_STACK
#define RW		(O_RDWR | O_CREAT)

/* A string in the guest: at one of two places, in turn. */
static uint64_t
str(const char *s)
{
	static unsigned n;
	uint64_t va = BUF + 0x8000 + 0x1000 * (n++ % 2);

	World_Put(&w, va, s, strlen(s) + 1);
	return (va);
}

static int64_t
put(int64_t fd, const char *s)
{

	return (CALL3(write, fd, str(s), strlen(s)));
}

/* What is in a file of the guest's, all of it; in a static buffer. */
static const char *
get(const char *path)
{
	static char b[40000];
	int64_t fd, l;

	b[0] = '\0';
	fd = CALL2(open, str(path), O_RDONLY);
	CHECK(fd >= 0);
	l = CALL4(pread64, fd, BUF, 0x8000, 0);
	CHECK(l >= 0);
	World_Get(&w, BUF, b, (size_t)l);
	b[l] = '\0';
	CHECK_EQ(CALL1(close, fd), 0);
	return (b);
}

static int64_t
mode(const char *path)
{
	struct stat st;
	int64_t i;

	i = CALL2(lstat, str(path), BUF);
	if (i < 0)
		return (i);
	World_Get(&w, BUF, &st, sizeof st);
	return (st.st_mode);
}

/* Names in a directory, sorted by nobody, with spaces around each. */
static const char *
names(const char *path)
{
	static char b[4096], list[8192];
	uint16_t reclen;
	int64_t fd, l, at;

	strcpy(list, " ");
	fd = CALL2(open, str(path), O_RDONLY | O_DIRECTORY);
	CHECK(fd >= 0);
	while ((l = CALL3(getdents64, fd, BUF, 200)) > 0) {
		World_Get(&w, BUF, b, (size_t)l);
		for (at = 0; at < l; at += reclen) {
			memcpy(&reclen, b + at + 16, sizeof reclen);
			CHECK(reclen >= 20 && reclen % 8 == 0);
			strcat(list, b + at + 19);
			strcat(list, " ");
		}
	}
	CHECK_EQ(l, 0);
	CHECK_EQ(CALL1(close, fd), 0);
	return (list);
}

/*--------------------------------------------------------------------
 * The host's
 */

static void
make(const char *name)
{
	char p[4096];
	FILE *f;

	(void)snprintf(p, sizeof p, "%s/%s", dir, name);
	f = fopen(p, "w");
	AN(f);
	fputs("text", f);
	AZ(fclose(f));
}

static void
host_dirs(void)
{
	static char p[200], q[400], other[400];
	const char *files[] = { p, other, NULL };
	struct statx sx;
	unsigned u;
	int64_t fd;

	(void)mkdir("/var", 0755);
	(void)mkdir("/var/tmp", 0777);
	AN(mkdtemp(dir));
	(void)snprintf(p, sizeof p, "%s/in", dir);
	AZ(mkdir(p, 0755));
	(void)snprintf(q, sizeof q, "%s/sub", p);
	AZ(mkdir(q, 0755));
	for (u = 0; u < 50; u++) {
		(void)snprintf(q, sizeof q, "in/sub/file%u", u);
		make(q);
	}
	(void)snprintf(q, sizeof q, "%s/link", p);
	AZ(symlink("sub/file7", q));
	(void)snprintf(q, sizeof q, "%s/out", p);
	AZ(symlink("/etc/passwd", q));

	(void)snprintf(q, sizeof q, "%s/other", dir);
	AZ(mkdir(q, 0755));
	make("other/target");
	(void)snprintf(q, sizeof q, "%s/across", p);
	AZ(symlink("../other/step", q));
	(void)snprintf(q, sizeof q, "%s/other/target", dir);
	(void)snprintf(other, sizeof other, "%s/other/step", dir);
	AZ(symlink(q, other));
	(void)snprintf(other, sizeof other, "%s/other", dir);
	(void)snprintf(q, sizeof q, "%s/circle", p);
	AZ(symlink("../in/circle", q));

	World_New(&w, files);
	(void)snprintf(q, sizeof q, "%s/sub", p);
	CHECK_HAS(names(q), " file0 ");
	CHECK_HAS(names(q), " file49 ");
	CHECK_HAS(names(p), " sub ");
	CHECK_EQ(mode(p), S_IFDIR | 0555);
	CHECK_EQ(mode(dir), S_IFDIR | 0555);
	CHECK_EQ(mode("/var"), S_IFDIR | 0555);
	CHECK_EQ(mode("/var/tmp/"), S_IFDIR | 0555);
	CHECK_EQ(mode("/var/tmp/t_files"), -ENOENT);
	CHECK_EQ(mode("/etc"), -ENOENT);
	CHECK_EQ(CALL2(open, str(dir), O_RDONLY | O_DIRECTORY), -ENOENT);

	/* relative to a directory */
	fd = CALL2(open, str(p), O_RDONLY | O_DIRECTORY);
	CHECK_EQ(fd, 3);
	CHECK_EQ(CALL3(openat, fd, str("sub/../sub//file1"), O_RDONLY), 4);
	CHECK_EQ(CALL3(openat, fd, str("../../../../../etc/passwd"), 0),
	    -ENOENT);
	CHECK_EQ(CALL3(openat, fd, str(""), 0), -ENOENT);
	CHECK_EQ(CALL3(read, fd, BUF, 10), -EISDIR);
	CHECK_EQ(CALL3(getdents64, 4, BUF, 1000), -ENOTDIR);
	CHECK_EQ(CALL3(getdents64, fd, BUF, 1), -EINVAL);
	CHECK_EQ(CALL3(getdents64, fd, WORLD_KERNEL, 1000), -EFAULT);
	CHECK_EQ(CALL4(readlinkat, fd, str("link"), BUF, 100), 9);
	CHECK_EQ(CALL4(readlinkat, fd, str("link"), BUF, 4), 4);
	CHECK_EQ(CALL4(readlinkat, fd, str("sub"), BUF, 100), -EINVAL);
	CHECK_EQ(CALL3(readlink, str("/var"), BUF, 100), -EINVAL);
	CHECK_EQ(CALL3(readlink, str("/proc/self/exe"), BUF, 100), 12);
	CHECK_EQ(CALL3(openat, fd, str("out"), 0), -ENOENT);
	/* from one allowed directory to another, and in circles */
	CHECK_EQ(CALL3(openat, fd, str("across"), 0), 5);
	CHECK_EQ(CALL1(close, 5), 0);
	CHECK_EQ(CALL3(openat, fd, str("circle"), 0), -ENOENT);
	(void)snprintf(q, sizeof q, "%s/link", p);
	CHECK_EQ(mode(q), S_IFLNK | 0555);
	CHECK_EQ(CALL2(stat, str(q), BUF), 0);
	CHECK_EQ(call(SYS_statx, (uint64_t)fd, str("link"), 0, 0), -EFAULT);
	{
		uint64_t a[6] = { (uint64_t)fd, str("link"), 0, 0x7ff, BUF };
		CHECK_EQ(SBX_Syscall(&w.proc, SYS_statx, a), 0);
	}
	World_Get(&w, BUF, &sx, sizeof sx);
	CHECK_EQ(sx.stx_size, 4);
	CHECK_EQ(sx.stx_mode, S_IFREG | 0444);

	/* nothing can be changed */
	CHECK_EQ(CALL2(mkdir, str(p), 0777), -EEXIST);
	CHECK_EQ(CALL1(unlink, str(q)), -EROFS);
	CHECK_EQ(CALL2(rename, str(q), str("/tmp/x")), -EROFS);
	CHECK_EQ(CALL2(rename, str("/tmp"), str(q)), -EEXIST);
	CHECK_EQ(CALL2(truncate, str(q), 0), -EROFS);
	CHECK_EQ(CALL2(access, str(q), W_OK), -EROFS);
	CHECK_EQ(CALL2(access, str(q), X_OK), -EACCES);
	CHECK_EQ(CALL2(access, str(p), R_OK | X_OK), 0);
	CHECK_EQ(CALL2(open, str("/new"), RW), -EROFS);
	CHECK_EQ(CALL2(open, str(q), RW | O_EXCL), -EEXIST);
	World_Fini(&w);
}

/*--------------------------------------------------------------------
 * /tmp
 */

static void
tmp_files(void)
{
	struct statfs sf;
	int64_t fd, va;
	char b[16];

	World_New(&w, NULL);
	CHECK_EQ(mode("/tmp"), S_IFDIR | 0777);
	CHECK_EQ(CALL2(open, str("/tmp/a"), O_RDONLY), -ENOENT);
	fd = CALL2(open, str("/tmp/a"), RW);
	CHECK_EQ(fd, 3);
	CHECK_EQ(put(fd, "hello"), 5);
	CHECK(!strcmp(get("/tmp/a"), "hello"));
	CHECK_EQ(mode("/tmp/a"), S_IFREG | 0666);
	/* a hole is zero, also where something was before */
	CHECK_EQ(CALL2(ftruncate, fd, 2), 0);
	CHECK_EQ(CALL4(pwrite64, fd, str("x"), 1, 6), 1);
	CHECK_EQ(CALL4(pread64, fd, BUF, 16, 0), 7);
	World_Get(&w, BUF, b, 7);
	CHECK(!memcmp(b, "he\0\0\0\0x", 7));
	CHECK_EQ(CALL3(lseek, fd, 0, SEEK_END), 7);
	CHECK_EQ(CALL2(open, str("/tmp/a"), O_WRONLY | O_APPEND), 4);
	CHECK_EQ(put(4, "end"), 3);
	CHECK_EQ(CALL3(read, 4, BUF, 1), -EBADF);
	CHECK_EQ(CALL2(open, str("/tmp/a"), O_RDONLY), 5);
	CHECK_EQ(put(5, "no"), -EBADF);
	CHECK_EQ(CALL4(pread64, 5, BUF, 16, 6), 4);
	World_Get(&w, BUF, b, 4);
	CHECK(!memcmp(b, "xend", 4));
	/* it can be mapped, and what is mapped is a copy */
	{
		uint64_t a[6] = { 0, 4096, PROT_READ, MAP_PRIVATE, 5, 0 };
		va = SBX_Syscall(&w.proc, SYS_mmap, a);
		World_Get(&w, (uint64_t)va + 6, b, 4);
		CHECK(!memcmp(b, "xend", 4));
		a[2] = PROT_READ | PROT_EXEC;
		CHECK_EQ(SBX_Syscall(&w.proc, SYS_mmap, a), -EACCES);
		a[2] = PROT_READ | PROT_WRITE;
		a[3] = MAP_SHARED;
		CHECK_EQ(SBX_Syscall(&w.proc, SYS_mmap, a), -ENODEV);
	}
	CHECK_EQ(CALL2(open, str("/tmp/a"), O_WRONLY | O_TRUNC), 6);
	CHECK(!strcmp(get("/tmp/a"), ""));
	/* gone, and still there for those who have it open */
	CHECK_EQ(put(6, "last"), 4);
	CHECK_EQ(CALL1(unlink, str("/tmp/a")), 0);
	CHECK_EQ(mode("/tmp/a"), -ENOENT);
	CHECK_EQ(CALL4(pread64, 3, BUF, 16, 0), 4);
	CHECK_EQ(CALL2(open, str("/tmp/a"), RW | O_EXCL), 7);
	CHECK(!strcmp(get("/tmp/a"), ""));
	CHECK_EQ(CALL2(open, str("/tmp/a"), RW | O_EXCL), -EEXIST);
	CHECK_EQ(CALL2(statfs, str("/tmp/a"), BUF), 0);
	World_Get(&w, BUF, &sf, sizeof sf);
	CHECK_EQ(sf.f_type, 0x01021994);
	World_Fini(&w);
}

static void
tmp_dirs(void)
{
	char s[300];

	World_New(&w, NULL);
	CHECK_EQ(CALL2(mkdir, str("/tmp/d"), 0777), 0);
	CHECK_EQ(CALL2(mkdir, str("/tmp/d"), 0777), -EEXIST);
	CHECK_EQ(CALL2(mkdir, str("/tmp/x/y"), 0777), -ENOENT);
	CHECK_EQ(CALL2(open, str("/tmp/d/f"), RW), 3);
	CHECK_EQ(CALL2(open, str("/tmp/d/f/g"), RW), -ENOTDIR);
	CHECK_EQ(CALL2(open, str("/tmp/d"), RW), -EISDIR);
	CHECK(!strcmp(names("/tmp"), " . .. d "));
	CHECK(!strcmp(names("/tmp/d"), " . .. f "));
	CHECK_EQ(CALL1(rmdir, str("/tmp/d")), -ENOTEMPTY);
	CHECK_EQ(CALL1(unlink, str("/tmp/d")), -EISDIR);
	CHECK_EQ(CALL1(rmdir, str("/tmp/d/f")), -ENOTDIR);
	CHECK_EQ(CALL1(rmdir, str("/tmp")), -EBUSY);
	CHECK_EQ(CALL2(rename, str("/tmp/d"), str("/tmp/d/e")), -EINVAL);
	CHECK_EQ(CALL2(rename, str("/tmp/d/f"), str("/tmp/f")), 0);
	CHECK_EQ(CALL2(rename, str("/tmp/d/f"), str("/tmp/f")), -ENOENT);
	CHECK_EQ(CALL2(rename, str("/tmp/f"), str("/tmp/d")), -EISDIR);
	CHECK_EQ(CALL2(rename, str("/tmp/d"), str("/tmp/f")), -ENOTDIR);
	CHECK_EQ(CALL2(rename, str("/tmp/f"), str("/root/f")), -EROFS);
	CHECK_EQ(put(3, "text"), 4);
	CHECK_EQ(CALL2(open, str("/tmp/g"), RW), 4);
	CHECK_EQ(CALL2(rename, str("/tmp/f"), str("/tmp/g")), 0);
	CHECK(!strcmp(get("/tmp/g"), "text"));
	CHECK_EQ(CALL1(close, 4), 0);
	CHECK(!strcmp(names("/tmp"), " . .. d g "));
	CHECK_EQ(CALL2(open, str("/tmp/d"), O_RDONLY), 4);
	CHECK_EQ(CALL3(openat, 4, str("../g"), O_RDONLY), 5);
	CHECK_EQ(CALL3(unlinkat, 4, str("../g"), 0), 0);
	CHECK_EQ(CALL1(rmdir, str("/tmp/d")), 0);
	CHECK_EQ(CALL3(openat, 4, str("new"), RW), -ENOENT);
	/* nor is what it was in there any more */
	CHECK_EQ(CALL2(mkdir, str("/tmp/p"), 0777), 0);
	CHECK_EQ(CALL2(mkdir, str("/tmp/p/q"), 0777), 0);
	CHECK_EQ(CALL2(open, str("/tmp/p/q"), O_RDONLY), 6);
	CHECK_EQ(CALL1(rmdir, str("/tmp/p/q")), 0);
	CHECK_EQ(CALL1(rmdir, str("/tmp/p")), 0);
	CHECK_EQ(CALL3(openat, 6, str("x"), RW), -ENOENT);
	CHECK_EQ(CALL3(openat, 6, str("tmp"), O_RDONLY), -ENOENT);
	CHECK_EQ(CALL2(mkdir, str("/tmp/p"), 0777), 0);
	CHECK_EQ(CALL3(openat, 6, str("../p"), O_RDONLY), -ENOENT);
	CHECK_EQ(CALL1(close, 6), 0);
	memset(s, 'n', sizeof s);
	memcpy(s, "/tmp/", 5);
	s[5 + SBX_TMP_NAME_MAX + 1] = '\0';
	CHECK_EQ(CALL2(open, str(s), RW), -ENAMETOOLONG);
	s[5 + SBX_TMP_NAME_MAX] = '\0';
	CHECK_EQ(CALL2(open, str(s), RW), 6);
	World_Fini(&w);
}

/* As much as there is memory, as many as there are names; all comes back. */
static void
tmp_exhaust(void)
{
	static char big[100000];
	char name[32];
	int64_t l, sum, first = 0;
	unsigned u, round;

	memset(big, 'b', sizeof big);
	World_New(&w, NULL);
	{
		uint64_t a[6] = { 0, sizeof big, 3,
		    MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0 };
		int64_t va = SBX_Syscall(&w.proc, SYS_mmap, a);

		World_Put(&w, (uint64_t)va, big, sizeof big);
		for (round = 0; round < 3; round++) {
			CHECK_EQ(CALL2(open, str("/tmp/big"), RW), 3);
			for (sum = 0; (l = CALL3(write, 3, va,
			    sizeof big)) > 0; sum += l)
				continue;
			CHECK_EQ(l, -ENOSPC);
			CHECK(sum > 500000);
			if (round == 0)
				first = sum;
			CHECK_EQ(sum, first);
			CHECK_EQ(CALL1(unlink, str("/tmp/big")), 0);
			CHECK_EQ(CALL1(close, 3), 0);
		}
	}
	for (u = 0; ; u++) {
		(void)snprintf(name, sizeof name, "/tmp/%u", u);
		l = CALL2(open, str(name), RW);
		if (l < 0)
			break;
		CHECK_EQ(CALL1(close, l), 0);
	}
	CHECK_EQ(l, -ENOSPC);
	/* /tmp, and the big one, whose memory nobody has wanted back */
	CHECK_EQ(u, SBX_TMP_NODES_MAX - 2);
	World_Fini(&w);
}

/* A program gives back what a file is in, and has it grow: into the memory that
 * it is copied from. Sanitizers see that. */
static void
tmp_given_back(void)
{
	const uint64_t half = WORLD_ARENA_LEN / 2 + 0x10000;

	World_New(&w, NULL);
	CHECK_EQ(CALL2(open, str("/tmp/f"), RW), 3);
	CHECK_EQ(CALL2(ftruncate, 3, half), 0);
	CHECK_EQ(w.proc.files.tmp.node[1].room, half);
	CHECK_EQ(CALL2(munmap, w.proc.files.tmp.node[1].va, half), 0);
	CHECK_EQ(CALL2(ftruncate, 3, half + SBX_PAGE), 0);
	CHECK_EQ(CALL3(read, 3, BUF, 4), 4);
	CHECK_EQ(CALL1(close, 3), 0);
	World_Fini(&w);
}

static void
tmp_reset(void)
{
	static struct sbx_proc golden;

	World_New(&w, NULL);
	CHECK_EQ(CALL2(open, str("/tmp/keep"), RW), 3);
	CHECK_EQ(put(3, "kept"), 4);
	CHECK_EQ(CALL2(open, str("/tmp/gone"), RW), 4);
	CHECK_EQ(put(4, "gone"), 4);
	CHECK_EQ(CALL1(unlink, str("/tmp/gone")), 0);
	CHECK_EQ(CALL1(close, 4), 0);
	SBX_Proc_Init(&golden, &w.m, &w.layout, w.allow, "/p");
	AZ(SBX_Proc_Copy(&golden, &w.proc));
	/* a call that fails has taken away what was left of the other file */
	SBX_Proc_Reset(&w.proc, &golden);
	w.proc.files.tmp.changed = 0;
	CHECK_EQ(CALL2(ftruncate, 3, WORLD_ARENA_LEN), -ENOSPC);
	SBX_Proc_Reset(&w.proc, &golden);
	AZ(memcmp(w.proc.files.tmp.node, golden.files.tmp.node,
	    golden.files.tmp.n * sizeof golden.files.tmp.node[0]));
	CHECK_EQ(CALL2(open, str("/tmp/new"), RW), 4);
	CHECK_EQ(CALL2(rename, str("/tmp/keep"), str("/tmp/moved")), 0);
	CHECK_EQ(CALL1(close, 3), 0);
	CHECK_EQ(CALL1(unlink, str("/tmp/moved")), 0);
	SBX_Proc_Reset(&w.proc, &golden);
	CHECK(!strcmp(names("/tmp"), " . .. keep "));
	CHECK(!strcmp(get("/tmp/keep"), "kept"));
	CHECK_EQ(CALL3(lseek, 3, 0, SEEK_CUR), 4);
	CHECK_EQ(CALL1(close, 4), -EBADF);
	SBX_Proc_Fini(&golden);
	World_Fini(&w);
}

/*--------------------------------------------------------------------
 * /proc and /dev
 */

static void
made_up(void)
{

	World_New(&w, NULL);
	CHECK_HAS(get("/proc/cpuinfo"), "processor\t: 0\n");
	CHECK_HAS(get("/proc/meminfo"), "MemTotal:           8192 kB\n");
	CHECK_HAS(get("/proc/self/maps"), "[stack]\n");
	CHECK_HAS(get("/proc/1/maps"), "02000000-02010000 rw-p ");
	CHECK_HAS(get("/proc/self/status"), "Name:\tprogram\n");
	CHECK(!strcmp(get("/sys/devices/system/cpu/online"), "0\n"));
	CHECK_EQ(mode("/proc"), S_IFDIR | 0555);
	CHECK_EQ(mode("/proc/self"), S_IFDIR | 0555);
	CHECK_EQ(mode("/proc/self/maps"), S_IFREG | 0444);
	CHECK_EQ(mode("/proc/self/mem"), -ENOENT);
	CHECK_EQ(CALL2(open, str("/proc/self/maps"), O_RDWR), -EACCES);
	CHECK_EQ(CALL2(open, str("/proc/uptime"), O_RDONLY), -ENOENT);
	CHECK_EQ(mode("/etc/localtime"), -ENOENT);
	CHECK_EQ(mode("/etc/passwd"), -ENOENT);
	CHECK_EQ(CALL2(open, str("/dev/stdout"), O_WRONLY), 3);
	CHECK_EQ(put(3, "line\n"), 5);
	CHECK_HAS(w.log, "line\n");
	CHECK_EQ(CALL2(open, str("/dev/fd/3"), O_WRONLY), 4);
	CHECK_EQ(CALL2(open, str("/dev/fd/9"), O_WRONLY), -EBADF);
	CHECK_EQ(CALL2(open, str("/dev/fd/3x"), O_WRONLY), -ENOENT);
	World_Fini(&w);
}

/* All paths that are made of these. */
static void
odd_paths(void)
{
	static const char * const part[] = { "/", "..", ".", "tmp", "a", "" };
	char s[64];
	unsigned i, n;

	World_New(&w, NULL);
	for (i = 0; i < 6 * 6 * 6 * 6 * 6 * 6; i++) {
		s[0] = '\0';
		for (n = i; n > 0; n /= 6)
			strcat(s, part[n % 6]);
		(void)mode(s);
		CHECK(CALL1(rmdir, str(s)) < 0);
	}
	World_Fini(&w);
}

static void
clean_up(void)
{
	char cmd[200];

	(void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	AZ(system(cmd));
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(host_dirs);
	TEST(tmp_files);
	TEST(tmp_dirs);
	TEST(tmp_exhaust);
	TEST(tmp_given_back);
	TEST(tmp_reset);
	TEST(made_up);
	TEST(odd_paths);
	clean_up();
	TEST_END();
}
