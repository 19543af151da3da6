/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/file: what a tenant may have left behind, and paths that want to lead elsewhere. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void assert_mode(const struct world *w, const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(w->dir, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void assert_content(const struct world *w, const char *path, const char *content)
{
	cleanup_free char *data = world_read(w, path);

	assert_string_equal(data, content);
}

/* Directories inside one another, with a file in every hundredth. */
static void make_deep(int dirfd, const char *name, int levels)
{
	int at = dirfd;

	for (int i = 0; i < levels; i++) {
		const char *next = i == 0 ? name : "d";
		int fd;

		must(mkdirat(at, next, 0755) == 0);
		fd = file_open_directory(at, next);
		must(fd >= 0);
		if (at != dirfd)
			close(at);
		at = fd;
		if (i % 100 == 99)
			must(file_write(at, "file", "content", 0644) == 0);
	}
	if (at != dirfd)
		close(at);
}

/* With no more descriptors than any process has. */
static void remove_deep(const void *arg)
{
	const struct world *w = arg;
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 256;
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	must(file_remove_tree(w->dir, "deep") == 0);
	must(!world_has(w, "deep"));
	must(file_remove_tree(w->dir, "deep") == 0);
}

static void file_remove_tree_of_5000_levels(void **state)
{
	struct world *w = *state;

	make_deep(w->dir, "deep", 5000);
	run_in_child(0, remove_deep, w);
}

static void file_remove_tree_of_many_deep_branches(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 5; i++) {
		cleanup_free char *branch = xasprintf("tree/%d", i);
		cleanup_fd int fd = -1;

		world_directory(w, branch, 0755);
		fd = file_open_directory(w->dir, branch);
		make_deep(fd, "x", 300);
		make_deep(fd, "y", 70);
	}
	assert_int_equal(file_remove_tree(w->dir, "tree"), 0);
	assert_false(world_has(w, "tree"));
}

/* A tenant who knows the names that are used for what is moved up. */
static void file_remove_tree_with_its_own_names_taken(void **state)
{
	struct world *w = *state;
	cleanup_fd int tree = -1;

	world_directory(w, "tree", 0755);
	tree = file_open_directory(w->dir, "tree");
	for (int i = 0; i < 8; i++) {
		cleanup_free char *name = xasprintf(".stint-deep-%d", i);

		if (i % 4 == 3)
			must(file_write(tree, name, "a file", 0600) == 0);
		else
			make_deep(tree, name, 100);
	}
	assert_int_equal(file_remove_tree(w->dir, "tree"), 0);
	assert_false(world_has(w, "tree"));
}

static void file_remove_tree_does_not_follow_links(void **state)
{
	struct world *w = *state;

	world_file(w, "outside/kept", "kept", 0644);
	world_link(w, "../outside", "tree/up");
	world_link(w, w->path, "tree/absolute");
	world_link(w, "../outside/kept", "tree/file");
	world_link(w, "nowhere", "tree/dangling");
	world_link(w, "outside", "link");
	assert_int_equal(file_remove_tree(w->dir, "tree"), 0);
	assert_int_equal(file_remove_tree(w->dir, "link"), 0);
	assert_false(world_has(w, "tree"));
	assert_false(world_has(w, "link"));
	assert_content(w, "outside/kept", "kept");
}

static void keep_other_file_system(const void *arg)
{
	const struct world again = world_again(arg), *w = &again;
	cleanup_free char *path = world_path(w, "tree/m/mounted");

	must(mount("tmpfs", path, "tmpfs", 0, NULL) == 0);
	world_file(w, "tree/m/mounted/kept", "kept", 0644);
	must(file_remove_tree(w->dir, "tree") == -EBUSY);
	must(world_has(w, "tree/m/mounted/kept"));
	must(!world_has(w, "tree/a") && !world_has(w, "tree/z") && !world_has(w, "tree/m/n"));
	must(umount(path) == 0);
	must(world_has(w, "tree/m/mounted/under"));
	must(file_remove_tree(w->dir, "tree") == 0);
	must(!world_has(w, "tree"));
	must(file_remove_tree(w->dir, "tree") == 0);
}

static void file_remove_tree_leaves_another_file_system_alone(void **state)
{
	struct world *w = *state;

	need_root();
	world_file(w, "tree/m/mounted/under", "", 0644);
	world_file(w, "tree/m/n", "", 0644);
	world_file(w, "tree/a", "", 0644);
	world_file(w, "tree/z/file", "", 0644);
	run_in_child(CLONE_NEWNS, keep_other_file_system, w);
}

static void file_remove_tree_of_thousands_of_entries(void **state)
{
	struct world *w = *state;
	cleanup_fd int tree = -1;

	world_directory(w, "tree", 0755);
	tree = file_open_directory(w->dir, "tree");
	for (int i = 0; i < 3000; i++) {
		cleanup_free char *name = xasprintf("%d", i);

		if (i % 5 == 0)
			must(mkdirat(tree, name, 0755) == 0);
		else
			must(symlinkat("..", tree, name) == 0);
	}
	assert_int_equal(file_remove_tree(w->dir, "tree"), 0);
	assert_false(world_has(w, "tree"));
}

static void file_remove_tree_of_closed_directories(void **state)
{
	struct world *w = *state;

	need_root();
	world_file(w, "tree/a/b/file", "", 0);
	world_directory(w, "tree/a/b", 0);
	world_directory(w, "tree/a", 0);
	world_directory(w, "tree", 0);
	assert_int_equal(file_remove_tree(w->dir, "tree"), 0);
	assert_false(world_has(w, "tree"));
}

static bool set_immutable(const struct world *w, const char *path, bool immutable)
{
	cleanup_fd int fd = openat(w->dir, path, O_RDONLY | O_CLOEXEC);
	int flags = 0;

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return false;
	flags = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
}

static void file_remove_tree_goes_on_and_tells_the_first_failure(void **state)
{
	struct world *w = *state;
	int in_tree, itself;

	need_root();
	world_file(w, "tree/a", "", 0644);
	world_file(w, "tree/locked", "", 0644);
	world_file(w, "tree/z/z", "", 0644);
	if (!set_immutable(w, "tree/locked", true))
		skip();
	in_tree = file_remove_tree(w->dir, "tree");
	itself = file_remove_tree(w->dir, "tree/locked");
	assert_true(set_immutable(w, "tree/locked", false));
	assert_int_equal(in_tree, -EPERM);
	assert_int_equal(itself, -EPERM);
	assert_false(world_has(w, "tree/a"));
	assert_false(world_has(w, "tree/z"));
	assert_int_equal(file_remove_tree(w->dir, "tree"), 0);
}

static void file_remove_tree_of_single_objects(void **state)
{
	static const char *const names[] = {"file", "empty", "fifo", "missing"};
	struct world *w = *state;

	world_file(w, "file", "content", 0644);
	world_directory(w, "empty", 0755);
	assert_int_equal(mkfifoat(w->dir, "fifo", 0600), 0);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
			assert_int_equal(file_remove_tree(w->dir, names[i]), 0);
			assert_false(world_has(w, names[i]));
		}
}

