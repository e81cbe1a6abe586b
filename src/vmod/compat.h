/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What differs between the releases of Varnish that we build against. Nothing
 * else in this folder looks at a version. Include it after cache/cache.h.
 *
 * Varnish 7.1 is what it is tested with. Branches for later releases follow
 * the change log in their vrt.h.
 */

#ifndef VSBX_COMPAT_H_INCLUDED
#define VSBX_COMPAT_H_INCLUDED

/* Up to VRT 15.0 (Varnish 7.1) what a VCL subroutine returned was a member of
 * struct worker. Later it is hidden, but an object is then always at least
 * BOS_STREAM by the time its fetch ends well. True while bo's fetch is on its
 * way to a good end: no retry can follow. */
#if VRT_MAJOR_VERSION <= 15
#  define VSBX_BO_DELIVERS(bo)	((bo)->wrk->handling == VCL_RET_DELIVER)
#else
#  define VSBX_BO_DELIVERS(bo)						\
	((bo)->fetch_objcore->boc->state >= BOS_STREAM)
#endif

#endif
