/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * deploy.c: reloading a program while it serves.
 *
 * A program that is to be reloaded for the first time gets a thread. It reads
 * the file, starts it, makes VMs and sends the probe, all beside the generation
 * that serves; nothing of that is done with a lock. Then the pool switches.
 *
 * Whoever closes a program does not wait for a guest that is being started: it
 * leaves the program to its thread, which frees it.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "pool/gen.h"
#include "pool/image.h"
#include "pool/pool_priv.h"
#include "pool/program_priv.h"

void
SBX_Program_Serves(struct sbx_program *prg, const struct stat *st)
{

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	prg->st = *st;
	prg->info.generation++;
	prg->info.since = SBX_Os_Seconds(SBX_Os_Wall());
	prg->info.file_time = (double)st->st_mtim.tv_sec +
	    SBX_Os_Seconds(st->st_mtim.tv_nsec);
	prg->info.failed = 0;
	prg->info.error[0] = '\0';
}

/*--------------------------------------------------------------------
 * One reload, on the thread
 */

struct deploy {
	unsigned		magic;
#define DEPLOY_MAGIC		0x44bd025d
	struct sbx_program	*prg;
	struct sbx_gen		*gen;
	struct stat		st;
	struct sbx_err		err;
	struct sbx_reload	told;
	sbx_reload_f		*tell;
	char			who[SBX_WHO_MAX];
};

static int
deploy_stopped(struct deploy *d)
{
	int i;

	AZ(pthread_mutex_lock(&d->prg->mtx));
	i = d->prg->stop;
	AZ(pthread_mutex_unlock(&d->prg->mtx));
	if (!i)
		return (0);
	return (SBX_Err_Set(&d->err, SBX_FAIL_CONFIG, 0,
	    "no VCL uses it any more"));
}

/* As many VMs as serve now, so that nobody has to wait who would not have
 * had to. If the host does not have what it takes, some are better than none:
 * the pool makes the rest when the old ones are gone. */
static int
deploy_vms(struct deploy *d)
{
	struct sbx_err err;
	uint64_t n;

	n = SBX_Pool_Room(d->prg->pool);
	while (d->gen->n_made < n) {
		if (deploy_stopped(d))
			return (-1);
		SBX_Err_Clear(&err);
		if (!SBX_Gen_More(d->gen, &err))
			continue;
		if (d->gen->n_made > 0)
			break;
		return (SBX_Err_Set(&d->err, err.kind, 0, "no VM can be "
		    "created beside those that serve: %s", err.msg));
	}
	return (0);
}

static void
deploy_switch(struct deploy *d)
{
	struct sbx_program *prg = d->prg;

	d->told.boot = d->gen->img->boot;
	AZ(pthread_mutex_lock(&prg->life));
	if (prg->warm == 0)
		SBX_Gen_Empty(d->gen);
	d->told.vms = d->gen->n_made;
	SBX_Pool_Switch(prg->pool, &d->gen);
	AZ(pthread_mutex_lock(&prg->mtx));
	SBX_Program_Serves(prg, &d->st);
	AZ(pthread_mutex_unlock(&prg->mtx));
	AZ(pthread_mutex_unlock(&prg->life));
}

static void
deploy_failed(struct sbx_program *prg, const struct sbx_err *err)
{

	AZ(pthread_mutex_lock(&prg->mtx));
	prg->info.failed = SBX_Os_Seconds(SBX_Os_Wall());
	bprintf(prg->info.error, "%s", err->msg);
	AZ(pthread_mutex_unlock(&prg->mtx));
	SBX_Pool_NoSwitch(prg->pool);
}

static void
deploy_tell(struct deploy *d)
{
	struct sbx_program_info info;

	SBX_Program_Info(d->prg, &info);
	d->told.who = d->who;
	d->told.path = d->prg->cfg.path;
	d->told.generation = info.generation;
	if (d->err.kind != SBX_FAIL_NONE)
		d->told.err = &d->err;
	d->tell(&d->told);
}

static void
deploy_once(struct deploy *d)
{
	const int64_t t = SBX_Os_Mono();

	CHECK_OBJ_NOTNULL(d, DEPLOY_MAGIC);
	if (!deploy_stopped(d) &&
	    !SBX_Program_Load(d->prg, &d->gen, &d->st, &d->err) &&
	    !deploy_vms(d)) {
		deploy_switch(d);
	} else {
		if (d->gen != NULL)
			SBX_Gen_Destroy(&d->gen);
		(void)SBX_Err_Wrap(&d->err, "%s", d->prg->cfg.path);
		deploy_failed(d->prg, &d->err);
	}
	AZ(d->gen);
	d->told.time = SBX_Os_Seconds(SBX_Os_Mono() - t);
	deploy_tell(d);
}

