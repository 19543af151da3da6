/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generations: copies of an install that nothing changes any more, so that what an instance was
 * started on stays as it was, whatever is done to the live directories. In commands only.
 *
 *   STATE/install/NAME/lock         held by whoever makes or removes something here
 *   STATE/install/NAME/new          a generation that is being made
 *   STATE/install/NAME/N/I          copy of the I-th path, as generation N has it
 *   STATE/install/NAME/N/I.erofs    with an image: what is in it, and that directory is empty
 *   STATE/install/NAME/N/I.manifest what that was made from
 *   STATE/install/NAME/N/generation what the store knows of it, for a store that was lost
 *   STATE/install/NAME/N/candidate  it is on trial: nothing if the store was lost
 *   STATE/install/NAME/live         of live directories: live.h
 *
 * The store says which there are. What it does not know was left by somebody who was killed.
 */
#ifndef INSTALL_GENERATION_H
#define INSTALL_GENERATION_H

#include "install/tree.h"
#include "store/installs.h"

#define INSTALL_PATHS_MAX 16
/* How long a generation that nobody is on stays after the next one came, for a sweep. */
#define GENERATION_GRACE_NS (24 * 3600 * NSEC_PER_SEC)

enum backend {
	BACKEND_AUTO, /* the best that this host can do */
	BACKEND_COPY,
	BACKEND_REFLINK,
	BACKEND_EROFS,
	BACKENDS,
};

/* "auto", "copy", "reflink", "erofs". */
extern const char *const backend_names[BACKENDS];

struct adoption {
	const char *state_path; /* of the site */
	const char *install;	/* name */
	enum backend backend;
	bool trial; /* for candidate_make alone */
	bool hash;  /* by what is in the files; so also where the live directories are hashed */
	int cancel; /* readable once it is to stop; -1: never */
	void (*tell)(const struct tree_progress *progress, void *data); /* NULL: nobody listens */
	void *data;
};

/*
 * Makes a generation of an install from its live directories. Nothing is left after a failure, and
 * after a kill nothing that generations_sweep does not remove. ERROR_FAILED with a sentence: a path
 * that changed meanwhile (-EAGAIN), that cannot be kept as it is, too little space; -EBUSY while
 * somebody else is at it, -ECANCELED when told to stop. Needs root. 1, and the newest generation,
 * when new instances are started on that and nothing has touched anything since it was made.
 */
int generation_adopt(const struct adoption *adoption, struct generation *ret_generation,
		     struct error *err);

/* Enters the install and makes its first generation; without that, it is not entered. */
int install_create(const struct adoption *adoption, char *const *paths,
		   struct generation *ret_generation, struct error *err);

/* Removes an install and what is kept of it; its live directories stay. */
int install_remove(const char *state_path, const char *name, struct error *err);

/*
 * Removes the generations of an install that are not the newest, that no instance is on and that
 * were replaced before that time of the wall clock.
 */
int generation_prune(const char *state_path, const char *install, int64_t replaced_before_ns,
		     struct error *err);

/* Enters installs that the store has lost again, as their directories say; others stay as they are.
 */
void generations_restore(const char *state_path, struct store *store);

/*
 * The same; then what belongs to no generation, old generations, and installs that were never
 * complete are removed, but not where somebody is at work.
 */
void generations_sweep(const char *state_path, struct store *store);

/*
 * What was begun of generations that nobody is at work on any more: how many there are. With found,
 * each is told by its path.
 */
unsigned generations_unfinished(const char *state_path, void (*found)(const char *path, void *data),
				void *data);

/* The directory of what store_find_lowers calls lower, which the caller frees; NULL: the live one.
 */
char *generation_lower_path(const char *state_path, const char *lower);

/* The manifest of the I-th path. -ENOENT: there is no such generation. */
int generation_load_manifest(const char *state_path, const char *install, uint32_t number,
			     size_t index, struct manifest *ret_manifest);

#endif
