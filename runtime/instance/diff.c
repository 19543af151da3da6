/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upper against lower; see diff.h. In the command, on the host. A layer is walked twice: first for
 * the lower directories that were renamed, so that what is gone from the old place is not called
 * deleted, then for the changes.
 */
#include "instance/diff.h"
#include "instance/above.h"
#include "instance/inspect.h"
#include "instance/overlay.h"
#include "instance/same.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define DEPTH_MAX 200 /* three descriptors each */

struct walk {
	struct diff *diff;
	int lower;	    /* the overlay's root */
	const char *prefix; /* where the instance sees it */
	bool collecting;    /* the first of the two walks */
	char **renamed;	    /* lower paths of renamed directories, sorted in the second walk */
	size_t n_renamed;
	struct error *err;
};

/* A directory of the upper, and what lies below it. Paths are "" for the overlay's root. */
struct level {
	int upper;	    /* O_PATH */
	int lower;	    /* O_PATH, -1: nothing */
	const char *path;   /* where the instance sees it, from the overlay's root */
	const char *origin; /* where the lower is, from the overlay's root */
	bool opaque;	    /* nothing shows through, also further down */
	unsigned depth;
};

static void add_entry(struct walk *walk, enum diff_kind kind, const char *path, const char *from)
{
	struct diff *diff = walk->diff;

	if (walk->collecting)
		return;
	if (diff->n == diff->size) {
		diff->size = diff->size ? 2 * diff->size : 64;
		diff->list = xrealloc(diff->list, diff->size, sizeof(*diff->list));
	}
	diff->list[diff->n++] = (struct diff_entry){
		.kind = kind,
		.path = xasprintf("%s%s", walk->prefix, path),
		.from = from ? xasprintf("%s%s", walk->prefix, from) : NULL,
	};
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_renamed(const struct walk *walk, const char *origin)
{
	return !walk->collecting && walk->n_renamed > 0 &&
	       bsearch(&origin, walk->renamed, walk->n_renamed, sizeof(char *), compare_strings);
}

static int failed(const struct walk *walk, int r, const char *path)
{
	cleanup_text struct text shown = {0};

	text_add_visible_name(&shown, path);
	return error_set(walk->err, -r, "cannot compare '%s%s'", walk->prefix,
			 shown.data ? shown.data : "");
}

/* What lies below, at the same place; a directory that is elsewhere now does not. */
static int find_lower(const struct walk *walk, const struct level *level, const char *name,
		      struct found *ret_lower)
{
	cleanup_free char *origin = xasprintf("%s/%s", level->origin, name);

	if (is_renamed(walk, origin)) {
		ret_lower->fd = -1;
		return 0;
	}
	return inspect_find(level->lower, name, ret_lower);
}

/* The lower path that a renamed directory names, NULL when it is not renamed. */
static char *origin_of(const struct level *level, const struct found *upper)
{
	cleanup_free char *redirect = overlay_redirect(upper->fd);

	if (!redirect || overlay_is_opaque(upper->fd))
		return NULL;
	if (redirect[0] == '/')
		return steal_ptr(redirect);
	if (level->opaque || level->lower < 0 || strchr(redirect, '/'))
		return NULL;
	return xasprintf("%s/%s", level->origin, redirect);
}

static int find_origin(const struct walk *walk, const char *origin, struct found *ret_lower)
{
	int fd = file_open_beneath(walk->lower, origin + strspn(origin, "/"),
				   O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

	ret_lower->fd = fd < 0 ? -1 : fd;
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
	return fstat(fd, &ret_lower->st) < 0 ? -errno : 0;
}

static int report_object(struct walk *walk, const char *path, const struct found *upper,
			 const struct found *lower)
{
	int same;

	if (lower->fd < 0) {
		add_entry(walk, DIFF_ADDED, path, NULL);
		return 0;
	}
	if (walk->collecting)
		return 0;
	same = same_object(upper, lower);
	if (same == 0)
		add_entry(walk, DIFF_CHANGED, path, NULL);
	return same < 0 && same != -ENOENT ? failed(walk, same, path) : 0;
}

static int walk_level(struct walk *walk, const struct level *level);

/* A directory with its lower known; origin is NULL when it was not renamed. */
static int enter(struct walk *walk, const struct level *level, const char *name,
		 const struct found *upper, const struct found *lower, const char *origin)
{
	cleanup_free char *path = xasprintf("%s/%s", level->path, name);
	cleanup_free char *natural = xasprintf("%s/%s", level->origin, name);
	bool merged = lower->fd >= 0 && S_ISDIR(lower->st.st_mode);
	struct level inner = {
		.upper = upper->fd,
		.lower = merged ? lower->fd : -1,
		.path = path,
		.origin = origin ? origin : natural,
		.opaque = overlay_is_opaque(upper->fd) || (level->opaque && !origin),
		.depth = level->depth + 1,
	};
	int r;

	if (origin && merged && strcmp(origin, path) != 0) {
		add_entry(walk, DIFF_RENAMED, path, origin);
		if (walk->collecting) {
			walk->renamed =
				xrealloc(walk->renamed, walk->n_renamed + 1, sizeof(char *));
			walk->renamed[walk->n_renamed++] = xstrdup(origin);
		}
	}
	r = report_object(walk, path, upper, lower);
	return r < 0 ? r : walk_level(walk, &inner);
}

static int visit_directory(struct walk *walk, const struct level *level, const char *name,
			   const struct found *upper, const struct found *natural)
{
	cleanup_free char *origin = origin_of(level, upper);
	cleanup_found struct found lower = {.fd = -1};
	int r;

	if (!origin)
		return enter(walk, level, name, upper, natural, NULL);
	r = find_origin(walk, origin, &lower);
	return r < 0 ? failed(walk, r, origin) : enter(walk, level, name, upper, &lower, origin);
}

static int visit(struct walk *walk, const struct level *level, const char *name)
{
	cleanup_free char *path = xasprintf("%s/%s", level->path, name);
	cleanup_found struct found upper = {.fd = -1}, lower = {.fd = -1};
	int r = inspect_find(level->upper, name, &upper);

	if (r == 0)
		r = find_lower(walk, level, name, &lower);
	if (r < 0)
		return failed(walk, r, path);
	if (upper.fd < 0)
		return 0;
	if (overlay_is_whiteout(upper.fd, &upper.st)) {
		if (lower.fd >= 0)
			add_entry(walk, DIFF_DELETED, path, NULL);
		return 0;
	}
	if (S_ISDIR(upper.st.st_mode))
		return visit_directory(walk, level, name, &upper, &lower);
	return report_object(walk, path, &upper, &lower);
}

/* What does not show through an opaque directory and is not there anew either. */
static int report_hidden(struct walk *walk, const struct level *level)
{
	cleanup_strv char **names = NULL;
	int r = inspect_names(level->lower, &names);

	if (r < 0)
		return failed(walk, r, level->path);
	for (size_t i = 0; names && names[i]; i++) {
		cleanup_free char *path = xasprintf("%s/%s", level->path, names[i]);
		cleanup_free char *origin = xasprintf("%s/%s", level->origin, names[i]);
		struct stat st;

		if (fstatat(level->upper, names[i], &st, AT_SYMLINK_NOFOLLOW) < 0 &&
		    errno == ENOENT && !is_renamed(walk, origin))
			add_entry(walk, DIFF_DELETED, path, NULL);
	}
	return 0;
}

static int walk_level(struct walk *walk, const struct level *level)
{
	cleanup_strv char **names = NULL;
	int r;

	if (level->depth > DEPTH_MAX)
		return failed(walk, -ENAMETOOLONG, level->path);
	r = inspect_names(level->upper, &names);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return failed(walk, r, level->path);
	for (size_t i = 0; names && names[i]; i++) {
		r = visit(walk, level, names[i]);
		if (r < 0)
			return r;
	}
	if (level->opaque && level->lower >= 0 && !walk->collecting)
		return report_hidden(walk, level);
	return 0;
}

static int walk_twice(struct walk *walk, const struct found *upper, const struct found *lower)
{
	struct level top = {.upper = upper->fd, .lower = lower->fd, .path = "", .origin = ""};
	int r;

	walk->collecting = true;
	r = walk_level(walk, &top);
	if (r < 0)
		return r;
	walk->collecting = false;
	if (walk->n_renamed > 0)
		qsort(walk->renamed, walk->n_renamed, sizeof(char *), compare_strings);
	r = report_object(walk, "", upper, lower);
	return r < 0 ? r : walk_level(walk, &top);
}

int diff_layer(int upper, int lower, const char *prefix, struct diff *diff, struct error *err)
{
	cleanup_found struct found top = {.fd = -1}, below = {.fd = -1};
	struct walk walk = {.diff = diff, .prefix = prefix, .err = err};
	int r = inspect_find(upper, ".", &top);

	if (r == 0)
		r = inspect_find(lower, ".", &below);
	if (r < 0 || top.fd < 0 || below.fd < 0)
		return error_set(err, r ? -r : ENOENT, "cannot look at the layers of '%s'", prefix);
	walk.lower = below.fd;
	r = walk_twice(&walk, &top, &below);
	for (size_t i = 0; i < walk.n_renamed; i++)
		free(walk.renamed[i]);
	free(walk.renamed);
	return r;
}

static int diff_one(const struct site *site, int pool, const struct record *record, size_t index,
		    struct diff *diff, struct error *err)
{
	cleanup_free char *path = xasprintf("layer/%zu/upper", index);
	cleanup_fd int upper = file_open_beneath(pool, path, O_PATH | O_DIRECTORY, 0);
	cleanup_fd int lower = above_open(site, record, index, err);

	if (lower < 0)
		return lower;
	if (upper < 0)
		return error_set(err, -upper, "cannot open the layer of '%s'",
				 record->layers[index]);
	return diff_layer(upper, lower, record->layers[index], diff, err);
}

int diff_instance(const struct site *site, int pool, const struct record *record,
		  struct diff *ret_diff, struct error *err)
{
	cleanup_diff struct diff diff = {0};

	for (size_t i = 0; record->layers && record->layers[i]; i++) {
		int r = diff_one(site, pool, record, i, &diff, err);

		if (r < 0)
			return r;
	}
	diff_sort(&diff);
	*ret_diff = diff;
	diff = (struct diff){0};
	return 0;
}

static int compare_entries(const void *a, const void *b)
{
	const struct diff_entry *x = a, *y = b;
	int r = strcmp(x->path, y->path);

	return r ? r : (int)y->kind - (int)x->kind;
}

void diff_sort(struct diff *diff)
{
	if (diff->n > 0)
		qsort(diff->list, diff->n, sizeof(*diff->list), compare_entries);
}

void diff_deinit(struct diff *diff)
{
	for (size_t i = 0; i < diff->n; i++) {
		free(diff->list[i].path);
		free(diff->list[i].from);
	}
	free(diff->list);
	*diff = (struct diff){0};
}
