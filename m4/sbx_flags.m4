# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause

# SBX_TRY_CFLAG(VARIABLE, FLAG)
# -----------------------------
# Append FLAG to VARIABLE when the compiler takes it. GCC takes every -Wno-, and
# complains later.
AC_DEFUN([SBX_TRY_CFLAG], [
	AC_MSG_CHECKING([whether $CC takes $2])
	sbx_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror m4_bpatsubst([$2], [^-Wno-], [-W])"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
	    [AC_MSG_RESULT([yes]); $1="$$1 $2"],
	    [AC_MSG_RESULT([no])])
	CFLAGS=$sbx_save_CFLAGS
])

# SBX_ARG_WARNINGS
# ----------------
# --enable-warnings: the warnings this compiler has, and -Werror. For those
# who change the code; a release must build with compilers yet to come.
AC_DEFUN([SBX_ARG_WARNINGS], [
	AC_ARG_ENABLE([warnings],
	    AS_HELP_STRING([--enable-warnings],
	        [many warnings, and fail on them (default: no)]),
	    [], [enable_warnings=no])
	SBX_WARN_CFLAGS=
	AS_IF([test "$enable_warnings" != no], [
		m4_foreach_w([sbx_flag], [
			-Wall -Wextra -Wbad-function-cast -Wcast-align=strict
			-Wcast-qual -Wchar-subscripts -Wduplicated-branches
			-Wduplicated-cond -Wextra-semi-stmt -Wformat=2
			-Winit-self -Wlogical-op -Wmissing-declarations
			-Wmissing-prototypes -Wmissing-variable-declarations
			-Wnested-externs -Wold-style-definition
			-Wpointer-arith -Wredundant-decls -Wshadow
			-Wstrict-prototypes -Wswitch -Wunused
			-Wuninitialized -Wvla -Wwrite-strings
			-fstack-protector-strong
			-Wno-gnu-variable-sized-type-not-at-end
		    ],
		    [SBX_TRY_CFLAG([SBX_WARN_CFLAGS], sbx_flag)])
		SBX_WARN_CFLAGS="$SBX_WARN_CFLAGS -Werror"
	])
	AC_SUBST([SBX_WARN_CFLAGS])
])

# _SBX_ARG_SANITIZER(NAME, -fsanitize=WHAT)
# -----------------------------------------
AC_DEFUN([_SBX_ARG_SANITIZER], [
	AC_ARG_ENABLE([$1],
	    AS_HELP_STRING([--enable-$1], [build with -fsanitize=$2]),
	    [], [enable_$1=no])
	AS_IF([test "$enable_$1" != no], [
		SBX_SAN_CFLAGS="$SBX_SAN_CFLAGS -fsanitize=$2"
		sbx_san=yes
	])
])

# SBX_ARG_SANITIZERS
# ------------------
# SBX_SAN_CFLAGS is for everything that runs on the host, never for guests.
# varnishd itself is not built with a sanitizer: SBX_SAN_PRELOAD is what it
# has to be started with so that it can load a VMOD that is. That does not work
# with the thread sanitizer, which is for tests without Varnish.
AC_DEFUN([SBX_ARG_SANITIZERS], [
	SBX_SAN_CFLAGS=
	SBX_SAN_PRELOAD=
	sbx_san=no
	_SBX_ARG_SANITIZER([asan], [address])
	_SBX_ARG_SANITIZER([ubsan], [undefined])
	_SBX_ARG_SANITIZER([tsan], [thread])
	_SBX_ARG_SANITIZER([fuzz], [fuzzer-no-link])
	AS_IF([test "$enable_asan" != no && test "$enable_tsan" != no],
	    [AC_MSG_ERROR([--enable-asan and --enable-tsan exclude each other])])
	AS_IF([test "$enable_asan" != no],
	    [SBX_SAN_PRELOAD=$($CC -print-file-name=libasan.so)])
	AS_IF([test "$enable_ubsan" != no],
	    [SBX_SAN_CFLAGS="$SBX_SAN_CFLAGS -fno-sanitize-recover=undefined"])
	AS_IF([test "$sbx_san" = yes],
	    [SBX_SAN_CFLAGS="$SBX_SAN_CFLAGS -fno-omit-frame-pointer"
	    SBX_TRY_CFLAG([sbx_san_works], [$SBX_SAN_CFLAGS])
	    AS_IF([test -z "$sbx_san_works"],
	        [AC_MSG_ERROR([$CC can not link with $SBX_SAN_CFLAGS])])])
	AM_CONDITIONAL([SANITIZER], [test "$sbx_san" = yes])
	AM_CONDITIONAL([TSAN], [test "$enable_tsan" != no])
	AM_CONDITIONAL([FUZZ], [test "$enable_fuzz" != no])
	AC_SUBST([SBX_SAN_CFLAGS])
	AC_SUBST([SBX_SAN_PRELOAD])
])
