/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * struct transport, as it is in the releases that configure lets pass: the
 * table of what a request does differently, depending on who has asked. Its
 * header is not installed, so varnishd's own table is compared with this before
 * it is used for the first time. Include it after cache/cache.h and compat.h.
 */

#ifndef VSBX_TRANSPORT_H_INCLUDED
#define VSBX_TRANSPORT_H_INCLUDED

struct vsb;

typedef void vsbx_transport_f(void);	/* one that we neither have nor call */

struct transport {
	unsigned		magic;
#define TRANSPORT_MAGIC		0xf157f32f
	uint16_t		number;
	const char		*proto_ident;
	const char		*name;
	vsbx_transport_f	*new_session;
	vsbx_transport_f	*unwait;
	void			(*req_fail)(struct req *, stream_close_t);
	void			(*req_body)(struct req *);
	VSBX_DELIVER_T		(*deliver)(VSBX_DELIVER_ARGS);
	vsbx_transport_f	*sess_panic;
	void			(*req_panic)(struct vsb *, const struct req *);
	void			(*reembark)(struct worker *, struct req *);
#ifdef VSBX_TRANSPORT_HAS_POLL
	vsbx_transport_f	*poll;
#endif
	int			(*minimal_response)(struct req *, uint16_t);
	VTAILQ_ENTRY(transport)	list;
};

/* That of our own, and of the attribute in sessions. Varnish counts its own
 * from 1 on. */
#define VSBX_TRANSPORT_NUMBER	0x5b00

/*
 * Whether (table), of (size) bytes, which should be varnishd's for HTTP/1, is a
 * struct transport, and its deliver function (deliver), the address of
 * varnishd's V1D_Deliver(). If (size) is another one nothing of it is read.
 * Returns NULL, or how it differs, as the end of a sentence about varnishd.
 */
const char *vsbx_transport_check(const void *table, size_t size,
    const void *deliver);

#endif
