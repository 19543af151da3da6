/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/base/resolve: paths that want to lead elsewhere. Runs a second time with openat2(2)
 * refused, when every path is walked step by step; and both are compared.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "old_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct way {
	const char *path;
	int beneath, in_root; /* 0 or a negative errno */
};

static const struct way ways[] = {
	{"file", 0, 0},
	{"sub/inner", 0, 0},
	{"sub/../file", 0, 0},
	{"into/inner", 0, 0},
	{"missing", -ENOENT, -ENOENT},
	{"file/below", -ENOTDIR, -ENOTDIR},
	{"loop", -ELOOP, -ELOOP},
	/* as seen from inside, ".." of the root is the root, and "/" is the root */
	{"../outside", -EXDEV, -ENOENT},
	{"../root/file", -EXDEV, -ENOENT},
	{"/file", -EXDEV, 0},
	{"absolute", -EXDEV, 0},
	{"absolute-up", -EXDEV, 0},
	{"up/outside", -EXDEV, -ENOENT},
	{"up/file", -EXDEV, 0},
	{"sub/up-twice/outside", -EXDEV, -ENOENT},
	{"host-path", -EXDEV, -ENOENT},
};

static void make_ways(const struct world *w)
{
	cleanup_free char *outside = world_path(w, "outside");

	world_file(w, "outside", "outside", 0644);
	world_file(w, "root/file", "inside", 0644);
	world_file(w, "root/sub/inner", "inside", 0644);
	world_link(w, "sub", "root/into");
	world_link(w, "loop", "root/loop");
	world_link(w, "/file", "root/absolute");
	world_link(w, "/../../sub/../file", "root/absolute-up");
	world_link(w, "..", "root/up");
	world_link(w, "../..", "root/sub/up-twice");
	world_link(w, outside, "root/host-path");
}

static void assert_opens(int fd, int expected, const char *path)
{
	char buffer[8] = "";

	if ((fd < 0 ? fd : 0) != expected)
		print_error("'%s' gave %d\n", path, fd);
	assert_int_equal(fd < 0 ? fd : 0, expected);
	if (fd < 0)
		return;
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(read(fd, buffer, sizeof(buffer)), 6);
	assert_memory_equal(buffer, "inside", 6);
	close(fd);
}

static void file_open_beneath_and_in_root_never_leave(void **state)
{
	struct world *w = *state;
	cleanup_fd int root = -1;

	make_ways(w);
	root = file_open_directory(w->dir, "root");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct way *way = &ways[i];

		assert_opens(file_open_beneath(root, way->path, O_RDONLY, 0), way->beneath,
			     way->path);
		assert_opens(file_open_in_root(root, way->path, O_RDONLY, 0), way->in_root,
			     way->path);
	}
}

static void file_open_beneath_refuses_magic_links(void **state)
{
	cleanup_fd int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(file_open_beneath(self, "cwd", O_PATH, 0), -ELOOP);
	assert_int_equal(file_open_in_root(self, "root/etc", O_PATH, 0), -ELOOP);
	assert_int_equal(file_open_beneath(self, "exe", O_RDONLY, 0), -ELOOP);
}

