/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of this host is in the way of what a zone may do: other programs' firewalls, switches,
 * missing routes. Found by a packet from an instance of the zone to one destination of each kind
 * that is open to it (netns/path.h). In commands.
 */
#ifndef INSTANCE_OBSTACLES_H
#define INSTANCE_OBSTACLES_H

#include "instance/site.h"
#include "store/store.h"

struct obstacle {
	char *text;
	char *fix; /* NULL: none is known */
};

struct obstacle_list {
	struct obstacle *list;
	size_t n;
	size_t tried;	 /* packets sent */
	char **untested; /* of what nothing is known, and why; a sentence each */
};

/*
 * Tries the zone of a running instance from there. None in a zone without traffic, and none of
 * what cannot be seen. The caller ends ret_list with obstacle_list_deinit also after a failure.
 */
int obstacles_find(const struct site *site, const struct record *record,
		   struct obstacle_list *ret_list, struct error *err);
void obstacle_list_deinit(struct obstacle_list *list);

#endif
