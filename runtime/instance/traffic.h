/* SPDX-License-Identifier: Apache-2.0 */
/* What went through the published ports of a running instance. In commands. */
#ifndef INSTANCE_TRAFFIC_H
#define INSTANCE_TRAFFIC_H

#include "instance/instance.h"
#include "keeper/counts.h"

/*
 * In the order of the grant's ports. False when nobody counts: there is no port, or no keeper. The
 * numbers are an unprivileged process's word and good for showing only.
 */
bool traffic_read(const struct site *site, const struct record *record, struct counts *ret_counts);

/* When an instance was last used: through a published port, by a command inside, by touch. */
struct use {
	bool now;
	int64_t unused_ns; /* since then */
};

/* False without a keeper. */
bool traffic_use(const struct site *site, const struct record *record, struct use *ret_use);

#endif
