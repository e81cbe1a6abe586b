/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * image.c: making a golden image.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "hostcall/exchange.h"
#include "linux/exec.h"
#include "linux/load.h"
#include "linux/symbol.h"
#include "machine/gmem.h"
#include "machine/kvm.h"
#include "machine/watchdog.h"
#include "pool/coredir.h"
#include "pool/image.h"
#include "pool/program.h"

/* How often sealing the image is tried, 0.15 s each. */
#define IMAGE_SEAL_TRIES	20

/* What exists only until the image is frozen. */
struct boot {
	unsigned		magic;
#define BOOT_MAGIC		0x49f15e0b
	struct sbx_image	*img;
	const struct sbx_program_cfg *cfg;
	void			*mem;		/* shared, writable */
	struct sbx_machine	*m;
	struct sbx_exchange	*x;
	struct sbx_exec		exec;
	struct sbx_err		*err;
};

static int
boot_memory(struct boot *b)
{
	struct sbx_image *img = b->img;
	void *p;

	img->fd = sbx_os.memfd_create("sandbox-image",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (img->fd < 0)
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, errno,
		    "memfd_create"));
	if (sbx_os.ftruncate(img->fd, (off_t)img->size) < 0)
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, errno,
		    "memory of %ju bytes", (uintmax_t)img->size));
	p = sbx_os.mmap(NULL, img->size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    img->fd, 0);
	if (p == MAP_FAILED)
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, errno,
		    "mmap of %ju bytes", (uintmax_t)img->size));
	b->mem = p;
	/* a core dump of the worker need not hold what guests know */
	(void)sbx_os.madvise(p, img->size, MADV_DONTDUMP);
	return (0);
}

/* While its bytes are at hand. */
static int
boot_symbols(struct boot *b)
{
	const struct sbx_exec *x = &b->exec;
	struct sbx_image *img = b->img;

	if (SBX_Symbols_New(&img->symbols, b->err) ||
	    SBX_Symbols_Add(img->symbols, x->file, x->file_len, &x->elf,
	    x->exe, b->err))
		return (-1);
	return (x->linker_file == NULL ? 0 : SBX_Symbols_Add(img->symbols,
	    x->linker_file, x->linker_len, &x->linker, x->elf.interp, b->err));
}

static int
boot_load(struct boot *b, const void *file, size_t len)
{
	const struct sbx_program_cfg *cfg = b->cfg;
	struct sbx_image *img = b->img;
	struct sbx_exec *x = &b->exec;
	struct sbx_load in;

	if (SBX_Allow_New(cfg->files, &img->allow, b->err))
		return (-1);
	SBX_Allow_Own(img->allow, cfg->path);
	if (SBX_Exec_Init(x, file, len, cfg->path, cfg->argv, cfg->envp,
	    img->allow, b->err))
		return (-1);
	img->path = SBX_Os_Strdup(x->exe);
	if (img->path == NULL)
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, ENOMEM, "image"));
	if (boot_symbols(b) || boot_memory(b) ||
	    SBX_Machine_New(img->kvm, b->mem, img->size, &b->m, b->err))
		return (-1);
	memset(&in, 0, sizeof in);
	in.file = x->file;
	in.elf = &x->elf;
	in.interp_file = x->linker_file;
	in.interp = x->linker_file == NULL ? NULL : &x->linker;
	in.path = x->exe;
	in.execfn = cfg->path;
	in.argv = x->argv;
	in.envp = cfg->envp;
	in.body_max = cfg->max_request_body;
	in.exec = cfg->executable_memory != 0;
	in.symbols = img->symbols;
	return (SBX_Load(img->kvm, &b->m->gmem, &in, &img->layout, b->err));
}

/* What is likely to be wrong with it, beyond what it has said itself. Many
 * programs ask for a lot of memory and make do with less: that is why they end
 * only if they got none since, or if there are no words of another reason. */
static const char *
boot_hint(const struct sbx_proc *p)
{
	const int silent = p->tail_len == 0;

	if (p->kill == SBX_KILL_timeout)
		return ("");
	if (p->refused_last || (p->refused && silent))
		return (p->kill == SBX_KILL_exit ?
		    " before it was ready; it wanted more memory than it may "
		    "have: raise memory" :
		    ", while it started; it wanted more memory than it may "
		    "have: raise memory");
	if (p->kill == SBX_KILL_exit)
		return (p->status == 0 || silent ?
		    " before it was ready: it must not return from main(), "
		    "but call sandbox_serve()" : " before it was ready");
	if (p->kill == SBX_KILL_fault)
		return (", while it started; sandbox-run shows it without "
		    "Varnish");
	return ("");
}

static int boot_data(struct boot *);

/* If the author wants to see for himself. What goes wrong with that does not
 * hide what has gone wrong before. */
