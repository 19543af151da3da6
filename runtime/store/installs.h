/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Installs and their generations in the store. An install is known by its name and by its paths;
 * its newest generation is what a new instance sees of them. An instance's record names the
 * generations that it was started on, and keeps them from being removed.
 */
#ifndef STORE_INSTALLS_H
#define STORE_INSTALLS_H

#include "store/store.h"

struct install {
	char *name;
	char **paths;
	uint32_t newest; /* generation; 0: there is none yet */
	int64_t created_ns;
	bool live;	    /* new instances see the directories themselves, guarded */
	uint32_t candidate; /* generation on trial, with a number above newest; 0: none */
};

struct generation {
	uint32_t number;
	char *backend; /* how it is kept: "copy", "reflink", "erofs"; "live": it is no copy */
	int64_t created_ns;
	uint64_t files, bytes; /* of what it was made from */
	uint32_t instances;    /* that were started on it */
};

void install_deinit(struct install *install);
void install_list_free(struct install *installs, size_t n);
void generation_list_free(struct generation *generations, size_t n);

/*
 * Enters an install without a generation. ERROR_EXISTS when there is one of that name, or one of
 * whose paths one of these lies in, or the other way round.
 */
int store_install_add(struct store *store, const struct install *install, struct error *err);

/* ERROR_NOT_FOUND names those that there are. */
int store_install_load(struct store *store, const char *name, struct install *ret_install,
		       struct error *err);

/* Enters an install with generations, for a store that has lost them. */
int store_install_restore(struct store *store, const struct install *install,
			  const struct generation *generations, size_t n, struct error *err);

/* By name. The caller frees with install_list_free. */
int store_install_list(struct store *store, struct install **ret_installs, size_t *ret_n,
		       struct error *err);

/* Removes it with its generations. ERROR_REFUSED, with a name, while an instance is on one. */
int store_install_remove(struct store *store, const char *name, struct error *err);

/* Makes a generation the newest; its number must be the one behind the newest. */
int store_generation_add(struct store *store, const char *install,
			 const struct generation *generation, struct error *err);

/* New instances see the live directories from now on, until a generation is made. */
int store_install_set_live(struct store *store, const char *name, struct error *err);

/*
 * Enters a generation that is on trial: it is nobody's who does not ask for it. Then it becomes the
 * newest, or goes: -EBUSY, with a sentence, while an instance is on it; none is no error.
 */
int store_candidate_add(struct store *store, const char *install,
			const struct generation *generation, struct error *err);
int store_candidate_accept(struct store *store, const char *install, uint32_t number,
			   struct error *err);
int store_candidate_drop(struct store *store, const char *install, struct error *err);

/* The ids of the instances on a candidate, in no order. */
int store_candidate_instances(struct store *store, const char *install, char ***ret_ids,
			      struct error *err);

/* Oldest first. The caller frees with generation_list_free. */
int store_generation_list(struct store *store, const char *install,
			  struct generation **ret_generations, size_t *ret_n, struct error *err);

/*
 * Removes those that are not the newest, that no instance is on, and that were replaced before that
 * time (wall clock, nanoseconds).
 */
int store_generation_prune(struct store *store, const char *install, int64_t replaced_before_ns,
			   struct error *err);

/*
 * What each directory's copy-on-write view is to lie on: "NAME/NUMBER/POSITION" for the newest
 * generation of a registered path, or that of the trial (NULL: none); NUMBER 0 stands for the live
 * directory of an install that is live; "" for a directory that is no install's. The list is the
 * caller's. Part of store_admit; before that, it may be another one by then.
 */
int store_find_lowers(struct store *store, char *const *directories, const struct trial *trial,
		      char ***ret_lowers, struct error *err);

#endif
