/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the list of operations that makes an instance's root; in init, before anything of the
 * instance runs. Every target is found by openat2 with the new root as "/", so that no symbolic
 * link of an install leads to the host; see inside.h.
 */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/weaken.h"

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

uid_t root_host_uid(const struct applying *a)
{
	return host_id(a->owner->uids, a->op->uid);
}

gid_t root_host_gid(const struct applying *a)
{
	return host_id(a->owner->gids, a->op->gid);
}

static int apply_directory(const struct applying *a)
{
	cleanup_fd int fd = root_open_directory(a);
	cleanup_free char *self = NULL;

	if (fd < 0)
		return root_cannot(a, fd, "make directory");
	self = xasprintf("/proc/self/fd/%d", fd);
	if (chown(self, root_host_uid(a), root_host_gid(a)) < 0 || chmod(self, a->op->mode) < 0)
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
	if (mknodat(parent, name, S_IFCHR | a->op->mode, makedev(major, minor)) == 0)
		return 0;
	if (errno == EPERM)
		return error_set(a->err, EPERM,
				 "cannot make device '%s' (CAP_MKNOD is missing, as in a unit with "
				 "PrivateDevices=yes)",
				 a->op->target);
	return root_cannot(a, -errno, "make device");
}

/* A place to write into is of no use to those who do not own it. */
static bool is_owned(const struct applying *a, int mount)
{
	struct stat st;

	if (!root_has_ids(a) || !(a->op->flags & ROOT_SCRATCH))
		return true;
	return fstat(mount, &st) == 0 && st.st_uid == root_host_uid(a);
}

/* Owners are the inside's where the file system can do it; else nobody's, and readable still. */
static int apply_bind(const struct applying *a)
{
	bool keeps_ids = !root_has_ids(a) || (a->op->flags & ROOT_HOST_IDS);
	cleanup_fd int source = openat(root_origin(a), a->op->source, O_PATH | O_CLOEXEC);
	cleanup_fd int target = -1, mount = -1;
	struct stat st;

	if (source < 0 && errno == ENOENT && (a->op->flags & ROOT_OPTIONAL))
		return 0;
	if (source < 0 || fstat(source, &st) < 0)
		return root_cannot(a, -errno, "show");
	target = S_ISDIR(st.st_mode) ? root_open_directory(a) : root_open_file(a);
	if (target < 0)
		return root_cannot(a, target, "show");
	mount = a->way->show(target, source, root_attributes(a->op),
			     keeps_ids ? -1 : a->owner->userns);
	if (mount < 0)
		return root_cannot(a, mount, "show");
	return is_owned(a, mount) ? 0 : root_cannot_map(a, -EINVAL, a->op->source, source);
}

static int apply_new(const struct applying *a, const char *type, const char *options)
{
	cleanup_fd int target = root_open_directory(a);
	int mount, r;

	if (target < 0)
		return root_cannot(a, target, "mount a new file system at");
	mount = a->way->make(target, type, options, root_attributes(a->op));
	if (mount < 0)
		return root_cannot(a, mount, "mount a new file system at");
	r = root_made_add(a->made, a->op->target, mount);
	return r < 0 ? root_cannot(a, r, "keep the new file system at") : 0;
}

static int apply_tmpfs(const struct applying *a)
{
	return apply_new(a, "tmpfs", a->op->text);
}

static int apply_ramfs(const struct applying *a)
{
	return apply_new(a, "ramfs", a->op->text);
}

static int apply_devpts(const struct applying *a)
{
	cleanup_free char *options = xasprintf("%s,gid=%u", a->op->text, root_host_gid(a));

	return apply_new(a, "devpts", options);
}

static int apply_proc(const struct applying *a)
{
	return apply_new(a, "proc", NULL);
}

