/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thing at a time into the archive of a harvest; see harvesting.h. A file is read through one
 * descriptor, and what its owner does to it meanwhile is seen and said: it is packed with the
 * length it had, and zeros where it became shorter.
 */
#include "instance/harvesting.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/visible.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <string.h>
#include <sys/xattr.h>

#define ATTRIBUTES_MAX 64
#define NAMES_SIZE (64U << 10) /* of attributes; the kernel's own bound */
#define STRETCHES_MAX 4096     /* beyond, holes are packed as zeros */
/* Holes that are written out where a file has more stretches than that. */
#define ZEROS_MAX (64LL << 20)
#define LENGTH_MAX (1LL << 40) /* of a file with its holes */
#define MODE_OF_FILE 0777
#define MODE_OF_DIRECTORY 03777

/* The first name of a file that has several. */
struct file_name {
	dev_t device;
	ino_t inode;
	char *path;
};

static int compare_names(const void *a, const void *b)
{
	const struct file_name *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return x->device < y->device ? -1 : x->device > y->device;
}

static void free_name(void *data)
{
	struct file_name *name = data;

	free(name->path);
	free(name);
}

int packing_init(struct packing *packing, int fd, const char *name, struct harvest *harvest,
		 struct error *err)
{
	*packing = (struct packing){.harvest = harvest, .err = err};
	packing->buffer = xcalloc(1, PACKING_BUFFER);
	return archive_out_open(fd, name, &packing->out, err);
}

void packing_deinit(struct packing *packing)
{
	archive_out_close(packing->out);
	tdestroy(packing->names, free_name);
	free(packing->buffer);
}

int packing_cannot(const struct packing *packing, int r, const char *what, const char *path)
{
	cleanup_text struct text shown = {0};

	text_add_visible_name(&shown, path);
	return error_set(packing->err, -r, "cannot %s '%s'", what, shown.data);
}

static void note(struct packing *packing, const char *path, const char *what)
{
	cleanup_text struct text shown = {0};

	text_add_visible_name(&shown, path);
	if (packing->harvest->note)
		packing->harvest->note(shown.data, what, packing->harvest->data);
}

void packing_leave_out(struct packing *packing, const char *path, const char *why)
{
	packing->harvest->sums.left_out++;
	note(packing, path, why);
}

static int go_on(const struct packing *packing)
{
	const struct harvest *harvest = packing->harvest;

	if (harvest->progress)
		harvest->progress(&harvest->sums, harvest->data);
	if (!file_is_readable(harvest->cancel))
		return 0;
	error_say(packing->err, ERROR_FAILED, "interrupted");
	return error_with_code(packing->err, -ECANCELED);
}

