/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pools, and the instances that were started ahead for them: spares. A pool is for one template in
 * one zone. A spare is an instance as any other, with a name that nobody can ask for ("spare.ID"),
 * until it is claimed: then it gets what a start would have given it, in one transaction, and is
 * a spare no more. So each is used once.
 */
#ifndef STORE_SPARES_H
#define STORE_SPARES_H

#include "store/store.h"

#include <stdbool.h>

struct pool {
	char *template_name, *zone;
	char *source;	/* what was given for the template: its name or a file's absolute path */
	char *likeness; /* of its spares (spares_write_likeness); NULL: not known yet */
	uint32_t size;
	int64_t max_age_ns; /* of a spare that nobody claims */
	uint64_t hits, misses;
	int64_t claim_ns; /* what all hits took together, from command to ready */
	uint64_t starts;
	int64_t ready_ns;	/* the same of the spares' starts */
	uint32_t failures;	/* in a row */
	int64_t failed_ns;	/* wall clock, the last of them; 0: none */
	char *error;		/* of that one; NULL: none */
	uint32_t spares, ready; /* that are there; ready to be claimed */
};

void pool_deinit(struct pool *pool);
void pool_list_free(struct pool *pools, size_t n);
#define cleanup_pool cleanup(pool_deinit)

/* In the order of their names. The caller frees with pool_list_free. */
int store_pool_list(struct store *store, struct pool **ret_pools, size_t *ret_n, struct error *err);

/* The pool of that template and zone: 1, or 0 and nothing when there is none. */
int store_pool_find(struct store *store, const char *template_name, const char *zone,
		    struct pool *ret_pool, struct error *err);

/*
 * Makes the pool, or sets its source, size and age, and forgets its failures. Its spares can be
 * claimed again once whoever fills it has looked at them.
 */
int store_pool_set(struct store *store, const struct pool *pool, struct error *err);

/* Its spares are then nobody's. ERROR_NOT_FOUND when there is none. */
int store_pool_remove(struct store *store, const char *template_name, const char *zone,
		      struct error *err);

/* What its spares are to be like from now on. */
int store_pool_liken(struct store *store, const struct pool *pool, const char *likeness,
		     struct error *err);

/* Filling it has failed at that time of the wall clock; error NULL: it has not. */
int store_pool_note_failure(struct store *store, const struct pool *pool, int64_t when_ns,
			    const char *error, struct error *err);

/* Somebody would have claimed one and found none; took_ns >= 0: has claimed one in that time. */
int store_pool_note_use(struct store *store, const char *template_name, const char *zone,
			int64_t took_ns, struct error *err);

/* Whether it is the name of one that was not claimed. */
bool spare_is_name(const char *name);

/* A spare of a pool, as the store has it. */
struct spare {
	struct record *record;
	char *likeness;
	bool ready;
};

/* Those of the pool, oldest first. The caller frees with spare_list_free. */
int store_spare_list(struct store *store, const char *template_name, const char *zone,
		     struct spare **ret_spares, size_t *ret_n, struct error *err);
void spare_list_free(struct spare *spares, size_t n);

/* It can be claimed from now on; took_ns >= 0: its start, which counts, took that long. */
int store_spare_ready(struct store *store, const char *id, int64_t took_ns, struct error *err);

/* Takes it out of its pool, so that it can be ended: 1, or 0 when somebody was faster. */
int store_spare_take(struct store *store, const char *id, struct error *err);

/* The ids of instances that were taken out of a pool and have not ended since. */
int store_spare_orphans(struct store *store, char ***ret_ids, struct error *err);

/* The id of a spare that was not claimed, the newest of all pools; NULL: there is none. */
int store_spare_newest(struct store *store, char **ret_id, struct error *err);

/* What a claimed spare is given. */
struct claim {
	const struct grant *grant; /* with its id */
	const char *plan;	   /* canonical text */
	uint64_t cpu_millis;	   /* as in a record */
	unsigned on_expiry;
	int64_t keep_failed_ns, created_ns;
	const struct quota *quota; /* the new owner is restricted; NULL: not */
};

/*
 * In one transaction: it is no spare any more but has all that. Errors as store_admit has them for
 * name, ports and quota; -ESTALE (ERROR_FAILED) when somebody was faster, or it is gone.
 */
int store_spare_claim(struct store *store, const struct claim *claim, struct record **ret_record,
		      struct error *err);

#endif
