/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the floor, see floor.c. Whatever fails ends the process that it fails in. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FLOOR_SPAN 65536
#define FLOOR_BASE 2000000000U /* far from the ids of anybody's instances */

struct floor {
	bool link;
	const char *install; /* shown inside, as an overlay */
	char *const *argv;   /* the server */
	char id[16];
	char state[64]; /* where the layer lies */
	int userns, netns, cgroupns;
	int layer; /* detached, with ids of the user namespace */
};

/* Prints why, with errno, and exits with 1; what the parent has made goes at its exit. */
void check(long result, const char *what);

/* Groups: ID/host and ID/server in every hierarchy, the latter with limits. */
void groups_make(const struct floor *floor);
void groups_remove(const struct floor *floor);
/* clone(2), straight into one or the other: in v2 every later move waits for all processors. */
pid_t groups_fork(bool into_server, uint64_t namespaces);

/* The inside's root; the caller is in the instance's mount namespace, as the host's root. */
void root_enter(const struct floor *floor);
/* Where what runs inside may write, for ever. */
void root_confine(const struct floor *floor);

/* Everything that the server may not do any more: ids, capabilities, system calls. */
void server_confine(void);

/* The instance's address on its own lo; inside. */
void link_none(void);
/* A pair of interfaces with addresses and routes at both ends; outside. */
void link_make(const struct floor *floor);
