/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mount namespaces with nothing in them, a copy of which an instance's root is put on where the
 * host has many threads (rootfs/enter.c). Whoever starts an instance asks for one at the keeper of
 * another, and makes it where there is none: it lasts as long as one of the keepers that have it.
 * In commands.
 */
#ifndef INSTANCE_EMPTY_H
#define INSTANCE_EMPTY_H

#include "instance/instance.h"

#include <stdbool.h>

/* Whether the host has so many threads that one saves more than it takes. */
bool empty_is_of_use(void);

/*
 * Of the instance with that id ("": of none), or a new one; a descriptor, or -1 where that fails:
 * a start does without it. May fork.
 */
int empty_find(const struct site *site, const char *id);

#endif
