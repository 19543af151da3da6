/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/unpack*: archives that no tool would make, into layers that must stay clean. */
#include "world.h"
#include "instance/unpack.h"
#include "base/archive.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define INSTALL "/opt/app"

static int write_members(const struct archive_member *members, size_t n)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	cleanup_archive_out struct archive_out *out = NULL;
	struct error err = {0};

	assert_succeeds(archive_out_open(fd, "it", &out, &err), &err);
	for (size_t i = 0; i < n; i++) {
		assert_succeeds(archive_out_add(out, &members[i], &err), &err);
		if (members[i].size)
			assert_succeeds(
				archive_out_write(out, "0123456789", (size_t)members[i].size, &err),
				&err);
	}
	assert_succeeds(archive_out_finish(out, &err), &err);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

struct trial {
	const struct world *world;
	const struct archive_member *members;
	size_t n;
	const char *refusal; /* NULL: it is taken */
};

/* In a child: it gives up a capability, and the file mode mask. */
static void unpack(const void *data)
{
	const struct trial *trial = data;
	struct unpack_place place = {.install = INSTALL};
	int fd = write_members(trial->members, trial->n), r;
	struct error err = {0};

	place.upper = openat(trial->world->dir, "upper", O_RDONLY | O_DIRECTORY);
	place.lower = openat(trial->world->dir, "lower", O_RDONLY | O_DIRECTORY);
	must(place.upper >= 0 && place.lower >= 0);
	r = unpack_archive(fd, "it", &place, 1, &err);
	if (trial->refusal)
		must_fail(r, &err, trial->refusal);
	else
		must_succeed(r, &err);
}

static void layers(const struct world *world)
{
	world_directory(world, "lower/conf/inner", 0750);
	world_directory(world, "upper", 0755);
	world_file(world, "victim", "victim", 0644);
}

static void assert_refused(const struct world *world, const struct archive_member *members,
			   size_t n, const char *refusal)
{
	const struct trial trial = {world, members, n, refusal};
	cleanup_free char *victim = NULL;

	assert_int_equal(file_remove_tree(world->dir, "upper"), 0);
	world_directory(world, "upper", 0755);
	run_in_child(0, unpack, &trial);
	victim = world_read(world, "victim");
	assert_string_equal(victim, "victim");
}

#define REFUSED(refusal, ...)                                             \
	do {                                                              \
		const struct archive_member list_[] = {__VA_ARGS__};      \
		assert_refused(world, list_, ARRAY_SIZE(list_), refusal); \
	} while (0)
#define FILE_(name)                                               \
	{                                                         \
		.path = (name), .mode = S_IFREG | 0644, .size = 3 \
	}
#define LINK_(name, to)                                                \
	{                                                              \
		.path = (name), .mode = S_IFLNK | 0777, .target = (to) \
	}

static void unpack_refuses_paths_that_lead_elsewhere(void **state)
{
	const struct world *world = *state;

	need_root();
	layers(world);
	REFUSED("is an absolute path", FILE_("/opt/app/x"));
	REFUSED("is an absolute path", FILE_("//opt/app/x"));
	REFUSED("component '.' or '..'", FILE_("opt/app/../../victim"));
	REFUSED("component '.' or '..'", FILE_("opt/app/./x"));
	REFUSED("component '.' or '..'", FILE_("opt/app/x/.."));
	REFUSED("empty component", FILE_("opt//app/x"));
	REFUSED("lies in no install", FILE_("opt/apple/x"));
	REFUSED("lies in no install", FILE_("opt"));
	REFUSED("lies in no install", LINK_("opt", "/etc"));
	REFUSED("take the place", FILE_("opt/app"));
	REFUSED("take the place", LINK_("opt/app", "/etc"));
	REFUSED("no directory", LINK_("opt/app/l", "../.."), FILE_("opt/app/l/victim"));
	REFUSED("no directory", LINK_("opt/app/l", "."), FILE_("opt/app/l/x"));
	REFUSED("twice", LINK_("opt/app/l", "../../victim"), FILE_("opt/app/l"));
	REFUSED("twice", LINK_("opt/app/l", "../.."),
		{.path = "opt/app/l", .mode = S_IFDIR | 0755});
	REFUSED("twice", FILE_("opt/app/x"), FILE_("opt/app/x"));
	REFUSED("twice", {.path = "opt/app/d", .mode = S_IFDIR | 0755},
		{.path = "opt/app/d", .mode = S_IFDIR | 0755});
	REFUSED("twice", {.path = "opt/app", .mode = S_IFDIR | 0755},
		{.path = "opt/app", .mode = S_IFDIR | 0755});
	REFUSED("no directory", FILE_("opt/app/x"), FILE_("opt/app/x/y"));
	REFUSED("no directory", {.path = "opt/app/.wh.x", .mode = S_IFREG}, FILE_("opt/app/x/y"));
}

