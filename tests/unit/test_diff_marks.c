/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/diff: uppers made by hand, with marks as no overlay would leave them. */
#include "diff_rig.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "instance/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

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

static const struct site here = {.state_path = (char *)"/nowhere"};

static void instance_with_two_layers(void **state)
{
	struct world *world = *state;
	cleanup_free char *lib = xasprintf("%s/lower/lib", world->path);
	cleanup_free char *conf = xasprintf("%s/lower/conf", world->path);
	char *layers[] = {lib, conf, NULL};
	struct record record = {.grant = {.id = "0123abcd"}, .layers = layers};
	cleanup_diff struct diff diff = {0};
	struct error err;

	need_root();
	shell(world->path, "for i in 0 1; do mkdir -p layer/$i/upper; done; "
			   "touch layer/0/upper/n layer/1/upper/a");
	assert_int_equal(diff_instance(&here, world->top, &record, &diff, &err), 0);
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
	struct diff diff = {0};
	struct error err;

	assert_int_equal(diff_instance(&here, world->top, &record, &diff, &err), -ENOENT);
	assert_non_null(strstr(err.text, gone));
}

#define test(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(whiteout_by_hand),	      test(opaque_by_hand),
		test(redirect_astray),	      test(nested_too_deeply),
		test(names_of_any_bytes),     test(instance_with_two_layers),
		test(instance_without_layer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
