/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/check: what of a plan this host cannot give, said before anything is made. */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "instance/check.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

/* '@' is the directory of the test. */
static struct plan *make_plan(const struct world *w, const char *const *install,
			      const char *const *paths)
{
	struct plan *plan = xcalloc(1, sizeof(*plan));

	plan->network.zone = xstrdup("default");
	plan->network.egress = xstrdup("none");
	for (; install && *install; install++) {
		cleanup_free char *path = world_expand(w, *install);

		strv_add(&plan->install, path);
	}
	for (; paths && *paths; paths++) {
		cleanup_free char *path = world_expand(w, *paths);

		strv_add(&plan->paths, path);
	}
	return plan;
}

static void make_tree(const struct world *w)
{
	world_file(w, "app/bin/server", "", 0755);
	world_file(w, "app2/bin/server", "", 0755);
	world_file(w, "data/one.txt", "", 0644);
	world_file(w, "data/two.txt", "", 0644);
	world_file(w, "data/three.log", "", 0644);
	world_link(w, "app", "link");
	world_link(w, "nowhere", "dangling");
}

struct install_case {
	const char *install[3]; /* ends in NULL */
	const char *words;	/* NULL: fine */
};

static const struct install_case install_cases[] = {
	{{NULL}, NULL},
	{{"@/app"}, NULL},
	{{"@/app", "@/app2"}, NULL},
	{{"@/link"}, NULL},
	{{"@/missing"}, "install directory '@/missing' does not exist"},
	{{"@/app", "@/missing"}, "install directory '@/missing' does not exist"},
	{{"@/dangling"}, "install directory '@/dangling' does not exist"},
	{{"@/data/one.txt"}, "install directory '@/data/one.txt' is not a directory"},
	{{"@/data/one.txt/x"}, "cannot see install directory '@/data/one.txt/x'"},
};

static void check_install_of_what_is_there_or_not(void **state)
{
	make_tree(*state);
	for (size_t i = 0; i < ARRAY_SIZE(install_cases); i++) {
		const struct install_case *c = &install_cases[i];
		cleanup_plan struct plan *plan = make_plan(*state, c->install, NULL);
		cleanup_free char *words = world_expand(*state, c->words ? c->words : "");
		struct error err;
		int r = check_install(plan->install, &err);

		if (c->words)
			assert_fails(r, err.code, &err, words);
		else
			assert_succeeds(r, &err);
	}
}

struct mount_case {
	const char *install, *at;
	bool refused;
};

static const struct mount_case mount_cases[] = {
	{"@/app", "app/nested", true},
	{"@/app", "app/deep/in/it", true},
	{"@/with blank", "with blank/nested", true},
	{"@/link", "app/nested", true},
	/* the install itself may be a file system, and its neighbours may */
	{"@/app", "app", false},
	{"@/app", "app2", false},
	{"@/app", "application", false},
};

struct mounting {
	const struct world *world;
	const struct mount_case *c;
};

static void mount_and_check(const void *arg)
{
	const struct mounting *m = arg;
	const char *const install[] = {m->c->install, NULL};
	struct plan *plan = make_plan(m->world, install, NULL);
	char *place = world_path(m->world, m->c->at);
	struct error err = {0};
	int r;

	must(mount("tmpfs", place, "tmpfs", 0, NULL) == 0);
	r = check_install(plan->install, &err);
	if ((r < 0) != m->c->refused)
		dprintf(2, "install '%s', mount '%s':\n", m->c->install, m->c->at);
	if (m->c->refused) {
		must_fail(r, &err, "another file system mounted below it");
	} else {
		must_succeed(r, &err);
	}
	must(umount(place) == 0);
	must_succeed(check_install(plan->install, &err), &err);
}

static void check_install_with_a_mount_nearby(void **state)
{
	need_root();
	make_tree(*state);
	for (size_t i = 0; i < ARRAY_SIZE(mount_cases); i++) {
		struct mounting mounting = {.world = *state, .c = &mount_cases[i]};

		world_directory(*state, mount_cases[i].at, 0755);
		run_in_child(CLONE_NEWNS, mount_and_check, &mounting);
	}
}

struct path_case {
	const char *paths[5]; /* end in NULL */
	const char *found[4];
	const char *words; /* NULL: fine */
};

static const struct path_case path_cases[] = {
	{{NULL}, {NULL}, NULL},
	{{"@/data"}, {"@/data"}, NULL},
	{{"@/data/one.txt", "@/app2"}, {"@/data/one.txt", "@/app2"}, NULL},
	{{"@/data/*.txt"}, {"@/data/one.txt", "@/data/two.txt"}, NULL},
	{{"@/data/t*"}, {"@/data/two.txt", "@/data/three.log"}, NULL},
	{{"@/data/[ot]??.txt"}, {"@/data/one.txt", "@/data/two.txt"}, NULL},
	/* a pattern may match nothing, a plain path must be there */
	{{"@/data/*.none", "@/data"}, {"@/data"}, NULL},
	{{"@/data/none"}, {NULL}, "path '@/data/none' does not exist on this host"},
	{{"@/data", "@/missing/x"}, {NULL}, "path '@/missing/x' does not exist"},
	/* shown to every instance already */
	{{"/usr", "/usr/bin/env", "/usr/lib/*", "@/data"}, {"@/data"}, NULL},
	/* neither inside an install nor around it; a longer name is neither */
	{{"@/app"}, {NULL}, "path '@/app' and install directory '@/app' overlap"},
	{{"@/app/bin"}, {NULL}, "path '@/app/bin' and install directory '@/app' overlap"},
	{{"@"}, {NULL}, "path '@' and install directory '@/app' overlap"},
	{{"@/app*"}, {NULL}, "install directory '@/app' overlap"},
	{{"@/app2/bin"}, {"@/app2/bin"}, NULL},
};

static void assert_paths(const struct world *w, const struct path_case *c)
{
	static const char *const install[] = {"@/app", NULL};
	cleanup_plan struct plan *plan = make_plan(w, install, c->paths);
	cleanup_free char *words = world_expand(w, c->words ? c->words : "");
	cleanup_strv char **found = NULL;
	struct error err;
	size_t n = 0;
	int r = check_paths(plan, &found, &err);

	if (c->words) {
		assert_fails(r, err.code, &err, words);
		assert_null(found);
		return;
	}
	assert_succeeds(r, &err);
	for (; n < ARRAY_SIZE(c->found) && c->found[n]; n++) {
		cleanup_free char *expected = world_expand(w, c->found[n]);

		assert_true(strv_contains(found, expected));
	}
	assert_int_equal(strv_length(found), n);
}

static void check_paths_of_every_kind(void **state)
{
	make_tree(*state);
	for (size_t i = 0; i < ARRAY_SIZE(path_cases); i++)
		assert_paths(*state, &path_cases[i]);
}

static void check_supported_accepts_a_plan_without_a_tier(void **state)
{
	cleanup_plan struct plan *plan = make_plan(*state, NULL, NULL);
	struct error err;

	plan->lease.ttl_ns = plan->lease.max_ns = NSEC_PER_SEC;
	assert_succeeds(check_supported(plan, &err), &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(check_install_of_what_is_there_or_not),
		with_world(check_install_with_a_mount_nearby),
		with_world(check_paths_of_every_kind),
		with_world(check_supported_accepts_a_plan_without_a_tier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
