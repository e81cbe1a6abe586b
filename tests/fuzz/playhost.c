/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * playhost.c: what linux/host.h asks for. What becomes of a fetch is in the
 * input:
 *
 *	one byte	0 to 15: not started, error; else it is
 *	one byte	0 to 15: ends with an error; else with an answer, of
 *			so many headers
 *	one byte	looks at it until it ends, in its low four bits
 *	argument	bytes of its body, if there is room for them
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/err.h"
#include "base/os.h"
#include "hostcall/http.h"
#include "linux/core.h"

#include "fakekvm.h"
#include "play_priv.h"

struct sbx_fetch {
	unsigned		magic;
#define PLAY_FETCH_MAGIC		0x6b2f80d3
	unsigned		looks;		/* until it ends */
	int			seen;		/* the answer has been */
	struct sbx_header	header[SANDBOX_MAX_HEADERS + 8];
	struct sbx_fetch_answer	answer;
};

void
Play_Text(const struct sbx_txt *t, int token)
{
	size_t u;

	assert(!token || t->l > 0);
	for (u = 0; u < t->l; u++)
		if (token)
			AN(t->b[u] != '\0' &&
			    strchr("!#$%&'*+-.^_`|~0123456789"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "abcdefghijklmnopqrstuvwxyz", t->b[u]));
		else
			assert(((unsigned char)t->b[u] >= ' ' &&
			    t->b[u] != 0x7f) || t->b[u] == '\t');
}

void
Play_Log(void *priv, enum sbx_log_e what, const char *line, size_t len)
{
	struct play *pl;
	size_t u;

	CAST_OBJ_NOTNULL(pl, priv, PLAY_MAGIC);
	assert(what <= SBX_LOG_STDERR);
	assert(len <= SBX_LOG_LINE_MAX);
	for (u = 0; u < len; u++)
		assert(((unsigned char)line[u] >= ' ' && line[u] != 0x7f) ||
		    line[u] == '\t');
	assert(++pl->n_lines <= SBX_LOG_LINES_MAX);
}

/*--------------------------------------------------------------------*/

/* What the core has promised about it. */
static void
fetch_check(const struct play *pl, const struct sbx_fetch_request *rq)
{
	static const char * const not_his[] = {
		"Host", "Connection", "Transfer-Encoding", "Content-Length",
		"Upgrade", "Keep-Alive",
	};
	const struct sbx_header *h;
	const uint8_t *b = rq->body;
	unsigned u, n, sum = 0;
	uint64_t off;

	Play_Text(&rq->method, 1);
	Play_Text(&rq->url, 0);
	Play_Text(&rq->host, 0);
	assert(rq->url.l > 0 && rq->url.b[0] == '/');
	AZ(memchr(rq->url.b, ' ', rq->url.l));
	assert(rq->host.l == 0 || memchr(rq->host.b, ' ', rq->host.l) == NULL);
	assert(rq->n_headers <= SANDBOX_MAX_HEADERS);
	for (u = 0; u < rq->n_headers; u++) {
		h = &rq->headers[u];
		Play_Text(&h->name, 1);
		Play_Text(&h->value, 0);
		for (n = 0; n < sizeof not_his / sizeof *not_his; n++)
			AN(h->name.l != strlen(not_his[n]) ||
			    strncasecmp(h->name.b, not_his[n], h->name.l));
	}
	assert(rq->body_len <= PLAY_FETCH_BYTES);
	assert(rq->max_body <= PLAY_FETCH_BYTES);
	for (off = 0; off < rq->body_len; off++)
		sum += b[off];
	/* so that all of it has been read */
	assert(sum <= rq->body_len * 255);
	assert(pl->fetched + rq->body_len <= PLAY_FETCH_BYTES);
}

static void
fetch_headers(struct sbx_fetch *f, unsigned n)
{
	unsigned u;

	if (n == 255)
		n = SANDBOX_MAX_HEADERS + 8;
	for (u = 0; u < n; u++) {
		f->header[u].name = (struct sbx_txt){ "Name", 4 };
		f->header[u].value = (struct sbx_txt){ "a value", u % 8 };
	}
	f->answer.headers = f->header;
	f->answer.n_headers = n;
}

int
Play_FetchStart(void *priv, const struct sbx_fetch_request *rq,
    struct sbx_fetch **fp)
{
	static const int errors[16] = {
		EAGAIN, ELOOP, E2BIG, EIO, EINVAL, EAGAIN, ETIMEDOUT, ENETDOWN,
		EAGAIN, EAGAIN, EAGAIN, EAGAIN, EAGAIN, EAGAIN, EAGAIN, ELOOP,
	};
	struct sbx_fetch *f;
	struct play *pl;
	uint64_t k;

