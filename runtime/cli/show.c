/* SPDX-License-Identifier: Apache-2.0 */
/* stint show: one instance in full. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/taints.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/visible.h"
#include "instance/limits.h"
#include "instance/above.h"
#include "instance/lowers.h"
#include "instance/network.h"
#include "instance/reset.h"
#include "instance/traffic.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void show_traffic(struct table *table, const struct port_counts *counts)
{
	char in[32], out[32];

	format_size(counts->in, in, sizeof(in));
	format_size(counts->out, out, sizeof(out));
	table_add(table, "");
	table_addf(table, "%" PRIu64 " connections, %" PRIu64 " now; %s in, %s out", counts->total,
		   counts->now, in, out);
}

static void show_ports(struct table *table, const struct site *site, const struct record *record)
{
	const struct grant *grant = &record->grant;
	struct counts counts;
	bool counted = traffic_read(site, record, &counts);

	for (size_t i = 0; i < grant->n_ports; i++) {
		cleanup_free char *url = port_url(&grant->ports[i]);

		table_addf(table, "port %s", grant->ports[i].name);
		table_addf(table, "%s -> %u inside", url, grant->ports[i].inside_port);
		if (counted)
			show_traffic(table, &counts.ports[i]);
	}
}

/* Adds to what json_instance has of each port. */
static void json_traffic(json_t *object, const struct site *site, const struct record *record)
{
	json_t *ports = json_object_get(object, "ports"), *port;
	struct counts counts;
	size_t i;

	if (!traffic_read(site, record, &counts))
		return;
	json_array_foreach(ports, i, port)
	{
		const struct port_counts *one = &counts.ports[i];

		json_merge(port,
			   json_pack("{s:I, s:I, s:I, s:I}", "connections", (json_int_t)one->now,
				     "connections_total", (json_int_t)one->total, "bytes_in",
				     (json_int_t)one->in, "bytes_out", (json_int_t)one->out));
	}
}

static const char *source_text(enum lease_source source)
{
	switch (source) {
	case LEASE_FROM_OPTION:
		return "set on the command line";
	case LEASE_FROM_EXTEND:
		return "set by stint extend";
	case LEASE_FROM_TEMPLATE:
		return "from the template";
	default:
		return "default";
	}
}

static void show_idle(struct table *table, const struct lease *lease, const struct use *use)
{
	char rule[32], since[32];

	format_duration(lease->idle_ns, rule, sizeof(rule));
	format_duration(use->unused_ns, since, sizeof(since));
	table_add(table, "idle");
	table_addf(table, "ends after %s without use, %s; %s%s", rule,
		   source_text(lease->idle_source), use->now ? "in use now" : "not used for ",
		   use->now ? "" : since);
}

static void show_lease(struct table *table, const struct site *site, const struct record *record,
		       const struct status *status)
{
	const struct lease *lease = &record->grant.lease;
	char moment[64], left[32], max[32];
	struct use use;

	format_moment(lease_deadline_wall_s(lease), moment, sizeof(moment));
	format_duration(lease_left_ns(lease), left, sizeof(left));
	table_add(table, "until");
	table_addf(table, "%s, in %s; %s", moment, left, source_text(lease->source));
	if (status->state == STATE_FROZEN) {
		format_duration(status->frozen_until_ns - clock_boottime_ns(), left, sizeof(left));
		table_add(table, "frozen");
		table_addf(table, "for another %s; 'stint extend %s +30m' lets it go on", left,
			   record->grant.name);
	}
	if (lease->idle_ns && traffic_use(site, record, &use))
		show_idle(table, lease, &use);
	if (!lease->max_ns)
		return;
	format_duration(lease->max_ns, max, sizeof(max));
	table_add(table, "at most");
	table_addf(table, "%s after its start", max);
}

static void json_use(json_t *object, const struct site *site, const struct record *record)
{
	struct use use;

	if (record->grant.lease.idle_ns && traffic_use(site, record, &use))
		json_put(object, "unused_seconds",
			 json_real(use.now ? 0 : (double)use.unused_ns / 1e9));
}

/* Bytes, bytes a second, thousandths of a processor, or a plain number. */
static void format_limit(const char *name, uint64_t value, char *buffer, size_t size)
{
	char bytes[32];

	format_size(value, bytes, sizeof(bytes));
	if (strcmp(name, "cpu") == 0)
		snprintf(buffer, size, "%g processors", (double)value / 1000);
	else if (strcmp(name, "pids") == 0 || strcmp(name, "files") == 0)
		snprintf(buffer, size, "%" PRIu64, value);
	else
		snprintf(buffer, size, "%s%s", bytes, strncmp(name, "io_", 3) ? "" : " a second");
}

