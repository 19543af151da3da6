/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to instances, in one file of the run directory (RUN/events) to which commands and
 * keepers add a line each: in the form of an instance's log, whose reader reads it
 * (instance/events.h), the text being "ID EVENT DETAIL". It is bounded from the front, and goes
 * with a restart of the host. What does not get there, on a full disk, is lost: nothing depends on
 * it.
 */
#ifndef KEEPER_EVENTS_H
#define KEEPER_EVENTS_H

#define EVENTS_FILE_NAME "events"
#define EVENTS_FROM_INSTANCE "../../" EVENTS_FILE_NAME /* from RUN/i/ID */
#define EVENTS_BYTES_MAX (512 << 10)
#define EVENT_NO_ID "-"

/* Adds one event; detail is one line and may be "". One write, which no other one is mixed with. */
void event_add(int dirfd, const char *path, const char *id, const char *event, const char *detail);

#endif
