/* SPDX-License-Identifier: Apache-2.0 */
/* Places of guards; see guards.h. */
#include "keeper/guards.h"
#include "base/process.h"

#include <stdint.h>
#include <sys/stat.h>

/* The first of the bytes of this network namespace; 0 where it cannot be told. */
static int64_t first_place(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) < 0 ? 0 : (int64_t)st.st_ino * GUARDS_MAX;
}

bool guards_take(int fd)
{
	return lock_try_any(fd, first_place(), GUARDS_MAX);
}

bool guards_are_missing(int fd)
{
	int64_t first = first_place();

	for (int64_t place = first; place < first + GUARDS_MAX; place++)
		if (!lock_is_held(fd, place))
			return true;
	return false;
}
