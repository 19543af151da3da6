/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an archive that anybody may have made; see archive.h. A child unpacks it: as nobody,
 * without a capability, without the right to open anything or to fork, in so much memory and no
 * more. What it finds comes back over a pipe, member after member, in the form of base/wire.h; of
 * that nothing is believed either, but that it is of that form.
 */
#include "base/archive_raw.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "base/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NOBODY 65534
#define MEMORY_MAX (1ULL << 30)
#define PIECE_MAX (64U << 10)
#define FRAME_MAX (8U << 20) /* a member with all the attributes that it may have */
#define ATTRIBUTES_MAX 64

enum frame_kind { FRAME_MEMBER, FRAME_DATA, FRAME_END, FRAME_FAILED };

struct frame_head {
	uint32_t kind, length;
};

struct archive_in {
	int from;
	pid_t pid;
	char *name;
	struct frame_head head; /* of what is in frame */
	char *frame;
	size_t size;
	bool waiting; /* frame is not used yet */
	struct archive_attribute attributes[ATTRIBUTES_MAX];
	char *words[3 + 2 * ATTRIBUTES_MAX]; /* what the member's pointers lead to */
	size_t n_words;
};

static int send_frame(int to, enum frame_kind kind, const struct text *text)
{
	const struct frame_head head = {.kind = kind, .length = (uint32_t)text->length};
	int r = text->length > FRAME_MAX ? -E2BIG : file_write_all(to, &head, sizeof(head));

	return r == 0 && text->length ? file_write_all(to, text->data, text->length) : r;
}

static int send_member(int to, const struct archive_member *member)
{
	cleanup_text struct text text = {0};

	wire_put_string(&text, member->path);
	wire_put_string(&text, member->target);
	wire_put_string(&text, member->link_to);
	wire_put_u32(&text, member->mode);
	wire_put_u32(&text, member->uid);
	wire_put_u32(&text, member->gid);
	wire_put_u64(&text, (uint64_t)member->size);
	wire_put_u64(&text, (uint64_t)member->mtime.tv_sec);
	wire_put_u32(&text, (uint32_t)member->mtime.tv_nsec);
	wire_put_u32(&text, (uint32_t)member->n_attributes);
	for (size_t i = 0; i < member->n_attributes; i++) {
		wire_put_string(&text, member->attributes[i].name);
		wire_put_bytes(&text, member->attributes[i].value, member->attributes[i].size);
	}
	return send_frame(to, FRAME_MEMBER, &text);
}

/* The offset, and then nothing but data. */
static int send_data(int to, const char *data, size_t size, int64_t offset)
{
	int r = 0;

	while (r == 0 && size > 0) {
		cleanup_text struct text text = {0};
		size_t piece = size < PIECE_MAX ? size : PIECE_MAX;

		text_add_bytes(&text, &offset, sizeof(offset));
		text_add_bytes(&text, data, piece);
		r = send_frame(to, FRAME_DATA, &text);
		data += piece;
		size -= piece;
		offset += (int64_t)piece;
	}
	return r;
}

static int send_content(struct archive_raw *raw, int to, struct error *err)
{
	const void *data;
	int64_t offset;
	size_t size;
	int r;

	while ((r = archive_raw_read(raw, &data, &size, &offset, err)) > 0)
		if (send_data(to, data, size, offset) < 0)
			_exit(1);
	return r;
}

static void send_all(int fd, enum archive_kind kind, const char *name, int to)
{
	struct archive_raw *raw = NULL;
	struct archive_member member;
	cleanup_text struct text text = {0};
	struct error err = {0};
	int r = archive_raw_open(fd, kind, name, &raw, &err);

	while (r == 0 && (r = archive_raw_next(raw, &member, &err)) > 0) {
		if (send_member(to, &member) < 0)
			_exit(1);
		r = S_ISREG(member.mode) ? send_content(raw, to, &err) : 0;
	}
	if (r < 0)
		text_add_bytes(&text, &err, sizeof(err));
	send_frame(to, r < 0 ? FRAME_FAILED : FRAME_END, &text);
}

/* Never beyond what there is: who is nobody already must not raise anything. */
static bool bound(int what, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)what, &limit) < 0)
		return false;
	if (limit.rlim_max > value)
		limit.rlim_max = value;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit((__rlimit_resource_t)what, &limit) == 0;
}

/* All that it has are the two descriptors. Who is no root has had no rights before either. */
static bool give_up_rights(int fd, int to)
{
	int high = fd > to ? fd : to, low = fd < to ? fd : to;

	if (syscall(SYS_close_range, (unsigned)high + 1, ~0U, 0U) < 0 ||
	    (high > low + 1 &&
	     syscall(SYS_close_range, (unsigned)low + 1, (unsigned)high - 1, 0U) < 0) ||
	    (low > 0 && syscall(SYS_close_range, 0U, (unsigned)low - 1, 0U) < 0))
		return false;
#ifndef __SANITIZE_ADDRESS__
	if (!bound(RLIMIT_AS, MEMORY_MAX))
		return false;
#endif
	if (!bound(RLIMIT_CORE, 0) || !bound(RLIMIT_FSIZE, 0))
		return false;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return false;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && bound(RLIMIT_NPROC, 0) &&
	       bound(RLIMIT_NOFILE, 0);
}

static void run_child(int fd, enum archive_kind kind, const char *name, int to, pid_t parent)
{
	process_reset_signals();
	if (give_up_rights(fd, to)) {
		/* a change of the user takes it away */
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() == parent)
			send_all(fd, kind, name, to);
	}
	_exit(0);
}