#define LETTERS 65536

static void replace_with(int dirfd, char letter)
{
	char *data = xcalloc(LETTERS + 1, 1);

	memset(data, letter, LETTERS);
	must(file_replace(dirfd, "file", data, 0644) == 0);
	free(data);
}

static void replace_again_and_again(const void *arg)
{
	const struct world *w = arg;

	for (int i = 0; i < 60; i++)
		replace_with(w->dir, i % 2 ? 'a' : 'b');
}

static void file_replace_shows_the_old_or_the_new(void **state)
{
	struct world *w = *state;
	int status, rounds = 0;
	pid_t writer;

	replace_with(w->dir, 'a');
	writer = start_child(replace_again_and_again, w);
	do {
		cleanup_free char *data = NULL;
		size_t length;

		assert_int_equal(file_read(w->dir, "file", 2 * LETTERS, &data, &length), 0);
		assert_int_equal(length, LETTERS);
		assert_int_equal(strspn(data, *data == 'a' ? "a" : "b"), LETTERS);
		rounds++;
	} while (waitpid(writer, &status, WNOHANG) == 0);
	assert_int_equal(status, 0);
	assert_true(rounds > 1);
	assert_false(world_has(w, "file.new"));
}

static void file_replace_of_a_directory_leaves_nothing(void **state)
{
	struct world *w = *state;

	world_directory(w, "directory", 0755);
	assert_int_equal(file_replace(w->dir, "directory", "data", 0644), -EISDIR);
	assert_false(world_has(w, "directory.new"));
	assert_int_equal(file_replace(w->dir, "missing/file", "data", 0644), -ENOENT);
}

/* A writer was killed between its two steps. */
static void file_replace_overwrites_a_leftover(void **state)
{
	struct world *w = *state;

	world_file(w, "file.new", "a longer leftover", 0600);
	assert_int_equal(file_replace(w->dir, "file", "data", 0600), 0);
	assert_content(w, "file", "data");
	assert_mode(w, "file", 0600);
	assert_false(world_has(w, "file.new"));
}

static void file_read_of_every_size(void **state)
{
	static const size_t sizes[] = {0,    1,	   4094, 4095,	4096,  4097,
				       8190, 8191, 8192, 16384, 65537, 300000};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		cleanup_free char *out = xcalloc(sizes[i] + 1, 1);
		cleanup_free char *in = NULL;
		size_t length = 1;

		memset(out, 'x', sizes[i]);
		world_file(w, "file", out, 0644);
		assert_int_equal(file_read(w->dir, "file", sizes[i], &in, &length), 0);
		assert_int_equal(length, sizes[i]);
		assert_string_equal(in, out);
		if (sizes[i] > 0)
			assert_int_equal(file_read(w->dir, "file", sizes[i] - 1, &in, &length),
					 -EFBIG);
	}
}

