/* SPDX-License-Identifier: Apache-2.0 */
/* What is removed from the view before the server starts; see applying.h. */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

/* As a shell has it: what is hidden is matched by a pattern that begins with a dot only. */
static bool is_meant(const char *pattern, const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       fnmatch(pattern, name, FNM_PERIOD | FNM_NOESCAPE) == 0;
}

/* All names first: what is removed while it is read may hide the next one. */
static int list_matches(int directory, const char *pattern, char ***ret_names)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_dir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		int r = -errno;

		cleanup_close(&fd);
		return r;
	}
	while (errno = 0, (entry = readdir(dir)))
		if (is_meant(pattern, entry->d_name))
			strv_add(ret_names, entry->d_name);
	return -errno;
}

int root_apply_scrub(const struct applying *a)
{
	const char *name;
	cleanup_fd int directory = root_open_within(a, false, &name);
	cleanup_strv char **names = NULL;
	int r;

	if (directory == -ENOENT || directory == -ENOTDIR)
		return 0;
	if (directory == -EXDEV)
		return directory;
	if (directory < 0)
		return root_cannot_change(a, directory, "open the directory that it lies in");
	if (!strpbrk(name, "*?["))
		strv_add(&names, name);
	else if ((r = list_matches(directory, name, &names)) < 0)
		return root_cannot_change(a, r, "read the directory that it lies in");
	for (size_t i = 0; names && names[i]; i++) {
		r = file_remove_tree(directory, names[i]);
		if (r < 0)
			return root_cannot_change(a, r, "remove it");
	}
	return 0;
}