static void show_limit(struct table *table, const struct site *site, const struct record *record,
		       const struct limit_line *line)
{
	char value[48], use[64] = "";
	uint64_t used;

	table_addf(table, "limit %s", line->name);
	if (!line->enforced) {
		format_limit(line->name, line->asked, value, sizeof(value));
		table_addf(table, "%s not enforced: %s", value, line->text);
		return;
	}
	if (limits_usage(site, record, line->name, &used)) {
		format_limit(line->name, used, value, sizeof(value));
		snprintf(use, sizeof(use), ", uses %s", value);
	}
	format_limit(line->name, line->set, value, sizeof(value));
	table_addf(table, "%s%s (%s)", value, use, line->text);
}

static void show_ids(struct table *table, const struct record *record)
{
	table_add(table, "user ids");
	if (record->id_base)
		table_addf(table, "%u to %u on the host", record->id_base,
			   record->id_base + ID_RANGE_SIZE - 1);
	else
		table_add(table, "not enforced: no user namespace; 'stint doctor' says why");
}

static void show_limits(struct table *table, const struct site *site, const struct record *record)
{
	cleanup_free struct limit_line *lines = NULL;
	size_t n;

	limits_read(site, record->grant.id, &lines, &n);
	for (size_t i = 0; i < n; i++)
		show_limit(table, site, record, &lines[i]);
}

static json_t *json_amount(const char *name, uint64_t value)
{
	if (strcmp(name, "cpu") == 0)
		return json_real((double)value / 1000);
	return json_integer((json_int_t)value);
}

static json_t *json_limits(const struct site *site, const struct record *record)
{
	cleanup_free struct limit_line *lines = NULL;
	json_t *object = json_object();
	size_t n;

	limits_read(site, record->grant.id, &lines, &n);
	for (size_t i = 0; i < n; i++) {
		const struct limit_line *line = &lines[i];
		json_t *one =
			json_pack("{s:o, s:b, s:o}", "asked", json_amount(line->name, line->asked),
				  "enforced", line->enforced, line->enforced ? "by" : "why",
				  json_text(line->text));
		uint64_t used;

		if (line->enforced)
			json_put(one, "set", json_amount(line->name, line->set));
		if (limits_usage(site, record, line->name, &used))
			json_put(one, "used", json_amount(line->name, used));
		json_put(object, line->name, one);
	}
	return object;
}

static void show_network(struct table *table, const struct record *record)
{
	struct in_addr address = {.s_addr = htonl(record->address)};
	char text[INET_ADDRSTRLEN];
	const char *link = network_link_of(record);

	inet_ntop(AF_INET, &address, text, sizeof(text));
	table_add(table, "zone");
	table_addf(table, "%s%s%s", record->zone, link ? ", link " : ", no link", link ? link : "");
	table_add(table, "address");
	table_addf(table, "%s%s%s", text, *record->address6 ? ", " : "", record->address6);
}

static void show_kept(struct table *table, const struct record *record)
{
	char moment[64];

	format_moment(record->kept_until_ns / NSEC_PER_SEC, moment, sizeof(moment));
	table_add(table, "kept until");
	table_addf(table,
		   "%s, for 'stint logs', 'stint diff' and 'stint cp'; 'stint history %s' "
		   "says why it ended",
		   moment, record->grant.name);
}

static void show_above(struct table *table, const struct record *record, size_t i)
{
	cleanup_strv char **above = above_of(record->above, i);

	for (size_t j = 0; above && above[j]; j++) {
		table_add(table, "layer");
		table_add(table, above[j]);
	}
}

static json_t *json_above(const struct record *record, size_t i)
{
	cleanup_strv char **above = above_of(record->above, i);
	json_t *list = json_array();

	for (size_t j = 0; above && above[j]; j++)
		json_push(list, json_text(above[j]));
	return list;
}

/* What it was started with beside its installs. */
static void show_with(struct table *table, const struct site *site, const struct record *record)
{
	cleanup_free char *name = instance_brought_along(site, record->grant.id);
	cleanup_text struct text shown = {0};

	if (!name)
		return;
	text_add_visible_name(&shown, strcmp(name, "-") == 0 ? "standard input" : name);
	table_add(table, "with");
	table_add(table, shown.data);
}

