/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What would free room for an instance that gets none. Private to this folder; inside the
 * transaction that admits instances.
 */
#ifndef STORE_ROOM_H
#define STORE_ROOM_H

#include "store/db.h"
#include "store/store.h"

enum room_kind { ROOM_MEMORY, ROOM_CPU, ROOM_DISK, ROOM_PLACES };

/* "1.5 GiB", "0.5"; of places the number. */
void room_format(enum room_kind kind, uint64_t amount, char *buffer, size_t size);

/*
 * "'stint down web' would give back 4 GiB": of the owner's instances the one with most of it, of
 * places the oldest; of others' only when he has none and is not restricted.
 */
void room_advise(struct store *store, const struct record *record,
		 const struct admission *admission, enum room_kind kind, char *buffer, size_t size);

#endif
