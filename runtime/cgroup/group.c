/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and removing an instance's groups; see cgroup.h. In the command that starts an instance
 * and in the one that ends it.
 */
#include "cgroup/cgroup.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define UNDO_BOUND_NS (5 * NSEC_PER_SEC)
#define PREPARE_TRIES 50

static const char *const leaf_names[] = {"server", "host"};

static char *group_path(const struct cgroup_hierarchy *h, const char *parent, const char *rest)
{
	return xasprintf("%s/%s%s%s", h->mount, parent, *rest ? "/" : "", rest);
}

/* A new cpuset group takes no process before it has processors and memory nodes. */
static void inherit_cpuset(const struct cgroup_hierarchy *h, const char *parent)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *from = xasprintf("%s/%s", h->mount, files[i]);
		cleanup_free char *to = xasprintf("%s/%s/%s", h->mount, parent, files[i]);
		cleanup_free char *value = NULL;

		if (file_read(AT_FDCWD, from, 4096, &value, NULL) == 0)
			file_poke(AT_FDCWD, to, value);
	}
}

static int make_group(const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	return -errno;
}

static int make_parent(const struct cgroup_hierarchy *h, const char *parent)
{
	cleanup_free char *top = group_path(h, parent, "");

	if (mkdir(top, 0755) < 0 && errno != EEXIST)
		return errno == ENOENT ? file_make_directories(AT_FDCWD, top, 0755) : -errno;
	if (strstr(h->controllers, "cpuset"))
		inherit_cpuset(h, parent);
	return 0;
}

static int make_groups(const struct cgroup_hierarchy *h, const char *parent, const char *id)
{
	cleanup_free char *group = group_path(h, parent, id);
	int r = make_parent(h, parent);

	if (r < 0 || !h->leaves)
		return r;
	r = make_group(group);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(leaf_names); i++) {
		cleanup_free char *leaf = xasprintf("%s/%s", group, leaf_names[i]);

		r = make_group(leaf);
	}
	return r;
}

