/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * sandbox-run: run one guest without Varnish, with the same core as the VMOD.
 */

#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "machine/kvm.h"
#include "pool/pool.h"
#include "pool/program.h"
#include "pool/vm.h"
#include "run/debug.h"
#include "run/trace.h"

#define RUN_LIST_MAX		256

/* People think for long; the time that they do does not even count. */
#define RUN_GDB_TIMEOUT		3600

struct run {
	unsigned		magic;
#define RUN_MAGIC		0x3d81f6a4
	struct sbx_program_cfg	cfg;
	struct sbx_request	req;
	struct sbx_header	header[RUN_LIST_MAX];
	char			*body;
	size_t			body_len;
	const char		*url[RUN_LIST_MAX];
	unsigned		n_url;
	const char		*env[RUN_LIST_MAX + 1];
	unsigned		n_env;
	const char		*file[RUN_LIST_MAX + 1];
	unsigned		n_file;
	unsigned long		count;
	int			stats;
	int			quiet;
	int			fail;		/* stop at the first failure */
	const char		*gdb;		/* where to listen for it */

	unsigned long		n_bad;
	int64_t			*t_run;		/* nanoseconds, each */
	int64_t			*t_reset;
	struct sbx_usage	usage;		/* of the last request */
	long			faults;		/* in the second half */
};

static const char usage_text[] =
    "usage: sandbox-run PROGRAM [options] [--] [argument of PROGRAM ...]\n"
    "\n"
    "Run PROGRAM in a VM of its own and let it answer a request, as the VMOD\n"
    "does. The answer's status line and headers go to standard output, and\n"
    "its body behind them; what the guest logs goes to standard error. Exit\n"
    "status: 0 answered, 1 the guest or the host failed, 2 usage.\n"
    "\n"
    "  -u, --url URL           path and query (default /); repeated: one after\n"
    "                          the other, in the same VM\n"
    "  -m, --method METHOD     (default GET, or POST with --data)\n"
    "  -H, --header 'N: V'     a request header; may be repeated\n"
    "  -d, --data TEXT         request body; @FILE reads a file, @- standard "
    "input\n"
    "  -a, --arg TEXT          as the argument of .backend()\n"
    "  -n, --count N           the same request N times, each after a reset\n"
    "  -k, --keep-going        with --count: go on when a request fails\n"
    "  -s, --stats             times, exits and pages, to standard error\n"
    "  -q, --quiet             do not print the answer\n"
    "  -t, --trace             each system call, with arguments and result, to\n"
    "                          standard error, from the program's start on\n"
    "  -c, --core DIRECTORY    when it is killed, write a core file there; the "
    "program\n"
    "                          with -g, and then gdb PROGRAM CORE\n"
    "  -g, --gdb [ADDRESS:]PORT, or PATH of a socket\n"
    "                          wait for gdb, which has the request from its\n"
    "                          beginning on: target remote ...\n"
    "  -e, --env NAME=VALUE    environment of the program; may be repeated\n"
    "  -f, --file PATH         it may read this file, or all below this\n"
    "                          directory; may be repeated\n"
    "  -o, --set NAME=VALUE    a setting of sandbox.program():\n"
#define LIMIT(type, name, unit, dflt, min, max, text)			\
    "                            " #name ", " text " (" unit ")\n"
#include "tbl/limits.h"
    "  -h, --help\n";

static void v_noreturn_ v_printflike_(1, 2)
run_usage(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "sandbox-run: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nTry sandbox-run --help.\n");
	exit(2);
}

/*--------------------------------------------------------------------
 * Arguments
 */

static void
run_header(struct run *r, const char *s)
{
	struct sbx_header *h;
	const char *c;

	c = strchr(s, ':');
	if (c == NULL || c == s)
		run_usage("--header wants 'Name: value', not \"%s\"", s);
	if (r->req.n_headers == RUN_LIST_MAX)
		run_usage("more than %d headers", RUN_LIST_MAX);
	h = &r->header[r->req.n_headers++];
	h->name.b = s;
	h->name.l = (size_t)(c - s);
	for (c++; *c == ' '; c++)
		continue;
	h->value = SBX_Txt(c);
}

static void
run_data(struct run *r, const char *s)
{
	size_t room = 0;
	ssize_t l;
	FILE *f;

	if (s[0] != '@') {
		r->body = strdup(s);
		AN(r->body);
		r->body_len = strlen(s);
		return;
	}
	f = strcmp(s, "@-") ? fopen(s + 1, "rb") : stdin;
	if (f == NULL)
		run_usage("%s: %s", s + 1, strerror(errno));
	do {
		if (room - r->body_len < 65536) {
			room += 1u << 20;
			r->body = realloc(r->body, room);
			AN(r->body);
		}
		l = (ssize_t)fread(r->body + r->body_len, 1,
		    room - r->body_len, f);
		r->body_len += (size_t)l;
	} while (l > 0);
	if (ferror(f))
		run_usage("%s: %s", s + 1, strerror(errno));
	if (f != stdin)
		(void)fclose(f);
}

