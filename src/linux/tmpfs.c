/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * tmpfs.c: /tmp.
 */

#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "vdef.h"
#include "miniobj.h"
#include "vas.h"

#include "base/os.h"
#include "linux/mem.h"
#include "linux/proc.h"
#include "linux/syscall.h"
#include "linux/tmpfs.h"

static const char tmp_root[] = "/tmp";

/* As the kernel has it; glibc's is the same with other names. */
struct tmp_dirent {
	uint64_t		ino;
	int64_t			off;
	uint16_t		reclen;
	uint8_t			type;
	char			name[SBX_TMP_NAME_MAX + 1];
};

static struct sbx_tmp_node *
tmp_node(struct sbx_tmp *t, unsigned node)
{

	CHECK_OBJ_NOTNULL(t, SBX_TMP_MAGIC);
	assert(node < t->n);
	AN(t->node[node].used);
	return (&t->node[node]);
}

static const struct sbx_tmp_node *
tmp_look(const struct sbx_tmp *t, unsigned node)
{

	CHECK_OBJ_NOTNULL(t, SBX_TMP_MAGIC);
	assert(node < t->n);
	AN(t->node[node].used);
	return (&t->node[node]);
}

void
SBX_Tmp_Init(struct sbx_tmp *t)
{

	AN(t);
	memset(t, 0, offsetof(struct sbx_tmp, node) + sizeof *t->node);
	t->magic = SBX_TMP_MAGIC;
	t->n = 1;
	t->node[0].used = t->node[0].dir = t->node[0].linked = 1;
}

void
SBX_Tmp_Copy(struct sbx_tmp *to, const struct sbx_tmp *from)
{

	CHECK_OBJ_NOTNULL(from, SBX_TMP_MAGIC);
	memcpy(to, from, offsetof(struct sbx_tmp, node) +
	    from->n * sizeof *from->node);
	to->changed = 0;
}

/*--------------------------------------------------------------------
 * Names
 */

int
SBX_Tmp_Is(const char *path)
{
	size_t l = sizeof tmp_root - 1;

	return (!strncmp(path, tmp_root, l) &&
	    (path[l] == '\0' || path[l] == '/'));
}

/* The node called (name), of (l) bytes, in directory (dir). */
static int
tmp_child(const struct sbx_tmp *t, unsigned dir, const char *name, size_t l)
{
	const struct sbx_tmp_node *nd;
	unsigned u;

	for (u = 1; u < t->n; u++) {
		nd = &t->node[u];
		if (nd->used && nd->linked && nd->parent == dir &&
		    strlen(nd->name) == l && !memcmp(nd->name, name, l))
			return ((int)u);
	}
	return (-ENOENT);
}

/* As far as there are nodes: (*rest) is what remains of the path. */
static unsigned
tmp_walk(const struct sbx_tmp *t, const char *path, const char **rest)
{
	unsigned at = 0;
	size_t l;
	int i;

	CHECK_OBJ_NOTNULL(t, SBX_TMP_MAGIC);
	AN(SBX_Tmp_Is(path));
	path += sizeof tmp_root - 1;
	for (;; path += l) {
		while (*path == '/')
			path++;
		l = strcspn(path, "/");
		i = l == 0 || !t->node[at].dir ? -1 :
		    tmp_child(t, at, path, l);
		if (i < 0)
			break;
		at = (unsigned)i;
	}
	*rest = path;
	return (at);
}

int
SBX_Tmp_Find(const struct sbx_tmp *t, const char *path)
{
	const char *rest;
	unsigned at;

	at = tmp_walk(t, path, &rest);
	if (*rest == '\0')
		return ((int)at);
	return (t->node[at].dir ? -ENOENT : -ENOTDIR);
}

/* Whether a name can be made: its directory, or why not. */
static int
tmp_new_name(const struct sbx_tmp *t, const char *path, const char **name)
{
	unsigned at;

	at = tmp_walk(t, path, name);
	if (**name == '\0')
		return (-EEXIST);
	if (!t->node[at].dir)
		return (-ENOTDIR);
	if (strchr(*name, '/') != NULL)
		return (-ENOENT);
	return (strlen(*name) > SBX_TMP_NAME_MAX ? -ENAMETOOLONG : (int)at);
}

