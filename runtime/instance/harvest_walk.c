/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which files make a harvest: an upper layer read as overlayfs reads it (kernel: overlayfs.rst),
 * through descriptors, while its owner may be changing it; see harvesting.h. The lower layer is
 * read as well, but only below directories that were renamed: what they brought along must not
 * depend on where they came from.
 */
#include "instance/harvesting.h"
#include "instance/overlay.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define DEPTH_MAX 200 /* three descriptors each */

struct walk {
	struct packing *packing;
	int lower; /* the overlay's root */
};

/* A directory of the view, and what lies below it. */
struct spot {
	int upper, lower; /* O_PATH; -1: nothing there */
	const char *path; /* as the instance sees it */
	bool whole;	  /* all that can be seen there is packed, not only what was written */
	bool covered;	  /* a directory above was packed as opaque: nothing needs a mark */
	unsigned depth;
};

enum want {
	WANT_NOTHING,
	WANT_WAY, /* something below it is wanted */
	WANT_IT,  /* with all below it */
};

static enum want wanted(const struct walk *walk, const char *path)
{
	char *const *below = walk->packing->harvest->below;
	enum want want = below ? WANT_NOTHING : WANT_IT;

	for (; below && *below; below++) {
		if (path_is_within(path, *below))
			return WANT_IT;
		if (path_is_within(*below, path))
			want = WANT_WAY;
	}
	return want;
}

/* Nothing is at the path, nor below it. */
static int put_deleted(const struct walk *walk, const char *path)
{
	char *const *below = walk->packing->harvest->below;
	int r = 0;

	if (wanted(walk, path) == WANT_IT)
		return packing_delete(walk->packing, path);
	for (; r == 0 && *below; below++)
		if (path_is_within(*below, path))
			r = packing_delete(walk->packing, *below);
	return r;
}

/* Where a renamed directory has its lower; -1 when it is gone. */
static int open_origin(const struct walk *walk, const struct spot *spot, const char *redirect)
{
	if (redirect[0] == '/')
		return file_open_exactly(walk->lower, redirect + strspn(redirect, "/"),
					 O_PATH | O_DIRECTORY);
	if (spot->lower < 0 || strchr(redirect, '/'))
		return -ENOENT;
	return file_open_exactly(spot->lower, redirect, O_PATH | O_DIRECTORY);
}

static int walk_spot(const struct walk *walk, const struct spot *spot);

/* What it is merged with. natural: what the lower has at the same place. */
static int find_below(const struct walk *walk, const struct spot *spot, const struct found *upper,
		      const struct found *natural, struct spot *inner, int *ret_origin)
{
	bool natural_directory = natural->fd >= 0 && S_ISDIR(natural->st.st_mode);
	cleanup_free char *redirect = NULL;
	int fd;

	inner->lower = natural_directory ? natural->fd : -1;
	if (upper->fd < 0)
		return 0;
	if (overlay_is_opaque(upper->fd)) {
		inner->whole = true;
		inner->lower = -1;
		return 0;
	}
	redirect = overlay_redirect(upper->fd);
	if (!redirect)
		return 0;
	inner->whole = true;
	fd = open_origin(walk, spot, redirect);
	if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR && fd != -ELOOP)
		return fd;
	inner->lower = *ret_origin = fd < 0 ? -1 : fd;
	return 0;
}

static int visit_directory(const struct walk *walk, const struct spot *spot, const char *path,
			   const struct found *upper, const struct found *natural)
{
	cleanup_fd int origin = -1;
	struct spot inner = {
		.upper = upper->fd, .path = path, .whole = spot->whole, .depth = spot->depth + 1};
	int r = find_below(walk, spot, upper, natural, &inner, &origin);

	if (r < 0)
		return packing_cannot(walk->packing, r, "look below", path);
	if (wanted(walk, path) == WANT_IT) {
		inner.covered = inner.whole;
		r = packing_put(walk->packing, path, upper->fd >= 0 ? upper : natural,
				inner.whole && !spot->covered);
	}
	return r < 0 ? r : walk_spot(walk, &inner);
}

