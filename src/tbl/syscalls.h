/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SYSCALL(name, handler, leaves, arguments): the Linux system calls that guests
 * have. All others say ENOSYS. The handlers are in linux/sys_*.c. ANOTHER() is
 * one whose handler has been named before.
 *
 * They are answered alike before the snapshot and in a request. Before, what
 * they leave becomes part of the image. In a request it is one of
 *
 *	READ	nothing but what they write to the guest's memory, which is put
 *		back with all of it
 *	STATE	what struct sbx_proc keeps account of, which is copied from the
 *		image's, or a register
 *	PAGES	that, and page table entries, which code in the guest has to put
 *		back: an exit for each 170 of them, both times; and more than
 *		SBX_MM_EDITS_MAX of them cost the VM
 *
 * The arguments are for sandbox-run --trace: a letter for the result, and one
 * for each argument. src/run/trace.c has the letters.
 */

/* sys_mem.c */
SYSCALL(brk,			brk,		PAGES,	"xp")
SYSCALL(madvise,		madvise,	READ,	"dpud")
ANOTHER(mlock,			zero,		READ,	"dpu")
ANOTHER(mlock2,			zero,		READ,	"dpux")
ANOTHER(mlockall,		zero,		READ,	"dx")
SYSCALL(mmap,			mmap,		PAGES,	"xpuPMfx")
SYSCALL(mprotect,		mprotect,	PAGES,	"dpuP")
SYSCALL(mremap,			mremap,		PAGES,	"xpuux")
ANOTHER(msync,			zero,		READ,	"dpux")
ANOTHER(munlock,		zero,		READ,	"dpu")
ANOTHER(munlockall,		zero,		READ,	"d")
SYSCALL(munmap,			munmap,		PAGES,	"dpu")

/* sys_file.c */
SYSCALL(close,			close,		STATE,	"df")
SYSCALL(close_range,		close_range,	STATE,	"dffx")
SYSCALL(dup,			dup,		STATE,	"df")
SYSCALL(dup2,			dup2,		STATE,	"dff")
SYSCALL(dup3,			dup3,		STATE,	"dffo")
SYSCALL(fadvise64,		fnothing,	READ,	"dfuud")
SYSCALL(fallocate,		fallocate,	PAGES,	"dfxuu")
ANOTHER(fchmod,			fnothing,	READ,	"dfm")
ANOTHER(fchown,			fnothing,	READ,	"dfdd")
SYSCALL(fcntl,			fcntl,		STATE,	"dfdx")
ANOTHER(fdatasync,		fnothing,	READ,	"df")
ANOTHER(flock,			fnothing,	READ,	"dfx")
SYSCALL(fstat,			fstat,		READ,	"dfp")
ANOTHER(fsync,			fnothing,	READ,	"df")
SYSCALL(ftruncate,		ftruncate,	PAGES,	"dfu")
SYSCALL(getdents64,		getdents64,	STATE,	"dfpu")
SYSCALL(ioctl,			ioctl,		STATE,	"dfxp")
SYSCALL(lseek,			lseek,		STATE,	"dfdd")
SYSCALL(pread64,		pread64,	READ,	"dfrud")
SYSCALL(preadv,			preadv,		STATE,	"dfpdd")
SYSCALL(pwrite64,		pwrite64,	PAGES,	"dfbud")
SYSCALL(pwritev,		pwritev,	PAGES,	"dfpdd")
SYSCALL(read,			read,		STATE,	"dfru")
SYSCALL(readv,			readv,		STATE,	"dfpd")
SYSCALL(umask,			umask,		READ,	"dm")
SYSCALL(write,			write,		PAGES,	"dfbu")
SYSCALL(writev,			writev,		PAGES,	"dfpd")

/* sys_path.c */
SYSCALL(access,			access,		READ,	"dsm")
SYSCALL(chdir,			chdir,		STATE,	"ds")
SYSCALL(chmod,			chmod,		READ,	"dsm")
ANOTHER(chown,			chmod,		READ,	"dsdd")
SYSCALL(creat,			creat,		STATE,	"fsm")
SYSCALL(faccessat,		faccessat,	READ,	"dfsm")
ANOTHER(faccessat2,		faccessat,	READ,	"dfsmx")
SYSCALL(fchmodat,		fchmodat,	READ,	"dfsm")
ANOTHER(fchownat,		fchmodat,	READ,	"dfsddx")
SYSCALL(fchdir,			fchdir,		STATE,	"df")
SYSCALL(fstatfs,		fstatfs,	READ,	"dfp")
SYSCALL(getcwd,			getcwd,		READ,	"dsu")
SYSCALL(lstat,			lstat,		READ,	"dsp")
SYSCALL(mkdir,			mkdir,		STATE,	"dsm")
SYSCALL(mkdirat,		mkdirat,	STATE,	"dfsm")
SYSCALL(newfstatat,		newfstatat,	READ,	"dfspx")
SYSCALL(open,			open,		STATE,	"fsom")
SYSCALL(openat,			openat,		STATE,	"ffsom")
SYSCALL(readlink,		readlink,	READ,	"dsru")
SYSCALL(readlinkat,		readlinkat,	READ,	"dfsru")
SYSCALL(rename,			rename,		STATE,	"dss")
SYSCALL(renameat,		renameat,	STATE,	"dfsfs")
SYSCALL(renameat2,		renameat2,	STATE,	"dfsfsx")
SYSCALL(rmdir,			rmdir,		STATE,	"ds")
SYSCALL(stat,			stat,		READ,	"dsp")
SYSCALL(statfs,			statfs,		READ,	"dsp")
SYSCALL(statx,			statx,		READ,	"dfsxxp")
SYSCALL(truncate,		truncate,	PAGES,	"dsu")
SYSCALL(unlink,			unlink,		STATE,	"ds")
SYSCALL(unlinkat,		unlinkat,	STATE,	"dfsx")
ANOTHER(utimensat,		fchmodat,	READ,	"dfspx")