static void file_read_of_what_is_no_file(void **state)
{
	struct world *w = *state;
	cleanup_free char *data = NULL;
	size_t length = 7;

	assert_int_equal(file_read(w->dir, ".", 100, &data, &length), -EISDIR);
	assert_int_equal(file_read(w->dir, "missing", 100, &data, &length), -ENOENT);
	assert_null(data);
	assert_int_equal(length, 7);
	assert_int_equal(mkfifoat(w->dir, "fifo", 0600), 0);
	assert_int_equal(file_read(w->dir, "fifo", 100, &data, &length), 0);
	assert_int_equal(length, 0);
}

static void file_write_truncates_and_follows_no_link(void **state)
{
	struct world *w = *state;

	world_file(w, "file", "a long content", 0644);
	world_link(w, "file", "link");
	assert_int_equal(file_write(w->dir, "link", "evil", 0644), -ELOOP);
	assert_content(w, "file", "a long content");
	assert_int_equal(file_write(w->dir, "file", "short", 0644), 0);
	assert_content(w, "file", "short");
}

static void file_poke_creates_nothing(void **state)
{
	struct world *w = *state;

	assert_int_equal(file_poke(w->dir, "missing", "1"), -ENOENT);
	assert_false(world_has(w, "missing"));
	world_file(w, "file", "0", 0644);
	assert_int_equal(file_poke(w->dir, "file", "1"), 0);
	assert_content(w, "file", "1");
}

static void read_slowly(const void *arg)
{
	const int *fds = arg;
	char buffer[777];
	size_t total = 0;
	ssize_t n;

	close(fds[1]);
	while ((n = read(fds[0], buffer, sizeof(buffer))) > 0)
		total += (size_t)n;
	must(total == 1 << 20);
}

static void file_write_all_through_a_pipe(void **state)
{
	cleanup_free char *data = xcalloc(1, 1 << 20);
	int fds[2];
	pid_t reader;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	reader = start_child(read_slowly, fds);
	close(fds[0]);
	assert_int_equal(file_write_all(fds[1], data, 1 << 20), 0);
	close(fds[1]);
	assert_int_equal(wait_status(reader), 0);
	assert_int_equal(file_write_all(-1, data, 1), -EBADF);
	assert_int_equal(file_write_all(-1, data, 0), 0);
}

static void file_make_directories_in_every_spelling(void **state)
{
	static const struct {
		const char *path;
		int result;
	} cases[] = {
		{"a", 0},	    {"a/b/c", 0},	{"a/b/c", 0},
		{"a//b///d/", 0},   {"./e/./f", 0},	{"a/../g/h", 0},
		{"/", 0},	    {"", -ENOENT},	{"file/x", -ENOTDIR},
		{"file", -ENOTDIR}, {"link-to-a/i", 0}, {"dangling", -ENOENT},
	};
	static const char *const made[] = {"a/b/c", "a/b/d", "e/f", "g/h", "a/i"};
	struct world *w = *state;

	world_file(w, "file", "", 0644);
	world_link(w, "a", "link-to-a");
	world_link(w, "nowhere", "dangling");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (file_make_directories(w->dir, cases[i].path, 0755) != cases[i].result)
			print_error("'%s':\n", cases[i].path);
		assert_int_equal(file_make_directories(w->dir, cases[i].path, 0755),
				 cases[i].result);
	}
	for (size_t i = 0; i < ARRAY_SIZE(made); i++)
		assert_mode(w, made[i], 0755);
}

static void file_make_directories_keeps_what_exists(void **state)
{
	struct world *w = *state;
	cleanup_free char *absolute = world_path(w, "old/new/newer");

	world_directory(w, "old", 0711);
	assert_int_equal(file_make_directories(AT_FDCWD, absolute, 0700), 0);
	assert_mode(w, "old", 0711);
	assert_mode(w, "old/new", 0700);
	assert_mode(w, "old/new/newer", 0700);
}

static void file_open_directory_opens_nothing_else(void **state)
{
	struct world *w = *state;
	cleanup_fd int fd = file_open_directory(w->dir, ".");

	world_file(w, "file", "", 0644);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(file_open_directory(w->dir, "file"), -ENOTDIR);
	assert_int_equal(file_open_directory(w->dir, "missing"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(file_remove_tree_of_5000_levels),
		with_world(file_remove_tree_of_many_deep_branches),
		with_world(file_remove_tree_with_its_own_names_taken),
		with_world(file_remove_tree_does_not_follow_links),
		with_world(file_remove_tree_leaves_another_file_system_alone),
		with_world(file_remove_tree_of_thousands_of_entries),
		with_world(file_remove_tree_of_closed_directories),
		with_world(file_remove_tree_goes_on_and_tells_the_first_failure),
		with_world(file_remove_tree_of_single_objects),
		with_world(file_replace_shows_the_old_or_the_new),
		with_world(file_replace_of_a_directory_leaves_nothing),
		with_world(file_replace_overwrites_a_leftover),
		with_world(file_read_of_every_size),
		with_world(file_read_of_what_is_no_file),
		with_world(file_write_truncates_and_follows_no_link),
		with_world(file_poke_creates_nothing),
		with_world(file_write_all_through_a_pipe),
		with_world(file_make_directories_in_every_spelling),
		with_world(file_make_directories_keeps_what_exists),
		with_world(file_open_directory_opens_nothing_else),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