static void json_with(json_t *object, const struct site *site, const struct record *record)
{
	cleanup_free char *name = instance_brought_along(site, record->grant.id);

	if (name)
		json_put(object, "with", json_name(name));
}

static void show_installs(struct table *table, const struct record *record)
{
	for (size_t i = 0; record->layers && record->layers[i]; i++) {
		cleanup_free char *install = NULL;
		uint32_t generation = 0;

		table_add(table, "install");
		if (lower_name(record, i, &install, &generation) && !generation)
			table_addf(table, "%s, live, guarded, of '%s'", record->layers[i], install);
		else if (install)
			table_addf(table, "%s, generation %u of '%s'", record->layers[i],
				   generation, install);
		else
			table_add(table, record->layers[i]);
		show_above(table, record, i);
	}
}

static json_t *json_installs(const struct record *record)
{
	json_t *list = json_array();

	for (size_t i = 0; record->layers && record->layers[i]; i++) {
		cleanup_free char *install = NULL;
		uint32_t generation = 0;
		json_t *one = json_pack("{s:o}", "path", json_text(record->layers[i]));

		if (lower_name(record, i, &install, &generation))
			json_merge(one, json_pack("{s:s, s:I}", "install", install, "generation",
						  (json_int_t)generation));
		json_put(one, "layers", json_above(record, i));
		json_push(list, one);
	}
	return list;
}

static void show_reset(struct table *table, const struct site *site, const struct record *record)
{
	int64_t at = instance_reset_at(site, record->grant.id);
	char moment[64];

	if (!at)
		return;
	format_moment(at, moment, sizeof(moment));
	table_add(table, "reset");
	table_add(table, moment);
}

static void json_reset(json_t *object, const struct site *site, const struct record *record)
{
	int64_t at = instance_reset_at(site, record->grant.id);
	char moment[32];

	if (!at)
		return;
	format_rfc3339(at, moment, sizeof(moment));
	json_put(object, "reset", json_string(moment));
}

static void show_record(const struct site *site, const struct record *record,
			const struct status *status)
{
	struct table table = {.columns = 2};
	char moment[64], after[32];

	table_add(&table, "name");
	table_add(&table, record->grant.name);
	table_add(&table, "id");
	table_add(&table, record->grant.id);
	table_add(&table, "template");
	table_add(&table, record->template_name);
	table_add(&table, "owner");
	table_add(&table, record->grant.owner);
	format_moment(record->created_ns / NSEC_PER_SEC, moment, sizeof(moment));
	table_add(&table, "started");
	table_add(&table, moment);
	show_reset(&table, site, record);
	format_duration(status->ready_ns - status->started_ns, after, sizeof(after));
	table_add(&table, "state");
	table_addf(&table, "%s%s%s", instance_state_name(status->state),
		   status->ready_ns ? ", ready after " : "", status->ready_ns ? after : "");
	if (status->restarts > 0) {
		table_add(&table, "restarts");
		table_addf(&table, "%u", status->restarts);
	}
	if (record->kept_until_ns) {
		show_kept(&table, record);
	} else {
		show_ids(&table, record);
		show_lease(&table, site, record, status);
		show_network(&table, record);
		show_ports(&table, site, record);
		show_limits(&table, site, record);
	}
	show_installs(&table, record);
	show_with(&table, site, record);
	table_print(&table);
	taints_print(site, record);
}

static int run_show(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	struct status status;
	json_t *object;
	int code = 0;

	if (open_named(invocation->caller, invocation->args[0], &site, &record, &err) < 0) {
		code = report(&err);
	} else {
		instance_observe(&site, record, &status);
		if (invocation->options.json) {
			object = json_instance(record, &status);
			json_traffic(object, &site, record);
			json_use(object, &site, record);
			json_reset(object, &site, record);
			json_put(object, "limits", json_limits(&site, record));
			json_put(object, "installs", json_installs(record));
			json_with(object, &site, record);
			json_put(object, "taints", taints_json(&site, record));
			json_put(object, "plan", json_text(record->plan));
			json_print(object);
		} else {
			show_record(&site, record, &status);
		}
	}
	site_close(&site);
	return code;
}

const struct command show_command = {
	.name = "show",
	.usage = "NAME",
	.options = "json",
	.summary = "show one instance",
	.description =
		"State, deadline and who set it, published ports and what went through them, "
		"limits and install "
		"directories. For each limit it says what is set, what of it is used and what "
		"enforces it, or why nothing does (docs/limits.md). With --json also the plan "
		"it was made from.",
	.min_args = 1,
	.max_args = 1,
	.run = run_show,
};
