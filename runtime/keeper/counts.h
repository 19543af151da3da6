/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went through each published port: memory that the keeper makes, its forwarder writes and
 * commands read, of fixed size, in the order of the grant's ports. The keeper reads when a port was
 * last used, and believes it for that purpose only.
 */
#ifndef KEEPER_COUNTS_H
#define KEEPER_COUNTS_H

#include "plan/plan.h"

#include <stdint.h>

struct port_counts {
	uint64_t now, total; /* connections */
	uint64_t in, out;    /* bytes from clients, and to them */
	int64_t used_ns;     /* boot time of the last connection's end, 0: there was none */
};

struct counts {
	struct port_counts ports[PLAN_PORTS_MAX];
	int64_t touched_ns; /* boot time of the last other use; written by the keeper */
};

#endif
