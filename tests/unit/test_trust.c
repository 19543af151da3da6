/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/trust: files that nobody else could have written, or exchanged. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/trust.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define PERSON 1234
#define OTHER 1235
#define GROUP 2234

static const struct trust person = {.uid = PERSON, .has_group = true, .group = GROUP};

static int try_open(const struct world *w, const char *name, const struct trust *trust,
		    struct error *err)
{
	cleanup_free char *path = world_path(w, name);
	int fd = -1;
	int r = trust_open(path, trust, &fd, err);

	if (r == 0)
		close(fd);
	return r;
}

static void own(const struct world *w, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	cleanup_free char *path = world_path(w, name);

	assert_int_equal(chown(path, uid, gid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void trust_open_looks_at_file_and_directories(void **state)
{
	static const struct {
		const char *name;
		uid_t uid;
		gid_t gid;
		mode_t mode;
		const char *words; /* NULL: it is opened */
	} cases[] = {
		{"home/dir/t.yaml", PERSON, OTHER, 0644, NULL},
		{"home/dir/t.yaml", PERSON, GROUP, 0664,
		 NULL}, /* umask 002, a group of one's own */
		{"home/dir/t.yaml", 0, 0, 0664, NULL},
		{"home/dir/t.yaml", OTHER, OTHER, 0644, "belongs to user 1235"},
		{"home/dir/t.yaml", PERSON, OTHER, 0664, "group 1235 can write"},
		{"home/dir/t.yaml", PERSON, GROUP, 0666, "everybody can write"},
		{"home/dir/t.yaml", PERSON, GROUP, 01666, "everybody can write"},
		{"home/dir", PERSON, GROUP, 0775, NULL},
		{"home/dir", 0, 0, 01777, NULL}, /* as /tmp */
		{"home/dir", 0, 0, 0777, "everybody can write"},
		{"home/dir", 0, OTHER, 0775, "group 1235 can write"},
		{"home/dir", 0, OTHER, 01775, NULL},
		{"home/dir", OTHER, OTHER, 0755, "belongs to user 1235"},
		{"home", OTHER, OTHER, 0755, "belongs to user 1235"},
		{"home", 0, 0, 0777, "everybody can write"},
	};
	const struct world *w = *state;

	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;
		int r;

		world_file(w, "home/dir/t.yaml", "x", 0644);
		own(w, "home", PERSON, GROUP, 0755);
		own(w, "home/dir", PERSON, GROUP, 0755);
		own(w, "home/dir/t.yaml", PERSON, GROUP, 0644);
		own(w, cases[i].name, cases[i].uid, cases[i].gid, cases[i].mode);
		r = try_open(w, "home/dir/t.yaml", &person, &err);
		if (cases[i].words) {
			assert_fails(r, -EPERM, &err, cases[i].words);
			assert_int_equal(err.kind, ERROR_REFUSED);
		} else {
			assert_succeeds(r, &err);
		}
		own(w, "home/dir/t.yaml", 0, 0, 0644);
	}
}

static void trust_open_of_somebody_without_a_group(void **state)
{
	const struct trust alone = {.uid = PERSON, .group = GROUP};
	const struct world *w = *state;
	struct error err;

	need_root();
	world_file(w, "t.yaml", "x", 0644);
	own(w, "t.yaml", PERSON, GROUP, 0664);
	assert_fails(try_open(w, "t.yaml", &alone, &err), -EPERM, &err, "group 2234 can write");
}

static void trust_open_follows_links_to_what_is_really_there(void **state)
{
	const struct world *w = *state;
	struct error err;

	need_root();
	world_file(w, "good/t.yaml", "x", 0644);
	world_file(w, "bad/t.yaml", "x", 0644);
	own(w, "bad", OTHER, OTHER, 0755);
	world_link(w, "../good/t.yaml", "bad/to-good.yaml");
	world_link(w, "../bad/t.yaml", "good/to-bad.yaml");
	world_link(w, "bad", "way");
	assert_succeeds(try_open(w, "bad/to-good.yaml", &person, &err), &err);
	assert_fails(try_open(w, "good/to-bad.yaml", &person, &err), -EPERM, &err, "/bad'");
	assert_fails(try_open(w, "way/t.yaml", &person, &err), -EPERM, &err, "/bad'");
}

static void trust_open_of_what_is_no_file(void **state)
{
	const struct world *w = *state;
	struct error err;

	world_directory(w, "dir", 0755);
	assert_fails(try_open(w, "none", &person, &err), -ENOENT, &err, "/none'");
	assert_int_equal(err.kind, ERROR_NOT_FOUND);
	assert_int_equal(mkfifoat(w->dir, "fifo", 0600), 0);
	if (is_root()) {
		assert_fails(try_open(w, "dir", &person, &err), -EPERM, &err, "no regular file");
		assert_fails(try_open(w, "fifo", &person, &err), -EPERM, &err, "no regular file");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(trust_open_looks_at_file_and_directories),
		with_world(trust_open_of_somebody_without_a_group),
		with_world(trust_open_follows_links_to_what_is_really_there),
		with_world(trust_open_of_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