/* sys_time.c */
SYSCALL(clock_getres,		clock_getres,	READ,	"ddp")
SYSCALL(clock_gettime,		clock_gettime,	READ,	"ddp")
SYSCALL(clock_nanosleep,	clock_nanosleep, READ,	"ddxpp")
SYSCALL(gettimeofday,		gettimeofday,	READ,	"dpp")
SYSCALL(nanosleep,		nanosleep,	READ,	"dpp")
SYSCALL(time,			time,		READ,	"dp")
SYSCALL(times,			times,		READ,	"dp")

/* sys_proc.c */
SYSCALL(arch_prctl,		arch_prctl,	STATE,	"dxp")
SYSCALL(getegid,		nobody,		READ,	"d")
ANOTHER(geteuid,		nobody,		READ,	"d")
ANOTHER(getgid,			nobody,		READ,	"d")
SYSCALL(getpid,			one,		READ,	"d")
SYSCALL(getppid,		zero,		READ,	"d")
SYSCALL(getrandom,		getrandom,	READ,	"dpux")
SYSCALL(getrlimit,		getrlimit,	READ,	"ddp")
SYSCALL(getrusage,		getrusage,	READ,	"ddp")
ANOTHER(getuid,			nobody,		READ,	"d")
SYSCALL(prctl,			prctl,		STATE,	"ddxxx")
SYSCALL(prlimit64,		prlimit64,	READ,	"dddpp")
SYSCALL(sysinfo,		sysinfo,	READ,	"dp")
SYSCALL(uname,			uname,		READ,	"dp")
SYSCALL(fork,			again,		READ,	"d")
ANOTHER(vfork,			again,		READ,	"d")
SYSCALL(wait4,			no_child,	READ,	"ddpxp")
ANOTHER(waitid,			no_child,	READ,	"dddpxp")
SYSCALL(execve,			no_program,	READ,	"dspp")
ANOTHER(execveat,		no_program,	READ,	"dfsppx")
SYSCALL(getxattr,		no_xattr,	READ,	"dsspu")
ANOTHER(lgetxattr,		no_xattr,	READ,	"dsspu")
ANOTHER(fgetxattr,		no_xattr,	READ,	"dfspu")
ANOTHER(listxattr,		no_xattr,	READ,	"dspu")
ANOTHER(llistxattr,		no_xattr,	READ,	"dspu")
ANOTHER(flistxattr,		no_xattr,	READ,	"dfpu")
ANOTHER(setxattr,		no_xattr,	READ,	"dsspux")
ANOTHER(lsetxattr,		no_xattr,	READ,	"dsspux")
ANOTHER(fsetxattr,		no_xattr,	READ,	"dfspux")
ANOTHER(removexattr,		no_xattr,	READ,	"dss")
ANOTHER(lremovexattr,		no_xattr,	READ,	"dss")
ANOTHER(fremovexattr,		no_xattr,	READ,	"dfs")
SYSCALL(link,			no_link,	READ,	"dss")
ANOTHER(linkat,			no_link,	READ,	"dfsfsx")
ANOTHER(mknod,			no_link,	READ,	"dsmx")
ANOTHER(mknodat,		no_link,	READ,	"dfsmx")
ANOTHER(symlink,		no_link,	READ,	"dss")
ANOTHER(symlinkat,		no_link,	READ,	"dsfs")
SYSCALL(getpgid,		group,		READ,	"dd")
ANOTHER(getpgrp,		one,		READ,	"d")
ANOTHER(getsid,			group,		READ,	"dd")
ANOTHER(getgroups,		zero,		READ,	"ddp")
SYSCALL(getresuid,		nobodies,	READ,	"dppp")
ANOTHER(getresgid,		nobodies,	READ,	"dppp")
SYSCALL(getpriority,		getpriority,	READ,	"ddd")
SYSCALL(sched_get_priority_max,	sched_get_priority_max, READ, "dd")
SYSCALL(sched_get_priority_min,	sched_get_priority_min, READ, "dd")

