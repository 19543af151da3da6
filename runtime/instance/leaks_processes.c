/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leaks among control groups and processes: what stands below stint's parent group in any
 * hierarchy, and processes of stint's own names that hold a file of an instance. See leaks.h.
 */
#include "instance/leaks_look.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 32
#define PIDS_MAX (1 << 22) /* the kernel's own bound, proc_sys_kernel(5) */

/* One walk over a hierarchy. */
struct walk {
	struct leak_look *look;
	const char *whose;
	int depth;
};

static bool first_time(struct leak_look *look, uint64_t pid)
{
	uint64_t bit = 1ULL << pid % 64;
	bool first;

	if (!look->pids)
		look->pids = xcalloc(PIDS_MAX / 64, sizeof(*look->pids));
	first = !(look->pids[pid / 64] & bit);
	look->pids[pid / 64] |= bit;
	return first;
}

/* Its command line, with blanks, as far as it fits. */
static void read_command(uint64_t pid, char *buffer, size_t size)
{
	cleanup_free char *path = xasprintf("/proc/%u/cmdline", (unsigned)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buffer, size - 1);

	buffer[n > 0 ? n : 0] = '\0';
	for (ssize_t i = 0; i + 1 < n; i++)
		if (!buffer[i])
			buffer[i] = ' ';
}

static void see_process(struct leak_look *look, const char *whose, uint64_t pid, const char *where)
{
	char name[24], command[64];

	read_command(pid, command, sizeof(command));
	snprintf(name, sizeof(name), "%u", (unsigned)pid);
	leak_note(look, "process", whose, name, "'%s' in '%s'", command, where);
}

static void see_members(struct walk *walk, const char *group)
{
	cleanup_free char *path = xasprintf("%s/cgroup.procs", group), *list = NULL;
	char *rest, *word;

	if (file_read(AT_FDCWD, path, 16 << 20, &list, NULL) < 0)
		return;
	rest = list;
	while ((word = strsep(&rest, "\n"))) {
		uint64_t pid;

		if (parse_number(word, PIDS_MAX - 1, &pid) == 0 && pid > 0 &&
		    pid != (uint64_t)getpid() && first_time(walk->look, pid))
			see_process(walk->look, walk->whose, pid, group);
	}
}

static void see_group(struct walk *walk, const char *group);

static void see_groups_below(struct walk *walk, const char *group)
{
	cleanup_dir DIR *dir = opendir(group);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		cleanup_free char *path = xasprintf("%s/%s", group, entry->d_name);
		char id[INSTANCE_ID_LENGTH + 1];
		struct walk below = *walk;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (walk->depth == 0)
			below.whose = leak_id_of(entry->d_name, id) ? id : LEAK_NOBODYS;
		below.depth++;
		see_group(&below, path);
	}
}

/* What is removed first comes first; an instance's own two groups go without being named. */
static void see_group(struct walk *walk, const char *group)
{
	if (walk->depth < DEPTH_MAX)
		see_groups_below(walk, group);
	see_members(walk, group);
	if (walk->depth != 2)
		leak_note(walk->look, "control group", walk->whose, group, "%s",
			  walk->depth == 0 ? "there is no instance" : "no sound instance has it");
}

/* What stands in an instance's group must not be taken for a mere member of the parent. */
void leaks_see_groups(struct leak_look *look)
{
	struct walk walk = {.look = look, .whose = LEAK_COMMON};
	struct cgroup_tree tree;

	if (cgroup_tree_discover(&tree, NULL) < 0)
		return;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < tree.n; i++) {
			cleanup_free char *top =
				xasprintf("%s/%s", tree.list[i].mount, look->site->cgroup);

			if (tree.list[i].leaves == (pass == 0) && access(top, F_OK) == 0)
				see_group(&walk, top);
		}
	cgroup_tree_deinit(&tree);
}

static bool is_of_instance(const struct site *site, const char *target, char *whose, size_t size)
{
	const char *const places[] = {site->run_path,	"/i/", site->run_path, "/lock/",
				      site->state_path, "/i/"};
	char id[INSTANCE_ID_LENGTH + 1];

	for (size_t i = 0; i < ARRAY_SIZE(places); i += 2) {
		cleanup_free char *place = xasprintf("%s%s", places[i], places[i + 1]);
		size_t n = strlen(place);
		bool found = strncmp(target, place, n) == 0;
		cleanup_free char *rest = found ? xstrdup(target + n) : NULL;

		if (!found)
			continue;
		rest[strcspn(rest, " ")] = '\0'; /* " (deleted)" */
		if (leak_id_of(rest, id)) {
			snprintf(whose, size, "%s", id);
			return true;
		}
	}
	return false;
}

/* Keeper, forwarder and init by their name; what they hold says whose they are. */
bool leaks_is_our_process(const struct site *site, pid_t pid, char *whose, size_t size)
{
	cleanup_free char *comm = xasprintf("/proc/%d/comm", pid), *name = NULL;
	cleanup_free char *path = xasprintf("/proc/%d/fd", pid);
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;

	if (file_read(AT_FDCWD, comm, 64, &name, NULL) < 0 || strncmp(name, "stint-", 6) != 0)
		return false;
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		char target[4096];
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		if (n <= 0)
			continue;
		target[n] = '\0';
		if (is_of_instance(site, target, whose, size))
			return true;
	}
	return false;
}

/* Those in groups come before. */
void leaks_see_processes(struct leak_look *look)
{
	cleanup_dir DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char whose[INSTANCE_ID_LENGTH + 1];
		uint64_t pid;

		if (parse_number(entry->d_name, PIDS_MAX - 1, &pid) < 0 ||
		    !leaks_is_our_process(look->site, (pid_t)pid, whose, sizeof(whose)) ||
		    !first_time(look, pid))
			continue;
		see_process(look, whose, pid, "its files");
	}
}
