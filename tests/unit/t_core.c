/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Core files of a process without a CPU: what is in them, what never is, and
 * what happens when the host refuses. tests/kvm/gdb.sh opens real ones.
 */

#include "config.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/core.h"
#include "machine/paging.h"
#include "test.h"
#include "world.h"

#define FAR_PAGE	(WORLD_ARENA + 3 * SBX_PAGE)

static struct world w;
static struct sbx_core core;
static struct sbx_err err;
static uint8_t *file;
static size_t file_len;
static int fd;

/* In the host's memory, and in the guest's: what is looked for is put together
 * at run time, so that it is nowhere else. */
static char host_secret[17], guest_mark[17];

static void
begin(void)
{
	struct sbx_thread *t = &w.proc.threads.first;
	unsigned u;

	World_New(&w, NULL);
	memset(&core, 0, sizeof core);
	core.max = UINT64_C(1) << 30;
	for (u = 0; u < 16; u++) {
		host_secret[u] = (char)('A' + u);
		guest_mark[u] = (char)('a' + u);
	}
	/* its registers are not in the vCPU, which there is none of */
	w.proc.threads.loaded = -1;
	t->saved = 1;
	t->cpu.regs.rip = 0x401234;
	t->cpu.regs.rsp = WORLD_STACK + WORLD_STACK_LEN - 64;
	t->cpu.regs.rbx = 0xb0b;
	t->cpu.fs_base = 0xf5;
	t->cpu.xsave[160] = 0x77;
	w.proc.mm.brk = WORLD_ARENA + 8 * SBX_PAGE;
	SBX_Proc_Signal(&w.proc, SIGSEGV, SEGV_MAPERR, &(uint64_t){ 0xdead });
	SBX_Proc_Kill(&w.proc, SBX_KILL_fault, "crash");
	World_Put(&w, WORLD_ARENA, guest_mark, 16);
	World_Put(&w, WORLD_STACK + WORLD_STACK_LEN - 32, guest_mark, 16);
}

/* Write it, and have it in memory. */
static int
make(void)
{
	struct stat st;
	int i;

	fd = memfd_create("core", MFD_CLOEXEC);
	assert(fd >= 0);
	SBX_Err_Clear(&err);
	i = SBX_Core_Write(&w.proc, &core, fd, &err);
	CHECK_EQ(err.kind, i == 0 ? SBX_FAIL_NONE : SBX_FAIL_HOST);
	AZ(fstat(fd, &st));
	file_len = (size_t)st.st_size;
	file = NULL;
	if (file_len > 0)
		file = mmap(NULL, file_len, PROT_READ, MAP_SHARED, fd, 0);
	assert(file != MAP_FAILED);
	AZ(close(fd));
	return (i);
}

static void
done(void)
{

	if (file != NULL)
		AZ(munmap(file, file_len));
	file = NULL;
}

static const Elf64_Phdr *
phdr(unsigned u)
{
	const Elf64_Ehdr *eh = (const void *)file;

	return (u >= eh->e_phnum ? NULL :
	    (const Elf64_Phdr *)(const void *)(file + eh->e_phoff) + u);
}

/* The file's bytes for an address, or NULL. */
static const uint8_t *
at(uint64_t va)
{
	const Elf64_Phdr *ph;
	unsigned u;

	for (u = 0; (ph = phdr(u)) != NULL; u++)
		if (ph->p_type == PT_LOAD && va >= ph->p_vaddr &&
		    va - ph->p_vaddr < ph->p_filesz)
			return (file + ph->p_offset + (va - ph->p_vaddr));
	return (NULL);
}

/* The (n)th note of a type, or NULL; a copy, since notes are aligned to four
 * bytes only. It stays until there have been seven more. */
static const void *
note(uint32_t type, unsigned n, size_t len)
{
	static _Alignas(16) uint8_t copy[8][1024];
	static unsigned turn;
	const Elf64_Phdr *ph = phdr(0);
	Elf64_Nhdr nh;
	uint64_t off;

	CHECK_EQ(ph->p_type, PT_NOTE);
	for (off = ph->p_offset; off < ph->p_offset + ph->p_filesz;) {
		memcpy(&nh, file + off, sizeof nh);
		off += sizeof nh + (nh.n_namesz + 3) / 4 * 4;
		if (nh.n_type == type && n-- == 0) {
			CHECK_EQ(nh.n_descsz, len);
			turn = (turn + 1) % 8;
			assert(len <= sizeof copy[turn]);
			memcpy(copy[turn], file + off, len);
			return (copy[turn]);
		}
		off += (nh.n_descsz + 3) / 4 * 4;
	}
	CHECK_EQ(off, ph->p_offset + ph->p_filesz);
	return (NULL);
}

