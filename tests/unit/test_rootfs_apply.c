/* SPDX-License-Identifier: Apache-2.0 */
/* root_apply(): what the inside sees when the list was run for real, in children. */
#include "root_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void write_to_overlay(const void *arg)
{
	struct ground ground = ground_make(arg);

	ground_add_overlay(&ground);
	ground_apply(&ground);
	must_contain(AT_FDCWD, "/opt/app/conf/server.xml", "original");
	must(file_write(AT_FDCWD, "/opt/app/conf/server.xml", "changed", 0644) == 0);
	must(file_write(AT_FDCWD, "/opt/app/new", "new", 0644) == 0);
	must(unlink("/opt/app/gone") == 0);
	/* Java renames directories of the install */
	must(rename("/opt/app/conf", "/opt/app/conf.old") == 0);
	must_contain(AT_FDCWD, "/opt/app/conf.old/server.xml", "changed");
	must_contain(ground.upper, "new", "new");
	must_contain(ground.upper, "conf.old/server.xml", "changed");
	must_contain(ground.lower, "conf/server.xml", "original");
	must_contain(ground.lower, "gone", "original");
	must(!exists(ground.lower, "new") && !exists(AT_FDCWD, "/opt/app/gone"));
}

static void root_apply_writes_to_the_upper_only(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, write_to_overlay, *state);
}

static void write_over_layers(const void *arg)
{
	struct ground ground = ground_make(arg);
	cleanup_fd int above = -1;

	ground_add_layers(&ground);
	above = file_open_directory(ground.world.dir, "above");
	ground_apply(&ground);
	must_show_layers();
	must(file_write(AT_FDCWD, "/opt/app/both", "changed", 0644) == 0);
	must(unlink("/opt/app/lower") == 0);
	must_contain(ground.upper, "both", "changed");
	must_contain(above, "2/both", "2");
	must_contain(above, "1/lower", "1");
}

static void root_apply_shows_further_layers(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, write_over_layers, *state);
}

/* Every link of an install is resolved with the new root as "/". */
static void follow_links_of_the_install(const void *arg)
{
	static const struct {
		const char *target, *seen;
	} cases[] = {
		{"/opt/app/to-root/through-root", "/through-root"},
		{"/opt/app/up/through-up", "/through-up"},
		{"/opt/app/up/../through-both", "/through-both"},
	};
	struct ground ground = ground_make(arg);

	ground_add_overlay(&ground);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ground_add(&ground, ROOT_BIND, cases[i].target, "shown", NULL);
		must(!exists(AT_FDCWD, cases[i].seen));
	}
	ground_add(&ground, ROOT_FILE, "/opt/app/to-root/written", NULL, "written");
	ground_add(&ground, ROOT_DIRECTORY, "/opt/app/up/made", NULL, NULL);
	ground_apply(&ground);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *file = xasprintf("%s/file", cases[i].seen);

		must_contain(AT_FDCWD, file, "shown");
		must(!exists(ground.host, cases[i].seen + 1));
	}
	must_contain(AT_FDCWD, "/written", "written");
	must(exists(AT_FDCWD, "/made"));
	must(!exists(ground.host, "written") && !exists(ground.host, "made"));
}

static void root_apply_resolves_links_inside(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, follow_links_of_the_install, *state);
}

static void lead_to_the_host(const void *arg)
{
	struct ground ground = ground_make(arg);
	cleanup_free char *inside = xasprintf("%s/made", ground.world.path);

	ground_add_overlay(&ground);
	/* the link exists, what it names does not: nothing is made in its place */
	ground_add(&ground, ROOT_DIRECTORY, inside, NULL, NULL);
	ground_add(&ground, ROOT_BIND, "/opt/app/to-host/made", "shown", NULL);
	ground_apply(&ground);
	must(!exists(ground.world.dir, "made"));
	must_contain(AT_FDCWD, "/opt/app/to-host/made/file", "shown");
	must(!exists(AT_FDCWD, "/opt/app/to-host/secret"));
}

