/* SPDX-License-Identifier: Apache-2.0 */
/* Counts of published ports; see traffic.h. In commands. */
#include "instance/traffic.h"
#include "instance/reach.h"
#include "base/cleanup.h"

#include <unistd.h>

bool traffic_read(const struct site *site, const struct record *record, struct counts *ret_counts)
{
	cleanup_fd int fd = -1;
	struct counts counts;
	struct error err;

	if (!record->grant.n_ports)
		return false;
	fd = reach_open(site, record->grant.id, CONTROL_COUNTS, CONTROL_COUNTS_ARE, &err);
	if (fd < 0 || pread(fd, &counts, sizeof(counts), 0) != sizeof(counts))
		return false;
	*ret_counts = counts;
	return true;
}