static void
whole(void)
{
	const struct elf_prstatus *ps;
	const struct elf_prpsinfo *pi;
	const siginfo_t *si;
	const Elf64_Ehdr *eh;
	const Elf64_Phdr *ph;
	const uint8_t *fp;
	uint64_t end = 0;
	unsigned u;

	begin();
	CHECK_EQ(make(), 0);
	eh = (const void *)file;
	CHECK(!memcmp(eh->e_ident, ELFMAG, SELFMAG));
	CHECK_EQ(eh->e_type, ET_CORE);
	CHECK_EQ(eh->e_machine, EM_X86_64);
	for (u = 1; (ph = phdr(u)) != NULL; u++) {
		CHECK_EQ(ph->p_type, PT_LOAD);
		CHECK_EQ(ph->p_filesz, ph->p_memsz);
		CHECK_EQ(ph->p_offset % SBX_PAGE, ph->p_vaddr % SBX_PAGE);
		CHECK(ph->p_offset <= file_len &&
		    ph->p_filesz <= file_len - ph->p_offset);
		CHECK(ph->p_vaddr >= end);
		end = ph->p_vaddr + ph->p_memsz;
	}
	CHECK(!memcmp(at(WORLD_ARENA), guest_mark, 16));
	CHECK(!memcmp(at(WORLD_STACK + WORLD_STACK_LEN - 32), guest_mark, 16));
	/* what is zero is there, but takes no room */
	CHECK(at(WORLD_ARENA + SBX_PAGE) != NULL);
	CHECK(at(WORLD_WINDOW) != NULL);
	CHECK_EQ(core.written, 2 * SBX_PAGE);
	CHECK_EQ(core.left_out, 0);
	/* what it does not have, and what is not its */
	CHECK(at(WORLD_ARENA + 8 * SBX_PAGE) == NULL);
	CHECK(at(WORLD_KERNEL) == NULL);
	CHECK(at(SBX_SYS_GDT) == NULL);
	CHECK(at(SBX_GVA_TABLES) == NULL);
	ps = note(NT_PRSTATUS, 0, sizeof *ps);
	CHECK_EQ(ps->pr_cursig, SIGSEGV);
	CHECK_EQ(ps->pr_pid, 1);
	CHECK_EQ(((const uint64_t *)(const void *)&ps->pr_reg)[16], 0x401234);
	CHECK_EQ(((const uint64_t *)(const void *)&ps->pr_reg)[5], 0xb0b);
	CHECK_EQ(((const uint64_t *)(const void *)&ps->pr_reg)[21], 0xf5);
	CHECK(note(NT_PRSTATUS, 1, sizeof *ps) == NULL);
	pi = note(NT_PRPSINFO, 0, sizeof *pi);
	CHECK(!strcmp(pi->pr_fname, "program"));
	CHECK(!strcmp(pi->pr_psargs, "/the/program"));
	si = note(NT_SIGINFO, 0, sizeof *si);
	CHECK_EQ(si->si_signo, SIGSEGV);
	CHECK(si->si_addr == (void *)0xdead);
	fp = note(NT_FPREGSET, 0, 512);
	CHECK_EQ(fp[160], 0x77);
	CHECK(note(NT_X86_XSTATE, 0, 832) != NULL);
	CHECK(note(NT_FILE, 0, 16) != NULL);
	done();
	World_Fini(&w);
}

/* Nothing of the host's, wherever it is: its stack, its heap, its data, next to
 * what is written. */
static void
host(void)
{
	char *heap;

	begin();
	heap = malloc(1 << 16);
	AN(heap);
	memcpy(heap, host_secret, 16);
	/* fresh from the allocator; what a careless writer would let through */
	memset(w.m.gmem.touched, 0, 8);
	CHECK_EQ(make(), 0);
	CHECK(memmem(file, file_len, guest_mark, 16) != NULL);
	CHECK(memmem(file, file_len, host_secret, 16) == NULL);
	CHECK(memmem(file, file_len, heap, 16) == NULL);
	free(heap);
	done();
	World_Fini(&w);
}

