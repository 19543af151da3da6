/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/instance/diff: real overlays in a mount namespace of this process, changed by a shell,
 * and uppers made by hand. Everything here needs root.
 */
#include "instance/diff.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cmocka.h>

struct world {
	char path[64];
	int top; /* lower, upper, work, at */
};

/* The install that all overlays begin with. */
static const char install[] =
	"set -e; mkdir -p lower/conf/deep lower/lib/sub lower/empty\n"
	"echo a > lower/conf/a; echo b > lower/conf/b; echo d > lower/conf/deep/d\n"
	"echo j > lower/lib/j; echo k > lower/lib/sub/k; ln -s conf/a lower/link\n"
	"chmod 755 lower lower/*/ lower/*/*/; chown -h 1:1 lower/lib/j\n";

static void shell(const char *directory, const char *script)
{
	cleanup_free char *command = xasprintf("cd '%s' && umask 022 && %s", directory, script);

	assert_int_equal(system(command), 0);
}

static int world_setup(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	cleanup_free char *command = NULL;

	strcpy(world->path, "/tmp/stint-diff-XXXXXX");
	if (!mkdtemp(world->path))
		return -1;
	world->top = file_open_directory(AT_FDCWD, world->path);
	*state = world;
	command = xasprintf("cd '%s' && umask 022 && mkdir upper work at && %s", world->path,
			    install);
	return system(command);
}

static int world_teardown(void **state)
{
	struct world *world = *state;
	cleanup_free char *at = xasprintf("%s/at", world->path);
	int r;

	umount2(at, MNT_DETACH);
	close(world->top);
	r = file_remove_tree(AT_FDCWD, world->path);
	free(world);
	return r;
}

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

