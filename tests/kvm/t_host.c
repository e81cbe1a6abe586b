/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What we do to the process that we run in: nothing that is left when the last
 * program has been closed, and while one runs no more than is said in
 * doc/threat-model.rst. And a file that changes while it is loaded.
 */

#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "test.h"

static struct sbx_err err;

/*--------------------------------------------------------------------
 * The process
 */

struct host_state {
	struct sigaction	sa[NSIG];
	sigset_t		mask;
	struct rlimit		rl[RLIM_NLIMITS];
	mode_t			umask;
	int			seccomp;
	int			no_new_privs;
	int			dumpable;
	char			cwd[4096];
	char			name[16];
};

static void
host_get(struct host_state *st)
{
	int i;

	memset(st, 0, sizeof *st);
	for (i = 1; i < NSIG; i++)
		(void)sigaction(i, NULL, &st->sa[i]);
	AZ(pthread_sigmask(SIG_SETMASK, NULL, &st->mask));
	for (i = 0; i < (int)RLIM_NLIMITS; i++)
		AZ(getrlimit((__rlimit_resource_t)i, &st->rl[i]));
	st->umask = umask(0);
	(void)umask(st->umask);
	st->seccomp = prctl(PR_GET_SECCOMP);
	st->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	st->dumpable = prctl(PR_GET_DUMPABLE);
	AN(getcwd(st->cwd, sizeof st->cwd));
	AZ(prctl(PR_GET_NAME, st->name));
}

/* (signals) may be another by now. */
static void
host_same(const struct host_state *a, const struct host_state *b, int signals)
{
	int i, n = 0;

	for (i = 1; i < NSIG; i++)
		n += a->sa[i].sa_handler != b->sa[i].sa_handler;
	CHECK_EQ(n, signals);
	for (i = 1; i < NSIG; i++)
		if (a->sa[i].sa_handler != b->sa[i].sa_handler) {
			CHECK(i >= SIGRTMIN);
			CHECK(a->sa[i].sa_handler == SIG_DFL);
			CHECK(b->sa[i].sa_flags & SA_RESTART);
		}
	for (i = 1; i < SIGRTMIN; i++)
		CHECK_EQ(sigismember(&a->mask, i), sigismember(&b->mask, i));
	for (i = SIGRTMIN; i <= SIGRTMAX; i++)
		CHECK_EQ(sigismember(&b->mask, i), 0);
	CHECK(!memcmp(a->rl, b->rl, sizeof a->rl));
	CHECK_EQ(a->umask, b->umask);
	CHECK_EQ(a->seccomp, b->seccomp);
	CHECK_EQ(a->no_new_privs, b->no_new_privs);
	CHECK_EQ(a->dumpable, b->dumpable);
	CHECK(!strcmp(a->cwd, b->cwd));
	CHECK(!strcmp(a->name, b->name));
}

static void
process(void)
{
	static struct host_state before, during, after;
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;

	host_get(&before);
	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
	host_get(&during);
	host_same(&before, &during, 1);
	Kvm_Close(&prg);
	host_get(&after);
	host_same(&before, &after, 0);
}

/*--------------------------------------------------------------------
 * Descriptors and memory
 */

/* Descriptors that an exec would keep; (kvm) counts those of /dev/kvm. */
static unsigned
host_kept(unsigned *kvm)
{
	char path[64], to[256];
	unsigned n = 0;
	ssize_t l;
	int fd, i;

	*kvm = 0;
	for (fd = 3; fd < 1024; fd++) {
		i = fcntl(fd, F_GETFD);
		if (i < 0)
			continue;
		n += !(i & FD_CLOEXEC);
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		l = readlink(path, to, sizeof to - 1);
		to[l < 0 ? 0 : l] = '\0';
		*kvm += !strcmp(to, "/dev/kvm");
	}
	return (n);
}

