/* SPDX-License-Identifier: Apache-2.0 */
/* What the views of install directories lie on; see lowers.h. */
#include "instance/lowers.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/text.h"
#include "install/generation.h"
#include "install/image.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

static bool has_names(char *const *install)
{
	for (size_t i = 0; install && install[i]; i++)
		if (install[i][0] != '/')
			return true;
	return false;
}

static int add_paths(char *const *paths, char ***list, struct error *err)
{
	for (size_t i = 0; paths[i]; i++) {
		for (size_t j = 0; *list && (*list)[j]; j++)
			if (path_is_within(paths[i], (*list)[j]) ||
			    path_is_within((*list)[j], paths[i]))
				return error_say(err, ERROR_FAILED,
						 "install directories '%s' and '%s' overlap",
						 (*list)[j], paths[i]);
		strv_add(list, paths[i]);
	}
	if (strv_length(*list) > PLAN_LAYERS_MAX)
		return error_say(err, ERROR_FAILED, "more than %d install directories",
				 PLAN_LAYERS_MAX);
	return 0;
}

static int add_entry(struct store *store, char *entry, char ***list, struct error *err)
{
	char *const alone[] = {entry, NULL};
	struct install install = {0};
	int r;

	if (*entry == '/')
		return add_paths(alone, list, err);
	r = store_install_load(store, entry, &install, err);
	if (r == 0)
		r = add_paths(install.paths, list, err);
	install_deinit(&install);
	return r;
}

int lowers_name(const struct site *site, struct plan *plan, struct error *err)
{
	cleanup_store struct store *store = NULL;
	cleanup_strv char **list = NULL;
	int r = has_names(plan->install) ? store_open(site->state_path, &store, err) : 0;

	if (r < 0 || !store)
		return r;
	for (size_t i = 0; r == 0 && plan->install[i]; i++)
		r = add_entry(store, plan->install[i], &list, err);
	if (r < 0)
		return r;
	strv_free(plan->install);
	plan->install = steal_ptr(list);
	return 0;
}

char **lowers_resolve(const struct site *site, char *const *directories, char *const *lowers)
{
	size_t known = strv_length(lowers);
	char **paths = NULL;

	for (size_t i = 0; directories && directories[i]; i++) {
		cleanup_free char *path =
			i < known ? generation_lower_path(site->state_path, lowers[i]) : NULL;

		strv_add(&paths, path ? path : directories[i]);
	}
	return paths;
}

char **lowers_of(const struct site *site, const struct record *record)
{
	return lowers_resolve(site, record->layers, record->lowers);
}

/* "NAME/NUMBER/POSITION" */
bool lower_name(const struct record *record, size_t i, char **ret_install, uint32_t *ret_generation)
{
	const char *lower = i < strv_length(record->lowers) ? record->lowers[i] : "";
	const char *slash = strchr(lower, '/');

	if (!slash)
		return false;
	*ret_install = xasprintf("%.*s", (int)(slash - lower), lower);
	*ret_generation = (uint32_t)strtoul(slash + 1, NULL, 10);
	return true;
}

bool lower_is_live(const char *path, const char *directory)
{
	return directory && strcmp(path, directory) == 0;
}

int lower_open(const char *path, const char *directory, struct error *err)
{
	cleanup_fd int device = lower_is_live(path, directory) ? -ENOENT : image_open(path, err);
	cleanup_free char *options = NULL;
	int fd;

	if (device == -ENOENT) {
		fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? error_set(err, errno, "cannot open '%s'", path) : fd;
	}
	if (device < 0)
		return device;
	options = xasprintf("ro,source=/proc/self/fd/%d", device);
	fd = mount_new("erofs", options, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return fd < 0 ? error_set(err, -fd, "cannot mount '%s.erofs'", path) : fd;
}
