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
	{ROOT_SCRUB, "/opt/app/beside/run"},
	{ROOT_SCRUB, "/opt/app/to-root/etc"},
	{ROOT_SCRUB, "/opt/app/to-host/app"},
	{ROOT_SCRUB, "/opt/app/up/etc/passwd"},
	{ROOT_SCRUB, "/opt/app/kernel/*"},
	{ROOT_SCRUB, "/opt/app/generated/passwd"},
	{ROOT_SCRUB, "/opt/app/absolute/*"},
	{ROOT_SCRUB, "/opt/app/loop/x"},
	{ROOT_PUT, "/opt/app/beside/new"},
	{ROOT_PUT, "/opt/app/kernel/sys/x/y"},
	{ROOT_PUT, "/opt/app/generated/new"},
	{ROOT_PUT, "/opt/app/to-root/new/deep/file"},
	{ROOT_PUT, "/opt/app/loop/new"},
	{ROOT_PUT, "/opt/app/conf/../../x"},
	{ROOT_EDIT, "/opt/app/beside/run/a.pid"},
	{ROOT_EDIT, "/opt/app/to-host/secret"},
	{ROOT_EDIT, "/opt/app/generated/passwd"},
	{ROOT_EDIT, "/opt/app/kernel/sys/kernel/hostname"},
};

struct attempt {
	const struct world *world;
	const struct leading_out *way;
};

