/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What VMs take: how long it takes to make one and to destroy it, and how
 * much memory many of them have, after a request each. Prints one JSON
 * object.
 *
 *	vms PROGRAM VMS MEGABYTES
 */

#include "config.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/kvm.h"
#include "pool/image.h"
#include "pool/program.h"
#include "pool/vm_priv.h"

#define VMS_MAX			4096
#define VMS_TIMEOUT		5.0

struct vms {
	unsigned		magic;
#define VMS_MAGIC		0x8e51c6b3
	struct sbx_kvm		*kvm;
	struct sbx_image	*img;
	unsigned		n;
	struct sbx_vm		*vm[VMS_MAX];
	int64_t			stamp[VMS_MAX];		/* ns */
	int64_t			make[VMS_MAX];
	int64_t			destroy[VMS_MAX];
};

static void v_noreturn_
vms_die(const char *what, const struct sbx_err *err)
{

	fprintf(stderr, "vms: %s: %s\n", what, err->msg);
	exit(1);
}

/* KB in the line of a file in /proc that begins with (name). */
static long
vms_kb(const char *file, const char *name)
{
	char line[256];
	long kb = -1;
	FILE *f;

	f = fopen(file, "r");
	if (f == NULL)
		return (-1);
	while (kb < 0 && fgets(line, sizeof line, f) != NULL)
		if (!strncmp(line, name, strlen(name)))
			kb = strtol(line + strlen(name), NULL, 10);
	(void)fclose(f);
	return (kb);
}

static void
vms_open(struct vms *v, const char *path, uint64_t memory)
{
	struct sbx_program_cfg cfg;
	struct sbx_err err;
	struct stat st;
	size_t len;
	void *file;
	FILE *f;

	SBX_Err_Clear(&err);
	SBX_Program_Defaults(&cfg);
	cfg.path = path;
	cfg.memory = memory;
	f = fopen(path, "rb");
	if (f == NULL || fstat(fileno(f), &st) < 0) {
		perror(path);
		exit(1);
	}
	len = (size_t)st.st_size;
	file = malloc(len);
	AN(file);
	assert(fread(file, 1, len, f) == len);
	(void)fclose(f);
	if (SBX_Kvm_Open(&v->kvm, &err) ||
	    SBX_Image_New(v->kvm, &cfg, file, len, &v->img, &err))
		vms_die(path, &err);
	free(file);
}

/* A request, as the pool would have it served. */
static void
vms_request(struct sbx_vm *vm)
{
	static const struct sbx_request req = {
		.method = { "GET", 3 },
		.url = { "/", 1 },
		.proto = { "HTTP/1.1", 8 },
		.arg = { "", 0 },
		.client_ip = { "127.0.0.1", 9 },
	};
	struct sbx_err err;

	SBX_Err_Clear(&err);
	SBX_VM_State(vm, SBX_VM_LENT);
	if (SBX_VM_Serve(vm, &req, NULL, &err) || SBX_VM_Reset(vm, &err))
		vms_die("request", &err);
}

static void
vms_make(struct vms *v, unsigned n, int warmup, int64_t *ns)
{
	struct sbx_err err;
	unsigned u;
	int64_t t;

	SBX_Err_Clear(&err);
	for (u = 0; u < n; u++) {
		t = SBX_Os_Mono();
		if (SBX_VM_New(v->img, VMS_TIMEOUT, warmup, &v->vm[u], &err))
			vms_die("VM", &err);
		ns[u] = SBX_Os_Mono() - t;
	}
}

static void
vms_destroy(struct vms *v, unsigned n, int64_t *ns)
{
	unsigned u;
	int64_t t;

	for (u = 0; u < n; u++) {
		t = SBX_Os_Mono();
		SBX_VM_Destroy(&v->vm[u]);
		ns[u] = SBX_Os_Mono() - t;
	}
}

static int
vms_cmp(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

static double
vms_median_us(int64_t *ns, unsigned n)
{

	qsort(ns, n, sizeof *ns, vms_cmp);
	return ((double)(ns[(n - 1) / 2] + ns[n / 2]) * 0.5e-3);
}

/* Entries of a folder in /proc. */
static long
vms_count(const char *dir)
{
	struct dirent *de;
	long n = 0;
	DIR *d;

	d = opendir(dir);
	AN(d);
	while ((de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			n++;
	(void)closedir(d);
	return (n - (strcmp(dir, "/proc/self/fd") ? 0 : 1));
}

static long
vms_maps(void)
{
	FILE *f;
	long n = 0;
	int c;

	f = fopen("/proc/self/maps", "r");
	AN(f);
	while ((c = fgetc(f)) != EOF)
		n += c == '\n';
	(void)fclose(f);
	return (n);
}

/* What is in use now. */
struct vms_use {
	long			pss, free;	/* KB */
	long			fds, maps, threads;
};

static struct vms_use
vms_use(void)
{
	struct vms_use u;

	u.pss = vms_kb("/proc/self/smaps_rollup", "Pss:");
	u.free = vms_kb("/proc/meminfo", "MemFree:");
	u.fds = vms_count("/proc/self/fd");
	u.maps = vms_maps();
	u.threads = vms_count("/proc/self/task");
	return (u);
}

/* Of the machine's free memory, what is not in our Pss the kernel has, or
 * somebody else: this number is good on a quiet machine only. */
static void
vms_print(const struct vms *v, long mb, const struct vms_use *a,
    const struct vms_use *b)
{
	double n = v->n;

	printf("{\"vms\": %u, \"memory_mb\": %ld, \"pss_kb\": %ld, "
	    "\"pss_vm_kb\": %.1f, \"kernel_vm_kb\": %.1f, "
	    "\"fds_vm\": %.1f, \"maps_vm\": %.1f, \"threads_vm\": %.1f, ",
	    v->n, mb, b->pss, (double)(b->pss - a->pss) / n,
	    (double)(a->free - b->free - (b->pss - a->pss)) / n,
	    (double)(b->fds - a->fds) / n, (double)(b->maps - a->maps) / n,
	    (double)(b->threads - a->threads) / n);
}

int
main(int argc, char **argv)
{
	static struct vms v;
	struct vms_use before, after;
	long n, mb;
	unsigned u;

	n = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	mb = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	if (n < 1 || n > VMS_MAX || mb < 4) {
		fprintf(stderr, "usage: vms PROGRAM VMS MEGABYTES\n");
		return (2);
	}
	v.magic = VMS_MAGIC;
	v.n = (unsigned)n;
	vms_open(&v, argv[1], (uint64_t)mb << 20);

	/* one for malloc() and KVM to have been there; not all, whose memory
	 * malloc() would hand out again, and calloc() make private */
	vms_make(&v, 1, 1, v.make);
	vms_destroy(&v, 1, v.destroy);
	before = vms_use();
	vms_make(&v, v.n, 1, v.make);
	for (u = 0; u < v.n; u++)
		vms_request(v.vm[u]);
	after = vms_use();
	vms_print(&v, mb, &before, &after);
	vms_destroy(&v, v.n, v.destroy);
	vms_make(&v, v.n, 0, v.stamp);
	vms_destroy(&v, v.n, v.destroy);
	printf("\"stamp_us\": %.1f, \"make_us\": %.1f, \"destroy_us\": %.1f}\n",
	    vms_median_us(v.stamp, v.n), vms_median_us(v.make, v.n),
	    vms_median_us(v.destroy, v.n));
	SBX_Image_Destroy(&v.img);
	SBX_Kvm_Close(&v.kvm);
	return (0);
}
