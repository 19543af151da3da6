/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/instance/ids: the ids of instances are nobody else's. */
#include "world.h"
#include "base/cleanup.h"
#include "instance/ids.h"

#include <errno.h>

static const struct id_span span = {.first = 10 * ID_RANGE_SIZE, .count = 2}; /* 655360..786431 */

static void ids_check_of_every_file(void **state)
{
	static const struct {
		const char *name, *text, *words; /* words NULL: no conflict */
	} cases[] = {
		{"passwd",
		 "root:x:0:0:root:/root:/bin/sh\na:x:655359:0::/:/x\nb:x:786432:1::/:/x\n", NULL},
		{"passwd", "a:x:655360:0::/:/x\n", "'a' in '/etc/passwd'"},
		{"passwd", "a:x:1:655360::/:/x\nlast:x:786431:0::/:", "'last' in '/etc/passwd'"},
		{"group", "g:x:700000:\n", "'g' in '/etc/group'"},
		{"subuid", "a:589824:65536\na:786432:65536\n", NULL},
		{"subuid", "a:589824:65537\n", "'a' in '/etc/subuid'"},
		{"subuid", "a:1:4294967295\n", "'a' in '/etc/subuid'"},
		{"subuid", "stint:655360:131072\n", NULL},
		{"subuid", "stintx:655360:131072\n", "'stintx' in '/etc/subuid'"},
		{"subgid", "a:786431:1\n", "655360 to 786431"},
		{"subgid", "\n#\nnonsense\na:b:c\na:700000\n", NULL},
	};
	const struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err;
		int r;

		world_file(w, cases[i].name, cases[i].text, 0644);
		r = ids_check(w->dir, &span, &err);
		if (cases[i].words) {
			assert_fails(r, -EPERM, &err, cases[i].words);
			assert_int_equal(err.kind, ERROR_REFUSED);
		} else {
			assert_succeeds(r, &err);
		}
		world_file(w, cases[i].name, "", 0644);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_world(ids_check_of_every_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
