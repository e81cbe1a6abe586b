/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What gdb says to sandbox-run --gdb. The input is what comes over the
 * connection, behind an 'r' as it is; else each line is a packet, and gets what
 * a packet needs.
 */

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vdef.h"
#include "vas.h"

#include "run/gdb.h"

#include "fuzz.h"

#define MEMORY		8192
#define BASE		UINT64_C(0x10000)
#define INPUT_MAX	65536

static uint8_t memory[MEMORY];
static unsigned n_break;

static int
gdb_get_regs(void *priv, int32_t tid, uint8_t *regs)
{

	AZ(priv);
	assert(tid >= 1 && tid <= 3);
	memset(regs, tid, GDB_REGS_LEN);
	return (tid == 3 ? -1 : 0);
}

static int
gdb_set_regs(void *priv, int32_t tid, const uint8_t *regs)
{
	uint8_t copy[GDB_REGS_LEN];

	AZ(priv);
	assert(tid >= 1 && tid <= 3);
	memcpy(copy, regs, sizeof copy);
	return (0);
}

static size_t
gdb_read(void *priv, uint64_t va, void *b, size_t len)
{

	AZ(priv);
	assert(len <= GDB_MEMORY_MAX);
	if (va < BASE || va - BASE >= MEMORY)
		return (0);
	if (len > MEMORY - (va - BASE))
		len = (size_t)(MEMORY - (va - BASE));
	memcpy(b, memory + (va - BASE), len);
	return (len);
}

static int
gdb_write(void *priv, uint64_t va, const void *b, size_t len)
{

	AZ(priv);
	assert(len <= GDB_PACKET_MAX);
	if (va < BASE || va - BASE >= MEMORY || len > MEMORY - (va - BASE))
		return (-1);
	memcpy(memory + (va - BASE), b, len);
	return (0);
}

static int
gdb_breakpoint(void *priv, uint64_t va, int set)
{

	AZ(priv);
	n_break += (unsigned)set;
	return (va < BASE || va - BASE >= MEMORY ? -1 : 0);
}

static unsigned
gdb_threads(void *priv, int32_t *tids)
{
	unsigned u;

	AZ(priv);
	for (u = 0; u < 3; u++)
		tids[u] = (int32_t)u + 1;
	return (3);
}

static size_t
gdb_auxv(void *priv, void *b, size_t len)
{

	AZ(priv);
	assert(len >= 16);
	memset(b, '}', 16);
	return (16);
}

static const struct gdb_target target = {
	.get_regs = gdb_get_regs,
	.set_regs = gdb_set_regs,
	.read = gdb_read,
	.write = gdb_write,
	.breakpoint = gdb_breakpoint,
	.threads = gdb_threads,
	.auxv = gdb_auxv,
};

/* Lines as packets. */
static size_t
gdb_frame(uint8_t *to, size_t max, const uint8_t *b, size_t l)
{
	size_t n = 0, u, begin;
	uint8_t sum;

	for (u = 0; u < l && n + 8 < max; u++) {
		to[n++] = '$';
		sum = 0;
		for (begin = n; u < l && b[u] != '\n' && n + 8 < max; u++) {
			to[n] = b[u];
			/* they would be another packet */
			if (to[n] == '#' || to[n] == '$')
				to[n] = ' ';
			sum = (uint8_t)(sum + to[n++]);
		}
		(void)begin;
		n += (size_t)sprintf((char *)to + n, "#%02x", sum);
	}
	return (n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *b, size_t l)
{
	static uint8_t buf[INPUT_MAX * 2];
	enum gdb_go_e go;
	struct gdb *g;
	unsigned rounds = 0;
	int fd[2], big = 1 << 20;

	if (l == 0 || l > INPUT_MAX / 8)
		return (0);
	if (b[0] == 'r') {
		b++;
		l--;
	} else {
		l = gdb_frame(buf, sizeof buf, b, l);
		b = buf;
	}
	AZ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd));
	(void)setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	(void)setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &big, sizeof big);
	/* nobody reads the answers: what does not fit is a lost connection */
	AZ(fcntl(fd[1], F_SETFL, O_NONBLOCK));
	assert(l == 0 || send(fd[0], b, l, 0) == (ssize_t)l);
	AZ(shutdown(fd[0], SHUT_WR));
	g = Gdb_New(fd[1], &target);
	do {
		(void)Gdb_Poll(g);
		go = Gdb_Stop(g, 5, (int32_t)(rounds % 3) + 1, rounds % 2);
		rounds++;
		assert(rounds <= INPUT_MAX);
	} while (go == GDB_CONTINUE || go == GDB_STEP);
	Gdb_End(g, 0);
	Gdb_Destroy(&g);
	AZ(g);
	AZ(close(fd[0]));
	return (0);
}
