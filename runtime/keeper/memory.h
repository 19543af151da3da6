/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the kernel killed something of the instance for want of memory. In the keeper, over files
 * of the server's group that the starting command opened (cgroup/limits.h).
 */
#ifndef KEEPER_MEMORY_H
#define KEEPER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_watch {
	int version; /* of the control group; 0: nobody tells, and there are no descriptors */
	int event;   /* version 1: an eventfd; version 2: "memory.events" */
	int count;   /* "memory.oom_control"; "memory.events" */
	int hits;    /* "memory.max_usage_in_bytes"; "memory.events" */
	uint64_t limit;
	int64_t look_until_ns; /* boot time; version 1 tells before it kills */
};

/* What poll(2) is to wait for on event. */
short memory_watch_events(const struct memory_watch *watch);

/* To be called first, and then whenever poll says that something has happened. */
void memory_watch_take(struct memory_watch *watch);

/* When to look again although nothing is said, boot time; INT64_MAX: not at all. */
int64_t memory_watch_next(const struct memory_watch *watch, int64_t now);

/* True when a process of the instance was killed for want of memory. */
bool memory_watch_killed(const struct memory_watch *watch);

/* "out of memory (limit 512 MiB)", or that it was not the instance's own limit. */
void memory_watch_reason(const struct memory_watch *watch, char *buffer, size_t size);

#endif
