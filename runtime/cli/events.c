/* SPDX-License-Identifier: Apache-2.0 */
/* stint events: what happens to the instances of this host. */
#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/output.h"
#include "cli/place.h"
#include "base/cleanup.h"
#include "base/visible.h"
#include "instance/events.h"

#include <stdio.h>
#include <string.h>

struct printer {
	const struct invocation *invocation;
	const struct site *site;
	const char *wanted; /* name or id; NULL: all */
	struct event_subject *subjects;
	size_t n_subjects;
	uint64_t skip; /* how many of those that would be printed are not, for --lines */
	uint64_t seen;
	bool count_only;
};

static const struct event_subject *find(const struct printer *printer, const char *id)
{
	for (size_t i = printer->n_subjects; i-- > 0;)
		if (strcmp(printer->subjects[i].id, id) == 0)
			return &printer->subjects[i];
	return NULL;
}

static const struct event_subject *remember(struct printer *printer,
					    const struct event_subject *subject)
{
	printer->subjects =
		xrealloc(printer->subjects, printer->n_subjects + 1, sizeof(*printer->subjects));
	printer->subjects[printer->n_subjects] = *subject;
	return &printer->subjects[printer->n_subjects++];
}

/* The first event of an instance may be gone from the file: then its record, or its end, tells. */
static void look_up(const struct printer *printer, struct event_subject *subject)
{
	const struct caller *caller = printer->invocation->caller;
	cleanup_store struct store *store = NULL;
	cleanup_record struct record *record = NULL;
	struct history_entry *entries = NULL;
	size_t n = 0;

	if (site_open_store_to_read(printer->site, &store, NULL) < 0)
		return;
	if (store_load_id(store, subject->id, &record, NULL) == 0) {
		snprintf(subject->name, sizeof(subject->name), "%s", record->grant.name);
		subject->owner = record->grant.owner_uid;
	} else if (store_history(store, subject->id, caller->restricted ? &caller->uid : NULL, 1,
				 &entries, &n, NULL) == 0 &&
		   n > 0) {
		snprintf(subject->name, sizeof(subject->name), "%s", entries[0].name);
		subject->owner = caller->uid;
	}
	history_free(entries, n);
}

static const struct event_subject *subject_of(struct printer *printer, const struct event *event)
{
	struct event_subject subject = {.owner = (uid_t)-1};
	const struct event_subject *found;

	if (event_parse_created(event, &subject))
		return remember(printer, &subject);
	found = find(printer, event->id);
	if (found)
		return found;
	memcpy(subject.id, event->id, sizeof(subject.id));
	look_up(printer, &subject);
	return remember(printer, &subject);
}

static bool is_wanted(const struct printer *printer, const struct event_subject *subject)
{
	const struct caller *caller = printer->invocation->caller;

	if (caller->restricted && (!subject || subject->owner != caller->uid))
		return false;
	if (!printer->wanted)
		return true;
	return subject && (strcmp(subject->name, printer->wanted) == 0 ||
			   strcmp(subject->id, printer->wanted) == 0);
}

/* Of the first event, name and owner are fields of their own. */
static const char *detail_of(const struct event *event, size_t *ret_length)
{
	const char *detail = event->detail;
	size_t length = event->detail_length;

	for (int word = 0; word < 2 && strcmp(event->kind, "created") == 0; word++) {
		const char *blank = memchr(detail, ' ', length);

		if (!blank)
			break;
		length -= (size_t)(blank + 1 - detail);
		detail = blank + 1;
	}
	*ret_length = length;
	return detail;
}

static void print_json(const struct event *event, const struct event_subject *subject,
		       const char *detail)
{
	const char *name = subject && *subject->name ? subject->name : NULL;
	char moment[32];
	json_t *object;

	format_rfc3339(event->time_us / 1000000, moment, sizeof(moment));
	snprintf(moment + strlen(moment) - 1, 8, ".%03dZ", (int)(event->time_us / 1000 % 1000));
	object = json_pack("{s:s, s:o, s:s?, s:s?, s:s}", "time", moment, "event",
			   json_text(event->kind), "name", name, "id",
			   *event->id ? event->id : NULL, "detail", detail);
	json_print_line(object);
}

