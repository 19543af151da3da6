/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all instances of a zone read: the names of one another, and the name servers. One directory
 * for each zone with traffic, RUN/zone/NAME, which its instances see read-only; the files in it are
 * replaced by rename, so that everybody sees the new ones at once. In commands.
 */
#ifndef INSTANCE_ZONE_FILES_H
#define INSTANCE_ZONE_FILES_H

#include "instance/site.h"
#include "plan/zone.h"
#include "store/store.h"

/* Writes the files of the zone as the store has it, and makes the directory. */
int zone_files_write(const struct site *site, struct store *store, const struct zone *zone,
		     struct error *err);

/* The same, before an instance of it starts, whose record the store has. */
int zone_files_join(const struct site *site, struct store *store, const struct zone *zone,
		    const struct record *record, struct error *err);

/* The same when the zone has such files at all; after names in it have changed. */
int zone_files_refresh(const struct site *site, struct store *store, const char *zone,
		       struct error *err);

/* The same, after an instance of it has gone, whose record the store had. */
int zone_files_leave(const struct site *site, struct store *store, const struct record *record,
		     struct error *err);

/* Removes them. None is no error. */
int zone_files_remove(const struct site *site, const char *zone);

/* RUN/zone/NAME; the caller frees. */
char *zone_files_path(const struct site *site, const char *zone);

/*
 * The name servers that instances of the zone are to ask, as addresses: those that the zone names,
 * or with "host" the host's, but for those on its loopback, which no instance reaches. The caller
 * frees with strv_free.
 */
char **zone_name_servers(const struct zone *zone);

#endif
