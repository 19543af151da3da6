/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of an install below the state directory (generation.h), locked; for this folder. */
#ifndef INSTALL_DEPOT_H
#define INSTALL_DEPOT_H

#include "base/error.h"
#include "store/installs.h"

#include <stdint.h>

#define DEPOT_NEW "new"
#define CANDIDATE_MARK "candidate" /* in a generation on trial */

struct depot {
	char *path;
	int directory, lock;
};

/*
 * Makes it where it is missing and takes its lock; -EBUSY, with a sentence, when somebody has it.
 * The caller ends ret_depot with depot_close.
 */
int depot_open(const char *state_path, const char *install, struct depot *ret_depot,
	       struct error *err);
void depot_close(struct depot *depot);

/* "cannot WHAT in 'PATH'" with the errno; returns it negative. */
int depot_cannot(const struct depot *depot, int errnum, const char *what, struct error *err);

/* Removes what was left of a generation that has this number, or was to have it. */
void depot_clear(const struct depot *depot, uint32_t number);

/* Gives "new" its number for a name, on disk when it returns. */
int depot_take_name(const struct depot *depot, uint32_t number, struct error *err);

/* That the install was live is over. */
void depot_forget_live(const struct depot *depot);

/* Writes into the open directory what the store knows, and reads it back. */
int depot_describe(const struct depot *depot, int directory, const struct install *install,
		   const struct generation *generation, struct error *err);
int depot_read_description(int directory, struct install *ret_install,
			   struct generation *ret_generation);

#endif
