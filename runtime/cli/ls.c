/* SPDX-License-Identifier: Apache-2.0 */
/* stint ls: the instances of this host. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "base/cleanup.h"
#include "instance/guard.h"
#include "instance/sweep.h"

#include <stdio.h>
#include <string.h>

#define TAINTED_NAMES_MAX 5

static char *ports_text(const struct grant *grant)
{
	struct text text = {0};

	for (size_t i = 0; i < grant->n_ports; i++) {
		const struct published_port *port = &grant->ports[i];

		bool v6 = strchr(port->host_address, ':');

		text_addf(&text, "%s%s%s%s:%u/%s", i ? " " : "", v6 ? "[" : "", port->host_address,
			  v6 ? "]" : "", port->host_port, port->name);
	}
	if (grant->n_ports == 0)
		text_add(&text, "-");
	return text_take(&text);
}

static void add_row(struct table *table, const struct record *record, const struct status *status)
{
	cleanup_free char *ports = ports_text(&record->grant);
	char left[32];

	format_duration(instance_left_ns(record, status), left, sizeof(left));
	table_add(table, record->grant.name);
	table_add(table, record->template_name);
	table_addf(table, "%s%s", instance_state_name(status->state), record->tainted ? "!" : "");
	table_add(table, record->grant.owner);
	table_add(table, left);
	table_add(table, ports);
}

/* Of other people's instances a restricted caller sees that the name is taken. */
static void add_foreign_row(struct table *table, const struct record *record)
{
	table_add(table, record->grant.name);
	for (size_t i = 1; i < table->columns; i++)
		table_add(table, "-");
}

#define MORE_NS (30 * 60 * NSEC_PER_SEC) /* what is proposed */

/* What has been warned. */
struct soon {
	struct text names;
	bool idle;
	bool extendable; /* one of them at least may have more time */
};

static void add_soon(struct soon *soon, const struct record *record, const struct status *status)
{
	struct lease longer;

	if (!status->warned_ns)
		return;
	text_addf(&soon->names, "%s%s", soon->names.length ? ", " : "", record->grant.name);
	soon->idle |= record->grant.lease.idle_ns != 0;
	soon->extendable |= lease_extend(&record->grant.lease, record->created_ns, MORE_NS, 0,
					 &longer, NULL) == 0;
}

/* Below the list, with what helps. */
static void print_soon(const struct soon *soon)
{
	const char *help = "no lease of theirs may be longer";

	if (soon->extendable)
		help = soon->idle ? "'stint extend NAME +30m' or 'stint touch NAME' helps"
				  : "'stint extend NAME +30m' gives more time";
	else if (soon->idle)
		help = "'stint touch NAME' helps where nobody used it";
	if (soon->names.length)
		printf("\nsoon over: %s; %s\n", soon->names.data, help);
}

/* What the mark says, and what helps. */
static void print_tainted(const struct caller *caller, struct record **records, size_t n)
{
	size_t tainted = 0;

	for (size_t i = 0; i < n; i++) {
		if (!records[i]->tainted || !caller_owns(caller, records[i]))
			continue;
		if (++tainted <= TAINTED_NAMES_MAX)
			printf("%s%s",
			       tainted > 1 ? ", " : "\n! changed below: ", records[i]->grant.name);
	}
	if (tainted > TAINTED_NAMES_MAX)
		printf(" and %zu more", tainted - TAINTED_NAMES_MAX);
	if (tainted)
		puts("\n  'stint show NAME' says what, 'stint install adopt' keeps the next from "
		     "it");
}

static void print_table(const struct caller *caller, const struct site *site,
			struct record **records, size_t n)
{
	static const char *const heads[] = {"NAME", "TEMPLATE", "STATE", "OWNER", "LEFT", "PORTS"};
	struct table table = {.columns = ARRAY_SIZE(heads)};
	struct soon soon = {.idle = false};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = 0; i < n; i++) {
		struct status status;

		if (!caller_owns(caller, records[i])) {
			add_foreign_row(&table, records[i]);
			continue;
		}
		instance_observe(site, records[i], &status);
		add_row(&table, records[i], &status);
		add_soon(&soon, records[i], &status);
	}
	table_print(&table);
	print_tainted(caller, records, n);
	print_soon(&soon);
	text_deinit(&soon.names);
}

static void print_names(struct record **records, size_t n)
{
	for (size_t i = 0; i < n; i++)
		puts(records[i]->grant.name);
}

static int print_json(const struct caller *caller, const struct site *site, struct record **records,
		      size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		struct status status;

		if (!caller_owns(caller, records[i])) {
			json_push(list, json_pack("{s:s}", "name", records[i]->grant.name));
			continue;
		}
		instance_observe(site, records[i], &status);
		json_push(list, json_instance(records[i], &status));
	}
	return json_print(list);
}

/* Also what is in files, where somebody asked for that (stint install live --hash). */
static int check_all(const struct site *site, struct error *err)
{
	struct progress progress = {0};
	const struct hashing hashing = {.cancel = -1, .tell = progress_of_tree, .data = &progress};
	int r = guard_look_at_all(site, &hashing, err);

	progress_clear(&progress);
	return r;
}

static int load_all(struct site *site, bool check, struct record ***ret_records, size_t *ret_n,
		    struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct sweep_result swept;
	int r = check ? place_open(site, err) : place_open_to_look(site, err);

	if (r == 0 && !site->read_only)
		r = site_sweep(site, false, &swept, err);
	if (r == 0 && check)
		r = check_all(site, err);
	if (r == 0)
		r = site_open_store_to_read(site, &store, err);
	return r < 0 ? r : store_list(store, ret_records, ret_n, err);
}

/* What has ended and is kept is no instance to most who ask. */
static size_t leave_out_kept(struct record **records, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		if (records[i]->kept_until_ns)
			record_free(records[i]);
		else
			records[left++] = records[i];
	}
	return left;
}

static int run_ls(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct record **records = NULL;
	struct error err = {0};
	size_t n = 0;
	int status = 0;

	if (load_all(&site, invocation->options.check, &records, &n, &err) < 0)
		status = report(&err);
	else if (!invocation->options.all)
		n = leave_out_kept(records, n);
	if (status)
		; /* it was said */
	else if (invocation->options.json)
		status = print_json(invocation->caller, &site, records, n);
	else if (invocation->options.quiet)
		print_names(records, n);
	else if (n > 0)
		print_table(invocation->caller, &site, records, n);
	else
		puts("no instances");
	record_list_free(records, n);
	site_close(&site);
	return status;
}

const struct command ls_command = {
	.name = "ls",
	.usage = "[OPTION...]",
	.options = "all quiet check json",
	.summary = "list the instances of this host",
	.description = "Name, template, state, owner, time left and published ports of each "
		       "instance, oldest first; with --all also of what has failed and is kept for "
		       "a time. A \"!\" behind the state says that files of a live install changed "
		       "below it (stint install live); with --check that is looked at first, "
		       "and what is in the files is read where it is known by --hash. "
		       "Members of the group stint see nothing but the "
		       "names of other people's.",
	.max_args = 0,
	.run = run_ls,
};