/* A guest that got into ring 0 can write its page tables. */
static void
hostile_tables(void)
{
	uint64_t *e, *top;
	static const uint64_t outside[] = {
		WORLD_SIZE, WORLD_SIZE - 1, UINT64_C(1) << 40,
		UINT64_C(0xffffffffff000)
	};
	const uint64_t bits = SBX_PTE_P | SBX_PTE_U | SBX_PTE_W;
	unsigned u;

	for (u = 0; u < 4; u++) {
		begin();
		e = SBX_Gmem_Entry(&w.m.gmem, (sandbox_gva_t){ FAR_PAGE });
		AN(e);
		*e = (outside[u] & SBX_PTE_ADDR) | bits;
		CHECK_EQ(make(), 0);
		if ((outside[u] & SBX_PTE_ADDR) >= WORLD_SIZE)
			CHECK(at(FAR_PAGE) == NULL);
		CHECK(!memcmp(at(WORLD_ARENA), guest_mark, 16));
		done();
		World_Fini(&w);

		begin();
		top = (uint64_t *)(void *)((uint8_t *)w.mem + SBX_SYS_END);
		/* all of the last level but the first page, from outside */
		top[WORLD_ARENA >> 39] = (outside[u] & SBX_PTE_ADDR) | bits;
		CHECK_EQ(make(), 0);
		CHECK(memmem(file, file_len, host_secret, 16) == NULL);
		done();
		World_Fini(&w);
	}
	/* circles */
	begin();
	top = (uint64_t *)(void *)((uint8_t *)w.mem + SBX_SYS_END);
	for (u = 0; u < 256; u++)
		top[u] = SBX_SYS_END | bits;
	w.layout.far_lo = SBX_SYS_END;
	w.layout.far_hi = SBX_GVA_USER_END;
	CHECK_EQ(make(), 0);
	CHECK(core.written <= WORLD_SIZE * 8);
	done();
	World_Fini(&w);
}

/* Rights that change with each page make a segment each. */
static void
many_segments(void)
{
	uint64_t *e, va;

	begin();
	w.proc.mm.brk = WORLD_ARENA + WORLD_ARENA_LEN;
	for (va = WORLD_ARENA; va < WORLD_ARENA + WORLD_ARENA_LEN;
	    va += 2 * SBX_PAGE) {
		e = SBX_Gmem_Entry(&w.m.gmem, (sandbox_gva_t){ va });
		AN(e);
		*e &= ~SBX_PTE_W;
	}
	CHECK_EQ(make(), 0);
	CHECK(((const Elf64_Ehdr *)(const void *)file)->e_phnum >
	    WORLD_ARENA_LEN / SBX_PAGE);
	CHECK(at(WORLD_ARENA) != NULL);
	CHECK(!memcmp(at(WORLD_ARENA), guest_mark, 16));
	CHECK_EQ(phdr(1)->p_flags & PF_W, 0);
	done();
	World_Fini(&w);
}

/* The stack comes first, and what is left out is not said to be zero. */
static void
limited(void)
{
	uint64_t va;
	char c = 1;

	begin();
	w.proc.mm.brk = WORLD_ARENA + WORLD_ARENA_LEN;
	for (va = WORLD_ARENA + 16; va < WORLD_ARENA + WORLD_ARENA_LEN;
	    va += SBX_PAGE)
		World_Put(&w, va, &c, 1);
	core.max = 2 * SBX_PAGE;
	CHECK_EQ(make(), 0);
	CHECK_EQ(core.written, 2 * SBX_PAGE);
	CHECK_EQ(core.left_out, WORLD_ARENA_LEN - SBX_PAGE);
	CHECK(!memcmp(at(WORLD_STACK + WORLD_STACK_LEN - 32), guest_mark, 16));
	CHECK(!memcmp(at(WORLD_ARENA), guest_mark, 16));
	CHECK(at(WORLD_ARENA + SBX_PAGE) == NULL);
	done();
	core.max = 0;
	CHECK_EQ(make(), 0);
	CHECK_EQ(core.written, 0);
	CHECK(at(WORLD_ARENA) == NULL);
	done();
	World_Fini(&w);
}

/* Tables in which one page is everywhere do not make a file of any size. */
static void
everywhere(void)
{
	uint64_t va, *e;

	begin();
	w.proc.mm.brk = WORLD_ARENA + WORLD_ARENA_LEN;
	e = SBX_Gmem_Entry(&w.m.gmem, (sandbox_gva_t){ WORLD_ARENA });
	for (va = WORLD_ARENA; va < w.proc.mm.brk; va += SBX_PAGE)
		*SBX_Gmem_Entry(&w.m.gmem, (sandbox_gva_t){ va }) = *e;
	core.max = 3 * SBX_PAGE;
	CHECK_EQ(make(), 0);
	CHECK_EQ(core.written, 3 * SBX_PAGE);
	CHECK(!memcmp(at(WORLD_ARENA + SBX_PAGE), guest_mark, 16));
	CHECK_EQ(core.written + core.left_out, WORLD_ARENA_LEN + SBX_PAGE);
	done();
	World_Fini(&w);
}

