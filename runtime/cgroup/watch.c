/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that the keeper gets: to learn of kills for want of memory, to freeze; see limits.h.
 */
#include "cgroup/limits.h"
#include "cgroup/controller.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>

static int open_in(const char *directory, const char *file)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, file);

	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Version 1 signals an eventfd when the group, or one above, is out of memory. */
static int watch_v1(const char *directory, struct cgroup_watch *watch)
{
	cleanup_free char *control = xasprintf("%s/cgroup.event_control", directory);
	cleanup_free char *words = NULL;

	watch->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	watch->count = open_in(directory, "memory.oom_control");
	watch->hits = open_in(directory, "memory.max_usage_in_bytes");
	if (watch->event < 0 || watch->count < 0 || watch->hits < 0)
		return -errno;
	words = xasprintf("%d %d", watch->event, watch->count);
	return file_poke(AT_FDCWD, control, words);
}

static int watch_v2(const char *directory, struct cgroup_watch *watch)
{
	watch->event = open_in(directory, "memory.events");
	watch->count = open_in(directory, "memory.events");
	watch->hits = open_in(directory, "memory.events");
	return watch->hits < 0 ? -errno : 0;
}

void cgroup_watch_open(const struct cgroup_tree *tree, const char *group,
		       struct cgroup_watch *ret_watch)
{
	int r = -ENOENT;

	*ret_watch = (struct cgroup_watch){.event = -1, .count = -1, .hits = -1};
	for (int version = 1; version <= 2 && r < 0; version++) {
		const struct cgroup_hierarchy *h =
			cgroup_controller_find(tree, "memory", version == 2);
		cleanup_free char *directory = NULL;

		if (!h)
			continue;
		directory = xasprintf("%s/%s", h->mount, group);
		r = version == 2 ? watch_v2(directory, ret_watch) : watch_v1(directory, ret_watch);
		if (r == 0)
			ret_watch->version = version;
		else
			cgroup_watch_close(ret_watch);
	}
}

void cgroup_watch_close(struct cgroup_watch *watch)
{
	cleanup_close(&watch->event);
	cleanup_close(&watch->count);
	cleanup_close(&watch->hits);
	watch->version = 0;
}

int cgroup_freezer_open(const struct cgroup_tree *tree, const char *group)
{
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < tree->n; i++) {
		cleanup_free char *path =
			xasprintf("%s/%s/cgroup.freeze", tree->list[i].mount, group);

		if (tree->list[i].v2)
			fd = open(path, O_WRONLY | O_CLOEXEC);
	}
	return fd;
}
