/* SPDX-License-Identifier: Apache-2.0 */
/* Setting limits and remembering what came of it; see limits.h. In commands. */
#include "instance/limits.h"
#include "instance/above.h"
#include "instance/lowers.h"
#include "instance/devices.h"
#include "instance/disk.h"
#include "instance/reach.h"
#include "instance/share.h"
#include "cgroup/limits.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/weaken.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

#define FILE_NAME "limits"
#define FILE_SIZE_MAX (64 << 10)

static const char *const names[CGROUP_LIMIT_KINDS] = {
	[CGROUP_MEMORY] = "memory", [CGROUP_SWAP] = "swap",	  [CGROUP_CPU] = "cpu",
	[CGROUP_PIDS] = "pids",	    [CGROUP_IO_READ] = "io_read", [CGROUP_IO_WRITE] = "io_write",
};

static char *server_group(const struct record *record)
{
	return xasprintf("%s/%s/server", record->cgroup, record->grant.id);
}

static int append(int run, const struct limit_line *line)
{
	cleanup_fd int fd = openat(run, FILE_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	cleanup_free char *text =
		xasprintf("%s %" PRIu64 " %" PRIu64 " %c %s\n", line->name, line->asked, line->set,
			  line->enforced ? '+' : '-', line->text);

	return fd < 0 ? -errno : file_write_all(fd, text, strlen(text));
}

int limits_note(int run, const struct plan *plan, const struct limit_line *line, struct error *err)
{
	int r = append(run, line);

	if (r < 0)
		return error_set(err, -r, "cannot write the file of the instance's limits");
	if (line->enforced || plan->best_effort)
		return 0;
	return error_say(err, ERROR_REFUSED,
			 "limit '%s' cannot be enforced: %s; take it out, or start without it with "
			 "--best-effort",
			 line->name, line->text);
}

static void wish(struct cgroup_limits *limits, enum cgroup_limit_kind kind, uint64_t value,
		 bool asked)
{
	limits->of[kind].value = value;
	limits->of[kind].asked = asked;
}

/* An instance with a limit of memory has no swap unless it asks: else it only gets slow. */
static void fill_wishes(const struct plan_limits *from, struct cgroup_limits *limits)
{
	wish(limits, CGROUP_MEMORY, from->memory_bytes, from->memory_bytes);
	wish(limits, CGROUP_SWAP, from->swap_bytes, from->has_swap || from->memory_bytes);
	wish(limits, CGROUP_CPU, from->cpu_millis, from->cpu_millis);
	wish(limits, CGROUP_PIDS, from->pids, from->pids);
	wish(limits, CGROUP_IO_READ, from->io_read, from->io_read);
	wish(limits, CGROUP_IO_WRITE, from->io_write, from->io_write);
}

/* The disks of what the instance reads and writes. The caller frees *ret_why. */
static void find_devices(const struct site *site, const struct record *record, char ***devices,
			 char **ret_why)
{
	cleanup_strv char **lowers = lowers_of(site, record);
	cleanup_strv char **above = above_of(record->above, SIZE_MAX);
	char *why = device_add(site->state_path, devices);

	for (size_t i = 0; !why && lowers && lowers[i]; i++)
		why = device_add(lowers[i], devices);
	for (size_t i = 0; !why && above && above[i]; i++)
		why = device_add(above[i], devices);
	if (!why && !strv_length(*devices))
		why = xstrdup("nothing that the instance reads or writes is on a disk");
	*ret_why = why;
}

static int note_outcome(int run, const struct plan *plan, enum cgroup_limit_kind kind,
			uint64_t asked, const struct cgroup_outcome *outcome, struct error *err)
{
	struct limit_line line = {
		.asked = asked, .set = outcome->set, .enforced = *outcome->by != '\0'};
	bool implied = kind == CGROUP_SWAP && !plan->limits.has_swap;

	snprintf(line.name, sizeof(line.name), "%s", names[kind]);
	snprintf(line.text, sizeof(line.text), "%s", line.enforced ? outcome->by : outcome->why);
	if (!implied)
		return limits_note(run, plan, &line, err);
	/* nobody asked for that one: it is said, and no more */
	return append(run, &line) < 0 ? limits_note(run, plan, &line, err) : 0;
}

static int apply_groups(const struct site *site, const struct plan *plan,
			const struct record *record, const struct prepared *prepared,
			struct cgroup_limits limits, struct error *err)
{
	cleanup_free char *group = server_group(record), *why = NULL;
	cleanup_strv char **devices = NULL;
	struct cgroup_outcome outcomes[CGROUP_LIMIT_KINDS];
	int r = 0;

	if (plan->limits.io_read || plan->limits.io_write)
		find_devices(site, record, &devices, &why);
	limits.devices = devices;
	limits.no_devices = why;
	cgroup_limits_apply(&prepared->tree, group, &limits, outcomes);
	for (int kind = 0; r == 0 && kind < CGROUP_LIMIT_KINDS; kind++)
		if (limits.of[kind].asked)
			r = note_outcome(prepared->run, plan, (enum cgroup_limit_kind)kind,
					 limits.of[kind].value, &outcomes[kind], err);
	return r;
}

/* The keeper inherits the hard limit, and what runs inside takes it from there. */
static int raise_files(const struct plan *plan, struct rlimit *ret_limit)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_max < plan->limits.files) {
		limit.rlim_max = plan->limits.files;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			getrlimit(RLIMIT_NOFILE, &limit);
	}
	*ret_limit = limit;
	return 0;
}

