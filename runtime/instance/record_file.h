/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of an instance's record in its state directory (STATE/i/ID/record), with the zone that it
 * is in: what "stint doctor --rebuild" makes a new store from when the store is damaged or lost.
 * The store is what counts; nobody else reads this.
 */
#ifndef INSTANCE_RECORD_FILE_H
#define INSTANCE_RECORD_FILE_H

#include "instance/site.h"
#include "plan/zone.h"

/* Writes or replaces it; zone NULL: as it was. */
int record_file_write(const struct site *site, const struct record *record, const struct zone *zone,
		      struct error *err);

/* -ENOENT when there is none, -EPROTO of another version, -EBADMSG when it is damaged. */
int record_file_read(const struct site *site, const char *id, struct record **ret_record,
		     struct zone *ret_zone, struct error *err);

#endif