/* A number with k, M or G behind it, as in VCL (powers of 1,024). */
static double
run_number(const char *name, const char *s)
{
	char *e;
	double d;

	d = strtod(s, &e);
	if (e == s)
		run_usage("%s wants a number, not \"%s\"", name, s);
	if (!strcasecmp(e, "k") || !strcasecmp(e, "kb"))
		return (d * 1024);
	if (!strcasecmp(e, "m") || !strcasecmp(e, "mb"))
		return (d * 1048576);
	if (!strcasecmp(e, "g") || !strcasecmp(e, "gb"))
		return (d * 1073741824);
	if (!strcmp(e, "ms"))
		return (d * 1e-3);
	if (*e != '\0' && strcmp(e, "b") && strcmp(e, "B") && strcmp(e, "s"))
		run_usage("%s: \"%s\" is not a unit", name, e);
	return (d);
}

static void
run_set(struct run *r, const char *s)
{
	const char *v;
	size_t l;
	double d;

	v = strchr(s, '=');
	if (v == NULL)
		run_usage("--set wants NAME=VALUE, not \"%s\"", s);
	l = (size_t)(v - s);
	d = run_number(s, v + 1);
	/* nor is it one if it is not a number */
	if (!(d >= 0 && d < 1e18))
		run_usage("%s is out of range", s);
#define LIMIT(type, name, unit, dflt, min, max, text)			\
	if (l == strlen(#name) && !strncmp(s, #name, l)) {		\
		r->cfg.name = (type)d;					\
		return;							\
	}
#include "tbl/limits.h"
	run_usage("there is no setting \"%.*s\"", (int)l, s);
}

static void
run_list(const char **list, unsigned *n, const char *s, const char *what)
{

	if (*n == RUN_LIST_MAX)
		run_usage("more than %d of %s", RUN_LIST_MAX, what);
	list[(*n)++] = s;
}

static void
run_core(struct run *r, const char *s)
{
	static char path[4096];

	if (realpath(s, path) == NULL)
		run_usage("--core %s: %s", s, strerror(errno));
	r->cfg.core_dir = path;
}

static void
run_count(struct run *r, const char *s)
{
	char *e;

	r->count = strtoul(s, &e, 10);
	if (*e != '\0' || r->count == 0 || r->count > 100000000)
		run_usage("--count wants 1 to 100000000, not \"%s\"", s);
}

static const struct option run_options[] = {
	{ "url",	required_argument, NULL, 'u' },
	{ "method",	required_argument, NULL, 'm' },
	{ "header",	required_argument, NULL, 'H' },
	{ "data",	required_argument, NULL, 'd' },
	{ "arg",	required_argument, NULL, 'a' },
	{ "count",	required_argument, NULL, 'n' },
	{ "keep-going",	no_argument, NULL, 'k' },
	{ "stats",	no_argument, NULL, 's' },
	{ "quiet",	no_argument, NULL, 'q' },
	{ "trace",	no_argument, NULL, 't' },
	{ "core",	required_argument, NULL, 'c' },
	{ "gdb",	required_argument, NULL, 'g' },
	{ "env",	required_argument, NULL, 'e' },
	{ "file",	required_argument, NULL, 'f' },
	{ "set",	required_argument, NULL, 'o' },
	{ "help",	no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static void
run_option(struct run *r, int o)
{

	switch (o) {
	case 'u':	run_list(r->url, &r->n_url, optarg, "--url");	break;
	case 'm':	r->req.method = SBX_Txt(optarg);		break;
	case 'H':	run_header(r, optarg);				break;
	case 'd':	run_data(r, optarg);				break;
	case 'a':	r->req.arg = SBX_Txt(optarg);			break;
	case 'n':	run_count(r, optarg);				break;
	case 'k':	r->fail = 0;					break;
	case 's':	r->stats = 1;					break;
	case 'q':	r->quiet = 1;					break;
	case 't':	Run_Trace();					break;
	case 'c':	run_core(r, optarg);				break;
	case 'g':	r->gdb = optarg;				break;
	case 'e':	run_list(r->env, &r->n_env, optarg, "--env");	break;
	case 'f':	run_list(r->file, &r->n_file, optarg, "--file"); break;
	case 'o':	run_set(r, optarg);				break;
	case 'h':
		fputs(usage_text, stdout);
		exit(0);
	default:
		fprintf(stderr, "Try sandbox-run --help.\n");
		exit(2);
	}
}

static void
run_args(struct run *r, int argc, char **argv)
{
	static char path[4096];
	int o;

	r->req.proto = SBX_Txt("HTTP/1.1");
	r->req.arg = SBX_Txt("");
	r->req.client_ip = SBX_Txt("127.0.0.1");
	r->req.headers = r->header;
	r->count = 1;
	r->fail = 1;
	while ((o = getopt_long(argc, argv, "u:m:H:d:a:n:ksqtc:g:e:f:o:h",
	    run_options, NULL)) != -1)
		run_option(r, o);
	if (optind >= argc)
		run_usage("which program?");
	if (realpath(argv[optind], path) == NULL)
		run_usage("%s: %s", argv[optind], strerror(errno));
	if (r->n_url == 0)
		run_list(r->url, &r->n_url, "/", "--url");
	if (r->n_url > r->count)
		r->count = r->n_url;
	if (r->gdb != NULL && r->count > 1)
		run_usage("--gdb is for one request");
	if (r->gdb != NULL)
		r->cfg.request_timeout = RUN_GDB_TIMEOUT;
	if (r->req.method.b == NULL)
		r->req.method = SBX_Txt(r->body == NULL ? "GET" : "POST");
	r->cfg.path = path;
	r->cfg.argv = (const char * const *)(argv + optind + 1);
	r->cfg.envp = r->env;
	r->cfg.files = r->file;
}

/*--------------------------------------------------------------------
 * Requests
 */

static void
run_log(void *priv, enum sbx_log_e what, const char *b, size_t l)
{
	static const char * const name[] = {
		[SBX_LOG_INFO] = "info",
		[SBX_LOG_ERROR] = "error",
		[SBX_LOG_STDOUT] = "stdout",
		[SBX_LOG_STDERR] = "stderr",
	};

	(void)priv;
	fprintf(stderr, "%s: %.*s\n", name[what], (int)l, b);
}

static void
run_print(struct sbx_vm *vm)
{
	const struct sbx_answer *a;
	const struct sbx_header *h;
	char buf[65536];
	uint64_t off = 0;
	size_t l;
	unsigned u;

	a = SBX_VM_Answer(vm);
	printf("%u %.*s\n", a->status, (int)a->reason.l,
	    a->reason.l > 0 ? a->reason.b : "");
	for (u = 0; u < a->n_headers; u++) {
		h = &a->headers[u];
		printf("%.*s: %.*s\n", (int)h->name.l, h->name.b,
		    (int)h->value.l, h->value.b);
	}
	printf("\n");
	while ((l = SBX_VM_AnswerBody(vm, off, buf, sizeof buf)) > 0) {
		(void)fwrite(buf, 1, l, stdout);
		off += l;
	}
	(void)fflush(stdout);
}

/* One request. Returns -1 if it failed. */
static int
run_one(struct run *r, struct sbx_pool *pool, unsigned long n)
{
	struct sbx_host host = { .log = run_log, .priv = r };
	struct sbx_err err;
	struct sbx_vm *vm;
	int64_t t[3];
	int i = -1;

	SBX_Err_Clear(&err);
	r->req.xid = n + 1;
	r->req.url = SBX_Txt(r->url[n % r->n_url]);
	vm = SBX_Pool_Get(pool, &err);
	t[0] = SBX_Os_Mono();
	if (vm != NULL && (r->body_len == 0 ||
	    !SBX_VM_Body(vm, r->body, r->body_len, &err))) {
		Run_Debug(vm);
		i = SBX_VM_Serve(vm, &r->req, r->quiet && n > 0 ? NULL : &host,
		    &err);
		Run_DebugEnd();
	}
	t[1] = SBX_Os_Mono();
	if (vm != NULL) {
		r->usage = *SBX_VM_Usage(vm);
		if (i == 0 && !r->quiet)
			run_print(vm);
		t[2] = SBX_Os_Mono();
		SBX_Pool_Put(pool, &vm);
		r->t_reset[n] = SBX_Os_Mono() - t[2];
	}
	r->t_run[n] = t[1] - t[0];
	if (i) {
		r->n_bad++;
		fprintf(stderr, "sandbox-run: request %lu: %s\n", n + 1,
		    err.msg);
	}
	return (i);
}

static int
run_cmp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x < y ? -1 : x > y);
}

static double
run_us(int64_t *t, unsigned long n, unsigned percent)
{

	qsort(t, n, sizeof *t, run_cmp);
	return ((double)t[(n - 1) * percent / 100] * 1e-3);
}

/* What the probe has found out about this host. */
static void
run_host(void)
{
	struct sbx_kvm *kvm = NULL;
	struct sbx_err err;

	SBX_Err_Clear(&err);
	if (SBX_Kvm_Open(&kvm, &err)) {
		fprintf(stderr, "sandbox-run: %s\n", err.msg);
		return;
	}
	fprintf(stderr, "platform: %s, a thread for each VM: %s\n",
	    kvm->platform == SBX_PLATFORM_P ? "P (paravirtual)" :
	    "H (hardware)", kvm->runner ? "yes" : "no");
	SBX_Kvm_Close(&kvm);
}

/* Page faults of this process, the kernel's on behalf of VMs among them. */
static long
run_faults(void)
{
	struct rusage ru;

	AZ(getrusage(RUSAGE_SELF, &ru));
	return (ru.ru_minflt + ru.ru_majflt);
}

static void
run_stats(const struct run *r, struct sbx_pool *pool, unsigned long n,
    int64_t load)
{
	struct sbx_pool_stats st;

	run_host();
	SBX_Pool_Stats(pool, &st);
	fprintf(stderr, "load, start and freeze: %.1f ms\n",
	    (double)load * 1e-6);
	fprintf(stderr, "requests: %lu, failed: %lu\n", n, r->n_bad);
	fprintf(stderr, "request: median %.2f us, 99%% %.2f us\n",
	    run_us(r->t_run, n, 50), run_us(r->t_run, n, 99));
	fprintf(stderr, "reset: median %.2f us, 99%% %.2f us\n",
	    run_us(r->t_reset, n, 50), run_us(r->t_reset, n, 99));
	fprintf(stderr, "exits: %ju, system calls: %ju in the last request\n",
	    (uintmax_t)r->usage.exits, (uintmax_t)r->usage.syscalls);
	if (r->usage.fetch.asked > 0)
		fprintf(stderr, "fetches: %ju in the last request, and nobody "
		    "to answer them\n", (uintmax_t)r->usage.fetch.asked);
	if (n > 1)
		fprintf(stderr, "page faults of the host: %.3f a request, in "
		    "the second half\n",
		    (double)r->faults / (double)(n - n / 2));
	if (st.resets > 0)
		fprintf(stderr, "pages copied back: %.1f a reset, dropped: "
		    "%.1f a reset, hot: %ju\n",
		    (double)st.pages_reset / (double)st.resets,
		    (double)st.pages_dropped / (double)st.resets,
		    (uintmax_t)st.pages_hot);
}

/* What has become of core files, once they are complete. */
static void
run_cores(struct sbx_pool *pool)
{
	struct sbx_pool_stats st;
	char text[8192];
	uint64_t seen = 0;
	int bad;

	while (SBX_Pool_CoreNews(pool, &seen, &bad, text, sizeof text))
		fprintf(stderr, "sandbox-run: %s\n", text);
	SBX_Pool_Stats(pool, &st);
	if (st.cores_skipped > 0)
		fprintf(stderr, "sandbox-run: %ju more left no core: there are "
		    "max_cores files already, or another one was being "
		    "written\n", (uintmax_t)st.cores_skipped);
}

int
main(int argc, char **argv)
{
	static struct run r;
	struct sbx_program *prg = NULL;
	struct sbx_err err;
	unsigned long n;
	int64_t start, load;
	int i = 0;

	r.magic = RUN_MAGIC;
	SBX_Program_Defaults(&r.cfg);
	run_args(&r, argc, argv);
	r.t_run = calloc(r.count, sizeof *r.t_run);
	r.t_reset = calloc(r.count, sizeof *r.t_reset);
	AN(r.t_run);
	AN(r.t_reset);
	SBX_Err_Clear(&err);
	start = SBX_Os_Mono();
	if (SBX_Program_Open(&r.cfg, &prg, &err)) {
		Run_TraceEnd();
		fprintf(stderr, "sandbox-run: %s\n", err.msg);
		return (1);
	}
	load = SBX_Os_Mono() - start;
	if (r.gdb != NULL)
		Run_DebugListen(r.gdb);
	if (SBX_Program_Warm(prg, &err)) {
		fprintf(stderr, "sandbox-run: %s\n", err.msg);
		SBX_Program_Close(&prg);
		return (1);
	}
	for (n = 0; n < r.count && !(i && r.fail); n++) {
		if (n == r.count / 2)
			r.faults = -run_faults();
		i = run_one(&r, SBX_Program_Pool(prg), n);
	}
	r.faults += run_faults();
	if (r.stats)
		run_stats(&r, SBX_Program_Pool(prg), n, load);
	SBX_Program_Cool(prg);
	run_cores(SBX_Program_Pool(prg));
	SBX_Program_Close(&prg);
	Run_TraceEnd();
	free(r.t_run);
	free(r.t_reset);
	free(r.body);
	return (r.n_bad > 0 ? 1 : 0);
}
