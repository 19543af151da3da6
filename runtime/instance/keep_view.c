/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a kept instance as it saw them; see keep.h. In "stint cp". */
#include "instance/above.h"
#include "instance/disk.h"
#include "instance/keep.h"
#include "instance/lowers.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "install/image.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#define POOL ".written"
#define LOWER ".found"
#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* An image is mounted nowhere, and an overlay is made of what is in this namespace. */
static int open_lower(int root, size_t index, const char *path, const char *install,
		      struct error *err)
{
	cleanup_free char *name = xasprintf("%s%zu", LOWER, index);
	cleanup_fd int lower = lower_open(path, install, err), target = -1;
	int r;

	if (lower < 0 || lower_is_live(path, install) || !image_exists(path))
		return steal_fd(&lower);
	r = file_make_directories(root, name, 0700);
	if (r == 0)
		r = target = file_open_in_root(root, name, O_PATH | O_DIRECTORY, 0);
	if (r >= 0)
		r = mount_attach(lower, target);
	return r < 0 ? error_set(err, -r, "cannot show '%s'", path) : steal_fd(&lower);
}

/* What it wrote over what it found; all are lower layers, and nothing is written anywhere. */
static int mount_view(int upper, int lower, char *const *above, struct error *err)
{
	cleanup_text struct text options = {0};
	int fds[PLAN_ABOVE_MAX], view = 0;
	size_t n = 0;

	text_addf(&options, "lowerdir=/proc/self/fd/%d:", upper);
	for (size_t i = strv_length(above); view == 0 && n < PLAN_ABOVE_MAX && i-- > 0;) {
		fds[n] = open(above[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fds[n] < 0)
			view = error_set(err, errno, "cannot open layer '%s'", above[i]);
		else
			text_addf(&options, "/proc/self/fd/%d:", fds[n++]);
	}
	text_addf(&options, "/proc/self/fd/%d,redirect_dir=follow", lower);
	if (view == 0)
		view = mount_new("overlay", options.data, READ_ONLY);
	while (n > 0)
		close(fds[--n]);
	return view;
}

static int show_layer(const struct record *record, int root, int pool, size_t index,
		      const char *lower_path, struct error *err)
{
	const char *install = record->layers[index];
	cleanup_strv char **above = above_of(record->above, index);
	cleanup_free char *name = xasprintf("layer/%zu/upper", index);
	cleanup_fd int upper = file_open_beneath(pool, name, O_PATH | O_DIRECTORY, 0);
	cleanup_fd int lower = open_lower(root, index, lower_path, install, err);
	cleanup_fd int target = -1, view = -1;
	int r;

	if (lower < 0)
		return lower;
	if (upper < 0)
		return error_set(err, -upper, "cannot open '%s'", install);
	r = file_make_directories(root, install + 1, 0755);
	if (r == 0)
		r = target = file_open_in_root(root, install, O_PATH | O_DIRECTORY, 0);
	if (r >= 0)
		r = view = mount_view(upper, lower, above, err);
	if (r >= 0)
		r = mount_attach(view, target);
	return r < 0 ? error_set(err, -r, "cannot show '%s' of '%s'", install, name) : 0;
}

static int make_root(const struct site *site, int *ret_root, struct error *err)
{
	cleanup_fd int root = -1, target = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set(err, errno, "cannot make a mount namespace");
	root = mount_new("tmpfs", "mode=0755,size=1M", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	r = root < 0 ? root : 0;
	target = open(site->run_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r == 0)
		r = target < 0 ? -errno : mount_attach(root, target);
	if (r < 0)
		return error_set(err, -r, "cannot make a root for the kept files");
	*ret_root = steal_fd(&root);
	return 0;
}

/*
 * What an overlay is made of must be mounted in this namespace: the pool is opened by its path, and
 * one that was detached is put beside the installs.
 */
static int find_pool(const struct site *site, const struct record *record, int root,
		     struct error *err)
{
	cleanup_free char *path = xasprintf("%s/i/%s", site->state_path, record->grant.id);
	cleanup_fd int state = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int pool = -1, target = -1;
	int r;

	if (state < 0)
		return error_set(err, errno, "cannot open '%s'", path);
	r = pool = disk_reopen(record, state, err);
	if (r < 0 || !disk_is_detached(record))
		return r < 0 ? r : steal_fd(&pool);
	r = file_make_directories(root, POOL, 0700);
	if (r == 0)
		r = target = file_open_in_root(root, POOL, O_PATH | O_DIRECTORY, 0);
	if (r >= 0)
		r = mount_attach(pool, target);
	return r < 0 ? error_set(err, -r, "cannot show the files of '%s'", record->grant.name)
		     : steal_fd(&pool);
}

int keep_open_root(const struct site *site, const struct record *record, struct error *err)
{
	cleanup_strv char **lowers = lowers_of(site, record);
	cleanup_fd int root = -1, pool = -1;
	int r = make_root(site, &root, err);

	if (r == 0)
		r = pool = find_pool(site, record, root, err);
	for (size_t i = 0; r >= 0 && record->layers && record->layers[i]; i++)
		r = show_layer(record, root, pool, i, lowers[i], err);
	return r < 0 ? r : steal_fd(&root);
}