static void
descriptors(void)
{
	struct sbx_program *prg[2];
	struct sbx_program_cfg cfg;
	const char *files[] = { "/etc", NULL };
	unsigned before, kvm;

	before = host_kept(&kvm);
	CHECK_EQ(kvm, 0);
	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	cfg.min_vms = 4;
	cfg.files = files;
	prg[0] = Kvm_Open(&cfg);
	Kvm_Cfg(&cfg, Kvm_Example("echo"));
	prg[1] = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Get(prg[0], "/", NULL, 0, &err), 200);
	CHECK_EQ(host_kept(&kvm), before);
	CHECK_EQ(kvm, 1);
	Kvm_Close(&prg[0]);
	Kvm_Close(&prg[1]);
	(void)host_kept(&kvm);
	CHECK_EQ(kvm, 0);
}

/* How many mappings of images and of memory from (kb) KB on there are, and how
 * many of them a core dump would have. */
static void
host_dumps(unsigned *found, unsigned *dumped, unsigned long kb)
{
	char line[512];
	unsigned long lo, hi;
	int ours = 0;
	FILE *f;

	*found = *dumped = 0;
	f = fopen("/proc/self/smaps", "r");
	AN(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &lo, &hi) == 2)
			ours = strstr(line, "sandbox-image") != NULL ||
			    (strstr(line, " 00:00 0 ") != NULL &&
			    hi - lo >= kb << 10);
		if (!ours || strncmp(line, "VmFlags:", 8))
			continue;
		(*found)++;
		*dumped += strstr(line, " dd") == NULL;
	}
	AZ(fclose(f));
}

static void
dumps(void)
{
	unsigned found, dumped;
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;

	/* so large that no stack of a thread is taken for it */
	Kvm_Cfg(&cfg, Kvm_Example("hello"));
	cfg.memory = 256 << 20;
	cfg.min_vms = 3;
	prg = Kvm_Open(&cfg);
	CHECK_EQ(Kvm_Get(prg, "/", NULL, 0, &err), 200);
#ifndef __SANITIZE_ADDRESS__	/* has large mappings of its own */
	host_dumps(&found, &dumped, 64 << 10);
	CHECK_EQ(dumped, 0);
#endif
	host_dumps(&found, &dumped, ULONG_MAX >> 10);
	CHECK(found > 3);
	CHECK_EQ(dumped, 0);
	Kvm_Close(&prg);
}

/*--------------------------------------------------------------------
 * A file that changes while it is read
 */

static char change_path[] = "/tmp/t_host.XXXXXX";
static int change_flags;

static void
change_write(const char *b, size_t l, int flags)
{
	int fd;

	fd = open(change_path, O_WRONLY | O_CLOEXEC | flags);
	assert(fd >= 0);
	assert(write(fd, b, l) == (ssize_t)l);
	AZ(close(fd));
}

static ssize_t
change_pread(int fd, void *p, size_t l, off_t off)
{

	if (change_flags >= 0)
		change_write("x", 1, change_flags);
	change_flags = -1;
	return (sbx_os_real.pread(fd, p, l, off));
}

static void
changes(void)
{
	static const int flags[] = { -1, O_APPEND, O_TRUNC, 0 };
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	static char b[8 << 20];
	unsigned u;
	size_t l;
	FILE *f;
	int fd;

	f = fopen(Kvm_Example("hello"), "rb");
	AN(f);
	l = fread(b, 1, sizeof b, f);
	AZ(fclose(f));
	fd = mkstemp(change_path);
	assert(fd >= 0);
	AZ(close(fd));
	sbx_os.pread = change_pread;
	for (u = 0; u < sizeof flags / sizeof *flags; u++) {
		change_write(b, l, O_TRUNC);
		/* the time of a change has the grain of the kernel's clock */
		(void)usleep(50000);
		change_flags = flags[u];
		Kvm_Cfg(&cfg, change_path);
		SBX_Err_Clear(&err);
		prg = NULL;
		CHECK_EQ(SBX_Program_Open(&cfg, &prg, &err), u > 0 ? -1 : 0);
		CHECK_EQ(change_flags, -1);
		if (u == 0) {
			SBX_Program_Close(&prg);
			continue;
		}
		CHECK_EQ(err.kind, SBX_FAIL_CONFIG);
		CHECK_HAS(err.msg, "the file changed");
	}
	sbx_os.pread = sbx_os_real.pread;
	AZ(unlink(change_path));
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(240);
	TEST(process);
	TEST(descriptors);
	TEST(dumps);
	TEST(changes);
	TEST_END();
}
