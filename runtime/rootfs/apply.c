/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the list of operations that makes an instance's root; in init, before anything of the
 * instance runs. Every target is found by openat2 with the new root as "/", so that no symbolic
 * link of an install leads to the host; see inside.h.
 */
#include "rootfs/inside.h"
#include "rootfs/mount.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* Everything that is written outside the install, temporary files included, shares this. */
#define ROOT_TMPFS_OPTIONS "mode=0755,size=1g,nr_inodes=262144"
#define COPY_SIZE_MAX (4 << 20)

struct applying {
	int root; /* of the new tree, attached */
	const struct root_owner *owner;
	const struct root_op *op;
	struct error *err;
};

static int cannot(const struct applying *a, int r, const char *what)
{
	if (a->op->source)
		return error_set(a->err, -r, "cannot %s '%s' at '%s'", what, a->op->source,
				 a->op->target);
	return error_set(a->err, -r, "cannot %s '%s'", what, a->op->target);
}

/* Opens a directory of the new root, made with all its parents when it is not there. */
static int open_directory(int root, const char *path)
{
	int fd = file_open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
	cleanup_free char *parent = NULL;
	cleanup_fd int parent_fd = -1;
	char *slash;

	if (fd != -ENOENT)
		return fd;
	parent = xstrdup(path);
	slash = strrchr(parent, '/');
	if (!slash || !slash[1])
		return -EINVAL;
	*slash = '\0';
	parent_fd = open_directory(root, slash == parent ? "/" : parent);
	if (parent_fd < 0)
		return parent_fd;
	if (mkdirat(parent_fd, slash + 1, 0755) < 0 && errno != EEXIST)
		return -errno;
	return file_open_in_root(root, path, O_PATH | O_DIRECTORY, 0);
}

/* Opens the parent of the target; *ret_name is its last component. */
static int open_parent(const struct applying *a, const char **ret_name)
{
	const char *slash = strrchr(a->op->target, '/');
	cleanup_free char *parent = NULL;

	if (!slash || !slash[1])
		return -EINVAL;
	parent = strndup(a->op->target, (size_t)(slash - a->op->target));
	*ret_name = slash + 1;
	return open_directory(a->root, parent && *parent ? parent : "/");
}

static int open_file(const struct applying *a)
{
	const char *name;
	cleanup_fd int parent = open_parent(a, &name);
	cleanup_fd int made = -1;

	if (parent < 0)
		return parent;
	made = openat(parent, name, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (made < 0 && errno != EROFS)
		return -errno;
	return file_open_in_root(a->root, a->op->target, O_PATH, 0);
}

static uint64_t attributes_of(const struct root_op *op)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID;

	if (!(op->flags & ROOT_HAS_DEVICES))
		attributes |= MOUNT_ATTR_NODEV;
	if (op->flags & ROOT_NOEXEC)
		attributes |= MOUNT_ATTR_NOEXEC;
	if (!(op->flags & ROOT_WRITABLE))
		attributes |= MOUNT_ATTR_RDONLY;
	return attributes;
}

/* Attaches the mount (or passes on its negative errno) to the target, made to fit. */
static int attach(const struct applying *a, int mount)
{
	cleanup_fd int target = -1;
	struct stat st;

	if (mount < 0)
		return mount;
	if (fstat(mount, &st) < 0)
		return -errno;
	target = S_ISDIR(st.st_mode) ? open_directory(a->root, a->op->target) : open_file(a);
	if (target < 0)
		return target;
	return mount_attach(mount, target);
}

static int apply_directory(const struct applying *a)
{
	cleanup_fd int fd = open_directory(a->root, a->op->target);
	cleanup_free char *self = NULL;

	if (fd < 0)
		return cannot(a, fd, "make directory");
	self = xasprintf("/proc/self/fd/%d", fd);
	if (chown(self, a->op->uid, a->op->gid) < 0 || chmod(self, a->op->mode) < 0)
		return cannot(a, -errno, "set owner and mode of");
	return 0;
}

static int apply_symlink(const struct applying *a)
{
	const char *name;
	cleanup_fd int parent = open_parent(a, &name);

	if (parent < 0)
		return cannot(a, parent, "make the parent of");
	if (symlinkat(a->op->text, parent, name) < 0 && errno != EEXIST)
		return cannot(a, -errno, "make symbolic link");
	return 0;
}

static int put_file(const struct applying *a, const char *data, size_t length)
{
	const char *name;
	cleanup_fd int parent = open_parent(a, &name);
	cleanup_fd int fd = -1;
	int r;

	if (parent < 0)
		return cannot(a, parent, "make the parent of");
	fd = openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, a->op->mode);
	if (fd < 0)
		return cannot(a, -errno, "create");
	r = file_write_all(fd, data, length);
	if (r < 0)
		return cannot(a, r, "write");
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
		return cannot(a, r, "read");
	return put_file(a, data, length);
}

static int apply_node(const struct applying *a)
{
	const char *name;
	cleanup_fd int parent = open_parent(a, &name);
	unsigned major, minor;

	if (parent < 0)
		return cannot(a, parent, "make the parent of");
	if (sscanf(a->op->text, "%u:%u", &major, &minor) != 2)
		return cannot(a, -EINVAL, "read the number of device");
	if (mknodat(parent, name, S_IFCHR | a->op->mode, makedev(major, minor)) < 0)
		return cannot(a, -errno, "make device");
	return 0;
}

