/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/residents: names of the host's groups and owners that an instance needs. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "instance/residents.h"

#include <string.h>
#include <sys/stat.h>

static void residents_find_names_groups_and_owners(void **state)
{
	struct world *w = *state;
	cleanup_free char *app = world_path(w, "app"), *lost = world_path(w, "lost");
	char *const install[] = {app, lost, NULL};
	/* group 0 is the server's own, and nobody has the last one */
	const struct account server = {.groups = {0, 1, 2000000001}, .n_groups = 3};
	struct residents residents;

	need_root();
	world_directory(w, "app", 0755);
	assert_int_equal(chown(app, 65534, 0), 0);
	residents_find(&server, install, &residents);
	assert_int_equal(residents.n_groups, 1);
	assert_int_equal(residents.groups[0].gid, 1);
	assert_string_equal(residents.groups[0].name, "daemon");
	assert_int_equal(residents.n_owners, 1);
	assert_string_equal(residents.owners[0].name, "nobody");
	assert_int_equal(residents.owners[0].uid, 65534);
	residents_deinit(&residents);
	assert_int_equal(residents.n_owners, 0);
	residents_find(&server, NULL, &residents);
	assert_int_equal(residents.n_owners, 0);
	residents_deinit(&residents);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(residents_find_names_groups_and_owners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
