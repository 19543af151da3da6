/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the kernel's counters of a group; see totals.h. The files are those of the kernel's
 * admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/.
 */
#include "cgroup/totals.h"
#include "cgroup/controller.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <string.h>

#define FILE_MAX (1 << 20)

/* Where a number stands. Numbers behind the word are added up; "" is the file's only one. */
struct counter {
	bool v2;
	const char *controller; /* "": version 2 counts it without one */
	const char *file, *word;
	int64_t factor;
	const char *by;
};

static const struct counter memory_counters[] = {
	{.controller = "memory", .file = "memory.max_usage_in_bytes", .word = "", .factor = 1},
	{.v2 = true, .controller = "memory", .file = "memory.peak", .word = "", .factor = 1},
	{0},
};

static const struct counter cpu_counters[] = {
	{.controller = "cpuacct", .file = "cpuacct.usage", .word = "", .factor = 1},
	{.v2 = true, .controller = "", .file = "cpu.stat", .word = "usage_usec ", .factor = 1000},
	{0},
};

static const struct counter io_counters[] = {
	{.controller = "blkio",
	 .file = "blkio.throttle.io_service_bytes",
	 .word = " Write ",
	 .factor = 1,
	 .by = "cgroup v1 blkio"},
	{.v2 = true,
	 .controller = "io",
	 .file = "io.stat",
	 .word = " wbytes=",
	 .factor = 1,
	 .by = "cgroup v2 io"},
	{0},
};

static const struct cgroup_hierarchy *hierarchy_of(const struct cgroup_tree *tree,
						   const struct counter *counter)
{
	if (*counter->controller)
		return cgroup_controller_find(tree, counter->controller, counter->v2);
	for (size_t i = 0; i < tree->n; i++)
		if (tree->list[i].v2)
			return &tree->list[i];
	return NULL;
}

static int64_t number_at(const char *text)
{
	cleanup_free char *digits = xasprintf("%.*s", (int)strspn(text, "0123456789"), text);
	uint64_t number;

	return parse_number(digits, INT64_MAX, &number) < 0 ? -1 : (int64_t)number;
}

/* A file of an idle group has no lines: that is zero, not unknown. */
static int64_t sum(const char *text, const char *word)
{
	int64_t total = 0;

	if (!*word)
		return number_at(text);
	for (const char *at = text; (at = strstr(at, word));) {
		int64_t one = number_at(at += strlen(word));

		if (one < 0 || total > INT64_MAX - one)
			return -1;
		total += one;
	}
	return total;
}

static int64_t count(const struct cgroup_tree *tree, const char *group,
		     const struct counter *counters, const char **ret_by)
{
	for (const struct counter *counter = counters; counter->file; counter++) {
		const struct cgroup_hierarchy *h = hierarchy_of(tree, counter);
		cleanup_free char *path = NULL, *text = NULL;
		int64_t found;

		if (!h)
			continue;
		path = xasprintf("%s/%s/%s", h->mount, group, counter->file);
		if (file_read(AT_FDCWD, path, FILE_MAX, &text, NULL) < 0)
			continue;
		found = sum(text, counter->word);
		if (found < 0 || found > INT64_MAX / counter->factor)
			continue;
		if (ret_by)
			*ret_by = counter->by;
		return found * counter->factor;
	}
	return -1;
}

int64_t cgroup_cpu_read(const struct cgroup_tree *tree, const char *group)
{
	return count(tree, group, cpu_counters, NULL);
}

void cgroup_totals_read(const struct cgroup_tree *tree, const char *group,
			struct cgroup_totals *ret_totals)
{
	*ret_totals = (struct cgroup_totals){.io_by = ""};
	ret_totals->memory_peak = count(tree, group, memory_counters, NULL);
	ret_totals->cpu_ns = cgroup_cpu_read(tree, group);
	ret_totals->io_written = count(tree, group, io_counters, &ret_totals->io_by);
}
