/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User namespaces, user_namespaces(7): a range of the host's ids as the ids of an instance. Ids
 * keep their number inside; those above the range, as a directory service gives them out, take
 * the place of numbers below its end that nobody has.
 */
#ifndef BASE_USERNS_H
#define BASE_USERNS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define USERNS_SIZE 65536U
#define USERNS_FOREIGN_MAX 40
#define USERNS_NOBODY 65534U

struct userns_map {
	uint32_t base; /* the host's id of id 0; 0: no user namespace, ids are the host's */
	uint32_t n_foreign;
	uint32_t foreign[USERNS_FOREIGN_MAX]; /* ids >= USERNS_SIZE that exist inside too */
};

/* Lets the id exist inside. False when there is no room for another foreign one. */
bool userns_map_add(struct userns_map *map, uint32_t id);

/* The host's id of an id inside; that of nobody for one that does not exist inside. */
uint32_t userns_host_id(const struct userns_map *map, uint32_t inside);

/*
 * Makes a user namespace with these maps, kept by the descriptor *ret_fd alone: nothing runs in
 * it, and its owner is the host's id of its root. Needs root in the caller's own namespace. -ENOSPC
 * means that the host's user.max_user_namespaces is reached.
 */
int userns_make(const struct userns_map *uids, const struct userns_map *gids, int *ret_fd,
		struct error *err);

/*
 * Enters the namespace and becomes its root: uid and gid 0, no supplementary group, every
 * capability inside and none outside. The process must have one thread.
 */
int userns_enter(int fd, struct error *err);

#endif
