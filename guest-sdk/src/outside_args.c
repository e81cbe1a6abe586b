/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The command line of a program that runs outside of a sandbox.
 */

#include <stddef.h>
#include <string.h>

#include "sdk.h"

struct option {
	const char		*name;
	size_t			off;		/* in struct sdk_args */
};

#define OPTION(name)	{ "--" #name, offsetof(struct sdk_args, name) }

/* Those that set a string. */
static const struct option args_options[] = {
	OPTION(method),
	OPTION(url),
	OPTION(proto),
	OPTION(arg),
	OPTION(data),
	{ "--client-ip", offsetof(struct sdk_args, client_ip) },
	{ "--request", offsetof(struct sdk_args, message) },
};

#define N_OPTIONS	(sizeof args_options / sizeof args_options[0])

static const struct option *
args_find(const char *word)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (strcmp(args_options[i].name, word) == 0)
			return (&args_options[i]);
	return (NULL);
}

static int
args_is_ours(const char *word)
{

	return (args_find(word) != NULL || strcmp(word, "--header") == 0 ||
	    strcmp(word, "--client-port") == 0 ||
	    strcmp(word, "--body-only") == 0 || strcmp(word, "--help") == 0);
}

static const char *
args_value(struct sdk_args *args, const char *word, const char *value)
{
	const struct option *op;

	op = args_find(word);
	if (op != NULL) {
		memcpy((char *)args + op->off, &value, sizeof value);
		return (NULL);
	}
	if (strcmp(word, "--client-port") == 0) {
		if (sdk_number(value, 0, 65535, &args->client_port) < 0)
			return ("--client-port: not a number from 0 to 65535");
		return (NULL);
	}
	if (args->n_headers == SDK_ARGS_MAX_HEADERS)
		return ("--header: too many of them");
	if (strchr(value, ':') == NULL)
		return ("--header: needs 'Name: value'");
	args->headers[args->n_headers++] = value;
	return (NULL);
}

const char *
sdk_args_parse(struct sdk_args *args, int argc, char **argv, int *skipped)
{
	const char *why;
	int i;

	memset(args, 0, sizeof *args);
	args->url = "/";
	args->proto = "HTTP/1.1";
	args->arg = "";
	args->client_ip = "127.0.0.1";
	for (i = 0; i < argc && !args_is_ours(argv[i]); i++)
		continue;
	*skipped = i;
	for (; i < argc; i++) {
		if (!args_is_ours(argv[i]))
			return ("not one of the options, or a word too many");
		if (strcmp(argv[i], "--help") == 0)
			return ("");
		if (strcmp(argv[i], "--body-only") == 0) {
			args->body_only = 1;
			continue;
		}
		if (i + 1 == argc)
			return ("the last option needs a value");
		why = args_value(args, argv[i], argv[i + 1]);
		if (why != NULL)
			return (why);
		i++;
	}
	if (args->method == NULL)
		args->method = args->data == NULL ? "GET" : "POST";
	return (NULL);
}

const char *
sdk_args_usage(void)
{

	return (
"This program answers HTTP requests inside Varnish, in a sandbox. Started on\n"
"its own it serves one request, and writes the answer to standard output:\n"
"\n"
"  --url URL            default: /\n"
"  --method METHOD      default: GET, or POST with --data\n"
"  --proto PROTO        default: HTTP/1.1\n"
"  --header 'NAME: VALUE'\n"
"                       any number of times\n"
"  --data TEXT          the request's body; @FILE: from there, -: from stdin\n"
"  --request FILE       a whole HTTP/1 request from there, -: from stdin\n"
"  --arg TEXT           what .backend() has as its argument in VCL\n"
"  --client-ip IP       default: 127.0.0.1\n"
"  --client-port PORT   default: 0, unknown\n"
"  --body-only          write only the body of the answer\n"
"  --help               this\n"
"\n"
"Words in front of the first of these belong to the program. If it does not\n"
"bear them on its command line, put them in the environment variable\n"
"SANDBOX_REQUEST, quoted as for a shell; the command line is then left alone.\n"
"\n"
"Exit status: 0, answered; 1, Varnish would refuse the answer; 2, bad usage.\n"
	);
}

/*--------------------------------------------------------------------
 * Words
 */

/* Copy the word at (from) to (to), without quotes. Returns the first byte
 * after it, or NULL if a quote is open. */
static char *
split_word(char *from, char **to)
{
	char quote;

	for (quote = '\0'; *from != '\0'; from++) {
		if (quote == '\0' && strchr(" \t\n", *from) != NULL)
			break;
		if (quote != '\0' ? *from == quote :
		    (*from == '\'' || *from == '"'))
			quote = quote == '\0' ? *from : '\0';
		else if (*from == '\\' && quote != '\'' && from[1] != '\0')
			*(*to)++ = *++from;
		else
			*(*to)++ = *from;
	}
	return (quote == '\0' ? from : NULL);
}

int
sdk_args_split(char *text, char **words, int max)
{
	char *to;
	int n, last;

	for (n = 0;; n++) {
		text += strspn(text, " \t\n");
		if (*text == '\0')
			return (n);
		if (n == max)
			return (-1);
		words[n] = to = text;
		text = split_word(text, &to);
		if (text == NULL)
			return (-1);
		last = (*text == '\0');
		*to = '\0';
		if (last)
			return (n + 1);
		text++;
	}
}
