/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SYSCALL(name, handler): the Linux system calls that guests have. All others
 * say ENOSYS. The handlers are in linux/sys_*.c. ANOTHER() is one whose
 * handler has been named before.
 */

/* sys_mem.c */
SYSCALL(brk,			brk)
SYSCALL(madvise,		madvise)
SYSCALL(mmap,			mmap)
SYSCALL(mprotect,		mprotect)
SYSCALL(mremap,			mremap)
SYSCALL(munmap,			munmap)

/* sys_file.c */
SYSCALL(access,			access)
SYSCALL(chdir,			chdir)
SYSCALL(close,			close)
SYSCALL(dup,			dup)
SYSCALL(dup2,			dup2)
SYSCALL(dup3,			dup3)
SYSCALL(faccessat,		faccessat)
ANOTHER(faccessat2,		faccessat)
SYSCALL(fadvise64,		zero)
SYSCALL(fcntl,			fcntl)
SYSCALL(fstat,			fstat)
SYSCALL(getcwd,			getcwd)
SYSCALL(ioctl,			ioctl)
SYSCALL(lseek,			lseek)
SYSCALL(lstat,			stat)
SYSCALL(newfstatat,		newfstatat)
SYSCALL(open,			open)
SYSCALL(openat,			openat)
SYSCALL(pread64,		pread64)
SYSCALL(read,			read)
SYSCALL(readlink,		readlink)
SYSCALL(readlinkat,		readlinkat)
SYSCALL(readv,			readv)
ANOTHER(stat,			stat)
SYSCALL(write,			write)
SYSCALL(writev,			writev)

/* sys_time.c */
SYSCALL(clock_getres,		clock_getres)
SYSCALL(clock_gettime,		clock_gettime)
SYSCALL(clock_nanosleep,	clock_nanosleep)
SYSCALL(gettimeofday,		gettimeofday)
SYSCALL(nanosleep,		nanosleep)
SYSCALL(time,			time)
SYSCALL(times,			times)

/* sys_proc.c */
SYSCALL(arch_prctl,		arch_prctl)
SYSCALL(clone,			again)
SYSCALL(exit,			exit)
ANOTHER(exit_group,		exit)
ANOTHER(fork,			again)
SYSCALL(futex,			futex)
SYSCALL(getegid,		nobody)
ANOTHER(geteuid,		nobody)
ANOTHER(getgid,			nobody)
SYSCALL(getpid,			one)
ANOTHER(getppid,		zero)
SYSCALL(getrandom,		getrandom)
SYSCALL(getrlimit,		getrlimit)
SYSCALL(getrusage,		getrusage)
ANOTHER(gettid,			one)
ANOTHER(getuid,			nobody)
SYSCALL(kill,			kill)
SYSCALL(prctl,			prctl)
SYSCALL(prlimit64,		prlimit64)
SYSCALL(rt_sigaction,		rt_sigaction)
SYSCALL(rt_sigprocmask,		rt_sigprocmask)
SYSCALL(sched_getaffinity,	sched_getaffinity)
ANOTHER(sched_yield,		zero)
ANOTHER(set_robust_list,	zero)
ANOTHER(set_tid_address,	one)
SYSCALL(sigaltstack,		sigaltstack)
SYSCALL(sysinfo,		sysinfo)
SYSCALL(tgkill,			tgkill)
ANOTHER(tkill,			kill)
SYSCALL(uname,			uname)
ANOTHER(vfork,			again)
#undef SYSCALL
#undef ANOTHER
