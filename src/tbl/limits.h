/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * LIMIT(type, name, unit, default, minimum, maximum, text): what can be set
 * for a program. Unit is for messages: bytes, VMs, requests,
 * fetches, seconds, status, CPUs, boolean.
 */

#define KIB	(UINT64_C(1) << 10)
#define MIB	(UINT64_C(1) << 20)
#define GIB	(UINT64_C(1) << 30)

LIMIT(uint64_t, memory, "bytes", 64 * MIB, 4 * MIB, 64 * GIB,
    "memory of a VM, all told")
LIMIT(uint64_t, min_vms, "VMs", 1, 1, 4096,
    "VMs kept, used or not")
LIMIT(uint64_t, max_vms, "VMs", 16, 1, 4096,
    "VMs that exist at most")
LIMIT(uint64_t, queue_length, "requests", 100, 0, 100000,
    "requests that may wait for a VM")
LIMIT(double, queue_timeout, "seconds", 1.0, 0.0, 3600.0,
    "how long a request may wait for a VM")
LIMIT(double, request_timeout, "seconds", 5.0, 0.001, 3600.0,
    "how long a request may run")
LIMIT(double, boot_timeout, "seconds", 10.0, 0.01, 3600.0,
    "how long the program may take until it is ready")
LIMIT(uint64_t, max_request_body, "bytes", 1 * MIB, 0, 4 * GIB,
    "largest request body")
LIMIT(uint64_t, max_response_body, "bytes", 32 * MIB, 0, 64 * GIB,
    "largest response body")
LIMIT(uint64_t, max_fetches, "fetches", 0, 0, 10000,
    "fetches that a request may make")
LIMIT(uint64_t, max_fetch_bytes, "bytes", 8 * MIB, 0, 4 * GIB,
    "what the fetches of a request may move together")
LIMIT(uint64_t, max_fetch_depth, "fetches", 3, 1, 16,
    "fetches that may wait for one another")
LIMIT(uint64_t, probe_status, "status", 200, 200, 999,
    "status that the probe has to be answered with")

LIMIT(uint64_t, max_concurrency, "requests", 0, 0, 100000,
    "requests that may run or wait at a time; 0: no limit")
LIMIT(double, max_cpu, "CPUs", 0, 0, 4096,
    "what the program may compute, seconds in a second; 0: no limit")
LIMIT(double, backoff, "seconds", 60.0, 0.0, 3600.0,
    "longest pause after kills; 0: none")
LIMIT(uint64_t, max_cores, "files", 4, 1, 1000,
    "core files of the program that may be in core_dir")
LIMIT(uint64_t, max_core_size, "bytes", 64 * MIB, 1 * MIB, 64 * GIB,
    "memory in one core file")

LIMIT(uint64_t, executable_memory, "boolean", 0, 0, 1,
    "the program may make code: 1, or 0")

#undef LIMIT
#undef KIB
#undef MIB
#undef GIB
