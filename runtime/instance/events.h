/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to instances: telling it, and reading what was told (keeper/events.h). */
#ifndef INSTANCE_EVENTS_H
#define INSTANCE_EVENTS_H

#include "instance/log.h"
#include "keeper/events.h"

/* id NULL: of no instance. */
void events_add(const struct site *site, const char *id, const char *event, const char *detail);

/* The instance has a record now: what readers want to know of it later stands in this one. */
void events_add_created(const struct site *site, const struct record *record);

/* Of an instance, from its first event. */
struct event_subject {
	char id[INSTANCE_ID_LENGTH + 1];
	char name[INSTANCE_NAME_MAX + 1];
	uid_t owner;
};

struct event {
	int64_t time_us;
	char id[INSTANCE_ID_LENGTH + 1]; /* "": of no instance */
	char kind[24];			 /* "created", "ready", ... */
	const char *detail;
	size_t detail_length;
};

/* False when the record is no event. detail points into the record. */
bool event_parse(const struct log_record *record, struct event *ret_event);

/* False unless the event is the first one of an instance. */
bool event_parse_created(const struct event *event, struct event_subject *ret_subject);

/* A reader of all that is kept, for log_skip_to_last, log_read and log_close. */
int events_open(const struct site *site, struct log_reader *ret_reader);

#endif
