/* SPDX-License-Identifier: Apache-2.0 */
/* stint history: how instances ended. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "base/cleanup.h"

#include <stdio.h>

#define HISTORY_SHOWN 50

static void print_history(const struct history_entry *entries, size_t n)
{
	static const char *const heads[] = {"NAME", "OWNER", "ENDED", "LIVED", "REASON"};
	struct table table = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = 0; i < n; i++) {
		const struct history_entry *e = &entries[i];
		char ended[64], lived[32];

		format_moment(e->ending.ended_ns / NSEC_PER_SEC, ended, sizeof(ended));
		format_duration(e->ending.ended_ns - e->created_ns, lived, sizeof(lived));
		table_add(&table, e->name);
		table_add(&table, e->owner);
		table_add(&table, ended);
		table_add(&table, lived);
		table_add(&table, e->ending.reason);
	}
	table_print(&table);
}

static json_t *json_entry(const struct history_entry *e)
{
	char started[32], ended[32];

	format_rfc3339(e->created_ns / NSEC_PER_SEC, started, sizeof(started));
	format_rfc3339(e->ending.ended_ns / NSEC_PER_SEC, ended, sizeof(ended));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i}", "name", e->name, "id",
			 e->id, "template", e->template_name, "owner", e->owner, "created", started,
			 "ended", ended, "reason", e->ending.reason, "exit_status",
			 e->ending.exit_status, "exit_signal", e->ending.exit_signal);
}

static int run_history(const struct invocation *invocation)
{
	const char *name = invocation->n_args ? invocation->args[0] : NULL;
	const struct caller *caller = invocation->caller;
	const uid_t *owner = caller->restricted ? &caller->uid : NULL;
	cleanup_store struct store *store = NULL;
	struct site site = {.state = -1, .run = -1};
	struct history_entry *entries = NULL;
	struct error err = {0};
	json_t *list = NULL;
	size_t n = 0;
	int status = 0;

	if (place_open(&site, &err) < 0 || store_open(site.state_path, &store, &err) < 0 ||
	    store_history(store, name, owner, HISTORY_SHOWN, &entries, &n, &err) < 0) {
		status = report(&err);
	} else if (invocation->options.json) {
		list = json_array();
		for (size_t i = 0; i < n; i++)
			json_array_append_new(list, json_entry(&entries[i]));
		json_print(list);
	} else if (n > 0) {
		print_history(entries, n);
	} else {
		puts("no instance has ended yet");
	}
	history_free(entries, n);
	site_close(&site);
	return status;
}

const struct command history_command = {
	.name = "history",
	.usage = "[NAME]",
	.options = "json",
	.summary = "show how instances ended",
	.description = "The newest fifty instances that have ended, with the reason of each end.",
	.max_args = 1,
	.run = run_history,
};