static int apply_bind(const struct applying *a)
{
	int r;
	cleanup_fd int mount = mount_clone(AT_FDCWD, a->op->source, attributes_of(a->op));

	if (mount == -ENOENT && (a->op->flags & ROOT_OPTIONAL))
		return 0;
	r = attach(a, mount);
	return r < 0 ? cannot(a, r, "show") : 0;
}

static int open_layer(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Layers by /proc/self/fd: no character of a path means anything to the option parser. */
static int new_overlay(const struct root_op *op)
{
	cleanup_fd int lower = open_layer(AT_FDCWD, op->source);
	cleanup_fd int top = lower < 0 ? lower : open_layer(AT_FDCWD, op->text);
	cleanup_fd int upper = top < 0 ? top : open_layer(top, "upper");
	cleanup_fd int work = upper < 0 ? upper : open_layer(top, "work");
	cleanup_free char *options = NULL;

	if (work < 0)
		return work;
	options = xasprintf("lowerdir=/proc/self/fd/%d,upperdir=/proc/self/fd/%d,"
			    "workdir=/proc/self/fd/%d,redirect_dir=on,index=off,metacopy=off,"
			    "volatile",
			    lower, upper, work);
	return mount_new("overlay", options, attributes_of(op));
}

static int apply_overlay(const struct applying *a)
{
	int r;
	cleanup_fd int mount = new_overlay(a->op);

	if (mount == -ENODEV)
		return error_say(a->err, ERROR_FAILED,
				 "this kernel has no overlay file system; try 'modprobe overlay'");
	r = attach(a, mount);
	return r < 0 ? cannot(a, r, "mount a copy-on-write view of") : 0;
}

static int apply_new(const struct applying *a, const char *type)
{
	int r;
	cleanup_fd int mount = mount_new(type, a->op->text, attributes_of(a->op));

	r = attach(a, mount);
	return r < 0 ? cannot(a, r, "mount a new file system at") : 0;
}

static int apply_tmpfs(const struct applying *a)
{
	return apply_new(a, "tmpfs");
}

static int apply_devpts(const struct applying *a)
{
	return apply_new(a, "devpts");
}

static int apply_proc(const struct applying *a)
{
	return apply_new(a, "proc");
}

static int apply_sysfs(const struct applying *a)
{
	return apply_new(a, "sysfs");
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
		return cannot(a, source < 0 ? source : target, "open");
	mount = mount_clone(source, "", attributes_of(a->op));
	if (mount < 0)
		return cannot(a, mount, "cover");
	r = mount_attach(mount, target);
	return r < 0 ? cannot(a, r, "cover") : 0;
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
	[ROOT_DIRECTORY] = apply_directory, [ROOT_SYMLINK] = apply_symlink,
	[ROOT_FILE] = apply_file,	    [ROOT_COPY] = apply_copy,
	[ROOT_NODE] = apply_node,	    [ROOT_BIND] = apply_bind,
	[ROOT_OVERLAY] = apply_overlay,	    [ROOT_TMPFS] = apply_tmpfs,
	[ROOT_DEVPTS] = apply_devpts,	    [ROOT_PROC] = apply_proc,
	[ROOT_SYSFS] = apply_sysfs,	    [ROOT_READ_ONLY] = apply_read_only,
	[ROOT_MASK_FILE] = apply_mask_file,
};

/* A mount made in a shared tree would travel to the host. */
static int make_private(struct error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set(err, errno, "cannot make the mounts private");
	return 0;
}

/*
 * The new root is built on top of /dev: every host has it, nothing is read from it any more, and
 * only this mount namespace sees it covered. A descriptor from outside would not do, because a
 * mount can only be put on what belongs to the same namespace.
 */
static int new_root(struct error *err)
{
	cleanup_fd int mount =
		mount_new("tmpfs", ROOT_TMPFS_OPTIONS, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	cleanup_fd int at = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (mount < 0)
		return error_set(err, -mount, "cannot make a tmpfs for the root");
	if (at < 0)
		return error_set(err, errno, "cannot open '/dev'");
	r = mount_attach(mount, at);
	if (r < 0)
		return error_set(err, -r, "cannot attach the root");
	return steal_fd(&mount);
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

static int apply_all(const struct root_ops *ops, const struct root_owner *owner, int root,
		     struct error *err)
{
	mode_t mask = umask(0); /* the list says which modes, not whoever started us */
	int r = 0;

	for (size_t i = 0; r == 0 && i < ops->n; i++) {
		struct applying a = {.root = root, .owner = owner, .op = &ops->list[i], .err = err};

		r = apply_table[a.op->kind](&a);
	}
	umask(mask);
	return r;
}

int root_apply(const struct root_ops *ops, const struct root_owner *owner, struct error *err)
{
	cleanup_fd int root = -1;
	int r = make_private(err);

	if (r < 0)
		return r;
	root = new_root(err);
	if (root < 0)
		return root;
	r = apply_all(ops, owner, root, err);
	return r < 0 ? r : enter_root(root, err);
}