static int start(struct archive_in *in, int fd, enum archive_kind kind, struct error *err)
{
	cleanup_fd int to = -1;
	pid_t self = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set(err, errno, "cannot make a pipe");
	in->from = ends[0];
	to = ends[1];
	in->pid = fork();
	if (in->pid < 0)
		return error_set(err, errno, "cannot fork");
	if (in->pid == 0)
		run_child(fd, kind, in->name, to, self);
	return 0;
}

int archive_in_open(int fd, enum archive_kind kind, const char *name, struct archive_in **ret_in,
		    struct error *err)
{
	cleanup_archive_in struct archive_in *in = NULL;
	int r = archive_load(err);

	if (r < 0)
		return r;
	in = xcalloc(1, sizeof(*in));
	in->from = in->pid = -1;
	in->name = xstrdup(name);
	r = start(in, fd, kind, err);
	if (r == 0)
		*ret_in = steal_ptr(in);
	return r;
}

static bool read_whole(int from, void *data, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = read(from, (char *)data + done, length - done);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

static int say_dead(const struct archive_in *in, struct error *err)
{
	return error_say(err, ERROR_FAILED,
			 "cannot read %s: its reader died, or would have taken more memory than "
			 "1 GiB",
			 in->name);
}

/* The frame that comes next is in in->frame, unless it was there already. */
static int see_frame(struct archive_in *in, struct error *err)
{
	if (in->waiting)
		return 0;
	if (!read_whole(in->from, &in->head, sizeof(in->head)) || in->head.length > FRAME_MAX)
		return say_dead(in, err);
	if (in->head.length > in->size) {
		in->frame = xrealloc(in->frame, in->head.length, 1);
		in->size = in->head.length;
	}
	if (!read_whole(in->from, in->frame, in->head.length))
		return say_dead(in, err);
	in->waiting = true;
	return 0;
}

static int take_failure(const struct archive_in *in, struct error *err)
{
	struct error said;

	if (in->head.length != sizeof(said))
		return say_dead(in, err);
	memcpy(&said, in->frame, sizeof(said));
	said.text[sizeof(said.text) - 1] = '\0';
	for (char *c = said.text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	error_say(err, ERROR_FAILED, "%s", said.text);
	return error_with_code(err, said.code < 0 && said.code > -4096 ? said.code : -EIO);
}

static void forget_words(struct archive_in *in)
{
	while (in->n_words)
		free(in->words[--in->n_words]);
}

static char *keep(struct archive_in *in, void *word)
{
	in->words[in->n_words++] = word;
	return word;
}

static void read_attributes(struct archive_in *in, struct wire_reader *from,
			    struct archive_member *member)
{
	size_t n = wire_get_u32(from);

	from->bad |= n > ATTRIBUTES_MAX;
	for (size_t i = 0; !from->bad && i < n; i++) {
		struct archive_attribute *one = &in->attributes[i];

		one->name = keep(in, wire_get_string(from));
		one->value = keep(in, wire_get_bytes(from, &one->size));
		from->bad |= !one->name;
	}
	member->attributes = in->attributes;
	member->n_attributes = from->bad ? 0 : n;
}

static bool read_member(struct archive_in *in, struct archive_member *member)
{
	struct wire_reader from = {.data = (const uint8_t *)in->frame, .left = in->head.length};

	member->path = keep(in, wire_get_string(&from));
	member->target = keep(in, wire_get_string(&from));
	member->link_to = keep(in, wire_get_string(&from));
	member->mode = wire_get_u32(&from);
	member->uid = wire_get_u32(&from);
	member->gid = wire_get_u32(&from);
	member->size = (int64_t)wire_get_u64(&from);
	member->mtime.tv_sec = (time_t)wire_get_u64(&from);
	member->mtime.tv_nsec = wire_get_u32(&from);
	read_attributes(in, &from, member);
	return !from.bad && !from.left && member->path && *member->path &&
	       member->mtime.tv_nsec >= 0 && member->mtime.tv_nsec < NSEC_PER_SEC;
}

int archive_in_next(struct archive_in *in, struct archive_member *ret_member, struct error *err)
{
	struct archive_member member = {0};
	int r;

	forget_words(in);
	do {
		r = see_frame(in, err);
		in->waiting = in->waiting && in->head.kind != FRAME_DATA;
	} while (r == 0 && in->head.kind == FRAME_DATA);
	if (r < 0)
		return r;
	if (in->head.kind == FRAME_END)
		return 0;
	if (in->head.kind == FRAME_FAILED)
		return take_failure(in, err);
	if (in->head.kind != FRAME_MEMBER || !read_member(in, &member))
		return say_dead(in, err);
	in->waiting = false;
	*ret_member = member;
	return 1;
}

int archive_in_read(struct archive_in *in, const void **ret_data, size_t *ret_size,
		    int64_t *ret_offset, struct error *err)
{
	int r = see_frame(in, err);

	if (r < 0)
		return r;
	if (in->head.kind == FRAME_FAILED)
		return take_failure(in, err);
	if (in->head.kind != FRAME_DATA)
		return 0;
	if (in->head.length < sizeof(*ret_offset))
		return say_dead(in, err);
	memcpy(ret_offset, in->frame, sizeof(*ret_offset));
	*ret_data = in->frame + sizeof(*ret_offset);
	*ret_size = in->head.length - sizeof(*ret_offset);
	in->waiting = false;
	return 1;
}

void archive_in_close(struct archive_in *in)
{
	if (!in)
		return;
	cleanup_close(&in->from);
	if (in->pid > 0) {
		kill(in->pid, SIGKILL);
		while (waitpid(in->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	forget_words(in);
	free(in->frame);
	free(in->name);
	free(in);
}

void archive_in_cleanup(struct archive_in **in)
{
	archive_in_close(*in);
	*in = NULL;
}
