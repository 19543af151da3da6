/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stays of an instance that has ended, for those who want to look at it: with "keep_failed"
 * its log and files for a time, under its name and in state "kept"; with "on_expiry: archive" and
 * "harvest" a file. Neither has processes, groups, ports or a network.
 */
#ifndef INSTANCE_KEEP_H
#define INSTANCE_KEEP_H

#include "instance/site.h"

#define ARCHIVE_DIRECTORY "archive" /* below the state directory */
#define ARCHIVE_KEPT_NS (30 * 86400 * NSEC_PER_SEC)

/*
 * Ends what still runs, and keeps the rest until kept_ns from now; the history gets its entry now.
 * What is kept ends like everything else: by "down", or by a sweep when its time is over.
 */
int keep_files(const struct site *site, const struct record *record, const struct ending *ending,
	       int64_t kept_ns, struct error *err);

/*
 * Writes STATE/archive/NAME-ID.tar, for nobody but root: what the instance wrote into its installs,
 * at their paths, with the overlay's marks, and its log as "log"; or, with "on_expiry: harvest",
 * NAME-ID.tar.zst as harvest.h has it. Nothing may run any more. Complete or not there at all;
 * ret_name is where, below the state directory.
 */
int keep_archive(const struct site *site, const struct record *record, char **ret_name,
		 struct error *err);

/* Removes archives that are older than ARCHIVE_KEPT_NS. */
void keep_prune_archives(const struct site *site);

/*
 * The files of a kept instance as it saw its installs, read-only: an O_PATH descriptor of a root.
 * In a mount namespace of this process's own, which it stays in.
 */
int keep_open_root(const struct site *site, const struct record *record, struct error *err);

/* What it wrote: the pool of a kept instance, else its keeper's (reach.h). */
int keep_open_pool(const struct site *site, const struct record *record, struct error *err);

#endif
