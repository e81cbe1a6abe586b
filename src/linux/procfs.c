/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * procfs.c: text about the program.
 */

#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/proc.h"
#include "linux/procfs.h"
#include "linux/syscall.h"
#include "machine/kvm.h"
#include "machine/machine.h"
#include "machine/paging.h"

/* Where a text is made. What does not fit is cut. */
struct text {
	struct sbx_proc		*p;
	size_t			len;
	char			b[SBX_PROCFS_MAX];
};

static void v_printflike_(2, 3)
text_add(struct text *t, const char *fmt, ...)
{
	size_t room = sizeof t->b - t->len;
	va_list ap;
	int l;

	va_start(ap, fmt);
	l = vsnprintf(t->b + t->len, room, fmt, ap);
	va_end(ap);
	assert(l >= 0);
	t->len += (size_t)l < room ? (size_t)l : room - 1;
}

/*--------------------------------------------------------------------
 * /proc/self/maps
 */

struct maps {
	struct text		*t;
	const char		*name;
	uint64_t		lo, hi;		/* not written yet */
	uint64_t		rights;
};

#define MAPS_RIGHTS		(SBX_PTE_P | SBX_PTE_W | SBX_PTE_NX)

static void
maps_flush(struct maps *m)
{

	if (m->lo < m->hi)
		text_add(m->t, "%08jx-%08jx %c%c%cp 00000000 00:00 0 %s%s\n",
		    (uintmax_t)m->lo, (uintmax_t)m->hi,
		    m->rights & SBX_PTE_P ? 'r' : '-',
		    (m->rights & SBX_PTE_P) && (m->rights & SBX_PTE_W) ?
		    'w' : '-',
		    (m->rights & SBX_PTE_P) && !(m->rights & SBX_PTE_NX) ?
		    'x' : '-', *m->name != '\0' ? "                      " : "",
		    m->name);
	m->lo = m->hi = 0;
}

/* All that ring 3 has in [lo, hi). */
static void
maps_range(struct maps *m, uint64_t lo, uint64_t hi, const char *name)
{
	struct sbx_gmem *gm = SBX_Sys_Gmem(m->t->p);
	const uint64_t *e;

	m->name = name;
	for (; lo < hi && !SBX_Sys_Late(m->t->p); lo += SBX_PAGE) {
		e = SBX_Gmem_Entry(gm, (sandbox_gva_t){ lo });
		if (e == NULL || !(*e & SBX_PTE_U)) {
			maps_flush(m);
			continue;
		}
		if (m->hi != lo || m->rights != (*e & MAPS_RIGHTS)) {
			maps_flush(m);
			m->lo = lo;
			m->rights = *e & MAPS_RIGHTS;
		}
		m->hi = lo + SBX_PAGE;
	}
	maps_flush(m);
}

static void
text_maps(struct text *t)
{
	const struct sbx_layout *lay = t->p->layout;
	const struct sbx_mm *mm = &t->p->mm;
	const struct sbx_far_map *f;
	struct maps m = { .t = t };
	unsigned u;

	maps_range(&m, SBX_SYS_VDSO, SBX_SYS_VDSO + SBX_PAGE, "[vdso]");
	maps_range(&m, lay->program_lo, lay->arena_lo, t->p->path);
	maps_range(&m, mm->lo, SBX_Page_Up(mm->brk), "[heap]");
	for (u = 0; u < mm->n_extent; u++)
		maps_range(&m, mm->extent[u].lo, mm->extent[u].hi, "");
	maps_range(&m, lay->stack_lo, lay->stack_hi, "[stack]");
	maps_range(&m, lay->window, lay->window + lay->window_len, "");
	for (f = t->p->far.map; f < t->p->far.map + t->p->far.n; f++)
		text_add(t, "%08jx-%08jx %c%c%cp 00000000 00:00 0 \n",
		    (uintmax_t)f->lo, (uintmax_t)f->hi,
		    f->flags & SBX_MAP_NONE ? '-' : 'r',
		    f->flags & SBX_MAP_WRITE ? 'w' : '-',
		    f->flags & SBX_MAP_EXEC ? 'x' : '-');
}

/*--------------------------------------------------------------------
 * The CPU
 */

