/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Log lines.
 *
 * The tag is VCL_Log, as that of std.log() and of other modules that have
 * something to tell: it is not masked by default as Debug is, varnishncsa picks
 * fields of it by their prefix, and the tags of Varnish's own backends have
 * formats that their readers rely on.
 *
 * There are several lines for each request, so they are not put together by
 * printf(), which takes about as long for one Timestamp as this does for all
 * of them together: 0.4 microseconds.
 */

#include "config.h"

#include <errno.h>
#include <string.h>

#include "cache/cache.h"

#include "vtim.h"

#include "base/err.h"
#include "base/os.h"
#include "hostcall/http.h"
#include "pool/vm.h"
#include "vmod/fetch.h"
#include "vmod/log.h"
#include "vmod/vsbx.h"

/* Varnish cuts what is longer than vsl_reclen, 255 bytes by default. */
#define LOG_MAX			1000

/* Of an object's name, which VCL authors choose, and of a guest's last words.
 * What a guest says has lines of its own. */
#define LOG_NAME_MAX		100
#define LOG_WORDS_MAX		100

struct log_line {
	char			*p;
	char			b[LOG_MAX];
};

/*--------------------------------------------------------------------
 * Putting a line together. What is too long is cut.
 */

static void
log_bytes(struct log_line *l, const char *s, size_t n)
{
	size_t room = (size_t)(l->b + sizeof l->b - l->p);

	if (n > room)
		n = room;
	memcpy(l->p, s, n);
	l->p += n;
}

static void
log_text(struct log_line *l, const char *s)
{

	log_bytes(l, s, strlen(s));
}

/* At least (width) digits. */
static void
log_digits(struct log_line *l, uint64_t u, unsigned width)
{
	char buf[24], *e = buf + sizeof buf, *p = e;

	while (u > 0 || p > e - width) {
		*--p = (char)('0' + u % 10);
		u /= 10;
	}
	log_bytes(l, p, (size_t)(e - p));
}

/* " key=1" */
static void
log_num(struct log_line *l, const char *key, uint64_t u)
{

	log_text(l, key);
	log_digits(l, u, 1);
}

/* " key=0x1a", or "-" if it is not known */
static void
log_hex(struct log_line *l, const char *key, int known, uint64_t u)
{
	char buf[16], *e = buf + sizeof buf, *p = e;

	log_text(l, key);
	if (!known) {
		log_bytes(l, "-", 1);
		return;
	}
	do {
		*--p = "0123456789abcdef"[u & 0xf];
		u >>= 4;
	} while (u > 0);
	log_bytes(l, "0x", 2);
	log_bytes(l, p, (size_t)(e - p));
}

/* "0.000001" */
static void
log_us(struct log_line *l, int64_t us)
{
	uint64_t u = us < 0 ? -(uint64_t)us : (uint64_t)us;

	if (us < 0)
		log_bytes(l, "-", 1);
	log_digits(l, u / 1000000, 1);
	log_bytes(l, ".", 1);
	log_digits(l, u % 1000000, 6);
}

/* " key=0.000001", from nanoseconds */
static void
log_time(struct log_line *l, const char *key, int64_t ns)
{

	log_text(l, key);
	log_us(l, ns / 1000);
}

/* "sandbox app run:" */
static void
log_begin(struct log_line *l, const struct vmod_sandbox_program *prg,
    const char *what)
{
	size_t n;

	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	l->p = l->b;
	log_bytes(l, "sandbox ", 8);
	n = strlen(prg->name);
	log_bytes(l, prg->name, n < LOG_NAME_MAX ? n : LOG_NAME_MAX);
	log_bytes(l, " ", 1);
	log_text(l, what);
}

static void
log_end(struct log_line *l, struct busyobj *bo, enum VSL_tag_e tag)
{
	txt t;

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	t.b = l->b;
	t.e = l->p;
	VSLbt(bo->vsl, tag, t);
}

/* " 0.000001", from seconds */
static void
log_seconds(struct log_line *l, double t)
{

	log_bytes(l, " ", 1);
	log_us(l, (int64_t)(t * 1e6 + (t < 0 ? -.5 : .5)));
}

/* What VSLb_ts_busyobj() does. */
static void
log_timestamp(struct busyobj *bo, const char *event)
{
	struct log_line l[1];
	vtim_real now = VTIM_real();

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	l->p = l->b;
	log_text(l, event);
	log_seconds(l, now);
	log_seconds(l, now - bo->t_first);
	log_seconds(l, now - bo->t_prev);
	log_end(l, bo, SLT_Timestamp);
	bo->t_prev = now;
}

/*--------------------------------------------------------------------*/

void
vsbx_log_lease(struct busyobj *bo, const struct vsbx_task *task)
{
	const struct sbx_usage *us;
	struct log_line l[1];

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	us = SBX_VM_Usage(task->vm);
	log_timestamp(bo, "SandboxLease:");
	log_begin(l, task->prg, "lease:");
	log_time(l, " wait=", us->queued);
	log_num(l, " vm=", us->vm);
	log_end(l, bo, SLT_VCL_Log);
}

/* "-" for what is not known, as varnishncsa does. The words come last, because
 * there may be anything in them. */
