/* SPDX-License-Identifier: Apache-2.0 */
/* Archives; see archive.h. In commands. */
#include "base/archive_raw.h"
#include "base/cleanup.h"
#include "base/library.h"
#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#define BLOCK (64U << 10)
#define ATTRIBUTES_MAX 64

/* Every function that is used, once: X(name in the table, name in the library). */
#define FUNCTIONS(X)                                               \
	X(error_string, archive_error_string)                      \
	X(error_number, archive_errno)                             \
	X(read_new, archive_read_new)                              \
	X(read_free, archive_read_free)                            \
	X(read_tar, archive_read_support_format_tar)               \
	X(read_zip, archive_read_support_format_zip)               \
	X(read_zstd, archive_read_support_filter_zstd)             \
	X(read_gzip, archive_read_support_filter_gzip)             \
	X(read_bzip2, archive_read_support_filter_bzip2)           \
	X(read_xz, archive_read_support_filter_xz)                 \
	X(read_open, archive_read_open_fd)                         \
	X(read_next, archive_read_next_header)                     \
	X(read_block, archive_read_data_block)                     \
	X(write_new, archive_write_new)                            \
	X(write_free, archive_write_free)                          \
	X(write_pax, archive_write_set_format_pax)                 \
	X(write_zstd, archive_write_add_filter_zstd)               \
	X(write_options, archive_write_set_options)                \
	X(write_last_block, archive_write_set_bytes_in_last_block) \
	X(write_open, archive_write_open_fd)                       \
	X(write_header, archive_write_header)                      \
	X(write_data, archive_write_data)                          \
	X(write_close, archive_write_close)                        \
	X(entry_new, archive_entry_new)                            \
	X(entry_free, archive_entry_free)                          \
	X(path, archive_entry_pathname)                            \
	X(path_utf8, archive_entry_pathname_utf8)                  \
	X(target, archive_entry_symlink)                           \
	X(target_utf8, archive_entry_symlink_utf8)                 \
	X(link_to, archive_entry_hardlink)                         \
	X(link_to_utf8, archive_entry_hardlink_utf8)               \
	X(mode, archive_entry_mode)                                \
	X(uid, archive_entry_uid)                                  \
	X(gid, archive_entry_gid)                                  \
	X(size, archive_entry_size)                                \
	X(mtime, archive_entry_mtime)                              \
	X(mtime_nsec, archive_entry_mtime_nsec)                    \
	X(xattr_reset, archive_entry_xattr_reset)                  \
	X(xattr_next, archive_entry_xattr_next)                    \
	X(set_path, archive_entry_copy_pathname)                   \
	X(set_target, archive_entry_copy_symlink)                  \
	X(set_link_to, archive_entry_copy_hardlink)                \
	X(set_mode, archive_entry_set_mode)                        \
	X(set_uid, archive_entry_set_uid)                          \
	X(set_gid, archive_entry_set_gid)                          \
	X(set_size, archive_entry_set_size)                        \
	X(set_mtime, archive_entry_set_mtime)                      \
	X(add_xattr, archive_entry_xattr_add_entry)                \
	X(add_sparse, archive_entry_sparse_add_entry)

/* Declared by the library's header; found when it is loaded. */
static struct {
#define X(name, symbol) __typeof__(symbol) *(name);
	FUNCTIONS(X)
#undef X
} lib;

static const struct library_symbol symbols[] = {
#define X(field, symbol) {#symbol, &lib.field},
	FUNCTIONS(X)
#undef X
};

int archive_load(struct error *err)
{
	const struct library library = {.file = "libarchive.so.13",
					.needing = "archives need",
					.package = "libarchive13",
					.symbols = symbols,
					.n = ARRAY_SIZE(symbols)};

	return library_load(&library, err);
}

/* What the library calls a fault of the content, or of its caller, is no errno of the system. */
static bool is_of_system(int number)
{
	return number > 0 && number != EILSEQ && number != EINVAL;
}

/*
 * The library's words are about the content, which anybody may have made: one line, plain. Of a
 * system call that failed they say no more than "Write error".
 */