/* Bits of CPUID, as Linux calls them; NULL: not told. */
static const char * const cpu_1_edx[32] = {
	"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic",
	NULL, "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn",
	"clflush", NULL, "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss",
	"ht", "tm", NULL, "pbe"
};
static const char * const cpu_1_ecx[32] = {
	"pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est",
	"tm2", "ssse3", "cid", "sdbg", "fma", "cx16", "xtpr", "pdcm", NULL,
	"pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt",
	"tsc_deadline_timer", "aes", "xsave", NULL, "avx", "f16c", "rdrand",
	"hypervisor"
};
static const char * const cpu_7_ebx[32] = {
	"fsgsbase", "tsc_adjust", NULL, "bmi1", "hle", "avx2", NULL, "smep",
	"bmi2", "erms", "invpcid", "rtm", "cqm", NULL, "mpx", "rdt_a",
	"avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", NULL,
	"clflushopt", "clwb", "intel_pt", "avx512pf", "avx512er", "avx512cd",
	"sha_ni", "avx512bw", "avx512vl"
};
static const char * const cpu_ext_ecx[32] = {
	[0] = "lahf_lm", [5] = "abm", [6] = "sse4a", [7] = "misalignsse",
	[8] = "3dnowprefetch"
};
static const char * const cpu_ext_edx[32] = {
	[11] = "syscall", [20] = "nx", [26] = "pdpe1gb", [27] = "rdtscp",
	[29] = "lm"
};

static void
cpu_flags(struct text *t, const char * const *names, uint32_t bits)
{
	unsigned u;

	for (u = 0; u < 32; u++)
		if ((bits >> u & 1) && names[u] != NULL)
			text_add(t, " %s", names[u]);
}

/* What the guest's CPUID says; nothing if there is no CPU. */
static const struct kvm_cpuid_entry2 *
cpu_leaf(const struct sbx_proc *p, uint32_t leaf)
{
	static const struct kvm_cpuid_entry2 none;
	const struct kvm_cpuid2 *c;
	unsigned u;

	if (p->machine->kvm == NULL || p->machine->kvm->cpuid == NULL)
		return (&none);
	c = p->machine->kvm->cpuid;
	for (u = 0; u < c->nent; u++)
		if (c->entries[u].function == leaf &&
		    c->entries[u].index == 0)
			return (&c->entries[u]);
	return (&none);
}

static void
cpu_name(const struct sbx_proc *p, char *name)
{
	const struct kvm_cpuid_entry2 *e;
	unsigned u;

	for (u = 0; u < 3; u++) {
		e = cpu_leaf(p, 0x80000002 + u);
		memcpy(name + u * 16, &e->eax, 4);
		memcpy(name + u * 16 + 4, &e->ebx, 4);
		memcpy(name + u * 16 + 8, &e->ecx, 4);
		memcpy(name + u * 16 + 12, &e->edx, 4);
	}
	name[48] = '\0';
}

static void
text_cpuinfo(struct text *t)
{
	const struct kvm_cpuid_entry2 *e;
	uint32_t family, model;
	char vendor[13], name[49];

	e = cpu_leaf(t->p, 0);
	memcpy(vendor, &e->ebx, 4);
	memcpy(vendor + 4, &e->edx, 4);
	memcpy(vendor + 8, &e->ecx, 4);
	vendor[12] = '\0';
	e = cpu_leaf(t->p, 1);
	family = e->eax >> 8 & 0xf;
	model = (e->eax >> 4 & 0xf) | (e->eax >> 12 & 0xf0);
	if (family == 0xf)
		family += e->eax >> 20 & 0xff;
	cpu_name(t->p, name);
	text_add(t, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\n"
	    "model\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n", vendor,
	    family, model, name, e->eax & 0xf);
	if (t->p->machine->kvm != NULL && t->p->machine->kvm->tsc_mult != 0)
		text_add(t, "cpu MHz\t\t: %.3f\n", 4294967296e3 /
		    (double)t->p->machine->kvm->tsc_mult);
	text_add(t, "physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\n"
	    "cpu cores\t: 1\nfpu\t\t: yes\nwp\t\t: yes\nflags\t\t:");
	cpu_flags(t, cpu_1_edx, e->edx);
	e = cpu_leaf(t->p, 0x80000001);
	cpu_flags(t, cpu_ext_edx, e->edx);
	cpu_flags(t, cpu_1_ecx, cpu_leaf(t->p, 1)->ecx);
	cpu_flags(t, cpu_ext_ecx, e->ecx);
	cpu_flags(t, cpu_7_ebx, cpu_leaf(t->p, 7)->ebx);
	text_add(t, "\nclflush size\t: 64\n\n");
}

