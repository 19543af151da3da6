/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The memory that a machine, a container or a unit of systemd has, and stint in it: limits of the
 * groups above stint's own. See limits.h. In commands.
 */
#include "cgroup/limits.h"
#include "cgroup/controller.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

static const struct {
	bool v2;
	const char *file;
} kinds[] = {{true, "memory.max"}, {false, "memory.limit_in_bytes"}};

/* "max", and a number beyond what any machine has, are no limit; the caller takes the least. */
static uint64_t read_limit(const char *mount, const char *group, const char *file)
{
	cleanup_free char *path = xasprintf("%s/%s/%s", mount, group, file);

	return file_read_number(path);
}

/* From the parent of group up to the root, which is the mount itself. */
static uint64_t least_above(const char *mount, const char *group, const char *file)
{
	cleanup_free char *above = xstrdup(group);
	uint64_t least = UINT64_MAX;
	char *slash;

	do {
		uint64_t one;

		slash = strrchr(above, '/');
		*(slash ? slash : above) = '\0';
		one = read_limit(mount, above, file);
		if (one < least)
			least = one;
	} while (*above);
	return least;
}

uint64_t cgroup_memory_bound(const struct cgroup_tree *tree, const char *group)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const struct cgroup_hierarchy *h =
			cgroup_controller_find(tree, "memory", kinds[i].v2);
		uint64_t one = h ? least_above(h->mount, group, kinds[i].file) : UINT64_MAX;

		if (one < least)
			least = one;
	}
	return least;
}
