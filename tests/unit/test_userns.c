/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/base/userns: which id is which, and namespaces that have exactly those. */
#include "world.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BASE 1310720000U

static void userns_map_add_takes_what_is_large(void **state)
{
	struct userns_map map = {.base = BASE};

	(void)state;
	for (uint32_t id = 0; id < 65536; id += 4369)
		assert_true(userns_map_add(&map, id));
	assert_int_equal(map.n_foreign, 0);
	for (uint32_t i = 0; i < USERNS_FOREIGN_MAX; i++) {
		assert_true(userns_map_add(&map, 200000 + i));
		assert_true(userns_map_add(&map, 200000)); /* has its place already */
	}
	assert_int_equal(map.n_foreign, USERNS_FOREIGN_MAX);
	assert_false(userns_map_add(&map, 65536));
	assert_true(userns_map_add(&map, 65535));
}

static void userns_host_id_is_one_to_one(void **state)
{
	const struct userns_map map = {BASE, 2, {200000, UINT32_MAX - 1}};
	const struct userns_map none = {0};

	(void)state;
	assert_int_equal(userns_host_id(&map, 0), BASE);
	assert_int_equal(userns_host_id(&map, 65531), BASE + 65531);
	assert_int_equal(userns_host_id(&map, 200000), BASE + 65532);
	assert_int_equal(userns_host_id(&map, UINT32_MAX - 1), BASE + 65533);
	assert_int_equal(userns_host_id(&map, 65534), BASE + 65534);
	assert_int_equal(userns_host_id(&map, 65535), BASE + 65535);
	/* whose place was taken, and who never had one */
	assert_int_equal(userns_host_id(&map, 65532), BASE + 65534);
	assert_int_equal(userns_host_id(&map, 65536), BASE + 65534);
	/* without a user namespace everybody is who he is */
	assert_int_equal(userns_host_id(&none, 4711), 4711);
	assert_int_equal(userns_host_id(&none, 4000000000U), 4000000000U);
}

static void enter_and_look(const void *arg)
{
	const int *fd = arg;
	cleanup_free char *uids = NULL, *gids = NULL;
	struct error err = {0};

	must_succeed(userns_enter(*fd, &err), &err);
	must(getuid() == 0 && geteuid() == 0 && getgid() == 0 && getgroups(0, NULL) == 0);
	must(file_read(AT_FDCWD, "/proc/self/uid_map", 4096, &uids, NULL) == 0);
	must(file_read(AT_FDCWD, "/proc/self/gid_map", 4096, &gids, NULL) == 0);
	must(strstr(uids, "         0 1310720000      65533\n"));
	must(strstr(uids, "    200000 1310785533          1\n"));
	must(strstr(uids, "     65534 1310785534          2\n"));
	must(strstr(gids, "         0 1310720000      65534\n"));
	must(setresuid(200000, 200000, 200000) == 0);
	must(setresuid(0, 0, 0) < 0 && errno == EPERM);
}

static void userns_make_maps_what_was_asked(void **state)
{
	const struct userns_map uids = {BASE, 1, {200000}}, gids = {.base = BASE};
	struct error err = {0};
	uid_t owner;
	int fd = -1;

	(void)state;
	need_root();
	assert_succeeds(userns_make(&uids, &gids, &fd, &err), &err);
	/* root of the host must not be who the kernel counts for */
	assert_int_equal(ioctl(fd, NS_GET_OWNER_UID, &owner), 0);
	assert_int_equal(owner, BASE);
	run_in_child(0, enter_and_look, &fd);
	close(fd);
}

static void userns_make_refuses_what_is_no_map(void **state)
{
	const struct userns_map map = {.base = UINT32_MAX - 4};
	struct error err = {0};
	int fd = -1;

	(void)state;
	need_root();
	/* runs over the end of all ids */
	assert_true(userns_make(&map, &map, &fd, &err) < 0);
	assert_int_equal(fd, -1);
	assert_non_null(strstr(err.text, "user namespace"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(userns_map_add_takes_what_is_large),
		cmocka_unit_test(userns_host_id_is_one_to_one),
		cmocka_unit_test(userns_make_maps_what_was_asked),
		cmocka_unit_test(userns_make_refuses_what_is_no_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
