/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * gdb's remote serial protocol, as far as a guest on one CPU needs it: memory,
 * registers, software breakpoints, steps, threads, interruption. It knows
 * nothing of guests; debug.c does.
 *
 * What the other side sends is not trusted to be well-formed: packets are of
 * bounded length, and one that makes no sense is answered with an error, or
 * with nothing, as the protocol wants it for what is not supported.
 */

#ifndef RUN_GDB_H_INCLUDED
#define RUN_GDB_H_INCLUDED

#include <stddef.h>
#include <stdint.h>

/* Bytes of a packet, at most; and of memory in one. */
#define GDB_PACKET_MAX		8192
#define GDB_MEMORY_MAX		((GDB_PACKET_MAX - 64) / 2)

#define GDB_THREADS_MAX		128

/*
 * Registers as in a "g" packet of GDB_TARGET_XML: 16 general ones in gdb's
 * order and RIP, 8 bytes each; EFLAGS, CS, SS, DS, ES, FS, GS, 4 each; ST0 to
 * ST7, 10 each; 8 of the x87's, 4 each; XMM0 to XMM15, 16 each; MXCSR, 4;
 * ORIG_RAX, FS and GS base, 8 each.
 */
#define GDB_REG_RIP		16
#define GDB_REGS		60
#define GDB_REGS_LEN		(17 * 8 + 7 * 4 + 8 * 10 + 8 * 4 + 16 * 16 + \
				4 + 3 * 8)

/* What is debugged. The functions return -1 if it can not be done. */
struct gdb_target {
	/* All registers of a thread. Set: those below GDB_REGS_SET only. */
	int			(*get_regs)(void *priv, int32_t tid,
				    uint8_t *regs);
	int			(*set_regs)(void *priv, int32_t tid,
				    const uint8_t *regs);
	/* How many of the (len) bytes can be read; 0: none. */
	size_t			(*read)(void *priv, uint64_t va, void *,
				    size_t len);
	int			(*write)(void *priv, uint64_t va,
				    const void *, size_t len);
	int			(*breakpoint)(void *priv, uint64_t va,
				    int set);
	unsigned		(*threads)(void *priv, int32_t *tids);
	size_t			(*auxv)(void *priv, void *, size_t len);
	void			*priv;
};

/* General registers, RIP and EFLAGS can be set. */
#define GDB_REGS_SET		18

enum gdb_go_e {
	GDB_CONTINUE,
	GDB_STEP,
	GDB_DETACH,		/* or the connection is gone */
	GDB_KILL,
};

struct gdb;

/* On a connection, which is its from now on. */
struct gdb *Gdb_New(int fd, const struct gdb_target *);
void Gdb_Destroy(struct gdb **);

/*
 * The target has stopped: in thread (tid), with signal (signo), at one of its
 * breakpoints if (swbreak). Answers what gdb asks until the target is to go on.
 */
enum gdb_go_e Gdb_Stop(struct gdb *, int signo, int32_t tid, int swbreak);

/* While it runs: returns 1 if it is to be interrupted, -1 if the connection is
 * gone. Does not wait. */
int Gdb_Poll(struct gdb *);

/* It has come to its end, with exit status 0, or killed by a signal. */
void Gdb_End(struct gdb *, int signo);

#endif
