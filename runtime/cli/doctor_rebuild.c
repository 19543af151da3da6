/* SPDX-License-Identifier: Apache-2.0 */
/* stint doctor --rebuild: a new store in place of a damaged one. */
#include "cli/doctor.h"
#include "cli/output.h"
#include "cli/place.h"
#include "instance/rebuild.h"
#include "instance/sweep.h"
#include "store/spares.h"

#include <stdio.h>

static json_t *json_list(char *const *list)
{
	json_t *array = json_array();

	for (size_t i = 0; list && list[i]; i++)
		json_push(array, json_text(list[i]));
	return array;
}

/* A spare without a pool is nobody's, and the sweep behind us ends it. */
static void print_back(const char *name)
{
	if (spare_is_name(name))
		printf("ended: %s; set its pool again with 'stint pool set'\n", name);
	else
		printf("back: %s\n", name);
}

static void print_result(const struct rebuild_result *result, const struct sweep_result *swept)
{
	if (!result->set_aside && !result->back)
		puts("the store is sound and knows every instance; nothing was done");
	if (result->set_aside)
		printf("the damaged store was set aside: %s\n", result->set_aside);
	for (size_t i = 0; result->back && result->back[i]; i++)
		print_back(result->back[i]);
	for (size_t i = 0; result->lost && result->lost[i]; i++)
		printf("lost: %s\n", result->lost[i]);
	if (swept->ended + swept->strays > 0)
		printf("%u ended, %u strays removed\n", swept->ended, swept->strays);
}

int doctor_rebuild(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct rebuild_result result = {0};
	struct sweep_result swept = {0};
	struct error err = {0};
	int status = 0;

	if (place_open_anyway(&site, &err) < 0 || rebuild_store(&site, &result, &err) < 0 ||
	    site_sweep(&site, true, &swept, &err) < 0 || swept.left > 0)
		status = report(&err);
	if (invocation->options.json)
		json_print(json_pack("{s:s?, s:o, s:o}", "set_aside", result.set_aside, "back",
				     json_list(result.back), "lost", json_list(result.lost)));
	else if (status == 0)
		print_result(&result, &swept);
	rebuild_result_deinit(&result);
	site_close(&site);
	return status;
}
