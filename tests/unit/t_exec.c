/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Scripts and dynamic executables: what would be loaded, and what is said if
 * something is missing. This test is a dynamic executable itself.
 */

#include "config.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "linux/exec.h"
#include "linux/file.h"
#include "linux/load.h"
#include "test.h"

static char self[200], script[600];
static const char *path = "/srv/program";
static char *bytes;
static size_t n_bytes;
static struct sbx_exec x;
static struct sbx_err err;
static struct sbx_allow *allow;

static void
read_self(void)
{
	struct stat st;
	ssize_t l;
	int fd;

	l = readlink("/proc/self/exe", self, sizeof self - 1);
	assert(l > 0);
	self[l] = '\0';
	fd = open(self, O_RDONLY);
	assert(fd >= 0);
	AZ(fstat(fd, &st));
	n_bytes = (size_t)st.st_size;
	bytes = malloc(n_bytes);
	AN(bytes);
	assert(read(fd, bytes, n_bytes) == st.st_size);
	AZ(close(fd));
}

static int
init(const void *file, size_t len, const char * const *argv,
    const char * const *envp, const char * const *files)
{
	const char *there[8];
	unsigned n = 0;

	/* not all machines have all of them */
	for (; files != NULL && *files != NULL && n < 7; files++)
		if (access(*files, R_OK) == 0)
			there[n++] = *files;
	there[n] = NULL;
	SBX_Err_Clear(&err);
	allow = NULL;
	AZ(SBX_Allow_New(there, &allow, &err));
	return (SBX_Exec_Init(&x, file, len, path, argv, envp, allow, &err));
}

static void
fini(void)
{

	SBX_Exec_Fini(&x);
	SBX_Allow_Destroy(&allow);
}

static const char ld[] = "/lib64/ld-linux-x86-64.so.2";

static void
dynamic(void)
{
	static const char * const argv[] = { "one", "two", NULL };
	char buf[800];

	path = self;
	CHECK_EQ(init(bytes, n_bytes, argv, NULL, NULL), -1);
	CHECK_EQ(err.kind, SBX_FAIL_CONFIG);
	CHECK_HAS(err.msg, "dynamically linked");
	CHECK_HAS(err.msg, ld);
	CHECK_HAS(err.msg, "/libc.so.6");
	fini();

	CHECK_EQ(init(bytes, n_bytes, argv, NULL, (const char * const[]){ ld,
	    NULL }), 0);
	CHECK(!strcmp(x.exe, self));
	CHECK(!strcmp(x.argv[0], "one"));
	CHECK(x.argv[2] == NULL);
	CHECK_EQ(x.linker.base, SBX_Load_InterpBase(&x.elf));
	CHECK(x.linker.seg[0].lo > x.elf.seg[x.elf.n_seg - 1].hi);
	SBX_Exec_Missing(&x, buf, sizeof buf);
	CHECK_HAS(buf, "/libc.so.6");
	CHECK(strstr(buf, ld) == NULL);
	fini();

	CHECK_EQ(init(bytes, n_bytes, argv, NULL, (const char * const[]){ ld,
	    "/lib", "/usr/lib", NULL }), 0);
	SBX_Exec_Missing(&x, buf, sizeof buf);
	CHECK(!strcmp(buf, ""));
	fini();
	path = "/srv/program";
}

/* A script by its first line, (pre) and (post) around the interpreter; what it
 * comes to in argv. */
static void
script_line(const char *pre, const char *post, const char *a0, const char *a1)
{
	static const char * const argv[] = { "arg", NULL };
	unsigned u = 0;

	(void)snprintf(script, sizeof script, "#!%s%s%s", pre, self, post);
	CHECK_EQ(init(script, strlen(script), argv, NULL,
	    (const char * const[]){ self, ld, NULL }), 0);
	CHECK(!strcmp(x.exe, self));
	CHECK(!strcmp(x.argv[u++], a0));
	if (a1 != NULL)
		CHECK(!strcmp(x.argv[u++], a1));
	CHECK(!strcmp(x.argv[u++], "arg"));
	CHECK(x.argv[u] == NULL);
	fini();
}

static void
scripts(void)
{

	script_line("", "\ntext", "/srv/program", NULL);
	script_line(" \t", " \t \ntext", "/srv/program", NULL);
	script_line("", " -x\n", "-x", "/srv/program");
	script_line(" ", "  two words \ntext", "two words", "/srv/program");
	script_line("", "", "/srv/program", NULL);
}

static void
bad_script(const char *line, const char *text)
{

	CHECK_EQ(init(line, strlen(line), NULL, NULL,
	    (const char * const[]){ self, "/etc/passwd", NULL }), -1);
	CHECK_EQ(err.kind, SBX_FAIL_CONFIG);
	CHECK_HAS(err.msg, text);
	fini();
}

static void
bad_scripts(void)
{
	char line[600];

	bad_script("#!", "not an ELF");
	bad_script("#!\n", "does not name an interpreter");
	bad_script("#!sh\n", "does not name an interpreter");
	bad_script("#! \n/bin/sh\n", "does not name an interpreter");
	bad_script("#!/no/such/thing\n", "add it to files");
	bad_script("#!/bin/sh\n", "add it to files");
	bad_script("#!/bin/s\033h\r\n", "for /bin/s?h?, which");
	bad_script("#!/etc/passwd\n", "a script for /etc/passwd: not an ELF");
	memset(line, 'x', sizeof line);
	memcpy(line, "#!/", 3);
	line[sizeof line - 1] = '\0';
	bad_script(line, "add it to files");
	/* the interpreter is what it is, but its dynamic linker is missing */
	(void)snprintf(line, sizeof line, "#!%s\n", self);
	bad_script(line, "dynamically linked");
}

/* Whatever it is linked with: a message, and nothing that is not closed. */
static void
damaged(void)
{
	char *b;
	size_t i;

	b = malloc(n_bytes);
	AN(b);
	srandom(1);
	for (i = 0; i < 400; i++) {
		memcpy(b, bytes, n_bytes);
		b[random() % 1024] = (char)random();
		b[(size_t)random() % n_bytes] = (char)random();
		(void)init(b, n_bytes, NULL, NULL, NULL);
		fini();
	}
	free(b);
}

int
main(void)
{

	if (access(ld, R_OK)) {
		printf("no %s\n", ld);
		return (77);
	}
	TEST_BEGIN(60);
	read_self();
	TEST(dynamic);
	TEST(scripts);
	TEST(bad_scripts);
	TEST(damaged);
	free(bytes);
	TEST_END();
}
