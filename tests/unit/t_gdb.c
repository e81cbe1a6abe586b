/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The remote protocol, packet by packet: what is answered, and to what is not
 * well-formed, too. tests/kvm/gdbserver.sh has gdb itself.
 */

#include "config.h"

#include <sys/socket.h>

#include "vdef.h"
#include "vas.h"

#include "run/gdb.h"
#include "test.h"

static uint8_t regs[GDB_REGS_LEN], memory[64];
static uint64_t broken;
static int fd[2];

static int
get_regs(void *priv, int32_t tid, uint8_t *to)
{

	(void)priv;
	memcpy(to, regs, sizeof regs);
	to[0] = (uint8_t)tid;
	return (tid == 3 ? -1 : 0);
}

static int
set_regs(void *priv, int32_t tid, const uint8_t *from)
{

	(void)priv;
	(void)tid;
	memcpy(regs, from, sizeof regs);
	return (0);
}

static size_t
read_mem(void *priv, uint64_t va, void *to, size_t len)
{

	(void)priv;
	if (va < 0x1000 || va - 0x1000 >= sizeof memory)
		return (0);
	if (len > sizeof memory - (va - 0x1000))
		len = sizeof memory - (size_t)(va - 0x1000);
	memcpy(to, memory + (va - 0x1000), len);
	return (len);
}

static int
write_mem(void *priv, uint64_t va, const void *from, size_t len)
{

	(void)priv;
	if (va < 0x1000 || va - 0x1000 > sizeof memory ||
	    len > sizeof memory - (va - 0x1000))
		return (-1);
	memcpy(memory + (va - 0x1000), from, len);
	return (0);
}

static int
breakpoint(void *priv, uint64_t va, int set)
{

	(void)priv;
	broken = set ? va : 0;
	return (va == 0 ? -1 : 0);
}

static unsigned
threads(void *priv, int32_t *tids)
{

	(void)priv;
	tids[0] = 1;
	tids[1] = 0x1f;
	return (2);
}

static size_t
auxv(void *priv, void *b, size_t len)
{

	(void)priv;
	CHECK(len >= 4);
	memcpy(b, "a}\0#", 4);
	return (4);
}

static const struct gdb_target target = {
	get_regs, set_regs, read_mem, write_mem, breakpoint, threads, auxv,
	NULL
};

/* Send (raw), then stop and see what comes of it: the answers' bytes. */
static const char *
talk(const char *raw, size_t l, enum gdb_go_e want)
{
	static char buf[65536];
	struct gdb *g;
	ssize_t n, i;

	AZ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
	assert(send(fd[0], raw, l, 0) == (ssize_t)l);
	AZ(shutdown(fd[0], SHUT_WR));
	g = Gdb_New(fd[1], &target);
	CHECK_EQ(Gdb_Stop(g, 5, 1, 0), want);
	Gdb_Destroy(&g);
	for (n = 0; (i = recv(fd[0], buf + n, sizeof buf - 1 - (size_t)n,
	    0)) > 0; n += i)
		continue;
	AZ(close(fd[0]));
	buf[n] = '\0';
	return (buf);
}

/* One packet and its answer, without what is around them. */
static void
says(const char *cmd, const char *answer)
{
	char raw[20000], want[20000], *p = raw;
	const char *c;
	uint8_t sum = 0;

	for (c = cmd; *c != '\0'; c++)
		sum = (uint8_t)(sum + (uint8_t)*c);
	p += sprintf(p, "$%s#%02x", cmd, sum);
	for (sum = 0, c = answer; *c != '\0'; c++)
		sum = (uint8_t)(sum + (uint8_t)*c);
	(void)sprintf(want, "+$%s#%02x", answer, sum);
	c = talk(raw, (size_t)(p - raw), GDB_DETACH);
	CHECK(!strcmp(c, want));
	if (strcmp(c, want))
		fprintf(stderr, "%s: %s\n", cmd, c);
}

static void
answers(void)
{

	says("?", "T05thread:1;");
	says("qC", "QC1");
	says("qAttached", "1");
	says("qfThreadInfo", "m1,1f");
	says("qsThreadInfo", "l");
	says("Hg1f", "OK");
	says("Hg2", "E01");
	says("T1f", "OK");
	says("T2", "E01");
	says("vMustReplyEmpty", "");
	says("vCont?", "vCont;c;C;s;S");
	says("nonsense", "");
	says("", "");
	says("qXfer:auxv:read::0,100", "la}]} }\003");
	says("qXfer:auxv:read::1,1", "m}]");
	says("qXfer:auxv:read::5,1", "E01");
	says("qXfer:auxv:read::", "E01");
	says("qXfer:features:read:target.xml:0,5", "m<?xml");
}