static const struct {
	const char *point; /* for faults on demand */
	int (*apply)(const struct applying *a);
} apply_table[ROOT_OP_KINDS] = {
	[ROOT_DIRECTORY] = {"root: a directory", apply_directory},
	[ROOT_SYMLINK] = {"root: a symbolic link", apply_symlink},
	[ROOT_FILE] = {"root: a file", apply_file},
	[ROOT_COPY] = {"root: a copy", apply_copy},
	[ROOT_NODE] = {"root: a node", apply_node},
	[ROOT_BIND] = {"root: a host path", apply_bind},
	[ROOT_OVERLAY] = {"root: an overlay", root_apply_overlay},
	[ROOT_TMPFS] = {"root: a tmpfs", apply_tmpfs},
	[ROOT_RAMFS] = {"root: a ramfs", apply_ramfs},
	[ROOT_DEVPTS] = {"root: terminals", apply_devpts},
	[ROOT_PROC] = {"root: proc", apply_proc},
	[ROOT_READ_ONLY] = {"root: a read-only tree", root_apply_read_only},
	[ROOT_MASK_FILE] = {"root: a masked file", root_apply_mask_file},
	[ROOT_MASK_DIRECTORY] = {"root: a masked directory", root_apply_mask_directory},
	[ROOT_SCRUB] = {"root: what is scrubbed", root_apply_scrub},
	[ROOT_PUT] = {"root: a file of the template", root_apply_put},
	[ROOT_EDIT] = {"root: an edited file", root_apply_edit},
	[ROOT_SECRET] = {"root: a secret", root_apply_put},
	[ROOT_LINK] = {"root: the way to a secret", root_apply_link},
};

/* A mount made in a shared tree would travel to the host. */
static int make_private(struct error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | (weakened("private") ? MS_SLAVE : MS_PRIVATE), NULL) <
	    0)
		return error_set(err, errno, "cannot make the mounts private");
	return 0;
}

static int cover_dev(int mount)
{
	cleanup_fd int at = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return at < 0 ? -errno : mount_attach(mount, at);
}

/*
 * The new root is built on top of /dev: every host has it, nothing is read from it any more, and
 * only this mount namespace sees it covered. A descriptor from outside would not do, because a
 * mount can only be put on what belongs to the same namespace. The pool is put there for the same
 * reason: parts of it can be shown only once it belongs to this namespace.
 */
static int new_root(const struct mount_way *way, const struct root_op *top,
		    const struct root_owner *owner, struct error *err)
{
	cleanup_fd int at = -1;
	int mount, r = 0;

	/* what cannot be left behind ends when it is closed */
	for (size_t i = 0; i < owner->n_behind; i++)
		if (owner->behind[i] >= 0)
			(void)cover_dev(owner->behind[i]);
	if (owner->pool >= 0)
		r = cover_dev(owner->pool);
	if (r < 0)
		return error_set(err, -r, "cannot attach what holds the disk limit");
	at = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return error_set(err, errno, "cannot open '/dev'");
	mount = way->make(at, "tmpfs", top ? top->text : ROOT_TMPFS_OPTIONS,
			  MOUNT_ATTR_NOSUID | (weakened("nodev") ? 0 : MOUNT_ATTR_NODEV));
	return mount < 0 ? error_set(err, -mount, "cannot mount a tmpfs for the root") : mount;
}

/* The operation that is the root itself. */
static const struct root_op *top_of(const struct root_ops *ops)
{
	return ops->n > 0 && strcmp(ops->list[0].target, "/") == 0 ? &ops->list[0] : NULL;
}

static int apply_list(const struct root_ops *ops, struct applying *a)
{
	mode_t mask = umask(0); /* the list says which modes, not whoever started us */
	int r = 0;

	for (size_t i = top_of(ops) ? 1 : 0; r == 0 && i < ops->n; i++) {
		a->op = &ops->list[i];
		r = fault_at(apply_table[a->op->kind].point, a->err);
		if (r == 0)
			r = apply_table[a->op->kind].apply(a);
	}
	umask(mask);
	return r;
}

static int choose_way(const struct root_owner *owner, const struct mount_way **ret_way,
		      struct error *err)
{
	const char *refused = mount_refused_call();

	if (refused && owner->uids && owner->uids->base)
		return error_say(err, ERROR_FAILED,
				 "a user namespace needs the call %s(2), which the kernel or a "
				 "container around stint refuses; --best-effort goes without one",
				 refused);
	*ret_way = refused ? &mount_by_path : &mount_by_descriptor;
	return 0;
}

static int build(const struct root_ops *ops, const struct root_owner *owner, int *ret_root,
		 struct error *err)
{
	struct root_made made = {.n = 0};
	struct applying a = {.owner = owner, .made = &made, .err = err};
	int r = choose_way(owner, &a.way, err);

	if (r < 0)
		return r;
	a.root = new_root(a.way, top_of(ops), owner, err);
	if (a.root < 0)
		return a.root;
	r = apply_list(ops, &a);
	if (r == 0)
		r = root_made_check(&made, a.root, err);
	root_made_deinit(&made);
	if (r < 0)
		close(a.root);
	else
		*ret_root = a.root;
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
	return r < 0 ? r : root_enter(root, owner->empty, err);
}

int root_open_queues(void)
{
	return mount_new("mqueue", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int root_open_proc(void)
{
	return mount_new("proc", NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}
