/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of runtime/cgroup share; see cgroup_rig.h. */
#include "cgroup_rig.h"
#include "base/text.h"

int undo_groups(const struct cgroup_tree *tree, const char *parent, const char *id,
		struct error *err)
{
	int r = cgroup_undo(tree, parent, id, err);

	cgroup_remove_parent(tree, parent);
	return r;
}

int collect_id(const char *id, void *data)
{
	char ***ids = data;

	if (!strv_contains(*ids, id))
		strv_add(ids, id);
	return 0;
}
