/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of published ports; see traffic.h. In commands. */
#include "instance/traffic.h"
#include "instance/reach.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <unistd.h>

static bool read_counts(const struct site *site, const struct record *record,
			struct counts *ret_counts)
{
	struct error err;
	cleanup_fd int fd =
		reach_open(site, record->grant.id, CONTROL_COUNTS, CONTROL_COUNTS_ARE, &err);

	return fd >= 0 && pread(fd, ret_counts, sizeof(*ret_counts), 0) == sizeof(*ret_counts);
}

bool traffic_read(const struct site *site, const struct record *record, struct counts *ret_counts)
{
	return record->grant.n_ports && read_counts(site, record, ret_counts);
}

bool traffic_use(const struct site *site, const struct record *record, struct use *ret_use)
{
	int64_t used, now = clock_boottime_ns();
	struct counts counts;

	if (!read_counts(site, record, &counts))
		return false;
	*ret_use = (struct use){0};
	used = counts.touched_ns;
	for (size_t i = 0; i < record->grant.n_ports; i++) {
		ret_use->now |= counts.ports[i].now > 0;
		if (counts.ports[i].used_ns > used)
			used = counts.ports[i].used_ns;
	}
	/* the forwarder may say what it likes */
	ret_use->unused_ns = used && used < now ? now - used : 0;
	return true;
}
