/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * What differs between releases of Varnish. Nothing else in this folder looks
 * at a version. Include it after cache/cache.h.
 *
 * Built and tested with 7.1 only, and configure says so. What is known about
 * later releases is here, for whoever raises the ceiling: run the VTCs.
 */

#ifndef VSBX_COMPAT_H_INCLUDED
#define VSBX_COMPAT_H_INCLUDED

/* True while bo's fetch is on its way to a good end, so that no retry can
 * follow. In 7.1 (VRT 15) what a VCL subroutine returned is a member of struct
 * worker, and an object that is not streamed changes its state only after the
 * backend is done with. Later the former is hidden, and the latter is at least
 * BOS_STREAM by then. */
#if VRT_MAJOR_VERSION <= 15
#  define VSBX_BO_DELIVERS(bo)	((bo)->wrk->handling == VCL_RET_DELIVER)
#else
#  define VSBX_BO_DELIVERS(bo)						\
	((bo)->fetch_objcore->boc->state >= BOS_STREAM)
#endif

/* Who logs beresp as it came: in 7.1 the fetch, later the backend. */
#if VRT_MAJOR_VERSION <= 15
#  define VSBX_LOG_BERESP(bo)	do { } while (0)
#else
#  define VSBX_LOG_BERESP(bo)	http_VSL_log((bo)->beresp)
#endif

#endif
