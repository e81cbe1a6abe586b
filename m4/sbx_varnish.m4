# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause

# SBX_VARNISH_RANGE(MINIMUM, CEILING)
# -----------------------------------
# What VARNISH_PREREQ() checks too, said so that one knows what to do.
AC_DEFUN([SBX_VARNISH_RANGE], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	sbx_varnish=$($PKG_CONFIG --modversion varnishapi)
	AS_VERSION_COMPARE([$sbx_varnish], [$1], [sbx_old=yes], [sbx_old=no],
	    [sbx_old=no])
	AS_VERSION_COMPARE([$sbx_varnish], [$2], [sbx_new=no], [sbx_new=yes],
	    [sbx_new=yes])
	AS_IF([test "$sbx_old" = yes || test "$sbx_new" = yes],
	    [AC_MSG_ERROR([
	This vmod_sandbox is for Varnish $1 and later, below $2.
	pkg-config found varnishapi $sbx_varnish. If another one is installed,
	point PKG_CONFIG_PATH at the folder with its varnishapi.pc.])])
])
