/* SPDX-License-Identifier: Apache-2.0 */
/* Which control group hierarchies this host has, and where; see cgroup.h. In every command. */
#include "cgroup/cgroup.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Hierarchies whose controllers limit, count or show something to an instance. */
static const char *const leaf_controllers[] = {"memory", "cpu", "cpuacct", "pids", "blkio", NULL};

static bool has_leaf_controller(const char *controllers)
{
	cleanup_free char *copy = xstrdup(controllers);
	char *rest = copy, *word;

	while ((word = strsep(&rest, ",")))
		for (size_t i = 0; leaf_controllers[i]; i++)
			if (strcmp(word, leaf_controllers[i]) == 0)
				return true;
	return false;
}

/* Superblock options of a v1 mount, "rw,cpu,cpuacct", without what is no controller. */
static char *controllers_of(const char *options)
{
	static const char *const others[] = {
		"rw",	    "ro",	    "xattr",	      "clone_children",
		"noprefix", "favordynmods", "cpuset_v2_mode", "seclabel",
		NULL};
	cleanup_free char *copy = xstrdup(options);
	char *rest = copy, *word;
	struct text list = {0};

	while ((word = strsep(&rest, ","))) {
		bool other = strncmp(word, "release_agent=", 14) == 0;

		for (size_t i = 0; others[i]; i++)
			other |= strcmp(word, others[i]) == 0;
		if (!other)
			text_addf(&list, "%s%s", list.length ? "," : "", word);
	}
	return text_take(&list);
}

static bool seen_before(const struct cgroup_tree *tree, const char *controllers, bool v2)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->list[i].v2 == v2 && strcmp(tree->list[i].controllers, controllers) == 0)
			return true;
	return false;
}

static void add_line(struct cgroup_tree *tree, const char *line)
{
	char mount[1024], type[32], options[512];
	const char *dash = strstr(line, " - ");
	cleanup_free char *controllers = NULL;
	struct cgroup_hierarchy *h;
	bool v2;

	if (!dash || sscanf(line, "%*d %*d %*s %*s %1023s", mount) != 1 ||
	    sscanf(dash, " - %31s %*s %511s", type, options) != 2)
		return;
	v2 = strcmp(type, "cgroup2") == 0;
	if (!v2 && strcmp(type, "cgroup") != 0)
		return;
	controllers = v2 ? xstrdup("") : controllers_of(options);
	unescape_octal(mount);
	if (tree->n == CGROUP_HIERARCHIES_MAX || seen_before(tree, controllers, v2) ||
	    access(mount, W_OK) < 0)
		return;
	h = &tree->list[tree->n++];
	h->mount = xstrdup(mount);
	h->leaves = v2 || has_leaf_controller(controllers);
	h->controllers = steal_ptr(controllers);
	h->v2 = v2;
}

int cgroup_tree_parse(const char *mountinfo, struct cgroup_tree *ret_tree, struct error *err)
{
	cleanup_free char *copy = xstrdup(mountinfo);
	char *rest = copy, *line;

	(void)err;
	*ret_tree = (struct cgroup_tree){0};
	while ((line = strsep(&rest, "\n")))
		if (*line)
			add_line(ret_tree, line);
	return 0;
}

int cgroup_tree_discover(struct cgroup_tree *ret_tree, struct error *err)
{
	cleanup_free char *mountinfo = NULL;
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &mountinfo, NULL);

	*ret_tree = (struct cgroup_tree){0};
	if (r < 0)
		return error_set(err, -r, "cannot read '/proc/self/mountinfo'");
	return cgroup_tree_parse(mountinfo, ret_tree, err);
}

void cgroup_tree_deinit(struct cgroup_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++) {
		free(tree->list[i].mount);
		free(tree->list[i].controllers);
	}
	tree->n = 0;
}
