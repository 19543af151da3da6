/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root_apply() for an instance with ids of its own: what belongs to whom inside, and that what is
 * on disk has the inside's ids and not the host's. Both ways to give layers to an overlay.
 */
#include "root_rig.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "old_kernel.h"
#include "rootfs/applying.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static void must_belong(int dirfd, const char *path, uid_t uid, gid_t gid)
{
	struct stat st = {0};
	int r = fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW);

	if (r < 0 || st.st_uid != uid || st.st_gid != gid)
		dprintf(2, "'%s' belongs to %u:%u, not %u:%u\n", path, st.st_uid, st.st_gid, uid,
			gid);
	must(r == 0 && st.st_uid == uid && st.st_gid == gid);
}

static void look_at_owners(const void *arg)
{
	static const char *const roots[] = {
		"/",	 "/etc",     "/etc/passwd", "/etc/mtab", "/tmp",      "/run",
		"/root", "/home",    "/var/lib",    "/dev",	 "/dev/null", "/dev/fd",
		"/usr",	 "/usr/bin", "/dev/shm",    "/bin/sh",	 "/dev/ptmx"};
	const struct scene *scene = arg;
	struct ground ground = ground_owned(scene);
	int terminal;

	ground_compile(&ground);
	ground_apply_and_enter(&ground);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		must_belong(AT_FDCWD, roots[i], 0, 0);
	must_belong(AT_FDCWD, "/home/alice", 1234, 2345);
	must(file_write(AT_FDCWD, "/tmp/file", "", 0644) == 0);
	must_belong(AT_FDCWD, "/tmp/file", 0, 0);
	terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(terminal >= 0);
	must_belong(AT_FDCWD, "/dev/pts/0", 0, ROOTFS_TTY);
	must(file_write(AT_FDCWD, "/dev/null", "gone", 0) == 0);
}

static void root_apply_belongs_to_root_inside(void **state)
{
	need_root();
	run_owned(look_at_owners, *state);
}

/* What is on disk is seen from a process that stayed outside, by descriptors. */
static void change_layers(const void *arg)
{
	const struct scene *scene = arg;
	struct ground ground = ground_owned(scene);

	must(fchownat(ground.lower, "conf/server.xml", 1000, 33, 0) == 0);
	world_file(&ground.world, "app/foreign", "original", 0644);
	must(fchownat(ground.lower, "foreign", FOREIGN, FOREIGN, 0) == 0);
	ground_add_layers(&ground);
	ground_add(&ground, ROOT_PROC, "/proc", NULL, NULL)->flags = ROOT_WRITABLE;
	ground_apply_and_enter(&ground);
	must_show_layers();
	must_belong(AT_FDCWD, "/opt/app/both", 0, 0);
	must_belong(AT_FDCWD, "/opt/app", 0, 0);
	must_belong(AT_FDCWD, "/opt/app/conf/server.xml", 1000, 33);
	must_belong(AT_FDCWD, "/opt/app/foreign", FOREIGN, FOREIGN);
	must(file_write(AT_FDCWD, "/opt/app/conf/server.xml", "changed", 0644) == 0);
	must(file_write(AT_FDCWD, "/opt/app/foreign", "changed", 0644) == 0);
	must(file_write(AT_FDCWD, "/opt/app/new", "new", 0644) == 0);
	must(file_write(AT_FDCWD, "/opt/app/given", "new", 0644) == 0);
	must(chown("/opt/app/given", 65534, 65533 - 2) == 0);
	must(unlink("/opt/app/gone") == 0);
	must(rename("/opt/app/conf", "/opt/app/conf.old") == 0);
	must_contain(AT_FDCWD, "/opt/app/conf.old/server.xml", "changed");
}

