/* SPDX-License-Identifier: Apache-2.0 */
/* Images of EROFS; see image.h. */
#include "install/image.h"
#include "install/tree_file.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/loop_device.h"
#include "base/run.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char *const programs[] = {"/usr/bin/mkfs.erofs", "/usr/sbin/mkfs.erofs",
				       "/sbin/mkfs.erofs"};

static const char *find_program(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (access(programs[i], X_OK) == 0)
			return programs[i];
	return NULL;
}

int image_check(struct error *err)
{
	if (!find_program())
		return error_say(err, ERROR_FAILED,
				 "an EROFS image needs 'mkfs.erofs', which is not there; install "
				 "erofs-utils, or leave out --backend");
	if (access("/dev/loop-control", R_OK | W_OK) < 0)
		return error_say(
			err, ERROR_FAILED,
			"an EROFS image needs a loop device, and '/dev/loop-control' cannot "
			"be used; try 'modprobe loop', or leave out --backend");
	return 0;
}

/* The program reads a copy that is root's alone, never what somebody may change meanwhile. */
static int pack(int directory, const char *name, const char *image, int cancel, struct error *err)
{
	char *argv[] = {(char *)find_program(), (char *)"--quiet", (char *)"-Eforce-inode-extended",
			(char *)image,		(char *)name,	   NULL};
	int r = argv[0] ? run_quietly(argv, NULL, directory, cancel) : -ENOENT;

	if (r == -ECANCELED)
		return error_interrupted(err);
	return r < 0 ? error_set(err, -r, "cannot make an EROFS image with 'mkfs.erofs'") : 0;
}

/* An empty directory that looks the same takes the place of the copy. */
static int empty(int directory, const char *name, const struct manifest_entry *top)
{
	cleanup_free char *away = xasprintf("%s.packed", name);
	cleanup_fd int from = -1, to = -1;
	int r;

	if (renameat(directory, name, directory, away) < 0 || mkdirat(directory, name, 0700) < 0)
		return -errno;
	from = openat(directory, away, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (from < 0 || to < 0)
		return -errno;
	r = tree_file_attributes(from, to, top);
	return r < 0 ? r : file_remove_tree(directory, away);
}

int image_make(int directory, const char *name, const struct manifest_entry *top, int cancel,
	       struct error *err)
{
	cleanup_free char *image = xasprintf("%s.erofs", name);
	int r = pack(directory, name, image, cancel, err);

	if (r < 0)
		return r;
	r = empty(directory, name, top);
	return r < 0 ? error_set(err, -r, "cannot put the EROFS image in place of the copy") : 0;
}

bool image_exists(const char *path)
{
	cleanup_free char *image = xasprintf("%s.erofs", path);

	return access(image, F_OK) == 0;
}

int image_open(const char *path, struct error *err)
{
	cleanup_free char *image = xasprintf("%s.erofs", path);
	cleanup_fd int file = open(image, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (file < 0 && errno == ENOENT)
		return -ENOENT;
	if (file < 0)
		return error_set(err, errno, "cannot open '%s'", image);
	return loop_device_share(file, err);
}
