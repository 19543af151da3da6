/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks as nanoseconds, and the id of this boot. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define BOOT_ID_SIZE 37 /* 36 characters and NUL */

/* CLOCK_BOOTTIME: never steps, counts suspend; starts at 0 with each boot. */
int64_t clock_boottime_ns(void);
/* CLOCK_REALTIME, nanoseconds since the epoch. */
int64_t clock_wall_ns(void);

/* Reads /proc/sys/kernel/random/boot_id. 0 or a negative errno. */
int clock_boot_id(char buffer[BOOT_ID_SIZE]);

#endif
