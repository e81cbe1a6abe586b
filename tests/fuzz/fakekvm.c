/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * fakekvm.c: a KVM without a CPU.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/watchdog.h"

#include "fakekvm.h"

#define FAKE_FD_KVM		1000000		/* no descriptor */
#define FAKE_VMS		24
#define FAKE_GUARD		65536

struct fake fake;

static struct fake_vm fake_vm[FAKE_VMS];

int __wrap_clock_gettime(clockid_t, struct timespec *);
int __real_clock_gettime(clockid_t, struct timespec *);
int __wrap_clock_nanosleep(clockid_t, int, const struct timespec *,
    struct timespec *);

/*--------------------------------------------------------------------
 * Time
 */

/* The watchdog's work, whose thread does not run. */
static void
fake_watch(void)
{
	struct sbx_machine *m = fake.watched;
	int k = SBX_KICK_ARMED;

	if (m == NULL || fake.now < atomic_load(&m->deadline))
		return;
	if (atomic_compare_exchange_strong(&m->kick, &k, SBX_KICK_KICKED))
		m->run->immediate_exit = 1;
}

int
__wrap_clock_gettime(clockid_t clk, struct timespec *ts)
{

	if (clk == CLOCK_REALTIME)
		return (__real_clock_gettime(clk, ts));
	fake.now += FAKE_TICK;
	fake_watch();
	ts->tv_sec = fake.now / 1000000000;
	ts->tv_nsec = fake.now % 1000000000;
	return (0);
}

int
__wrap_clock_nanosleep(clockid_t clk, int flags, const struct timespec *ts,
    struct timespec *left)
{
	int64_t until;

	assert(clk == CLOCK_MONOTONIC);
	assert(flags == TIMER_ABSTIME);
	AZ(left);
	assert(ts->tv_sec >= 0 && ts->tv_nsec >= 0);
	assert(ts->tv_nsec < 1000000000);
	until = ts->tv_sec * 1000000000 + ts->tv_nsec;
	if (until > fake.now)
		fake.now = until;
	fake_watch();
	return (0);
}

/*--------------------------------------------------------------------
 * The host's system calls
 */

static int
fake_fd(int fd)
{

	if (fd >= 0)
		fake.n_fd++;
	return (fd);
}

static int
fake_open(const char *path, int flags)
{

	return (fake_fd(sbx_os_real.open(path, flags)));
}

static int
fake_openat2(int dirfd, const char *path, const struct open_how *how)
{

	/* what is in front of a guest's path is checked by the kernel */
	AN(how->resolve & RESOLVE_BENEATH);
	AZ(how->flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC));
	return (fake_fd(sbx_os_real.openat2(dirfd, path, how)));
}

static int
fake_memfd_create(const char *name, unsigned flags)
{

	return (fake_fd(sbx_os_real.memfd_create(name, flags)));
}

static int
fake_close(int fd)
{
	unsigned u;

	for (u = 0; u < FAKE_VMS; u++)
		if (fake_vm[u].magic == FAKE_VM_MAGIC &&
		    fake_vm[u].vm_fd == fd) {
			free(fake_vm[u].dirty);
			memset(&fake_vm[u], 0, sizeof fake_vm[u]);
		}
	assert(fake.n_fd > 0);
	fake.n_fd--;
	return (sbx_os_real.close(fd));
}

static struct fake_vm *
fake_by_vcpu(int fd)
{
	unsigned u;

	for (u = 0; u < FAKE_VMS; u++)
		if (fake_vm[u].magic == FAKE_VM_MAGIC &&
		    fake_vm[u].vcpu_fd == fd)
			return (&fake_vm[u]);
	return (NULL);
}

static void *
fake_mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	struct fake_vm *vm = NULL;
	uint8_t *p;

	if (addr != NULL)
		return (sbx_os_real.mmap(addr, len, prot, flags, fd, off));
	if (fd >= 0)
		vm = fake_by_vcpu(fd);
	if (vm != NULL) {
		flags = MAP_PRIVATE | MAP_ANONYMOUS;
		fd = -1;
	}
	p = sbx_os_real.mmap(NULL, len + 2 * FAKE_GUARD, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(p != MAP_FAILED);
	p = sbx_os_real.mmap(p + FAKE_GUARD, len, prot, flags | MAP_FIXED, fd,
	    off);
	assert(p != MAP_FAILED);
	fake.n_map++;
	if (vm != NULL)
		vm->run = (void *)p;
	return (p);
}

