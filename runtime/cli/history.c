/* SPDX-License-Identifier: Apache-2.0 */
/* stint history: how instances ended, and what they came to. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 50

static void print_table(const struct history_entry *entries, size_t n)
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

static const char *or_unknown(const char *text)
{
	return text ? text : "unknown";
}

/* The size as text, or "unknown". */
static const char *size_text(int64_t bytes, char buffer[32])
{
	if (bytes < 0)
		return "unknown";
	format_size((uint64_t)bytes, buffer, 32);
	return buffer;
}

static const char *duration_text(int64_t ns, char buffer[32])
{
	if (ns < 0)
		return "unknown";
	format_duration(ns, buffer, 32);
	return buffer;
}

static void add_moments(struct table *table, const struct history_entry *e)
{
	char moment[64], length[32];

	format_moment(e->created_ns / NSEC_PER_SEC, moment, sizeof(moment));
	table_add(table, "started");
	if (e->ending.usage.ready_after_ns >= 0)
		table_addf(table, "%s, ready after %s", moment,
			   duration_text(e->ending.usage.ready_after_ns, length));
	else
		table_add(table, moment);
	format_moment(e->ending.ended_ns / NSEC_PER_SEC, moment, sizeof(moment));
	format_duration(e->ending.ended_ns - e->created_ns, length, sizeof(length));
	table_add(table, "ended");
	table_addf(table, "%s, after %s", moment, length);
}

static void add_exit(struct table *table, const struct ending *ending)
{
	const char *name = sigabbrev_np(ending->exit_signal);

	if (ending->exit_status >= 0) {
		table_add(table, "status");
		table_addf(table, "%d", ending->exit_status);
	} else if (ending->exit_signal) {
		table_add(table, "signal");
		table_addf(table, "%d%s%s", ending->exit_signal, name ? ", SIG" : "",
			   name ? name : "");
	}
}

static void add_usage(struct table *table, const struct usage *u)
{
	char one[32], other[32];

	table_add(table, "memory");
	table_addf(table, "%s%s", size_text(u->memory_bytes, one),
		   u->memory_bytes >= 0 ? " at most" : "");
	table_add(table, "cpu time");
	table_add(table, duration_text(u->cpu_ns, one));
	table_add(table, "written");
	table_addf(table, "%s left at its end", size_text(u->disk_bytes, one));
	if (u->io_bytes >= 0) {
		table_add(table, "");
		table_addf(table, "%s to disks (%s)", size_text(u->io_bytes, one), u->io_by);
	}
	table_add(table, "ports");
	if (u->connections >= 0)
		table_addf(table, "%" PRId64 " connection%s; %s in, %s out", u->connections,
			   plural((uint64_t)u->connections), size_text(u->bytes_in, one),
			   size_text(u->bytes_out, other));
	else
		table_add(table, "unknown");
	if (u->restarts != 0) {
		table_add(table, "restarts");
		if (u->restarts > 0)
			table_addf(table, "%" PRId64, u->restarts);
		else
			table_add(table, "unknown");
	}
}

/* It is fit for a terminal already. */
static void print_log(const char *log)
{
	while (log && *log) {
		int length = (int)strcspn(log, "\n");

		printf("  | %.*s\n", length, log);
		log += length + (log[length] == '\n');
	}
}

static void print_entry(const struct history_entry *e)
{
	const char *const words[][2] = {
		{"name", e->name},
		{"id", e->id},
		{"template", or_unknown(e->template_name)},
		{"owner", or_unknown(e->owner)},
		{"zone", or_unknown(e->zone)},
	};
	struct table table = {.columns = 2};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		table_add(&table, words[i][0]);
		table_add(&table, words[i][1]);
	}
	add_moments(&table, e);
	table_add(&table, "reason");
	table_add(&table, e->ending.reason);
	add_exit(&table, &e->ending);
	add_usage(&table, &e->ending.usage);
	table_print(&table);
	print_log(e->ending.usage.log);
}

static json_t *json_number(int64_t number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *json_seconds(int64_t ns)
{
	return ns < 0 ? json_null() : json_real((double)ns / 1e9);
}

static json_t *json_entry(const struct history_entry *e)
{
	const struct usage *u = &e->ending.usage;
	char started[32], ended[32];
	json_t *object;

	format_rfc3339(e->created_ns / NSEC_PER_SEC, started, sizeof(started));
	format_rfc3339(e->ending.ended_ns / NSEC_PER_SEC, ended, sizeof(ended));
	object = json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:o}", "name", e->name, "id", e->id,
			   "template", json_text(e->template_name), "owner", json_text(e->owner),
			   "zone", json_text(e->zone), "created", started, "ended", ended, "reason",
			   json_text(e->ending.reason));
	json_merge(object,
		   json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			     "exit_status", json_number(e->ending.exit_status), "exit_signal",
			     json_number(e->ending.exit_signal ? e->ending.exit_signal : -1),
			     "ready_after_seconds", json_seconds(u->ready_after_ns), "restarts",
			     json_number(u->restarts), "memory_peak_bytes",
			     json_number(u->memory_bytes), "cpu_seconds", json_seconds(u->cpu_ns),
			     "disk_bytes", json_number(u->disk_bytes), "io_written_bytes",
			     json_number(u->io_bytes), "io_counted_by",
			     json_text(*u->io_by ? u->io_by : NULL), "connections_total",
			     json_number(u->connections), "bytes_in", json_number(u->bytes_in),
			     "bytes_out", json_number(u->bytes_out), "log", json_text(u->log)));
	return object;
}

