/* SPDX-License-Identifier: Apache-2.0 */
/* Where controllers are, and enabling them; see controller.h. In commands. */
#include "cgroup/controller.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* word in a list that blanks, commas or newlines separate */
static bool has_word(const char *list, const char *word)
{
	static const char separators[] = " ,\n";
	size_t length = strlen(word);

	for (list += strspn(list, separators); *list; list += strspn(list, separators)) {
		size_t n = strcspn(list, separators);

		if (n == length && strncmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

static bool file_has_word(const char *directory, const char *name, const char *word)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, name);
	cleanup_free char *list = NULL;

	return file_read(AT_FDCWD, path, 4096, &list, NULL) == 0 && has_word(list, word);
}

const struct cgroup_hierarchy *cgroup_controller_find(const struct cgroup_tree *tree,
						      const char *controller, bool v2)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct cgroup_hierarchy *h = &tree->list[i];

		if (h->v2 != v2)
			continue;
		if (v2 ? file_has_word(h->mount, "cgroup.controllers", controller)
		       : has_word(h->controllers, controller))
			return h;
	}
	return NULL;
}

/* Others may have enabled it long ago: what need not be written is not. */
static int enable_in(const char *directory, const char *controller, char **ret_why)
{
	cleanup_free char *file = xasprintf("%s/cgroup.subtree_control", directory);
	cleanup_free char *word = xasprintf("+%s", controller);
	int r;

	if (file_has_word(directory, "cgroup.subtree_control", controller))
		return 0;
	r = file_poke(AT_FDCWD, file, word);
	if (r < 0)
		*ret_why = xasprintf("the controller '%s' cannot be enabled in '%s': %s",
				     controller, directory, strerror(-r));
	return r;
}

int cgroup_controller_enable(const struct cgroup_hierarchy *hierarchy, const char *group,
			     const char *controller, char **ret_why)
{
	cleanup_free char *directory = xasprintf("%s/%s", hierarchy->mount, group);
	size_t at = strlen(hierarchy->mount);

	if (!hierarchy->v2)
		return 0;
	/* each slash from the mount point's end on stands behind a group above this one */
	for (; directory[at] == '/'; at += 1 + strcspn(directory + at + 1, "/")) {
		int r;

		directory[at] = '\0';
		r = enable_in(directory, controller, ret_why);
		directory[at] = '/';
		if (r < 0)
			return r;
	}
	return 0;
}
