/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a test packet, in words for people; see path.h. Private to this folder. */
#ifndef NETNS_OBSTACLE_H
#define NETNS_OBSTACLE_H

#include "netns/path.h"
#include "netns/trace.h"

/* How far our own table has seen it. */
enum path_stage { STAGE_NONE, STAGE_CAME, STAGE_FORWARDED, STAGE_LEFT };

struct path_way {
	const struct path_probe *probe;
	uint16_t source_port;
	bool seen;
	uint32_t id; /* once it was seen */
	enum path_stage stage;
	bool dropped, dropped_by_us;
	bool lost;		    /* the kernel told of more than could be heard */
	struct trace_event culprit; /* where it was dropped */
};

/* Allocates the texts; *ret_finding is PATH_UNKNOWN when nothing is sure. */
void obstacle_conclude(const struct path_way *way, struct path_finding *ret_finding);

#endif
