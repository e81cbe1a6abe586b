/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests in C have in common. A test is a function; main() calls
 * TEST() for each and ends with TEST_END(). A check that fails is reported
 * and the test goes on.
 *
 * After each test the number of open descriptors, mappings of the sandbox's
 * and threads must be what it was before.
 */

#ifndef TEST_H_INCLUDED
#define TEST_H_INCLUDED

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned test_checks, test_failed;

#define CHECK(e)							\
	do {								\
		test_checks++;						\
		if (!(e)) {						\
			fprintf(stderr, "%s:%d: failed: %s\n",		\
			    __FILE__, __LINE__, #e);			\
			test_failed++;					\
		}							\
	} while (0)

/* Two numbers that must be the same. */
#define CHECK_EQ(a, b)							\
	do {								\
		long long a_ = +(a), b_ = +(b);			\
		test_checks++;						\
		if (a_ != b_) {						\
			fprintf(stderr, "%s:%d: failed: %s is %lld, "	\
			    "%s is %lld\n", __FILE__, __LINE__, #a, a_,	\
			    #b, b_);					\
			test_failed++;					\
		}							\
	} while (0)

/* (text) must have (part) in it. */
#define CHECK_HAS(text, part)						\
	do {								\
		test_checks++;						\
		if (strstr((text), (part)) == NULL) {			\
			fprintf(stderr, "%s:%d: failed: \"%s\" is not "	\
			    "in \"%s\"\n", __FILE__, __LINE__, (part),	\
			    (text));					\
			test_failed++;					\
		}							\
	} while (0)

static unsigned
test_entries(const char *path)
{
	struct dirent *e;
	unsigned n = 0;
	DIR *d;

	d = opendir(path);
	if (d == NULL)
		return (0);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return (n);
}

/* Mappings of guest memory and vCPUs. */
static unsigned
test_mappings(void)
{
	char line[512];
	unsigned n = 0;
	FILE *f;

	f = fopen("/proc/self/maps", "r");
	if (f == NULL)
		return (0);
	while (fgets(line, sizeof line, f) != NULL)
		n += strstr(line, "sandbox-image") != NULL ||
		    strstr(line, "kvm-vcpu") != NULL;
	(void)fclose(f);
	return (n);
}

#ifndef __SANITIZE_THREAD__	/* it has a thread of its own */
/* A thread is in /proc for a moment after pthread_join() has returned. */
static unsigned
test_threads(unsigned want)
{
	unsigned n = 0, i;

	for (i = 0; i < 1000; i++) {
		n = test_entries("/proc/self/task");
		if (n <= want)
			break;
		(void)usleep(1000);
	}
	return (n);
}
#endif

static void
test_run(const char *name, void (*func)(void))
{
	unsigned fds, maps, threads, failed = test_failed;

	fds = test_entries("/proc/self/fd");
	maps = test_mappings();
	threads = test_entries("/proc/self/task");
	(void)threads;
	func();
	CHECK_EQ(test_entries("/proc/self/fd"), fds);
	CHECK_EQ(test_mappings(), maps);
#ifndef __SANITIZE_THREAD__
	CHECK_EQ(test_threads(threads), threads);
#endif
	printf("%s %s\n", failed == test_failed ? "ok" : "FAILED", name);
	(void)fflush(stdout);
}

#define TEST(func)		test_run(#func, func)

/* A guest that is stuck must not hang the suite. */
#define TEST_BEGIN(seconds)	((void)alarm(seconds))

static int
test_end(void)
{

	printf("%u checks, %u failed\n", test_checks, test_failed);
	return (test_failed > 0 || test_checks == 0 ? 1 : 0);
}

#define TEST_END()		return (test_end())

#endif
