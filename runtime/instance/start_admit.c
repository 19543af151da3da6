/* SPDX-License-Identifier: Apache-2.0 */
/* The intent to start an instance, entered in the store; see starting.h. */
#include "instance/starting.h"
#include "instance/guard.h"
#include "instance/lock.h"
#include "instance/lowers.h"
#include "instance/publish.h"
#include "instance/queue.h"
#include "instance/spares.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>

#define ADMIT_ATTEMPTS 64

int start_create_lock(struct starting *s, struct error *err)
{
	int fd;

	do {
		make_id(s->record->grant.id);
		fd = instance_lock_create(s->site, s->record->grant.id, err);
	} while (fd == -EEXIST);
	s->lock = fd;
	return fd < 0 ? fd : 0;
}

/*
 * What was not asked for is chosen again when it is taken: a name of our own making, and a port
 * from the kernel. That can be one of an instance that is going down, whose sockets are closed
 * before its record is gone.
 */
bool start_choose_again(struct starting *s, int r, struct error *err)
{
	const struct start_request *request = s->request;

	if (r == -EEXIST)
		return !request->name;
	return r == -EADDRINUSE && publish_others(request->plan, request->publish, request->hold,
						  &s->record->grant, s->listeners, err) > 0;
}

/* Somebody waits for this one, and for a spare nobody does. */
static bool make_room(struct starting *s, int r, const struct error *err)
{
	return r < 0 && !s->request->likeness && store_lacks_room(err) == ROOM_OF_HOST &&
	       spares_give_way(s->site, s->store);
}

int start_admit(struct starting *s, struct error *err)
{
	const char *wanted = s->request->name;
	struct grant *grant = &s->record->grant;
	int r = 0;

	s->admission.quota = s->request->quota;
	if (s->request->predecessor)
		s->admission.predecessor = s->request->predecessor->grant.id;
	s->admission.trial = s->request->trial;
	s->admission.likeness = s->request->likeness;
	for (unsigned i = 0; r == 0; i++) {
		if (wanted)
			snprintf(grant->name, sizeof(grant->name), "%s", wanted);
		else
			make_name(s->record->template_name, i, grant->name);
		r = store_admit(s->store, s->record, &s->admission, err);
		if (i == ADMIT_ATTEMPTS || !(start_choose_again(s, r, err) || make_room(s, r, err)))
			break;
		r = 0;
	}
	cleanup_close(&s->admitting);
	if (r < 0)
		return r;
	cleanup_close(&s->saved);
	if (s->request->ticket)
		queue_leave(s->request->ticket);
	strv_free(s->lowers);
	s->lowers = lowers_of(s->site, s->record);
	return 0;
}

int start_look_at_live(struct starting *s, struct error *err)
{
	return s->live[0] ? guard_prepare(s->site, s->store, s->live, &s->admitting, err) : 0;
}