/* channel.c */
SYSCALL(eventfd,		eventfd,	STATE,	"fu")
SYSCALL(eventfd2,		eventfd2,	STATE,	"fux")
SYSCALL(pipe,			pipe,		STATE,	"dp")
SYSCALL(pipe2,			pipe2,		STATE,	"dpo")
SYSCALL(recvfrom,		recvfrom,	STATE,	"dfruxpp")
SYSCALL(sendto,			sendto,		STATE,	"dfbuxpu")
SYSCALL(socketpair,		socketpair,	STATE,	"dddxp")

/* sys_poll.c */
SYSCALL(epoll_create,		epoll_create,	STATE,	"fd")
SYSCALL(epoll_create1,		epoll_create1,	STATE,	"fo")
SYSCALL(epoll_ctl,		epoll_ctl,	STATE,	"dfdfp")
SYSCALL(epoll_wait,		epoll_wait,	STATE,	"dfpdd")
SYSCALL(epoll_pwait,		epoll_pwait,	STATE,	"dfpddpu")
SYSCALL(epoll_pwait2,		epoll_pwait2,	STATE,	"dfpdppu")
SYSCALL(poll,			poll,		STATE,	"dpud")
SYSCALL(ppoll,			ppoll,		STATE,	"dpuppu")
SYSCALL(pselect6,		pselect6,	STATE,	"ddpppp")
SYSCALL(select,			select,		STATE,	"ddpppp")
SYSCALL(timerfd_create,		timerfd_create,	STATE,	"fdo")
SYSCALL(timerfd_gettime,	timerfd_gettime, READ,	"dfp")
SYSCALL(timerfd_settime,	timerfd_settime, STATE,	"dfxpp")

SYSCALL(socket,			no_network,	READ,	"fdxd")

/* timer.c */
SYSCALL(alarm,			alarm,		STATE,	"ud")
SYSCALL(getitimer,		getitimer,	READ,	"ddp")
SYSCALL(setitimer,		setitimer,	STATE,	"ddpp")
SYSCALL(timer_create,		timer_create,	STATE,	"ddpp")
SYSCALL(timer_delete,		timer_delete,	STATE,	"dd")
SYSCALL(timer_getoverrun,	timer_getoverrun, READ,	"dd")
SYSCALL(timer_gettime,		timer_gettime,	READ,	"ddp")
SYSCALL(timer_settime,		timer_settime,	STATE,	"ddxpp")

/* futex.c */
SYSCALL(futex,			futex,		STATE,	"dpxupp")
SYSCALL(set_robust_list,	set_robust_list, STATE,	"dpu")

/* sys_thread.c */
SYSCALL(clone,			clone,		STATE,	"dxpppx")
SYSCALL(clone3,			clone3,		STATE,	"dpu")
SYSCALL(exit,			exit,		STATE,	"dd")
SYSCALL(exit_group,		exit_group,	READ,	"dd")
SYSCALL(gettid,			gettid,		READ,	"d")
SYSCALL(membarrier,		membarrier,	READ,	"dxxd")
SYSCALL(getcpu,			getcpu,		READ,	"dppp")
SYSCALL(sched_getaffinity,	sched_getaffinity, READ, "ddup")
SYSCALL(sched_getparam,		sched_getparam,	READ,	"ddp")
SYSCALL(sched_getscheduler,	sched_getscheduler, READ, "dd")
SYSCALL(sched_setaffinity,	sched_setaffinity, READ, "ddup")
SYSCALL(sched_setscheduler,	sched_setscheduler, READ, "dddp")
SYSCALL(sched_yield,		sched_yield,	STATE,	"d")
SYSCALL(set_tid_address,	set_tid_address, STATE,	"dp")

/* sys_signal.c */
SYSCALL(kill,			kill,		STATE,	"ddS")
SYSCALL(pause,			pause,		STATE,	"d")
SYSCALL(rt_sigaction,		rt_sigaction,	STATE,	"dSppu")
SYSCALL(rt_sigpending,		rt_sigpending,	READ,	"dpu")
SYSCALL(rt_sigprocmask,		rt_sigprocmask,	STATE,	"ddppu")
SYSCALL(rt_sigreturn,		rt_sigreturn,	STATE,	"d")
SYSCALL(rt_sigsuspend,		rt_sigsuspend,	STATE,	"dpu")
SYSCALL(rt_sigtimedwait,	rt_sigtimedwait, STATE,	"dpppu")
SYSCALL(sigaltstack,		sigaltstack,	STATE,	"dpp")
SYSCALL(tgkill,			tgkill,		STATE,	"dddS")
SYSCALL(tkill,			tkill,		STATE,	"ddS")
#undef SYSCALL
#undef ANOTHER