static int
fake_munmap(void *addr, size_t len)
{

	assert(fake.n_map > 0);
	fake.n_map--;
	return (sbx_os_real.munmap((uint8_t *)addr - FAKE_GUARD,
	    len + 2 * FAKE_GUARD));
}

static ssize_t
fake_getrandom(void *ptr, size_t len, unsigned flags)
{

	AZ(flags);
	memset(ptr, 0xa5, len);
	return ((ssize_t)len);
}

static int
fake_pthread_create(pthread_t *thr, const pthread_attr_t *attr,
    void *(*func)(void *), void *priv)
{

	(void)attr;
	(void)func;
	(void)priv;
	*thr = pthread_self();
	return (0);
}

/*--------------------------------------------------------------------
 * KVM
 */

static int
fake_create_vm(void)
{
	struct fake_vm *vm;

	for (vm = fake_vm; vm->magic != 0; vm++)
		assert(vm < fake_vm + FAKE_VMS - 1);
	vm->magic = FAKE_VM_MAGIC;
	vm->vm_fd = fake_open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert(vm->vm_fd >= 0);
	vm->vcpu_fd = -1;
	return (vm->vm_fd);
}

static void
fake_memory(struct fake_vm *vm, const struct kvm_userspace_memory_region *r)
{

	AZ(r->guest_phys_addr);
	assert(r->flags == KVM_MEM_LOG_DIRTY_PAGES);
	AZ(vm->dirty);
	vm->mem = (uint8_t *)(uintptr_t)r->userspace_addr;
	vm->size = r->memory_size;
	vm->dirty = calloc((vm->size / SBX_PAGE + 63) / 64, sizeof *vm->dirty);
	AN(vm->dirty);
}

static void
fake_clear_log(struct fake_vm *vm, const struct kvm_clear_dirty_log *log)
{
	const uint64_t *bits = log->dirty_bitmap;
	size_t w;

	AZ(log->first_page % 64);
	assert(log->first_page + log->num_pages <= vm->size / SBX_PAGE);
	for (w = 0; w < (log->num_pages + 63) / 64; w++)
		vm->dirty[log->first_page / 64 + w] &= ~bits[w];
}

void
Fake_Dirty(struct fake_vm *vm, uint64_t pa, uint64_t len)
{
	uint64_t p;

	CHECK_OBJ_NOTNULL(vm, FAKE_VM_MAGIC);
	AN(len);
	for (p = pa / SBX_PAGE; p <= (pa + len - 1) / SBX_PAGE; p++)
		vm->dirty[p / 64] |= UINT64_C(1) << (p % 64);
}

void
Fake_Out(struct fake_vm *vm, unsigned port, uint64_t at)
{
	struct kvm_run *run = vm->run;

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = KVM_EXIT_IO_OUT;
	run->io.size = 1;
	run->io.port = (uint16_t)port;
	run->io.count = 1;
	run->s.regs.regs.rip = at +
	    (fake.kvm.platform == SBX_PLATFORM_P ? 2 : 0);
}

/* The editor, stubs.S. */
static void
fake_editor(struct fake_vm *vm)
{
	const struct sbx_edit *e;
	uint64_t n, pa;

	n = vm->run->s.regs.regs.rcx;
	assert(n > 0 && n <= SBX_EDITS_MAX);
	assert(vm->run->s.regs.regs.rdi == SBX_SYS_EDITS);
	e = (const void *)(vm->mem + SBX_SYS_EDITS);
	for (; n > 0; n--, e++) {
		if (fake.edit != NULL)
			fake.edit(fake.priv, vm, e);
		assert(e->entry >= SBX_GVA_TABLES);
		pa = e->entry - SBX_GVA_TABLES + SBX_SYS_END;
		/* tables that are not where they were: a page fault */
		if (pa > vm->size - sizeof e->value || pa % 8 != 0) {
			Fake_Out(vm, SBX_PORT_FAULT, SBX_SYS_FAULT);
			return;
		}
		memcpy(vm->mem + pa, &e->value, sizeof e->value);
		Fake_Dirty(vm, pa, sizeof e->value);
	}
	Fake_Out(vm, SBX_PORT_EDITED, SBX_SYS_FAULT + SBX_FAULT_EDIT + 16);
}

