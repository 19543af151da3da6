/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/instance/diff: real overlays in a mount namespace of this process, changed by a shell.
 * All of it needs root.
 */
#include "diff_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "rootfs/mount.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

static int mount_overlay(const struct world *world)
{
	cleanup_free char *options =
		xasprintf("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work,redirect_dir=on,"
			  "index=off,metacopy=off,volatile",
			  world->path, world->path, world->path);
	cleanup_fd int at = openat(world->top, "at", O_PATH | O_CLOEXEC);
	cleanup_fd int mount = mount_new("overlay", options, 0);

	return mount < 0 ? mount : mount_attach(mount, at);
}

struct example {
	const char *script, *expected;
};

/* Each on an overlay of its own; what is seen must not depend on the overlay being mounted. */
static void check_examples(const struct example *examples, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *mounted = NULL, *after = NULL;
		void *state;
		struct world *world;
		char at[80];

		if (geteuid() != 0)
			skip();
		assert_int_equal(world_setup(&state), 0);
		world = state;
		if (mount_overlay(world) < 0) {
			world_teardown(&state);
			skip();
		}
		snprintf(at, sizeof(at), "%s/at", world->path);
		shell(at, examples[i].script);
		mounted = diff_text(world);
		assert_int_equal(umount2(at, 0), 0);
		after = diff_text(world);
		assert_string_equal(mounted, examples[i].expected);
		assert_string_equal(after, examples[i].expected);
		assert_int_equal(world_teardown(&state), 0);
	}
}

static void files_changed(void **state)
{
	static const struct example examples[] = {
		{"true", ""},
		{"echo new > conf/new", "A /i/conf/new\n"},
		{"echo changed > conf/a", "C /i/conf/a\n"},
		{"echo A > conf/a", "C /i/conf/a\n"}, /* of the same length */
		{"rm conf/a", "D /i/conf/a\n"},
		{"chmod 600 conf/a", "C /i/conf/a\n"},
		{"chown 7 conf/a", "C /i/conf/a\n"},
		{"chgrp 7 lib/j", "C /i/lib/j\n"},
		{"mv conf/a conf/z", "D /i/conf/a\nA /i/conf/z\n"},
		{"mkfifo conf/f", "A /i/conf/f\n"},
		{"rm conf/a; mkfifo conf/a", "C /i/conf/a\n"},
		{"touch conf/n; rm conf/n", ""},
		{"echo x >> conf/a; echo y > b; rm conf/b lib/sub/k",
		 "A /i/b\nC /i/conf/a\nD /i/conf/b\nD /i/lib/sub/k\n"},
	};

	(void)state;
	check_examples(examples, ARRAY_SIZE(examples));
}

static void files_written_as_they_were(void **state)
{
	static const struct example examples[] = {
		{"echo a > conf/a", ""},
		{"touch conf/a lib/j lib/sub/k", ""},
		{"chmod 600 conf/a; chmod 644 conf/a", ""},
		{"rm conf/a; echo a > conf/a", ""},
		{"rm link; ln -s conf/a link", ""},
		{"touch -h link", ""},
	};

	(void)state;
	check_examples(examples, ARRAY_SIZE(examples));
}

static void links_changed(void **state)
{
	static const struct example examples[] = {
		{"ln -sfn conf/b link", "C /i/link\n"},
		{"rm link", "D /i/link\n"},
		{"ln -s /etc/passwd l2", "A /i/l2\n"},
		{"rm link; echo a > link", "C /i/link\n"},
		{"rm conf/b; ln -s a conf/b", "C /i/conf/b\n"},
		{"ln conf/a conf/hard", "A /i/conf/hard\n"},
	};

	(void)state;
	check_examples(examples, ARRAY_SIZE(examples));
}

