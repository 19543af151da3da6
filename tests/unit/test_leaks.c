/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/leaks: what is named in an installation that this test makes. */
#include "instance/leaks.h"
#include "instance/leaks_look.h"
#include "instance/lock.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct ground {
	char path[64];
	struct site site;
	struct leak_list leaks;
};

static int ground_setup(void **state)
{
	struct ground *ground = xcalloc(1, sizeof(*ground));
	struct error err;

	strcpy(ground->path, "/tmp/stint-leaks-XXXXXX");
	if (!mkdtemp(ground->path) || setenv("STINT_ROOT", ground->path, 1) < 0)
		return -1;
	*state = ground;
	return geteuid() == 0 ? site_open(&ground->site, &err) : 0;
}

static int ground_teardown(void **state)
{
	struct ground *ground = *state;
	int r;

	leaks_deinit(&ground->leaks);
	site_close(&ground->site);
	r = file_remove_tree(AT_FDCWD, ground->path);
	free(ground);
	return r;
}

static void look(struct ground *ground)
{
	struct error err;

	if (geteuid() != 0)
		skip();
	leaks_deinit(&ground->leaks);
	assert_int_equal(leaks_find(&ground->site, &ground->leaks, &err), 0);
}

static void nothing_in_a_new_installation(void **state)
{
	struct ground *ground = *state;

	look(ground);
	assert_int_equal(ground->leaks.n, 0);
}

static void a_directory_is_named_and_removed(void **state)
{
	struct ground *ground = *state;
	cleanup_free char *name = xasprintf("%s/var/lib/stint/i/a123abcd", ground->path);
	struct error err;

	look(ground);
	assert_int_equal(mkdir(name, 0700), 0);
	look(ground);
	assert_int_equal(ground->leaks.n, 1);
	assert_string_equal(ground->leaks.list[0].sort, "directory");
	assert_string_equal(ground->leaks.list[0].name, name);
	assert_int_equal(leaks_remove(&ground->site, &ground->leaks, &err), 0);
	look(ground);
	assert_int_equal(ground->leaks.n, 0);
	assert_int_equal(access(name, F_OK), -1);
}

/* Somebody who holds a lock is starting or ending; with a directory he should have a record. */
static void a_lock_is_one_when_nobody_holds_it(void **state)
{
	struct ground *ground = *state;
	struct error err;
	int fd;

	look(ground);
	fd = instance_lock_create(&ground->site, "a123abcd", &err);
	assert_true(fd >= 0);
	look(ground);
	assert_int_equal(ground->leaks.n, 0);
	assert_int_equal(mkdirat(ground->site.run, "i/a123abcd", 0700), 0);
	look(ground);
	assert_int_equal(ground->leaks.n, 1);
	assert_string_equal(ground->leaks.list[0].sort, "directory");
	close(fd);
	look(ground);
	assert_int_equal(ground->leaks.n, 2);
}

static void id_of_a_path(void **state)
{
	char id[INSTANCE_ID_LENGTH + 1];

	(void)state;
	assert_true(leak_id_of("a123abcd", id));
	assert_true(leak_id_of("a123abcd/image", id));
	assert_string_equal(id, "a123abcd");
	assert_false(leak_id_of("a123abcdef", id));
	assert_false(leak_id_of("a123abc", id));
	assert_false(leak_id_of("../23abcd", id));
	assert_false(leak_id_of("", id));
}

#define test(name) cmocka_unit_test_setup_teardown(name, ground_setup, ground_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(nothing_in_a_new_installation),
		test(a_directory_is_named_and_removed),
		test(a_lock_is_one_when_nobody_holds_it),
		test(id_of_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
