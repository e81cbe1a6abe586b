/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Does with memory what its rights do not allow; the path says what. Those
 * that begin with /zero are different: memory that was given back and is had
 * again has to be empty. Says "allowed", "refused" if the call that would
 * give the right was refused, "zero" or "not zero", if it lives.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../guest.h"

#define PAGES(n)	((n) * (size_t)GUEST_PAGE)
#define ALIGNED		__attribute__((__aligned__(GUEST_PAGE)))
#define RW		(PROT_READ | PROT_WRITE)
#define RX		(PROT_READ | PROT_EXEC)

static const char refused[] = "refused", allowed[] = "allowed";

static volatile unsigned char data[PAGES(1)] ALIGNED = { 1 };
static const unsigned char constant[PAGES(1)] ALIGNED = { 1 };

/* A page of code of ours; its first byte is a return. */
void rights_code(void);
__asm__(".text; .balign 4096; .globl rights_code; rights_code: ret;"
    " .fill 4095, 1, 0xcc");

static void *
map(size_t len, int prot)
{
	void *p;

	p = mmap(NULL, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return (p == MAP_FAILED ? NULL : p);
}

static const char *
run(volatile void *p)
{

	*(volatile unsigned char *)p = 0xc3;
	__asm__ volatile("call *%0" : : "r" (p) : "memory");
	return (allowed);
}

static const char *
zero(const volatile unsigned char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != 0)
			return ("not zero");
	return ("zero");
}

/*--------------------------------------------------------------------*/

static const char *
write_text(void)
{

	*(volatile unsigned char *)(uintptr_t)rights_code = 0xc3;
	return (allowed);
}

static const char *
write_text_after(void)
{

	if (mprotect((void *)(uintptr_t)rights_code, PAGES(1), RW) != 0)
		return (refused);
	return (write_text());
}

static const char *
write_constant(void)
{

	*(volatile unsigned char *)(uintptr_t)constant = 2;
	return (allowed);
}

static const char *
write_readonly(void)
{

	if (mprotect((void *)(uintptr_t)data, PAGES(1), PROT_READ) != 0)
		return (refused);
	data[0] = 2;
	return (allowed);
}

static const char *
read_none(void)
{

	if (mprotect((void *)(uintptr_t)data, PAGES(1), PROT_NONE) != 0)
		return (refused);
	return (data[0] ? allowed : "allowed, and empty");
}

static const char *
read_unmapped(void)
{
	volatile unsigned char *p = map(PAGES(2), RW);

	if (p == NULL)
		return (refused);
	p[0] = 1;
	(void)munmap((void *)(uintptr_t)p, PAGES(2));
	return (p[0] ? allowed : "allowed, and empty");
}

static const char *
read_mapped_none(void)
{
	volatile unsigned char *p = map(PAGES(1), PROT_NONE);

	if (p == NULL)
		return (refused);
	return (p[0] ? "allowed, and not empty" : allowed);
}

static const char *
exec_data(void)
{

	return (run(data));
}

static const char *
exec_stack(void)
{
	volatile unsigned char code[64];

	return (run(code));
}

static const char *
exec_heap(void)
{

	return (run(malloc(64)));
}

static const char *
exec_mapped(void)
{
	void *p = map(PAGES(1), RW);

	return (p == NULL ? refused : run(p));
}

/* Writable and executable at a time. */
static const char *
exec_both(void)
{
	void *p = map(PAGES(1), RW | PROT_EXEC);

	return (p == NULL ? refused : run(p));
}

/* One after the other, as compilers at run time do it. */
static const char *
exec_after(void)
{
	unsigned char *p = map(PAGES(1), RW);

	if (p == NULL)
		return (refused);
	*p = 0xc3;
	if (mprotect(p, PAGES(1), RX) != 0)
		return (refused);
	__asm__ volatile("call *%0" : : "r" (p) : "memory");
	return (allowed);
}

/* A page for code, at (p): there is nothing of the file. */
static int
no_code(void *p)
{
	struct stat st;
	void *q = MAP_FAILED;
	int fd;

	fd = open("/proc/self/exe", O_RDONLY);
	if (fd >= 0 && fstat(fd, &st) == 0)
		q = mmap(p, PAGES(1), RX, MAP_PRIVATE | MAP_FIXED, fd,
		    (off_t)((size_t)st.st_size / PAGES(1) + 1) *
		    (off_t)PAGES(1));
	if (fd >= 0)
		(void)close(fd);
	return (q == p ? 0 : -1);
}

