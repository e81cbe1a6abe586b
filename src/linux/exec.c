/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * exec.c: scripts and dynamic executables.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "linux/allow.h"
#include "linux/exec.h"
#include "linux/load.h"
#include "linux/needed.h"

/* Text about files that are missing; the rest of the message has to fit,
 * too. */
#define EXEC_TEXT_MAX		800

static int
exec_argv(struct sbx_exec *x, const char *arg, const char *script,
    const char * const *argv, struct sbx_err *err)
{
	size_t n = 0, u = 0;

	while (argv != NULL && argv[n] != NULL)
		n++;
	x->argv = sbx_os.calloc(n + 3, sizeof *x->argv);
	if (x->argv == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "arguments"));
	if (arg != NULL)
		x->argv[u++] = arg;
	if (script != NULL)
		x->argv[u++] = script;
	if (n > 0)
		memcpy(x->argv + u, argv, n * sizeof *argv);
	return (0);
}

static int
exec_no_file(const char *what, const char *path, int errnum,
    struct sbx_err *err)
{

	if (errnum == ENOMEM)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, errnum, "%s", path));
	return (SBX_Err_Set(err, SBX_FAIL_CONFIG,
	    errnum == ENOENT ? 0 : errnum, "%s %s%s", what, path,
	    errnum == ENOENT ? ", which is not there, or which it may not "
	    "read: add it to files" : " cannot be read"));
}

/* "#! interpreter argument": what Linux does with it. */
static int
exec_script(struct sbx_exec *x, const void *file, size_t len,
    const char * const *argv, size_t *exe_len, struct sbx_err *err)
{
	char *s, *e, *arg = NULL;
	int i;

	if (len > SBX_EXEC_LINE_MAX)
		len = SBX_EXEC_LINE_MAX;
	memcpy(x->line, file, len);
	x->line[strcspn(x->line, "\n")] = '\0';
	s = x->line + 2;
	s += strspn(s, " \t");
	e = s + strcspn(s, " \t");
	if (*e != '\0') {
		*e++ = '\0';
		arg = e + strspn(e, " \t");
		for (e = arg + strlen(arg); e > arg &&
		    (e[-1] == ' ' || e[-1] == '\t'); e--)
			e[-1] = '\0';
	}
	if (s[0] != '/')
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0, "a script whose "
		    "first line does not name an interpreter by its absolute "
		    "path"));
	x->exe = s;
	SBX_Err_Printable(s);
	i = SBX_Allow_Read(x->allow, s, SBX_EXEC_FILE_MAX, &x->script_file,
	    exe_len);
	if (i < 0)
		return (exec_no_file("a script for", s, -i, err));
	x->file = x->script_file;
	return (exec_argv(x, arg != NULL && *arg != '\0' ? arg : NULL,
	    x->path, argv, err));
}

void
SBX_Exec_Missing(const struct sbx_exec *x, char *buf, size_t len)
{

	CHECK_OBJ_NOTNULL(x, SBX_EXEC_MAGIC);
	AN(len);
	buf[0] = '\0';
	if (x->elf.interp[0] != '\0')
		SBX_Needed(x->exe, x->elf.interp, x->envp, x->allow, buf, len);
}

static int
exec_linker(struct sbx_exec *x, struct sbx_err *err)
{
	char text[EXEC_TEXT_MAX];
	size_t len;
	int i;

	i = SBX_Allow_Read(x->allow, x->elf.interp, SBX_EXEC_FILE_MAX,
	    &x->linker_file, &len);
	if (i == -ENOENT) {
		SBX_Exec_Missing(x, text, sizeof text);
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0,
		    "dynamically linked%s", text));
	}
	if (i < 0)
		return (exec_no_file("started by", x->elf.interp, -i, err));
	x->linker_len = len;
	if (SBX_Elf_Plan(x->linker_file, len, SBX_Load_InterpBase(&x->elf),
	    &x->linker, err))
		return (SBX_Err_Wrap(err, "started by %s", x->elf.interp));
	if (x->linker.interp[0] != '\0')
		return (SBX_Err_Set(err, SBX_FAIL_CONFIG, 0, "started by %s, "
		    "which is dynamically linked itself", x->elf.interp));
	return (0);
}

int
SBX_Exec_Init(struct sbx_exec *x, const void *file, size_t len,
    const char *path, const char * const *argv, const char * const *envp,
    const struct sbx_allow *allow, struct sbx_err *err)
{

	AN(x);
	AN(file);
	INIT_OBJ(x, SBX_EXEC_MAGIC);
	x->path = x->exe = path;
	x->envp = envp;
	x->allow = allow;
	x->file = file;
	if (len > 2 && !memcmp(file, "#!", 2)) {
		if (exec_script(x, file, len, argv, &len, err))
			return (-1);
	} else if (exec_argv(x, NULL, NULL, argv, err))
		return (-1);
	x->file_len = len;
	if (SBX_Elf_Plan(x->file, len, SBX_ELF_PIE_BASE, &x->elf, err))
		return (x->script_file == NULL ? -1 :
		    SBX_Err_Wrap(err, "a script for %s", x->exe));
	return (x->elf.interp[0] != '\0' ? exec_linker(x, err) : 0);
}

void
SBX_Exec_Fini(struct sbx_exec *x)
{

	CHECK_OBJ_NOTNULL(x, SBX_EXEC_MAGIC);
	free(x->argv);
	free(x->script_file);
	free(x->linker_file);
	x->magic = 0;
}
