/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the list of operations that makes an instance's root; in init, before anything of the
 * instance runs. Every target is found by openat2 with the new root as "/", so that no symbolic
 * link of an install leads to the host; see inside.h.
 */
#include "rootfs/applying.h"
#include "rootfs/mount.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define ROOT_TMPFS_OPTIONS "mode=0755,size=1m,nr_inodes=1024" /* of a list that does not say */
#define COPY_SIZE_MAX (4 << 20)

static uint32_t host_id(const struct userns_map *map, uint32_t inside)
{
	return map ? userns_host_id(map, inside) : inside;
}

static int apply_directory(const struct applying *a)
{
	cleanup_fd int fd = root_open_directory(a);
	cleanup_free char *self = NULL;

	if (fd < 0)
		return root_cannot(a, fd, "make directory");
	self = xasprintf("/proc/self/fd/%d", fd);
	if (chown(self, host_id(a->owner->uids, a->op->uid), host_id(a->owner->gids, a->op->gid)) <
		    0 ||
	    chmod(self, a->op->mode) < 0)
		return root_cannot(a, -errno, "set owner and mode of");
	return 0;
}

static int apply_symlink(const struct applying *a)
{
	const char *name;
	cleanup_fd int parent = root_open_parent(a, &name);

	if (parent < 0)
		return root_cannot(a, parent, "make the parent of");
	if (symlinkat(a->op->text, parent, name) < 0 && errno != EEXIST)
		return root_cannot(a, -errno, "make symbolic link");
	return 0;
}

static int put_file(const struct applying *a, const char *data, size_t length)
{
	const char *name;
	cleanup_fd int parent = root_open_parent(a, &name);
	cleanup_fd int fd = -1;
	int r;

	if (parent < 0)
		return root_cannot(a, parent, "make the parent of");
	fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, a->op->mode);
	if (fd < 0)
		return root_cannot(a, -errno, "create");
	r = file_write_all(fd, data, length);
	if (r < 0)
		return root_cannot(a, r, "write");
	return 0;
}

static int apply_file(const struct applying *a)
{
	return put_file(a, a->op->text, strlen(a->op->text));
}

static int apply_copy(const struct applying *a)
{
	cleanup_free char *data = NULL;
	size_t length;
	int r = file_read(AT_FDCWD, a->op->source, COPY_SIZE_MAX, &data, &length);

	if (r == -ENOENT && (a->op->flags & ROOT_OPTIONAL))
		return 0;
	if (r < 0)
		return root_cannot(a, r, "read");
	return put_file(a, data, length);
}

static int apply_node(const struct applying *a)
{
	const char *name;
	cleanup_fd int parent = root_open_parent(a, &name);
	unsigned major, minor;

	if (parent < 0)
		return root_cannot(a, parent, "make the parent of");
	if (sscanf(a->op->text, "%u:%u", &major, &minor) != 2)
		return root_cannot(a, -EINVAL, "read the number of device");
	if (mknodat(parent, name, S_IFCHR | a->op->mode, makedev(major, minor)) < 0)
		return root_cannot(a, -errno, "make device");
	return 0;
}

/*
 * Owners are the inside's where the file system can do it: for the whole tree, else for its top.
 * What cannot do it belongs to nobody inside, and whoever may read it still may.
 */
static void map_owners(const struct applying *a, int mount)
{
	if (!root_has_ids(a) || (a->op->flags & ROOT_HOST_IDS))
		return;
	if (mount_idmap(mount, a->owner->userns, AT_RECURSIVE) < 0)
		mount_idmap(mount, a->owner->userns, 0);
}

static int apply_bind(const struct applying *a)
{
	int r;
	cleanup_fd int mount = mount_clone(root_origin(a), a->op->source, root_attributes(a->op));

	if (mount == -ENOENT && (a->op->flags & ROOT_OPTIONAL))
		return 0;
	if (mount >= 0)
		map_owners(a, mount);
	r = root_attach(a, mount);
	return r < 0 ? root_cannot(a, r, "show") : 0;
}

static int apply_new(const struct applying *a, const char *type, const char *options)
{
	int r;
	cleanup_fd int mount = mount_new(type, options, root_attributes(a->op));

	r = root_attach(a, mount);
	return r < 0 ? root_cannot(a, r, "mount a new file system at") : 0;
}

static int apply_tmpfs(const struct applying *a)
{
	return apply_new(a, "tmpfs", a->op->text);
}

static int apply_devpts(const struct applying *a)
{
	cleanup_free char *options =
		xasprintf("%s,gid=%u", a->op->text, host_id(a->owner->gids, a->op->gid));

	return apply_new(a, "devpts", options);
}

static int apply_proc(const struct applying *a)
{
	return apply_new(a, "proc", NULL);
}

static int apply_sysfs(const struct applying *a)
{
	return apply_new(a, "sysfs", NULL);
}

