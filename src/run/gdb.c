/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * gdb.c: packets. See "Remote Protocol" in gdb's manual.
 */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "run/gdb.h"

/* Ctrl-C on gdb's side */
#define GDB_BREAK		3

#define GDB_AUXV_MAX		1024
#define GDB_XML_MAX		8192

struct gdb {
	unsigned		magic;
#define GDB_MAGIC		0x6f2d1c8e
	int			fd;
	int			gone;		/* nobody is there */
	int			no_ack;
	int			broken;		/* GDB_BREAK has come */
	const struct gdb_target	*t;
	int32_t			tid;		/* that has stopped */
	int32_t			g_tid;		/* whose registers */
	char			stop[64];	/* the last stop reply */
	size_t			in_len, in_at;
	uint8_t			in[4096];	/* read and not looked at */
	size_t			len;
	uint8_t			b[GDB_PACKET_MAX + 1];	/* the packet */
	char			out[GDB_PACKET_MAX + 1];
};

static const char gdb_hex[] = "0123456789abcdef";

/*--------------------------------------------------------------------
 * Bytes
 */

static void
gdb_send(struct gdb *g, const void *b, size_t l)
{
	const uint8_t *p = b;
	ssize_t i;

	for (; l > 0 && !g->gone; p += i, l -= (size_t)i) {
		i = send(g->fd, p, l, MSG_NOSIGNAL);
		if (i < 0 && errno == EINTR)
			i = 0;
		else if (i <= 0) {
			g->gone = 1;
			return;
		}
	}
}

/* The next byte, or -1 if there is none any more. */
static int
gdb_byte(struct gdb *g)
{
	ssize_t i;

	while (g->in_at == g->in_len && !g->gone) {
		i = recv(g->fd, g->in, sizeof g->in, 0);
		if (i > 0) {
			g->in_at = 0;
			g->in_len = (size_t)i;
		} else if (i == 0 || errno != EINTR)
			g->gone = 1;
	}
	return (g->in_at == g->in_len ? -1 : g->in[g->in_at++]);
}

static int
gdb_digit(int c)
{

	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}

/* (n) bytes as hex to (to), with a NUL. Returns what follows. */
static char *
gdb_to_hex(char *to, const uint8_t *b, size_t n)
{

	for (; n > 0; n--, b++) {
		*to++ = gdb_hex[*b >> 4];
		*to++ = gdb_hex[*b & 15];
	}
	*to = '\0';
	return (to);
}

/* Up to (n) bytes of hex. Returns how many there are. */
static size_t
gdb_from_hex(uint8_t *to, const char *s, size_t n)
{
	size_t u;

	for (u = 0; u < n && gdb_digit(s[0]) >= 0 && gdb_digit(s[1]) >= 0;
	    u++, s += 2)
		to[u] = (uint8_t)(gdb_digit(s[0]) << 4 | gdb_digit(s[1]));
	return (u);
}

/* A number in hex, up to 16 digits. Returns what follows, NULL if none does. */
static const char *
gdb_number(const char *s, uint64_t *v)
{
	unsigned n;

	*v = 0;
	for (n = 0; n < 16 && gdb_digit(*s) >= 0; n++, s++)
		*v = *v << 4 | (unsigned)gdb_digit(*s);
	return (n == 0 ? NULL : s);
}

/*--------------------------------------------------------------------
 * Packets
 */

static void
gdb_reply(struct gdb *g, const char *s)
{
	uint8_t sum = 0;
	const char *p;
	char end[4];

	for (p = s; *p != '\0'; p++)
		sum = (uint8_t)(sum + (uint8_t)*p);
	(void)snprintf(end, sizeof end, "#%02x", sum);
	gdb_send(g, "$", 1);
	gdb_send(g, s, (size_t)(p - s));
	gdb_send(g, end, 3);
}

