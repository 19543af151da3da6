/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/instance/harvest*: layers with every mark that overlayfs leaves, made by hand, and files
 * that change while they are read.
 */
#include "world.h"
#include "instance/harvesting.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#define INSTALL "/opt/app"

static void mark(const struct world *world, const char *path, const char *name, const char *value)
{
	cleanup_free char *whole = world_path(world, path);

	assert_int_equal(lsetxattr(whole, name, value, strlen(value), 0), 0);
}

static void whiteout(const struct world *world, const char *path)
{
	assert_int_equal(mknodat(world->dir, path, S_IFCHR, 0), 0);
}

/* One line for each member: kind, path, "-> target", "= link", content. */
static char *list_members(int fd)
{
	cleanup_archive_in struct archive_in *in = NULL;
	struct archive_member member;
	struct text text = {0};
	struct error err = {0};
	int r;

	lseek(fd, 0, SEEK_SET);
	assert_succeeds(archive_in_open(fd, ARCHIVE_TAR, "it", &in, &err), &err);
	while ((r = archive_in_next(in, &member, &err)) > 0) {
		int64_t offset;
		const void *data;
		size_t size;

		text_addf(&text, "%s", member.path);
		if (member.target)
			text_addf(&text, " -> %s", member.target);
		if (member.link_to)
			text_addf(&text, " = %s", member.link_to);
		while ((r = archive_in_read(in, &data, &size, &offset, &err)) > 0)
			if (size < 64)
				text_addf(&text, " '%.*s'", (int)size, (const char *)data);
		assert_succeeds(r, &err);
		text_add(&text, "\n");
	}
	assert_succeeds(r, &err);
	return text_take(&text);
}

