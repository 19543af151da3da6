/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/install/jar: versions in manifests, and jars that are none. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/run.h"
#include "base/text.h"
#include "install/jar.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void expect(const char *text, const char *version)
{
	char found[JAR_VERSION_SIZE] = "untouched";

	assert_int_equal(jar_manifest_version(text, strlen(text), found), version != NULL);
	assert_string_equal(found, version ? version : "untouched");
}

static void jar_manifest_version_of_texts(void **state)
{
	(void)state;
	expect("Manifest-Version: 1.0\r\nImplementation-Version: 1.2.3\r\n\r\n", "1.2.3");
	expect("Manifest-Version: 1.0\nBundle-Version: 4\nImplementation-Version: 1.2.3\n",
	       "1.2.3");
	expect("Implementation-Version: 1\nBundle-Version: 4\n", "1");
	expect("bundle-version:   4.5.6.qualifier  \r", "4.5.6.qualifier");
	/* a line goes on with a blank in front */
	expect("Implementation-Version: 1.2\r\n .3-SNAP\r\n SHOT\r\nName: x\r\n", "1.2.3-SNAPSHOT");
	expect("Implementation-Version: 1.2\n .3\n", "1.2.3");
	/* of an entry, not of the jar */
	expect("Manifest-Version: 1.0\n\nName: a\nImplementation-Version: 9\n", NULL);
	expect("Implementation-Version:\nBundle-Version: 2\n", "2");
	expect("X-Implementation-Version: 1\n", NULL);
	expect("Implementation-Version: \033[31m\001\n", "?[31m?");
	expect("", NULL);
	expect(" \n", NULL);
	expect("\n", NULL);
	expect("Implementation-Version", NULL);
}

static void jar_manifest_version_is_bounded(void **state)
{
	char text[400] = "Implementation-Version: ", found[JAR_VERSION_SIZE];

	(void)state;
	memset(text + strlen(text), '7', 300);
	assert_true(jar_manifest_version(text, strlen(text), found));
	assert_int_equal(strlen(found), JAR_VERSION_SIZE - 1);
}

/* Any bytes, and cut anywhere: read within its bounds. */
static void jar_manifest_version_of_any_bytes(void **state)
{
	static const char text[] = "A: 1\r\n 2\r\nImplementation-Version: 3\r\n 4\r\n\r\nB: 5\n \n";
	char found[JAR_VERSION_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		for (int byte = 0; byte < 256; byte++) {
			cleanup_free char *copy = xcalloc(1, i + 1);

			memcpy(copy, text, i);
			copy[i] = (char)byte;
			(void)jar_manifest_version(copy, i + 1, found);
		}
}

static void jar_is_named_by_its_end(void **state)
{
	(void)state;
	assert_true(jar_is_named("/a/b.jar"));
	assert_false(jar_is_named("/a/b.jar.old"));
	assert_false(jar_is_named(".jar"));
	assert_false(jar_is_named("jar"));
}

static bool make_jar(const struct world *world)
{
	char *const argv[] = {(char *)"python3", (char *)"-c",
			      (char *)"import zipfile\n"
				      "z = zipfile.ZipFile('good.jar', 'w', zipfile.ZIP_DEFLATED)\n"
				      "z.writestr('a/b.class', 'x' * 100000)\n"
				      "z.writestr('META-INF/MANIFEST.MF',"
				      " 'Implementation-Version: 1.2.3\\r\\n\\r\\n')\n"
				      "z.close()\n"
				      "z = zipfile.ZipFile('huge.jar', 'w', zipfile.ZIP_DEFLATED)\n"
				      "z.writestr('META-INF/MANIFEST.MF',"
				      " 'Implementation-Version: 1\\n' + 'x' * (256 << 20))\n"
				      "z.close()\n",
			      NULL};

	return run_quietly(argv, NULL, world->dir, -1) == 0;
}

static void jar_version_of_files(void **state)
{
	const struct world *world = *state;
	char version[JAR_VERSION_SIZE] = "untouched";

	world_file(world, "no.jar", "this is no jar", 0644);
	world_file(world, "empty.jar", "", 0644);
	world_link(world, "good.jar", "link.jar");
	assert_int_equal(mkfifoat(world->dir, "pipe.jar", 0600), 0);
	world_directory(world, "dir.jar", 0755);
	assert_false(jar_version(world->dir, "no.jar", version));
	assert_false(jar_version(world->dir, "empty.jar", version));
	assert_false(jar_version(world->dir, "none.jar", version));
	assert_false(jar_version(world->dir, "pipe.jar", version));
	assert_false(jar_version(world->dir, "dir.jar", version));
	assert_false(jar_version(world->dir, "../../etc/passwd", version));
	if (!make_jar(world))
		skip();
	assert_true(jar_version(world->dir, "good.jar", version));
	assert_string_equal(version, "1.2.3");
	assert_false(jar_version(world->dir, "huge.jar", version));
	assert_false(jar_version(world->dir, "link.jar", version));
	assert_string_equal(version, "1.2.3");
}

/* Cut off anywhere, and with any byte another one: no version, or some, and nobody ends of it. */
static void jar_version_of_damaged_files(void **state)
{
	const struct world *world = *state;
	cleanup_free char *data = NULL;
	char version[JAR_VERSION_SIZE];
	size_t length;

	if (!make_jar(world))
		skip();
	assert_int_equal(file_read(world->dir, "good.jar", 1 << 20, &data, &length), 0);
	for (size_t i = 0; i < length; i += 7) {
		assert_int_equal(file_replace_bytes(world->dir, "d.jar", data, i, 0600), 0);
		(void)jar_version(world->dir, "d.jar", version);
		data[i] = (char)(data[i] ^ 0xff);
		assert_int_equal(file_replace_bytes(world->dir, "d.jar", data, length, 0600), 0);
		(void)jar_version(world->dir, "d.jar", version);
		data[i] = (char)(data[i] ^ 0xff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jar_manifest_version_of_texts),
		cmocka_unit_test(jar_manifest_version_is_bounded),
		cmocka_unit_test(jar_manifest_version_of_any_bytes),
		cmocka_unit_test(jar_is_named_by_its_end),
		with_world(jar_version_of_files),
		with_world(jar_version_of_damaged_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
