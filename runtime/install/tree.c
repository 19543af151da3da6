/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of directories; see tree.h. Whoever owns the source may change it meanwhile: each thing in
 * it is opened below the directory, without a symbolic link on the way, and compared with the
 * manifest before and after it was read. The copy is root's alone until it is complete.
 */
#include "install/tree.h"
#include "install/tree_file.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

struct copying {
	struct tree_copy *copy;
	const struct manifest_entry **shared; /* files of several names, by inode and path */
	size_t n_shared;
	struct error *err;
};

static const char *path_of(const struct manifest_entry *entry)
{
	return *entry->path ? entry->path : ".";
}

static int cannot(const struct copying *copying, const struct manifest_entry *entry, int errnum,
		  const char *what)
{
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, entry->path, strlen(entry->path));
	return error_set(copying->err, errnum, "cannot %s '%s%s%s'", what, copying->copy->name,
			 *entry->path ? "/" : "", shown.data ? shown.data : "");
}

static int cannot_keep(const struct copying *copying, const struct manifest_entry *entry, int r)
{
	const char *name = copying->copy->name, *slash = *entry->path ? "/" : "";
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, entry->path, strlen(entry->path));
	if (r == -EUCLEAN)
		return error_say(
			copying->err, ERROR_FAILED,
			"'%s%s%s' has an attribute 'trusted.overlay.*', as in the upper layer "
			"of an overlay: instances would see something else; remove it",
			name, slash, shown.data ? shown.data : "");
	if (r == -EOPNOTSUPP)
		return error_say(
			copying->err, ERROR_FAILED,
			"'%s%s%s' has an extended attribute that the file system of stint's "
			"state directory cannot keep",
			name, slash, shown.data ? shown.data : "");
	return cannot(copying, entry, -r, "keep owner, mode, time or attributes of");
}

static int say_changed(const struct copying *copying, const struct manifest_entry *entry)
{
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, entry->path, strlen(entry->path));
	error_say(copying->err, ERROR_FAILED,
		  "'%s%s%s' changed while it was being read; try again when nothing writes to '%s'",
		  copying->copy->name, *entry->path ? "/" : "", shown.data ? shown.data : "",
		  copying->copy->name);
	return error_with_code(copying->err, -EAGAIN);
}

static bool is_as_recorded(int fd, const struct manifest_entry *entry)
{
	struct manifest_entry now = {.link = entry->link};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	manifest_entry_set(&now, &st);
	return manifest_entry_is_untouched(&now, entry);
}

/* -EAGAIN, with a sentence, when it is not there as it was. */
static int open_source(const struct copying *copying, const struct manifest_entry *entry)
{
	int directory = S_ISDIR(entry->mode) ? O_DIRECTORY : 0;
	cleanup_fd int fd = file_open_exactly(copying->copy->from, path_of(entry),
					      O_RDONLY | O_NONBLOCK | O_NOCTTY | directory);

	if (fd == -EACCES || fd == -EPERM || fd == -EMFILE || fd == -ENFILE)
		return cannot(copying, entry, -fd, "read");
	if (fd < 0 || !is_as_recorded(fd, entry))
		return say_changed(copying, entry);
	return steal_fd(&fd);
}

static int compare_shared(const void *a, const void *b)
{
	const struct manifest_entry *x = *(const struct manifest_entry *const *)a;
	const struct manifest_entry *y = *(const struct manifest_entry *const *)b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void find_shared(struct copying *copying)
{
	const struct manifest *manifest = copying->copy->manifest;

	copying->shared = xcalloc(manifest->n + 1, sizeof(const struct manifest_entry *));
	for (size_t i = 0; i < manifest->n; i++)
		if (S_ISREG(manifest->list[i].mode) && manifest->list[i].links > 1)
			copying->shared[copying->n_shared++] = &manifest->list[i];
	qsort(copying->shared, copying->n_shared, sizeof(const struct manifest_entry *),
	      compare_shared);
}

/* The first name of the same file, if that is another one. */
static const struct manifest_entry *first_name(const struct copying *copying,
					       const struct manifest_entry *entry)
{
	size_t low = 0, high = copying->n_shared;

	if (entry->links < 2)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (copying->shared[middle]->inode < entry->inode)
			low = middle + 1;
		else
			high = middle;
	}
	return copying->shared[low] == entry ? NULL : copying->shared[low];
}

/* A further name of what an earlier copy has; false where it must be copied after all. */
static bool share_earlier(const struct copying *copying, const struct manifest_entry *entry)
{
	const struct tree_copy *copy = copying->copy;

	return copy->earlier && manifest_has_already(copy->earlier, entry) &&
	       linkat(copy->earlier_at, entry->path, copy->to, entry->path, 0) == 0;
}

