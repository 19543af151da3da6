/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generation on trial: complete, and nobody's who does not ask for it. While it is tried its
 * install is locked; what is left without the lock is removed by a sweep.
 */
#ifndef INSTALL_CANDIDATE_H
#define INSTALL_CANDIDATE_H

#include "install/depot.h"
#include "install/generation.h"

struct candidate {
	const char *state_path; /* the adoption's */
	const char *install;
	struct depot depot;
	struct generation generation;
};

/*
 * As generation_adopt, but that the newest generation stays what it is. The caller ends
 * ret_candidate with one of the next two, whatever they return.
 */
int candidate_make(const struct adoption *adoption, struct candidate *ret_candidate,
		   struct error *err);

/* It is the newest from now on. */
int candidate_accept(struct candidate *candidate, struct error *err);

/* It is removed. -EBUSY, with a sentence, while an instance is on it. */
int candidate_drop(struct candidate *candidate, struct error *err);

/* Whether somebody has the lock of the install: nothing of it is abandoned then. */
bool candidate_is_tried(const char *state_path, const char *install);

/* For this folder: generation_adopt, which keeps the lock for ret_depot unless that is NULL. */
int generation_make(const struct adoption *adoption, struct depot *ret_depot,
		    struct generation *ret_generation, struct error *err);

#endif
