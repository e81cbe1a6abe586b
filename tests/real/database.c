/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * SQLite: 1,000 queries on a database that may be read, and a temporary one
 * that is written to.
 *
 *	database FILE		serve
 *	database FILE make	make the file
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <sandbox.h>

static sqlite3 *db;

static void
check(int i, sqlite3 *d, const char *what)
{

	if (i == SQLITE_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(d));
	exit(1);
}

static void
run(sqlite3 *d, const char *sql)
{

	check(sqlite3_exec(d, sql, NULL, NULL, NULL), d, sql);
}

static int
make(const char *file)
{

	check(sqlite3_open(file, &db), db, file);
	run(db, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, v REAL);"
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	    "WHERE i < 5000) INSERT INTO t SELECT i, 'name ' || (i * 7919 % "
	    "5000), i / 3.0 FROM n; CREATE INDEX tn ON t (name);");
	check(sqlite3_close(db), db, "close");
	return (0);
}

/* Rows of a statement as text. */
static int
row(void *priv, int n, char **v, char **name)
{
	int i;

	(void)name;
	for (i = 0; i < n; i++)
		sandbox_printf(priv, "%s%s", v[i], i + 1 < n ? "|" : "\n");
	return (0);
}

static void
handler(const struct sandbox_request *rq, struct sandbox_reply *rp, void *priv)
{
	sqlite3_stmt *st;
	sqlite3 *tmp;
	char name[32];
	double sum = 0;
	int i;

	(void)rq;
	(void)priv;
	check(sqlite3_prepare_v2(db, "SELECT id, v FROM t WHERE name = ?", -1,
	    &st, NULL), db, "prepare");
	for (i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "name %d", i * 5);
		check(sqlite3_bind_text(st, 1, name, -1, SQLITE_TRANSIENT), db,
		    "bind");
		while (sqlite3_step(st) == SQLITE_ROW)
			sum += sqlite3_column_double(st, 1) *
			    sqlite3_column_int(st, 0);
		check(sqlite3_reset(st), db, "reset");
	}
	check(sqlite3_finalize(st), db, "finalize");
	sandbox_printf(rp, "%.3f\n", sum);
	check(sqlite3_exec(db, "SELECT count(*), sum(v), group_concat(name) "
	    "FROM (SELECT * FROM t ORDER BY v * 31 % 17, id LIMIT 20)", row,
	    rp, NULL), db, "select");
	/* with a journal, in a file */
	check(sqlite3_open("/tmp/sandbox-database", &tmp), tmp, "open");
	run(tmp, "DROP TABLE IF EXISTS u; CREATE TABLE u (a, b);"
	    "BEGIN; INSERT INTO u VALUES (1, 'x'), (2, 'y'); COMMIT;"
	    "BEGIN; DELETE FROM u; ROLLBACK; VACUUM");
	check(sqlite3_exec(tmp, "SELECT a, b FROM u ORDER BY a DESC", row, rp,
	    NULL), tmp, "select");
	check(sqlite3_close(tmp), tmp, "close");
}

int
main(int argc, char **argv)
{

	if (argc < 2)
		return (2);
	if (argc > 2 && !strcmp(argv[2], "make"))
		return (make(argv[1]));
	check(sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READONLY, NULL), db,
	    argv[1]);
	return (sandbox_serve(handler, NULL));
}