static int pack(const struct world *world, struct harvest *harvest, struct error *err)
{
	cleanup_fd int upper = file_open_directory(world->dir, "upper");
	cleanup_fd int lower = file_open_directory(world->dir, "lower");
	int fd = memfd_create("harvest", MFD_CLOEXEC), r;
	struct packing packing;

	r = packing_init(&packing, fd, "it", harvest, err);
	if (r == 0)
		r = harvest_layer(&packing, upper, lower, INSTALL);
	if (r == 0)
		r = archive_out_finish(packing.out, err);
	packing_deinit(&packing);
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static void assert_packs(const struct world *world, char *const *below, const char *expected)
{
	struct harvest harvest = {.below = below, .cancel = -1};
	struct error err = {0};
	cleanup_fd int fd = pack(world, &harvest, &err);
	cleanup_free char *members = NULL;

	if (fd < 0)
		fail_msg("%s", err.text);
	members = list_members(fd);
	assert_string_equal(members, expected);
}

static void layers(const struct world *world)
{
	world_directory(world, "upper", 0755);
	world_file(world, "lower/dir/b", "b", 0644);
	world_file(world, "lower/dir/sub/c", "c", 0644);
	world_file(world, "lower/dir/sub/deep/d", "d", 0644);
	world_link(world, "../b", "lower/dir/link");
}

static void harvest_of_plain_changes(void **state)
{
	const struct world *world = *state;

	need_root();
	layers(world);
	world_file(world, "upper/dir/b", "new", 0644);
	whiteout(world, "upper/dir/sub");
	world_file(world, "upper/dir/.wh.own/file", "left out", 0644);
	world_file(world, "upper/dir/.wh..wh..opq", "", 0644);
	assert_packs(world, NULL,
		     "opt/app/\nopt/app/dir/\nopt/app/dir/b 'new'\n"
		     "opt/app/dir/.wh.sub\n");
}

static void harvest_of_an_opaque_directory(void **state)
{
	const struct world *world = *state;

	need_root();
	layers(world);
	world_file(world, "upper/dir/own", "o", 0644);
	mark(world, "upper/dir", "trusted.overlay.opaque", "y");
	assert_packs(world, NULL,
		     "opt/app/\nopt/app/dir/\nopt/app/dir/.wh..wh..opq\nopt/app/dir/own 'o'\n");
}

/* Moved, with a part of it moved on, one changed and one removed. */
static void harvest_of_renamed_directories(void **state)
{
	const struct world *world = *state;
	cleanup_free char *below[] = {(char *)INSTALL "/moved", NULL};

	need_root();
	layers(world);
	whiteout(world, "upper/dir");
	world_file(world, "upper/moved/b", "changed", 0644);
	whiteout(world, "upper/moved/sub");
	mark(world, "upper/moved", "trusted.overlay.redirect", "dir");
	world_directory(world, "upper/other", 0755);
	mark(world, "upper/other", "trusted.overlay.redirect", "/dir/sub");
	whiteout(world, "upper/other/c");
	assert_packs(world, below,
		     "opt/app/moved/\nopt/app/moved/.wh..wh..opq\nopt/app/moved/b 'changed'\n"
		     "opt/app/moved/link -> ../b\n");
	below[0] = (char *)INSTALL "/other";
	assert_packs(world, below,
		     "opt/app/other/\nopt/app/other/.wh..wh..opq\nopt/app/other/deep/\n"
		     "opt/app/other/deep/d 'd'\n");
	/* what is wanted lies in one: it is there whole, or it is gone */
	below[0] = (char *)INSTALL "/other/deep";
	assert_packs(world, below,
		     "opt/app/other/deep/\nopt/app/other/deep/.wh..wh..opq\n"
		     "opt/app/other/deep/d 'd'\n");
	below[0] = (char *)INSTALL "/other/c";
	assert_packs(world, below, "opt/app/other/.wh.c\n");
	below[0] = (char *)INSTALL "/moved/never";
	assert_packs(world, below, "opt/app/moved/.wh.never\n");
	below[0] = (char *)INSTALL "/dir/sub/c";
	assert_packs(world, below, "opt/app/dir/sub/.wh.c\n");
	below[0] = NULL;
}

/* A redirect of somebody's hand leads nowhere else than into the lower layer. */
static void harvest_of_a_hostile_redirect(void **state)
{
	static const char *const redirects[] = {"/../outside", "/out", "..",	"../outside",
						"/",	       "",     "/dir/b"};
	const struct world *world = *state;

	need_root();
	layers(world);
	world_file(world, "outside/secret", "s", 0644);
	world_link(world, "../outside", "lower/out");
	world_directory(world, "upper/moved", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(redirects); i++) {
		struct harvest harvest = {.cancel = -1};
		cleanup_free char *members = NULL;
		struct error err = {0};
		cleanup_fd int fd = -1;

		mark(world, "upper/moved", "trusted.overlay.redirect", redirects[i]);
		fd = pack(world, &harvest, &err);
		members = fd < 0 ? xstrdup("") : list_members(fd);
		assert_null(strstr(members, "secret"));
	}
}

struct changing {
	const struct world *world;
	void (*change)(const struct world *world);
	char *noted;
	bool done;
};

/* In the middle of the file. */
static void change(const struct harvest_sums *sums, void *data)
{
	struct changing *changing = data;

	if (sums->bytes == 0 && sums->files == 1 && !changing->done) {
		changing->done = true;
		changing->change(changing->world);
	}
}

static void take_note(const char *shown, const char *what, void *data)
{
	struct changing *changing = data;

	free(changing->noted);
	changing->noted = xasprintf("%s %s", shown, what);
}

static void grow(const struct world *world)
{
	cleanup_fd int fd = openat(world->dir, "upper/file", O_WRONLY | O_APPEND);

	assert_int_equal(write(fd, "more", 4), 4);
}

static void shrink(const struct world *world)
{
	cleanup_fd int fd = openat(world->dir, "upper/file", O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
}

static void vanish(const struct world *world)
{
	assert_int_equal(unlinkat(world->dir, "upper/file", 0), 0);
}

static void harvest_of_a_file_that_changes(void **state)
{
	static void (*const changes[])(const struct world *) = {grow, shrink, vanish};
	const struct world *world = *state;
	cleanup_free char *content = xcalloc(1, 1000001);

	need_root();
	layers(world);
	memset(content, 'x', 1000000);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		struct changing changing = {.world = world, .change = changes[i]};
		struct harvest harvest = {
			.cancel = -1, .progress = change, .note = take_note, .data = &changing};
		struct error err = {0};
		cleanup_fd int fd = -1;

		world_file(world, "upper/file", content, 0644);
		fd = pack(world, &harvest, &err);
		if (fd < 0)
			fail_msg("%s", err.text);
		free(list_members(fd)); /* it is sound */
		assert_true(changing.done);
		assert_string_equal(changing.noted,
				    INSTALL "/file changed while it was being read");
		free(changing.noted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(harvest_of_plain_changes),
		with_world(harvest_of_an_opaque_directory),
		with_world(harvest_of_renamed_directories),
		with_world(harvest_of_a_hostile_redirect),
		with_world(harvest_of_a_file_that_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
