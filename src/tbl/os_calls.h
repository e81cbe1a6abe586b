/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * OSCALL(return type, name, parameters, arguments): every system call the
 * core makes that can fail for lack of something. Tests replace them one at
 * a time; see base/os.h.
 */

OSCALL(int, open, (const char *path, int flags), (path, flags))
OSCALL(int, close, (int fd), (fd))
OSCALL(int, ioctl, (int fd, unsigned long nr, void *arg), (fd, nr, arg))
OSCALL(int, memfd_create, (const char *name, unsigned flags), (name, flags))
OSCALL(int, ftruncate, (int fd, off_t len), (fd, len))
OSCALL(off_t, lseek, (int fd, off_t off, int whence), (fd, off, whence))
OSCALL(int, fallocate, (int fd, int mode, off_t off, off_t len),
    (fd, mode, off, len))
OSCALL(int, fcntl, (int fd, int cmd, int arg), (fd, cmd, arg))
OSCALL(int, fstat, (int fd, struct stat *st), (fd, st))
OSCALL(int, fstatfs, (int fd, struct statfs *sf), (fd, sf))
OSCALL(int, openat2, (int dirfd, const char *path, const struct open_how *how),
    (dirfd, path, how))
OSCALL(ssize_t, readlinkat, (int dirfd, const char *path, char *buf,
    size_t len), (dirfd, path, buf, len))
OSCALL(ssize_t, getdents64, (int fd, void *ptr, size_t len), (fd, ptr, len))
OSCALL(ssize_t, pread, (int fd, void *ptr, size_t len, off_t off),
    (fd, ptr, len, off))
OSCALL(ssize_t, pwrite, (int fd, const void *ptr, size_t len, off_t off),
    (fd, ptr, len, off))
OSCALL(int, unlinkat, (int dirfd, const char *path, int flags),
    (dirfd, path, flags))
OSCALL(void *, mmap, (void *addr, size_t len, int prot, int flags, int fd,
    off_t off), (addr, len, prot, flags, fd, off))
OSCALL(int, munmap, (void *addr, size_t len), (addr, len))
OSCALL(int, madvise, (void *addr, size_t len, int advice), (addr, len, advice))
OSCALL(ssize_t, getrandom, (void *ptr, size_t len, unsigned flags),
    (ptr, len, flags))
OSCALL(int, pthread_create, (pthread_t *thr, const pthread_attr_t *attr,
    void *(*func)(void *), void *priv), (thr, attr, func, priv))
OSCALL(void *, calloc, (size_t n, size_t len), (n, len))
OSCALL(void *, malloc, (size_t len), (len))
#undef OSCALL
