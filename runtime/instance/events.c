/* SPDX-License-Identifier: Apache-2.0 */
/* Events in the file and out of it; see events.h. In commands. */
#include "instance/events.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void events_add(const struct site *site, const char *id, const char *event, const char *detail)
{
	event_add(site->run, EVENTS_FILE_NAME, id ? id : EVENT_NO_ID, event, detail);
}

void events_add_created(const struct site *site, const struct record *record)
{
	const struct grant *grant = &record->grant;
	cleanup_free char *detail =
		xasprintf("%s %u %s", grant->name, grant->owner_uid, record->template_name);

	events_add(site, grant->id, "created", detail);
}

/* A word and the blank behind it; false when it is too long. */
static bool take_word(const char **text, size_t *length, char *word, size_t size)
{
	const char *blank = memchr(*text, ' ', *length);
	size_t n = blank ? (size_t)(blank - *text) : *length;

	if (n == 0 || n >= size)
		return false;
	memcpy(word, *text, n);
	word[n] = '\0';
	n += blank != NULL;
	*text += n;
	*length -= n;
	return true;
}

bool event_parse(const struct log_record *record, struct event *ret_event)
{
	struct event event = {.time_us = record->time_us,
			      .detail = record->text,
			      .detail_length = record->length};

	if (!take_word(&event.detail, &event.detail_length, event.id, sizeof(event.id)) ||
	    !take_word(&event.detail, &event.detail_length, event.kind, sizeof(event.kind)))
		return false;
	if (strcmp(event.id, EVENT_NO_ID) == 0)
		event.id[0] = '\0';
	*ret_event = event;
	return true;
}

bool event_parse_created(const struct event *event, struct event_subject *ret_subject)
{
	const char *rest = event->detail;
	size_t left = event->detail_length;
	struct event_subject subject;
	char number[16];
	uint64_t owner;

	if (strcmp(event->kind, "created") != 0 || !*event->id ||
	    !take_word(&rest, &left, subject.name, sizeof(subject.name)) ||
	    !take_word(&rest, &left, number, sizeof(number)) ||
	    parse_number(number, UINT32_MAX, &owner) < 0)
		return false;
	memcpy(subject.id, event->id, sizeof(subject.id));
	subject.owner = (uid_t)owner;
	*ret_subject = subject;
	return true;
}

int events_open(const struct site *site, struct log_reader *ret_reader)
{
	int fd = openat(site->run, EVENTS_FILE_NAME, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			0600);

	if (fd < 0)
		return -errno;
	*ret_reader = (struct log_reader){.fd = fd};
	return 0;
}
