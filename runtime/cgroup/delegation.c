/* SPDX-License-Identifier: Apache-2.0 */
/* Groups that another manager gave away; see cgroup.h. In every command. */
#include "cgroup/cgroup.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* systemd has a symbolic link there for each unit that is active. */
#define UNIT_ACTIVE "/run/systemd/units/invocation:stint.service"
#define UNIT_SLICE CGROUP_MOUNT "/stint.slice"

static bool has_mark(const char *path)
{
	/* the second is what systemd lets others than root read, since version 251 */
	static const char *const attributes[] = {"trusted.delegate", "user.delegate"};

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		char value;

		if (getxattr(path, attributes[i], &value, 1) == 1 && value == '1')
			return true;
	}
	return false;
}

/*
 * The unit has no process, and systemd removes a group without one when it has started: only the
 * slice stays, with the controllers that were promised to the unit. The group is made anew.
 */
static bool unit_is_there(const char *root)
{
	cleanup_free char *active = xasprintf("%s" UNIT_ACTIVE, root);
	cleanup_free char *slice = xasprintf("%s" UNIT_SLICE, root);
	struct stat st;

	return lstat(active, &st) == 0 && access(slice, F_OK) == 0;
}

bool cgroup_is_delegated(const char *root, const char *group)
{
	cleanup_free char *path = xasprintf("%s" CGROUP_MOUNT "/%s", root, group);

	return strcmp(group, CGROUP_UNIT) == 0 ? unit_is_there(root) : has_mark(path);
}

char *cgroup_choose_parent(const char *root, const char *group, const char *name)
{
	const char *above = group ? group : CGROUP_UNIT;

	if (cgroup_is_delegated(root, above))
		return xasprintf("%s/%s", above, name);
	return xstrdup(group ? group : name);
}
