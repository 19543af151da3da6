/* SPDX-License-Identifier: Apache-2.0 */
/* What commands print; see output.h. */
#include "cli/output.h"
#include "cli/command.h"
#include "cli/place.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/visible.h"
#include "base/text.h"
#include "install/compare.h"
#include "templates/template.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

void report_note(const char *format, ...)
{
	cleanup_text struct text shown = {0};
	char *words = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&words, format, args) < 0)
		words = NULL;
	va_end(args);
	text_add_visible_words(&shown, words ? words : "out of memory");
	free(words);
	fprintf(stderr, "stint: %s\n", shown.data ? shown.data : "");
}

int report(const struct error *err)
{
	fflush(stdout);
	report_note("%s", err->text);
	/* by Ctrl-C, or somebody who sent a signal in its place */
	if (err->code == -ECANCELED)
		return 128 + SIGINT;
	return err->kind ? (int)err->kind : ERROR_FAILED;
}

char *port_url(const struct published_port *port)
{
	bool v6 = strchr(port->host_address, ':');

	return xasprintf("%s://%s%s%s:%u", port->scheme, v6 ? "[" : "", port->host_address,
			 v6 ? "]" : "", port->host_port);
}

void format_moment(int64_t seconds, char *buffer, size_t size)
{
	time_t when = (time_t)seconds, now = time(NULL);
	struct tm then, today;

	localtime_r(&when, &then);
	localtime_r(&now, &today);
	if (then.tm_yday == today.tm_yday && then.tm_year == today.tm_year)
		strftime(buffer, size, "%H:%M:%S", &then);
	else
		strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &then);
}

void format_rfc3339(int64_t seconds, char *buffer, size_t size)
{
	time_t when = (time_t)seconds;
	struct tm tm;

	gmtime_r(&when, &tm);
	strftime(buffer, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

json_t *json_ports(const struct grant *grant)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < grant->n_ports; i++) {
		const struct published_port *port = &grant->ports[i];
		cleanup_free char *url = port_url(port);

		json_push(ports,
			  json_pack("{s:s, s:s, s:s, s:i, s:i}", "name", port->name, "url", url,
				    "address", port->host_address, "port", (int)port->host_port,
				    "inside_port", (int)port->inside_port));
	}
	return ports;
}

static const char *source_name(enum lease_source source)
{
	static const char *const names[] = {
		[LEASE_FROM_BUILTIN] = "default",
		[LEASE_FROM_TEMPLATE] = "template",
		[LEASE_FROM_OPTION] = "option",
		[LEASE_FROM_EXTEND] = "extend",
	};

	return (size_t)source < ARRAY_SIZE(names) ? names[source] : "unknown";
}

static void set_moment(json_t *object, const char *key, int64_t seconds)
{
	char text[32];

	format_rfc3339(seconds, text, sizeof(text));
	json_put(object, key, json_string(text));
}

json_t *json_instance(const struct record *record, const struct status *status)
{
	const struct grant *grant = &record->grant;
	struct in_addr address = {.s_addr = htonl(record->address)};
	char text[INET_ADDRSTRLEN];
	json_t *object;

	inet_ntop(AF_INET, &address, text, sizeof(text));
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:o}", "name", grant->name, "id",
			   grant->id, "template", record->template_name, "state",
			   instance_state_name(status->state), "owner", grant->owner, "owner_uid",
			   (int)grant->owner_uid, "address", text, "ports", json_ports(grant));
	set_moment(object, "created", record->created_ns / NSEC_PER_SEC);
	set_moment(object, "deadline", lease_deadline_wall_s(&grant->lease));
	json_put(object, "deadline_set_by", json_string(source_name(grant->lease.source)));
	if (grant->lease.idle_ns)
		json_merge(object, json_pack("{s:f, s:s}", "idle_seconds",
					     (double)grant->lease.idle_ns / 1e9, "idle_set_by",
					     source_name(grant->lease.idle_source)));
	if (status->frozen_until_ns)
		set_moment(object, "frozen_until",
			   (clock_wall_ns() + status->frozen_until_ns - clock_boottime_ns()) /
				   NSEC_PER_SEC);
	if (record->kept_until_ns)
		set_moment(object, "kept_until", record->kept_until_ns / NSEC_PER_SEC);
	json_put(object, "warned", json_boolean(status->warned_ns));
	json_put(object, "left_seconds", json_real((double)lease_left_ns(&grant->lease) / 1e9));
	if (status->ready_ns)
		json_put(object, "ready_after_seconds",
			 json_real((double)(status->ready_ns - status->started_ns) / 1e9));
	json_put(object, "restarts", json_integer(status->restarts));
	json_put(object, "tainted", json_integer(record->tainted));
	json_put(object, "zone", json_string(record->zone));
	json_put(object, "address6",
		 *record->address6 ? json_string(record->address6) : json_null());
	json_put(object, "id_base", record->id_base ? json_integer(record->id_base) : json_null());
	return object;
}