static void
tmp_name(struct sbx_tmp *t, unsigned node, unsigned parent, const char *name)
{
	struct sbx_tmp_node *nd = &t->node[node];

	AN(name);
	assert(strlen(name) <= SBX_TMP_NAME_MAX);
	memset(nd->name, 0, sizeof nd->name);
	memcpy(nd->name, name, strlen(name));
	nd->parent = (uint8_t)parent;
	nd->linked = 1;
	nd->mtime = t->node[parent].mtime = SBX_Os_Wall();
	t->changed = 1;
}

int
SBX_Tmp_Make(struct sbx_tmp *t, const char *path, int dir)
{
	const char *name;
	unsigned u;
	int i;

	i = tmp_new_name(t, path, &name);
	if (i < 0)
		return (i);
	for (u = 1; u < t->n && t->node[u].used; u++)
		continue;
	if (u == SBX_TMP_NODES_MAX)
		return (-ENOSPC);
	if (u == t->n)
		t->n++;
	memset(&t->node[u], 0, sizeof t->node[u]);
	t->node[u].used = 1;
	t->node[u].dir = dir != 0;
	tmp_name(t, u, (unsigned)i, name);
	return ((int)u);
}

static int
tmp_is_empty(const struct sbx_tmp *t, unsigned dir)
{
	unsigned u;

	for (u = 1; u < t->n; u++)
		if (t->node[u].used && t->node[u].linked &&
		    t->node[u].parent == dir)
			return (0);
	return (1);
}

/* What has neither name nor description: its memory is given back by those who
 * can, see tmp_reap(). */
static void
tmp_unlink(struct sbx_tmp *t, unsigned node)
{
	struct sbx_tmp_node *nd = &t->node[node];

	nd->linked = 0;
	if (nd->refs == 0 && nd->room == 0)
		nd->used = 0;
	t->node[nd->parent].mtime = SBX_Os_Wall();
	t->changed = 1;
}

int
SBX_Tmp_Remove(struct sbx_tmp *t, const char *path, int dir)
{
	int i;

	i = SBX_Tmp_Find(t, path);
	if (i < 0)
		return (i);
	if (i == 0)
		return (-EBUSY);
	if (t->node[i].dir && !dir)
		return (-EISDIR);
	if (!t->node[i].dir && dir)
		return (-ENOTDIR);
	if (dir && !tmp_is_empty(t, (unsigned)i))
		return (-ENOTEMPTY);
	tmp_unlink(t, (unsigned)i);
	return (0);
}

int
SBX_Tmp_Rename(struct sbx_tmp *t, const char *from, const char *to)
{
	const struct sbx_tmp_node *nd;
	const char *name = NULL;
	int i, old, dir, up;

	i = SBX_Tmp_Find(t, from);
	if (i < 0)
		return (i);
	old = SBX_Tmp_Find(t, to);
	if (old == i)
		return (0);
	if (i == 0 || old == 0)
		return (-EBUSY);
	nd = &t->node[i];
	if (old > 0 && t->node[old].dir != nd->dir)
		return (nd->dir ? -ENOTDIR : -EISDIR);
	if (old > 0 && nd->dir && !tmp_is_empty(t, (unsigned)old))
		return (-ENOTEMPTY);
	dir = old > 0 ? t->node[old].parent : tmp_new_name(t, to, &name);
	if (dir < 0)
		return (dir);
	/* not into itself */
	for (up = dir; up != 0; up = t->node[up].parent)
		if (up == i)
			return (-EINVAL);
	if (old > 0) {
		tmp_unlink(t, (unsigned)old);
		name = t->node[old].name;
	}
	tmp_name(t, (unsigned)i, (unsigned)dir, name);
	return (0);
}

void
SBX_Tmp_Ref(struct sbx_tmp *t, unsigned node)
{
	struct sbx_tmp_node *nd = tmp_node(t, node);

	/* as many as there are descriptions, 64 */
	assert(nd->refs < UINT8_MAX);
	nd->refs++;
	t->changed = 1;
}

