/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Core files of real guests: nobody waits for them, what is lost is counted,
 * and nothing of the host's gets into one.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "test.h"

static char dir[64];
static sem_t at_disk, go_on;
static _Atomic int slow, broken;

static struct sbx_program *prg;
static struct sbx_err err;

/* The last news. */
static char text[1024];
static uint64_t seen;
static int bad;

/* A disk that takes its time. */
static ssize_t
disk_pwrite(int fd, const void *b, size_t l, off_t off)
{

	if (slow) {
		slow = 0;
		AZ(sem_post(&at_disk));
		AZ(sem_wait(&go_on));
	}
	if (broken) {
		errno = EIO;
		return (-1);
	}
	return (sbx_os_real.pwrite(fd, b, l, off));
}

/* Files in the directory; (path) is the last one's. Removes them, too. */
static unsigned
files(char *path, size_t len, int take)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	d = opendir(dir);
	AN(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (path != NULL)
			(void)snprintf(path, len, "%s/%s", dir, e->d_name);
		if (take)
			AZ(unlinkat(dirfd(d), e->d_name, 0));
	}
	(void)closedir(d);
	return (n);
}

static void
begin(struct sbx_program_cfg *cfg)
{

	strcpy(dir, "/tmp/sbx-core.XXXXXX");
	AN(mkdtemp(dir));
	AZ(sem_init(&at_disk, 0, 0));
	AZ(sem_init(&go_on, 0, 0));
	slow = broken = 0;
	seen = 0;
	bad = -1;
	sbx_os.pwrite = disk_pwrite;
	Kvm_Cfg(cfg, Kvm_Guest("deep"));
	cfg->core_dir = dir;
	cfg->backoff = 0;
}

/* Are there any? */
static int
news(void)
{

	return (SBX_Pool_CoreNews(SBX_Program_Pool(prg), &seen, &bad, text,
	    sizeof text));
}

static void
end(void)
{

	(void)files(NULL, 0, 1);
	AZ(rmdir(dir));
	sbx_os = sbx_os_real;
}

/*
 * With one VM at most: while the disk hangs, the next request gets a VM all the
 * same; the next one that is killed leaves no core, and is counted.
 */
static void
nobody_waits(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_pool_stats st;

	begin(&cfg);
	cfg.max_vms = 1;
	prg = Kvm_Open(&cfg);
	slow = 1;
	CHECK_EQ(Kvm_Get(prg, "/crash", NULL, 0, &err), -1);
	CHECK_HAS(err.msg, "(inner+0x");
	AZ(sem_wait(&at_disk));
	CHECK_EQ(Kvm_Get(prg, "/ok", NULL, 0, &err), 200);
	CHECK_EQ(Kvm_Get(prg, "/crash", NULL, 0, &err), -1);
	CHECK_EQ(Kvm_Get(prg, "/ok", NULL, 0, &err), 200);
	CHECK_EQ(Kvm_Get(prg, "/ok", NULL, 0, &err), 200);
	st = Kvm_Stats(prg);
	CHECK_EQ(st.cores, 0);
	CHECK_EQ(st.cores_skipped, 1);
	CHECK_EQ(news(), 0);
	AZ(sem_post(&go_on));
	/* and who stops the pool waits until it is complete */
	SBX_Program_Cool(prg);
	st = Kvm_Stats(prg);
	CHECK_EQ(st.cores, 1);
	CHECK_EQ(st.cores_failed, 0);
	CHECK_EQ(st.cores_skipped, 1);
	CHECK_EQ(st.vms, 0);
	CHECK_EQ(st.kills, 2);
	CHECK_EQ(news(), 1);
	CHECK_EQ(bad, 0);
	CHECK_HAS(text, "core of request 0: /tmp/sbx-core.");
	CHECK_EQ(news(), 0);
	SBX_Program_Close(&prg);
	CHECK_EQ(files(NULL, 0, 0), 1);
	end();
}

/*
 * A VM whose core is being written does not count for max_vms: when the others
 * are busy another one is made for who waits, although nothing else happens.
 */
static void
counts_not(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_pool_stats st;
	struct sbx_pool *pool;
	struct sbx_vm *busy;

	begin(&cfg);
	cfg.max_vms = 2;
	cfg.queue_timeout = 10 * Kvm_Slow();
	prg = Kvm_Open(&cfg);
	pool = SBX_Program_Pool(prg);
	busy = Kvm_Borrow(prg, &err);
	slow = 1;
	CHECK_EQ(Kvm_Get(prg, "/crash", NULL, 0, &err), -1);
	AZ(sem_wait(&at_disk));
	/* let the pool's thread go to sleep */
	(void)usleep(100000);
	CHECK_EQ(Kvm_Get(prg, "/ok", NULL, 0, &err), 200);
	SBX_Pool_Stats(pool, &st);
	CHECK_EQ(st.vms, 3);
	CHECK_EQ(st.queue_late, 0);
	AZ(sem_post(&go_on));
	SBX_Pool_Put(pool, &busy);
	Kvm_Close(&prg);
	end();
}

