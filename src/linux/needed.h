/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Which files a dynamic executable is linked with, found on the host where a
 * dynamic linker would find them. This is for messages only: nothing that is
 * found here is loaded, or allowed. The executable is not trusted; what it
 * names is opened only if it is a regular file, and read with bounds; 4096
 * places are looked at for libraries, and the message says so if these are too
 * few.
 */

#ifndef SBX_NEEDED_H_INCLUDED
#define SBX_NEEDED_H_INCLUDED

#include <stddef.h>

struct sbx_allow;

/*
 * What (path), its dynamic linker (interp) and their libraries are and a
 * program may not read, as a sentence that begins with "; ", and libraries that
 * are nowhere, as another. "" if all is there and allowed.
 */
void SBX_Needed(const char *path, const char *interp, const char * const *envp,
    const struct sbx_allow *, char *buf, size_t len);

#endif