bool harvest_keeps_attribute(const char *name)
{
	return strncmp(name, "user.", 5) == 0 || strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

/* Attributes of a member, all of which are one's own. */
struct attributes {
	struct archive_attribute list[ATTRIBUTES_MAX];
	size_t n;
	char *names;
};

static void attributes_deinit(struct attributes *attributes)
{
	for (size_t i = 0; i < attributes->n; i++)
		free((char *)attributes->list[i].value);
	free(attributes->names);
}

static void read_attribute(int fd, const char *name, struct attributes *attributes)
{
	ssize_t size = fgetxattr(fd, name, NULL, 0);
	char *value = xcalloc(1, size > 0 ? (size_t)size : 1);

	if (size >= 0)
		size = fgetxattr(fd, name, value, (size_t)size);
	if (size < 0) { /* taken away meanwhile */
		free(value);
		return;
	}
	attributes->list[attributes->n++] =
		(struct archive_attribute){.name = name, .value = value, .size = (size_t)size};
}

static void read_attributes(struct packing *packing, int fd, const char *path,
			    struct attributes *attributes)
{
	char *names = attributes->names = xcalloc(1, NAMES_SIZE + 1);
	ssize_t size = flistxattr(fd, names, NAMES_SIZE);

	for (char *name = names; name < names + size; name += strlen(name) + 1) {
		if (!harvest_keeps_attribute(name))
			continue;
		if (attributes->n == ATTRIBUTES_MAX) {
			note(packing, path, "has too many extended attributes; some are left out");
			return;
		}
		read_attribute(fd, name, attributes);
	}
}

static void describe(const char *path, const struct stat *st, struct archive_member *ret_member)
{
	mode_t kept = S_ISDIR(st->st_mode) ? MODE_OF_DIRECTORY : MODE_OF_FILE;

	*ret_member = (struct archive_member){
		.path = path + 1,
		.mode = (st->st_mode & S_IFMT) | (st->st_mode & kept),
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = S_ISREG(st->st_mode) ? st->st_size : 0,
		.mtime = st->st_mtim,
	};
}

static int put_mark(struct packing *packing, const char *path)
{
	const struct archive_member member = {.path = path + 1, .mode = S_IFREG};

	return archive_out_add(packing->out, &member, packing->err);
}

int packing_delete(struct packing *packing, const char *path)
{
	const char *name = strrchr(path, '/');
	cleanup_free char *mark =
		xasprintf("%.*s/" HARVEST_MARK "%s", (int)(name - path), path, name + 1);

	packing->harvest->sums.deleted++;
	return put_mark(packing, mark);
}

static int put_directory(struct packing *packing, const char *path, const struct found *found,
			 bool opaque)
{
	cleanup(attributes_deinit) struct attributes attributes = {.n = 0};
	cleanup_fd int fd = inspect_reopen(found->fd, O_RDONLY | O_DIRECTORY);
	cleanup_free char *mark = xasprintf("%s/" HARVEST_OPAQUE, path);
	struct archive_member member;
	int r;

	if (fd < 0)
		return packing_cannot(packing, fd, "read", path);
	describe(path, &found->st, &member);
	read_attributes(packing, fd, path, &attributes);
	member.attributes = attributes.list;
	member.n_attributes = attributes.n;
	r = archive_out_add(packing->out, &member, packing->err);
	return r == 0 && opaque ? put_mark(packing, mark) : r;
}

static int put_link(struct packing *packing, const char *path, const struct found *found)
{
	cleanup_free char *target = NULL;
	struct archive_member member;
	int r = inspect_readlink(found->fd, &target);

	if (r < 0)
		return packing_cannot(packing, r, "read", path);
	describe(path, &found->st, &member);
	member.target = target;
	packing->harvest->sums.files++;
	return archive_out_add(packing->out, &member, packing->err);
}

/* Where there is data; the last stretch may take holes along. */
static size_t find_stretches(int fd, const struct stat *st, struct archive_stretch *list)
{
	int64_t at = 0;
	size_t n = 0;

	if (st->st_blocks * 512 >= st->st_size)
		return 0;
	while (at < st->st_size && n < STRETCHES_MAX) {
		off_t data = lseek(fd, at, SEEK_DATA);
		off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

		if (data < 0 || data >= st->st_size)
			break;
		at = hole < data || hole > st->st_size || n == STRETCHES_MAX - 1 ? st->st_size
										 : hole;
		list[n++] = (struct archive_stretch){.offset = data, .length = at - data};
	}
	/* nothing but a hole */
	if (n == 0)
		list[n++] = (struct archive_stretch){.offset = st->st_size, .length = 0};
	return n;
}

static int write_zeros(struct packing *packing, int64_t length)
{
	int r = 0;

	memset(packing->buffer, 0, PACKING_BUFFER);
	while (r == 0 && length > 0) {
		size_t size = length < PACKING_BUFFER ? (size_t)length : PACKING_BUFFER;

		r = archive_out_write(packing->out, packing->buffer, size, packing->err);
		length -= (int64_t)size;
		if (r == 0)
			r = go_on(packing);
	}
	return r;
}

/* Returns how much it found, at most length; less where the file became shorter. */
static int64_t write_data(struct packing *packing, const char *path, int fd, int64_t offset,
			  int64_t length)
{
	int64_t done = 0;

	while (done < length) {
		size_t size =
			length - done < PACKING_BUFFER ? (size_t)(length - done) : PACKING_BUFFER;
		ssize_t n = pread(fd, packing->buffer, size, offset + done);
		int r = n < 0 && errno != EINTR ? packing_cannot(packing, -errno, "read", path)
						: go_on(packing);

		if (r == 0 && n > 0)
			r = archive_out_write(packing->out, packing->buffer, (size_t)n,
					      packing->err);
		if (r < 0)
			return r;
		if (n == 0)
			break;
		done += n > 0 ? n : 0;
	}
	return done;
}

static int write_content(struct packing *packing, const char *path, int fd,
			 const struct archive_member *member)
{
	const struct archive_stretch all = {.offset = 0, .length = member->size};
	const struct archive_stretch *list = member->n_stretches ? member->stretches : &all;
	size_t n = member->n_stretches ? member->n_stretches : 1;
	int64_t at = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		int64_t found;

		r = write_zeros(packing, list[i].offset - at);
		found = r < 0 ? r : write_data(packing, path, fd, list[i].offset, list[i].length);
		if (found < 0)
			return (int)found;
		at = list[i].offset + found;
		packing->harvest->sums.bytes += (uint64_t)found;
		if (found < list[i].length)
			break;
	}
	return r < 0 ? r : write_zeros(packing, member->size - at);
}