/* Pages that are known to be zero are not even looked at. */
static void
maybe(void)
{
	uint64_t map[WORLD_SIZE / SBX_PAGE / 64 + 1];

	begin();
	memset(map, 0, sizeof map);
	core.maybe = map;
	CHECK_EQ(make(), 0);
	CHECK_EQ(core.written, 0);
	done();
	memset(map, 0xff, sizeof map);
	CHECK_EQ(make(), 0);
	CHECK_EQ(core.written, 2 * SBX_PAGE);
	done();
	World_Fini(&w);
}

static void
threads(void)
{
	const struct elf_prstatus *ps;
	struct sbx_thread *t;
	unsigned u;

	begin();
	for (u = 1; u < SBX_THREADS_MAX; u++) {
		t = SBX_Thread_New(&w.proc);
		AN(t);
		t->saved = 1;
		memset(&t->cpu, 0, sizeof t->cpu);
		t->cpu.regs.rip = u;
		t->cpu.regs.rsp = u % 2 ? UINT64_MAX : u;
	}
	w.proc.threads.t[3]->state = SBX_THREAD_FREE;
	w.proc.threads.t[4]->saved = 0;
	w.proc.threads.cur = 2;
	CHECK_EQ(make(), 0);
	ps = note(NT_PRSTATUS, 0, sizeof *ps);
	CHECK_EQ(ps->pr_pid, 3);
	ps = note(NT_PRSTATUS, 1, sizeof *ps);
	CHECK_EQ(ps->pr_pid, 1);
	CHECK(note(NT_PRSTATUS, SBX_THREADS_MAX - 3, sizeof *ps) != NULL);
	CHECK(note(NT_PRSTATUS, SBX_THREADS_MAX - 2, sizeof *ps) == NULL);
	done();
	World_Fini(&w);
}

/*--------------------------------------------------------------------
 * A host that refuses
 */

static int left, how;

static ssize_t
bad_pwrite(int f, const void *p, size_t l, off_t off)
{

	if (left-- > 0)
		return (sbx_os_real.pwrite(f, p, l, off));
	if (how == 1)
		return (sbx_os_real.pwrite(f, p, l > 100 ? 100 : l, off));
	if (how == 2) {
		left = 1;
		errno = EINTR;
		return (-1);
	}
	if (how == 3)
		return (0);
	errno = ENOSPC;
	return (-1);
}

static int
bad_ftruncate(int f, off_t l)
{

	(void)f;
	(void)l;
	errno = EIO;
	return (-1);
}

static void *
bad_calloc(size_t n, size_t l)
{

	return (left-- > 0 ? sbx_os_real.calloc(n, l) : NULL);
}

static void
refused(void)
{
	struct rlimit r, small;
	int u;

	begin();
	sbx_os.pwrite = bad_pwrite;
	for (u = 0; u < 4; u++) {
		left = u;
		how = 0;
		CHECK_EQ(make(), -1);
		CHECK_HAS(err.msg, "No space left");
		done();
		left = u;
		how = 3;
		CHECK_EQ(make(), -1);
		done();
		/* written in pieces, or once more, it is the same */
		for (how = 1; how < 3; how++) {
			left = u;
			CHECK_EQ(make(), 0);
			CHECK(!memcmp(at(WORLD_ARENA), guest_mark, 16));
			done();
		}
	}
	sbx_os = sbx_os_real;
	sbx_os.ftruncate = bad_ftruncate;
	CHECK_EQ(make(), -1);
	CHECK_HAS(err.msg, "Input/output");
	done();
	sbx_os = sbx_os_real;
	for (u = 0; u < 4; u++) {
		left = u;
		sbx_os.calloc = bad_calloc;
		CHECK_EQ(make(), -1);
		sbx_os = sbx_os_real;
		CHECK_HAS(err.msg, "Cannot allocate");
		done();
	}
	/* no signal */
	AZ(getrlimit(RLIMIT_FSIZE, &r));
	small = r;
	small.rlim_cur = 65536;
	AZ(setrlimit(RLIMIT_FSIZE, &small));
	CHECK_EQ(make(), -1);
	AZ(setrlimit(RLIMIT_FSIZE, &r));
	CHECK_HAS(err.msg, "RLIMIT_FSIZE");
	CHECK_EQ(file_len, 0);
	done();
	World_Fini(&w);
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(whole);
	TEST(host);
	TEST(hostile_tables);
	TEST(many_segments);
	TEST(limited);
	TEST(everywhere);
	TEST(maybe);
	TEST(threads);
	TEST(refused);
	TEST_END();
}
