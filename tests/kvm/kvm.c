/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * kvm.c: opening programs and asking them.
 */

#include "config.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vdef.h"
#include "vas.h"

#include "kvm.h"

const struct sbx_host *Kvm_Host;

void
Kvm_Need(void)
{
	int fd;

	fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		printf("SKIP: /dev/kvm is missing or not writable\n");
		exit(77);
	}
	(void)close(fd);
}

/* The real path of (rel) in the build tree. */
static const char *
kvm_path(const char *rel)
{
	static char path[PATH_MAX];
	const char *top = getenv("top_builddir");
	char raw[PATH_MAX];

	(void)snprintf(raw, sizeof raw, "%s/%s", top == NULL ? "." : top,
	    rel);
	if (realpath(raw, path) == NULL) {
		perror(raw);
		exit(1);
	}
	return (path);
}

const char *
Kvm_Guest(const char *name)
{
	char rel[1024];

	(void)snprintf(rel, sizeof rel, "tests/guests/%s/%s.guest", name,
	    name);
	return (kvm_path(rel));
}

const char *
Kvm_Example(const char *name)
{
	char rel[1024];

	(void)snprintf(rel, sizeof rel, "guest-sdk/examples/%s", name);
	return (kvm_path(rel));
}

double
Kvm_Slow(void)
{
	const char *e = getenv("SBX_TEST_SLOW");

	return (e == NULL ? 1.0 : strtod(e, NULL));
}

void
Kvm_Cfg(struct sbx_program_cfg *cfg, const char *path)
{

	SBX_Program_Defaults(cfg);
	cfg->path = path;
	cfg->boot_timeout *= Kvm_Slow();
	cfg->request_timeout *= Kvm_Slow();
	cfg->queue_timeout *= Kvm_Slow();
}

struct sbx_program *
Kvm_Open(const struct sbx_program_cfg *cfg)
{
	struct sbx_program *prg = NULL;
	struct sbx_err err;

	SBX_Err_Clear(&err);
	if (SBX_Program_Open(cfg, &prg, &err) ||
	    SBX_Program_Warm(prg, &err)) {
		fprintf(stderr, "%s: %s\n", cfg->path, err.msg);
		exit(1);
	}
	return (prg);
}

struct sbx_program *
Kvm_OpenOne(const char *path)
{
	struct sbx_program_cfg cfg;

	Kvm_Cfg(&cfg, path);
	cfg.max_vms = 1;
	return (Kvm_Open(&cfg));
}

void
Kvm_Close(struct sbx_program **prg)
{

	SBX_Program_Cool(*prg);
	SBX_Program_Close(prg);
}

struct sbx_pool_stats
Kvm_Stats(struct sbx_program *prg)
{
	struct sbx_pool_stats st;

	SBX_Pool_Stats(SBX_Program_Pool(prg), &st);
	return (st);
}

struct sbx_vm *
Kvm_Borrow(struct sbx_program *prg, struct sbx_err *err)
{
	struct sbx_vm *vm;

	SBX_Err_Clear(err);
	vm = SBX_Pool_Get(SBX_Program_Pool(prg), err);
	AN(vm);
	return (vm);
}

int
Kvm_Serve(struct sbx_vm *vm, const char *url, struct sbx_err *err)
{
	struct sbx_request req;

	memset(&req, 0, sizeof req);
	req.method = SBX_Txt("GET");
	req.url = SBX_Txt(url);
	req.proto = SBX_Txt("HTTP/1.1");
	req.arg = SBX_Txt(NULL);
	req.client_ip = SBX_Txt("127.0.0.1");
	if (SBX_VM_Serve(vm, &req, Kvm_Host, err))
		return (-1);
	return ((int)SBX_VM_Answer(vm)->status);
}

int
Kvm_Get(struct sbx_program *prg, const char *url, char *body, size_t len,
    struct sbx_err *err)
{
	struct sbx_pool *pool = SBX_Program_Pool(prg);
	struct sbx_vm *vm;
	size_t l = 0;
	int i;

	SBX_Err_Clear(err);
	vm = SBX_Pool_Get(pool, err);
	if (vm == NULL)
		return (-1);
	i = Kvm_Serve(vm, url, err);
	if (body != NULL) {
		if (i > 0)
			l = SBX_VM_AnswerBody(vm, 0, body, len - 1);
		body[l] = '\0';
	}
	SBX_Pool_Put(pool, &vm);
	return (i);
}