static void directories_changed(void **state)
{
	static const struct example examples[] = {
		{"mkdir n", "A /i/n\n"},
		{"mkdir -p n/m; echo x > n/m/x", "A /i/n\nA /i/n/m\nA /i/n/m/x\n"},
		{"rm -r conf", "D /i/conf\n"},
		{"rmdir empty", "D /i/empty\n"},
		{"chmod 700 conf", "C /i/conf\n"},
		{"chown 7 conf; chown 0 conf", ""},
		{"chmod 700 .", "C /i\n"},
		{"rm -r conf/deep; echo file > conf/deep", "C /i/conf/deep\n"},
		{"rm conf/a; mkdir conf/a; touch conf/a/x", "C /i/conf/a\nA /i/conf/a/x\n"},
	};

	(void)state;
	check_examples(examples, ARRAY_SIZE(examples));
}

static void directories_made_anew(void **state)
{
	static const struct example examples[] = {
		{"rm -r conf; mkdir conf", "D /i/conf/a\nD /i/conf/b\nD /i/conf/deep\n"},
		{"rm -r conf; mkdir conf; echo a > conf/a; echo B > conf/b",
		 "C /i/conf/b\nD /i/conf/deep\n"},
		{"rm -r conf; mkdir -p conf/deep; touch conf/deep/n",
		 "D /i/conf/a\nD /i/conf/b\nD /i/conf/deep/d\nA /i/conf/deep/n\n"},
		{"rm -r conf; mkdir -m 700 conf; echo a > conf/a; echo b > conf/b; "
		 "mkdir conf/deep; echo d > conf/deep/d",
		 "C /i/conf\n"},
	};

	(void)state;
	check_examples(examples, ARRAY_SIZE(examples));
}

static void directories_renamed(void **state)
{
	static const struct example examples[] = {
		{"mv conf config", "R /i/conf -> /i/config\n"},
		{"mv conf/deep lib/deep2", "R /i/conf/deep -> /i/lib/deep2\n"},
		{"mkdir n; mv conf n/conf", "A /i/n\nR /i/conf -> /i/n/conf\n"},
		{"mv conf config; echo x >> config/a; rm config/b; touch config/deep/n",
		 "R /i/conf -> /i/config\nC /i/config/a\nD /i/config/b\nA /i/config/deep/n\n"},
		{"mv conf config; chmod 700 config", "R /i/conf -> /i/config\nC /i/config\n"},
		{"mv conf x; mv x conf", ""},
		{"mv conf x; mv x y", "R /i/conf -> /i/y\n"},
		{"mv conf x; rm -r x", "D /i/conf\n"},
		{"mv conf x; mv lib conf; mv x lib", "R /i/lib -> /i/conf\nR /i/conf -> /i/lib\n"},
		{"rmdir empty; mv conf empty", "R /i/conf -> /i/empty\n"},
	};

	(void)state;
	check_examples(examples, ARRAY_SIZE(examples));
}

static void directories_renamed_one_in_another(void **state)
{
	static const struct example examples[] = {
		/* out of one that is renamed afterwards */
		{"mv conf/deep deep; mv conf config",
		 "R /i/conf -> /i/config\nR /i/conf/deep -> /i/deep\n"},
		/* inside of one that was renamed before */
		{"mv conf config; mv config/deep config/deeper",
		 "R /i/conf -> /i/config\nR /i/conf/deep -> /i/config/deeper\n"},
		/* out of one that is removed afterwards */
		{"mv conf/deep deep; rm -r conf", "D /i/conf\nR /i/conf/deep -> /i/deep\n"},
		/* a new one at the old place, with what the old one had */
		{"mv conf config; mkdir conf; echo a > conf/a",
		 "A /i/conf\nA /i/conf/a\nR /i/conf -> /i/config\n"},
		{"mv conf/deep deep; rm -r conf; mkdir conf; echo a > conf/a",
		 "D /i/conf/b\nR /i/conf/deep -> /i/deep\n"},
	};

	(void)state;
	check_examples(examples, ARRAY_SIZE(examples));
}

static int own_mounts(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_changed),
		cmocka_unit_test(files_written_as_they_were),
		cmocka_unit_test(links_changed),
		cmocka_unit_test(directories_changed),
		cmocka_unit_test(directories_made_anew),
		cmocka_unit_test(directories_renamed),
		cmocka_unit_test(directories_renamed_one_in_another),
	};

	return cmocka_run_group_tests(tests, own_mounts, NULL);
}