static int visit(const struct walk *walk, const struct spot *spot, const char *name)
{
	cleanup_found struct found upper = {.fd = -1}, lower = {.fd = -1};
	cleanup_free char *path = xasprintf("%s/%s", spot->path, name);
	const struct found *seen = &upper;
	int r = inspect_find(spot->upper, name, &upper);

	if (r == 0)
		r = inspect_find(spot->lower, name, &lower);
	if (r < 0)
		return packing_cannot(walk->packing, r, "look at", path);
	if (upper.fd < 0 && spot->whole)
		seen = &lower;
	if (upper.fd >= 0 && overlay_is_whiteout(upper.fd, &upper.st))
		return spot->covered ? 0 : put_deleted(walk, path);
	if (seen->fd < 0) /* gone meanwhile, or never there */
		return spot->whole && !spot->covered ? put_deleted(walk, path) : 0;
	if (strncmp(name, HARVEST_MARK, strlen(HARVEST_MARK)) == 0) {
		packing_leave_out(walk->packing, path,
				  "has a name that would mean a deletion, and is left out");
		return 0;
	}
	if (S_ISDIR(seen->st.st_mode))
		return visit_directory(walk, spot, path, &upper, &lower);
	return wanted(walk, path) == WANT_IT ? packing_put(walk->packing, path, seen, false)
					     : put_deleted(walk, path);
}

/* On the way to what is wanted: only the names that lead there. */
static char **names_on_way(const struct walk *walk, const struct spot *spot)
{
	char *const *below = walk->packing->harvest->below;
	size_t length = strlen(spot->path);
	char **names = NULL;

	for (; *below; below++) {
		cleanup_free char *name = NULL;

		if (!path_is_within(*below, spot->path))
			continue;
		name = xasprintf("%.*s", (int)strcspn(*below + length + 1, "/"),
				 *below + length + 1);
		if (!strv_contains(names, name))
			strv_add(&names, name);
	}
	return names;
}

/* The lower's names that the upper has, too, are found there. */
static int visit_lower(const struct walk *walk, const struct spot *spot)
{
	cleanup_strv char **names = NULL;
	int r = inspect_names(spot->lower, &names);

	if (r < 0)
		return packing_cannot(walk->packing, r, "list", spot->path);
	for (size_t i = 0; r == 0 && names && names[i]; i++) {
		struct stat st;

		if (spot->upper < 0 || fstatat(spot->upper, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			r = visit(walk, spot, names[i]);
	}
	return r;
}

static int walk_spot(const struct walk *walk, const struct spot *spot)
{
	bool on_way = wanted(walk, spot->path) == WANT_WAY;
	cleanup_strv char **names = NULL;
	int r = 0;

	if (spot->depth > DEPTH_MAX)
		return packing_cannot(walk->packing, -ENAMETOOLONG, "pack", spot->path);
	if (on_way)
		names = names_on_way(walk, spot);
	else if (spot->upper >= 0)
		r = inspect_names(spot->upper, &names);
	if (r == -ENOENT) {
		packing_leave_out(walk->packing, spot->path, "was removed meanwhile");
		return 0;
	}
	if (r < 0)
		return packing_cannot(walk->packing, r, "list", spot->path);
	for (size_t i = 0; r == 0 && names && names[i]; i++)
		r = visit(walk, spot, names[i]);
	if (r == 0 && !on_way && spot->whole && spot->lower >= 0)
		r = visit_lower(walk, spot);
	return r;
}

int harvest_layer(struct packing *packing, int upper, int lower, const char *install)
{
	const struct walk walk = {.packing = packing, .lower = lower};
	const struct spot top = {.upper = upper, .lower = lower, .path = install};
	cleanup_found struct found found = {.fd = -1};
	int r = 0;

	if (wanted(&walk, install) == WANT_NOTHING)
		return 0;
	if (wanted(&walk, install) == WANT_IT)
		r = inspect_find(upper, ".", &found);
	if (r < 0)
		return packing_cannot(packing, r, "look at", install);
	if (found.fd >= 0)
		r = packing_put(packing, install, &found, false);
	return r < 0 ? r : walk_spot(&walk, &top);
}