static void root_apply_never_mounts_on_the_host(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, lead_to_the_host, *state);
}

static void look_around(const void *arg)
{
	static const char *const top[] = {"usr",    "bin", "sbin", "lib", "lib32", "lib64",
					  "libx32", "tmp", "run",  "var", "root",  "etc",
					  "home",   "dev", "proc", "sys", NULL};
	static const char *const users[] = {"alice", NULL};
	static const char *const empty[] = {NULL};
	static const char *const only_lock[] = {"lock", NULL};
	static const char *const places[] = {"app", "shown", NULL};
	struct ground ground = ground_whole(arg);
	const char *name = strrchr(ground.world.path, '/') + 1;
	const char *const temporary[] = {name, NULL};

	ground_apply(&ground);
	must_list_only("/", top);
	must_list_only("/home", users);
	must_list_only("/root", empty);
	must_list_only("/run", only_lock);
	must_list_only("/var/lib", empty);
	must_list_only("/var/tmp", empty);
	must_list_only("/tmp", temporary);
	must_list_only(ground.world.path, places);
	must(access("/etc/shadow", F_OK) < 0);
	must(access("/bin/sh", X_OK) == 0);
}

static void root_apply_shows_nothing_of_the_host(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_around, *state);
}

static void try_to_write(const void *arg)
{
	struct ground ground = ground_whole(arg);
	cleanup_free char *shown = world_path(&ground.world, "shown/new");

	ground_apply(&ground);
	must_be_refused("/usr/stint-unit", EROFS);
	must_be_refused("/bin/stint-unit", EROFS);
	must_be_refused(shown, EROFS);
	must_be_refused("/sys/stint-unit", EROFS);
	must_be_refused("/sys/firmware/stint-unit", EROFS);
	must_be_refused("/dev/stint-unit", EROFS);
	must(mknod("/dev/null2", S_IFCHR | 0666, makedev(1, 3)) < 0 && errno == EROFS);
	must_be_refused("/proc/sys/kernel/hostname", EROFS);
	if (exists(AT_FDCWD, "/proc/sysrq-trigger"))
		must_be_refused("/proc/sysrq-trigger", EROFS);
	must(file_write(AT_FDCWD, "/tmp/file", "", 0644) == 0);
	must(file_write(AT_FDCWD, "/dev/null", "gone", 0) == 0);
	must(file_write(AT_FDCWD, "/dev/shm/file", "", 0644) == 0);
	must(file_write(AT_FDCWD, "/home/alice/file", "", 0644) == 0);
}

static void root_apply_lets_nothing_of_the_host_be_written(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, try_to_write, *state);
}

static bool has_option(const char *options, const char *option)
{
	size_t n = strlen(option);

	for (const char *at = options; (at = strstr(at, option)); at++)
		if ((at == options || at[-1] == ',') && (at[n] == ',' || at[n] == '\0'))
			return true;
	return false;
}

/* Devices work on /dev alone, and on /dev/null where it masks a file. */
static void check_mount(const char *root, const char *point, const char *options)
{
	bool is_dev = strcmp(point, "/dev") == 0 || strcmp(point, "/dev/pts") == 0 ||
		      strcmp(root, "/null") == 0;

	if (!has_option(options, "nosuid") || has_option(options, "nodev") == is_dev)
		dprintf(2, "%s has %s\n", point, options);
	must(has_option(options, "nosuid"));
	must(has_option(options, "nodev") != is_dev);
	if (strncmp(point, "/proc", 5) == 0 || strncmp(point, "/sys", 4) == 0 ||
	    strncmp(point, "/dev", 4) == 0)
		must(has_option(options, "noexec"));
}

static void look_at_mounts(const void *arg)
{
	struct ground ground = ground_whole(arg);
	cleanup_free char *text = NULL;
	char *rest, *line;
	int n = 0;

	ground_apply(&ground);
	must(file_read(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &text, NULL) == 0);
	rest = text;
	while ((line = strsep(&rest, "\n")) && *line) {
		char root[256], point[256], options[256];

		must(sscanf(line, "%*s %*s %*s %255s %255s %255s", root, point, options) == 3);
		check_mount(root, point, options);
		n++;
	}
	/* what was mounted on the host is not even hidden below */
	must(n > 8 && n < 40);
}

