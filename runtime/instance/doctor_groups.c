/* SPDX-License-Identifier: Apache-2.0 */
/* What the doctor finds of control groups; see doctor.h. */
#include "instance/probing.h"
#include "instance/share.h"
#include "cgroup/cgroup.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#define CHECK "control groups"

/* Controllers of the version 2 tree, separated by blanks as the kernel writes them. */
static char *unified_controllers(const char *mount)
{
	cleanup_free char *path = xasprintf("%s/cgroup.controllers", mount);
	char *list = NULL;

	if (file_read(AT_FDCWD, path, 4096, &list, NULL) < 0)
		return xstrdup("");
	list[strcspn(list, "\n")] = '\0';
	return list;
}

static const struct cgroup_hierarchy *find_unified(const struct cgroup_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->list[i].v2)
			return &tree->list[i];
	return NULL;
}

static void describe_layout(const struct cgroup_tree *tree, struct doctor_report *report)
{
	cleanup_text struct text v1 = {0};
	const struct cgroup_hierarchy *unified = find_unified(tree);
	cleanup_free char *v2 = unified ? unified_controllers(unified->mount) : NULL;

	for (size_t i = 0; i < tree->n; i++)
		if (!tree->list[i].v2)
			text_addf(&v1, "%s%s", v1.length ? ", " : "", tree->list[i].controllers);
	if (unified && v1.length)
		doctor_addf(report, DOCTOR_OK, CHECK, NULL,
			    "hybrid: version 2 at '%s' (%s), version 1 for %s", unified->mount,
			    *v2 ? v2 : "no controllers", v1.data);
	else if (unified)
		doctor_addf(report, DOCTOR_OK, CHECK, NULL, "version 2 at '%s' (%s)",
			    unified->mount, *v2 ? v2 : "no controllers");
	else
		doctor_addf(report, DOCTOR_NOTE, CHECK,
			    "mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified",
			    "only version 1 (%s): instances are killed process by process",
			    v1.data);
}

