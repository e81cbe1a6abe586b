/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The limit: what a request through the VMOD costs if answering it costs
 * nothing. The VMOD is linked with this in place of the core, so that it is
 * the same VMOD down to the last line, and a "program" is a function that
 * answers what the example hello does, in no VM, whatever path it is given.
 * Only tests/bench/run uses it; it is not installed.
 *
 * A call of the core's that the VMOD makes and that is not here is found when
 * the VCL is loaded: "undefined symbol".
 *
 * Locking: none; a program does not change once it is open.
 */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "pool/pool.h"
#include "pool/program.h"
#include "pool/vm.h"

struct sbx_pool {
	unsigned		magic;
#define NATIVE_POOL_MAGIC	0x2be08d57
};

struct sbx_program {
	unsigned		magic;
#define NATIVE_PROGRAM_MAGIC	0x90c6e1fa
	struct sbx_program_cfg	cfg;
	struct sbx_pool		pool;
};

/* A request, not a VM. */
struct sbx_vm {
	unsigned		magic;
#define NATIVE_VM_MAGIC		0x4f7a35d8
	uint64_t		body_len;	/* of the request */
	struct sbx_usage	usage;
	struct sbx_answer	answer;
};

/*--------------------------------------------------------------------
 * The handler
 */

#define NATIVE_TXT(s)		{ (s), sizeof(s) - 1 }

static const char native_body[] = "Hello from a sandbox.\n";

static const struct sbx_header native_headers[] = {
	{ NATIVE_TXT("Content-Type"), NATIVE_TXT("text/plain") },
	{ NATIVE_TXT("Cache-Control"), NATIVE_TXT("max-age=10") },
};

int
SBX_VM_Serve(struct sbx_vm *vm, const struct sbx_request *req,
    const struct sbx_host *host, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(vm, NATIVE_VM_MAGIC);
	AN(req);
	AN(host);
	AN(err);
	vm->answer.status = 200;
	vm->answer.headers = native_headers;
	vm->answer.n_headers =
	    sizeof native_headers / sizeof native_headers[0];
	vm->answer.body_len = sizeof native_body - 1;
	return (0);
}

int
SBX_VM_Body(struct sbx_vm *vm, const void *b, size_t len, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(vm, NATIVE_VM_MAGIC);
	AN(b);
	AN(err);
	vm->body_len += len;
	return (0);
}

const struct sbx_answer *
SBX_VM_Answer(const struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, NATIVE_VM_MAGIC);
	return (&vm->answer);
}

size_t
SBX_VM_AnswerBody(const struct sbx_vm *vm, uint64_t off, void *dst,
    size_t len)
{

	CHECK_OBJ_NOTNULL(vm, NATIVE_VM_MAGIC);
	if (off >= vm->answer.body_len)
		return (0);
	if (len > vm->answer.body_len - off)
		len = vm->answer.body_len - off;
	memcpy(dst, native_body + off, len);
	return (len);
}

int
SBX_VM_Killed(const struct sbx_vm *vm, struct sbx_killed *how)
{

	CHECK_OBJ_NOTNULL(vm, NATIVE_VM_MAGIC);
	(void)how;
	return (0);
}

const struct sbx_usage *
SBX_VM_Usage(const struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(vm, NATIVE_VM_MAGIC);
	return (&vm->usage);
}

/*--------------------------------------------------------------------
 * The pool: as many as are wanted
 */

uint64_t
SBX_Pool_Print(const struct sbx_pool *pool, const struct sbx_txt *t,
    unsigned n)
{

	CHECK_OBJ_NOTNULL(pool, NATIVE_POOL_MAGIC);
	(void)t;
	(void)n;
	return (0);
}

struct sbx_vm *
SBX_Pool_Ask(struct sbx_pool *pool, uint64_t print, struct sbx_err *err)
{
	struct sbx_vm *vm;

	CHECK_OBJ_NOTNULL(pool, NATIVE_POOL_MAGIC);
	(void)print;
	AN(err);
	ALLOC_OBJ(vm, NATIVE_VM_MAGIC);
	AN(vm);
	return (vm);
}