struct wish {
	const char *name; /* or id; NULL: all */
	bool in_full;
	size_t last;
};

static int read_wish(const struct invocation *invocation, struct wish *ret_wish, struct error *err)
{
	const struct options *o = &invocation->options;
	uint64_t last;

	ret_wish->name = invocation->n_args ? invocation->args[0] : NULL;
	ret_wish->in_full = o->in_full || ret_wish->name;
	/* of one name the newest is what is meant, but a program gets them all */
	last = ret_wish->name && !o->in_full && !o->json ? 1 : SHOWN;
	if (o->last && parse_number(o->last, UINT32_MAX, &last) < 0)
		return error_say(err, ERROR_USAGE, "'%s' is no number of instances", o->last);
	ret_wish->last = (size_t)last;
	return 0;
}

static void print_entries(const struct wish *wish, const struct history_entry *entries, size_t n)
{
	size_t shown = n < wish->last ? n : wish->last;

	if (n == 0)
		puts("no instance has ended yet");
	else if (!wish->in_full)
		print_table(entries, shown);
	for (size_t i = 0; wish->in_full && i < shown; i++) {
		if (i > 0)
			putchar('\n');
		print_entry(&entries[i]);
	}
	if (wish->name && n > shown && shown > 0)
		printf("older ones: stint history %s --long\n", wish->name);
}

static void print_json(const struct wish *wish, const struct history_entry *entries, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n && i < wish->last; i++)
		json_push(list, json_entry(&entries[i]));
	json_print(list);
}

static int say_none(const struct caller *caller, struct store *store, const char *name,
		    struct error *err)
{
	cleanup_record struct record *record = NULL;

	if (caller_load(caller, store, name, &record, NULL) == 0)
		return error_say(err, ERROR_NOT_FOUND,
				 "'%s' has not ended, nor has one of that name before; see "
				 "'stint show %s'",
				 name, name);
	return error_say(err, ERROR_NOT_FOUND, "no instance '%s'%s has ended", name,
			 caller->restricted ? " of yours" : "");
}

static int show(const struct invocation *invocation, struct store *store, struct error *err)
{
	const struct caller *caller = invocation->caller;
	struct history_entry *entries = NULL;
	struct wish wish = {0};
	size_t n = 0;
	int r = read_wish(invocation, &wish, err);

	/* one more than is shown: whether there are older ones */
	if (r == 0)
		r = store_history(store, wish.name, caller->restricted ? &caller->uid : NULL,
				  wish.last + 1, &entries, &n, err);
	if (r < 0)
		return r;
	if (invocation->options.json)
		print_json(&wish, entries, n);
	else if (n > 0 || !wish.name)
		print_entries(&wish, entries, n);
	history_free(entries, n);
	return n == 0 && wish.name ? say_none(caller, store, wish.name, err) : 0;
}

static int prune(const struct invocation *invocation, struct store *store, struct error *err)
{
	const struct options *o = &invocation->options;
	uint64_t keep = SIZE_MAX;
	int64_t age_ns = -1;
	size_t removed = 0;
	int r;

	if (invocation->n_args || (!o->older_than && !o->keep))
		return error_say(err, ERROR_USAGE,
				 "say what is to go: --prune --older-than 30d, or --keep 100, of "
				 "all names");
	r = o->older_than ? parse_duration(o->older_than, &age_ns) : 0;
	if (r < 0)
		return wish_refuse_duration("older-than", o->older_than, r, "12h or 30d", err);
	if (o->keep && parse_number(o->keep, UINT32_MAX, &keep) < 0)
		return error_say(err, ERROR_USAGE, "'%s' is no number of instances", o->keep);
	r = store_prune(store, age_ns < 0 ? INT64_MIN : clock_wall_ns() - age_ns, (size_t)keep,
			&removed, err);
	if (r < 0)
		return r;
	if (o->json)
		return json_print(json_pack("{s:I}", "removed", (json_int_t)removed));
	printf("%zu removed\n", removed);
	return 0;
}

static int run_history(const struct invocation *invocation)
{
	const struct options *o = &invocation->options;
	cleanup_store struct store *store = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int r = 0;

	if (!o->prune && (o->older_than || o->keep))
		r = error_say(&err, ERROR_USAGE, "--older-than and --keep go with --prune");
	if (r == 0)
		r = o->prune ? place_open(&site, &err) : place_open_to_look(&site, &err);
	if (r == 0)
		r = site_open_store_to_read(&site, &store, &err);
	if (r == 0)
		r = o->prune ? prune(invocation, store, &err) : show(invocation, store, &err);
	site_close(&site);
	return r < 0 ? report(&err) : 0;
}

const struct command history_command = {
	.name = "history",
	.usage = "[NAME|ID] [OPTION...]",
	.options = "last long json prune older-than keep",
	.summary = "show how instances ended, and what they came to",
	.description =
		"The newest fifty instances that have ended, with the reason of each end. With a "
		"NAME the newest of that name in full: who started it from which template, how "
		"long it took to get ready, why it ended, how much memory and processor time it "
		"used, what it had written, what went through its ports, and its last lines. What "
		"nobody could tell, after a keeper was killed for example, is unknown, in JSON "
		"null. The newest 10,000 are kept; --prune removes more of them.",
	.max_args = 1,
	.run = run_history,
};
