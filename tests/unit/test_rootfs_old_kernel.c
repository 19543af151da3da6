/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that an older kernel or a container refuses: what is chosen then, what is said. That the
 * roots are the same is tested by the other programs, which run once more with UNIT_REFUSE.
 */
#include "root_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "old_kernel.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

struct refusal {
	const char *name;
	int number, errnum;
};

static const struct refusal refusals[] = {
	{"open_tree", SYS_open_tree, ENOSYS}, {"move_mount", SYS_move_mount, EPERM},
	{"fsopen", SYS_fsopen, ENOSYS},	      {"fsconfig", SYS_fsconfig, EPERM},
	{"fsmount", SYS_fsmount, ENOSYS},     {"mount_setattr", SYS_mount_setattr, EPERM},
};

static void refuse_and_ask(const void *arg)
{
	const struct refusal *refusal = arg;
	const char *name;

	must(!mount_refused_call());
	refuse_call(refusal->number, refusal->errnum);
	name = mount_refused_call();
	must(name && strcmp(name, refusal->name) == 0);
	must(rootfs_can_idmap("/", 0) == -ENOSYS);
}

static void mount_refused_call_names_each(void **state)
{
	(void)state;
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		run_in_child(CLONE_NEWNS, refuse_and_ask, &refusals[i]);
}

static void have_ids_without_the_calls(const void *arg)
{
	const struct scene *scene = arg;
	struct ground ground = ground_owned(scene);
	struct error err = {0};

	refuse_call(SYS_mount_setattr, EPERM);
	must_fail(root_apply(&ground.ops, ground.owner, &err), &err, "mount_setattr(2)");
	must_fail(err.code, &err, "--best-effort");
}

static void root_apply_with_ids_names_the_missing_call(void **state)
{
	need_root();
	run_owned(have_ids_without_the_calls, *state);
}

static void mount_in_a_bind(const void *arg)
{
	struct ground ground = ground_make(arg);
	cleanup_free char *below = world_path(&ground.world, "shown/below");
	struct stat st;

	world_directory(&ground.world, "shown/below", 0755);
	must(mount("tmpfs", below, "tmpfs", 0, NULL) == 0);
	world_file(&ground.world, "shown/below/file", "hidden", 0644);
	refuse_new_calls(ENOSYS);
	ground_add(&ground, ROOT_BIND, "/shown", "shown", NULL);
	ground_apply(&ground);
	must_contain(AT_FDCWD, "/shown/file", "shown");
	must(stat("/shown/below", &st) == 0 && !exists(AT_FDCWD, "/shown/below/file"));
	must_be_refused("/shown/below/new", EROFS);
}

static void root_apply_by_path_shows_no_mounts_below(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, mount_in_a_bind, *state);
}

/* A mount that was restricted on the host stays so when it is shown for writing. */
static void show_what_is_restricted(const void *arg)
{
	struct ground ground = ground_make(arg);
	cleanup_free char *shown = world_path(&ground.world, "shown");

	must(mount(shown, shown, NULL, MS_BIND, NULL) == 0);
	must(mount(NULL, shown, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	refuse_new_calls(ENOSYS);
	ground_add(&ground, ROOT_BIND, "/shown", "shown", NULL)->flags = ROOT_WRITABLE;
	ground_apply(&ground);
	must_be_refused("/shown/new", EROFS);
}

static void root_apply_by_path_keeps_restrictions(void **state)
{
	need_root();
	run_in_child(OWN_NAMESPACES, show_what_is_restricted, *state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mount_refused_call_names_each),
		with_world(root_apply_with_ids_names_the_missing_call),
		with_world(root_apply_by_path_shows_no_mounts_below),
		with_world(root_apply_by_path_keeps_restrictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
