/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/archive: what is written is what is read, and nothing else is read as an archive. */
#include "world.h"
#include "base/archive.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/run.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define MIB (1 << 20)

static int open_file(const struct world *world, const char *name, int flags)
{
	int fd = openat(world->dir, name, flags | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void add(struct archive_out *out, const struct archive_member *member, const char *content)
{
	struct error err = {0};

	assert_succeeds(archive_out_add(out, member, &err), &err);
	assert_succeeds(archive_out_write(out, content, strlen(content), &err), &err);
}

static void write_sparse(struct archive_out *out)
{
	static const struct archive_stretch stretches[] = {{0, 3}, {MIB, 3}};
	const struct archive_member member = {
		.path = "sparse",
		.mode = S_IFREG | 0600,
		.size = 2 * MIB,
		.stretches = stretches,
		.n_stretches = 2,
	};
	char *zeros = xcalloc(1, 2 * MIB);
	struct error err = {0};

	memcpy(zeros, "abc", sizeof("abc"));
	memcpy(zeros + MIB, "xyz", sizeof("xyz"));
	assert_succeeds(archive_out_add(out, &member, &err), &err);
	assert_succeeds(archive_out_write(out, zeros, 2 * MIB, &err), &err);
	free(zeros);
}

static void write_archive(const struct world *world)
{
	static const struct archive_attribute comment = {"user.comment", "a\0b", 3};
	cleanup_archive_out struct archive_out *out = NULL;
	cleanup_fd int fd = open_file(world, "a.tar.zst", O_CREAT | O_RDWR);
	struct error err = {0};

	assert_succeeds(archive_out_open(fd, "a.tar.zst", &out, &err), &err);
	add(out,
	    &(struct archive_member){.path = "d\xff\n/caf\xc3\xa9",
				     .mode = S_IFREG | 0640,
				     .uid = 65534,
				     .gid = 70000,
				     .size = 5,
				     .mtime = {1000, 123456789},
				     .attributes = &comment,
				     .n_attributes = 1},
	    "hello");
	add(out,
	    &(struct archive_member){
		    .path = "again", .mode = S_IFREG | 0640, .link_to = "d\xff\n/caf\xc3\xa9"},
	    "");
	add(out, &(struct archive_member){.path = "link", .mode = S_IFLNK | 0777, .target = "\xfe"},
	    "");
	write_sparse(out);
	assert_succeeds(archive_out_finish(out, &err), &err);
}

static struct archive_member next(struct archive_in *in)
{
	struct archive_member member = {0};
	struct error err = {0};

	if (archive_in_next(in, &member, &err) != 1)
		fail_msg("no member: %s", err.text);
	return member;
}

static void read_sparse(struct archive_in *in)
{
	int64_t offset, data = 0, last = -1;
	struct error err = {0};
	const void *piece;
	size_t size;
	int r;

	assert_int_equal(next(in).size, 2 * MIB);
	while ((r = archive_in_read(in, &piece, &size, &offset, &err)) == 1) {
		assert_true(offset >= last);
		last = offset;
		data += (int64_t)size;
		if (size && offset == MIB)
			assert_memory_equal(piece, "xyz", 3);
	}
	assert_succeeds(r, &err);
	assert_int_equal(data, 6);
}

static void archive_that_was_written(void **state)
{
	const struct world *world = *state;
	cleanup_archive_in struct archive_in *in = NULL;
	struct archive_member member;
	struct error err = {0};
	cleanup_fd int fd = -1;

	write_archive(world);
	fd = open_file(world, "a.tar.zst", O_RDONLY);
	assert_succeeds(archive_in_open(fd, ARCHIVE_TAR, "a.tar.zst", &in, &err), &err);
	member = next(in);
	assert_string_equal(member.path, "d\xff\n/caf\xc3\xa9");
	assert_int_equal(member.mode, S_IFREG | 0640);
	assert_int_equal(member.uid, 65534);
	assert_int_equal(member.gid, 70000);
	assert_int_equal(member.size, 5);
	assert_int_equal(member.mtime.tv_sec, 1000);
	assert_int_equal(member.mtime.tv_nsec, 123456789);
	assert_int_equal(member.n_attributes, 1);
	assert_string_equal(member.attributes[0].name, "user.comment");
	assert_memory_equal(member.attributes[0].value, "a\0b", 3);
	assert_string_equal(next(in).link_to, "d\xff\n/caf\xc3\xa9");
	assert_string_equal(next(in).target, "\xfe");
	read_sparse(in);
	assert_int_equal(archive_in_next(in, &member, &err), 0);
}

/* Reads all there is; the first failure, or 0. */
static int read_all(const struct world *world, const char *name, enum archive_kind kind,
		    size_t *ret_n, struct error *err)
{
	cleanup_archive_in struct archive_in *in = NULL;
	cleanup_fd int fd = open_file(world, name, O_RDONLY);
	int r = archive_in_open(fd, kind, name, &in, err);
	struct archive_member member;
	const void *piece;
	int64_t offset;
	size_t size;

	*ret_n = 0;
	while (r == 0 && (r = archive_in_next(in, &member, err)) == 1) {
		(*ret_n)++;
		while ((r = archive_in_read(in, &piece, &size, &offset, err)) == 1)
			;
	}
	return r;
}

static void archive_on_a_full_disk(void **state)
{
	cleanup_archive_out struct archive_out *out = NULL;
	cleanup_fd int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct error err = {0};
	int r;

	(void)state;
	assert_true(fd >= 0);
	r = archive_out_open(fd, "the archive", &out, &err);
	if (r == 0)
		r = archive_out_finish(out, &err);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(err.text, "cannot write the archive: "));
	assert_non_null(strstr(err.text, "No space left on device"));
}

static void archive_that_is_cut_off(void **state)
{
	const struct world *world = *state;
	struct error err = {0};
	struct stat st;
	size_t n;

	write_archive(world);
	assert_int_equal(fstatat(world->dir, "a.tar.zst", &st, 0), 0);
	for (off_t length = st.st_size - 1; length > 0; length -= 7) {
		cleanup_fd int fd = open_file(world, "a.tar.zst", O_RDWR);

		assert_int_equal(ftruncate(fd, length), 0);
		assert_true(read_all(world, "a.tar.zst", ARCHIVE_TAR, &n, &err) < 0);
		assert_non_null(strstr(err.text, "cannot read a.tar.zst: "));
	}
}

static void archive_of_another_kind(void **state)
{
	const struct world *world = *state;
	struct error err = {0};
	size_t n;

	world_file(world, "text", "#!/bin/sh\necho no archive, and longer than a block\n", 0644);
	assert_true(read_all(world, "text", ARCHIVE_TAR, &n, &err) < 0);
	assert_true(read_all(world, "text", ARCHIVE_ZIP, &n, &err) < 0);
	write_archive(world);
	assert_true(read_all(world, "a.tar.zst", ARCHIVE_ZIP, &n, &err) < 0);
}

/* The line of a file in /proc that begins so, of our only child. */
static void assert_child_has(const char *file, const char *line)
{
	cleanup_free char *children = NULL, *path = NULL, *content = NULL, *wanted = NULL;

	assert_int_equal(file_read(AT_FDCWD, "/proc/thread-self/children", 100, &children, NULL),
			 0);
	children[strcspn(children, " ")] = '\0';
	path = xasprintf("/proc/%s/%s", children, file);
	assert_int_equal(file_read(AT_FDCWD, path, 1 << 16, &content, NULL), 0);
	wanted = xasprintf("\n%s\n", line);
	if (!strstr(content, wanted))
		fail_msg("no '%s' in '%s': %s", line, path, content);
}

/* While it waits for somebody to take what it found. */
static void reader_has_no_rights(void **state)
{
	const struct world *world = *state;
	cleanup_archive_in struct archive_in *in = NULL;
	cleanup_fd int fd = -1;
	struct error err = {0};

	need_root();
	write_archive(world);
	fd = open_file(world, "a.tar.zst", O_RDONLY);
	assert_succeeds(archive_in_open(fd, ARCHIVE_TAR, "a.tar.zst", &in, &err), &err);
	for (int i = 0; i < 4; i++)
		next(in);
	assert_child_has("status", "Uid:\t65534\t65534\t65534\t65534");
	assert_child_has("status", "Gid:\t65534\t65534\t65534\t65534");
	assert_child_has("status", "Groups:\t ");
	assert_child_has("status", "CapPrm:\t0000000000000000");
	assert_child_has("status", "NoNewPrivs:\t1");
	assert_child_has("limits",
			 "Max open files            0                    0                    "
			 "files     ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(archive_that_was_written), cmocka_unit_test(archive_on_a_full_disk),
		with_world(archive_that_is_cut_off),  with_world(archive_of_another_kind),
		with_world(reader_has_no_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