/* Fill g->b. Returns 0, or -1 if it can not be used. */
static int
gdb_body(struct gdb *g)
{
	uint8_t sum = 0;
	int c, hi, lo;

	for (g->len = 0; (c = gdb_byte(g)) >= 0 && c != '#';) {
		/* a new one has begun, the old one got lost */
		if (c == '$') {
			g->len = sum = 0;
			continue;
		}
		sum = (uint8_t)(sum + c);
		if (g->len < GDB_PACKET_MAX)
			g->b[g->len] = (uint8_t)c;
		if (g->len <= GDB_PACKET_MAX)
			g->len++;
	}
	if (c < 0)
		return (-1);
	hi = gdb_digit(gdb_byte(g));
	lo = gdb_digit(gdb_byte(g));
	if (g->len > GDB_PACKET_MAX) {
		gdb_send(g, "+", g->no_ack ? 0 : 1);
		gdb_reply(g, "E01");
		return (-1);
	}
	if (!g->no_ack && (hi < 0 || lo < 0 || (hi << 4 | lo) != sum)) {
		gdb_send(g, "-", 1);
		return (-1);
	}
	gdb_send(g, "+", g->no_ack ? 0 : 1);
	g->b[g->len] = '\0';
	return (0);
}

/* Wait for a packet. Returns -1 when there will be none. */
static int
gdb_packet(struct gdb *g)
{
	int c;

	while (!g->gone) {
		c = gdb_byte(g);
		if (c == '$' && gdb_body(g) == 0)
			return (0);
		/* acknowledgements, and what is between packets; an interrupt
		 * of something that does not run has happened already */
	}
	return (-1);
}

/*--------------------------------------------------------------------
 * Registers
 */

/* Where register (n) is in a "g" packet, and its size. */
static size_t
gdb_reg(unsigned n, size_t *off)
{
	static const struct {
		unsigned	n;
		size_t		size;
	} kinds[] = {
		{ 17, 8 }, { 7, 4 }, { 8, 10 }, { 8, 4 }, { 16, 16 },
		{ 1, 4 }, { 3, 8 }
	};
	unsigned u;

	*off = 0;
	for (u = 0; u < sizeof kinds / sizeof *kinds; u++) {
		if (n < kinds[u].n) {
			*off += n * kinds[u].size;
			return (kinds[u].size);
		}
		n -= kinds[u].n;
		*off += kinds[u].n * kinds[u].size;
	}
	return (0);
}

static size_t
gdb_xml_regs(char *b, size_t len, const char *names, unsigned bits,
    const char *type)
{
	char word[16];
	size_t l = 0, n;

	for (; *names != '\0' && l < len; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		(void)snprintf(word, sizeof word, "%.*s", (int)n, names);
		l += (size_t)snprintf(b + l, len - l, "<reg name=\"%s\" "
		    "bitsize=\"%u\" type=\"%s\"/>", word, bits, type);
	}
	assert(l < len);
	return (l);
}

/* What the registers are, in the order of the packet. */
static void
gdb_xml(char *b, size_t len)
{
	size_t l = 0;

#define TEXT(s)		l += (size_t)snprintf(b + l, len - l, "%s", (s))
#define REGS(s, n, t)	l += gdb_xml_regs(b + l, len - l, (s), (n), (t))
	TEXT("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM "
	    "\"gdb-target.dtd\"><target><architecture>i386:x86-64"
	    "</architecture><osabi>GNU/Linux</osabi>"
	    "<feature name=\"org.gnu.gdb.i386.core\">");
	REGS("rax rbx rcx rdx rsi rdi", 64, "int64");
	REGS("rbp rsp", 64, "data_ptr");
	REGS("r8 r9 r10 r11 r12 r13 r14 r15", 64, "int64");
	REGS("rip", 64, "code_ptr");
	REGS("eflags cs ss ds es fs gs", 32, "int32");
	REGS("st0 st1 st2 st3 st4 st5 st6 st7", 80, "i387_ext");
	REGS("fctrl fstat ftag fiseg fioff foseg fooff fop", 32, "int");
	TEXT("</feature><feature name=\"org.gnu.gdb.i386.sse\">"
	    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
	    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
	    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
	    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
	    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
	    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
	    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
	    "<field name=\"v2_double\" type=\"v2d\"/>"
	    "<field name=\"v16_int8\" type=\"v16i8\"/>"
	    "<field name=\"v8_int16\" type=\"v8i16\"/>"
	    "<field name=\"v4_int32\" type=\"v4i32\"/>"
	    "<field name=\"v2_int64\" type=\"v2i64\"/>"
	    "<field name=\"uint128\" type=\"uint128\"/></union>");
	REGS("xmm0 xmm1 xmm2 xmm3 xmm4 xmm5 xmm6 xmm7 xmm8 xmm9 xmm10 xmm11 "
	    "xmm12 xmm13 xmm14 xmm15", 128, "vec128");
	REGS("mxcsr", 32, "int");
	TEXT("</feature><feature name=\"org.gnu.gdb.i386.linux\">");
	REGS("orig_rax", 64, "int");
	TEXT("</feature><feature name=\"org.gnu.gdb.i386.segments\">");
	REGS("fs_base gs_base", 64, "int");
	TEXT("</feature></target>");
#undef TEXT
#undef REGS
	assert(l < len);
}

