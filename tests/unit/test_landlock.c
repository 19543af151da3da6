/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/confine/landlock: where a confined process may write, and what it cannot reach. */
#include "world.h"
#include "base/cleanup.h"
#include "confine/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define need_landlock()                           \
	do {                                      \
		need_root();                      \
		if (confine_files_version() == 0) \
			skip();                   \
	} while (0)

static void make_tree(const struct world *w)
{
	world_file(w, "open/from/file", "1", 0666);
	world_directory(w, "open/to", 0777);
	world_file(w, "contents/file", "1", 0666);
	world_file(w, "closed/file", "1", 0666);
}

static void confine(const struct confine_place *places, size_t n)
{
	struct error err = {0};

	must_succeed(confine_files(places, n, &err), &err);
}

/* "open" may be written to, "contents" keeps its names, "closed" is neither. */
static void confine_world(const struct world *w)
{
	cleanup_free char *open = world_path(w, "open"), *contents = world_path(w, "contents");
	const struct confine_place places[] = {{open, -1, false}, {contents, -1, true}};

	confine(places, ARRAY_SIZE(places));
}

static bool can_open(const struct world *w, const char *path, int flags)
{
	cleanup_fd int fd = openat(w->dir, path, flags | O_CLOEXEC, 0600);

	must(fd >= 0 || errno == EACCES);
	return fd >= 0;
}

static void look_at_places(const void *arg)
{
	const struct world *w = arg;

	confine_world(w);
	must(can_open(w, "open/new", O_WRONLY | O_CREAT));
	must(can_open(w, "open/from/file", O_WRONLY | O_TRUNC));
	must(can_open(w, "contents/file", O_WRONLY | O_TRUNC));
	must(!can_open(w, "contents/new", O_WRONLY | O_CREAT));
	must(!can_open(w, "closed/new", O_WRONLY | O_CREAT));
	must(!can_open(w, "closed/file", O_WRONLY));
	must(can_open(w, "closed/file", O_RDONLY));
	must(unlinkat(w->dir, "contents/file", 0) < 0 && errno == EACCES);
	must(mkdirat(w->dir, "closed/directory", 0700) < 0 && errno == EACCES);
}

static void confine_files_leaves_places_to_write_to(void **state)
{
	struct world *w = *state;

	need_landlock();
	make_tree(w);
	run_in_child(0, look_at_places, w);
}

/* As servers do with what they have written beside; it was refused once, by the first Landlock. */
static void rename_between(const void *arg)
{
	const struct world *w = arg;

	confine_world(w);
	must(renameat(w->dir, "open/from/file", w->dir, "open/to/file") == 0);
	must(linkat(w->dir, "open/to/file", w->dir, "open/from/file", 0) == 0);
	must(renameat(w->dir, "open/to/file", w->dir, "closed/other") < 0);
}

static void confine_files_lets_names_move(void **state)
{
	struct world *w = *state;

	need_landlock();
	make_tree(w);
	run_in_child(0, rename_between, w);
}

/* 0:0 is an overlay's whiteout, which takes no capability to make. */
static void make_devices(const void *arg)
{
	const struct world *w = arg;

	confine_world(w);
	must(mknodat(w->dir, "open/whiteout", S_IFCHR | 0600, 0) < 0 && errno == EACCES);
	must(mknodat(w->dir, "open/null", S_IFCHR | 0600, 0x103) < 0 && errno == EACCES);
	must(mknodat(w->dir, "open/disk", S_IFBLK | 0600, 0x800) < 0 && errno == EACCES);
	must(mknodat(w->dir, "open/fifo", S_IFIFO | 0600, 0) == 0);
	must(can_open(w, "/dev/null", O_RDONLY));
}

static void confine_files_makes_no_devices(void **state)
{
	struct world *w = *state;

	need_landlock();
	make_tree(w);
	run_in_child(0, make_devices, w);
}

/* A descriptor that should not be there leads nowhere. */
static void use_forgotten_descriptor(const void *arg)
{
	const struct confine_place places[] = {{"/", -1, false}};
	const struct world *w = arg;
	cleanup_free char *open = world_path(w, "open");

	must(chroot(open) == 0 && chdir("/") == 0);
	must(can_open(w, "closed/file", O_RDWR));
	confine(places, 1);
	must(!can_open(w, "closed/file", O_RDONLY));
	must(!can_open(w, "closed/file", O_WRONLY));
	must(!can_open(w, "closed", O_RDONLY | O_DIRECTORY));
	must(can_open(w, "/from/file", O_RDWR));
}

static void confine_files_closes_what_is_outside(void **state)
{
	struct world *w = *state;

	need_landlock();
	make_tree(w);
	run_in_child(0, use_forgotten_descriptor, w);
}

static void mount_something(const void *arg)
{
	const struct world *w = arg;
	cleanup_free char *open = world_path(w, "open");

	must(mount("none", open, "tmpfs", 0, NULL) == 0);
	confine_world(w);
	must(mount("none", open, "tmpfs", 0, NULL) < 0 && errno == EPERM);
	must(mount(NULL, open, NULL, MS_REMOUNT, NULL) < 0 && errno == EPERM);
	must(umount2(open, MNT_DETACH) < 0 && errno == EPERM);
}

static void confine_files_mounts_nothing(void **state)
{
	struct world *w = *state;

	need_landlock();
	make_tree(w);
	run_in_child(CLONE_NEWNS, mount_something, w);
}

static void confine_nowhere(const void *arg)
{
	const struct confine_place places[] = {{"/no/such/place", -1, false}};
	struct error err = {0};

	(void)arg;
	must_fail(confine_files(places, 1, &err), &err, "cannot open '/no/such/place' inside");
}

static void confine_files_says_which_place_is_missing(void **state)
{
	(void)state;
	need_landlock();
	run_in_child(0, confine_nowhere, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(confine_files_leaves_places_to_write_to),
		with_world(confine_files_lets_names_move),
		with_world(confine_files_makes_no_devices),
		with_world(confine_files_closes_what_is_outside),
		with_world(confine_files_mounts_nothing),
		cmocka_unit_test(confine_files_says_which_place_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