static int cannot(struct archive *handle, const char *what, const char *name, struct error *err)
{
	const char *said = lib.error_string(handle);
	int number = lib.error_number(handle);
	char words[128];
	size_t n = 0;

	for (; said && *said && n + 1 < sizeof(words); said++)
		words[n++] = (char)(*said >= ' ' && *said <= '~' ? *said : '?');
	words[n] = '\0';
	if (is_of_system(number))
		return error_set(err, number, "cannot %s %s%s%s", what, name, n ? ": " : "", words);
	error_say(err, ERROR_FAILED, "cannot %s %s: %s", what, name,
		  n ? words : "it is no archive that is known here");
	return number > 0 ? error_with_code(err, -number) : -EIO;
}

struct archive_raw {
	struct archive *handle;
	struct archive_entry *entry; /* the library's */
	char *name;
	struct archive_attribute attributes[ATTRIBUTES_MAX];
};

static void support(struct archive *handle, enum archive_kind kind)
{
	if (kind == ARCHIVE_ZIP) {
		lib.read_zip(handle);
		return;
	}
	lib.read_tar(handle);
	lib.read_zstd(handle);
	lib.read_gzip(handle);
	lib.read_bzip2(handle);
	lib.read_xz(handle);
}

int archive_raw_open(int fd, enum archive_kind kind, const char *name, struct archive_raw **ret_raw,
		     struct error *err)
{
	cleanup_archive_raw struct archive_raw *raw = NULL;
	int r = archive_load(err);

	if (r < 0)
		return r;
	raw = xcalloc(1, sizeof(*raw));
	raw->name = xstrdup(name);
	raw->handle = lib.read_new();
	if (!raw->handle)
		return error_set(err, ENOMEM, "cannot read %s", name);
	support(raw->handle, kind);
	if (lib.read_open(raw->handle, fd, BLOCK) != ARCHIVE_OK)
		return cannot(raw->handle, "read", name, err);
	*ret_raw = steal_ptr(raw);
	return 0;
}

/* A name that is no text in this process's locale is had as it is in the archive. */
static const char *either(const char *plain, const char *utf8)
{
	return plain ? plain : utf8;
}

static int read_attributes(struct archive_raw *raw, struct archive_member *member,
			   struct error *err)
{
	int n = lib.xattr_reset(raw->entry);

	if (n > ATTRIBUTES_MAX)
		return error_say(err, ERROR_FAILED, "something in %s has %d extended attributes",
				 raw->name, n);
	member->attributes = raw->attributes;
	for (int i = 0; i < n; i++) {
		struct archive_attribute *one = &raw->attributes[member->n_attributes];

		if (lib.xattr_next(raw->entry, &one->name, &one->value, &one->size) == ARCHIVE_OK &&
		    one->name)
			member->n_attributes++;
	}
	return 0;
}

int archive_raw_next(struct archive_raw *raw, struct archive_member *ret_member, struct error *err)
{
	struct archive_member member = {0};
	int r = lib.read_next(raw->handle, &raw->entry);

	if (r == ARCHIVE_EOF)
		return 0;
	/* a warning is about a name in another character set, which is had as it is */
	if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
		return cannot(raw->handle, "read", raw->name, err);
	member.path = either(lib.path(raw->entry), lib.path_utf8(raw->entry));
	member.target = either(lib.target(raw->entry), lib.target_utf8(raw->entry));
	member.link_to = either(lib.link_to(raw->entry), lib.link_to_utf8(raw->entry));
	member.mode = lib.mode(raw->entry);
	if (!member.path || !*member.path)
		return error_say(err, ERROR_FAILED, "something in %s has no name", raw->name);
	if (member.link_to)
		member.mode = (member.mode & 07777) | S_IFREG;
	if (lib.uid(raw->entry) < 0 || lib.uid(raw->entry) >= UINT32_MAX ||
	    lib.gid(raw->entry) < 0 || lib.gid(raw->entry) >= UINT32_MAX)
		return error_say(err, ERROR_FAILED, "something in %s has no possible owner",
				 raw->name);
	member.uid = (uid_t)lib.uid(raw->entry);
	member.gid = (gid_t)lib.gid(raw->entry);
	member.size = lib.size(raw->entry);
	member.mtime.tv_sec = lib.mtime(raw->entry);
	member.mtime.tv_nsec = lib.mtime_nsec(raw->entry);
	r = read_attributes(raw, &member, err);
	if (r < 0)
		return r;
	*ret_member = member;
	return 1;
}

int archive_raw_read(struct archive_raw *raw, const void **ret_data, size_t *ret_size,
		     int64_t *ret_offset, struct error *err)
{
	int r = lib.read_block(raw->handle, ret_data, ret_size, ret_offset);

	if (r == ARCHIVE_EOF)
		return 0;
	return r == ARCHIVE_OK ? 1 : cannot(raw->handle, "read", raw->name, err);
}

