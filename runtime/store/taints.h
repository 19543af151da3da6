/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed in the live directories of an install below instances that were started on them.
 * It stays with an instance for as long as its record does.
 */
#ifndef STORE_TAINTS_H
#define STORE_TAINTS_H

#include "store/store.h"

#define TAINTS_NAMED_MAX 100 /* of one instance; the others are counted */

struct taint {
	char *path;	 /* on the host, any bytes */
	unsigned change; /* as in install/compare.h */
};

/* By path. */
struct taint_list {
	struct taint *list;
	size_t n;
};

void taint_list_deinit(struct taint_list *taints);

/*
 * Notes the changes for each instance that is on the live directories of that install, in one
 * transaction. A path that was noted before counts once. *ret_ids: whom something new was noted
 * for; the caller frees.
 */
int store_taint(struct store *store, const char *install, const struct taint_list *taints,
		char ***ret_ids, struct error *err);

/* Those that are named of an instance; record->tainted says how many there are in all. */
int store_taints_load(struct store *store, const char *id, struct taint_list *ret_taints,
		      struct error *err);

/* The names of the installs whose live directories instances are on. */
int store_live_installs(struct store *store, char ***ret_names, struct error *err);

/* How many instances are on the live directories of an install, and how many of them are tainted.
 */
int store_live_count(struct store *store, const char *install, uint32_t *ret_instances,
		     uint32_t *ret_tainted, struct error *err);

#endif
