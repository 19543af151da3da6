/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance that is to take the place of another one: its name, its lease, its published ports.
 * Until then it has a name of its own that nobody can ask for ("next.ID"), and the ports are the
 * other one's; afterwards the other one is "old.ID" until it has ended. A successor that ends
 * before it took the place leaves everything as it was.
 */
#ifndef STORE_SUCCESSION_H
#define STORE_SUCCESSION_H

#include "store/store.h"

#include <stdbool.h>

struct succession {
	char *successor, *predecessor; /* ids */
	char *name;		       /* that goes from one to the other */
	bool done;		       /* it has; the predecessor is still there */
};

/* Those that are under way. The caller frees with succession_list_free. */
int store_succession_list(struct store *store, struct succession **ret_list, size_t *ret_n,
			  struct error *err);
void succession_list_free(struct succession *list, size_t n);

/*
 * Gives the successor of that id name, lease and ports of its predecessor. May run twice. Where the
 * predecessor is gone, the successor keeps its own lease. ERROR_NOT_FOUND when it is none.
 */
int store_succeed(struct store *store, const char *successor, struct error *err);

#endif
