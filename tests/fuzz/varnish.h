/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * As much of varnishd as src/vmod/request.c, response.c and body.c need. Each
 * piece of workspace is an allocation of its own, so that the address
 * sanitizer sees its end.
 */

#ifndef VARNISH_H_INCLUDED
#define VARNISH_H_INCLUDED

struct busyobj;
struct http;
struct vfp_entry;
struct vmod_sandbox_program;

struct varnish {
	unsigned		magic;
#define VARNISH_MAGIC		0x30b7e6c4
	size_t			room;		/* left in the workspace */
	const void		*body;		/* of the request */
	size_t			body_len;
	size_t			chunk;		/* of it, at a time */
	int			body_fails;	/* behind its end */
	const char		*client_ip, *client_port;
	struct vfp_entry	*vfe;		/* pushed */
	unsigned		logged;		/* lines */
};

extern struct varnish varnish;

/* A busyobj with everything that is looked at, and room for (shd) fields in
 * bereq and beresp. It is cleared the next time. */
struct busyobj *Varnish_Busyobj(unsigned shd);

/* Give the workspace back. */
void Varnish_Free(void);

/* Set field (n); or append one, if there is room. */
void Varnish_Field(struct http *, unsigned n, const char *b, size_t l);
void Varnish_Append(struct http *, const char *b, size_t l);

/* What is VMs' owner in the log. */
struct vmod_sandbox_program *Varnish_Program(void);

#endif