static void lead_out(const void *arg)
{
	const struct attempt *attempt = arg;
	struct ground ground = ground_with_content(attempt->world);
	struct root_op *op;
	struct error err = {0};
	int r;

	op = add(&ground, attempt->way->kind, attempt->way->target);
	op->text = xstrdup(op->kind == ROOT_EDIT ? "properties" : "text");
	op->flags = ROOT_CREATE;
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
	for (size_t i = 0; i < ARRAY_SIZE(leading_out); i++) {
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

/* The number of a descriptor of what lies at the path in the world. */
static struct root_op *put(struct ground *ground, const char *target, const char *source)
{
	static int sources[8];
	static struct root_owner owner;
	struct root_op *op = add(ground, ROOT_PUT, target);

	if (ground->owner != &owner) {
		owner = *ground->owner;
		owner.sources = sources;
		owner.n_sources = 0;
		ground->owner = &owner;
	}
	op->source = xstrdup(source);
	op->number = owner.n_sources;
	op->mode = 0;
	op->uid = 1234;
	op->gid = 2345;
	sources[owner.n_sources] = openat(ground->world.dir, source, O_RDONLY | O_CLOEXEC);
	must(sources[owner.n_sources++] >= 0);
	return op;
}

static struct root_op *put_text(struct ground *ground, const char *target, const char *text)
{
	struct root_op *op = add(ground, ROOT_PUT, target);

	op->text = xstrdup(text);
	op->mode = 0;
	op->uid = 1234;
	op->gid = 2345;
	return op;
}

static void must_be(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat st;

	must(lstat(path, &st) == 0);
	if (st.st_uid != uid || st.st_gid != gid || (st.st_mode & 07777) != mode)
		dprintf(2, "%s: %u:%u %o\n", path, st.st_uid, st.st_gid, st.st_mode);
	must(st.st_uid == uid && st.st_gid == gid && (st.st_mode & 07777) == mode);
}

static void lay_out_sources(const struct ground *ground)
{
	const struct world *w = &ground->world;

	world_file(w, "tree/bin/start", "start", 0750);
	world_file(w, "tree/new\nline", "newline", 0604);
	world_file(w, "tree/conf/server.xml", "of the tree", 0644);
	world_link(w, "/nowhere", "tree/link");
	world_link(w, "../..", "tree/conf/out");
	world_file(w, "app/.stint-new-0", "taken", 0644);
}

static void check_what_was_put(void)
{
	must_contain(AT_FDCWD, "/opt/app/a/b/licence", "secret");
	must_be("/opt/app/a/b/licence", 1234, 2345, 0644);
	must_be("/opt/app/a/b", 1234, 2345, 0755);
	must_contain(AT_FDCWD, "/opt/app/run/motd", "hello\n");
	must_be("/opt/app/run/motd", 1234, 2345, 0600);
	/* in place of what was there, links and all */
	must_contain(AT_FDCWD, "/opt/app/gone", "new");
	must_contain(AT_FDCWD, "/opt/app/to-host", "new");
	must_be("/opt/app/to-host", 1234, 2345, 0644);
	must_contain(AT_FDCWD, "/opt/app/tree/bin/start", "start");
	must_be("/opt/app/tree/bin/start", 1234, 2345, 0750);
	must_contain(AT_FDCWD, "/opt/app/tree/new\nline", "newline");
	must_contain(AT_FDCWD, "/opt/app/conf/server.xml", "of the tree");
	must_be("/opt/app/conf", 0, 0, 0755);
	must_be("/opt/app/tree/link", 1234, 2345, 0777);
	must_contain(AT_FDCWD, "/opt/app/.stint-new-0", "taken");
	must(!exists(AT_FDCWD, "/opt/app/.stint-new-1"));
}

static void add_puts(struct ground *ground)
{
	put(ground, "/opt/app/a/b/licence", "secret");
	put_text(ground, "/opt/app/current/motd", "hello\n")->mode = 0600;
	put_text(ground, "/opt/app/gone", "new");
	put_text(ground, "/opt/app/to-host", "new");
	put(ground, "/opt/app/tree", "tree");
	/* what is there already stays, with its owner */
	put(ground, "/opt/app/conf", "tree/conf");
}

static void put_things(const void *arg)
{
	struct ground ground = ground_with_content(arg);

	lay_out_sources(&ground);
	add_puts(&ground);
	ground_apply(&ground);
	check_what_was_put();
	must_contain(ground.lower, "gone", "original");
	must_contain(ground.lower, "conf/server.xml", "original");
	must(!exists(ground.lower, "a") && !exists(ground.lower, "tree"));
}
static void root_apply_puts_files_and_trees(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, put_things, *state);
}

static void put_things_with_ids(const void *arg)
{
	struct ground ground = ground_owned(arg);

	lay_out(&ground);
	lay_out_sources(&ground);
	ground_add_overlay(&ground);
	add_puts(&ground);
	ground_apply_and_enter(&ground);
	check_what_was_put();
}

static void root_apply_puts_with_own_ids(void **state)
{
	need_root();
	if (getenv("UNIT_REFUSE"))
		skip();
	run_owned(put_things_with_ids, *state);
	assert_owner(*state, "layer/0/upper/a/b/licence", 1234, 2345);
	assert_owner(*state, "layer/0/upper/tree/bin", 1234, 2345);
	assert_owner(*state, "layer/0/upper/conf", 0, 0);
}

static struct root_op *edit(struct ground *ground, const char *target, const char *format,
			    const char *name, const char *value)
{
	struct root_op *op = add(ground, ROOT_EDIT, target);

	op->text = xstrdup(format);
	op->uid = 1234;
	op->gid = 2345;
	strv_add(&op->list, "");
	strv_add(&op->list, name);
	strv_add(&op->list, value);
	return op;
}

static void lay_out_edited(const struct ground *ground)
{
	const struct world *w = &ground->world;

	world_file(w, "app/conf/a.properties", "a=1\r\nport=80", 0640);
	world_file(w, "app/conf/same.ini", "port=80\n", 0644);
	world_file(w, "app/conf/empty.ini", "", 0600);
	must(fchownat(w->dir, "app/conf/a.properties", 1000, 33, 0) == 0);
}

static void add_edits(struct ground *ground)
{
	edit(ground, "/opt/app/conf/a.properties", "properties", "port", "81");
	edit(ground, "/opt/app/conf/same.ini", "ini", "port", "80");
	edit(ground, "/opt/app/conf/empty.ini", "ini", "port", "80");
	edit(ground, "/opt/app/new/made.properties", "properties", "a", "b")->flags = ROOT_CREATE;
}

static void check_what_was_edited(void)
{
	must_contain(AT_FDCWD, "/opt/app/conf/a.properties", "a=1\r\nport=81");
	must_be("/opt/app/conf/a.properties", 1000, 33, 0640);
	must_contain(AT_FDCWD, "/opt/app/conf/empty.ini", "port=80\n");
	must_be("/opt/app/conf/empty.ini", 0, 0, 0600);
	must_contain(AT_FDCWD, "/opt/app/new/made.properties", "a=b\n");
	must_be("/opt/app/new/made.properties", 1234, 2345, 0644);
	must_be("/opt/app/new", 1234, 2345, 0755);
}

static void edit_things(const void *arg)
{
	struct ground ground = ground_with_content(arg);

	lay_out_edited(&ground);
	add_edits(&ground);
	ground_apply(&ground);
	check_what_was_edited();
	must_contain(ground.lower, "conf/a.properties", "a=1\r\nport=80");
	must(exists(ground.upper, "conf/a.properties"));
	must(!exists(ground.upper, "conf/same.ini"));
}

static void root_apply_edits_the_view_only(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, edit_things, *state);
}