static void
boot_core(struct boot *b, char *text, size_t len)
{
	char path[SBX_CORE_PATH_MAX] = "";
	struct sbx_coredir *dir = NULL;
	struct sbx_err err, *was = b->err;
	int i = -1;

	text[0] = '\0';
	if (b->cfg->core_dir == NULL || !SBX_Proc_WantsCore(&b->img->proc))
		return;
	SBX_Err_Clear(&err);
	b->err = &err;
	if (!boot_data(b) && !SBX_Coredir_New(b->cfg, &dir, &err))
		i = SBX_Coredir_Write(dir, &b->img->proc, b->img->data, path,
		    &err);
	b->err = was;
	if (dir != NULL)
		SBX_Coredir_Destroy(&dir);
	(void)snprintf(text, len, "; %s%.480s", i == 0 ? "core: " : "no core: ",
	    i == 0 ? path : i > 0 ? "there are max_cores already" : err.msg);
}

/* Why it did not become ready, with the program's last words. */
static int
boot_failed(struct boot *b)
{
	const struct sbx_proc *p = &b->img->proc;
	char core[SBX_ERR_MAX / 2];
	char missing[SBX_ERR_MAX / 2] = "";

	if (p->kill == SBX_KILL_exit)
		SBX_Exec_Missing(&b->exec, missing, sizeof missing);
	boot_core(b, core, sizeof core);
	return (SBX_Err_Set(b->err, p->err.kind == SBX_FAIL_HOST ?
	    SBX_FAIL_HOST : SBX_FAIL_CONFIG, 0, "%s%s%s%s%.*s%s%s",
	    p->err.msg, missing[0] == '\0' ? boot_hint(p) : "", missing,
	    p->tail_len > 0 ? "; its last words: \"" : "",
	    (int)p->tail_len, p->tail, p->tail_len > 0 ? "\"" : "", core));
}

static int
boot_run(struct boot *b)
{
	struct sbx_image *img = b->img;
	struct sbx_proc *p = &img->proc;
	enum sbx_next_e next;
	int64_t now;

	b->x = sbx_os.calloc(1, sizeof *b->x);
	if (b->x == NULL)
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, ENOMEM, "boot"));
	b->x->magic = SBX_EXCHANGE_MAGIC;
	SBX_Proc_Init(p, b->m, &img->layout, img->allow, img->path);
	SBX_Machine_Boot(b->m, img->layout.entry, img->layout.sp);
	now = SBX_Os_Mono();
	SBX_Proc_Begin(p, NULL, now,
	    now + SBX_Os_Nano(b->cfg->boot_timeout));
	SBX_Watchdog_Arm(b->m, p->deadline);
	next = SBX_Exchange_Run(b->x, p);
	SBX_Watchdog_Disarm(b->m);
	SBX_Proc_End(p);
	img->boot = SBX_Os_Seconds(SBX_Os_Mono() - now);
	if (next != SBX_NEXT_READY)
		return (boot_failed(b));
	return (SBX_Machine_Freeze(b->m, img->layout.window,
	    img->kvm->tsc_mult != 0 ? img->layout.clock : 0, &img->cpu,
	    b->err));
}

/*--------------------------------------------------------------------
 * What is in the image
 */

/* Go through the pages in [lo, hi) of the memfd: those that are zero are
 * punched out, the others noted. */
static int
boot_data_range(struct boot *b, uint64_t lo, uint64_t hi)
{
	struct sbx_image *img = b->img;
	uint64_t at, p;

	for (at = lo; at < hi; at += SBX_PAGE) {
		if (!SBX_Page_IsZero((const uint8_t *)b->mem + at)) {
			p = at / SBX_PAGE;
			img->data[p / 64] |= UINT64_C(1) << (p % 64);
			img->n_data++;
		} else if (sbx_os.fallocate(img->fd, FALLOC_FL_PUNCH_HOLE |
		    FALLOC_FL_KEEP_SIZE, (off_t)at, SBX_PAGE) < 0)
			return (SBX_Err_Set(b->err, SBX_FAIL_HOST, errno,
			    "trimming the image"));
	}
	return (0);
}

static int
boot_data(struct boot *b)
{
	struct sbx_image *img = b->img;
	off_t lo, hi = 0;

	img->data = sbx_os.calloc((img->size / SBX_PAGE + 63) / 64,
	    sizeof *img->data);
	if (img->data == NULL)
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, ENOMEM, "image"));
	for (;;) {
		lo = sbx_os.lseek(img->fd, hi, SEEK_DATA);
		if (lo < 0 && errno == ENXIO)
			return (0);	/* no more */
		if (lo >= 0)
			hi = sbx_os.lseek(img->fd, lo, SEEK_HOLE);
		if (lo < 0 || hi < 0)
			return (SBX_Err_Set(b->err, SBX_FAIL_HOST, errno,
			    "looking for what is in the image"));
		if (boot_data_range(b, (uint64_t)lo, (uint64_t)hi))
			return (-1);
	}
}

