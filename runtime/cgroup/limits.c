/* SPDX-License-Identifier: Apache-2.0 */
/* What is done along the table of backends; see limits.h. In commands. */
#include "cgroup/limits.h"
#include "cgroup/backend.h"
#include "cgroup/controller.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

/* The backend whose controller this host has, or NULL. */
static const struct backend *choose(const struct cgroup_tree *tree, enum cgroup_limit_kind kind,
				    const struct cgroup_hierarchy **ret_hierarchy)
{
	for (size_t i = 0; i < ARRAY_SIZE(cgroup_backends[kind]); i++) {
		const struct backend *backend = &cgroup_backends[kind][i];

		*ret_hierarchy = cgroup_controller_find(tree, backend->controller, backend->v2);
		if (*ret_hierarchy)
			return backend;
	}
	return NULL;
}

static void refuse(struct cgroup_outcome *outcome, const char *why)
{
	*outcome = (struct cgroup_outcome){0};
	snprintf(outcome->why, sizeof(outcome->why), "%s", why);
}

static void refuse_errno(struct cgroup_outcome *outcome, const struct setting *setting,
			 const char *file, int r)
{
	cleanup_free char *why =
		r == -ENOENT ? xasprintf("the kernel has no '%s'", file)
			     : xasprintf("'%s/%s': %s", setting->group, file, strerror(-r));

	refuse(outcome, why);
}

/* What the kernel holds must be what was asked for, or less by its own rounding. */
static bool is_held(const struct backend *backend, uint64_t asked, uint64_t set)
{
	uint64_t step = backend->pages ? (uint64_t)sysconf(_SC_PAGESIZE) : 1;

	return set <= asked && asked - set < step;
}

static void apply_one(const struct cgroup_hierarchy *h, const struct backend *backend,
		      const struct setting *setting, const char *group,
		      struct cgroup_outcome *outcome)
{
	cleanup_free char *why = NULL;
	uint64_t set = 0;
	int r;

	if (cgroup_controller_enable(h, group, backend->controller, &why) < 0) {
		refuse(outcome, why);
		return;
	}
	r = backend->write(backend, setting);
	if (r == 0)
		r = backend->read(backend, setting, &set);
	if (r < 0) {
		refuse_errno(outcome, setting, backend->file, r);
		return;
	}
	if (!is_held(backend, setting->value, set)) {
		why = xasprintf("'%s/%s' holds %" PRIu64 " instead", setting->group, backend->file,
				set);
		refuse(outcome, why);
		return;
	}
	outcome->set = set;
	snprintf(outcome->by, sizeof(outcome->by), "cgroup v%d %s%s%s", backend->v2 ? 2 : 1,
		 backend->controller, backend->note ? ", " : "",
		 backend->note ? backend->note : "");
}

static void apply_kind(const struct cgroup_tree *tree, const char *group,
		       const struct cgroup_limits *limits, enum cgroup_limit_kind kind,
		       struct cgroup_outcome *outcome)
{
	const struct cgroup_hierarchy *h;
	const struct backend *backend = choose(tree, kind, &h);
	struct setting setting = {.limits = limits, .value = limits->of[kind].value};
	cleanup_free char *directory = NULL, *none = NULL;
	const char *refused;

	if (!backend) {
		none = xasprintf("the kernel offers no controller '%s' here",
				 cgroup_backends[kind][1].controller);
		refuse(outcome, none);
		return;
	}
	refused = backend->refuses ? backend->refuses(limits) : NULL;
	if (refused) {
		refuse(outcome, refused);
		return;
	}
	directory = xasprintf("%s/%s", h->mount, group);
	setting.group = directory;
	apply_one(h, backend, &setting, group, outcome);
}

void cgroup_limits_apply(const struct cgroup_tree *tree, const char *group,
			 const struct cgroup_limits *limits,
			 struct cgroup_outcome ret_outcomes[CGROUP_LIMIT_KINDS])
{
	for (int kind = 0; kind < CGROUP_LIMIT_KINDS; kind++) {
		ret_outcomes[kind] = (struct cgroup_outcome){0};
		if (limits->of[kind].asked)
			apply_kind(tree, group, limits, (enum cgroup_limit_kind)kind,
				   &ret_outcomes[kind]);
	}
}

void cgroup_account(const struct cgroup_tree *tree, const char *group)
{
	static const char *const counted[] = {"memory", "pids"};

	for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
		const struct cgroup_hierarchy *h = cgroup_controller_find(tree, counted[i], true);
		cleanup_free char *why = NULL, *directory = NULL;

		if (!h || cgroup_controller_enable(h, group, counted[i], &why) < 0)
			continue;
		directory = xasprintf("%s/%s/memory.oom.group", h->mount, group);
		if (i == 0)
			file_poke(AT_FDCWD, directory, "1");
	}
}

bool cgroup_usage(const struct cgroup_tree *tree, const char *group, enum cgroup_limit_kind kind,
		  uint64_t *ret_used)
{
	const struct cgroup_hierarchy *h;
	const struct backend *backend = choose(tree, kind, &h);
	cleanup_free char *directory = NULL;

	if (!backend || !backend->usage)
		return false;
	directory = xasprintf("%s/%s", h->mount, group);
	return cgroup_read_number(directory, backend->usage, ret_used) == 0;
}

bool cgroup_limit_possible(const struct cgroup_tree *tree, enum cgroup_limit_kind kind,
			   int *ret_version)
{
	const struct cgroup_hierarchy *h;
	const struct backend *backend = choose(tree, kind, &h);

	if (backend)
		*ret_version = backend->v2 ? 2 : 1;
	return backend;
}
