/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that a template sets in files of the view; see applying.h. What they are is in edit/. */
#include "rootfs/applying.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "edit/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* How many keys a list has: three strings each. */
#define KEY_PARTS 3

static int find_format(const char *name)
{
	for (int i = 0; name && i < EDIT_FORMATS; i++)
		if (strcmp(name, edit_format_names[i]) == 0)
			return i;
	return -EINVAL;
}

static int read_all(int fd, struct text *ret_text)
{
	char buffer[16 << 10];

	for (;;) {
		ssize_t n = read(fd, buffer, sizeof(buffer));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		text_add_bytes(ret_text, buffer, (size_t)n);
		if (ret_text->length > EDIT_SIZE_MAX)
			return 0; /* too much, whatever follows */
	}
}

/* 1: there is a file, and text and st are its; 0: it is to be made. */
static int read_target(const struct applying *a, int directory, const char *name,
		       struct text *ret_text, struct stat *ret_st)
{
	cleanup_fd int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0 && errno == ENOENT && (a->op->flags & ROOT_CREATE))
		return 0;
	if (fd < 0 && errno == ENOENT)
		return root_say_change(a, "does not exist; with 'create: true' it is made");
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return root_cannot_change(a, -errno, "look at it");
	if (S_ISLNK(ret_st->st_mode))
		return root_say_change(a, "is a symbolic link; write the path that it leads to, if "
					  "that is the instance's");
	if (!S_ISREG(ret_st->st_mode))
		return root_say_change(a, "is no regular file");
	close(fd);
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	r = fd < 0 ? -errno : read_all(fd, ret_text);
	return r < 0 ? root_cannot_change(a, r, "read it") : 1;
}

static int set_key(const struct applying *a, enum edit_format format, char *const *parts,
		   struct text *text)
{
	const struct plan_edit_key key = {
		.section = *parts[0] ? parts[0] : NULL, .name = parts[1], .value = parts[2]};
	cleanup_text struct text edited = {0};
	cleanup_free char *clause = NULL;
	struct error why = {0};

	if (edit_set(format, text->data, text->length, &key, &edited, &why) < 0) {
		clause = xasprintf("key '%s%s%s' %s", parts[0], *parts[0] ? "." : "", parts[1],
				   why.text);
		return root_say_change(a, clause);
	}
	text_deinit(text);
	*text = edited;
	edited = (struct text){0};
	return 0;
}

static int set_keys(const struct applying *a, enum edit_format format, struct text *text)
{
	size_t n = strv_length(a->op->list);
	struct error why = {0};
	int r = 0;

	if (n % KEY_PARTS)
		return root_cannot_change(a, -EBADMSG, "read the keys");
	if (edit_check_text(text->data, text->length, &why) < 0)
		return root_say_change(a, why.text);
	for (size_t i = 0; r == 0 && i < n; i += KEY_PARTS)
		r = set_key(a, format, a->op->list + i, text);
	return r;
}

static bool is_same(const struct text *a, const struct text *b)
{
	if (!a->data || !b->data)
		return a->length == b->length;
	return a->length == b->length && memcmp(a->data, b->data, a->length) == 0;
}

static int edit(const struct applying *a, int directory, const char *name)
{
	cleanup_text struct text before = {0}, after = {0};
	struct stat st = {.st_uid = root_host_uid(a), .st_gid = root_host_gid(a), .st_mode = 0644};
	int format = find_format(a->op->text);
	int r = read_target(a, directory, name, &before, &st), there = r;
	struct root_content content;

	if (r < 0)
		return r;
	if (format < 0)
		return root_cannot_change(a, format, "tell its format");
	text_add_bytes(&after, before.data ? before.data : "", before.length);
	r = set_keys(a, (enum edit_format)format, &after);
	if (r < 0 || (there && is_same(&before, &after)))
		return r;
	content = (struct root_content){.data = after.data ? after.data : "",
					.length = after.length,
					.uid = st.st_uid,
					.gid = st.st_gid,
					.mode = st.st_mode & 07777};
	r = root_put_file(directory, name, &content);
	return r < 0 ? root_cannot_change(a, r, "write it") : 0;
}

int root_apply_edit(const struct applying *a)
{
	const char *name;
	bool make = a->op->flags & ROOT_CREATE;
	cleanup_fd int directory = root_open_within(a, make, &name);

	if (directory == -EXDEV)
		return directory;
	if (directory == -ENOENT && !make)
		return root_say_change(a, "does not exist; with 'create: true' it is made");
	if (directory < 0)
		return root_cannot_change(a, directory, "open the directory that it lies in");
	return edit(a, directory, name);
}