static void
text_online(struct text *t)
{

	text_add(t, "0\n");
}

/*--------------------------------------------------------------------
 * The rest
 */

static void
text_meminfo(struct text *t)
{
	const struct sbx_mm *mm = &t->p->mm;
	uint64_t left;
	unsigned u;

	left = mm->hi - mm->brk;
	for (u = 0; u < mm->n_extent; u++)
		left -= mm->extent[u].hi - mm->extent[u].lo;
	text_add(t, "MemTotal:       %8ju kB\nMemFree:        %8ju kB\n"
	    "MemAvailable:   %8ju kB\nBuffers:               0 kB\n"
	    "Cached:                0 kB\nSwapTotal:             0 kB\n"
	    "SwapFree:              0 kB\n",
	    (uintmax_t)(SBX_Sys_Gmem(t->p)->size >> 10),
	    (uintmax_t)(left >> 10), (uintmax_t)(left >> 10));
}

static void
text_comm(struct text *t)
{
	const char *s = SBX_Thread_Me(t->p)->name;

	if (*s == '\0') {
		s = strrchr(t->p->path, '/');
		s = s == NULL ? t->p->path : s + 1;
	}
	text_add(t, "%.15s\n", s);
}

static void
text_status(struct text *t)
{

	text_add(t, "Name:\t");
	text_comm(t);
	text_add(t, "Umask:\t0022\nState:\tR (running)\nTgid:\t1\nPid:\t1\n"
	    "PPid:\t0\nUid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\n",
	    SBX_PROC_UID, SBX_PROC_UID, SBX_PROC_UID, SBX_PROC_UID,
	    SBX_PROC_UID, SBX_PROC_UID, SBX_PROC_UID, SBX_PROC_UID);
	text_add(t, "Threads:\t%u\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n",
	    t->p->threads.n);
}

/* glibc asks whether memory may be overcommitted: it may. */
static void
text_overcommit(struct text *t)
{

	text_add(t, "1\n");
}

static const struct procfs {
	const char		*path;
	void			(*make)(struct text *);
} procfs[] = {
	{ "/proc/cpuinfo",			text_cpuinfo },
	{ "/proc/meminfo",			text_meminfo },
	{ "/proc/self/comm",			text_comm },
	{ "/proc/self/maps",			text_maps },
	{ "/proc/self/status",			text_status },
	{ "/proc/sys/vm/overcommit_memory",	text_overcommit },
	{ "/sys/devices/system/cpu/online",	text_online },
	{ "/sys/devices/system/cpu/possible",	text_online },
};

#define PROCFS_N		(sizeof procfs / sizeof *procfs)

int
SBX_Procfs_Find(const char *path)
{
	char self[64];
	unsigned u;

	if (!strncmp(path, "/proc/1/", 8)) {
		(void)snprintf(self, sizeof self, "/proc/self/%s", path + 8);
		path = self;
	}
	for (u = 0; u < PROCFS_N; u++)
		if (!strcmp(procfs[u].path, path))
			return ((int)u);
	return (-1);
}

int
SBX_Procfs_Above(const char *path)
{
	size_t l = strlen(path);
	unsigned u;

	for (u = 0; u < PROCFS_N; u++)
		if (!strncmp(procfs[u].path, path, l) &&
		    procfs[u].path[l] == '/')
			return (1);
	return (!strcmp(path, "/dev"));
}

int64_t
SBX_Procfs_Pread(struct sbx_proc *p, unsigned node, void *b, uint64_t len,
    uint64_t off)
{
	struct text *t;

	CHECK_OBJ_NOTNULL(p, SBX_PROC_MAGIC);
	assert(node < PROCFS_N);
	t = sbx_os.calloc(1, sizeof *t);
	if (t == NULL)
		return (-ENOMEM);
	t->p = p;
	procfs[node].make(t);
	if (off >= t->len)
		len = 0;
	else if (len > t->len - off)
		len = t->len - off;
	if (len > 0)
		memcpy(b, t->b + off, len);
	free(t);
	return ((int64_t)len);
}