/* Find ranges with data, gaps of up to (gap) bytes included. Returns -1 if
 * these are too many. */
static int
image_ranges(struct sbx_image *img, uint64_t gap)
{
	struct sbx_range *r = NULL;
	uint64_t p, at;

	img->n_range = 0;
	for (p = 0; p < img->size / SBX_PAGE; p++) {
		if (!(img->data[p / 64] >> (p % 64) & 1))
			continue;
		at = p * SBX_PAGE;
		if (r == NULL || at - r->hi > gap) {
			if (img->n_range == SBX_IMAGE_RANGES_MAX)
				return (-1);
			r = &img->range[img->n_range++];
			r->lo = at;
		}
		r->hi = at + SBX_PAGE;
	}
	return (0);
}

/*--------------------------------------------------------------------
 * From here on nobody can write to the image.
 */

/* The kernel refuses while anybody has hold of a page, if only to look at it
 * (page reclaim, DAMON), and has waited for 0.15 s before it says so. */
static int
image_seal(const struct sbx_image *img)
{
	const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK |
	    F_SEAL_SEAL;
	unsigned u;

	for (u = 0; u < IMAGE_SEAL_TRIES; u++)
		if (sbx_os.fcntl(img->fd, F_ADD_SEALS, seals) >= 0)
			return (0);
		else if (errno != EBUSY)
			break;
	return (-1);
}

static int
boot_seal(struct boot *b)
{
	struct sbx_image *img = b->img;
	uint64_t gap = SBX_PAGE;
	void *p;

	img->proc.machine = NULL;
	img->proc.serving = 1;
	SBX_Machine_Destroy(&b->m);
	if (boot_data(b))
		return (-1);
	while (image_ranges(img, gap))
		gap *= 2;
	AZ(sbx_os.munmap(b->mem, img->size));
	b->mem = NULL;
	if (image_seal(img))
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, errno,
		    "sealing the image"));
	p = sbx_os.mmap(NULL, img->size, PROT_READ, MAP_SHARED, img->fd, 0);
	if (p == MAP_FAILED)
		return (SBX_Err_Set(b->err, SBX_FAIL_HOST, errno,
		    "mmap of the image"));
	img->golden = p;
	(void)sbx_os.madvise(p, img->size, MADV_DONTDUMP);
	return (0);
}

static void
boot_fini(struct boot *b)
{

	if (b->m != NULL)
		SBX_Machine_Destroy(&b->m);
	if (b->mem != NULL)
		AZ(sbx_os.munmap(b->mem, b->img->size));
	if (b->exec.magic == SBX_EXEC_MAGIC)
		SBX_Exec_Fini(&b->exec);
	free(b->x);
}

int
SBX_Image_New(struct sbx_kvm *kvm, const struct sbx_program_cfg *cfg,
    const void *file, size_t len, struct sbx_image **imgp,
    struct sbx_err *err)
{
	struct sbx_image *img;
	struct boot b;
	int i;

	CHECK_OBJ_NOTNULL(kvm, SBX_KVM_MAGIC);
	AN(cfg);
	AN(imgp);
	AZ(*imgp);
	SBX_ALLOC_OBJ(img, SBX_IMAGE_MAGIC);
	if (img == NULL)
		return (SBX_Err_Set(err, SBX_FAIL_HOST, ENOMEM, "image"));
	img->kvm = kvm;
	img->fd = -1;
	img->size = cfg->memory;
	img->body_max = cfg->max_response_body;
	img->fetch.max = cfg->max_fetches;
	img->fetch.bytes = cfg->max_fetch_bytes;
	INIT_OBJ(&b, BOOT_MAGIC);
	b.img = img;
	b.cfg = cfg;
	b.err = err;
	i = -1;
	if (!boot_load(&b, file, len) && !boot_run(&b))
		i = boot_seal(&b);
	boot_fini(&b);
	if (i) {
		SBX_Image_Destroy(&img);
		return (-1);
	}
	*imgp = img;
	return (0);
}

void
SBX_Image_Destroy(struct sbx_image **imgp)
{
	struct sbx_image *img;

	TAKE_OBJ_NOTNULL(img, imgp, SBX_IMAGE_MAGIC);
	if (img->proc.magic == SBX_PROC_MAGIC)
		SBX_Proc_Fini(&img->proc);
	if (img->golden != NULL)
		AZ(sbx_os.munmap((void *)(uintptr_t)img->golden, img->size));
	if (img->fd >= 0)
		SBX_Os_CloseFd(&img->fd);
	if (img->allow != NULL)
		SBX_Allow_Destroy(&img->allow);
	if (img->symbols != NULL)
		SBX_Symbols_Destroy(&img->symbols);
	free(img->data);
	free(img->path);
	FREE_OBJ(img);
}