/* The lines of "stint diff" for an install seen at /i, in one string. */
static char *diff_text(const struct world *world)
{
	cleanup_fd int upper = openat(world->top, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int lower = openat(world->top, "lower", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_diff struct diff diff = {0};
	struct text text = {0};
	struct error err = {0};

	if (diff_layer(upper, lower, "/i", &diff, &err) < 0)
		return xstrdup(err.text);
	diff_sort(&diff);
	for (size_t i = 0; i < diff.n; i++)
		text_addf(&text, "%c %s%s%s\n", diff.list[i].kind,
			  diff.list[i].from ? diff.list[i].from : "",
			  diff.list[i].from ? " -> " : "", diff.list[i].path);
	return text_take(&text);
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

/* From here on: uppers made by hand. */

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void expect(const struct world *world, const char *expected)
{
	cleanup_free char *text = diff_text(world);

	assert_string_equal(text, expected);
}

static void mark(const struct world *world, const char *path, const char *name, const char *value)
{
	cleanup_free char *full = xasprintf("%s/upper/%s", world->path, path);

	assert_int_equal(setxattr(full, name, value, strlen(value), 0), 0);
}

static void whiteout_by_hand(void **state)
{
	struct world *world = *state;

	need_root();
	shell(world->path, "mkdir upper/conf");
	assert_int_equal(mknodat(world->top, "upper/conf/a", S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(mknodat(world->top, "upper/conf/none", S_IFCHR, makedev(0, 0)), 0);
	assert_int_equal(mknodat(world->top, "upper/conf/null", S_IFCHR | 0600, makedev(1, 3)), 0);
	shell(world->path, "touch upper/conf/b upper/conf/deep");
	mark(world, "conf/b", "trusted.overlay.whiteout", "y");
	expect(world, "D /i/conf/a\nD /i/conf/b\nC /i/conf/deep\nA /i/conf/null\n");
}

/* "x" says that whiteouts are attributes in there, not that nothing shows through. */
static void opaque_by_hand(void **state)
{
	struct world *world = *state;

	need_root();
	shell(world->path, "mkdir upper/conf upper/lib");
	mark(world, "conf", "trusted.overlay.opaque", "x");
	mark(world, "lib", "trusted.overlay.opaque", "y");
	expect(world, "D /i/lib/j\nD /i/lib/sub\n");
}

/* A redirect that leads nowhere, or out: what stands there is as good as new. */
static void redirect_astray(void **state)
{
	struct world *world = *state;

	need_root();
	shell(world->path, "mkdir upper/n1 upper/n2 upper/n3 upper/n4; ln -s / lower/root");
	mark(world, "n1", "trusted.overlay.redirect", "/no/such");
	mark(world, "n2", "trusted.overlay.redirect", "a/b");
	mark(world, "n3", "trusted.overlay.redirect", "/conf/a");
	mark(world, "n4", "trusted.overlay.redirect", "/root");
	expect(world, "A /i/n1\nA /i/n2\nA /i/n3\nA /i/n4\n");
	shell(world->path, "mkdir upper/n5");
	mark(world, "n5", "trusted.overlay.redirect", "/../../etc");
	expect(world, "cannot compare '/i/../../etc': Invalid cross-device link");
}

static void nested_too_deeply(void **state)
{
	struct world *world = *state;
	cleanup_fd int at = openat(world->top, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *text = NULL;

	need_root();
	for (int i = 0; i < 1000; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	text = diff_text(world);
	assert_non_null(strstr(text, "cannot compare '/i/d/d/d"));
}

static void names_of_any_bytes(void **state)
{
	struct world *world = *state;

	need_root();
	shell(world->path, "touch \"upper/$(printf 'a\\nD b')\" upper/\"$(printf '\\377')\"");
	expect(world, "A /i/a\nD b\nA /i/\xff\n");
}

static void instance_with_two_layers(void **state)
{
	struct world *world = *state;
	cleanup_free char *lib = xasprintf("%s/lower/lib", world->path);
	cleanup_free char *conf = xasprintf("%s/lower/conf", world->path);
	char *layers[] = {lib, conf, NULL};
	struct record record = {.grant = {.id = "0123abcd"}, .layers = layers};
	struct site site = {.state = world->top, .run = -1};
	cleanup_diff struct diff diff = {0};
	struct error err;

	need_root();
	shell(world->path, "for i in 0 1; do mkdir -p i/0123abcd/layer/$i/upper; done; "
			   "touch i/0123abcd/layer/0/upper/n i/0123abcd/layer/1/upper/a");
	assert_int_equal(diff_instance(&site, &record, &diff, &err), 0);
	assert_int_equal(diff.n, 2);
	assert_int_equal(diff.list[0].kind, DIFF_CHANGED);
	assert_string_equal(diff.list[0].path + strlen(conf), "/a");
	assert_int_equal(diff.list[1].kind, DIFF_ADDED);
	assert_string_equal(diff.list[1].path + strlen(lib), "/n");
}

static void instance_without_layer(void **state)
{
	struct world *world = *state;
	cleanup_free char *gone = xasprintf("%s/gone", world->path);
	char *layers[] = {gone, NULL};
	struct record record = {.grant = {.id = "0123abcd", .name = "x"}, .layers = layers};
	struct site site = {.state = world->top, .run = -1};
	struct diff diff = {0};
	struct error err;

	assert_int_equal(diff_instance(&site, &record, &diff, &err), -ENOENT);
	shell(world->path, "mkdir -p i/0123abcd");
	assert_int_equal(diff_instance(&site, &record, &diff, &err), -ENOENT);
	assert_non_null(strstr(err.text, gone));
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

#define by_hand(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

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
		by_hand(whiteout_by_hand),
		by_hand(opaque_by_hand),
		by_hand(redirect_astray),
		by_hand(nested_too_deeply),
		by_hand(names_of_any_bytes),
		by_hand(instance_with_two_layers),
		by_hand(instance_without_layer),
	};

	return cmocka_run_group_tests(tests, own_mounts, NULL);
}