void
SBX_Tmp_Rel(struct sbx_tmp *t, unsigned node)
{
	struct sbx_tmp_node *nd = tmp_node(t, node);

	assert(nd->refs > 0);
	nd->refs--;
	if (nd->refs == 0 && !nd->linked && nd->room == 0)
		nd->used = 0;
	t->changed = 1;
}

void
SBX_Tmp_Stat(const struct sbx_tmp *t, unsigned node, struct stat *st)
{
	const struct sbx_tmp_node *nd = tmp_look(t, node);

	memset(st, 0, sizeof *st);
	st->st_mode = nd->dir ? S_IFDIR | 0777 : S_IFREG | 0666;
	st->st_uid = st->st_gid = SBX_PROC_UID;
	st->st_nlink = nd->linked;
	st->st_dev = 1;
	st->st_ino = node + 1;
	st->st_size = (off_t)nd->size;
	st->st_blksize = SBX_PAGE;
	st->st_blocks = (blkcnt_t)(nd->room / 512);
	st->st_mtim = SBX_Os_Timespec(nd->mtime);
	st->st_atim = st->st_ctim = st->st_mtim;
}

int
SBX_Tmp_Path(const struct sbx_tmp *t, unsigned node, char *buf, size_t len)
{
	const struct sbx_tmp_node *nd = tmp_look(t, node);
	size_t l;
	int i;

	if (node == 0)
		l = (size_t)snprintf(buf, len, "%s", tmp_root);
	else if (!nd->linked)
		/* nor need what it was in be there any more */
		return (-ENOENT);
	else {
		i = SBX_Tmp_Path(t, nd->parent, buf, len);
		if (i < 0)
			return (i);
		l = strlen(buf);
		l += (size_t)snprintf(buf + l, len - l, "/%s", nd->name);
	}
	return (l >= len ? -ENAMETOOLONG : 0);
}

/* (*pos) counts: ".", "..", then nodes. */
int64_t
SBX_Tmp_Dents(const struct sbx_tmp *t, unsigned node, int64_t *pos,
    void *buf, size_t len)
{
	const struct sbx_tmp_node *nd;
	struct tmp_dirent d;
	const char *name;
	size_t l, used = 0;
	int64_t at;

	AN(tmp_look(t, node)->dir);
	for (at = *pos < 0 ? 0 : *pos; at < 2 + (int64_t)t->n; at++) {
		nd = at < 2 ? &t->node[0] : &t->node[at - 2];
		name = at == 0 ? "." : at == 1 ? ".." : nd->name;
		if (at == 2 || (at > 2 && (!nd->used || !nd->linked ||
		    nd->parent != node)))
			continue;
		memset(&d, 0, sizeof d);
		l = strlen(name) + 1;
		memcpy(d.name, name, l);
		l = (offsetof(struct tmp_dirent, name) + l + 7) & ~(size_t)7;
		if (l > len - used)
			break;
		d.ino = at < 2 ? node + 1 : (uint64_t)at - 1;
		d.off = at + 1;
		d.reclen = (uint16_t)l;
		d.type = nd->dir ? DT_DIR : DT_REG;
		memcpy((uint8_t *)buf + used, &d, l);
		used += l;
		*pos = at + 1;
	}
	if (used == 0 && at < 2 + (int64_t)t->n)
		return (-EINVAL);
	return ((int64_t)used);
}

/*--------------------------------------------------------------------
 * Contents
 */

int
SBX_Tmp_Has(const struct sbx_tmp *t, uint64_t lo, uint64_t hi)
{
	const struct sbx_tmp_node *nd;
	unsigned u;

	CHECK_OBJ_NOTNULL(t, SBX_TMP_MAGIC);
	for (u = 1; u < t->n; u++) {
		nd = &t->node[u];
		if (nd->used && nd->va < hi && nd->va + nd->room > lo)
			return (1);
	}
	return (0);
}