void limits_inherit(const struct plan *plan)
{
	struct rlimit limit;

	(void)raise_files(plan, &limit);
}

static int apply_files(const struct plan *plan, int run, struct error *err)
{
	struct limit_line line = {.name = "files", .asked = plan->limits.files};
	struct rlimit limit = {0};
	int r;

	if (!plan->limits.files)
		return 0;
	r = raise_files(plan, &limit);
	if (r < 0)
		return error_set(err, -r, "cannot read the limit of open files");
	line.enforced = limit.rlim_max >= line.asked;
	line.set = line.enforced ? line.asked : limit.rlim_max;
	if (line.enforced)
		snprintf(line.text, sizeof(line.text), "RLIMIT_NOFILE");
	else
		snprintf(line.text, sizeof(line.text),
			 "the caller may have %" PRIu64 " at most (ulimit -Hn)",
			 (uint64_t)limit.rlim_max);
	return limits_note(run, plan, &line, err);
}

static int note_log(const struct plan *plan, int run, struct error *err)
{
	struct limit_line line = {
		.name = "log",
		.asked = plan->limits.log_bytes,
		.set = plan->limits.log_bytes,
		.enforced = true,
		.text = "forwarder",
	};

	return limits_note(run, plan, &line, err);
}

int limits_apply(const struct site *site, const struct plan *plan, const struct record *record,
		 const struct prepared *prepared, struct error *err)
{
	struct cgroup_limits limits = {0};
	int r;

	share_apply(&site->config.host, &prepared->tree, record->cgroup);
	fill_wishes(&plan->limits, &limits);
	r = weakened("limits") ? 0 : apply_groups(site, plan, record, prepared, limits, err);

	if (r == 0)
		r = apply_files(plan, prepared->run, err);
	if (r == 0)
		r = note_log(plan, prepared->run, err);
	return r;
}

static bool is_changeable(const char *name)
{
	for (int kind = CGROUP_CPU; kind < CGROUP_LIMIT_KINDS; kind++)
		if (strcmp(name, names[kind]) == 0)
			return true;
	return false;
}

/* The file without the lines that are about to be written anew. */
static int keep_others(const struct site *site, const char *id, int run)
{
	cleanup_free struct limit_line *lines = NULL;
	size_t n = 0;
	int r;

	limits_read(site, id, &lines, &n);
	r = file_replace(run, FILE_NAME, "", 0600);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!is_changeable(lines[i].name))
			r = append(run, &lines[i]);
	return r;
}

int limits_change(const struct site *site, const struct plan *plan, const struct record *record,
		  struct error *err)
{
	cleanup_fd int run = site_open_run_of(site, record->grant.id);
	struct prepared prepared = {.run = run};
	struct cgroup_limits limits = {0};
	int r = run < 0 ? run : keep_others(site, record->grant.id, run);

	if (r < 0)
		return error_set(err, -r, "cannot write the file of the instance's limits");
	fill_wishes(&plan->limits, &limits);
	limits.of[CGROUP_MEMORY].asked = limits.of[CGROUP_SWAP].asked = false;
	r = cgroup_tree_discover(&prepared.tree, err);
	if (r == 0 && !weakened("limits"))
		r = apply_groups(site, plan, record, &prepared, limits, err);
	cgroup_tree_deinit(&prepared.tree);
	return r;
}

static bool read_line(const char *text, struct limit_line *ret_line)
{
	struct limit_line line = {0};
	char mark;

	if (sscanf(text, "%15s %" SCNu64 " %" SCNu64 " %c %255[^\n]", line.name, &line.asked,
		   &line.set, &mark, line.text) != 5)
		return false;
	line.enforced = mark == '+';
	*ret_line = line;
	return true;
}

void limits_read(const struct site *site, const char *id, struct limit_line **ret_lines,
		 size_t *ret_n)
{
	cleanup_fd int run = site_open_run_of(site, id);
	cleanup_free char *text = NULL;
	struct limit_line *lines = NULL;
	char *rest, *one;
	size_t n = 0;

	if (run >= 0)
		(void)file_read(run, FILE_NAME, FILE_SIZE_MAX, &text, NULL);
	for (rest = text; (one = strsep(&rest, "\n"));) {
		lines = xrealloc(lines, n + 1, sizeof(*lines));
		n += read_line(one, &lines[n]);
	}
	*ret_lines = lines;
	*ret_n = n;
}

static bool disk_usage(const struct site *site, const struct record *record, uint64_t *ret_used)
{
	cleanup_fd int pool =
		reach_open(site, record->grant.id, CONTROL_POOL, CONTROL_POOL_IS, NULL);
	struct disk_usage usage;

	if (pool < 0 || !record->disk || disk_read(record, pool, &usage) < 0)
		return false;
	*ret_used = usage.used;
	return true;
}

bool limits_usage(const struct site *site, const struct record *record, const char *name,
		  uint64_t *ret_used)
{
	cleanup_free char *group = server_group(record);
	struct cgroup_tree tree;
	bool found = false;

	if (strcmp(name, "disk") == 0)
		return disk_usage(site, record, ret_used);
	if (cgroup_tree_discover(&tree, NULL) < 0)
		return false;
	for (int kind = 0; kind < CGROUP_LIMIT_KINDS; kind++)
		if (strcmp(name, names[kind]) == 0)
			found = cgroup_usage(&tree, group, (enum cgroup_limit_kind)kind, ret_used);
	cgroup_tree_deinit(&tree);
	return found;
}
