/* SPDX-License-Identifier: Apache-2.0 */
/* Where each member of a harvest goes, if anywhere; see unpack.h. */
#include "instance/unpacking.h"
#include "instance/harvest.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/process.h"
#include "base/text.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>

int unpack_refuse(const struct unpacking *u, const char *path, const char *why)
{
	cleanup_text struct text shown = {0};

	text_add_visible_name(&shown, path);
	return error_say(u->err, ERROR_REFUSED, "%s cannot be used: '%.200s' %s", u->name,
			 shown.data ? shown.data : "", why);
}

int unpack_cannot(const struct unpacking *u, const char *path, int r)
{
	cleanup_text struct text shown = {0};

	text_add_visible_name(&shown, path);
	if (r == -ENOSPC || r == -EDQUOT)
		return error_set(u->err, -r,
				 "%s does not fit into what the instance may write ('%.200s'); "
				 "raise its limit of disk",
				 u->name, shown.data);
	return error_set(u->err, -r, "cannot make '%.200s' from %s", shown.data, u->name);
}

/*
 * As the instance sees it; a leading "./" and slashes at the end mean nothing. NULL when it is
 * refused.
 */
static char *clean_path(const struct unpacking *u, const char *path)
{
	cleanup_free char *clean = NULL;
	const char *begin = path, *fault;
	size_t length;

	while (strncmp(begin, "./", 2) == 0)
		begin += 2;
	for (length = strlen(begin); length > 0 && begin[length - 1] == '/';)
		length--;
	clean = xasprintf("/%.*s", (int)length, begin);
	fault = begin[0] == '/' ? "is an absolute path" : path_fault(clean);
	if (!fault)
		return steal_ptr(clean);
	unpack_refuse(u, path, fault);
	return NULL;
}

static const struct unpack_place *find_place(const struct unpacking *u, const char *path)
{
	for (size_t i = 0; i < u->n_places; i++)
		if (path_is_within(path, u->places[i].install))
			return &u->places[i];
	return NULL;
}

static bool leads_to_place(const struct unpacking *u, const char *path)
{
	for (size_t i = 0; i < u->n_places; i++)
		if (path_is_within(u->places[i].install, path))
			return true;
	return false;
}

/* A directory that the archive does not name looks as the lower's, or else as what it lies in. */
static int make_way(const struct unpack_place *place, int directory, const char *path,
		    const char *name)
{
	cleanup_fd int lower = file_open_exactly(place->lower, path, O_PATH | O_DIRECTORY);
	cleanup_fd int made = -1;
	struct stat st;

	if (fstat(lower >= 0 ? lower : directory, &st) < 0 || mkdirat(directory, name, 0700) < 0)
		return -errno;
	made = file_open_exactly(directory, name, O_RDONLY | O_DIRECTORY);
	if (made < 0)
		return made;
	if (fchown(made, st.st_uid, st.st_gid) < 0 || fchmod(made, st.st_mode & 03777) < 0)
		return -errno;
	return steal_fd(&made);
}

/* The directory that the last component is in, step by step; nothing is followed. */
static int open_parent(const struct unpack_place *place, const char *below)
{
	cleanup_fd int at = fcntl(place->upper, F_DUPFD_CLOEXEC, 3);

	for (const char *slash = strchr(below, '/'); slash && at >= 0;
	     slash = strchr(slash + 1, '/')) {
		cleanup_free char *path = xasprintf("%.*s", (int)(slash - below), below);
		const char *last = strrchr(path, '/');
		const char *name = last ? last + 1 : path;
		int next = file_open_exactly(at, name, O_RDONLY | O_DIRECTORY);

		if (next == -ENOENT)
			next = make_way(place, at, path, name);
		if (next < 0)
			return next;
		close(at);
		at = next;
	}
	return at < 0 ? -errno : steal_fd(&at);
}

static int put_at(struct unpacking *u, const struct archive_member *member,
		  const struct unpack_place *place, const char *path)
{
	size_t length = strlen(place->install);
	struct unpack_spot spot = {
		.place = place,
		.below = path[length] ? path + length + 1 : "",
	};
	const char *slash = strrchr(spot.below, '/');
	cleanup_fd int directory = open_parent(place, spot.below);

	if (directory == -ELOOP || directory == -ENOTDIR)
		return unpack_refuse(u, member->path,
				     "leads through something that is no directory");
	if (directory < 0)
		return unpack_cannot(u, member->path, directory);
	spot.directory = directory;
	spot.name = slash ? slash + 1 : *spot.below ? spot.below : ".";
	if (strncmp(spot.name, HARVEST_MARK, strlen(HARVEST_MARK)) == 0)
		return unpack_mark(u, member, &spot);
	return unpack_put(u, member, &spot);
}

static int take(struct unpacking *u, const struct archive_member *member)
{
	cleanup_free char *path = NULL;
	const struct unpack_place *place;

	if (S_ISDIR(member->mode) && strcmp(member->path, "./") == 0)
		return 0;
	path = clean_path(u, member->path);
	if (!path)
		return u->err->code;
	place = find_place(u, path);
	if (place)
		return put_at(u, member, place, path);
	if (S_ISDIR(member->mode) && leads_to_place(u, path))
		return 0;
	return unpack_refuse(u, member->path, "lies in no install directory of this instance");
}

static int set_times(const struct unpacking *u)
{
	for (size_t i = u->made.n; i-- > 0;) {
		const struct made_directory *one = u->made.list[i];
		const struct timespec times[2] = {one->mtime, one->mtime};
		cleanup_fd int fd =
			file_open_exactly(one->upper, one->path, O_RDONLY | O_DIRECTORY);

		if (fd < 0 || futimens(fd, times) < 0)
			return unpack_cannot(u, one->path, fd < 0 ? fd : -errno);
	}
	return 0;
}

static int take_all(struct unpacking *u)
{
	struct archive_member member;
	int r;

	while ((r = archive_in_next(u->in, &member, u->err)) > 0) {
		r = take(u, &member);
		if (r < 0)
			break;
	}
	return r < 0 ? r : set_times(u);
}

int unpack_archive(int fd, const char *name, const struct unpack_place *places, size_t n,
		   struct error *err)
{
	struct unpacking u = {.name = name, .places = places, .n_places = n, .err = err};
	int r = process_drop_capability(CAP_SYS_RESOURCE);

	if (r < 0)
		return error_set(err, -r, "cannot give up a capability");
	umask(0);
	r = archive_in_open(fd, ARCHIVE_TAR, name, &u.in, err);
	if (r == 0)
		r = take_all(&u);
	archive_in_close(u.in);
	made_deinit(&u.made);
	return r;
}
