/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/doctor: what it says of made-up sites on this real host. */
#include "instance/doctor.h"
#include "instance/probing.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct world {
	char path[64];
	char state[96], run[96], keeper[96];
	struct site site;
	struct doctor_report report;
};

static int world_setup(void **state)
{
	static char group[] = "stint";
	struct world *world = xcalloc(1, sizeof(*world));

	strcpy(world->path, "/tmp/stint-doctor-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	snprintf(world->state, sizeof(world->state), "%s/var/lib/stint", world->path);
	snprintf(world->run, sizeof(world->run), "%s/run/stint", world->path);
	snprintf(world->keeper, sizeof(world->keeper), "%s/keeper", world->path);
	world->site = (struct site){
		.state_path = world->state,
		.run_path = world->run,
		.keeper = world->keeper,
		.cgroup = group,
		.state = -1,
		.run = -1,
	};
	*state = world;
	return file_write(AT_FDCWD, world->keeper, "", 0755);
}

static int world_teardown(void **state)
{
	struct world *world = *state;
	int r = file_remove_tree(AT_FDCWD, world->path);

	doctor_deinit(&world->report);
	free(world);
	return r;
}

static const struct doctor_line *find_line(const struct world *world, const char *check)
{
	for (size_t i = 0; i < world->report.n; i++)
		if (strcmp(world->report.list[i].check, check) == 0)
			return &world->report.list[i];
	return NULL;
}

static void existing_directory(void **state)
{
	struct world *world = *state;
	cleanup_free char *found = doctor_existing(world->state);
	cleanup_free char *itself = doctor_existing("/usr");
	cleanup_free char *root = doctor_existing("/no-such-thing/at-all");
	cleanup_free char *relative = doctor_existing("no-such-thing");

	assert_string_equal(found, world->path);
	assert_string_equal(itself, "/usr");
	assert_string_equal(root, "/");
	assert_string_equal(relative, "/");
}

static void examine_leaves_nothing(void **state)
{
	struct world *world = *state;
	cleanup_dir DIR *dir = NULL;
	struct dirent *entry;

	doctor_examine(&world->site, &world->report);
	dir = opendir(world->path);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		assert_true(entry->d_name[0] == '.' ? strlen(entry->d_name) < 3
						    : strcmp(entry->d_name, "keeper") == 0);
}

static void examine_says_whether_it_is_root(void **state)
{
	struct world *world = *state;
	enum doctor_verdict expected = geteuid() == 0 ? DOCTOR_OK : DOCTOR_MISSING;

	doctor_examine(&world->site, &world->report);
	assert_int_equal(find_line(world, "root")->verdict, expected);
	assert_int_equal(find_line(world, "keeper")->verdict, DOCTOR_OK);
	assert_non_null(find_line(world, "kernel"));
	assert_non_null(find_line(world, "disk"));
	assert_true(!find_line(world, "disk limits") == (geteuid() != 0));
}

static void examine_without_keeper(void **state)
{
	struct world *world = *state;
	const struct doctor_line *line;

	unlink(world->keeper);
	doctor_examine(&world->site, &world->report);
	line = find_line(world, "keeper");
	assert_int_equal(line->verdict, DOCTOR_MISSING);
	assert_non_null(strstr(line->text, world->keeper));
	assert_non_null(line->fix);
	assert_false(doctor_can_start(&world->report));
}

/* procfs takes neither an upper directory nor a file without a name. */
static void examine_useless_directories(void **state)
{
	struct world *world = *state;

	if (geteuid() != 0)
		skip();
	world->site.state_path = world->site.run_path = (char *)"/proc/stint";
	doctor_examine(&world->site, &world->report);
	assert_int_equal(find_line(world, "overlay")->verdict, DOCTOR_MISSING);
	assert_int_equal(find_line(world, "run directory")->verdict, DOCTOR_MISSING);
	assert_int_equal(find_line(world, "disk")->verdict, DOCTOR_MISSING);
}

static void notes_do_not_stop(void **state)
{
	struct world *world = *state;

	doctor_add(&world->report, DOCTOR_OK, "a", "fine", NULL);
	doctor_addf(&world->report, DOCTOR_NOTE, "b", "do this", "%d things", 2);
	assert_true(doctor_can_start(&world->report));
	assert_string_equal(world->report.list[1].text, "2 things");
	assert_string_equal(world->report.list[1].fix, "do this");
	assert_string_equal(doctor_verdict_name(DOCTOR_NOTE), "note");
	doctor_add(&world->report, DOCTOR_MISSING, "c", "bad", NULL);
	assert_false(doctor_can_start(&world->report));
}

#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(existing_directory),
		test(examine_leaves_nothing),
		test(examine_says_whether_it_is_root),
		test(examine_without_keeper),
		test(examine_useless_directories),
		test(notes_do_not_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
