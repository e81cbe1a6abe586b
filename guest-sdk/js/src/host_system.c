/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Log, clocks, random bytes, settings.
 */

#include <string.h>
#include <time.h>

#include "host.h"
#include "random.h"
#include "source.h"

/* Of one text, most often a stack. Each is an exit. */
#define LOG_LINES	24

extern char **environ;

static int64_t
system_clock(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

int64_t
system_mono(void)
{

	return (system_clock(CLOCK_MONOTONIC));
}

/* Frames of the engine's own say nothing to anybody. */
static int
system_is_noise(const char *line)
{

	return (strstr(line, "    at <internal>/") != NULL);
}

/* Once the host has dropped a line it drops all that follow. */
static int system_log_full;

static void
system_log_line(int level, const char *prefix, const char *line, size_t len)
{
	char buf[SANDBOX_MAX_LOG + 1];

	source_map(line, len, buf, sizeof buf);
	if (system_log_full || system_is_noise(buf))
		return;
	system_log_full = sandbox_log(level, "%s%s%s",
	    prefix == NULL ? "" : prefix, prefix == NULL ? "" : ": ", buf) < 0;
}

void
system_log(int level, const char *prefix, const char *text)
{
	const char *end;
	unsigned n;

	for (n = 0; n < LOG_LINES; n++) {
		end = strchr(text, '\n');
		system_log_line(level, prefix, text, end == NULL ?
		    strlen(text) : (size_t)(end - text));
		prefix = NULL;
		if (end == NULL || end[1] == '\0')
			return;
		text = end + 1;
	}
	system_log_line(level, NULL, "    ...", 7);
}

static void
system_log_call(struct engine_call *c)
{
	const char *p;
	double level;
	size_t len;

	if (engine_arg_number(c, 0, &level) < 0 ||
	    (p = engine_arg_text(c, 1, &len)) == NULL)
		return;
	system_log(level != 0 ? SANDBOX_LOG_ERROR : SANDBOX_LOG_INFO, NULL,
	    p);
}

static void
system_return_ms(struct engine_call *c, int64_t ns)
{

	engine_return(c, engine_number((double)ns / 1e6));
}

static void
system_wall_call(struct engine_call *c)
{

	system_return_ms(c, system_clock(CLOCK_REALTIME));
}

static void
system_mono_call(struct engine_call *c)
{
	static int64_t start;
	const struct sandbox_request *rq;
	int64_t now;

	now = system_mono();
	rq = request_now();
	if (rq == NULL && start == 0)
		start = now;
	system_return_ms(c, now - (rq != NULL ? rq->mono_ns : start));
}

static void
system_random(struct engine_call *c)
{
	uint8_t *p;
	size_t len;

	if (engine_arg_bytes(c, 0, &p, &len) == 0)
		random_fill(p, len);
}

static void
system_env(struct engine_call *c)
{
	struct engine_value o;
	char name[256];
	const char *eq;
	char **e;

	o = engine_bare();
	for (e = environ; *e != NULL; e++) {
		eq = strchr(*e, '=');
		if (eq == NULL || (size_t)(eq - *e) >= sizeof name)
			continue;
		memcpy(name, *e, (size_t)(eq - *e));
		name[eq - *e] = '\0';
		(void)engine_set(o, name, engine_text(eq + 1,
		    strlen(eq + 1)));
	}
	engine_return(c, o);
}

const struct engine_func host_system[] = {
	{ "log",		system_log_call,	2 },
	{ "wallMs",		system_wall_call,	0 },
	{ "monoMs",		system_mono_call,	0 },
	{ "random",		system_random,		1 },
	{ "env",		system_env,		0 },
};
const size_t host_system_n = sizeof host_system / sizeof host_system[0];
