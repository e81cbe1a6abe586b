# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause

# SBX_ARG_JS
# ----------
# --enable-js: sandbox-jsc, which makes programs of JavaScript. Not without
# being asked for, because make then gets packages from npm.
AC_DEFUN([SBX_ARG_JS], [
	AC_ARG_ENABLE([js],
	    AS_HELP_STRING([--enable-js],
	        [sandbox-jsc, for handlers in JavaScript; needs Node.js 18,
	        npm and its registry, and mbed TLS (default: no)]),
	    [], [enable_js=no])
	AC_ARG_VAR([NODE], [Node.js, version 18 or later])
	AC_ARG_VAR([NPM], [npm])
	AS_IF([test "$enable_js" != no], [
		AC_PATH_PROG([NODE], [node], [no])
		AC_PATH_PROG([NPM], [npm], [no])
		AS_IF([test "$NODE" = no || test "$NPM" = no], [AC_MSG_ERROR([
	--enable-js needs Node.js and npm. On Debian: apt-get install nodejs npm])])
		AC_CHECK_TOOL([OBJCOPY], [objcopy], [no])
		AC_MSG_CHECKING([whether $NODE is version 18 or later])
		AS_IF([$NODE -e '+process.versions.node.split(".")@<:@0@:>@ < 18 &&
		    process.exit(1)'],
		    [AC_MSG_RESULT([yes])],
		    [AC_MSG_RESULT([no])
		    AC_MSG_ERROR([
	--enable-js needs Node.js 18 or later, and this is an older one.])])
		AC_MSG_CHECKING([for a static libmbedcrypto])
		sbx_save_LIBS=$LIBS
		sbx_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -static"
		LIBS="-lmbedcrypto $LIBS"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([@%:@include <mbedtls/md.h>],
		    [return (mbedtls_md_info_from_type(MBEDTLS_MD_SHA256) == 0)])],
		    [AC_MSG_RESULT([yes])],
		    [AC_MSG_RESULT([no])
		    AC_MSG_ERROR([
	--enable-js needs mbed TLS. On Debian: apt-get install libmbedtls-dev])])
		CFLAGS=$sbx_save_CFLAGS
		LIBS=$sbx_save_LIBS
	])
	AM_CONDITIONAL([JS], [test "$enable_js" != no])
])