static void file_open_beneath_creates_with_the_mode(void **state)
{
	struct world *w = *state;
	cleanup_fd int made = file_open_beneath(w->dir, "made", O_CREAT | O_EXCL | O_WRONLY, 0640);
	cleanup_fd int unnamed = file_open_beneath(w->dir, ".", O_TMPFILE | O_WRONLY, 0600);
	/* a mode without anything to create must not matter */
	cleanup_fd int directory = file_open_beneath(w->dir, ".", O_RDONLY | O_DIRECTORY, 0755);
	struct stat st;

	assert_true(made >= 0);
	assert_true(unnamed >= 0);
	assert_true(directory >= 0);
	assert_int_equal(fstat(made, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(file_open_beneath(w->dir, "made", O_CREAT | O_EXCL | O_WRONLY, 0640),
			 -EEXIST);
}

static void file_open_exactly_takes_no_other_way(void **state)
{
	struct world *w = *state;
	cleanup_fd int root = -1, fd = -1, proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

	make_ways(w);
	root = file_open_directory(w->dir, "root");
	fd = file_open_exactly(root, "sub/inner", O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(file_open_exactly(root, "into/inner", O_PATH), -ELOOP);
	assert_int_equal(file_open_exactly(root, "into", O_PATH), -ELOOP);
	assert_int_equal(file_open_exactly(root, "../outside", O_PATH), -EXDEV);
	assert_int_equal(file_open_exactly(root, "/file", O_PATH), -EXDEV);
	assert_int_equal(file_open_exactly(proc, "self/status", O_PATH), -ELOOP);
}

static void cross_mounts(const void *arg)
{
	struct world w = world_again(arg);
	cleanup_free char *bound = world_path(&w, "bound"), *fresh = world_path(&w, "fresh");
	cleanup_free char *from = world_path(&w, "from");

	world_file(&w, "from/file", "inside", 0644);
	world_directory(&w, "bound", 0755);
	world_directory(&w, "fresh", 0755);
	must(mount(from, bound, NULL, MS_BIND, NULL) == 0);
	must(mount("tmpfs", fresh, "tmpfs", 0, NULL) == 0);
	must(file_open_exactly(w.dir, "from/file", O_PATH) >= 0);
	must(file_open_exactly(w.dir, "bound/file", O_PATH) == -EXDEV);
	must(file_open_exactly(w.dir, "fresh", O_PATH) == -EXDEV);
	must(file_open_exactly(w.dir, "fresh/..", O_PATH) == -EXDEV);
	must(file_open_beneath(w.dir, "bound/file", O_PATH, 0) >= 0);
}

static void file_open_exactly_stays_on_its_mount(void **state)
{
	need_root();
	run_in_child(CLONE_NEWNS, cross_mounts, *state);
}

/*
 * Paths of random parts, opened by the kernel's own call and step by step: what comes out must be
 * the same file or the same error.
 */
#define PATHS 4000

struct outcome {
	int error;
	dev_t dev;
	ino_t ino;
};

static const char *const parts[] = {"a",   "b",	 "file", "up", "top",  "loop", "dangling", "into",
				    "far", "..", ".",	 "",   "gone", "self", "slash"};

static void make_maze(const struct world *w)
{
	static const char *const directories[] = {"m", "m/a", "m/b", "m/a/a", "m/a/b", "m/b/a"};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		static const struct {
			const char *name, *text;
		} links[] = {{"up", ".."},	 {"top", "/"},	  {"loop", "loop"},
			     {"into", "a/../b"}, {"far", "/b/a"}, {"dangling", "nowhere"},
			     {"self", "."},	 {"slash", "a/"}};
		cleanup_free char *file = xasprintf("%s/file", directories[i]);

		world_file(w, file, "inside", 0644);
		for (size_t j = 0; j < ARRAY_SIZE(links); j++) {
			cleanup_free char *link = xasprintf("%s/%s", directories[i], links[j].name);

			world_link(w, links[j].text, link);
		}
	}
}

static struct outcome outcome_of(int fd)
{
	struct outcome outcome = {.error = fd < 0 ? fd : 0};
	struct stat st;

	if (fd < 0)
		return outcome;
	must(fstat(fd, &st) == 0);
	close(fd);
	outcome.dev = st.st_dev;
	outcome.ino = st.st_ino;
	return outcome;
}

static bool is_same(const struct outcome *a, const struct outcome *b)
{
	return a->error == b->error && a->dev == b->dev && a->ino == b->ino;
}

static char *make_path(unsigned *seed)
{
	struct text path = {0};
	int n = 1 + rand_r(seed) % 6;

	if (rand_r(seed) % 8 == 0)
		text_add(&path, "/");
	for (int i = 0; i < n; i++)
		text_addf(&path, "%s%s", i ? "/" : "",
			  parts[(size_t)rand_r(seed) % ARRAY_SIZE(parts)]);
	return text_take(&path);
}

struct maze {
	int top;
	struct outcome *outcomes; /* shared, of every path in every manner */
};

static void walk_maze(const struct maze *maze)
{
	static const int flags[] = {O_PATH, O_RDONLY, O_RDONLY | O_DIRECTORY, O_RDONLY | O_NOFOLLOW,
				    O_PATH | O_NOFOLLOW};
	struct outcome *to = maze->outcomes;
	unsigned seed = 20261123;

	for (int i = 0; i < PATHS; i++) {
		cleanup_free char *path = make_path(&seed);
		int flag = flags[(size_t)rand_r(&seed) % ARRAY_SIZE(flags)];

		*to++ = outcome_of(file_open_beneath(maze->top, path, flag, 0));
		*to++ = outcome_of(file_open_in_root(maze->top, path, flag, 0));
		*to++ = outcome_of(file_open_exactly(maze->top, path, O_PATH));
	}
}

static void walk_by_steps(const void *arg)
{
	refuse_call(SYS_openat2, ENOSYS);
	walk_maze(arg);
}

static void file_open_by_steps_agrees_with_the_kernel(void **state)
{
	size_t size = 3 * PATHS * sizeof(struct outcome);
	struct maze maze = {.outcomes = xcalloc(3 * PATHS, sizeof(struct outcome))};
	struct outcome *shared;
	unsigned seed = 20261123;

	make_maze(*state);
	maze.top = file_open_directory(((struct world *)*state)->dir, "m");
	walk_maze(&maze);
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(shared != MAP_FAILED);
	run_in_child(0, walk_by_steps, &(struct maze){maze.top, shared});
	for (size_t i = 0; i < PATHS; i++) {
		cleanup_free char *path = make_path(&seed);

		(void)rand_r(&seed);
		for (size_t j = 3 * i; j < 3 * i + 3; j++) {
			if (!is_same(&shared[j], &maze.outcomes[j]))
				print_error("'%s' (%zu) gave %d, not %d\n", path, j % 3,
					    shared[j].error, maze.outcomes[j].error);
			assert_true(is_same(&shared[j], &maze.outcomes[j]));
		}
	}
	close(maze.top);
	free(maze.outcomes);
	munmap(shared, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(file_open_beneath_and_in_root_never_leave),
		with_world(file_open_beneath_refuses_magic_links),
		with_world(file_open_beneath_creates_with_the_mode),
		with_world(file_open_exactly_takes_no_other_way),
		with_world(file_open_exactly_stays_on_its_mount),
		with_world(file_open_by_steps_agrees_with_the_kernel),
	};

	refuse_as_asked();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
