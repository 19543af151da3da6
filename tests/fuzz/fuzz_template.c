/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: any bytes as a template. What compiles must read back from its canonical form as the
 * same plan; what does not must say why.
 */
#include "fuzz.h"
#include "templates/template.h"

static void check_round_trip(const struct plan *plan)
{
	const struct template_options options = {0};
	cleanup_text struct text text = {0}, again = {0};
	cleanup_plan struct plan *back = NULL;
	struct error err = {0};

	plan_write_canonical(plan, &text);
	must(template_compile_text("plan.yaml", text.data, text.length, &options, &back, &err) ==
	     0);
	plan_write_canonical(back, &again);
	must(strcmp(text.data, again.data) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct template_options options = {.share = "/usr/share/stint"};
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	if (template_compile_text("t.yaml", (const char *)data, size, &options, &plan, &err) == 0)
		check_round_trip(plan);
	else
		must(*err.text);
	return 0;
}