void archive_raw_close(struct archive_raw *raw)
{
	if (!raw)
		return;
	if (raw->handle)
		lib.read_free(raw->handle);
	free(raw->name);
	free(raw);
}

void archive_raw_cleanup(struct archive_raw **raw)
{
	archive_raw_close(*raw);
	*raw = NULL;
}

struct archive_out {
	struct archive *handle;
	char *name;
};

/*
 * Attributes in the form that tar(1) reads as well. No block is filled up at the end: the file may
 * be standard output.
 */
static int begin(struct archive_out *out, int fd)
{
	return lib.write_pax(out->handle) != ARCHIVE_OK ||
	       lib.write_zstd(out->handle) != ARCHIVE_OK ||
	       lib.write_options(out->handle, "pax:xattrheader=SCHILY") != ARCHIVE_OK ||
	       lib.write_last_block(out->handle, 1) != ARCHIVE_OK ||
	       lib.write_open(out->handle, fd) != ARCHIVE_OK;
}

int archive_out_open(int fd, const char *name, struct archive_out **ret_out, struct error *err)
{
	cleanup_archive_out struct archive_out *out = NULL;
	int r = archive_load(err);

	if (r < 0)
		return r;
	out = xcalloc(1, sizeof(*out));
	out->name = xstrdup(name);
	out->handle = lib.write_new();
	if (!out->handle)
		return error_set(err, ENOMEM, "cannot write %s", name);
	if (begin(out, fd))
		return cannot(out->handle, "write", name, err);
	*ret_out = steal_ptr(out);
	return 0;
}

static void fill(struct archive_entry *entry, const struct archive_member *member)
{
	lib.set_path(entry, member->path);
	lib.set_mode(entry, member->mode);
	lib.set_uid(entry, member->uid);
	lib.set_gid(entry, member->gid);
	lib.set_mtime(entry, member->mtime.tv_sec, member->mtime.tv_nsec);
	lib.set_size(entry, member->link_to || !S_ISREG(member->mode) ? 0 : member->size);
	if (member->target)
		lib.set_target(entry, member->target);
	if (member->link_to)
		lib.set_link_to(entry, member->link_to);
	for (size_t i = 0; i < member->n_attributes; i++)
		lib.add_xattr(entry, member->attributes[i].name, member->attributes[i].value,
			      member->attributes[i].size);
	for (size_t i = 0; i < member->n_stretches; i++)
		lib.add_sparse(entry, member->stretches[i].offset, member->stretches[i].length);
}

static bool is_ascii(const char *name)
{
	while (name && *name && (unsigned char)*name < 128)
		name++;
	return !name || !*name;
}

/* A name in no known character set is written as it is, and the library warns of it. */
static bool is_done(int r, const struct archive_member *member)
{
	return r == ARCHIVE_OK ||
	       (r == ARCHIVE_WARN &&
		!(is_ascii(member->path) && is_ascii(member->target) && is_ascii(member->link_to)));
}

int archive_out_add(struct archive_out *out, const struct archive_member *member, struct error *err)
{
	struct archive_entry *entry = lib.entry_new();
	int r;

	if (!entry)
		return error_set(err, ENOMEM, "cannot write %s", out->name);
	fill(entry, member);
	r = lib.write_header(out->handle, entry);
	lib.entry_free(entry);
	return is_done(r, member) ? 0 : cannot(out->handle, "write", out->name, err);
}

int archive_out_write(struct archive_out *out, const void *data, size_t size, struct error *err)
{
	while (size > 0) {
		la_ssize_t n = lib.write_data(out->handle, data, size);

		if (n <= 0)
			return cannot(out->handle, "write", out->name, err);
		data = (const char *)data + n;
		size -= (size_t)n;
	}
	return 0;
}

int archive_out_finish(struct archive_out *out, struct error *err)
{
	return lib.write_close(out->handle) == ARCHIVE_OK
		       ? 0
		       : cannot(out->handle, "write", out->name, err);
}

void archive_out_close(struct archive_out *out)
{
	if (!out)
		return;
	if (out->handle)
		lib.write_free(out->handle);
	free(out->name);
	free(out);
}

void archive_out_cleanup(struct archive_out **out)
{
	archive_out_close(*out);
	*out = NULL;
}