static int fill_file(const struct copying *copying, const struct manifest_entry *entry)
{
	const struct tree_copy *copy = copying->copy;
	cleanup_fd int from = open_source(copying, entry), to = -1;
	int r;

	if (from < 0)
		return from;
	to = openat(copy->to, entry->path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	if (to < 0)
		return cannot(copying, entry, errno, "make the copy of");
	r = copy->way == TREE_REFLINK ? tree_file_clone(from, to)
				      : tree_file_copy(from, to, entry->size, copy->cancel);
	if (r == -ECANCELED)
		return error_interrupted(copying->err);
	if (r < 0)
		return cannot(copying, entry, -r, "copy");
	r = tree_file_attributes(from, to, entry);
	if (r < 0)
		return cannot_keep(copying, entry, r);
	return is_as_recorded(from, entry) ? 0 : say_changed(copying, entry);
}

static int copy_file(const struct copying *copying, const struct manifest_entry *entry)
{
	const struct manifest_entry *first = first_name(copying, entry);
	struct tree_copy *copy = copying->copy;
	int r = 0;

	if (first) {
		if (linkat(copy->to, first->path, copy->to, entry->path, 0) < 0)
			return cannot(copying, entry, errno, "make the copy of");
		return 0;
	}
	if (!share_earlier(copying, entry))
		r = fill_file(copying, entry);
	copy->progress.files++;
	copy->progress.bytes += entry->size;
	return r;
}

/* What has no contents to be opened. */
static int copy_other(const struct copying *copying, const struct manifest_entry *entry)
{
	int to = copying->copy->to, r;

	r = entry->link ? symlinkat(entry->link, to, entry->path)
			: mknodat(to, entry->path, entry->mode, entry->special);
	if (r < 0)
		return cannot(copying, entry, errno, "make the copy of");
	r = tree_file_owner(to, entry);
	return r < 0 ? cannot(copying, entry, -r, "keep owner, mode or time of") : 0;
}

static int copy_entry(const struct copying *copying, const struct manifest_entry *entry)
{
	if (S_ISREG(entry->mode))
		return copy_file(copying, entry);
	if (!S_ISDIR(entry->mode))
		return copy_other(copying, entry);
	if (*entry->path && mkdirat(copying->copy->to, entry->path, 0700) < 0)
		return cannot(copying, entry, errno, "make the copy of");
	return 0;
}

/* When everything is in it: its times, and a mode that may forbid to write. */
static int finish_directory(const struct copying *copying, const struct manifest_entry *entry)
{
	cleanup_fd int from = open_source(copying, entry), to = -1;
	int r;

	if (from < 0)
		return from;
	to = openat(copying->copy->to, path_of(entry), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = to < 0 ? -errno : tree_file_attributes(from, to, entry);
	return r < 0 ? cannot_keep(copying, entry, r) : 0;
}

static int copy_all(const struct copying *copying)
{
	struct tree_copy *copy = copying->copy;
	const struct manifest *manifest = copy->manifest;
	int r = 0;

	for (size_t i = 0; r == 0 && i < manifest->n; i++) {
		r = copy_entry(copying, &manifest->list[i]);
		if (r == 0 && file_is_readable(copy->cancel))
			r = error_interrupted(copying->err);
		if (copy->tell)
			copy->tell(&copy->progress, copy->data);
	}
	for (size_t i = manifest->n; r == 0 && i-- > 0;)
		if (S_ISDIR(manifest->list[i].mode))
			r = finish_directory(copying, &manifest->list[i]);
	return r;
}

int tree_copy(struct tree_copy *copy, struct error *err)
{
	struct copying copying = {.copy = copy, .err = err};
	mode_t mask = umask(0);
	int r;

	find_shared(&copying);
	r = copy_all(&copying);
	free(copying.shared);
	umask(mask);
	return r;
}

/* On the first file that holds something. */
bool tree_can_reflink(int from, const struct manifest *manifest, int directory)
{
	const struct manifest_entry *entry = NULL;
	cleanup_fd int source = -1, trial = -1;

	for (size_t i = 0; !entry && i < manifest->n; i++)
		if (S_ISREG(manifest->list[i].mode) && manifest->list[i].size > 0)
			entry = &manifest->list[i];
	if (!entry)
		return false;
	source = file_open_exactly(from, entry->path, O_RDONLY | O_NONBLOCK);
	trial = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	return source >= 0 && trial >= 0 && tree_file_clone(source, trial) == 0;
}