static void print_words(const struct event *event, const struct event_subject *subject,
			const char *detail)
{
	const char *name = subject && *subject->name ? subject->name : event->id;
	char moment[64];

	format_moment(event->time_us / 1000000, moment, sizeof(moment));
	name = *name ? name : "-";
	if (*detail)
		printf("%s  %-16s  %-12s  %s\n", moment, name, event->kind, detail);
	else
		printf("%s  %-16s  %s\n", moment, name, event->kind);
}

static void take(const struct log_record *record, void *data)
{
	struct printer *printer = data;
	const struct event_subject *subject;
	cleanup_text struct text detail = {0};
	struct event event;
	const char *text;
	size_t length;

	if (!event_parse(record, &event))
		return;
	subject = *event.id ? subject_of(printer, &event) : NULL;
	if (!is_wanted(printer, subject) || printer->seen++ < printer->skip || printer->count_only)
		return;
	text = detail_of(&event, &length);
	text_add_visible(&detail, text, length);
	if (printer->invocation->options.json)
		print_json(&event, subject, detail.data ? detail.data : "");
	else
		print_words(&event, subject, detail.data ? detail.data : "");
}

static int read_some(struct printer *printer, struct log_reader *reader, struct error *err)
{
	int r = log_read(reader, take, printer);

	if (r < 0)
		return error_set(err, -r, "cannot read the events");
	/* nobody reads them any more */
	return fflush(stdout) == 0 ? 1 : 0;
}

/* Of the wanted ones only the last are printed: they are counted first. */
static int skip_to_last(struct printer *printer, struct log_reader *reader, const char *lines,
			struct error *err)
{
	struct log_reader ahead = *reader;
	uint64_t last;
	int r;

	if (parse_number(lines, UINT32_MAX, &last) < 0)
		return error_say(err, ERROR_USAGE, "'%s' is no number of lines", lines);
	printer->count_only = true;
	r = read_some(printer, &ahead, err);
	printer->count_only = false;
	printer->skip = printer->seen > last ? printer->seen - last : 0;
	printer->seen = 0;
	return r < 0 ? r : 0;
}

/* The watch begins before the first look. */
static int print_events(struct printer *printer, struct log_reader *reader, struct error *err)
{
	const struct options *o = &printer->invocation->options;
	cleanup_fd int watch = o->follow ? follow_watch(reader, err) : -1;
	int r = o->follow && watch < 0 ? watch : 0;

	if (r == 0 && o->lines)
		r = skip_to_last(printer, reader, o->lines, err);
	if (r < 0)
		return r;
	do
		r = read_some(printer, reader, err);
	while (r > 0 && o->follow && follow_wait(watch));
	return r < 0 ? r : 0;
}

static int run_events(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct log_reader reader = {.fd = -1};
	struct printer printer = {
		.invocation = invocation,
		.site = &site,
		.wanted = invocation->n_args ? invocation->args[0] : NULL,
	};
	struct error err = {0};
	int r = place_open_to_look(&site, &err);

	if (r == 0) {
		r = events_open(&site, &reader);
		if (r < 0)
			error_set(&err, -r, "cannot open '%s/" EVENTS_FILE_NAME "'", site.run_path);
	}
	if (r == 0)
		r = print_events(&printer, &reader, &err);
	log_close(&reader);
	free(printer.subjects);
	site_close(&site);
	return r < 0 ? report(&err) : 0;
}

const struct command events_command = {
	.name = "events",
	.usage = "[NAME|ID] [OPTION...]",
	.options = "follow lines json",
	.summary = "what happens to instances",
	.description =
		"When instances were created, their servers started, ready, started again or told "
		"to stop, leases changed, and how they ended; what was swept, and changes of "
		"zones. With --follow it goes on until it is interrupted; with --json each event "
		"is an object on a line of its own. The newest few thousand since the host's last "
		"start are kept.",
	.max_args = 1,
	.run = run_events,
};