static void assert_owner(const struct world *world, const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	if (fstatat(world->dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("no '%s'", path);
	if (st.st_uid != uid || st.st_gid != gid)
		fail_msg("'%s' belongs to %u:%u", path, st.st_uid, st.st_gid);
}

static void assert_plain_ids_on_disk(const struct world *world)
{
	assert_owner(world, "layer/0/upper", 0, 0);
	assert_owner(world, "layer/0/upper/new", 0, 0);
	assert_owner(world, "layer/0/upper/given", 65534, 65531);
	assert_owner(world, "layer/0/upper/foreign", FOREIGN, FOREIGN);
	assert_owner(world, "layer/0/upper/conf.old/server.xml", 1000, 33);
	assert_owner(world, "layer/0/upper/gone", 0, 0); /* the mark of what was removed */
	assert_owner(world, "layer/0/work/work", 0, 0);
	assert_owner(world, "app/conf/server.xml", 1000, 33);
	assert_true(world_has(world, "app/gone") && !world_has(world, "app/new"));
}

static void root_apply_leaves_plain_ids_in_the_upper(void **state)
{
	need_root();
	run_owned(change_layers, *state);
	assert_plain_ids_on_disk(*state);
}

static void change_layers_by_name(const void *arg)
{
	refuse_layers_by_fd(EINVAL);
	change_layers(arg);
}

static void change_layers_by_name_on_older(const void *arg)
{
	refuse_layers_by_fd(EOPNOTSUPP);
	change_layers(arg);
}

static void root_apply_gives_layers_by_name_where_it_must(void **state)
{
	need_root();
	run_owned(change_layers_by_name, *state);
	assert_plain_ids_on_disk(*state);
}

static void root_apply_gives_layers_by_name_on_older_kernels(void **state)
{
	need_root();
	run_owned(change_layers_by_name_on_older, *state);
	assert_plain_ids_on_disk(*state);
}

/* ramfs is on every kernel and maps ids on none. */
static void add_ramfs(struct ground *ground, const char *path)
{
	cleanup_free char *at = world_path(&ground->world, path);
	cleanup_free char *file = xasprintf("%s/file", path);

	world_directory(&ground->world, path, 0755);
	must(mount("ramfs", at, "ramfs", 0, NULL) == 0);
	world_file(&ground->world, file, "in memory", 0644);
}

static void show_what_cannot_be_mapped(const void *arg)
{
	const struct scene *scene = arg;
	struct ground ground = ground_owned_in_memory(scene);

	add_ramfs(&ground, "plain");
	add_ramfs(&ground, "shown/below");
	ground_add(&ground, ROOT_BIND, "/plain", "plain", NULL);
	ground_add(&ground, ROOT_BIND, "/shown", "/usr", NULL);
	ground_add(&ground, ROOT_BIND, "/mixed", "shown", NULL);
	ground_add(&ground, ROOT_BIND, "/host", "/usr", NULL)->flags = ROOT_HOST_IDS;
	ground_apply_and_enter(&ground);
	must_belong(AT_FDCWD, "/plain/file", 65534, 65534);
	must_contain(AT_FDCWD, "/plain/file", "in memory");
	must_belong(AT_FDCWD, "/shown/bin", 0, 0);
	must_contain(AT_FDCWD, "/mixed/below/file", "in memory");
	must_contain(AT_FDCWD, "/mixed/file", "shown");
	must_belong(AT_FDCWD, "/host/bin", 65534, 65534);
	must_be_refused("/mixed/below/new", EROFS);
	must_be_refused("/plain/new", EROFS);
}

static void root_apply_shows_what_cannot_be_mapped(void **state)
{
	need_root();
	run_owned(show_what_cannot_be_mapped, *state);
}

static void refuse_layers(const void *arg)
{
	const struct scene *scene = arg;
	struct ground ground = ground_owned_in_memory(scene);
	cleanup_free char *name = xasprintf("'%s/ram'", ground.world.path);
	struct error err = {0};

	add_ramfs(&ground, "ram");
	ground_add(&ground, ROOT_OVERLAY, "/opt/app", "ram", "layer/0")->flags = ROOT_WRITABLE;
	must_fail(root_apply(&ground.ops, &scene->owner, &err), &err, name);
	must_fail(err.code, &err, "on ramfs");
	must_fail(err.code, &err, "--best-effort");
	must(err.code == -EINVAL);
}

static void root_apply_names_a_layer_that_cannot_be_mapped(void **state)
{
	need_root();
	run_owned(refuse_layers, *state);
}

static void refuse_scratch(const void *arg)
{
	const struct scene *scene = arg;
	struct ground ground = ground_owned_in_memory(scene);
	struct error err = {0};

	add_ramfs(&ground, "ram");
	ground_add(&ground, ROOT_BIND, "/tmp", "ram", NULL)->flags = ROOT_WRITABLE | ROOT_SCRATCH;
	must_fail(root_apply(&ground.ops, &scene->owner, &err), &err, "on ramfs");
}

static void root_apply_refuses_scratch_that_nobody_owns(void **state)
{
	need_root();
	run_owned(refuse_scratch, *state);
}

/* overlayfs cannot empty its work directory where something is mounted in it. */
static void get_a_read_only_view(const void *arg)
{
	const struct scene *scene = arg;
	struct ground ground = ground_owned(scene);
	cleanup_free char *work = world_path(&ground.world, "layer/0/work/work");
	struct error err = {0};

	world_directory(&ground.world, "layer/0/work/work", 0755);
	must(mount("tmpfs", work, "tmpfs", 0, NULL) == 0);
	ground_add_overlay(&ground);
	must_fail(root_apply(&ground.ops, &scene->owner, &err), &err, "read-only");
	must(err.code == -EROFS);
}

static void root_apply_refuses_a_read_only_view(void **state)
{
	need_root();
	run_owned(get_a_read_only_view, *state);
}

static bool has_capability(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	must(syscall(SYS_capget, &header, data) == 0);
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

/* In a user namespace, where root has every capability, also on a host that gives it fewer. */
static void own_and_disown(const void *arg)
{
	static const struct userns_map ids = {.base = 1000};
	const struct root_owner owner = {
		.uids = &ids, .gids = &ids, .userns = -1, .pool = -1, .empty = -1};
	const struct scene *scene = arg;
	struct root_credentials before;
	struct error err = {0};

	must_succeed(userns_enter(scene->owner.userns, &err), &err);
	must(has_capability(CAP_SYS_RESOURCE));
	must_succeed(root_own(&owner, &before, &err), &err);
	must(setfsuid((uid_t)-1) == 1000 && setfsgid((gid_t)-1) == 1000);
	must(!has_capability(CAP_SYS_RESOURCE));
	must(has_capability(CAP_DAC_OVERRIDE) && has_capability(CAP_SYS_ADMIN));
	must_succeed(root_disown(&before, &err), &err);
	must(setfsuid((uid_t)-1) == 0 && setfsgid((gid_t)-1) == 0);
	must(has_capability(CAP_SYS_RESOURCE) && has_capability(CAP_CHOWN));
}

static void root_own_goes_without_the_right_to_reserves(void **state)
{
	need_root();
	run_owned(own_and_disown, *state);
}

static void rootfs_can_idmap_asks_the_file_system(void **state)
{
	const struct world *world = *state;
	struct error err = {0};
	int userns = -1;

	need_root();
	assert_succeeds(userns_make(&unit_map, &unit_map, &userns, &err), &err);
	assert_int_equal(rootfs_can_idmap(world->path, userns), 0);
	assert_int_equal(rootfs_can_idmap("/proc", userns), -EINVAL);
	assert_int_equal(rootfs_can_idmap("/nowhere", userns), -ENOENT);
	close(userns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(root_apply_belongs_to_root_inside),
		with_world(root_apply_leaves_plain_ids_in_the_upper),
		with_world(root_apply_gives_layers_by_name_where_it_must),
		with_world(root_apply_gives_layers_by_name_on_older_kernels),
		with_world(root_apply_shows_what_cannot_be_mapped),
		with_world(root_apply_names_a_layer_that_cannot_be_mapped),
		with_world(root_apply_refuses_scratch_that_nobody_owns),
		with_world(root_apply_refuses_a_read_only_view),
		with_world(root_own_goes_without_the_right_to_reserves),
		with_world(rootfs_can_idmap_asks_the_file_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