static int
fake_kvm_run(struct fake_vm *vm)
{
	const struct kvm_regs *r = &vm->run->s.regs.regs;

	fake.now += FAKE_TICK;
	fake_watch();
	if (vm->run->immediate_exit) {
		errno = EINTR;
		return (-1);
	}
	AN(vm->run->kvm_valid_regs & KVM_SYNC_X86_SREGS);
	if (vm->sregs.cs.dpl == 0 && r->rip == SBX_SYS_FAULT + SBX_FAULT_EDIT &&
	    !fake.fail_edit)
		fake_editor(vm);
	else
		fake.run(fake.priv, vm);
	vm->run->s.regs.sregs = vm->sregs;
	return (0);
}

static int
fake_vcpu(struct fake_vm *vm, unsigned long nr, void *arg)
{

	switch (nr) {
	case KVM_RUN:
		return (fake_kvm_run(vm));
	case KVM_GET_SREGS:
		memcpy(arg, &vm->sregs, sizeof vm->sregs);
		return (0);
	case KVM_SET_SREGS:
		memcpy(&vm->sregs, arg, sizeof vm->sregs);
		return (0);
	case KVM_SET_MSRS:
		return ((int)((struct kvm_msrs *)arg)->nmsrs);
	case KVM_GET_VCPU_EVENTS:
		memset(arg, 0, sizeof(struct kvm_vcpu_events));
		return (0);
	case KVM_GET_XSAVE:
		memset(arg, 0, sizeof(struct kvm_xsave));
		return (0);
	case KVM_SET_CPUID2:
	case KVM_SET_XCRS:
		return (0);
	default:
		WRONG("an ioctl of a vCPU");
	}
	return (-1);
}

static int
fake_ioctl_vm(struct fake_vm *vm, unsigned long nr, void *arg)
{

	switch (nr) {
	case KVM_CREATE_VCPU:
		vm->vcpu_fd = fake_open("/dev/null", O_RDONLY | O_CLOEXEC);
		return (vm->vcpu_fd);
	case KVM_SET_USER_MEMORY_REGION:
		fake_memory(vm, arg);
		return (0);
	case KVM_GET_DIRTY_LOG:
		memcpy(((struct kvm_dirty_log *)arg)->dirty_bitmap, vm->dirty,
		    (vm->size / SBX_PAGE + 63) / 64 * sizeof *vm->dirty);
		return (0);
	case KVM_CLEAR_DIRTY_LOG:
		fake_clear_log(vm, arg);
		return (0);
	case KVM_CHECK_EXTENSION:
	case KVM_ENABLE_CAP:
	case KVM_X86_SET_MSR_FILTER:
		return (1);
	default:
		WRONG("an ioctl of a VM");
	}
	return (-1);
}

static int
fake_ioctl(int fd, unsigned long nr, void *arg)
{
	struct fake_vm *vm;
	unsigned u;

	if (fd == FAKE_FD_KVM && nr == KVM_CREATE_VM)
		return (fake_create_vm());
	vm = fake_by_vcpu(fd);
	if (vm != NULL)
		return (fake_vcpu(vm, nr, arg));
	for (u = 0; u < FAKE_VMS; u++)
		if (fake_vm[u].magic == FAKE_VM_MAGIC &&
		    fake_vm[u].vm_fd == fd)
			return (fake_ioctl_vm(&fake_vm[u], nr, arg));
	WRONG("an ioctl of nothing");
	return (-1);
}

void
Fake_Init(enum sbx_platform_e platform)
{
	static struct kvm_cpuid2 cpuid;
	struct sbx_err err;

	fake.kvm.magic = SBX_KVM_MAGIC;
	fake.kvm.fd = FAKE_FD_KVM;
	fake.kvm.run_size = SBX_PAGE;
	fake.kvm.xcr0 = 7;
	fake.kvm.cpuid = &cpuid;
	fake.kvm.platform = platform;
	fake.kvm.tsc_mult = 1;
	fake.now = INT64_C(1000000000);
	sbx_os.open = fake_open;
	sbx_os.openat2 = fake_openat2;
	sbx_os.memfd_create = fake_memfd_create;
	sbx_os.close = fake_close;
	sbx_os.mmap = fake_mmap;
	sbx_os.munmap = fake_munmap;
	sbx_os.getrandom = fake_getrandom;
	sbx_os.pthread_create = fake_pthread_create;
	sbx_os.ioctl = fake_ioctl;
	SBX_Err_Clear(&err);
	AZ(SBX_Watchdog_Start(&err));
}
