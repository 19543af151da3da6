/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copying the contents of one file: into a temporary one beside its place, which is renamed when it
 * is complete; see copy.h. In the command, as the person on the host's side.
 */
#include "instance/copying.h"
#include "instance/inspect.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>

#define CHUNK (256 * 1024)

/* True when the person gave up; waits for input where it may take its time. */
static bool is_cancelled(const struct copying *copying, const struct copy_source *source, int in)
{
	struct pollfd polled[] = {
		{.fd = copying->copy->cancel, .events = POLLIN},
		{.fd = source->stream ? in : -1, .events = POLLIN},
	};
	int r;

	if (copying->copy->cancel < 0)
		return false;
	do
		r = poll(polled, ARRAY_SIZE(polled), source->stream ? -1 : 0);
	while (r < 0 && errno == EINTR);
	return polled[0].revents != 0;
}

static void count_bytes(struct copying *copying, size_t n)
{
	copying->bytes += n;
	if (copying->copy->progress)
		copying->copy->progress(copying->bytes, copying->copy->data);
}

static int write_at(int out, const char *data, size_t length, int64_t offset)
{
	while (length > 0) {
		ssize_t n = pwrite(out, data, length, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		offset += n;
		length -= (size_t)n;
	}
	return 0;
}

struct moving {
	struct copying *copying;
	const struct copy_source *source;
	int in, out;
	bool in_order; /* one side cannot be positioned */
	char *buffer;
};

/* One chunk of at most max bytes; how many they were, 0 at the end, or a negative errno. */
static ssize_t move_chunk(const struct moving *m, int64_t offset, int64_t max)
{
	size_t size = max < CHUNK ? (size_t)max : CHUNK;
	ssize_t n;
	int r;

	if (is_cancelled(m->copying, m->source, m->in))
		return -ECANCELED;
	do
		n = m->source->stream ? read(m->in, m->buffer, size)
				      : pread(m->in, m->buffer, size, (off_t)offset);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	r = m->in_order ? file_write_all(m->out, m->buffer, (size_t)n)
			: write_at(m->out, m->buffer, (size_t)n, offset);
	if (r < 0)
		return r;
	count_bytes(m->copying, (size_t)n);
	return n;
}

/* From offset on, at most to end; returns where it ended, or a negative errno. */
static int64_t move_range(const struct moving *m, int64_t offset, int64_t end)
{
	while (offset < end) {
		ssize_t n = move_chunk(m, offset, end - offset);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		offset += n;
	}
	return offset;
}

/* Holes stay holes: a file of terabytes that occupies nothing must not fill the disk. */
static int move_sparse(const struct moving *m, int64_t size)
{
	int64_t at = 0;

	while (at < size) {
		off_t data = lseek(m->in, (off_t)at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(m->in, data, SEEK_HOLE);
		int64_t end = hole < 0 || hole > size ? size : hole;

		if (data < 0 && errno == ENXIO)
			break;
		if (data >= size)
			break;
		at = move_range(m, data < 0 ? at : data, end);
		if (at < 0)
			return (int)at;
		if (at < end) {
			size = at; /* it became shorter meanwhile */
			break;
		}
	}
	return ftruncate(m->out, (off_t)size) < 0 ? -errno : 0;
}

/* A file that grows is copied up to the length it had. */
int copy_bytes(struct copying *copying, const struct copy_source *source, int in, int out,
	       bool to_stream)
{
	cleanup_free char *buffer = xcalloc(1, CHUNK);
	struct moving m = {
		.copying = copying,
		.source = source,
		.in = in,
		.out = out,
		.in_order = to_stream || source->stream,
		.buffer = buffer,
	};
	int64_t r;

	if (!m.in_order)
		return move_sparse(&m, source->st.st_size);
	r = move_range(&m, 0, source->stream ? INT64_MAX : source->st.st_size);
	return r < 0 ? (int)r : 0;
}

void copy_temporary_name(char name[32])
{
	uint64_t number = 0;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		number = (uint64_t)getpid();
	snprintf(name, 32, ".stint-%016jx", (uintmax_t)number);
}

int copy_owner_of(int dirfd, struct stat *ret_st)
{
	return fstat(dirfd, ret_st) < 0 ? -errno : 0;
}

/* What the file is to look like: as the one it replaces, or else as its source. */
static int choose_looks(const struct copying *copying, const struct copy_source *source,
			const struct copy_target *target, struct stat *ret_looks)
{
	struct stat old;
	int r;

	if (fstatat(target->dirfd, target->name, &old, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISDIR(old.st_mode))
			return -EISDIR;
		if (!S_ISREG(old.st_mode) && !S_ISLNK(old.st_mode))
			return -EEXIST;
		*ret_looks = old;
		if (S_ISREG(old.st_mode))
			return 0;
	} else if (errno != ENOENT) {
		return -errno;
	}
	r = copy_owner_of(target->dirfd, ret_looks);
	ret_looks->st_mode = source->st.st_mode & ~copying->mask;
	return r;
}

static int give_looks(const struct copying *copying, int fd, const struct stat *looks)
{
	if (copy_is_inside(&copying->copy->to) && fchown(fd, looks->st_uid, looks->st_gid) < 0)
		return -errno;
	return fchmod(fd, looks->st_mode & 0777) < 0 ? -errno : 0;
}

static int fill_temporary(struct copying *copying, const struct copy_source *source,
			  const struct copy_target *target, const char *temporary, int in)
{
	cleanup_fd int out = -1;
	struct stat looks = {0};
	int r = choose_looks(copying, source, target, &looks);

	if (r < 0)
		return r;
	out = openat(target->dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	if (out < 0)
		return -errno;
	r = copy_bytes(copying, source, in, out, false);
	if (r == 0)
		r = give_looks(copying, out, &looks);
	/* a full disk of a network file system is only noticed here */
	if (close(steal_fd(&out)) < 0 && r == 0)
		r = -errno;
	if (r == 0 && renameat(target->dirfd, temporary, target->dirfd, target->name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(target->dirfd, temporary, 0);
	return r;
}

static int describe(struct copying *copying, const struct copy_source *source,
		    const struct copy_target *target, int r, struct error *err)
{
	if (r == -ECANCELED || r == -ENOSPC || r == -EDQUOT || r == -EPIPE)
		copying->over = true;
	if (r == -ECANCELED)
		return error_say(err, ERROR_FAILED, "interrupted; '%s' was not copied",
				 source->shown);
	if (r == -EEXIST)
		return error_say(err, ERROR_FAILED, "'%s' exists and is no regular file",
				 target->shown);
	return r < 0 ? error_set(err, -r, "cannot copy '%s' to '%s'", source->shown, target->shown)
		     : 0;
}

int copy_file(struct copying *copying, const struct copy_source *source,
	      const struct copy_target *target, struct error *err)
{
	cleanup_fd int opened = -1;
	char temporary[32];
	int in = source->fd;
	int r = copying_act_on(copying, &copying->copy->from, err);

	if (r < 0)
		return r;
	if (!source->stream) {
		opened = inspect_reopen(source->fd, O_RDONLY);
		if (opened < 0)
			return error_set(err, -opened, "cannot read '%s'", source->shown);
		in = opened;
	}
	r = copying_act_on(copying, &copying->copy->to, err);
	if (r < 0)
		return r;
	copy_temporary_name(temporary);
	if (target->stream)
		r = copy_bytes(copying, source, in, target->dirfd, true);
	else
		r = fill_temporary(copying, source, target, temporary, in);
	return describe(copying, source, target, r, err);
}
