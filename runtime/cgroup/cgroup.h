/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups, host half. A host may have cgroup v2, v1, or v1 controllers with a v2 tree
 * beside them: each hierarchy is used where it is mounted. An instance has PARENT/ID/host
 * (keeper, forwarder, init) and PARENT/ID/server in the hierarchies that can limit or kill it; in
 * the others the keeper joins PARENT, so that nothing of the caller's groups is kept anywhere.
 */
#ifndef CGROUP_CGROUP_H
#define CGROUP_CGROUP_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define CGROUP_HIERARCHIES_MAX 24

struct cgroup_hierarchy {
	char *mount;	   /* where it is mounted, absolute */
	char *controllers; /* "cpu,cpuacct", "name=systemd"; "" for version 2 */
	bool v2;
	bool leaves; /* instances have groups of their own here */
};

struct cgroup_tree {
	struct cgroup_hierarchy list[CGROUP_HIERARCHIES_MAX];
	size_t n;
};

/*
 * Reads the hierarchies from mountinfo (proc_pid_mountinfo(5)): text is the file's content.
 * Mounts that cannot be written are left out. The caller ends it with cgroup_tree_deinit.
 */
int cgroup_tree_parse(const char *mountinfo, struct cgroup_tree *ret_tree, struct error *err);
/* The same of this process's own mount namespace. The tree is empty after a failure. */
int cgroup_tree_discover(struct cgroup_tree *ret_tree, struct error *err);
void cgroup_tree_deinit(struct cgroup_tree *tree);

/* Where systemd hosts mount the version 2 tree, and the group of the unit that ships with stint. */
#define CGROUP_MOUNT "/sys/fs/cgroup"
#define CGROUP_UNIT "stint.slice/stint.service"

/*
 * Whether the manager of a version 2 tree gave this group away (systemd.resource-control(5),
 * "Delegate="): what is below it is left to its user, the group itself and its files are not.
 * For CGROUP_UNIT: whether the unit is active. root is "", or what stands for "/" in a test.
 */
bool cgroup_is_delegated(const char *root, const char *group);

/*
 * The parent of instances' groups: group if one is named, else name, below stint's own unit if
 * that is active. A group that was delegated is never the parent itself, because parents are
 * removed: name is below it then. The caller frees it.
 */
char *cgroup_choose_parent(const char *root, const char *group, const char *name);

enum { CGROUP_HOST, CGROUP_SERVER };

/* Open groups of one instance: what init and the keeper's process join. */
struct cgroup_groups {
	int host[CGROUP_HIERARCHIES_MAX]; /* one in every hierarchy */
	size_t n_host;
	int leaf_host[CGROUP_HIERARCHIES_MAX]; /* of those, the ones with leaves; not owned */
	int server[CGROUP_HIERARCHIES_MAX];
	size_t n_server;
	int directories[2];   /* in version 2, for cgroup_fork: CGROUP_HOST, CGROUP_SERVER */
	size_t n_directories; /* 0: there are none */
};

/*
 * Makes the groups of instance id below parent ("stint"), and parent itself, which must not be
 * removed (cgroup_remove_parent) before a process has joined. Leaves what it made to cgroup_undo
 * when it fails. The caller ends ret_groups with cgroup_groups_close.
 */
int cgroup_prepare(const struct cgroup_tree *tree, const char *parent, const char *id,
		   struct cgroup_groups *ret_groups, struct error *err);
/* The same groups, which are there. -ENOENT when they are not. */
int cgroup_reopen(const struct cgroup_tree *tree, const char *parent, const char *id,
		  struct cgroup_groups *ret_groups, struct error *err);
void cgroup_groups_close(struct cgroup_groups *groups);

/*
 * The host path of the group in a hierarchy that is shown to the instance (its own, or where it has
 * none the parent), and where it is to be seen inside.
 * False when the inside has no use for this hierarchy. The caller frees both.
 */
bool cgroup_view(const struct cgroup_hierarchy *hierarchy, const char *parent, const char *id,
		 char **ret_source, char **ret_target);

/*
 * Kills everything in the groups of instance id, waits until they are empty (at most 5 s) and
 * removes them. Groups that are not there are no error. -EBUSY
 * when processes cannot be killed; the text names the group. A caller that is
 * itself in the instance's groups moves to the root of each hierarchy first.
 */
int cgroup_undo(const struct cgroup_tree *tree, const char *parent, const char *id,
		struct error *err);

/* Removes parent from every hierarchy where nothing uses it. */
void cgroup_remove_parent(const struct cgroup_tree *tree, const char *parent);

/*
 * Calls each(id, data) for every instance that has a group below parent; stops when it returns
 * nonzero and returns that.
 */
int cgroup_each_id(const struct cgroup_tree *tree, const char *parent,
		   int (*each)(const char *id, void *data), void *data);

#endif
