/* SPDX-License-Identifier: Apache-2.0 */
/* Copying between host and instance: finding the two ends; see copy.h. In the command. */
#include "instance/copying.h"
#include "instance/inspect.h"
#include "instance/reach.h"
#include "instance/instance.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/socket.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int copying_act_on(struct copying *copying, const struct copy_place *place, struct error *err)
{
	return identity_switch(&copying->identity, copy_is_inside(place) ? WHO_INSIDE : WHO_PERSON,
			       err);
}

static bool is_stream(const struct copy_place *place)
{
	return !copy_is_inside(place) && strcmp(place->path, "-") == 0;
}

/* An O_PATH descriptor; links on the way are followed, in an instance as it sees them. */
static int open_place(const struct copy_place *place, const char *path, int flags)
{
	int fd;

	if (copy_is_inside(place))
		return file_open_in_root(place->root, path, O_PATH | flags, 0);
	fd = open(path, O_PATH | O_CLOEXEC | flags);
	return fd < 0 ? -errno : fd;
}

static int open_source(struct copying *copying, struct copy_source *source, struct error *err)
{
	const struct copy_place *from = &copying->copy->from;
	int r = copying_act_on(copying, from, err);

	if (r < 0)
		return r;
	source->shown = from->path;
	if (is_stream(from)) {
		source->shown = "standard input";
		source->stream = true;
		source->st.st_mode = S_IFREG | 0644;
		source->fd = STDIN_FILENO;
		return 0;
	}
	source->fd = open_place(from, from->path, 0);
	if (source->fd < 0) {
		error_set(err, -source->fd, "cannot open '%s'", from->path);
		return source->fd == -ENOENT ? error_kind_set(err, ERROR_NOT_FOUND) : source->fd;
	}
	if (fstat(source->fd, &source->st) < 0)
		return error_set(err, errno, "cannot look at '%s'", from->path);
	return 0;
}

/* A path in two: its last name, and the directory before it. Slashes at the end do not count. */
struct parts {
	char *directory, *name;
	bool slash; /* there were some */
};

static void split_path(const char *path, struct parts *ret_parts)
{
	size_t length = strlen(path), begin;

	while (length > 1 && path[length - 1] == '/')
		length--;
	begin = length;
	while (begin > 0 && path[begin - 1] != '/')
		begin--;
	*ret_parts = (struct parts){
		.directory = begin ? xasprintf("%.*s", (int)begin, path) : xstrdup("."),
		.name = xasprintf("%.*s", (int)(length - begin), path + begin),
		.slash = path[length] == '/',
	};
}

static void parts_deinit(struct parts *parts)
{
	free(parts->directory);
	free(parts->name);
}

static bool is_a_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

struct destination {
	int dirfd;
	char *name, *shown;
};

static void destination_deinit(struct destination *destination)
{
	cleanup_close(&destination->dirfd);
	free(destination->name);
	free(destination->shown);
}

/* Into the directory, under the source's own name. */
static int go_below(const struct copying *copying, const struct copy_source *source,
		    struct destination *to, struct error *err)
{
	const char *path = copying->copy->to.path;
	cleanup(parts_deinit) struct parts parts = {0};

	if (source->stream)
		return error_say(err, ERROR_USAGE, "'%s' is a directory; name a file", path);
	split_path(copying->copy->from.path, &parts);
	to->name = xstrdup(is_a_name(parts.name) ? parts.name : ".");
	if (strcmp(to->name, ".") == 0 && !S_ISDIR(source->st.st_mode))
		return error_say(err, ERROR_USAGE, "'%s' has no name of its own; name a file",
				 source->shown);
	to->shown = xasprintf("%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", to->name);
	return 0;
}

/* Something new, or a file that is replaced: the directory it lies in must be there. */
static int go_beside(const struct copying *copying, const struct copy_source *source,
		     struct destination *to, struct error *err)
{
	const struct copy_place *place = &copying->copy->to;
	cleanup(parts_deinit) struct parts parts = {0};

	split_path(place->path, &parts);
	if (!is_a_name(parts.name) || (parts.slash && !S_ISDIR(source->st.st_mode)))
		return error_say(err, ERROR_FAILED, "there is no directory '%s'", place->path);
	to->dirfd = open_place(place, parts.directory, O_DIRECTORY);
	if (to->dirfd < 0)
		return error_set(err, -to->dirfd, "cannot put anything into '%s'", parts.directory);
	to->name = steal_ptr(parts.name);
	to->shown = xstrdup(place->path);
	return 0;
}

static int find_destination(struct copying *copying, const struct copy_source *source,
			    struct destination *to, struct error *err)
{
	const struct copy_place *place = &copying->copy->to;
	int r = copying_act_on(copying, place, err);

	if (r < 0)
		return r;
	if (!*place->path)
		return error_say(err, ERROR_USAGE, "the destination is empty");
	to->dirfd = open_place(place, place->path, O_DIRECTORY);
	if (to->dirfd >= 0)
		r = go_below(copying, source, to, err);
	else if (to->dirfd == -ENOENT || to->dirfd == -ENOTDIR)
		r = go_beside(copying, source, to, err);
	else
		r = error_set(err, -to->dirfd, "cannot open '%s'", place->path);
	if (r < 0)
		return r;
	if (copy_is_inside(place) && inspect_is_kernel_view(to->dirfd))
		return error_say(err, ERROR_REFUSED,
				 "'%s' belongs to a view of the kernel; nothing is written there",
				 place->path);
	return 0;
}

static int copy_to_stream(struct copying *copying, const struct copy_source *source,
			  struct error *err)
{
	struct copy_target target = {
		.dirfd = STDOUT_FILENO, .stream = true, .shown = "standard output"};

	if (S_ISDIR(source->st.st_mode))
		return error_say(err, ERROR_USAGE,
				 "'%s' is a directory and cannot go to standard output",
				 source->shown);
	return copy_object(copying, source, &target, 0, err);
}

static int copy_to_place(struct copying *copying, const struct copy_source *source,
			 struct error *err)
{
	cleanup(destination_deinit) struct destination to = {.dirfd = -1};
	struct copy_target target;
	int r = find_destination(copying, source, &to, err);

	if (r < 0)
		return r;
	target = (struct copy_target){.dirfd = to.dirfd, .name = to.name, .shown = to.shown};
	return copy_object(copying, source, &target, 0, err);
}

/* Permissions of new files are only cut down by the person's own mask on the person's own side. */
static mode_t current_mask(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

static int run(struct copying *copying, struct error *err)
{
	struct copy_source source = {.fd = -1};
	int r = open_source(copying, &source, err);

	if (r == 0)
		r = is_stream(&copying->copy->to) ? copy_to_stream(copying, &source, err)
						  : copy_to_place(copying, &source, err);
	if (!source.stream)
		cleanup_close(&source.fd);
	if (r == 0 && copying->complaints > 0)
		r = error_say(err, ERROR_FAILED, "%u thing%s not copied", copying->complaints,
			      copying->complaints == 1 ? " was" : "s were");
	return r;
}

int copy_run(const struct copy *copy, struct error *err)
{
	struct copying copying = {.copy = copy};
	int r = identity_init(copy->person, copy->id_base, &copying.identity, err);

	if (r < 0)
		return r;
	if (!copy_is_inside(&copy->to))
		copying.mask = current_mask();
	r = run(&copying, err);
	identity_deinit(&copying.identity);
	return r;
}

int copy_open_root(const struct site *site, const char *id, struct error *err)
{
	return reach_open(site, id, CONTROL_ROOT, CONTROL_ROOT_IS, err);
}
