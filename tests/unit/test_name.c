/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/name: ids are ids, and names of hosts. */
#include "world.h"
#include "base/text.h"
#include "instance/start.h"

#include <arpa/inet.h>

static void make_id_is_a_host_name_and_no_address(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		char id[INSTANCE_ID_LENGTH + 1];
		struct in_addr address;

		make_id(id);
		assert_true(is_id(id));
		assert_int_equal(inet_aton(id, &address), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(make_id_is_a_host_name_and_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
