/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the parts of root_apply() (inside.h): the operation at hand, the places of the new root
 * and what is put on them. Functions return 0 or a descriptor, or a negative errno; what is
 * missing on the way to a place is made.
 */
#ifndef ROOTFS_APPLYING_H
#define ROOTFS_APPLYING_H

#include "rootfs/inside.h"
#include "rootfs/mount.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ROOT_MADE_MAX 16

/* The file systems that were made for this root: what is covered and covers lies on one of them. */
struct root_made {
	struct {
		const char *target;
		int fd;
	} list[ROOT_MADE_MAX];
	size_t n;
};

struct applying {
	int root; /* of the new tree, attached */
	const struct mount_way *way;
	const struct root_owner *owner;
	struct root_made *made;
	const struct root_op *op;
	struct error *err;
};

/* "cannot WHAT 'source' at 'target'" with the negative errno r, which it returns. */
int root_cannot(const struct applying *a, int r, const char *what);

/* The same for owners that cannot be mapped on the file system of the host's path, open as fd. */
int root_cannot_map(const struct applying *a, int r, const char *path, int fd);

/* Whether the instance has ids of its own. */
bool root_has_ids(const struct applying *a);

/* Where the host's paths that may be ROOT_IN_POOL begin: a directory's descriptor, or AT_FDCWD. */
int root_origin(const struct applying *a);

/* The target as a directory or a file, and the parent with the target's last component. */
int root_open_directory(const struct applying *a);
int root_open_file(const struct applying *a);
int root_open_parent(const struct applying *a, const char **ret_name);

/* The MOUNT_ATTR_* that the flags of the operation mean. */
uint64_t root_attributes(const struct root_op *op);

/* ROOT_OVERLAY, ROOT_READ_ONLY, ROOT_MASK_FILE, ROOT_MASK_DIRECTORY. */
int root_apply_overlay(const struct applying *a);
int root_apply_read_only(const struct applying *a);
int root_apply_mask_file(const struct applying *a);
int root_apply_mask_directory(const struct applying *a);

/*
 * For what changes files: opens the directory in which the target lies, from the operation's place
 * on; make: with what is missing, which belongs to the operation's owner. A link may lead somewhere
 * else below the place, and never out of it: -EXDEV, with an error that says so. -ENOENT or
 * -ENOTDIR, and no error, when there is none. ret_name is the target's last component.
 */
int root_open_within(const struct applying *a, bool make, const char **ret_name);

/* "files: 'target': cannot WHAT" with the negative errno r, which it returns. */
int root_cannot_change(const struct applying *a, int r, const char *what);
/* "files: 'target': WHY", and a negative errno. */
int root_say_change(const struct applying *a, const char *why);

/* The operation's owner as the host knows it. */
uid_t root_host_uid(const struct applying *a);
gid_t root_host_gid(const struct applying *a);

/* What a file becomes; owner and mode are the host's. */
struct root_content {
	const char *data; /* NULL: what can be read from fd */
	size_t length;
	int fd;
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

/* Puts a file in place of what has that name, unless it is a directory: as a whole or not at all.
 */
int root_put_file(int directory, const char *name, const struct root_content *content);
/* The same for a symbolic link. */
int root_put_link(int directory, const char *name, const char *text, uid_t uid, gid_t gid);

/* ROOT_SCRUB, ROOT_PUT and ROOT_SECRET, ROOT_EDIT, ROOT_LINK. */
int root_apply_scrub(const struct applying *a);
int root_apply_put(const struct applying *a);
int root_apply_edit(const struct applying *a);
int root_apply_link(const struct applying *a);

/* Takes over the descriptor of the file system just made at the target. */
int root_made_add(struct root_made *made, const char *target, int fd);
/* Fails unless each of them is still what its target shows. */
int root_made_check(const struct root_made *made, int root, struct error *err);
void root_made_deinit(struct root_made *made);

/*
 * Enters the attached root of the new tree, which is copied for that, in a copy of the empty mount
 * namespace; where there is none (-1), or it cannot be entered, in this one, whose old root goes.
 */
int root_enter(int root, int empty, struct error *err);

/* What the process had before root_own(). */
struct root_credentials {
	uint32_t effective[2];
	uid_t uid;
	gid_t gid;
};

/*
 * Makes files and file systems from here on belong to root inside, without the capability to
 * write into what a disk keeps for root; root_disown() takes it back.
 */
int root_own(const struct root_owner *owner, struct root_credentials *ret_before,
	     struct error *err);
int root_disown(const struct root_credentials *before, struct error *err);

#endif
