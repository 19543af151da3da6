/* SPDX-License-Identifier: Apache-2.0 */
/* Groups that another manager gave away; see cgroup.h. In every command. */
#include "cgroup/cgroup.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <sys/xattr.h>

bool cgroup_is_delegated(const char *mount, const char *group)
{
	/* the second is what systemd lets others than root read, since version 251 */
	static const char *const attributes[] = {"trusted.delegate", "user.delegate"};
	cleanup_free char *path = xasprintf("%s/%s", mount, group);

	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		char value;

		if (getxattr(path, attributes[i], &value, 1) == 1 && value == '1')
			return true;
	}
	return false;
}

char *cgroup_choose_parent(const char *mount, const char *group, const char *name)
{
	if (cgroup_is_delegated(mount, group ? group : CGROUP_UNIT))
		return xasprintf("%s/%s", group ? group : CGROUP_UNIT, name);
	return xstrdup(group ? group : name);
}