char change_letter(unsigned kind)
{
	static const char letters[] = {
		[CHANGE_ADDED] = 'A', [CHANGE_REMOVED] = 'D', [CHANGE_CHANGED] = 'C'};

	if (kind >= ARRAY_SIZE(letters))
		return '?';
	return letters[kind];
}

json_t *json_change(unsigned kind, const char *path)
{
	static const char *const words[] = {[CHANGE_ADDED] = "added",
					    [CHANGE_REMOVED] = "removed",
					    [CHANGE_CHANGED] = "changed"};

	return json_pack("{s:s, s:o}", "change", kind < ARRAY_SIZE(words) ? words[kind] : "?",
			 "path", json_name(path));
}

void table_add(struct table *table, const char *cell)
{
	struct text shown = {0};

	text_add_visible_words(&shown, cell);
	table->cells = xrealloc(table->cells, table->n + 1, sizeof(char *));
	table->cells[table->n++] = text_take(&shown);
}

void table_addf(struct table *table, const char *format, ...)
{
	char cell[512];
	va_list args;

	va_start(args, format);
	vsnprintf(cell, sizeof(cell), format, args);
	va_end(args);
	table_add(table, cell);
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < table->n; i += table->columns)
		if (strlen(table->cells[i]) > width)
			width = strlen(table->cells[i]);
	return width;
}

static size_t line_width(void)
{
	struct winsize size;

	if (ioctl(1, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}

/* What does not fit stands on lines of its own below, in the last column. */
static void print_words(const char *cell, size_t indent, size_t width)
{
	size_t room = width > indent + 16 ? width - indent : 16;

	while (strlen(cell) > room) {
		size_t cut = room;

		while (cut > 0 && cell[cut] != ' ')
			cut--;
		if (cut == 0)
			cut = strcspn(cell, " ");
		if (!cell[cut])
			break;
		printf("%.*s\n%*s", (int)cut, cell, (int)indent, "");
		cell += cut;
		cell += strspn(cell, " ");
	}
	puts(cell);
}

static void print_last(const char *cell, size_t indent, size_t width)
{
	/* a word that does not fit beside the other columns begins a line of its own */
	if (strcspn(cell, " ") > 16 && indent + strcspn(cell, " ") > width) {
		indent = 4;
		printf("\n%*s", (int)indent, "");
	}
	print_words(cell, indent, width);
}

void table_print(struct table *table)
{
	size_t width = line_width();
	cleanup_free size_t *columns = xcalloc(table->columns, sizeof(*columns));

	for (size_t c = 0; c + 1 < table->columns; c++)
		columns[c] = column_width(table, c) + 2;
	for (size_t row = 0; row + table->columns <= table->n; row += table->columns) {
		size_t indent = 0;

		for (size_t c = 0; c + 1 < table->columns; c++) {
			printf("%-*s", (int)columns[c], table->cells[row + c]);
			indent += columns[c];
		}
		print_last(table->cells[row + table->columns - 1], indent, width);
	}
	for (size_t i = 0; i < table->n; i++)
		free(table->cells[i]);
	free(table->cells);
	table->cells = NULL;
	table->n = 0;
}

int open_named(const struct caller *caller, const char *name, struct site *ret_site,
	       struct record **ret_record, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = place_open_to_look(ret_site, err);

	if (r == 0)
		r = site_open_store_to_read(ret_site, &store, err);
	return r < 0 ? r : caller_load(caller, store, name, ret_record, err);
}

int check_not_kept(const struct record *record, struct error *err)
{
	const char *name = record->grant.name;

	if (!record->kept_until_ns)
		return 0;
	return error_say(err, ERROR_REFUSED,
			 "'%s' has ended and is kept: its log and files are there (stint logs, "
			 "diff, cp), and 'stint down %s' removes it",
			 name, name);
}

int open_running(const struct caller *caller, const char *name, struct site *ret_site,
		 struct record **ret_record, struct error *err)
{
	int r = open_named(caller, name, ret_site, ret_record, err);

	return r < 0 ? r : check_not_kept(*ret_record, err);
}

int plan_of_record(const struct record *record, struct plan **ret_plan, struct error *err)
{
	const struct template_options options = {0};

	return template_compile_text("plan", record->plan, strlen(record->plan), &options, ret_plan,
				     err);
}
