/* SPDX-License-Identifier: Apache-2.0 */
/* Generations on trial; see candidate.h. */
#include "install/candidate.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>

int candidate_make(const struct adoption *adoption, struct candidate *ret_candidate,
		   struct error *err)
{
	struct adoption trial = *adoption;

	trial.trial = true;
	ret_candidate->state_path = adoption->state_path;
	ret_candidate->install = adoption->install;
	return generation_make(&trial, &ret_candidate->depot, &ret_candidate->generation, err);
}

static void finish(struct candidate *candidate)
{
	free(steal_ptr(candidate->generation.backend));
	depot_close(&candidate->depot);
}

/* Before the store knows: without it, a store that is lost finds a generation as any other. */
static int remove_mark(const struct candidate *candidate, struct error *err)
{
	cleanup_free char *mark = xasprintf("%u/" CANDIDATE_MARK, candidate->generation.number);

	return unlinkat(candidate->depot.directory, mark, 0) < 0
		       ? depot_cannot(&candidate->depot, errno, "accept the candidate", err)
		       : 0;
}

static int accept_it(const struct candidate *candidate, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(candidate->state_path, &store, err);

	if (r == 0)
		r = remove_mark(candidate, err);
	if (r == 0)
		r = store_candidate_accept(store, candidate->install, candidate->generation.number,
					   err);
	if (r == 0)
		depot_forget_live(&candidate->depot);
	return r;
}

static int drop_it(const struct candidate *candidate, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(candidate->state_path, &store, err);

	if (r == 0)
		r = store_candidate_drop(store, candidate->install, err);
	if (r == 0)
		depot_clear(&candidate->depot, candidate->generation.number);
	return r;
}

int candidate_accept(struct candidate *candidate, struct error *err)
{
	int r = accept_it(candidate, err);

	if (r < 0)
		(void)drop_it(candidate, NULL);
	finish(candidate);
	return r;
}

int candidate_drop(struct candidate *candidate, struct error *err)
{
	int r = drop_it(candidate, err);

	finish(candidate);
	return r;
}

bool candidate_is_tried(const char *state_path, const char *install)
{
	struct depot depot;
	int r = depot_open(state_path, install, &depot, NULL);

	depot_close(&depot);
	return r < 0;
}
