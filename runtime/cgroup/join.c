/* SPDX-License-Identifier: Apache-2.0 */
/* Joining groups by descriptor; see inside.h. In the keeper's child, init and its children. */
#include "cgroup/inside.h"

#include <errno.h>
#include <unistd.h>

int cgroup_join(const int *fds, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++)
		if (pwrite(fds[i], "0", 1, 0) < 0)
			return error_set(err, errno, "cannot join a control group");
	return 0;
}