/* word in a list that blanks or commas separate */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (list += strspn(list, " ,"); *list; list += strspn(list, " ,")) {
		size_t n = strcspn(list, " ,");

		if (n == length && strncmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

static bool has_controller(const struct cgroup_tree *tree, const char *controller)
{
	for (size_t i = 0; i < tree->n; i++) {
		const struct cgroup_hierarchy *h = &tree->list[i];
		cleanup_free char *v2 = h->v2 ? unified_controllers(h->mount) : NULL;

		if (has_word(v2 ? v2 : h->controllers, controller))
			return true;
	}
	return false;
}

static void describe_controllers(const struct cgroup_tree *tree, struct doctor_report *report)
{
	static const char *const wanted[] = {"memory", "cpu", "pids"};
	cleanup_text struct text missing = {0};

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		if (!has_controller(tree, wanted[i]))
			text_addf(&missing, "%s%s", missing.length ? ", " : "", wanted[i]);
	if (missing.length)
		doctor_addf(report, DOCTOR_NOTE, CHECK,
			    "see cgroup_enable and cgroup_disable on the kernel's command line",
			    "no controller for %s: such limits cannot be enforced", missing.data);
}

/* "memory 19.2 GiB" */
static void describe_one(enum cgroup_limit_kind kind, const char *name, uint64_t value,
			 const struct cgroup_tree *tree, struct text *held, struct text *missing)
{
	char amount[48];
	int version;

	if (kind == CGROUP_MEMORY)
		format_size(value, amount, sizeof(amount));
	else if (kind == CGROUP_CPU)
		snprintf(amount, sizeof(amount), "%g", (double)value / 1000);
	else
		snprintf(amount, sizeof(amount), "%" PRIu64, value);
	if (cgroup_limit_possible(tree, kind, &version))
		text_addf(held, "%s%s %s", held->length ? ", " : "", name, amount);
	else
		text_addf(missing, "%s%s", missing->length ? ", " : "", name);
}

static void describe_share(const struct site *site, const struct cgroup_tree *tree,
			   struct doctor_report *report)
{
	static const struct {
		enum cgroup_limit_kind kind;
		const char *name;
	} shares[] = {
		{CGROUP_MEMORY, "memory"}, {CGROUP_PIDS, "tasks"}, {CGROUP_CPU, "processors"}};
	cleanup_text struct text held = {0}, missing = {0};
	struct cgroup_limits limits;

	share_compute(&site->config.host, tree, site->cgroup, &limits);
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++)
		if (limits.of[shares[i].kind].asked)
			describe_one(shares[i].kind, shares[i].name,
				     limits.of[shares[i].kind].value, tree, &held, &missing);
	if (held.length)
		doctor_addf(report, DOCTOR_OK, CHECK, NULL, "all instances together: %s",
			    held.data);
	if (missing.length)
		doctor_addf(report, DOCTOR_NOTE, CHECK, NULL,
			    "all instances together have no limit of %s", missing.data);
}

static const char *shown_kind(const struct cgroup_hierarchy *hierarchy)
{
	return hierarchy->v2 ? "version 2" : hierarchy->controllers;
}

/* cgroup.kill is not in a hierarchy's root: a group is made for a moment. */
static void try_hierarchy(const struct cgroup_hierarchy *hierarchy, struct doctor_report *report)
{
	cleanup_free char *group = xasprintf("%s/stint-doctor-%d", hierarchy->mount, (int)getpid());
	cleanup_free char *file = xasprintf("%s/cgroup.kill", group);

	if (mkdir(group, 0755) < 0) {
		doctor_addf(report, DOCTOR_MISSING, CHECK,
			    "mount it writable; in a container, run that with its own cgroup tree",
			    "no group can be made in '%s' (%s): %s", hierarchy->mount,
			    shown_kind(hierarchy), strerror(errno));
		return;
	}
	if (hierarchy->v2 && access(file, F_OK) < 0)
		doctor_add(report, DOCTOR_NOTE, CHECK,
			   "no cgroup.kill: instances are killed process by process",
			   "use Linux 5.14 or later");
	if (rmdir(group) < 0)
		doctor_addf(report, DOCTOR_NOTE, CHECK, "remove it by hand",
			    "group '%s' cannot be removed again: %s", group, strerror(errno));
}

/* What systemd does not know of, it takes controllers from when no unit of its own needs them. */
static void describe_parent(const struct site *site, const struct cgroup_tree *tree,
			    struct doctor_report *report)
{
	cleanup_free char *above = xstrdup(site->cgroup);
	char *slash = strrchr(above, '/');

	if (slash)
		*slash = '\0';
	if (slash && cgroup_is_delegated("", above))
		doctor_addf(report, DOCTOR_OK, CHECK, NULL,
			    "instances are below '%s', in what was delegated as '%s'", site->cgroup,
			    above);
	else if (tree->n == 1 && tree->list[0].v2 && access("/run/systemd/system", F_OK) == 0)
		doctor_addf(report, DOCTOR_NOTE, CHECK, "systemctl enable --now stint.service",
			    "instances are below '%s', not in a delegated unit: systemd may take "
			    "their controllers away",
			    site->cgroup);
	else
		doctor_addf(report, DOCTOR_OK, CHECK, NULL, "instances are below '%s'",
			    site->cgroup);
}

void doctor_probe_groups(const struct site *site, struct doctor_report *report)
{
	struct cgroup_tree tree = {0};
	struct error err;

	if (geteuid() != 0)
		return;
	if (cgroup_tree_discover(&tree, &err) < 0) {
		doctor_add(report, DOCTOR_MISSING, CHECK, err.text, NULL);
	} else if (tree.n == 0) {
		doctor_add(report, DOCTOR_MISSING, CHECK, "no hierarchy is mounted writable",
			   "mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	} else {
		describe_layout(&tree, report);
		describe_controllers(&tree, report);
		describe_parent(site, &tree, report);
		describe_share(site, &tree, report);
		for (size_t i = 0; i < tree.n; i++)
			try_hierarchy(&tree.list[i], report);
	}
	cgroup_tree_deinit(&tree);
}
