/* SPDX-License-Identifier: Apache-2.0 */
/* What changed below an instance, for "stint show"; see taints.h. */
#include "cli/taints.h"
#include "base/cleanup.h"
#include "base/visible.h"
#include "store/taints.h"

#include <stdio.h>

#define SHOWN_MAX 20

static void load(const struct site *site, const struct record *record,
		 struct taint_list *ret_taints)
{
	cleanup_store struct store *store = NULL;

	if (record->tainted && site_open_store_to_read(site, &store, NULL) == 0)
		(void)store_taints_load(store, record->grant.id, ret_taints, NULL);
}

void taints_print(const struct site *site, const struct record *record)
{
	struct taint_list taints = {0};

	load(site, record, &taints);
	if (record->tainted)
		printf("\ntainted: %u file%s that it sees %s changed after its start\n",
		       record->tainted, plural(record->tainted),
		       record->tainted == 1 ? "was" : "were");
	for (size_t i = 0; i < taints.n && i < SHOWN_MAX; i++) {
		cleanup_text struct text name = {0};

		text_add_visible_name(&name, taints.list[i].path);
		printf("  %c %s\n", change_letter(taints.list[i].change), name.data);
	}
	if (record->tainted > SHOWN_MAX)
		printf("  and %u more\n", record->tainted - SHOWN_MAX);
	if (record->tainted)
		puts("It may see some as they were and some as they are. 'stint install adopt' "
		     "makes a\ngeneration for instances that are started from then on.");
	taint_list_deinit(&taints);
}

json_t *taints_json(const struct site *site, const struct record *record)
{
	struct taint_list taints = {0};
	json_t *list = json_array();

	load(site, record, &taints);
	for (size_t i = 0; i < taints.n; i++)
		json_push(list, json_change(taints.list[i].change, taints.list[i].path));
	taint_list_deinit(&taints);
	return list;
}