/* A further name of what is packed already; or NULL, and it is known from now on. */
static const char *first_name(struct packing *packing, const char *path, const struct stat *st)
{
	struct file_name *name, **in_tree;

	if (st->st_nlink < 2)
		return NULL;
	name = xcalloc(1, sizeof(*name));
	*name = (struct file_name){
		.device = st->st_dev, .inode = st->st_ino, .path = xstrdup(path + 1)};
	in_tree = tsearch(name, &packing->names, compare_names);
	if (!in_tree)
		abort();
	if (*in_tree == name)
		return NULL;
	free_name(name);
	return (*in_tree)->path;
}

static bool has_changed(int fd, const struct stat *then)
{
	struct stat now;

	return fstat(fd, &now) < 0 || now.st_size != then->st_size ||
	       now.st_ctim.tv_sec != then->st_ctim.tv_sec ||
	       now.st_ctim.tv_nsec != then->st_ctim.tv_nsec;
}

static int put_content(struct packing *packing, const char *path, int fd, const struct stat *st)
{
	cleanup(attributes_deinit) struct attributes attributes = {.n = 0};
	cleanup_free struct archive_stretch *stretches = xcalloc(STRETCHES_MAX, sizeof(*stretches));
	struct archive_member member;
	int r;

	size_t n = find_stretches(fd, st, stretches);

	/* what takes no disk must not take our time */
	if (n == STRETCHES_MAX && st->st_size - st->st_blocks * 512 > ZEROS_MAX) {
		packing_leave_out(packing, path, "has too many holes and is left out");
		return 0;
	}
	describe(path, st, &member);
	member.link_to = first_name(packing, path, st);
	packing->harvest->sums.files++;
	if (member.link_to)
		return archive_out_add(packing->out, &member, packing->err);
	read_attributes(packing, fd, path, &attributes);
	member.attributes = attributes.list;
	member.n_attributes = attributes.n;
	member.stretches = stretches;
	member.n_stretches = n;
	r = archive_out_add(packing->out, &member, packing->err);
	if (r == 0)
		r = write_content(packing, path, fd, &member);
	if (r == 0 && has_changed(fd, st))
		note(packing, path, "changed while it was being read");
	return r;
}

static int put_file(struct packing *packing, const char *path, const struct found *found)
{
	cleanup_fd int fd = inspect_reopen(found->fd, O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return packing_cannot(packing, fd < 0 ? fd : -errno, "read", path);
	if (st.st_size > LENGTH_MAX) {
		packing_leave_out(packing, path, "is longer than a TiB and left out");
		return 0;
	}
	return put_content(packing, path, fd, &st);
}

static void leave_out_special(struct packing *packing, const char *path, mode_t mode)
{
	cleanup_free char *what = xasprintf("is a %s and left out", file_special_kind(mode));

	packing_leave_out(packing, path, what);
}

int packing_put(struct packing *packing, const char *path, const struct found *found, bool opaque)
{
	mode_t mode = found->st.st_mode;
	int r = go_on(packing);

	if (r < 0)
		return r;
	if (S_ISDIR(mode))
		return put_directory(packing, path, found, opaque);
	if (S_ISREG(mode))
		return put_file(packing, path, found);
	if (S_ISLNK(mode))
		return put_link(packing, path, found);
	leave_out_special(packing, path, mode);
	return 0;
}