static const char *
call(void *p)
{

	__asm__ volatile("call *%0" : : "r" (p) : "memory");
	return (allowed);
}

/* What was there before. */
static const char *
code_left(void)
{
	unsigned char *p;
	uint64_t at;

	at = (uint64_t)guest_call(SYS_brk, 0, 0, 0, 0, 0, 0);
	p = (unsigned char *)((at + PAGES(64)) & ~(PAGES(1) - 1));
	*(volatile unsigned char *)p = 0xc3;
	return (no_code(p) ? refused : call(p));
}

/* By way of a file in /tmp that is in the same memory. */
static const char *
code_tmp(void)
{
	static const char ret = (char)0xc3;
	void *p = map(PAGES(1), RW);
	int fd;

	(void)munmap(p, PAGES(1));
	fd = open("/tmp/code", O_RDWR | O_CREAT, 0600);
	if (fd < 0 || pwrite(fd, "", 1, 0) != 1 || munmap(p, PAGES(1)) != 0 ||
	    no_code(p) || pwrite(fd, &ret, 1, 0) != 1)
		return (refused);
	return (call(p));
}

/* By way of a reservation that is in the same memory. */
static const char *
code_far(void)
{
	volatile unsigned char *far;
	unsigned char *p = map(PAGES(16), RW);

	(void)munmap(p, PAGES(16));
	far = map(PAGES(1024), PROT_NONE);
	if (far == NULL || mprotect((void *)(uintptr_t)far, PAGES(1024),
	    RW) != 0)
		return (refused);
	/* the first of those that are had together */
	far += PAGES(16) - (uintptr_t)far % PAGES(16);
	far[0] = 1;
	if (munmap(p, PAGES(16)) != 0 || no_code(p))
		return (refused);
	far[0] = 0xc3;
	return (call(p));
}

static const char *
zero_mmap(void)
{
	unsigned char *p, *q;

	p = map(PAGES(16), RW);
	if (p == NULL)
		return (refused);
	memset(p, 0x5a, PAGES(16));
	(void)munmap(p, PAGES(16));
	q = map(PAGES(16), RW);
	return (q == NULL ? refused : zero(q, PAGES(16)));
}

static const char *
zero_brk(void)
{
	uint64_t from;

	from = (uint64_t)guest_call(SYS_brk, 0, 0, 0, 0, 0, 0);
	if ((uint64_t)guest_call(SYS_brk, from + PAGES(8), 0, 0, 0, 0, 0) !=
	    from + PAGES(8))
		return (refused);
	memset((void *)from, 0x5a, PAGES(8));
	(void)guest_call(SYS_brk, from, 0, 0, 0, 0, 0);
	(void)guest_call(SYS_brk, from + PAGES(8), 0, 0, 0, 0, 0);
	return (zero((unsigned char *)from, PAGES(8)));
}

static const char *
zero_fixed(void)
{
	unsigned char *p;

	p = map(PAGES(4), RW);
	if (p == NULL)
		return (refused);
	memset(p, 0x5a, PAGES(4));
	if (mmap(p, PAGES(4), RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	    0) != p)
		return (refused);
	return (zero(p, PAGES(4)));
}

static const char *
zero_dontneed(void)
{
	unsigned char *p;

	p = map(PAGES(4), RW);
	if (p == NULL)
		return (refused);
	memset(p, 0x5a, PAGES(4));
	if (madvise(p, PAGES(4), MADV_DONTNEED) != 0)
		return (refused);
	return (zero(p, PAGES(4)));
}

#define CASES								\
	C(write_text) C(write_text_after) C(write_constant)		\
	C(write_readonly) C(read_none) C(read_unmapped)			\
	C(read_mapped_none) C(exec_data) C(exec_stack) C(exec_heap)	\
	C(exec_mapped) C(exec_both) C(exec_after) C(code_left)		\
	C(code_tmp) C(code_far) C(zero_mmap) C(zero_brk)		\
	C(zero_fixed) C(zero_dontneed)

static const struct {
	const char	*path;
	const char	*(*func)(void);
} cases[] = {
#define C(name)		{ "/" #name, name },
	CASES
#undef C
};

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (sandbox_path_is(rq, "/list"))
			sandbox_printf(rp, "%s\n", cases[i].path);
		else if (sandbox_path_is(rq, cases[i].path)) {
			sandbox_printf(rp, "%s\n", cases[i].func());
			return;
		}
	}
	if (!sandbox_path_is(rq, "/list"))
		sandbox_fail(rp, 404, "No such case.");
}

int
main(void)
{

	return (guest_serve(bad));
}