static int open_group(const struct cgroup_hierarchy *h, const char *parent, const char *rest)
{
	cleanup_free char *group = group_path(h, parent, rest);
	cleanup_free char *file = xasprintf("%s/%s", group, h->v2 ? "cgroup.procs" : "tasks");
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Both or none: without them processes are moved. */
static void open_directories(const struct cgroup_hierarchy *h, const char *parent, const char *host,
			     const char *server, struct cgroup_groups *groups)
{
	cleanup_free char *host_path = group_path(h, parent, host);
	cleanup_free char *server_path = group_path(h, parent, server);
	cleanup_fd int host_fd = open(host_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int server_fd = open(server_path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (groups->n_directories || host_fd < 0 || server_fd < 0)
		return;
	groups->directories[CGROUP_HOST] = steal_fd(&host_fd);
	groups->directories[CGROUP_SERVER] = steal_fd(&server_fd);
	groups->n_directories = 2;
}

static int open_groups(const struct cgroup_hierarchy *h, const char *parent, const char *id,
		       struct cgroup_groups *groups)
{
	cleanup_free char *host = h->leaves ? xasprintf("%s/host", id) : xstrdup("");
	cleanup_free char *server = xasprintf("%s/server", id);
	cleanup_fd int host_fd = open_group(h, parent, host);
	cleanup_fd int server_fd = h->leaves ? open_group(h, parent, server) : -1;

	if (host_fd < 0)
		return host_fd;
	if (h->leaves && server_fd < 0)
		return server_fd;
	if (h->leaves) {
		groups->leaf_host[groups->n_server] = host_fd;
		groups->server[groups->n_server++] = steal_fd(&server_fd);
	}
	if (h->leaves && h->v2)
		open_directories(h, parent, host, server, groups);
	groups->host[groups->n_host++] = steal_fd(&host_fd);
	return 0;
}

/* The last instance's end may remove the parent between our mkdir and our use of it: try again. */
static int prepare_one(const struct cgroup_hierarchy *h, const char *parent, const char *id,
		       struct cgroup_groups *groups)
{
	int r = -ENOENT;

	for (int i = 0; i < PREPARE_TRIES && (r == -ENOENT || r == -ENODEV); i++) {
		r = make_groups(h, parent, id);
		if (r == 0)
			r = open_groups(h, parent, id, groups);
	}
	return r;
}

int cgroup_prepare(const struct cgroup_tree *tree, const char *parent, const char *id,
		   struct cgroup_groups *ret_groups, struct error *err)
{
	*ret_groups = (struct cgroup_groups){0};
	/* it would stay in its caller's groups, count there and die with them */
	if (tree->n == 0)
		return error_say(
			err, ERROR_REFUSED,
			"no control group can be made here: no hierarchy is mounted "
			"writable; in a unit of systemd, set ProtectControlGroups=no, in a "
			"container, give it its own writable cgroup tree");
	for (size_t i = 0; i < tree->n; i++) {
		int r = prepare_one(&tree->list[i], parent, id, ret_groups);

		if (r < 0)
			return error_set(err, -r, "cannot make control group '%s/%s/%s'",
					 tree->list[i].mount, parent, id);
	}
	return 0;
}

int cgroup_reopen(const struct cgroup_tree *tree, const char *parent, const char *id,
		  struct cgroup_groups *ret_groups, struct error *err)
{
	*ret_groups = (struct cgroup_groups){0};
	for (size_t i = 0; i < tree->n; i++) {
		int r = open_groups(&tree->list[i], parent, id, ret_groups);

		if (r < 0)
			return error_set(err, -r, "cannot open control group '%s/%s/%s'",
					 tree->list[i].mount, parent, id);
	}
	return 0;
}

void cgroup_groups_close(struct cgroup_groups *groups)
{
	for (size_t i = 0; i < groups->n_host; i++)
		close(groups->host[i]);
	for (size_t i = 0; i < groups->n_server; i++)
		close(groups->server[i]);
	for (size_t i = 0; i < groups->n_directories; i++)
		close(groups->directories[i]);
	*groups = (struct cgroup_groups){0};
}

bool cgroup_view(const struct cgroup_hierarchy *h, const char *parent, const char *id,
		 char **ret_source, char **ret_target)
{
	/* a Java machine that finds no cpuset looks at no group at all, and takes the host's memory
	 */
	bool whole = !h->leaves && strstr(h->controllers, "cpuset");

	if (!h->leaves && !whole)
		return false;
	*ret_source = whole ? xasprintf("%s/%s", h->mount, parent)
			    : xasprintf("%s/%s/%s/server", h->mount, parent, id);
	*ret_target =
		h->v2 ? xstrdup("/sys/fs/cgroup") : xasprintf("/sys/fs/cgroup/%s", h->controllers);
	return true;
}

/* Signals every process of the group's file, one at a time; for trees without cgroup.kill. */
static void kill_listed(const char *group)
{
	cleanup_free char *path = xasprintf("%s/cgroup.procs", group);
	cleanup_free char *list = NULL;
	char *rest, *word;

	if (file_read(AT_FDCWD, path, 4 << 20, &list, NULL) < 0)
		return;
	rest = list;
	while ((word = strsep(&rest, "\n"))) {
		uint64_t pid;

		/* 0 stands for a process that this PID namespace does not see */
		if (parse_number(word, INT32_MAX, &pid) == 0 && pid > 0 && (pid_t)pid != getpid())
			kill((pid_t)pid, SIGKILL);
	}
}

static void kill_group(const struct cgroup_hierarchy *h, const char *group)
{
	cleanup_free char *path = xasprintf("%s/cgroup.kill", group);

	if (!h->v2 || file_poke(AT_FDCWD, path, "1") < 0)
		kill_listed(group);
}

static int remove_group(const char *group)
{
	if (rmdir(group) == 0 || errno == ENOENT)
		return 0;
	return -errno;
}

/* Kills and removes one leaf; what dies leaves its group a moment later. */
static int undo_leaf(const struct cgroup_hierarchy *h, const char *group, int64_t until)
{
	int r = remove_group(group);

	for (int wait_ms = 1; r == -EBUSY && clock_boottime_ns() < until;) {
		kill_group(h, group);
		poll(NULL, 0, wait_ms);
		if (wait_ms < 20)
			wait_ms *= 2;
		r = remove_group(group);
	}
	return r;
}

/*
 * The process that cleans up may have been the keeper: it must not stand in what it removes, nor
 * be killed with it. It lives on for milliseconds, in each hierarchy's root.
 */
static int leave_groups(const struct cgroup_tree *tree, const char *id, struct error *err)
{
	cleanup_free char *mine = NULL, *part = xasprintf("/%s/", id);

	if (file_read(AT_FDCWD, "/proc/self/cgroup", 1 << 16, &mine, NULL) < 0 ||
	    !strstr(mine, part))
		return 0;
	for (size_t i = 0; i < tree->n; i++) {
		const struct cgroup_hierarchy *h = &tree->list[i];
		cleanup_free char *file =
			xasprintf("%s/%s", h->mount, h->v2 ? "cgroup.procs" : "tasks");
		int r = file_poke(AT_FDCWD, file, "0");

		if (r < 0)
			return error_set(err, -r, "cannot move to control group '%s'", h->mount);
	}
	return 0;
}

/* The keeper first: one that sees its server die would call that the reason. */
static int undo_one(const struct cgroup_hierarchy *h, const char *parent, const char *id,
		    int64_t until)
{
	cleanup_free char *group = group_path(h, parent, id);
	int r = 0;

	for (size_t i = ARRAY_SIZE(leaf_names); r == 0 && i-- > 0;) {
		cleanup_free char *leaf = xasprintf("%s/%s", group, leaf_names[i]);

		r = undo_leaf(h, leaf, until);
	}
	return r < 0 ? r : undo_leaf(h, group, until);
}

/* The first process of what cannot be removed, for people: "process 4711 (tar)"; or nothing. */
static char *name_survivor(const struct cgroup_hierarchy *h, const char *parent, const char *id)
{
	cleanup_free char *rest = xasprintf("%s/server/cgroup.procs", id);
	cleanup_free char *path = group_path(h, parent, rest);
	cleanup_free char *list = NULL, *comm = NULL, *name = NULL;
	uint64_t pid;

	if (file_read(AT_FDCWD, path, 1 << 16, &list, NULL) < 0)
		return NULL;
	list[strcspn(list, "\n")] = '\0';
	if (parse_number(list, INT32_MAX, &pid) < 0)
		return NULL;
	comm = xasprintf("/proc/%s/comm", list);
	if (file_read(AT_FDCWD, comm, 64, &name, NULL) < 0)
		return NULL;
	name[strcspn(name, "\n")] = '\0';
	return xasprintf("process %s (%s) does not die: it waits in the kernel", list, name);
}

static int say_left(const struct cgroup_hierarchy *h, const char *parent, const char *id, int r,
		    struct error *err)
{
	cleanup_free char *survivor = r == -EBUSY ? name_survivor(h, parent, id) : NULL;

	error_set(err, -r, "cannot remove control group '%s/%s/%s'", h->mount, parent, id);
	if (survivor)
		error_prefix(err, "%s", survivor);
	return r;
}

void cgroup_remove_parent(const struct cgroup_tree *tree, const char *parent)
{
	for (size_t i = 0; i < tree->n; i++) {
		cleanup_free char *top = group_path(&tree->list[i], parent, "");

		/* another instance uses it, and with it those of all hierarchies */
		if (rmdir(top) < 0 && errno == EBUSY)
			return;
	}
}

int cgroup_undo(const struct cgroup_tree *tree, const char *parent, const char *id,
		struct error *err)
{
	int64_t until = clock_boottime_ns() + UNDO_BOUND_NS;
	int first = leave_groups(tree, id, err);

	/* version 2 first: its kill is atomic and reaches what the others only list */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < tree->n; i++) {
			const struct cgroup_hierarchy *h = &tree->list[i];
			int r = 0;

			if (h->v2 != (pass == 0))
				continue;
			if (h->leaves)
				r = undo_one(h, parent, id, until);
			if (r < 0 && first == 0)
				first = say_left(h, parent, id, r, err);
		}
	}
	return first;
}

int cgroup_each_id(const struct cgroup_tree *tree, const char *parent,
		   int (*each)(const char *id, void *data), void *data)
{
	for (size_t i = 0; i < tree->n; i++) {
		cleanup_free char *top = group_path(&tree->list[i], parent, "");
		cleanup_dir DIR *dir = tree->list[i].leaves ? opendir(top) : NULL;
		struct dirent *entry;

		while (dir && (entry = readdir(dir))) {
			int r = 0;

			if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
				r = each(entry->d_name, data);
			if (r)
				return r;
		}
	}
	return 0;
}
