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
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/exec.h"
#include "linux/file.h"
#include "linux/load.h"
#include "linux/needed.h"
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

/* An executable that names directories and libraries, as hostile ones may. */
#define MANY_NAMES		1000
#define MANY_TRIES		4096	/* see needed.h */

struct many {
	Elf64_Ehdr		eh;
	Elf64_Phdr		ph[2];
	Elf64_Dyn		dyn[2 + MANY_NAMES];
	char			runpath[400];
	char			names[MANY_NAMES + 1];
};

static unsigned n_open;

static int
many_open(const char *p, int flags)
{

	n_open++;
	return (sbx_os_real.open(p, flags));
}

static void
many_make(struct many *m, unsigned n_dirs, unsigned n_names)
{
	unsigned u;

	memset(m, 0, sizeof *m);
	memcpy(m->eh.e_ident, ELFMAG, SELFMAG);
	m->eh.e_phentsize = sizeof m->ph[0];
	m->eh.e_phnum = 2;
	m->eh.e_phoff = offsetof(struct many, ph);
	m->ph[0].p_type = PT_LOAD;
	m->ph[0].p_filesz = sizeof *m;
	m->ph[1].p_type = PT_DYNAMIC;
	m->ph[1].p_offset = offsetof(struct many, dyn);
	m->ph[1].p_filesz = sizeof m->dyn;
	m->dyn[0].d_tag = DT_STRTAB;
	m->dyn[0].d_un.d_ptr = offsetof(struct many, runpath);
	m->dyn[1].d_tag = DT_RUNPATH;
	for (u = 0; u < n_dirs; u++)
		memcpy(m->runpath + 2 * u, "/:", 3);
	/* each name is the end of the one before; all are of those that a
	 * string can hold */
	memset(m->names, 'x', sizeof m->names - 1);
	for (u = 0; u < n_names; u++) {
		m->dyn[2 + u].d_tag = DT_NEEDED;
		m->dyn[2 + u].d_un.d_val = offsetof(struct many, names) -
		    offsetof(struct many, runpath) + MANY_NAMES - 1 - u % 400;
	}
}

/* What is said of it, and how many files were tried. */
static void
many_ask(unsigned n_dirs, unsigned n_names, char *buf, size_t len)
{
	char name[] = "/tmp/t_exec.XXXXXX";
	static struct many m;
	int fd;

	many_make(&m, n_dirs, n_names);
	fd = mkstemp(name);
	assert(fd >= 0);
	assert(write(fd, &m, sizeof m) == (ssize_t)sizeof m);
	AZ(close(fd));
	SBX_Err_Clear(&err);
	allow = NULL;
	AZ(SBX_Allow_New((const char * const[]){ NULL }, &allow, &err));
	n_open = 0;
	sbx_os.open = many_open;
	SBX_Needed(name, ld, NULL, allow, buf, len);
	sbx_os.open = sbx_os_real.open;
	SBX_Allow_Destroy(&allow);
	AZ(unlink(name));
}

static void
many(void)
{
	char buf[2000];

	many_ask(2, 3, buf, sizeof buf);
	CHECK_HAS(buf, "; x, xx, xxx is not where the dynamic linker looks");
	CHECK(strstr(buf, "places") == NULL);
	/* it and its linker are opened twice each */
	CHECK(n_open >= 3 * 2 && n_open < 100);

	many_ask(199, MANY_NAMES, buf, sizeof buf);
	CHECK_HAS(buf, "it names too many directories and libraries: 4096 "
	    "places were looked at");
	CHECK(n_open >= MANY_TRIES && n_open <= MANY_TRIES + 4);
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
	TEST(many);
	TEST(damaged);
	free(bytes);
	TEST_END();
}