/* Give back what files had that are gone. */
static void
tmp_reap(struct sbx_proc *p)
{
	struct sbx_tmp_node *nd;
	unsigned u;

	for (u = 1; u < p->files.tmp.n; u++) {
		nd = &p->files.tmp.node[u];
		if (!nd->used || nd->linked || nd->refs > 0)
			continue;
		if (nd->room > 0)
			SBX_Mem_Give(p, nd->va, nd->room);
		nd->used = 0;
		p->files.tmp.changed = 1;
	}
}

/* Have room for (size) bytes. */
static int64_t
tmp_room(struct sbx_proc *p, struct sbx_tmp_node *nd, uint64_t size)
{
	uint64_t va, room, off, l;
	uint8_t *b, *d;

	if (size <= nd->room)
		return (0);
	if (size > p->mm.hi - p->mm.lo)
		return (-ENOSPC);
	tmp_reap(p);
	room = 2 * nd->room > size ? 2 * nd->room : size;
	va = SBX_Mem_Take(p, &room);
	if (va == 0 && room > size) {
		room = size;
		va = SBX_Mem_Take(p, &room);
	}
	if (va == 0)
		return (-ENOSPC);
	/* they overlap if the program has given back what is not its */
	for (off = 0; off < nd->size; off += l) {
		l = nd->size - off < SBX_SYS_CHUNK ? nd->size - off :
		    SBX_SYS_CHUNK;
		l = SBX_Sys_Late(p) ? 0 :
		    SBX_Mem_Behind(p, nd->va + off, l, 0, &b);
		if (l > 0)
			l = SBX_Mem_Behind(p, va + off, l, 1, &d);
		if (l == 0) {
			SBX_Mem_Give(p, va, room);
			return (-EIO);
		}
		memmove(d, b, l);
	}
	if (nd->room > 0)
		SBX_Mem_Give(p, nd->va, nd->room);
	nd->va = va;
	nd->room = room;
	p->files.tmp.changed = 1;
	return (0);
}

int64_t
SBX_Tmp_Pread(struct sbx_proc *p, unsigned node, void *b, uint64_t len,
    uint64_t off)
{
	const struct sbx_tmp_node *nd = tmp_look(&p->files.tmp, node);
	uint64_t l;
	uint8_t *s;

	if (off >= nd->size || len == 0)
		return (0);
	if (len > nd->size - off)
		len = nd->size - off;
	l = SBX_Mem_Behind(p, nd->va + off, len, 0, &s);
	if (l == 0)
		return (-EIO);
	memmove(b, s, l);
	return ((int64_t)l);
}

int64_t
SBX_Tmp_Pwrite(struct sbx_proc *p, unsigned node, const void *b, uint64_t len,
    uint64_t off)
{
	struct sbx_tmp_node *nd = tmp_node(&p->files.tmp, node);
	uint64_t l;
	uint8_t *d;
	int64_t i;

	if (len == 0)
		return (0);
	if (off > INT64_MAX - len)
		return (-EFBIG);
	i = tmp_room(p, nd, off + len);
	if (i < 0)
		return (i);
	l = SBX_Mem_Behind(p, nd->va + off, len, 1, &d);
	if (l == 0)
		return (-EIO);
	memmove(d, b, l);
	if (off + l > nd->size)
		nd->size = off + l;
	nd->mtime = SBX_Os_Wall();
	p->files.tmp.changed = 1;
	return ((int64_t)l);
}

int64_t
SBX_Tmp_Truncate(struct sbx_proc *p, unsigned node, uint64_t size)
{
	struct sbx_tmp_node *nd = tmp_node(&p->files.tmp, node);
	int64_t i = 0;

	if (nd->dir)
		return (-EISDIR);
	if (size > INT64_MAX)
		return (-EINVAL);
	if (size < nd->size)
		i = SBX_Mem_Zero(p, nd->va + size, nd->size - size);
	else
		i = tmp_room(p, nd, size);
	if (i < 0)
		return (i);
	nd->size = size;
	nd->mtime = SBX_Os_Wall();
	p->files.tmp.changed = 1;
	return (0);
}
