/* SPDX-License-Identifier: Apache-2.0 */
/* What a keeper turns into undoes its instance and those of others; see reap.h. */
#include "instance/reap.h"
#include "instance/instance.h"
#include "instance/lock.h"
#include "keeper/turn.h"
#include "store/store.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdlib.h>

/* Instances of this boot or an earlier one that nobody keeps, without those that were tried. */
static char **find_lost(const struct site *site, struct store *store, char **tried)
{
	cleanup_strv char **ids = NULL;
	char **lost = NULL;

	if (store_list_ids(store, false, &ids, NULL) < 0)
		return NULL;
	for (size_t i = 0; ids && ids[i]; i++)
		if (!strv_contains(tried, ids[i]) && !instance_is_alive(site, ids[i]))
			strv_add(&lost, ids[i]);
	return lost;
}

/* What waits in the kernel is for a sweep: to try it takes seconds. */
static void end_lost(const struct site *site, struct store *store, const char *id)
{
	cleanup_record struct record *record = NULL;
	struct status status;

	if (store_load_id(store, id, &record, NULL) < 0)
		return;
	instance_observe(site, record, &status);
	if (status.state != STATE_STUCK)
		(void)instance_end_unless_busy(site, store, id, "keeper lost");
}

/* Each once: what cannot be ended is for a sweep to say. */
void reap_others(const struct site *site, int turn)
{
	cleanup_store struct store *store = NULL;
	cleanup_strv char **tried = NULL;
	bool has_turn = store_open(site->state_path, &store, NULL) == 0;

	while (has_turn) {
		cleanup_strv char **lost = find_lost(site, store, tried);

		if (!lost) {
			turn_leave(turn);
			lost = find_lost(site, store, tried);
			has_turn = lost && turn_take(turn);
		}
		for (size_t i = 0; has_turn && lost && lost[i]; i++) {
			end_lost(site, store, lost[i]);
			strv_add(&tried, lost[i]);
		}
	}
}

int reap_turn(void)
{
	const char *text = getenv(TURN_VARIABLE);
	uint64_t number;

	if (!text || parse_number(text, INT32_MAX, &number) < 0 || number < 3)
		return -1;
	return (int)number;
}
