/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * POOL_STAT(type, name, text): g is a gauge, c counts events.
 */

POOL_STAT(g, vms,		"VMs that exist")
POOL_STAT(g, vms_idle,		"VMs ready for a request")
POOL_STAT(g, vms_busy,		"VMs serving a request or being reset")
POOL_STAT(g, vms_max,		"VMs allowed at most")
POOL_STAT(g, queue,		"Requests waiting for a VM")
POOL_STAT(g, pages_hot,		"Pages that VMs keep private between requests")
POOL_STAT(c, requests,		"Requests that got a VM")
POOL_STAT(c, answers,		"Requests that were answered")
POOL_STAT(c, waited,		"Requests that waited for a VM and got one")
POOL_STAT(c, queue_full,	"Requests refused, the queue was full")
POOL_STAT(c, queue_late,	"Requests refused, waited queue_timeout")
POOL_STAT(c, refused,		"Requests refused, no VM could be had")
POOL_STAT(c, kills,		"VMs killed, whatever the reason")
POOL_STAT(c, kill_fault,	"VMs killed, the guest crashed")
POOL_STAT(c, kill_exit,		"VMs killed, the guest exited")
POOL_STAT(c, kill_timeout,	"VMs killed, the guest took too long")
POOL_STAT(c, kill_answer,	"VMs killed, the answer broke a rule")
POOL_STAT(c, kill_gone,		"VMs killed, their client went away")
POOL_STAT(c, kill_host,		"VMs killed, the host refused something")
POOL_STAT(c, resets,		"VMs put back as the golden image is")
POOL_STAT(c, reset_fail,	"VMs destroyed, putting back had failed")
POOL_STAT(c, pages_reset,	"Pages copied back from the golden image")
POOL_STAT(c, pages_dropped,	"Pages given back to the host")
POOL_STAT(c, created,		"VMs created")
POOL_STAT(c, create_fail,	"VMs that could not be created")
POOL_STAT(c, warmup_fail,	"VMs whose warm-up pass failed")
POOL_STAT(c, destroyed,		"VMs destroyed")
POOL_STAT(c, exits,		"Exits from guests to the host")
POOL_STAT(c, syscalls,		"Linux system calls by guests")
POOL_STAT(c, fetches,		"Fetches that guests asked for")
POOL_STAT(c, fetch_hits,	"Fetches that the cache answered")
POOL_STAT(c, fetch_errors,	"Fetches that came to nothing")
POOL_STAT(c, fetch_loops,	"Fetches refused, too deep or of themselves")
POOL_STAT(c, fetch_bytes,	"Bytes that fetches sent and got")
POOL_STAT(c, log_dropped,	"Log lines dropped, over the request's share")
#undef POOL_STAT