static void root_apply_restricts_every_mount(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_at_mounts, *state);
}

static void must_be_device(const char *path, unsigned major, unsigned minor)
{
	struct stat st;

	must(stat(path, &st) == 0);
	must(S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor));
	must((st.st_mode & 0777) == 0666);
}

static void look_at_details(const void *arg)
{
	struct ground ground = ground_whole(arg);
	struct stat st;

	ground_apply(&ground);
	must_be_device("/dev/null", 1, 3);
	must_be_device("/dev/zero", 1, 5);
	must_be_device("/dev/urandom", 1, 9);
	must(stat("/home/alice", &st) == 0);
	must(st.st_uid == 1234 && st.st_gid == 2345 && (st.st_mode & 07777) == 0700);
	must(stat("/tmp", &st) == 0 && (st.st_mode & 07777) == 01777);
	must(stat("/etc/passwd", &st) == 0 && (st.st_mode & 07777) == 0644);
	must_contain(AT_FDCWD, "/etc/hostname", "0123abcd\n");
	must(access("/proc/1/status", F_OK) == 0 && access("/proc/2", F_OK) < 0);
	must(access("/dev/ptmx", R_OK | W_OK) == 0);
	must(close(open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)) == 0);
}

static void root_apply_sets_owners_modes_and_devices(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_at_details, *state);
}

/* A caller with a strict umask must not close the inside to its own server. */
static void look_with_umask(const void *arg)
{
	umask(077);
	look_at_details(arg);
}

static void root_apply_does_not_depend_on_the_umask(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, look_with_umask, *state);
}

struct failing {
	enum root_op_kind kind;
	uint32_t flags;
	const char *target, *source, *text;
	int code;
	const char *also; /* words of the message besides target and source */
};

static const struct failing failings[] = {
	{ROOT_BIND, 0, "/here", "missing", NULL, -ENOENT, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/dangling/x", "shown", NULL, -ENOENT, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/dangling", "shown", NULL, -ENOENT, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/gone/x", "shown", NULL, -ENOTDIR, "cannot show"},
	{ROOT_BIND, 0, "/opt/app/conf", "secret", NULL, -EISDIR, "cannot show"},
	{ROOT_BIND, 0, "here", "shown", NULL, -EINVAL, "cannot show"},
	{ROOT_OVERLAY, 0, "/over", "missing", "layer/0", -ENOENT, "copy-on-write"},
	{ROOT_OVERLAY, 0, "/over", "app", "layer/7", -ENOENT, "copy-on-write"},
	{ROOT_OVERLAY, 0, "/over", "secret", "layer/0", -ENOTDIR, "copy-on-write"},
	{ROOT_COPY, 0, "/etc/x", "missing", NULL, -ENOENT, "cannot read"},
	{ROOT_COPY, ROOT_OPTIONAL, "/etc/x", "app", NULL, -EISDIR, "cannot read"},
	{ROOT_COPY, 0, "/opt/app/conf", "secret", NULL, -EEXIST, "cannot create"},
	{ROOT_FILE, 0, "/opt/app/gone", NULL, "text", -EEXIST, "cannot create"},
	{ROOT_FILE, 0, "/opt/app/dangling", NULL, "text", -EEXIST, "cannot create"},
	{ROOT_FILE, 0, "/opt/app/", NULL, "text", -EINVAL, "parent"},
	{ROOT_FILE, 0, "/opt/app/gone/x", NULL, "text", -ENOTDIR, "parent"},
	{ROOT_SYMLINK, 0, "/opt/app/gone/x", NULL, "text", -ENOTDIR, "parent"},
	{ROOT_NODE, 0, "/null", NULL, "one:three", -EINVAL, "device"},
	{ROOT_NODE, 0, "/opt/app/gone", NULL, "1:3", -EEXIST, "device"},
	{ROOT_DIRECTORY, 0, "/opt/app/gone", NULL, NULL, -ENOTDIR, "make directory"},
	{ROOT_TMPFS, 0, "/t", NULL, "size=nonsense", -EINVAL, "mount a new"},
	{ROOT_TMPFS, 0, "/opt/app/gone", NULL, NULL, -ENOTDIR, "mount a new"},
	{ROOT_READ_ONLY, 0, "/missing", NULL, NULL, -EXDEV, "open"},
	{ROOT_MASK_FILE, 0, "/opt/app/gone", NULL, NULL, -EXDEV, "open '/dev/null'"},
};

struct attempt {
	const struct world *world;
	const struct failing *failing;
};

static void apply_and_be_refused(const void *arg)
{
	const struct attempt *attempt = arg;
	const struct failing *f = attempt->failing;
	struct ground ground = ground_make(attempt->world);
	cleanup_free char *source = NULL, *target = xasprintf("'%s'", f->target);
	struct error err = {0};
	int r;

	ground_add_overlay(&ground);
	ground_add(&ground, f->kind, f->target, f->source, f->text)->flags = f->flags;
	r = root_apply(&ground.ops, &nobody_else, &err);
	if (r != f->code)
		dprintf(2, "%s: %d %s\n", f->target, r, err.text);
	must(r == f->code);
	must_fail(r, &err, f->also);
	must_fail(r, &err, target);
	source = f->source ? xasprintf("'%s/%s'", ground.world.path, f->source) : xstrdup("");
	must_fail(r, &err, source);
}

static void root_apply_names_source_and_target(void **state)
{
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(failings); i++) {
		struct attempt attempt = {.world = *state, .failing = &failings[i]};

		run_in_child(OWN_NAMESPACES, apply_and_be_refused, &attempt);
	}
}

