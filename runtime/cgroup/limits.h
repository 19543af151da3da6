/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits of a control group, host half. Each limit has one backend for version 2, one for version 1
 * and, where the host has no such controller, none: it is said, never assumed, what is enforced.
 * Which version it is depends on where the limit's controller is mounted, each for itself.
 */
#ifndef CGROUP_LIMITS_H
#define CGROUP_LIMITS_H

#include "cgroup/cgroup.h"

#include <stdint.h>

enum cgroup_limit_kind {
	CGROUP_MEMORY,	 /* bytes */
	CGROUP_SWAP,	 /* bytes beyond the memory */
	CGROUP_CPU,	 /* thousandths of a processor */
	CGROUP_PIDS,	 /* processes and threads */
	CGROUP_IO_READ,	 /* bytes a second from each of the devices */
	CGROUP_IO_WRITE, /* and to them */
	CGROUP_LIMIT_KINDS,
};

struct cgroup_limits {
	struct {
		uint64_t value;
		bool asked;
	} of[CGROUP_LIMIT_KINDS];
	char *const *devices;	/* "MAJOR:MINOR", for I/O; NULL: none */
	const char *no_devices; /* why there are none, or not all of them */
};

/* What became of one limit. */
struct cgroup_outcome {
	uint64_t set;  /* as the kernel says it, which may be a little less than asked */
	char by[64];   /* what enforces it, "cgroup v2 memory"; "": nothing does */
	char why[200]; /* why nothing does */
};

/*
 * Sets what is asked on the group ("stint/a1b2c3d4/server", below each hierarchy's root; it exists)
 * and reads each value back. In version 2 the controllers are enabled in all groups above. A limit
 * that is not asked for is left as it is, and its outcome is empty.
 */
void cgroup_limits_apply(const struct cgroup_tree *tree, const char *group,
			 const struct cgroup_limits *limits,
			 struct cgroup_outcome ret_outcomes[CGROUP_LIMIT_KINDS]);

/*
 * Makes the kernel count memory and tasks of the group where it can, and end all of its processes
 * together when it kills one for want of memory (version 2; in version 1 the keeper does).
 */
void cgroup_account(const struct cgroup_tree *tree, const char *group);

/*
 * Descriptors from which a process without rights learns that the kernel killed something of the
 * group for want of memory: keeper/memory.h reads them.
 */
struct cgroup_watch {
	int version; /* 0: there is nothing to learn from, and the descriptors are -1 */
	int event, count, hits;
};

void cgroup_watch_open(const struct cgroup_tree *tree, const char *group,
		       struct cgroup_watch *ret_watch);
void cgroup_watch_close(struct cgroup_watch *watch);

/*
 * A descriptor whose file freezes the group when keeper/deadline.c writes to it; -1 where there is
 * no version 2 tree. Controllers need not be in it; the freezer of version 1 is not used, because
 * what it holds cannot be killed.
 */
int cgroup_freezer_open(const struct cgroup_tree *tree, const char *group);

/* What the group uses now; false where the kernel does not count it. */
bool cgroup_usage(const struct cgroup_tree *tree, const char *group, enum cgroup_limit_kind kind,
		  uint64_t *ret_used);

/*
 * The least limit of memory of the groups above group ("stint": of the hierarchy's root, as a
 * container sees it); UINT64_MAX: there is none.
 */
uint64_t cgroup_memory_bound(const struct cgroup_tree *tree, const char *group);

/*
 * True when the host has the limit's controller, somewhere: *ret_version is 1 or 2. For a look
 * without a group.
 */
bool cgroup_limit_possible(const struct cgroup_tree *tree, enum cgroup_limit_kind kind,
			   int *ret_version);

#endif