static int
gdb_get(struct gdb *g, uint8_t *regs)
{

	memset(regs, 0, GDB_REGS_LEN);
	return (g->t->get_regs(g->t->priv, g->g_tid, regs));
}

static const char *
gdb_cmd_regs(struct gdb *g, const char *s)
{
	uint8_t regs[GDB_REGS_LEN];
	uint64_t n = 0;
	size_t off = 0, size;

	if (gdb_get(g, regs))
		return ("E01");
	switch (*s) {
	case 'g':
		(void)gdb_to_hex(g->out, regs, sizeof regs);
		return (g->out);
	case 'p':
		if (gdb_number(s + 1, &n) == NULL || n >= GDB_REGS)
			return ("E01");
		size = gdb_reg((unsigned)n, &off);
		(void)gdb_to_hex(g->out, regs + off, size);
		return (g->out);
	case 'P':
		s = gdb_number(s + 1, &n);
		if (s == NULL || *s != '=' || n >= GDB_REGS_SET)
			return ("E01");
		size = gdb_reg((unsigned)n, &off);
		if (gdb_from_hex(regs + off, s + 1, size) != size)
			return ("E01");
		break;
	default:
		/* those that can not be set are ignored */
		(void)gdb_reg(GDB_REGS_SET, &off);
		if (gdb_from_hex(regs, s + 1, off) != off)
			return ("E01");
		break;
	}
	return (g->t->set_regs(g->t->priv, g->g_tid, regs) ? "E01" : "OK");
}

/*--------------------------------------------------------------------
 * Memory
 */

/* "addr,length" and what comes behind, after a ':' if there is one. */
static const char *
gdb_range(const char *s, uint64_t *va, uint64_t *len)
{

	s = gdb_number(s, va);
	if (s == NULL || *s != ',')
		return (NULL);
	return (gdb_number(s + 1, len));
}

static const char *
gdb_cmd_read(struct gdb *g, const char *s)
{
	uint8_t b[GDB_MEMORY_MAX];
	uint64_t va, len;
	size_t l;

	if (gdb_range(s + 1, &va, &len) == NULL)
		return ("E01");
	if (len > sizeof b)
		len = sizeof b;
	l = g->t->read(g->t->priv, va, b, (size_t)len);
	if (l == 0 && len > 0)
		return ("E0e");
	(void)gdb_to_hex(g->out, b, l);
	return (g->out);
}

/* Binary data: '}' is before what is escaped. */
static size_t
gdb_unescape(uint8_t *to, const uint8_t *b, size_t l, size_t max)
{
	size_t n = 0;

	for (; l > 0 && n < max; b++, l--) {
		if (*b == '}' && l > 1) {
			b++;
			l--;
			to[n++] = *b ^ 0x20;
		} else
			to[n++] = *b;
	}
	return (l > 0 ? max + 1 : n);
}

static const char *
gdb_cmd_write(struct gdb *g, const char *s)
{
	uint8_t b[GDB_PACKET_MAX];
	uint64_t va, len;
	const char *d;
	size_t n;

	d = gdb_range(s + 1, &va, &len);
	if (d == NULL || *d != ':' || len > sizeof b)
		return ("E01");
	d++;
	if (*s == 'M')
		n = gdb_from_hex(b, d, (size_t)len);
	else
		n = gdb_unescape(b, (const uint8_t *)d, g->len -
		    (size_t)(d - s), (size_t)len);
	if (n != len)
		return ("E01");
	return (len > 0 && g->t->write(g->t->priv, va, b, (size_t)len) ?
	    "E0e" : "OK");
}

static const char *
gdb_cmd_break(struct gdb *g, const char *s)
{
	uint64_t va, kind;

	/* of the kinds there are, those in memory */
	if (s[1] != '0')
		return ("");
	if (s[2] != ',' || gdb_range(s + 3, &va, &kind) == NULL)
		return ("E01");
	return (g->t->breakpoint(g->t->priv, va, *s == 'Z') ? "E0e" : "OK");
}

