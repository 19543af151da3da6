/* SPDX-License-Identifier: Apache-2.0 */
/* Turns at undoing instances; see turn.h. */
#include "keeper/turn.h"
#include "base/process.h"

#include <stdint.h>

/* More than one, because one may have much to remove, or wait for what does not die. */
#define TURNS 2

bool turn_take(int fd)
{
	return lock_try_any(fd, 0, TURNS);
}

void turn_leave(int fd)
{
	for (int64_t turn = 0; turn < TURNS; turn++)
		lock_release(fd, turn);
}
