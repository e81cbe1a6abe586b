/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * gen.c: generations of a program.
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
#include "pool/gen.h"
#include "pool/image.h"
#include "pool/program.h"
#include "pool/vm_priv.h"

int
SBX_Gen_Make(struct sbx_gen *gen, int *warmup, struct sbx_vm **vmp,
    struct sbx_err *err)
{
	struct sbx_vm *vm = NULL;
	double timeout;
	int i;

	CHECK_OBJ_NOTNULL(gen, SBX_GEN_MAGIC);
	AN(warmup);
	AN(vmp);
	AZ(*vmp);
	timeout = gen->cfg->request_timeout;
	i = SBX_VM_New(gen->img, timeout, *warmup, &vm, err);
	if (i && *warmup && err->kind == SBX_FAIL_GUEST) {
		/* the guest does not like that request; others it may */
		AZ(vm);
		SBX_Err_Clear(err);
		*warmup = 0;
		i = SBX_VM_New(gen->img, timeout, 0, &vm, err);
	}
	if (i)
		return (-1);
	vm->gen = gen;
	*vmp = vm;
	return (0);
}

int
SBX_Gen_More(struct sbx_gen *gen, struct sbx_err *err)
{
	struct sbx_vm *vm = NULL;
	int warmup;

	CHECK_OBJ_NOTNULL(gen, SBX_GEN_MAGIC);
	warmup = !gen->no_warmup;
	if (SBX_Gen_Make(gen, &warmup, &vm, err))
		return (-1);
	gen->no_warmup = !warmup;
	VTAILQ_INSERT_TAIL(&gen->made, vm, list);
	gen->n_made++;
	return (0);
}

void
SBX_Gen_Empty(struct sbx_gen *gen)
{
	struct sbx_vm *vm;

	CHECK_OBJ_NOTNULL(gen, SBX_GEN_MAGIC);
	while ((vm = VTAILQ_FIRST(&gen->made)) != NULL) {
		VTAILQ_REMOVE(&gen->made, vm, list);
		gen->n_made--;
		SBX_VM_Destroy(&vm);
	}
	AZ(gen->n_made);
}

/*--------------------------------------------------------------------
 * The probe
 */

/* The last line that the guest wrote; it may say why. */
struct gen_words {
	unsigned		magic;
#define GEN_WORDS_MAGIC		0xbdaa799a
	char			last[200];
};

static void
gen_log(void *priv, enum sbx_log_e what, const char *line, size_t len)
{
	struct gen_words *words;

	CAST_OBJ_NOTNULL(words, priv, GEN_WORDS_MAGIC);
	(void)what;
	if (len == 0)
		return;
	if (len > sizeof words->last - 1)
		len = sizeof words->last - 1;
	memcpy(words->last, line, len);
	words->last[len] = '\0';
}

static int
gen_says(struct sbx_err *err, const struct sbx_err *why,
    const struct gen_words *words)
{
	const int any = words->last[0] != '\0';

	return (SBX_Err_Set(err, why->kind, 0, "%s%s%s%s", why->msg,
	    any ? "; its last words: \"" : "", words->last, any ? "\"" : ""));
}

/* It answered. Was that the right thing? If not, the beginning of the body is
 * for the reader. */
static int
gen_judge(const struct sbx_gen *gen, const struct sbx_vm *vm,
    const struct gen_words *words, struct sbx_err *err)
{
	const struct sbx_program_cfg *cfg = gen->cfg;
	const unsigned status = SBX_VM_Answer(vm)->status;
	struct sbx_err why;
	char body[100];
	size_t l;

	if (status == cfg->probe_status)
		return (0);
	l = SBX_VM_AnswerBody(vm, 0, body, sizeof body - 1);
	body[l] = '\0';
	SBX_Err_Clear(&why);
	(void)SBX_Err_Set(&why, SBX_FAIL_CONFIG, 0, "status %u where %ju is "
	    "expected (probe_status), and \"%s\"", status,
	    (uintmax_t)cfg->probe_status, body);
	return (gen_says(err, &why, words));
}

static int
gen_ask(const struct sbx_gen *gen, struct sbx_vm *vm, struct sbx_err *err)
{
	struct gen_words words[1];
	struct sbx_request req;
	struct sbx_host host;
	struct sbx_err why;

	SBX_VM_OwnRequest(&req, gen->cfg->probe_url);
	INIT_OBJ(words, GEN_WORDS_MAGIC);
	memset(&host, 0, sizeof host);
	host.priv = words;
	host.log = gen_log;
	SBX_Err_Clear(&why);
	SBX_VM_State(vm, SBX_VM_LENT);
	if (!SBX_VM_Serve(vm, &req, &host, &why))
		return (gen_judge(gen, vm, words, err));
	return (gen_says(err, &why, words));
}

int
SBX_Gen_Probe(struct sbx_gen *gen, struct sbx_err *err)
{
	struct sbx_vm *vm;

	CHECK_OBJ_NOTNULL(gen, SBX_GEN_MAGIC);
	AN(gen->cfg->probe_url);
	vm = VTAILQ_FIRST(&gen->made);
	CHECK_OBJ_NOTNULL(vm, SBX_VM_MAGIC);
	if (gen_ask(gen, vm, err))
		return (SBX_Err_Wrap(err, "the probe %s failed",
		    gen->cfg->probe_url));
	memset(&vm->usage, 0, sizeof vm->usage);
	return (SBX_VM_Reset(vm, err));
}

/*--------------------------------------------------------------------
 * Life
 */

int
SBX_Gen_New(struct sbx_kvm *kvm, const struct sbx_program_cfg *cfg,
    const void *file, size_t len, struct sbx_gen **genp, struct sbx_err *err)
{
	struct sbx_gen *gen;

	AN(cfg);
	AN(genp);
	AZ(*genp);
	SBX_ALLOC_OBJ(gen, SBX_GEN_MAGIC);
	if (gen == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "program"));
	gen->cfg = cfg;
	VTAILQ_INIT(&gen->made);
	if (SBX_Image_New(kvm, cfg, file, len, &gen->img, err)) {
		FREE_OBJ(gen);
		return (-1);
	}
	*genp = gen;
	return (0);
}

void
SBX_Gen_Destroy(struct sbx_gen **genp)
{
	struct sbx_gen *gen;

	TAKE_OBJ_NOTNULL(gen, genp, SBX_GEN_MAGIC);
	SBX_Gen_Empty(gen);
	AZ(gen->n_vms);
	SBX_Image_Destroy(&gen->img);
	FREE_OBJ(gen);
}
