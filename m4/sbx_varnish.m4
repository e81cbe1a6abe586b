# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause

# SBX_VARNISH_RELEASES(RELEASE...)
# --------------------------------
# Fail unless the Varnish that pkg-config finds is one of these releases, such
# as 7.7, which means all of 7.7.x. What a VMOD may use changes from one to the
# next, and not all of it so that a compiler would notice.
AC_DEFUN([SBX_VARNISH_RELEASES], [
	AC_REQUIRE([PKG_PROG_PKG_CONFIG])
	sbx_varnish=$($PKG_CONFIG --modversion varnishapi)
	sbx_known=no
	for sbx_release in $1
	do
		AS_CASE([$sbx_varnish],
		    [$sbx_release|$sbx_release.*], [sbx_known=yes])
	done
	AS_IF([test "$sbx_known" = no], [AC_MSG_ERROR([
	This vmod_sandbox has been tested with these releases of Varnish (since
	9, Vinyl Cache), and is for no other: $1.
	pkg-config found varnishapi $sbx_varnish. If another one is installed,
	point PKG_CONFIG_PATH at the folder with its varnishapi.pc. To port it,
	see src/vmod/compat.h, and tests/varnish/run.])])
])

# SBX_VARNISH_PROBE
# -----------------
# What src/vmod/compat.h and the tests have to know about this Varnish.
AC_DEFUN([SBX_VARNISH_PROBE], [
	sbx_save_CPPFLAGS=$CPPFLAGS
	CPPFLAGS="$CPPFLAGS $VARNISHAPI_CFLAGS"

	# The private header that src/vmod/body.c and subreq.c include
	SBX_VINYL=no
	AC_MSG_CHECKING([for the name of cache_varnishd.h])
	AC_PREPROC_IFELSE(
	    [AC_LANG_SOURCE([@%:@include "cache/cache_vinyld.h"])],
	    [SBX_VINYL=yes; sbx_header=cache/cache_vinyld.h],
	    [sbx_header=cache/cache_varnishd.h])
	AC_MSG_RESULT([$sbx_header])
	AC_DEFINE_UNQUOTED([SBX_CACHE_PRIVATE_H], ["$sbx_header"],
	    [varnishd's own header])

	AC_CHECK_MEMBERS([struct busyobj.vdp_filter_list], [], [],
	    [@%:@include "cache/cache.h"])
	CPPFLAGS=$sbx_save_CPPFLAGS

	# The directives in a .vsc file carry the name of the program.
	AC_MSG_CHECKING([for the directives of $VSCTOOL])
	AS_IF([grep varnish_vsc_begin "$VSCTOOL" >/dev/null 2>&1],
	    [SBX_VSC=varnish_vsc],
	    [grep vinyl_vsc_begin "$VSCTOOL" >/dev/null 2>&1],
	    [SBX_VSC=vinyl_vsc],
	    [AC_MSG_ERROR([
	neither varnish_vsc_begin nor vinyl_vsc_begin is known to $VSCTOOL])])
	AC_MSG_RESULT([$SBX_VSC])
	AC_SUBST([SBX_VSC])

	# So does the header with the transaction's number.
	AS_IF([test "$SBX_VINYL" = yes],
	    [SBX_XID_HEADER=X-Vinyl], [SBX_XID_HEADER=X-Varnish])
	AC_SUBST([SBX_XID_HEADER])
])
