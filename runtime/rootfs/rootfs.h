/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system of an instance, host half: what an instance sees, decided from the plan
 * and this host, as a list of operations for the inside half (inside.h).
 */
#ifndef ROOTFS_ROOTFS_H
#define ROOTFS_ROOTFS_H

#include "base/error.h"
#include "plan/plan.h"
#include "rootfs/inside.h"

#include <stdbool.h>
#include <sys/types.h>

#define ROOTFS_TTY 5U /* the group of terminals */

struct rootfs_account {
	const char *name, *group, *home;
	uid_t uid;
	gid_t gid;
};

struct rootfs_group {
	const char *name;
	gid_t gid;
};

/* What the view of an install directory lies on. */
struct rootfs_lower {
	const char *path; /* directory of the host */
	int32_t image;	  /* >= 0: empty; what it has is on the device of that descriptor */
	char **above;	  /* further directories above it, the lowest first; NULL: none */
};

/* A host directory that is shown read-only at a place inside. */
struct rootfs_view {
	char *source, *target;
};

/* Of what is put inside: who it belongs to, and which descriptor has what is in it. */
struct rootfs_put {
	uid_t uid;
	gid_t gid;
	uint32_t number;
};

struct rootfs_secret {
	const struct plan_secret *plan;
	struct rootfs_put put;
};

struct rootfs_input {
	const struct plan *plan;
	const char *hostname;
	uint32_t address;     /* IPv4, host byte order */
	const char *address6; /* text, "": none */
	/* Host directory with hosts and resolv.conf of its zone; NULL: files of its own */
	const char *zone_files;
	bool peers;			      /* the zone's hosts are for it, too */
	const struct rootfs_account *account; /* the server's user */
	const struct rootfs_group *groups;    /* in which that one is too */
	size_t n_groups;
	const struct rootfs_account *owners; /* of the install; they get names, and no home */
	size_t n_owners;
	char *const *paths;		   /* the plan's paths, patterns expanded */
	const struct rootfs_lower *lowers; /* one for each install directory; NULL: itself */
	const char *layers;		   /* directory that holds "<i>/upper" and "<i>/work" */
	/*
	 * With a disk limit: the directory for /tmp, /var and the like, and the size in bytes of
	 * the two file systems in memory beside it. NULL, 0: they share the root's.
	 */
	const char *scratch;
	uint64_t root_size, shm_size;
	bool in_pool;			   /* layers and scratch are paths in the pool (inside.h) */
	const struct rootfs_view *cgroups; /* the instance's own groups */
	size_t n_cgroups;
	const struct rootfs_put *puts;	     /* one for each of the plan's files */
	const struct rootfs_secret *secrets; /* those of the plan's that there are */
	size_t n_secrets;
	bool has_ids; /* it gets a user namespace */
};

/* Fills ret_ops; the caller ends it with root_ops_deinit also after a failure. */
int rootfs_compile(const struct rootfs_input *input, struct root_ops *ret_ops, struct error *err);

/*
 * Whether the owners of what lies in the directory can be mapped by the user namespace, as its
 * file system must be able to do for the layers of an instance with ids of its own. -EINVAL: the
 * file system cannot; -ENOSYS: a call that such a root takes is refused (mount_refused_call() says
 * which). Needs root, and changes nothing.
 */
int rootfs_can_idmap(const char *path, int userns);

/*
 * Opens a new mount namespace with nothing in it but an empty directory (root_enter), which lasts
 * as long as a descriptor or a process of it. Negative errno. Forks; needs root.
 */
int rootfs_open_empty(struct error *err);

/*
 * What the template has done to the instance's files, after all mounts; called by rootfs_compile.
 * ERROR_FAILED for what lies in no place that the instance can write.
 */
int rootfs_compile_content(const struct rootfs_input *input, struct root_ops *ops,
			   struct error *err);

/* The generated files of /etc; called by rootfs_compile. */
void rootfs_compile_etc(const struct rootfs_input *input, struct root_ops *ops);

#endif
