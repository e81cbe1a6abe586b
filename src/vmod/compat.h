/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What differs between releases of Varnish. Nothing else in this folder looks
 * at one: what a compiler can tell is probed by m4/sbx_varnish.m4, what is
 * only done differently goes by VRT's version. Include it after
 * cache/cache.h.
 *
 * Built and tested with 7.1, 7.7 and Vinyl Cache 9.0. configure refuses all
 * others, because what is not visible to a compiler may have changed too: to
 * add one, read its cache_fetch.c, cache_backend.c and cache_http1_fetch.c
 * against this, and run the VTCs with tests/varnish/run.
 */

#ifndef VSBX_COMPAT_H_INCLUDED
#define VSBX_COMPAT_H_INCLUDED

/* True while bo's fetch is on its way to a good end, so that no retry can
 * follow: nobody can ask for one once the object has been allocated, which is
 * after vcl_backend_response. What that returned is hidden, or, in 7.1, cleared
 * before a backend's finish method is called. */
#define VSBX_BO_DELIVERS(bo)						\
	((bo)->fetch_objcore->stobj->stevedore != NULL)

/* The filters that VCL wants the request's body to go through. */
#ifdef HAVE_STRUCT_BUSYOBJ_VDP_FILTER_LIST
#  define VSBX_BEREQ_FILTERS(bo)	((bo)->vdp_filter_list)
#else
#  define VSBX_BEREQ_FILTERS(bo)	((void)(bo), (const char *)NULL)
#endif

/* Who logs beresp as it came: in 7.1 (VRT 15) the fetch, later the backend. */
#if VRT_MAJOR_VERSION <= 15
#  define VSBX_LOG_BERESP(bo)	do { } while (0)
#else
#  define VSBX_LOG_BERESP(bo)	http_VSL_log((bo)->beresp)
#endif

/* What subreq.c needs of struct transport, which is private; transport.c looks
 * if varnishd's is like that. In 7.1 deliver() is told what is still being
 * fetched; later it says if it is done, which is 1, there is one function more,
 * and a request is made for another one or not. */
#if VRT_MAJOR_VERSION <= 15
#  define VSBX_DELIVER_T	void
#  define VSBX_DELIVER_ARGS	struct req *req, struct boc *boc, int sendbody
#  define VSBX_DELIVER_UNUSED	(void)boc
#  define VSBX_DELIVER_RETURN	return
#  define VSBX_VDP_CLOSE(req)	VDP_Close((req)->vdc)
#  define VSBX_NO_VXID		0
#  define VSBX_REQ_NEW(sp)	Req_New(sp)
#else
#  define VSBX_DELIVER_T	int
#  define VSBX_DELIVER_ARGS	struct req *req, int sendbody
#  define VSBX_DELIVER_UNUSED	(void)req
#  define VSBX_DELIVER_RETURN	return (1)
#  define VSBX_VDP_CLOSE(req)						\
	VDP_Close((req)->vdc, (req)->objcore, (req)->boc)
#  define VSBX_NO_VXID		NO_VXID
#  define VSBX_REQ_NEW(sp)	Req_New(sp, NULL)	/* nobody's include */
#  define VSBX_TRANSPORT_HAS_POLL
#endif

#endif
