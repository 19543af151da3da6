/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on the host and should not be: everything that carries the mark of this installation (its
 * directories, its control group, its number of links, its table) and belongs to no sound instance.
 * Sound is one that has a record and a keeper and is not overdue, or that is being started or ended
 * at this moment. Nothing is concluded from a single look. In "stint doctor" and "stint sweep".
 */
#ifndef INSTANCE_LEAKS_H
#define INSTANCE_LEAKS_H

#include "instance/site.h"

#include <stddef.h>

struct leak {
	const char *sort; /* "process", "control group", "directory"... */
	char *name;	  /* exactly: a path, a number, the name of a link or an instance */
	char *text;	  /* why it is one, for people */
};

struct leak_list {
	struct leak *list;
	size_t n;
};

/*
 * Looks again and again, 1 s at most, and returns what was there each time. The site is open. The
 * caller ends *ret_leaks with leaks_deinit also after a failure. Needs root.
 */
int leaks_find(const struct site *site, struct leak_list *ret_leaks, struct error *err);
void leaks_deinit(struct leak_list *leaks);

/*
 * Removes what leaks_find found: mounts and loop devices here, the rest by the sweep and its undo.
 * What could not be removed is found by the next look; err names the last failure.
 */
int leaks_remove(const struct site *site, const struct leak_list *leaks, struct error *err);

#endif