	CAST_OBJ_NOTNULL(pl, priv, PLAY_MAGIC);
	fetch_check(pl, rq);
	pl->fetched += rq->body_len;
	assert(++pl->n_fetch <= PLAY_FETCHES);
	k = Play_Bytes(pl, 1);
	if (k < 16 && pl->p < pl->e)
		return (errors[k]);
	f = calloc(1, sizeof *f);
	AN(f);
	f->magic = PLAY_FETCH_MAGIC;
	k = Play_Bytes(pl, 1);
	f->looks = Play_Bytes(pl, 1) & 15;
	f->answer.body_len = Play_Arg(pl);
	f->answer.status = 200;
	f->answer.hit = k & 1;
	f->answer.reason = (struct sbx_txt){ "Fine", k & 3 };
	if (k < 16)
		f->answer.error = errors[k];
	else
		fetch_headers(f, (unsigned)k - 16);
	if (f->answer.body_len > rq->max_body) {
		f->answer.body_len = 0;
		f->answer.error = EMSGSIZE;
	}
	if (f->answer.error == 0 && f->answer.body_len > 0) {
		f->answer.body = malloc(f->answer.body_len);
		AN(f->answer.body);
		memset((void *)(uintptr_t)f->answer.body, 'b',
		    f->answer.body_len);
	}
	pl->fetches++;
	*fp = f;
	return (0);
}

int
Play_FetchWait(void *priv, struct sbx_fetch * const *list, unsigned n,
    unsigned want, int64_t deadline)
{
	struct play *pl;
	unsigned u, ended = 0;

	CAST_OBJ_NOTNULL(pl, priv, PLAY_MAGIC);
	assert(want > 0 && want <= n && n <= pl->fetches);
	assert(deadline <= pl->proc->deadline);
	for (u = 0; u < n; u++) {
		CHECK_OBJ_NOTNULL(list[u], PLAY_FETCH_MAGIC);
		AZ(list[u]->seen);
		if (list[u]->looks > 0 && list[u]->looks < 15)
			list[u]->looks--;
		ended += list[u]->looks == 0;
	}
	/* one that never ends, or a client that goes away */
	if (ended == 0 && fake.now < deadline)
		fake.now += (deadline - fake.now) / 2 + 1;
	return (Play_Bytes(pl, 1) == 255 ? -1 : (int)ended);
}

const struct sbx_fetch_answer *
Play_FetchAnswer(void *priv, struct sbx_fetch *f)
{

	(void)priv;
	CHECK_OBJ_NOTNULL(f, PLAY_FETCH_MAGIC);
	AZ(f->seen);
	if (f->looks > 0)
		return (NULL);
	f->seen = 1;
	return (&f->answer);
}

void
Play_FetchDrop(void *priv, struct sbx_fetch **fp)
{
	struct sbx_fetch *f;
	struct play *pl;

	CAST_OBJ_NOTNULL(pl, priv, PLAY_MAGIC);
	TAKE_OBJ_NOTNULL(f, fp, PLAY_FETCH_MAGIC);
	if (f->seen && f->answer.error == 0)
		pl->fetched += f->answer.body_len;
	assert(pl->fetches > 0);
	pl->fetches--;
	free((void *)(uintptr_t)f->answer.body);
	FREE_OBJ(f);
}

/*--------------------------------------------------------------------
 * A core file of a guest that was killed, whatever its page tables are. Nothing
 * of the host's memory goes into it.
 */

#define PLAY_CORE_FD		12345
#define PLAY_CORE_MAX		UINT64_C(131072)

static const struct play *play_core;
static uint64_t play_core_bytes;

/* What is below the first segment is made here: headers and notes. */
static ssize_t
play_pwrite(int fd, const void *b, size_t l, off_t off)
{
	const uint8_t *mem = play_core->m->gmem.base, *p = b;
	uint64_t sum = 0;
	size_t u;

	assert(fd == PLAY_CORE_FD);
	assert(l > 0 && off >= 0);
	if (p >= mem && p < mem + PLAY_MEMORY) {
		assert(l <= PLAY_MEMORY - (size_t)(p - mem));
		play_core_bytes += l;
	} else
		assert(off < 1 << 20);
	/* the sanitizer looks if all of it is there */
	for (u = 0; u < l; u++)
		sum += p[u];
	return (sum == UINT64_MAX ? -1 : (ssize_t)l);
}

static int
play_ftruncate(int fd, off_t l)
{

	assert(fd == PLAY_CORE_FD);
	assert(l >= 0);
	return (0);
}

void
Play_Core(const struct play *pl)
{
	struct sbx_core core;
	struct sbx_err err;

	SBX_Err_Clear(&err);
	memset(&core, 0, sizeof core);
	core.max = PLAY_CORE_MAX;
	sbx_os.pwrite = play_pwrite;
	sbx_os.ftruncate = play_ftruncate;
	play_core = pl;
	play_core_bytes = 0;
	AZ(SBX_Core_Write(pl->proc, &core, PLAY_CORE_FD, &err));
	assert(core.written <= PLAY_CORE_MAX);
	assert(play_core_bytes <= PLAY_CORE_MAX);
}
