/* SPDX-License-Identifier: Apache-2.0 */
/* stint down: stop instances and remove what they left. */
#include "cli/commands.h"
#include "cli/output.h"
#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>

static int down_record(const struct site *site, const struct record *record, const char *by,
		       bool now)
{
	cleanup_free char *reason = xasprintf("stopped by %s", by);
	struct error err = {0};
	int r = now ? instance_kill(site, record->grant.id, reason, &err)
		    : instance_down(site, record->grant.id, reason, &err);

	if (r < 0)
		return report(&err);
	printf("%s is gone\n", record->grant.name);
	return 0;
}

static int down_all(const struct site *site, struct store *store, const char *by, bool now)
{
	struct record **records;
	struct error err = {0};
	size_t n;
	int status = 0;

	if (store_list(store, &records, &n, &err) < 0)
		return report(&err);
	for (size_t i = 0; i < n; i++) {
		int one = down_record(site, records[i], by, now);

		status = status ? status : one;
	}
	record_list_free(records, n);
	return status;
}

static int down_named(const struct invocation *invocation, const struct site *site,
		      struct store *store, const char *by)
{
	int status = 0;

	for (size_t i = 0; i < invocation->n_args; i++) {
		cleanup_record struct record *record = NULL;
		struct error err = {0};
		int one;

		if (store_load(store, invocation->args[i], &record, &err) < 0)
			one = report(&err);
		else
			one = down_record(site, record, by, invocation->options.force);
		status = status ? status : one;
	}
	return status;
}

static int run_down(const struct invocation *invocation)
{
	cleanup_store struct store *store = NULL;
	cleanup_account struct account caller = {0};
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status;

	if (invocation->options.all == (invocation->n_args > 0)) {
		error_say(&err, ERROR_USAGE, "name instances, or give --all");
		return report(&err);
	}
	if (site_open(&site, &err) < 0 || account_of_caller(&caller, &err) < 0 ||
	    store_open(site.state_path, &store, &err) < 0)
		status = report(&err);
	else if (invocation->options.all)
		status = down_all(&site, store, caller.name, invocation->options.force);
	else
		status = down_named(invocation, &site, store, caller.name);
	site_close(&site);
	return status;
}

const struct command down_command = {
	.name = "down",
	.usage = "NAME... | --all",
	.options = "all now",
	.summary = "stop instances and remove what they left",
	.description =
		"Asks the server to stop, gives it the template's grace, kills what is left, and "
		"removes the instance: its processes, its network, its copy-on-write view. "
		"Returns when nothing is left.",
	.min_args = 0,
	.max_args = -1,
	.run = run_down,
};
