/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a file that a template has changed; see applying.h. It begins at the place that the
 * instance can write (the view of an install, /tmp and the like) and never leaves that: what a
 * link of the install names elsewhere may be a part of the host, or the kernel's.
 */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static const char *key_of(const struct applying *a)
{
	static const char *const keys[ROOT_OP_KINDS] = {[ROOT_SCRUB] = "scrub",
							[ROOT_PUT] = "files",
							[ROOT_EDIT] = "edit",
							[ROOT_SECRET] = "secrets",
							[ROOT_LINK] = "secrets"};

	return keys[a->op->kind];
}

int root_cannot_change(const struct applying *a, int r, const char *what)
{
	return error_set(a->err, -r, "%s: '%s': cannot %s", key_of(a), a->op->target, what);
}

int root_say_change(const struct applying *a, const char *why)
{
	return error_say(a->err, ERROR_FAILED, "%s: '%s': %s", key_of(a), a->op->target, why);
}

static int say_leads_out(const struct applying *a)
{
	error_say(a->err, ERROR_FAILED,
		  "%s: '%s': a symbolic link on the way leads out of '%s'; write the path that it "
		  "leads to, if that is the instance's",
		  key_of(a), a->op->target, a->op->place);
	return error_with_code(a->err, -EXDEV);
}

/* A directory below the place; made with what is missing above it when that is wanted. */
static int open_below(const struct applying *a, int place, const char *path, bool make)
{
	int fd = file_open_beneath(place, path, O_PATH | O_DIRECTORY, 0);
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	cleanup_free char *parent_path = NULL;
	cleanup_fd int parent = -1;

	if (fd != -ENOENT || !make)
		return fd;
	parent_path = xasprintf("%.*s", (int)(slash ? slash - path : 1), slash ? path : ".");
	parent = slash ? open_below(a, place, parent_path, true)
		       : file_open_beneath(place, ".", O_PATH | O_DIRECTORY, 0);
	if (parent < 0)
		return parent;
	if (mkdirat(parent, name, 0755) == 0) {
		if (fchownat(parent, name, root_host_uid(a), root_host_gid(a),
			     AT_SYMLINK_NOFOLLOW) < 0)
			return -errno;
	} else if (errno != EEXIST) {
		return -errno;
	}
	return file_open_beneath(place, path, O_PATH | O_DIRECTORY, 0);
}

int root_open_within(const struct applying *a, bool make, const char **ret_name)
{
	const char *rest = a->op->target + strlen(a->op->place) + 1;
	const char *slash = strrchr(rest, '/');
	cleanup_free char *directory = NULL;
	cleanup_fd int place = -1;
	int fd;

	*ret_name = slash ? slash + 1 : rest;
	place = file_open_in_root(a->root, a->op->place, O_PATH | O_DIRECTORY, 0);
	if (place < 0 || !slash)
		return steal_fd(&place);
	directory = xasprintf("%.*s", (int)(slash - rest), rest);
	fd = open_below(a, place, directory, make);
	return fd == -EXDEV || fd == -ELOOP ? say_leads_out(a) : fd;
}