/*--------------------------------------------------------------------
 * Questions
 */

/* A part of (b), as "m..." or "l...": "annex:offset,length". */
static const char *
gdb_xfer(struct gdb *g, const char *s, const void *b, size_t l)
{
	uint64_t off, len;
	const uint8_t *p = b;
	char *to = g->out;
	size_t u;

	s = strchr(s, ':');
	if (s == NULL || gdb_range(s + 1, &off, &len) == NULL || off > l)
		return ("E01");
	if (len > GDB_MEMORY_MAX)
		len = GDB_MEMORY_MAX;
	*to++ = len < l - off ? 'm' : 'l';
	if (len > l - off)
		len = l - off;
	for (u = 0; u < len; u++) {
		if (strchr("#$}*", p[off + u]) != NULL || p[off + u] == 0) {
			/* a NUL is no end of the packet; here it would be */
			*to++ = '}';
			*to++ = (char)(p[off + u] ^ 0x20);
		} else
			*to++ = (char)p[off + u];
	}
	*to = '\0';
	return (g->out);
}

static const char *
gdb_threads(struct gdb *g)
{
	int32_t tids[GDB_THREADS_MAX];
	unsigned n, u;
	size_t l = 1;

	n = g->t->threads(g->t->priv, tids);
	g->out[0] = n > 0 ? 'm' : 'l';
	g->out[1] = '\0';
	for (u = 0; u < n; u++)
		l += (size_t)snprintf(g->out + l, sizeof g->out - l, "%s%x",
		    u > 0 ? "," : "", (unsigned)tids[u]);
	return (g->out);
}

static int
gdb_is(const char *s, const char *begin)
{

	return (!strncmp(s, begin, strlen(begin)));
}

static const char *
gdb_cmd_query(struct gdb *g, const char *s)
{
	static const char xml[] = "qXfer:features:read:target.xml";
	static const char aux[] = "qXfer:auxv:read:";
	char b[GDB_XML_MAX];
	size_t l;

	if (gdb_is(s, "qSupported")) {
		(void)snprintf(g->out, sizeof g->out, "PacketSize=%x;"
		    "qXfer:features:read+;qXfer:auxv:read+;swbreak+;"
		    "QStartNoAckMode+;vContSupported+", GDB_PACKET_MAX);
		return (g->out);
	}
	if (gdb_is(s, xml)) {
		gdb_xml(b, sizeof b);
		return (gdb_xfer(g, s + sizeof xml - 1, b, strlen(b)));
	}
	if (gdb_is(s, aux)) {
		l = g->t->auxv(g->t->priv, b, GDB_AUXV_MAX);
		return (gdb_xfer(g, s + sizeof aux - 1, b, l));
	}
	if (!strcmp(s, "qAttached"))
		return ("1");
	if (!strcmp(s, "qC")) {
		(void)snprintf(g->out, sizeof g->out, "QC%x",
		    (unsigned)g->tid);
		return (g->out);
	}
	if (!strcmp(s, "qfThreadInfo"))
		return (gdb_threads(g));
	if (!strcmp(s, "qsThreadInfo"))
		return ("l");
	if (!strcmp(s, "QStartNoAckMode")) {
		g->no_ack = 1;
		return ("OK");
	}
	return ("");
}

/* "Hg" and a thread: whose registers are meant. */
static const char *
gdb_cmd_thread(struct gdb *g, const char *s)
{
	int32_t tids[GDB_THREADS_MAX];
	unsigned n, u;
	uint64_t v;

	if (*s == 'H' && s[1] != 'g')
		return ("OK");
	if (gdb_number(s + (*s == 'H' ? 2 : 1), &v) == NULL || v == 0) {
		g->g_tid = g->tid;
		return ("OK");
	}
	n = g->t->threads(g->t->priv, tids);
	for (u = 0; u < n; u++) {
		if ((uint64_t)tids[u] != v)
			continue;
		if (*s == 'H')
			g->g_tid = tids[u];
		return ("OK");
	}
	return ("E01");
}

/*--------------------------------------------------------------------
 * Going on
 */