/* Called and returns with the lock. */
static void
deploy_run(struct sbx_program *prg)
{
	struct deploy d[1];

	INIT_OBJ(d, DEPLOY_MAGIC);
	d->prg = prg;
	d->tell = prg->tell;
	memcpy(d->who, prg->who, sizeof d->who);
	SBX_Err_Clear(&d->err);
	prg->wanted = 0;
	prg->busy = 1;
	AZ(pthread_mutex_unlock(&prg->mtx));
	deploy_once(d);
	AZ(pthread_mutex_lock(&prg->mtx));
	prg->busy = 0;
}

static void *
deploy_main(void *priv)
{
	struct sbx_program *prg;
	int orphan;

	CAST_OBJ_NOTNULL(prg, priv, SBX_PROGRAM_MAGIC);
	AZ(pthread_mutex_lock(&prg->mtx));
	while (!prg->stop || prg->wanted) {
		if (prg->wanted)
			deploy_run(prg);
		else
			AZ(pthread_cond_wait(&prg->cond, &prg->mtx));
	}
	orphan = prg->orphan;
	AZ(pthread_mutex_unlock(&prg->mtx));
	if (orphan)
		SBX_Program_Free(&prg);
	return (NULL);
}

/*--------------------------------------------------------------------
 * For everybody
 */

/* With the lock. Returns an errno. */
static int
deploy_thread(struct sbx_program *prg)
{
	int e;

	if (prg->has_thread) {
		AZ(pthread_cond_signal(&prg->cond));
		return (0);
	}
	e = sbx_os.pthread_create(&prg->thread, NULL, deploy_main, prg);
	if (e != 0)
		return (e);
	(void)pthread_setname_np(prg->thread, "sbx-deploy");
	prg->has_thread = 1;
	return (0);
}

int
SBX_Program_Reload(struct sbx_program *prg, const char *who,
    sbx_reload_f *tell, struct sbx_err *err)
{
	int e;

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	AN(who);
	AN(tell);
	AN(err);
	AZ(pthread_mutex_lock(&prg->mtx));
	AZ(prg->stop);
	e = deploy_thread(prg);
	if (e == 0) {
		prg->wanted = 1;
		prg->tell = tell;
		bprintf(prg->who, "%.*s", SBX_WHO_MAX - 1, who);
	}
	AZ(pthread_mutex_unlock(&prg->mtx));
	if (e == 0)
		return (0);
	(void)SBX_Err_Set(err, SBX_FAIL_HOST, e, "thread to reload it");
	(void)SBX_Err_Wrap(err, "%s", prg->cfg.path);
	deploy_failed(prg, err);
	return (-1);
}

void
SBX_Program_Info(struct sbx_program *prg, struct sbx_program_info *info)
{

	CHECK_OBJ_NOTNULL(prg, SBX_PROGRAM_MAGIC);
	AN(info);
	AZ(pthread_mutex_lock(&prg->mtx));
	*info = prg->info;
	info->reloading = prg->wanted || prg->busy;
	AZ(pthread_mutex_unlock(&prg->mtx));
}

void
SBX_Program_Leave(struct sbx_program **pp)
{
	struct sbx_program *prg;
	pthread_t thread;
	int has_thread, busy;

	TAKE_OBJ_NOTNULL(prg, pp, SBX_PROGRAM_MAGIC);
	AZ(pthread_mutex_lock(&prg->mtx));
	prg->stop = 1;
	has_thread = prg->has_thread;
	thread = prg->thread;
	/* one that is only wanted will be told that it is given up */
	prg->orphan = busy = prg->busy || prg->wanted;
	if (has_thread)
		AZ(pthread_cond_signal(&prg->cond));
	AZ(pthread_mutex_unlock(&prg->mtx));
	/* from here on a busy one is its thread's */
	if (has_thread && busy) {
		AZ(pthread_detach(thread));
		return;
	}
	if (has_thread)
		AZ(pthread_join(thread, NULL));
	SBX_Program_Free(&prg);
}