static void unpack_refuses_names_of_other_files(void **state)
{
	const struct world *world = *state;

	need_root();
	layers(world);
	REFUSED("outside its install",
		{.path = "opt/app/x", .mode = S_IFREG, .link_to = "../victim"});
	REFUSED("outside its install",
		{.path = "opt/app/x", .mode = S_IFREG, .link_to = "/opt/app/y"});
	REFUSED("outside its install", FILE_("opt/app/x"),
		{.path = "opt/app/y", .mode = S_IFREG, .link_to = "opt/app2x"});
	REFUSED("has not come before",
		{.path = "opt/app/x", .mode = S_IFREG, .link_to = "opt/app/../../victim"});
	REFUSED("has not come before",
		{.path = "opt/app/x", .mode = S_IFREG, .link_to = "opt/app/conf"});
	REFUSED("has not come before", LINK_("opt/app/l", "../victim"),
		{.path = "opt/app/x", .mode = S_IFREG, .link_to = "opt/app/l"});
	REFUSED("has not come before", LINK_("opt/app/l", ".."),
		{.path = "opt/app/x", .mode = S_IFREG, .link_to = "opt/app/l/victim"});
}

static void unpack_refuses_what_is_no_file(void **state)
{
	static const struct archive_attribute caps = {"security.capability", "x", 1};
	static const struct archive_attribute opaque = {"trusted.overlay.opaque", "y", 1};
	const struct world *world = *state;

	need_root();
	layers(world);
	REFUSED("neither a file", {.path = "opt/app/x", .mode = S_IFCHR | 0666});
	REFUSED("neither a file", {.path = "opt/app/x", .mode = S_IFBLK | 0666});
	REFUSED("neither a file", {.path = "opt/app/x", .mode = S_IFIFO | 0666});
	REFUSED("set-user-id", {.path = "opt/app/x", .mode = S_IFREG | 04755});
	REFUSED("set-user-id", {.path = "opt/app/x", .mode = S_IFREG | 02755});
	REFUSED("capabilities", {.path = "opt/app/x",
				 .mode = S_IFREG | 0755,
				 .attributes = &caps,
				 .n_attributes = 1});
	REFUSED("not of its user's", {.path = "opt/app/x",
				      .mode = S_IFREG | 0755,
				      .attributes = &opaque,
				      .n_attributes = 1});
}

static void unpack_refuses_marks_that_mean_nothing(void **state)
{
	const struct world *world = *state;

	need_root();
	layers(world);
	REFUSED("hide all", {.path = "opt/app/.wh..wh..opq", .mode = S_IFREG});
	REFUSED("not known", {.path = "opt/app/d/.wh..wh.plnk", .mode = S_IFREG});
	REFUSED("not known", {.path = "opt/app/.wh.", .mode = S_IFREG});
	REFUSED("not known", {.path = "opt/app/.wh..", .mode = S_IFREG});
	REFUSED("not known", {.path = "opt/app/.wh...", .mode = S_IFREG});
	REFUSED("is none", {.path = "opt/app/.wh.x", .mode = S_IFDIR | 0755});
	REFUSED("is none", FILE_("opt/app/.wh.x"));
	REFUSED("is none", LINK_("opt/app/.wh.x", "y"));
	REFUSED("twice", FILE_("opt/app/x"), {.path = "opt/app/.wh.x", .mode = S_IFREG});
}

/* Directories on the way look as below, marks become the overlay's, times stay. */
static void unpack_makes_a_layer(void **state)
{
	static const struct archive_member members[] = {
		{.path = "./", .mode = S_IFDIR | 0755},
		{.path = "opt/", .mode = S_IFDIR | 0777},
		{.path = "opt/app/", .mode = S_IFDIR | 0711, .uid = 5},
		{.path = "./opt/app/conf/inner/x",
		 .mode = S_IFREG | 0640,
		 .uid = 1,
		 .gid = 2,
		 .size = 3,
		 .mtime = {1000, 7}},
		{.path = "opt/app/new/", .mode = S_IFDIR | 02750, .mtime = {2000, 0}},
		{.path = "opt/app/new/.wh..wh..opq", .mode = S_IFREG},
		{.path = "opt/app/new/again", .mode = S_IFREG, .link_to = "opt/app/conf/inner/x"},
		{.path = "opt/app/conf/.wh.gone", .mode = S_IFREG},
	};
	const struct world *world = *state;
	const struct trial trial = {world, members, ARRAY_SIZE(members), NULL};
	cleanup_free char *made = world_path(world, "upper/new");
	struct stat st;
	char value;

	need_root();
	layers(world);
	run_in_child(0, unpack, &trial);
	assert_int_equal(fstatat(world->dir, "upper", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0711);
	assert_int_equal(st.st_uid, 5);
	assert_int_equal(fstatat(world->dir, "upper/conf/inner", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(fstatat(world->dir, "upper/conf/inner/x", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_mtim.tv_nsec, 7);
	assert_int_equal(fstatat(world->dir, "upper/new", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 02750);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(getxattr(made, "trusted.overlay.opaque", &value, 1), 1);
	assert_int_equal(fstatat(world->dir, "upper/conf/gone", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFCHR);
	assert_int_equal(st.st_rdev, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(unpack_refuses_paths_that_lead_elsewhere),
		with_world(unpack_refuses_names_of_other_files),
		with_world(unpack_refuses_what_is_no_file),
		with_world(unpack_refuses_marks_that_mean_nothing),
		with_world(unpack_makes_a_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
