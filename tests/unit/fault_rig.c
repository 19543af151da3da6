/* SPDX-License-Identifier: Apache-2.0 */
/* Templates that are wrong; see fault_rig.h. */
#include "fault_rig.h"
#include "templates/template.h"

#include <string.h>

void check_faults(const char *file, const struct fault_case *cases, size_t n)
{
	const struct template_options options = {.share = "/share"};

	for (size_t i = 0; i < n; i++) {
		struct plan *plan = NULL;
		struct error err = {0};
		int r = template_compile_text(file, cases[i].yaml, strlen(cases[i].yaml), &options,
					      &plan, &err);

		assert_true(r < 0);
		assert_null(plan);
		assert_string_equal(err.text, cases[i].message);
		assert_int_equal(err.kind, ERROR_FAILED);
	}
}