/* Two cores between two looks are told of both, and those that are too many to
 * be kept do not come again. */
static void
all_are_told(void)
{
	struct sbx_program_cfg cfg;
	char first[sizeof text];
	unsigned u;

	begin(&cfg);
	cfg.max_cores = 20;
	prg = Kvm_Open(&cfg);
	for (u = 0; u < 20; u++) {
		CHECK_EQ(Kvm_Get(prg, "/crash", NULL, 0, &err), -1);
		if (u == 19)
			break;
		/* cold: the core is complete */
		SBX_Program_Cool(prg);
		SBX_Err_Clear(&err);
		CHECK_EQ(SBX_Program_Warm(prg, &err), 0);
		if (u != 1)
			continue;
		CHECK_EQ(news(), 1);
		strcpy(first, text);
		CHECK_EQ(news(), 1);
		CHECK(strcmp(first, text) != 0);
		CHECK_EQ(news(), 0);
	}
	SBX_Program_Cool(prg);
	for (u = 0; news(); u++)
		CHECK_EQ(bad, 0);
	CHECK_EQ(u, 16);
	SBX_Program_Close(&prg);
	end();
}

/* A disk that fails: an error that is told, no file, and the pool goes on. */
static void
disk_fails(void)
{
	struct sbx_program_cfg cfg;
	struct sbx_pool_stats st;

	begin(&cfg);
	prg = Kvm_Open(&cfg);
	broken = 1;
	CHECK_EQ(Kvm_Get(prg, "/crash", NULL, 0, &err), -1);
	CHECK_EQ(Kvm_Get(prg, "/ok", NULL, 0, &err), 200);
	SBX_Program_Cool(prg);
	st = Kvm_Stats(prg);
	CHECK_EQ(st.cores, 0);
	CHECK_EQ(st.cores_failed, 1);
	CHECK_EQ(news(), 1);
	CHECK_EQ(bad, 1);
	CHECK_HAS(text, "no core of request 0: ");
	CHECK_HAS(text, "Input/output error");
	CHECK_EQ(files(NULL, 0, 0), 0);
	/* warm again, it works again; the directory may have moved meanwhile */
	broken = 0;
	SBX_Err_Clear(&err);
	CHECK_EQ(SBX_Program_Warm(prg, &err), 0);
	CHECK_EQ(Kvm_Get(prg, "/crash", NULL, 0, &err), -1);
	Kvm_Close(&prg);
	CHECK_EQ(files(NULL, 0, 0), 1);
	end();
}

/*
 * What this process knows is not in a core, whatever it is: on its stack, in
 * its heap, in a page next to the guest's memory. What the guest knows is.
 */
static void
nothing_of_ours(void)
{
	char secret[33], path[512], *heap;
	struct sbx_program_cfg cfg;
	struct stat st;
	unsigned u;
	uint8_t *b;
	int fd;

	begin(&cfg);
	prg = Kvm_Open(&cfg);
	fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	assert(read(fd, secret, 32) == 32);
	AZ(close(fd));
	heap = malloc(1 << 20);
	AN(heap);
	for (u = 0; u < (1 << 20) - 32; u += 32)
		memcpy(heap + u, secret, 32);
	CHECK_EQ(Kvm_Get(prg, "/crash?it-knows-this-url", NULL, 0, &err), -1);
	Kvm_Close(&prg);
	CHECK_EQ(files(path, sizeof path, 0), 1);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert(fd >= 0);
	AZ(fstat(fd, &st));
	CHECK_EQ(st.st_mode & 07777, 0600);
	b = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	AZ(close(fd));
	assert(b != MAP_FAILED);
	CHECK(memmem(b, (size_t)st.st_size, "/crash?it-knows-this-url",
	    24) != NULL);
	CHECK(memmem(b, (size_t)st.st_size, secret, 32) == NULL);
	/* nor is where things are in this process */
	CHECK(memmem(b, (size_t)st.st_size, &heap, sizeof heap) == NULL);
	AZ(munmap(b, (size_t)st.st_size));
	free(heap);
	end();
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(120);
	TEST(nobody_waits);
	TEST(counts_not);
	TEST(all_are_told);
	TEST(disk_fails);
	TEST(nothing_of_ours);
	TEST_END();
}