static void
log_kill(struct busyobj *bo, const struct vsbx_task *task)
{
	struct sbx_killed how;
	struct log_line l[1];

	if (!SBX_VM_Killed(task->vm, &how))
		return;
	log_begin(l, task->prg, "kill:");
	log_text(l, " reason=");
	log_text(l, how.reason);
	if (how.signo > 0)
		log_num(l, " signal=", (uint64_t)how.signo);
	else
		log_text(l, " signal=-");
	log_hex(l, " rip=", how.rip != 0, how.rip);
	log_hex(l, " addr=", how.has_addr, how.addr);
	log_text(l, " symbol=");
	log_text(l, how.symbol[0] != '\0' ? how.symbol : "-");
	log_text(l, " stderr=");
	if (how.words.l == 0)
		log_text(l, "-");
	else if (how.words.l <= LOG_WORDS_MAX)
		log_bytes(l, how.words.b, how.words.l);
	else
		log_bytes(l, how.words.b + how.words.l - LOG_WORDS_MAX,
		    LOG_WORDS_MAX);
	log_end(l, bo, SLT_VCL_Log);
}

void
vsbx_log_run(struct busyobj *bo, const struct vsbx_task *task, int answered)
{
	const struct sbx_usage *us;
	struct log_line l[1];

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(task, VSBX_TASK_MAGIC);
	us = SBX_VM_Usage(task->vm);
	if (us->exits == 0)
		return;
	log_timestamp(bo, "SandboxRun:");
	log_begin(l, task->prg, "run:");
	log_num(l, " status=", answered ? SBX_VM_Answer(task->vm)->status : 0);
	log_time(l, " time=", us->run);
	log_time(l, " cpu=", us->cpu);
	log_time(l, " slept=", us->waited);
	log_num(l, " exits=", us->exits);
	log_num(l, " syscalls=", us->syscalls);
	log_num(l, " fetches=", us->fetch.asked);
	log_num(l, " dropped=", us->log_dropped);
	log_end(l, bo, SLT_VCL_Log);
	if (!answered)
		log_kill(bo, task);
}

void
vsbx_log_return(struct busyobj *bo, const struct vmod_sandbox_program *prg,
    const struct sbx_return *ret)
{
	struct log_line l[1];

	CHECK_OBJ_NOTNULL(bo, BUSYOBJ_MAGIC);
	CHECK_OBJ_NOTNULL(prg, VSBX_PROGRAM_MAGIC);
	AN(ret);
	if (ret->reset == 0)
		return;
	log_timestamp(bo, "SandboxReset:");
	if (ret->reset < 0) {
		VSLb(bo->vsl, SLT_Error, "sandbox %s: a VM could not be put"
		    " back: %s", prg->name, ret->err.msg);
		return;
	}
	log_begin(l, prg, "reset:");
	log_time(l, " time=", ret->time);
	log_num(l, " pages=", ret->pages);
	log_num(l, " dropped=", ret->dropped);
	log_num(l, " hot=", ret->hot);
	log_end(l, bo, SLT_VCL_Log);
}

void v_matchproto_(sbx_log_f)
vsbx_log_guest(void *priv, enum sbx_log_e what, const char *line, size_t len)
{
	static const char * const from[] = {
		[SBX_LOG_INFO] = "",
		[SBX_LOG_ERROR] = "",
		[SBX_LOG_STDOUT] = " stdout",
		[SBX_LOG_STDERR] = " stderr",
	};
	struct vsbx_guest *g;

	CAST_OBJ_NOTNULL(g, priv, VSBX_GUEST_MAGIC);
	assert((unsigned)what < sizeof from / sizeof from[0]);
	if (len > INT16_MAX)
		len = INT16_MAX;
	VSLb(g->bo->vsl, what == SBX_LOG_ERROR ? SLT_Error : SLT_VCL_Log,
	    "%s%s: %.*s", g->prg->name, from[what], (int)len, line);
}

/*--------------------------------------------------------------------
 * Fetches
 */

static const char *
log_error_name(int error)
{

	switch (error) {
#define E(no)	case no: return (#no)
	E(E2BIG);
	E(ECANCELED);
	E(ELOOP);
	E(EMSGSIZE);
	E(EAGAIN);
	E(EIO);
#undef E
	default:
		return ("?");
	}
}

void
vsbx_log_fetch(const struct vsbx_guest *g, const struct sbx_fetch *f,
    int error)
{
	const struct sbx_fetch_answer *a;
	struct log_line l[1];

	CHECK_OBJ_NOTNULL(g, VSBX_GUEST_MAGIC);
	CHECK_OBJ_NOTNULL(f, SBX_FETCH_MAGIC);
	log_begin(l, g->prg, "fetch:");
	log_num(l, " xid=", f->xid);
	if (error != 0) {
		log_text(l, " error=");
		log_text(l, log_error_name(error));
	} else {
		a = &f->answer;
		log_num(l, " status=", a->status);
		log_num(l, " hit=", a->hit != 0);
		log_num(l, " bytes=", a->body_len);
	}
	log_time(l, " time=", SBX_Os_Mono() - f->start);
	log_text(l, " request=");
	log_text(l, f->what);
	log_end(l, g->bo, SLT_VCL_Log);
}
