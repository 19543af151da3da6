/* SPDX-License-Identifier: Apache-2.0 */
/* What a template does to the files of an instance: never out of its place, never on the host. */
#include "root_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct root_op *add(struct ground *ground, enum root_op_kind kind, const char *target)
{
	struct root_op *op = ground_add(ground, kind, target, NULL, NULL);

	op->place = xstrdup("/opt/app");
	return op;
}

/* Links that lead out of the install, and what is behind them; W/app is it. */
static void lay_out(const struct ground *ground)
{
	const struct world *w = &ground->world;

	world_file(w, "app/run/a.pid", "1", 0644);
	world_file(w, "app/run/b.pid", "2", 0644);
	world_file(w, "app/run/.c.pid", "3", 0644);
	world_file(w, "app/run/keep", "4", 0644);
	world_file(w, "app/run/new\nline.pid", "5", 0644);
	world_file(w, "app/data/deep/er/file", "6", 0644);
	world_file(w, "other/run/a.pid", "host", 0644);
	world_link(w, "run", "app/current");
	world_link(w, "../other", "app/beside");
	world_link(w, "/opt/app/run", "app/absolute");
	world_link(w, "/proc", "app/kernel");
	world_link(w, "/etc", "app/generated");
	world_link(w, "loop", "app/loop");
	world_link(w, "../../secret", "app/run/link.pid");
}

static struct ground ground_with_content(const struct world *world)
{
	struct ground ground = ground_make(world);

	lay_out(&ground);
	ground_add_overlay(&ground);
	return ground;
}

static void scrub(const void *arg)
{
	struct ground ground = ground_with_content(arg);

	add(&ground, ROOT_SCRUB, "/opt/app/current/*.pid");
	add(&ground, ROOT_SCRUB, "/opt/app/data");
	add(&ground, ROOT_SCRUB, "/opt/app/gone");
	add(&ground, ROOT_SCRUB, "/opt/app/none");
	add(&ground, ROOT_SCRUB, "/opt/app/none/at/all");
	add(&ground, ROOT_SCRUB, "/opt/app/gone/file");
	/* a link is removed itself, wherever it leads */
	add(&ground, ROOT_SCRUB, "/opt/app/to-host");
	add(&ground, ROOT_SCRUB, "/opt/app/kernel");
	ground_apply(&ground);
	must_list_only("/opt/app/run", (const char *[]){"keep", NULL});
	must_contain(AT_FDCWD, "/opt/app/run/.c.pid", "3");
	must(!exists(AT_FDCWD, "/opt/app/data") && !exists(AT_FDCWD, "/opt/app/gone"));
	must(!exists(AT_FDCWD, "/opt/app/to-host") && !exists(AT_FDCWD, "/opt/app/kernel"));
	must(exists(AT_FDCWD, "/opt/app/current"));
	must_contain(ground.lower, "run/new\nline.pid", "5");
	must_contain(ground.lower, "data/deep/er/file", "6");
	must_contain(ground.lower, "gone", "original");
	must_contain(ground.world.dir, "secret", "secret");
	must(exists(ground.lower, "to-host"));
}

static void root_apply_scrubs_the_view_only(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, scrub, *state);
}

struct leading_out {
	enum root_op_kind kind;
	const char *target;
};

static const struct leading_out leading_out[] = {
	{ROOT_SCRUB, "/opt/app/beside/run"},  {ROOT_SCRUB, "/opt/app/to-root/etc"},
	{ROOT_SCRUB, "/opt/app/to-host/app"}, {ROOT_SCRUB, "/opt/app/up/etc/passwd"},
	{ROOT_SCRUB, "/opt/app/kernel/*"},    {ROOT_SCRUB, "/opt/app/generated/passwd"},
	{ROOT_SCRUB, "/opt/app/absolute/*"},  {ROOT_SCRUB, "/opt/app/loop/x"},
	{ROOT_SCRUB, "/opt/app/../x"},
};

struct attempt {
	const struct world *world;
	const struct leading_out *way;
};

static void lead_out(const void *arg)
{
	const struct attempt *attempt = arg;
	struct ground ground = ground_with_content(attempt->world);
	struct error err = {0};
	int r;

	add(&ground, attempt->way->kind, attempt->way->target);
	r = root_apply(&ground.ops, &nobody_else, &err);
	if (r != -EXDEV)
		dprintf(2, "%s: %d %s\n", attempt->way->target, r, err.text);
	must(r == -EXDEV);
	must_fail(r, &err, attempt->way->target);
	must_fail(r, &err, "leads out of '/opt/app'");
	must_contain(ground.world.dir, "other/run/a.pid", "host");
	must_contain(ground.lower, "conf/server.xml", "original");
}