static void pass_over_optional(const void *arg)
{
	struct ground ground = ground_make(arg);

	ground_add(&ground, ROOT_BIND, "/here", "missing", NULL)->flags = ROOT_OPTIONAL;
	ground_add(&ground, ROOT_COPY, "/copy", "missing", NULL)->flags = ROOT_OPTIONAL;
	ground_add(&ground, ROOT_TMPFS, "/dev", NULL, NULL)->flags = ROOT_WRITABLE;
	ground_add(&ground, ROOT_NODE, "/dev/null", NULL, "1:3");
	ground_add(&ground, ROOT_READ_ONLY, "/dev/gone", NULL, NULL)->flags = ROOT_OPTIONAL;
	ground_add(&ground, ROOT_MASK_FILE, "/dev/gone", NULL, NULL)->flags = ROOT_OPTIONAL;
	ground_add(&ground, ROOT_SYMLINK, "/link", NULL, "first");
	ground_add(&ground, ROOT_SYMLINK, "/link", NULL, "second");
	ground_add(&ground, ROOT_BIND, "/a/single/file", "secret", NULL);
	ground_apply(&ground);
	must(!exists(AT_FDCWD, "/here") && !exists(AT_FDCWD, "/copy"));
	must(exists(AT_FDCWD, "/link"));
	must_contain(AT_FDCWD, "/a/single/file", "secret");
	must_be_refused("/a/single/file", EROFS);
}

static void root_apply_passes_over_what_is_optional(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, pass_over_optional, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(root_apply_writes_to_the_upper_only),
		with_world(root_apply_shows_further_layers),
		with_world(root_apply_resolves_links_inside),
		with_world(root_apply_never_mounts_on_the_host),
		with_world(root_apply_shows_nothing_of_the_host),
		with_world(root_apply_lets_nothing_of_the_host_be_written),
		with_world(root_apply_restricts_every_mount),
		with_world(root_apply_sets_owners_modes_and_devices),
		with_world(root_apply_does_not_depend_on_the_umask),
		with_world(root_apply_names_source_and_target),
		with_world(root_apply_passes_over_what_is_optional),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
