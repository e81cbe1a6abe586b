/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What a request asks of the kernel: every system call that its thread makes,
 * also those that nobody sees in the source (a lock that has to wait, malloc()
 * that wants memory, a clock that is not in the vDSO). A parent counts them
 * with ptrace().
 */

#include "config.h"

#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vdef.h"
#include "vas.h"

#include "base/os.h"
#include "kvm.h"
#include "machine/kvm.h"
#include "pool/vm_priv.h"
#include "test.h"

#define N_REQUESTS		(4 * SBX_SEEDS)
#define N_CALLS			1024

/* What the requests' thread did between two getppid(). */
static struct calls {
	unsigned		n_run, n_log, n_ioctl;
	unsigned		nr[N_CALLS];	/* the others, by number */
	unsigned		markers;
} calls;

/*--------------------------------------------------------------------
 * The child
 */

static int
child_is_wrong(struct sbx_program *prg, const char *url, unsigned n)
{
	struct sbx_err err;

	while (n-- > 0)
		if (Kvm_Get(prg, url, NULL, 0, &err) != 200)
			return (1);
	return (0);
}

static void v_noreturn_
child(const char *path, const char *url)
{
	struct sbx_program_cfg cfg;
	struct sbx_program *prg;
	int bad;

	Kvm_Cfg(&cfg, path);
	prg = Kvm_Open(&cfg);
	/* the looks at what is hot (pool/reset.c) are rare after these, and
	 * random bytes are due with the first request that counts */
	bad = child_is_wrong(prg, url, 544);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(77);
	(void)raise(SIGSTOP);
	(void)syscall(SYS_getppid);
	bad |= child_is_wrong(prg, url, N_REQUESTS);
	(void)syscall(SYS_getppid);
	Kvm_Close(&prg);
	_exit(bad);
}

/*--------------------------------------------------------------------
 * The parent
 */

static void
calls_one(const struct __ptrace_syscall_info *si)
{
	uint64_t nr = si->entry.nr;

	if (nr == SYS_getppid)
		calls.markers++;
	else if (calls.markers != 1)
		return;
	else if (nr != SYS_ioctl)
		calls.nr[nr < N_CALLS ? nr : 0]++;
	else if (si->entry.args[1] == KVM_RUN)
		calls.n_run++;
	else if (si->entry.args[1] == KVM_GET_DIRTY_LOG)
		calls.n_log++;
	else
		calls.n_ioctl++;
}

/* Returns the status of the child's end. */
static int
calls_count(pid_t pid)
{
	struct __ptrace_syscall_info si;
	int status, sig;

	memset(&calls, 0, sizeof calls);
	AN(waitpid(pid, &status, 0) == pid);
	if (!WIFSTOPPED(status))
		return (status);
	AZ(ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	for (sig = 0; calls.markers < 2; ) {
		AZ(ptrace(PTRACE_SYSCALL, pid, NULL, sig));
		AN(waitpid(pid, &status, 0) == pid);
		if (!WIFSTOPPED(status))
			return (status);
		sig = WSTOPSIG(status);
		if (sig != (SIGTRAP | 0x80))
			continue;
		sig = 0;
		AN(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof si, &si) > 0);
		if (si.op == PTRACE_SYSCALL_INFO_ENTRY)
			calls_one(&si);
	}
	AZ(ptrace(PTRACE_DETACH, pid, NULL, NULL));
	AN(waitpid(pid, &status, 0) == pid);
	return (status);
}

static int
has_runners(void)
{
	struct sbx_kvm *kvm = NULL;
	struct sbx_err err;
	int i;

	SBX_Err_Clear(&err);
	AZ(SBX_Kvm_Open(&kvm, &err));
	i = kvm->runner;
	SBX_Kvm_Close(&kvm);
	return (i);
}

static void
count(const char *path, const char *url)
{
	unsigned u, want, runners;
	int status;
	pid_t pid;

	runners = (unsigned)has_runners();
	pid = fork();
	AN(pid >= 0);
	if (pid == 0)
		child(path, url);
	status = calls_count(pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("SKIP: ptrace() is not allowed\n");
		exit(77);
	}
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
	CHECK_EQ(calls.markers, 2);
	/* another thread runs the VM where there is one for each */
	CHECK_EQ(calls.n_run, runners ? 0 : N_REQUESTS);
	CHECK_EQ(calls.n_log, N_REQUESTS);
	CHECK_EQ(calls.n_ioctl, 0);
	for (u = 0; u < N_CALLS; u++) {
		if (u == SYS_futex && runners)
			continue;
		want = u == SYS_getrandom ? N_REQUESTS / SBX_SEEDS : 0;
		if (calls.nr[u] != want)
			printf("system call %u\n", u);
		CHECK_EQ(calls.nr[u], want);
	}
}

static void
hello(void)
{

	count(Kvm_Example("hello"), "/");
}

/* As many pages as a VM may keep for its program's sake */
static void
dirty(void)
{

	count(Kvm_Guest("dirty"), "/?pages=1024");
}

int
main(void)
{

	Kvm_Need();
	TEST_BEGIN(120);
	TEST(hello);
	TEST(dirty);
	TEST_END();
}