static void root_apply_refuses_links_that_lead_out(void **state)
{
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(leading_out) - 1; i++) {
		struct attempt attempt = {.world = *state, .way = &leading_out[i]};

		run_in_child(OWN_NAMESPACES, lead_out, &attempt);
	}
}

static void assert_owner(const struct world *world, const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstatat(world->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("no '%s'", path);
	if (st.st_uid != uid || st.st_gid != gid)
		fail_msg("'%s' belongs to %u:%u", path, st.st_uid, st.st_gid);
}

/* The inside's ids are on disk, whoever removes. */
static void scrub_with_ids(const void *arg)
{
	struct ground ground = ground_owned(arg);

	lay_out(&ground);
	ground_add_overlay(&ground);
	add(&ground, ROOT_SCRUB, "/opt/app/run/*.pid");
	add(&ground, ROOT_SCRUB, "/opt/app/data");
	ground_apply_and_enter(&ground);
	must_list_only("/opt/app/run", (const char *[]){"keep", NULL});
	must(exists(AT_FDCWD, "/opt/app/run/keep"));
	must(!exists(AT_FDCWD, "/opt/app/data"));
	must(file_write(AT_FDCWD, "/opt/app/run/a.pid", "again", 0644) == 0);
}

static void root_apply_scrubs_with_own_ids(void **state)
{
	need_root();
	if (getenv("UNIT_REFUSE")) /* there are no own ids without the new calls */
		skip();
	run_owned(scrub_with_ids, *state);
	assert_owner(*state, "layer/0/upper/run", 0, 0);
}

static const struct {
	const char *path, *words; /* NULL: it is accepted */
} compiled[] = {
	{"/opt/app/x", NULL},
	{"/opt/app/x/y/*", NULL},
	{"/tmp/x", NULL},
	{"/run/x", NULL},
	{"/var/lib/x", NULL},
	{"/home/alice/x", NULL},
	{"/root/x", NULL},
	{"/opt/app", "whole place"},
	{"/tmp", "whole place"},
	{"/", "not the instance's"},
	{"/opt/other", "not the instance's"},
	{"/opt/app-2/x", "not the instance's"},
	{"/usr/lib/x", "not the instance's"},
	{"/bin/x", "not the instance's"},
	{"/etc/passwd", "not the instance's"},
	{"/etc/new", "not the instance's"},
	{"/proc/sys/x", "not the instance's"},
	{"/dev/null", "not the instance's"},
	{"/dev/shm/x", "not the instance's"},
	{"/sys/fs/cgroup/x", "not the instance's"},
	{"/sys/firmware/x", "not the instance's"},
	{"/var/run/x", "not the instance's"},
	{"/var/shown/x", "not the instance's"},
	{"/home/bob/x", "not the instance's"},
};

static void rootfs_compile_finds_the_place_of_each_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(compiled); i++) {
		struct plan plan = {.install = (char *[]){(char *)"/opt/app", NULL},
				    .scrub = (char *[]){(char *)compiled[i].path, NULL}};
		struct rootfs_input input = {.plan = &plan,
					     .hostname = "0123abcd",
					     .account = &alice,
					     .paths = (char *[]){(char *)"/var/shown", NULL},
					     .layers = "/l"};
		struct root_ops ops;
		struct error err = {0};
		int r = rootfs_compile(&input, &ops, &err);

		if (!compiled[i].words != (r == 0))
			fail_msg("%s: %d %s", compiled[i].path, r, err.text);
		if (compiled[i].words) {
			cleanup_free char *begin = xasprintf("scrub: '%s' is", compiled[i].path);

			assert_fails(r, -EIO, &err, begin);
			assert_fails(r, -EIO, &err, compiled[i].words);
		} else {
			assert_int_equal(ops.list[ops.n - 1].kind, ROOT_SCRUB);
		}
		root_ops_deinit(&ops);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(root_apply_scrubs_the_view_only),
		with_world(root_apply_refuses_links_that_lead_out),
		with_world(root_apply_scrubs_with_own_ids),
		cmocka_unit_test(rootfs_compile_finds_the_place_of_each_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