void
SBX_Pool_Over(struct sbx_pool *pool, struct sbx_vm *vm)
{

	CHECK_OBJ_NOTNULL(pool, NATIVE_POOL_MAGIC);
	CHECK_OBJ_NOTNULL(vm, NATIVE_VM_MAGIC);
}

void
SBX_Pool_Return(struct sbx_pool *pool, struct sbx_vm **vmp,
    struct sbx_return *ret)
{
	struct sbx_vm *vm;

	CHECK_OBJ_NOTNULL(pool, NATIVE_POOL_MAGIC);
	TAKE_OBJ_NOTNULL(vm, vmp, NATIVE_VM_MAGIC);
	FREE_OBJ(vm);
	if (ret != NULL)
		memset(ret, 0, sizeof *ret);
}

int
SBX_Pool_CoreNews(struct sbx_pool *pool, uint64_t *seen, int *bad, char *buf,
    size_t size)
{

	CHECK_OBJ_NOTNULL(pool, NATIVE_POOL_MAGIC);
	(void)seen;
	(void)bad;
	(void)buf;
	(void)size;
	return (0);
}

int
SBX_Pool_Healthy(struct sbx_pool *pool)
{

	CHECK_OBJ_NOTNULL(pool, NATIVE_POOL_MAGIC);
	return (1);
}

void
SBX_Pool_Stats(struct sbx_pool *pool, struct sbx_pool_stats *st)
{

	CHECK_OBJ_NOTNULL(pool, NATIVE_POOL_MAGIC);
	memset(st, 0, sizeof *st);
	st->healthy = 1;
}

/*--------------------------------------------------------------------
 * The program
 */

void
SBX_Program_Defaults(struct sbx_program_cfg *cfg)
{

	memset(cfg, 0, sizeof *cfg);
}

int
SBX_Program_Open(const struct sbx_program_cfg *cfg, struct sbx_program **prgp,
    struct sbx_err *err)
{
	struct sbx_program *prg;

	AN(cfg);
	AN(err);
	ALLOC_OBJ(prg, NATIVE_PROGRAM_MAGIC);
	AN(prg);
	prg->cfg = *cfg;
	prg->cfg.path = "native";
	prg->cfg.argv = prg->cfg.envp = prg->cfg.files = NULL;
	INIT_OBJ(&prg->pool, NATIVE_POOL_MAGIC);
	*prgp = prg;
	return (0);
}

void
SBX_Program_Close(struct sbx_program **prgp)
{
	struct sbx_program *prg;

	TAKE_OBJ_NOTNULL(prg, prgp, NATIVE_PROGRAM_MAGIC);
	FREE_OBJ(prg);
}

int
SBX_Program_Warm(struct sbx_program *prg, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(prg, NATIVE_PROGRAM_MAGIC);
	AN(err);
	return (0);
}

void
SBX_Program_Cool(struct sbx_program *prg)
{

	CHECK_OBJ_NOTNULL(prg, NATIVE_PROGRAM_MAGIC);
}

int
SBX_Program_Reload(struct sbx_program *prg, const char *who,
    sbx_reload_f *tell, struct sbx_err *err)
{

	CHECK_OBJ_NOTNULL(prg, NATIVE_PROGRAM_MAGIC);
	(void)who;
	(void)tell;
	return (SBX_Err_Set(err, SBX_FAIL_HOST, 0, "there is no program"));
}

void
SBX_Program_Info(struct sbx_program *prg, struct sbx_program_info *info)
{

	CHECK_OBJ_NOTNULL(prg, NATIVE_PROGRAM_MAGIC);
	memset(info, 0, sizeof *info);
	info->generation = 1;
}

struct sbx_pool *
SBX_Program_Pool(const struct sbx_program *prg)
{
	struct sbx_program *p;

	CHECK_OBJ_NOTNULL(prg, NATIVE_PROGRAM_MAGIC);
	memcpy(&p, &prg, sizeof p);	/* nobody writes to its pool */
	return (&p->pool);
}

const struct sbx_program_cfg *
SBX_Program_Cfg(const struct sbx_program *prg)
{

	CHECK_OBJ_NOTNULL(prg, NATIVE_PROGRAM_MAGIC);
	return (&prg->cfg);
}