static void
memory_(void)
{

	memcpy(memory, "\001\377abc", 5);
	says("m1000,5", "01ff616263");
	says("m103f,5", "00");
	says("m1040,1", "E0e");
	says("m0,1", "E0e");
	says("mffffffffffffffff,ffffffffffffffff", "E0e");
	says("m1000", "E01");
	says("m,", "E01");
	says("m", "E01");
	says("M1000,2:7a7A", "OK");
	CHECK(!memcmp(memory, "zzabc", 5));
	says("M1000,2:7a", "E01");
	says("M1000,2:7aXX", "E01");
	says("M1000,2", "E01");
	says("M103f,2:0000", "E0e");
	says("M1000,ffffffffffffffff:00", "E01");
	says("X1000,0:", "OK");
	says("X1000,3:q}]r", "OK");
	CHECK(!memcmp(memory, "q}rbc", 5));
	says("X1000,2:abc", "E01");
	says("X1000,4:abc", "E01");
}

static void
registers(void)
{
	char g[2 * GDB_REGS_LEN + 2];
	size_t u;

	memset(regs, 0, sizeof regs);
	says("P10=8877665544332211", "OK");
	CHECK_EQ(regs[16 * 8], 0x88);
	says("p10", "8877665544332211");
	says("p0", "0100000000000000");
	says("P3c=00", "E01");
	says("p3c", "E01");
	says("pffffffffffffffffffff", "E01");
	says("p", "E01");
	says("P10=88", "E01");
	says("P10", "E01");
	/* vector registers are for reading */
	says("P28=00", "E01");
	g[0] = 'G';
	for (u = 0; u < 2 * GDB_REGS_LEN; u++)
		g[u + 1] = '7';
	g[2 * GDB_REGS_LEN + 1] = '\0';
	says(g, "OK");
	CHECK_EQ(regs[16 * 8], 0x77);
	CHECK_EQ(regs[17 * 8 + 4], 0);
	g[20] = '\0';
	says(g, "E01");
}

static void
breakpoints(void)
{

	says("Z0,401000,1", "OK");
	CHECK_EQ(broken, 0x401000);
	says("z0,401000,1", "OK");
	CHECK_EQ(broken, 0);
	says("Z0,0,1", "E0e");
	says("Z1,401000,1", "");
	says("Z2,401000,4", "");
	says("Z0", "E01");
	says("Z0,", "E01");
	says("Z0,401000", "E01");
	says("Z", "");
}

#define TALK(s, go)	talk((s), sizeof (s) - 1, (go))

/* Damage on the way, and what makes the target go on. */
static void
frames(void)
{
	static char big[3 * GDB_PACKET_MAX];

	CHECK(!strcmp(TALK("$qC#00", GDB_DETACH), "-"));
	CHECK(!strcmp(TALK("$qC#zz", GDB_DETACH), "-"));
	CHECK(!strcmp(TALK("$qC#b4", GDB_DETACH), "+$QC1#c5"));
	CHECK(!strcmp(TALK("++\003-noise$qC#b4", GDB_DETACH), "+$QC1#c5"));
	/* the first one got lost on the way */
	CHECK(!strcmp(TALK("$m1000,$qC#b4", GDB_DETACH), "+$QC1#c5"));
	CHECK(!strcmp(TALK("$qC#", GDB_DETACH), ""));
	CHECK(!strcmp(TALK("$qC#b", GDB_DETACH), ""));
	CHECK(!strcmp(TALK("$", GDB_DETACH), ""));
	CHECK(!strcmp(TALK("", GDB_DETACH), ""));
	memset(big, 'm', sizeof big);
	big[0] = '$';
	memcpy(big + sizeof big - 10, "#00$qC#b4+", 10);
	CHECK(!strcmp(talk(big, sizeof big, GDB_DETACH),
	    "+$E01#a6+$QC1#c5"));
	CHECK(!strcmp(TALK("$c#63", GDB_CONTINUE), "+"));
	CHECK(!strcmp(TALK("$s#73", GDB_STEP), "+"));
	CHECK(!strcmp(TALK("$k#6b", GDB_KILL), "+"));
	CHECK(!strcmp(TALK("$D#44", GDB_DETACH), "+$OK#9a"));
	CHECK(!strcmp(TALK("$vCont;s:1;c#c1", GDB_STEP), "+"));
	CHECK(!strcmp(TALK("$vCont;c#a8", GDB_CONTINUE), "+"));
	CHECK(!strcmp(TALK("$C05#a8", GDB_CONTINUE), "+"));
	CHECK(!strcmp(TALK("$QStartNoAckMode#b0+$qC#xx", GDB_DETACH),
	    "+$OK#9a$QC1#c5"));
}

int
main(void)
{

	TEST_BEGIN(60);
	TEST(answers);
	TEST(memory_);
	TEST(registers);
	TEST(breakpoints);
	TEST(frames);
	TEST_END();
}
