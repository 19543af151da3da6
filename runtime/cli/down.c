/* SPDX-License-Identifier: Apache-2.0 */
/* stint down: stop instances and remove what they left. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "base/cleanup.h"
#include "store/spares.h"

#include <errno.h>
#include <stdio.h>

static int down_record(const struct site *site, const struct record *record, const char *reason,
		       bool now, json_t *json)
{
	struct error err = {0};
	int r = now ? instance_kill(site, record->grant.id, reason, &err)
		    : instance_down(site, record->grant.id, reason, &err);

	if (r < 0)
		return report(&err);
	if (json)
		json_push(json, json_pack("{s:s, s:s}", "name", record->grant.name, "id",
					  record->grant.id));
	else
		printf("%s is gone\n", record->grant.name);
	return 0;
}

/* All are asked to stop before the first is waited for: the graces run side by side. */
static int down_records(const struct site *site, struct record **records, size_t n, const char *by,
			const struct options *options)
{
	cleanup_free char *reason = xasprintf("stopped by %s", by);
	json_t *json = options->json ? json_array() : NULL;
	bool now = options->force;
	int status = 0;

	for (size_t i = 0; n > 1 && i < n; i++)
		instance_ask(site, records[i]->grant.id, now, reason);
	for (size_t i = 0; i < n; i++) {
		int one = down_record(site, records[i], reason, now, json);

		status = status ? status : one;
	}
	if (json)
		json_print(json);
	return status;
}

static int load_named(const struct invocation *invocation, struct store *store,
		      struct record **ret_records, size_t *ret_n)
{
	int status = 0;

	for (size_t i = 0; i < invocation->n_args; i++) {
		struct error err = {0};

		if (caller_load(invocation->caller, store, invocation->args[i],
				&ret_records[*ret_n], &err) == 0)
			(*ret_n)++;
		else
			status = report(&err);
	}
	return status;
}

/* Spares are their pools', and would be started again. */
static bool is_for_all(const struct caller *caller, const struct record *record)
{
	return caller_owns(caller, record) && !spare_is_name(record->grant.name);
}

/* "--all" means all that are the caller's to end. */
static size_t keep_own(const struct caller *caller, struct record **records, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (is_for_all(caller, records[i]))
			records[kept++] = records[i];
		else
			record_free(records[i]);
	}
	return kept;
}

static int down_selected(const struct invocation *invocation, const struct site *site,
			 const char *by)
{
	/* kept to the end: what nobody has open is read as a whole by whoever opens it */
	cleanup_store struct store *store = NULL;
	struct record **records = NULL;
	struct error err = {0};
	int status = 0, r;
	size_t n = 0;

	r = store_open(site->state_path, &store, &err);
	if (r == 0 && invocation->options.all) {
		r = store_list(store, &records, &n, &err);
		n = keep_own(invocation->caller, records, n);
	} else if (r == 0) {
		records = xcalloc(invocation->n_args, sizeof(struct record *));
		status = load_named(invocation, store, records, &n);
	}
	if (r < 0)
		return report(&err);
	r = down_records(site, records, n, by, &invocation->options);
	record_list_free(records, n);
	return status ? status : r;
}

static int run_down(const struct invocation *invocation)
{
	cleanup_account struct account caller = {0};
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status;

	if (invocation->options.all == (invocation->n_args > 0)) {
		error_say(&err, ERROR_USAGE, "name instances, or give --all");
		return report(&err);
	}
	if (place_open(&site, &err) < 0 || account_of_caller(&caller, &err) < 0)
		status = report(&err);
	else
		status = down_selected(invocation, &site, caller.name);
	site_close(&site);
	return status;
}

const struct command down_command = {
	.name = "down",
	.usage = "NAME... | --all",
	.options = "all now json",
	.summary = "stop instances and remove what they left",
	.description =
		"Asks the server to stop, gives it the template's grace, kills what is left, and "
		"removes the instance: its processes, its network, its copy-on-write view. "
		"Returns when nothing is left.",
	.min_args = 0,
	.max_args = -1,
	.run = run_down,
};
