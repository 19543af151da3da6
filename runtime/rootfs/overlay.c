/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copy-on-write views of install directories; see applying.h. What a view changes lands in the
 * upper layer with the ids of the inside: for an instance with ids of its own both layers are
 * idmapped, so nothing is ever chowned and two instances share one lower layer.
 */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

/*
 * redirect_dir: Java renames directories of the install. index and metacopy would leave marks in
 * the upper layer that nobody else understands. volatile: what is thrown away is not synced.
 */
#define OVERLAY_OPTIONS "redirect_dir=on,index=off,metacopy=off,volatile"

#define ABOVE_MAX 16

#define COPY_ON_WRITE "mount a copy-on-write view of"

struct layers {
	int lower_top, upper_top; /* with ids of its own: detached mounts, idmapped */
	int lower, upper, work;	  /* below these */
	int above[ABOVE_MAX];	  /* further lower layers, the lowest first; mounts as the others */
	size_t n_above;
};

static void layers_deinit(struct layers *layers)
{
	cleanup_close(&layers->lower_top);
	cleanup_close(&layers->upper_top);
	cleanup_close(&layers->lower);
	cleanup_close(&layers->upper);
	cleanup_close(&layers->work);
	while (layers->n_above)
		cleanup_close(&layers->above[--layers->n_above]);
}