/* Puts the object at "from" of the new root over the target; both must exist. */
static int cover(const struct applying *a, const char *from)
{
	cleanup_fd int source = file_open_in_root(a->root, from, O_PATH, 0);
	cleanup_fd int target = file_open_in_root(a->root, a->op->target, O_PATH, 0);
	cleanup_fd int mount = -1;
	int r;

	if ((source == -ENOENT || target == -ENOENT) && (a->op->flags & ROOT_OPTIONAL))
		return 0;
	if (source < 0 || target < 0)
		return root_cannot(a, source < 0 ? source : target, "open");
	mount = mount_clone(source, "", root_attributes(a->op));
	if (mount < 0)
		return root_cannot(a, mount, "cover");
	r = mount_attach(mount, target);
	return r < 0 ? root_cannot(a, r, "cover") : 0;
}

static int apply_read_only(const struct applying *a)
{
	return cover(a, a->op->target);
}

static int apply_mask_file(const struct applying *a)
{
	return cover(a, "/dev/null");
}

static int (*const apply_table[ROOT_OP_KINDS])(const struct applying *) = {
	[ROOT_DIRECTORY] = apply_directory,
	[ROOT_SYMLINK] = apply_symlink,
	[ROOT_FILE] = apply_file,
	[ROOT_COPY] = apply_copy,
	[ROOT_NODE] = apply_node,
	[ROOT_BIND] = apply_bind,
	[ROOT_OVERLAY] = root_apply_overlay,
	[ROOT_TMPFS] = apply_tmpfs,
	[ROOT_DEVPTS] = apply_devpts,
	[ROOT_PROC] = apply_proc,
	[ROOT_SYSFS] = apply_sysfs,
	[ROOT_READ_ONLY] = apply_read_only,
	[ROOT_MASK_FILE] = apply_mask_file,
};

/* A mount made in a shared tree would travel to the host. */
static int make_private(struct error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set(err, errno, "cannot make the mounts private");
	return 0;
}

static int cover_dev(int mount, const char *what, struct error *err)
{
	cleanup_fd int at = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (at < 0)
		return error_set(err, errno, "cannot open '/dev'");
	r = mount_attach(mount, at);
	return r < 0 ? error_set(err, -r, "cannot attach %s", what) : 0;
}

/*
 * The new root is built on top of /dev: every host has it, nothing is read from it any more, and
 * only this mount namespace sees it covered. A descriptor from outside would not do, because a
 * mount can only be put on what belongs to the same namespace. The pool is put there for the same
 * reason: parts of it can be shown only once it belongs to this namespace.
 */
static int new_root(const struct root_op *top, int pool, struct error *err)
{
	cleanup_fd int mount = mount_new("tmpfs", top ? top->text : ROOT_TMPFS_OPTIONS,
					 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	int r;

	if (mount < 0)
		return error_set(err, -mount, "cannot make a tmpfs for the root");
	r = pool >= 0 ? cover_dev(pool, "what holds the disk limit", err) : 0;
	if (r == 0)
		r = cover_dev(mount, "the root", err);
	return r < 0 ? r : steal_fd(&mount);
}

/* pivot_root(2), "pivot_root(".", ".")": the old root ends up on top and is dropped from there. */
static int enter_root(int root, struct error *err)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return error_set(err, errno, "cannot enter the new root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_set(err, errno, "cannot leave the old root");
	return 0;
}

/* The operation that is the root itself. */
static const struct root_op *top_of(const struct root_ops *ops)
{
	return ops->n > 0 && strcmp(ops->list[0].target, "/") == 0 ? &ops->list[0] : NULL;
}

static int apply_all(const struct root_ops *ops, const struct root_owner *owner, int root,
		     struct error *err)
{
	mode_t mask = umask(0); /* the list says which modes, not whoever started us */
	int r = 0;

	for (size_t i = top_of(ops) ? 1 : 0; r == 0 && i < ops->n; i++) {
		struct applying a = {.root = root, .owner = owner, .op = &ops->list[i], .err = err};

		r = apply_table[a.op->kind](&a);
	}
	umask(mask);
	return r;
}

static int build(const struct root_ops *ops, const struct root_owner *owner, int *ret_root,
		 struct error *err)
{
	cleanup_fd int root = new_root(top_of(ops), owner->pool, err);
	int r = root < 0 ? root : apply_all(ops, owner, root, err);

	if (r == 0)
		*ret_root = steal_fd(&root);
	return r;
}

int root_apply(const struct root_ops *ops, const struct root_owner *owner, struct error *err)
{
	struct root_credentials before;
	cleanup_fd int root = -1;
	int r = make_private(err);

	if (r == 0)
		r = root_own(owner, &before, err);
	if (r == 0)
		r = build(ops, owner, &root, err);
	if (r == 0)
		r = root_disown(&before, err);
	return r < 0 ? r : enter_root(root, err);
}