/* An address to go on at, if one is given. */
static void
gdb_go_at(struct gdb *g, const char *s)
{
	uint8_t regs[GDB_REGS_LEN];
	uint64_t va;
	size_t off;

	if (gdb_number(s, &va) == NULL)
		return;
	g->g_tid = g->tid;
	if (gdb_get(g, regs))
		return;
	(void)gdb_reg(GDB_REG_RIP, &off);
	memcpy(regs + off, &va, sizeof va);
	(void)g->t->set_regs(g->t->priv, g->tid, regs);
}

/* True if the target is to go on, as (*go) says. */
static int
gdb_goes(struct gdb *g, const char *s, enum gdb_go_e *go)
{
	const char *p;

	switch (*s) {
	case 'c':
	case 's':
		gdb_go_at(g, s + 1);
		break;
	case 'C':
	case 'S':
		/* signals are not passed on */
		p = strchr(s, ';');
		if (p != NULL)
			gdb_go_at(g, p + 1);
		break;
	case 'k':
		*go = GDB_KILL;
		return (1);
	case 'D':
		gdb_reply(g, "OK");
		*go = GDB_DETACH;
		return (1);
	case 'v':
		if (!gdb_is(s, "vCont;"))
			return (0);
		/* what is said first is about the thread that has stopped */
		s += 6;
		if (strchr("cCsS", *s) == NULL || *s == '\0')
			return (0);
		break;
	default:
		return (0);
	}
	*go = *s == 's' || *s == 'S' ? GDB_STEP : GDB_CONTINUE;
	return (1);
}

static const char *
gdb_command(struct gdb *g, const char *s)
{

	switch (*s) {
	case '?':
		return (g->stop);
	case 'g':
	case 'G':
	case 'p':
	case 'P':
		return (gdb_cmd_regs(g, s));
	case 'm':
		return (gdb_cmd_read(g, s));
	case 'M':
	case 'X':
		return (gdb_cmd_write(g, s));
	case 'Z':
	case 'z':
		return (gdb_cmd_break(g, s));
	case 'q':
	case 'Q':
		return (gdb_cmd_query(g, s));
	case 'H':
	case 'T':
		return (gdb_cmd_thread(g, s));
	case 'v':
		return (!strcmp(s, "vCont?") ? "vCont;c;C;s;S" : "");
	default:
		return ("");
	}
}

enum gdb_go_e
Gdb_Stop(struct gdb *g, int signo, int32_t tid, int swbreak)
{
	const int first = g->stop[0] == '\0';
	enum gdb_go_e go = GDB_DETACH;

	CHECK_OBJ_NOTNULL(g, GDB_MAGIC);
	g->tid = g->g_tid = tid;
	(void)snprintf(g->stop, sizeof g->stop, "T%02x%sthread:%x;",
	    (unsigned)signo & 0xff, swbreak ? "swbreak:;" : "",
	    (unsigned)tid);
	/* gdb asks for the first one itself */
	if (!first)
		gdb_reply(g, g->stop);
	g->broken = 0;
	while (gdb_packet(g) == 0) {
		if (gdb_goes(g, (const char *)g->b, &go))
			return (go);
		gdb_reply(g, gdb_command(g, (const char *)g->b));
	}
	return (GDB_DETACH);
}

int
Gdb_Poll(struct gdb *g)
{
	struct pollfd pfd = { .fd = g->fd, .events = POLLIN };
	int c;

	CHECK_OBJ_NOTNULL(g, GDB_MAGIC);
	while (!g->gone && !g->broken &&
	    (g->in_at < g->in_len || poll(&pfd, 1, 0) > 0)) {
		c = gdb_byte(g);
		g->broken = c == GDB_BREAK;
	}
	return (g->gone ? -1 : g->broken);
}

void
Gdb_End(struct gdb *g, int signo)
{
	char b[8];

	CHECK_OBJ_NOTNULL(g, GDB_MAGIC);
	(void)snprintf(b, sizeof b, "%c%02x", signo == 0 ? 'W' : 'X',
	    (unsigned)signo & 0xff);
	gdb_reply(g, b);
}

struct gdb *
Gdb_New(int fd, const struct gdb_target *t)
{
	struct gdb *g;

	AN(t);
	assert(fd >= 0);
	ALLOC_OBJ(g, GDB_MAGIC);
	AN(g);
	g->fd = fd;
	g->t = t;
	return (g);
}

void
Gdb_Destroy(struct gdb **gp)
{
	struct gdb *g;

	TAKE_OBJ_NOTNULL(g, gp, GDB_MAGIC);
	(void)close(g->fd);
	FREE_OBJ(g);
}