static int open_layer(int dirfd, const char *path, int *ret_fd)
{
	/* not O_PATH: fsconfig(2) does not take that on every kernel */
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int open_top(const struct applying *a, int origin, const char *path, int *ret_top)
{
	cleanup_fd int mount = -1;
	int r;

	if (!root_has_ids(a)) {
		r = open_layer(origin, path, ret_top);
		return r < 0 ? root_cannot(a, r, COPY_ON_WRITE) : 0;
	}
	mount = mount_clone_one(origin, path);
	if (mount < 0)
		return root_cannot(a, mount, COPY_ON_WRITE);
	r = mount_idmap(mount, a->owner->userns, 0);
	if (r < 0)
		return root_cannot_map(a, r, path, mount);
	*ret_top = steal_fd(&mount);
	return 0;
}

/* An image is mounted for this root alone; the device is shared by all that have it. */
static int open_image(const struct applying *a, int *ret_top)
{
	cleanup_free char *options = NULL;
	cleanup_fd int mount = -1;
	int r = 0;

	if (a->op->number >= a->owner->n_sources)
		return root_cannot(a, -EBADF, COPY_ON_WRITE);
	options = xasprintf("ro,source=/proc/self/fd/%d", a->owner->sources[a->op->number]);
	mount = mount_new("erofs", options,
			  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount == -ENODEV)
		return error_say(
			a->err, ERROR_FAILED,
			"this kernel has no EROFS for the generation of '%s'; try 'modprobe "
			"erofs', or adopt it anew with '--backend copy'",
			a->op->target);
	if (mount < 0)
		return root_cannot(a, mount, COPY_ON_WRITE);
	if (root_has_ids(a))
		r = mount_idmap(mount, a->owner->userns, 0);
	if (r < 0)
		return root_cannot_map(a, r, a->op->source, mount);
	*ret_top = steal_fd(&mount);
	return 0;
}

static int open_above(const struct applying *a, struct layers *layers)
{
	int r = 0;

	for (char **path = a->op->list; r == 0 && path && *path; path++) {
		if (layers->n_above == ABOVE_MAX)
			return root_cannot(a, -E2BIG, COPY_ON_WRITE);
		r = open_top(a, AT_FDCWD, *path, &layers->above[layers->n_above]);
		if (r == 0)
			layers->n_above++;
	}
	return r;
}

static int open_layers(const struct applying *a, struct layers *layers)
{
	int r = a->op->flags & ROOT_IMAGE
			? open_image(a, &layers->lower_top)
			: open_top(a, AT_FDCWD, a->op->source, &layers->lower_top);

	if (r == 0)
		r = open_above(a, layers);
	if (r == 0)
		r = open_top(a, root_origin(a), a->op->text, &layers->upper_top);
	if (r < 0)
		return r;
	r = open_layer(layers->lower_top, ".", &layers->lower);
	if (r == 0)
		r = open_layer(layers->upper_top, "upper", &layers->upper);
	if (r == 0)
		r = open_layer(layers->upper_top, "work", &layers->work);
	return r < 0 ? root_cannot(a, r, COPY_ON_WRITE) : 0;
}

/*
 * Since Linux 6.13 (before: EINVAL, and EOPNOTSUPP before 6.5); layers that are not attached
 * anywhere since 6.15.
 */
static int mount_by_fd(const struct applying *a, const struct layers *layers)
{
	cleanup_fd int context = mount_context("overlay");
	int r = context < 0 ? context : 0;

	/* the first is the highest */
	for (size_t i = layers->n_above; r == 0 && i-- > 0;)
		r = mount_context_fd(context, "lowerdir+", layers->above[i]);
	if (r == 0)
		r = mount_context_fd(context, "lowerdir+", layers->lower);
	if (r == 0)
		r = mount_context_fd(context, "upperdir", layers->upper);
	if (r == 0)
		r = mount_context_fd(context, "workdir", layers->work);
	return r < 0 ? r : mount_context_finish(context, OVERLAY_OPTIONS, root_attributes(a->op));
}

/* No character of a layer's path means anything to the option parser, which never sees one. */
static char *name_layers(const struct layers *layers)
{
	struct text options = {0};

	text_add(&options, "lowerdir=");
	for (size_t i = layers->n_above; i-- > 0;)
		text_addf(&options, "/proc/self/fd/%d:", layers->above[i]);
	text_addf(&options,
		  "/proc/self/fd/%d,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,%s",
		  layers->lower, layers->upper, layers->work, OVERLAY_OPTIONS);
	return text_take(&options);
}

/* What has a name must be attached in this mount namespace: below the view, while it is made. */
static int mount_attached(const struct applying *a, const struct layers *layers, int target)
{
	cleanup_free char *options = name_layers(layers);
	cleanup_fd int mount = -1;
	int r = mount_attach(layers->lower_top, target);

	if (r < 0)
		return r;
	r = mount_attach(layers->upper_top, layers->lower_top);
	for (size_t i = 0; r == 0 && i < layers->n_above; i++)
		r = mount_attach(layers->above[i], i ? layers->above[i - 1] : layers->upper_top);
	if (r == 0)
		mount = mount_new("overlay", options, root_attributes(a->op));
	if (r == 0 && mount < 0)
		r = mount;
	if (mount_detach(layers->lower_top) < 0 && r == 0)
		r = -errno;
	return r < 0 ? r : steal_fd(&mount);
}

/*
 * The overlay has its own of them. Attached to the old root they end with that: closing a mount
 * that is attached nowhere waits for every processor, each time anew.
 */
static void leave_behind(const struct applying *a, const struct layers *layers)
{
	cleanup_fd int at = openat(root_origin(a), a->op->text, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (at < 0 || mount_attach(layers->upper_top, at) < 0)
		return;
	(void)mount_attach(layers->lower_top, layers->upper_top);
	for (size_t i = 0; i < layers->n_above; i++)
		(void)mount_attach(layers->above[i], layers->upper_top);
}

static int mount_mapped(const struct applying *a, const struct layers *layers, int target)
{
	cleanup_fd int mount = mount_by_fd(a, layers);
	int r;

	if (mount == -EINVAL || mount == -EOPNOTSUPP)
		mount = mount_attached(a, layers, target);
	else if (mount >= 0)
		leave_behind(a, layers);
	r = mount < 0 ? mount : mount_attach(mount, target);
	return r < 0 ? r : steal_fd(&mount);
}

/* On the host's ids the lower layer alone is detached, and is attached meanwhile. */
static int mount_over_image(const struct applying *a, const struct layers *layers, int target)
{
	cleanup_free char *options = name_layers(layers);
	cleanup_fd int mount = -1;
	int r = mount_attach(layers->lower_top, target);

	if (r < 0)
		return r;
	mount = mount_new("overlay", options, root_attributes(a->op));
	r = mount_detach(layers->lower_top);
	if (mount >= 0 && r == 0)
		r = mount_attach(mount, target);
	return mount < 0 ? mount : r < 0 ? r : steal_fd(&mount);
}

static int mount_layers(const struct applying *a, const struct layers *layers, int target)
{
	cleanup_free char *options = NULL;

	if (root_has_ids(a))
		return mount_mapped(a, layers, target);
	if (a->op->flags & ROOT_IMAGE)
		return mount_over_image(a, layers, target);
	options = name_layers(layers);
	return a->way->make(target, "overlay", options, root_attributes(a->op));
}

/* overlayfs that cannot use its work directory gives a read-only view, and no error. */
static int check_writable(const struct applying *a, int mount)
{
	struct statvfs fs;

	if (!(a->op->flags & ROOT_WRITABLE))
		return 0;
	if (fstatvfs(mount, &fs) < 0)
		return root_cannot(a, -errno, "look at the copy-on-write view of");
	if (!(fs.f_flag & ST_RDONLY))
		return 0;
	error_say(a->err, ERROR_FAILED,
		  "the copy-on-write view of '%s' came out read-only: the kernel cannot use '%s' "
		  "as its upper layer (dmesg may say why)",
		  a->op->source, a->op->text);
	return error_with_code(a->err, -EROFS);
}

static int apply(const struct applying *a, struct layers *layers)
{
	cleanup_fd int target = -1, mount = -1;
	int r = open_layers(a, layers);

	if (r < 0)
		return r;
	target = root_open_directory(a);
	mount = target < 0 ? target : mount_layers(a, layers, target);
	if (mount == -ENODEV)
		return error_say(a->err, ERROR_FAILED,
				 "this kernel has no overlay file system; try 'modprobe overlay'");
	if (mount < 0)
		return root_cannot(a, mount, COPY_ON_WRITE);
	return check_writable(a, mount);
}

int root_apply_overlay(const struct applying *a)
{
	struct layers layers = {-1, -1, -1, -1, -1, {0}, 0};
	int r = apply(a, &layers);

	layers_deinit(&layers);
	return r;
}