static void edit_things_with_ids(const void *arg)
{
	struct ground ground = ground_owned(arg);

	lay_out_edited(&ground);
	ground_add_overlay(&ground);
	add_edits(&ground);
	ground_apply_and_enter(&ground);
	check_what_was_edited();
}

static void root_apply_edits_with_own_ids(void **state)
{
	need_root();
	if (getenv("UNIT_REFUSE"))
		skip();
	run_owned(edit_things_with_ids, *state);
	assert_owner(*state, "layer/0/upper/conf/a.properties", 1000, 33);
}

struct refused {
	enum root_op_kind kind;
	const char *target, *words;
};

static const struct refused refused[] = {
	{ROOT_PUT, "/opt/app/conf", "Is a directory"},
	{ROOT_PUT, "/opt/app/gone/x", "Not a directory"},
	{ROOT_PUT, "/opt/app/dangling/x", "leads out"},
	{ROOT_PUT, "/opt/app/lost/x", "No such file"},
	{ROOT_EDIT, "/opt/app/none", "does not exist; with 'create: true'"},
	{ROOT_EDIT, "/opt/app/none/at/all", "does not exist; with 'create: true'"},
	{ROOT_EDIT, "/opt/app/conf", "no regular file"},
	{ROOT_EDIT, "/opt/app/pipe", "no regular file"},
	{ROOT_EDIT, "/opt/app/to-host", "is a symbolic link"},
	{ROOT_EDIT, "/opt/app/run/link.pid", "is a symbolic link"},
	{ROOT_EDIT, "/opt/app/large", "is too large; at most 16 MiB"},
	{ROOT_EDIT, "/opt/app/twice.ini", "key 'port' is there more than once"},
};

struct refusal {
	const struct world *world;
	const struct refused *refused;
};

static void be_refused(const void *arg)
{
	const struct refusal *refusal = arg;
	struct ground ground = ground_with_content(refusal->world);
	struct error err = {0};
	int fd, r;

	world_link(&ground.world, "nowhere", "app/lost");
	world_file(&ground.world, "app/twice.ini", "port=1\nport=2\n", 0644);
	must(mkfifoat(ground.world.dir, "app/pipe", 0644) == 0);
	/* 100 MB, and a hole, so that it is quickly made */
	fd = openat(ground.world.dir, "app/large", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	must(fd >= 0 && ftruncate(fd, 100000000) == 0 && close(fd) == 0);
	if (refusal->refused->kind == ROOT_PUT)
		put_text(&ground, refusal->refused->target, "new");
	else
		edit(&ground, refusal->refused->target, "ini", "port", "80");
	r = root_apply(&ground.ops, &nobody_else, &err);
	must_fail(r, &err, refusal->refused->words);
	must_fail(r, &err, refusal->refused->target);
	must_contain(ground.world.dir, "secret", "secret");
	must_contain(ground.lower, "conf/server.xml", "original");
}

static void root_apply_says_what_cannot_be_changed(void **state)
{
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct refusal refusal = {.world = *state, .refused = &refused[i]};

		run_in_child(OWN_NAMESPACES, be_refused, &refusal);
	}
}

static void put_what_cannot_be(const void *arg)
{
	struct ground ground = ground_with_content(arg);
	struct error err = {0};

	world_file(&ground.world, "tree/deep/file", "x", 0644);
	must(mkfifoat(ground.world.dir, "tree/deep/pipe", 0644) == 0);
	put(&ground, "/opt/app/tree", "tree");
	must_fail(root_apply(&ground.ops, ground.owner, &err), &err,
		  "is a pipe and cannot be copied");
}

static void put_what_is_not_open(const void *arg)
{
	struct ground ground = ground_with_content(arg);
	struct error err = {0};

	put(&ground, "/opt/app/x", "secret")->number = 1;
	must_fail(root_apply(&ground.ops, ground.owner, &err), &err, "Bad file descriptor");
}

static void root_apply_puts_nothing_strange(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, put_what_cannot_be, *state);
	run_in_child(OWN_NAMESPACES, put_what_is_not_open, *state);
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
				    .content.scrub = (char *[]){(char *)compiled[i].path, NULL}};
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
		with_world(root_apply_puts_files_and_trees),
		with_world(root_apply_puts_with_own_ids),
		with_world(root_apply_puts_nothing_strange),
		with_world(root_apply_edits_the_view_only),
		with_world(root_apply_edits_with_own_ids),
		with_world(root_apply_says_what_cannot_be_changed),
		cmocka_unit_test(rootfs_compile_finds_the_place_of_each_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
