/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Says what must be new in each request: random bytes from all sources, and
 * clocks. A line each: request, getrandom, urandom (from /dev), and rand,
 * which is of a generator that main() seeded and must be the same each time;
 * then wall and mono of the request, and the clocks now: by the library, which
 * may ask no one, and by a system call. Status 500 if a clock is behind the
 * request's.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../guest.h"

static void
put_hex(struct sandbox_reply *rp, const char *name, const uint8_t *p,
    long len)
{
	long i;

	sandbox_printf(rp, "%s ", name);
	if (len < 0)
		sandbox_printf(rp, "errno %d", errno);
	for (i = 0; i < len; i++)
		sandbox_printf(rp, "%02x", p[i]);
	sandbox_puts(rp, "\n");
}

static long
urandom(uint8_t *buf, size_t len)
{
	int fd;

	fd = open("/dev/urandom", O_RDONLY);
	return (fd < 0 ? -1 : read(fd, buf, len));
}

/* Returns true if the clock is behind (since). */
static int
put_clock(struct sandbox_reply *rp, const char *name, clockid_t id,
    int64_t since)
{
	struct timespec ts[2];
	int64_t ns[2];
	int i;

	(void)clock_gettime(id, &ts[0]);
	(void)guest_call(SYS_clock_gettime, (uint64_t)id, (uintptr_t)&ts[1],
	    0, 0, 0, 0);
	for (i = 0; i < 2; i++)
		ns[i] = (int64_t)ts[i].tv_sec * 1000000000 + ts[i].tv_nsec;
	sandbox_printf(rp, "%s %lld %lld %lld\n", name, (long long)since,
	    (long long)ns[0], (long long)ns[1]);
	return (ns[0] < since || ns[1] < ns[0]);
}

static void
bad(const struct sandbox_request *rq, struct sandbox_reply *rp)
{
	uint8_t buf[16];
	int behind;

	put_hex(rp, "request", rq->random, sizeof rq->random);
	put_hex(rp, "getrandom", buf, getrandom(buf, sizeof buf, 0));
	put_hex(rp, "urandom", buf, urandom(buf, sizeof buf));
	sandbox_printf(rp, "rand %d\n", rand());
	behind = put_clock(rp, "wall", CLOCK_REALTIME, rq->wall_ns);
	behind |= put_clock(rp, "mono", CLOCK_MONOTONIC, rq->mono_ns);
	if (behind)
		sandbox_set_status(rp, 500, "Behind");
}

int
main(void)
{

	srand(42);
	return (guest_serve(bad));
}
