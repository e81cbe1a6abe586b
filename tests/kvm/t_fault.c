/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The Nth system call of the host's fails, for every N: while a program is
 * loaded, started and frozen, while VMs are stamped, warmed up, run, reset,
 * replaced and destroyed. No crash, no leak, and a sentence each time.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "test.h"

static _Atomic int calls;		/* made so far */
static int fail_at;			/* which one fails; 0: none */
static _Atomic int failed;

/* True if this call has to fail. */
static int
fails(void)
{

	if (atomic_fetch_add(&calls, 1) + 1 != fail_at)
		return (0);
	failed = 1;
	errno = ENOMEM;
	return (1);
}

/* What gives something back can not fail; all else is taken from the table. */
#define FAIL_close		0
#define FAIL_munmap		0
#define FAIL_open		fails()
#define FAIL_ioctl		fails()
#define FAIL_memfd_create	fails()
#define FAIL_ftruncate		fails()
#define FAIL_lseek		fails()
#define FAIL_fallocate		fails()
#define FAIL_fcntl		fails()
#define FAIL_fstat		fails()
#define FAIL_fstatfs		fails()
#define FAIL_openat2		fails()
#define FAIL_readlinkat		fails()
#define FAIL_getdents64		fails()
#define FAIL_pread		fails()
#define FAIL_pwrite		fails()
#define FAIL_unlinkat		0
#define FAIL_mmap		fails()
#define FAIL_madvise		fails()
#define FAIL_getrandom		fails()
#define FAIL_pthread_create	fails()
#define FAIL_calloc		fails()
#define FAIL_malloc		fails()

/* What a failure looks like, by return type. */
#define RET_open		(-1)
#define RET_close		(-1)
#define RET_ioctl		(-1)
#define RET_memfd_create	(-1)
#define RET_ftruncate		(-1)
#define RET_lseek		(-1)
#define RET_fallocate		(-1)
#define RET_fcntl		(-1)
#define RET_fstat		(-1)
#define RET_fstatfs		(-1)
#define RET_openat2		(-1)
#define RET_readlinkat		(-1)
#define RET_getdents64		(-1)
#define RET_pread		(-1)
#define RET_pwrite		(-1)
#define RET_unlinkat		(-1)
#define RET_mmap		MAP_FAILED
#define RET_munmap		(-1)
#define RET_madvise		(-1)
#define RET_getrandom		(-1)
#define RET_pthread_create	EAGAIN
#define RET_calloc		NULL
#define RET_malloc		NULL

#define OSCALL(ret, name, parm, arg)					\
static ret								\
fail_##name parm							\
{									\
									\
	if (FAIL_##name)						\
		return (RET_##name);					\
	return (sbx_os_real.name arg);					\
}
#include "tbl/os_calls.h"

static const struct sbx_os failing = {
#define OSCALL(ret, name, parm, arg)	.name = fail_##name,
#include "tbl/os_calls.h"
};

/* Where core files go, if a guest is to die. */
static char *core_dir;

static void
cores_away(void)
{
	struct dirent *e;
	DIR *d;

	d = opendir(core_dir);
	AN(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			AZ(unlinkat(dirfd(d), e->d_name, 0));
	(void)closedir(d);
}

/* From nothing to nothing. Returns -1 if something failed; (err) says what. */
static int
life(const char *path, const char *url, struct sbx_err *err)
{
	const char *files[] = { "/etc", "/etc/passwd", NULL };
	struct sbx_program_cfg cfg;
	struct sbx_program *prg = NULL;
	struct sbx_err e;
	int i, r = 0;

	Kvm_Cfg(&cfg, path);
	cfg.min_vms = 2;
	cfg.files = files;
	cfg.queue_timeout = 0.05;
	cfg.core_dir = core_dir;
	SBX_Err_Clear(err);
	if (SBX_Program_Open(&cfg, &prg, err))
		return (-1);
	if (SBX_Program_Warm(prg, err)) {
		SBX_Program_Close(&prg);
		return (-1);
	}
	/* what a call of its own gave it is between the guest and the test */
	for (i = 0; i < 2; i++)
		if (Kvm_Get(prg, url, NULL, 0, &e) < 0) {
			*err = e;
			r = -1;
		}
	/* nobody sees either what becomes of the core */
	if (core_dir != NULL)
		CHECK_EQ(Kvm_Get(prg, "/crash", NULL, 0, &e), -1);
	/* a VM less than there should be is not an error that anybody sees */
	Kvm_Close(&prg);
	if (core_dir != NULL)
		cores_away();
	return (r);
}

static void
told(const struct sbx_reload *r)
{

	AN(r);
}

/* The same, with a reload. If that fails, it says why, and the program serves
 * as before. */
static int
second_life(const char *path, const char *url, struct sbx_err *err)
{
	struct sbx_program_info info;
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	struct sbx_err e;
	int i, r = 0, at = fail_at;

	Kvm_Cfg(&cfg, path);
	cfg.min_vms = 2;
	cfg.probe_url = url;
	fail_at = 0;
	prg = Kvm_Open(&cfg);
	fail_at = at;
	calls = 0;
	SBX_Err_Clear(err);
	i = SBX_Program_Reload(prg, "test", told, err);
	do {
		SBX_Program_Info(prg, &info);
		(void)usleep(100);
	} while (info.reloading);
	fail_at = 0;
	if (info.error[0] != '\0')
		r = -1;
	CHECK_EQ(info.generation, r == 0 ? 2 : 1);
	if (r && i == 0)
		(void)SBX_Err_Set(err, SBX_FAIL_HOST, 0, "%s", info.error);
	CHECK_EQ(Kvm_Get(prg, url, NULL, 0, &e), 200);
	fail_at = at;
	Kvm_Close(&prg);
	return (r);
}

typedef int life_f(const char *path, const char *url, struct sbx_err *err);

static void
every_call(life_f *life_func, const char *path, const char *url)
{
	struct sbx_err err;
	unsigned silent = 0;

	for (fail_at = 1; ; fail_at++) {
		calls = failed = 0;
		sbx_os = failing;
		if (life_func(path, url, &err)) {
			CHECK(err.kind != SBX_FAIL_NONE);
			CHECK(strlen(err.msg) > 10);
		} else if (failed)
			silent++;
		sbx_os = sbx_os_real;
		if (!failed)
			break;
	}
	/* in peace everything works, and much is done */
	CHECK(fail_at > 100);
	printf("%d calls, %u of them may fail without a request failing\n",
	    fail_at - 1, silent);
	fail_at = 0;
	CHECK_EQ(life_func(path, url, &err), 0);
}

static void
hello(void)
{

	every_call(life, Kvm_Example("hello"), "/");
}

/* Changes page tables, opens files. */
static void
residue(void)
{

	every_call(life, Kvm_Guest("residue"), "/fill");
	every_call(life, Kvm_Guest("pthreads"), "/pool?n=3");
	every_call(life, Kvm_Guest("signals"), "/store");
	every_call(life, Kvm_Guest("channels"), "/boot");
	every_call(life, Kvm_Guest("files"), "/few");
}

static void
reload(void)
{

	every_call(second_life, Kvm_Example("hello"), "/");
}

static void
core(void)
{
	char dir[] = "/tmp/sbx-fault.XXXXXX";

	core_dir = mkdtemp(dir);
	AN(core_dir);
	every_call(life, Kvm_Guest("deep"), "/ok");
	/* one may be left of a load that has failed half-way */
	cores_away();
	AZ(rmdir(core_dir));
	core_dir = NULL;
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(600);
	TEST(hello);
	TEST(residue);
	TEST(reload);
	TEST(core);
	TEST_END();
}
