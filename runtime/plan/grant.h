/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grant: what an instance is given from outside and may change while it lives: id, name,
 * owner, lease, published ports.
 */
#ifndef PLAN_GRANT_H
#define PLAN_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define INSTANCE_ID_LENGTH 8 /* lower-case hexadecimal digits; part of every host object's name */
#define INSTANCE_NAME_MAX 63

/* A lease's deadline is absolute. Which clock it is on says what moves it. */
enum lease_clock {
	LEASE_BOOTTIME, /* --ttl: nanoseconds of CLOCK_BOOTTIME of the boot that the record names */
	LEASE_WALL,	/* --until: nanoseconds since the epoch, follows the wall clock */
};

/* Who set the deadline; shown by "stint show". */
enum lease_source { LEASE_FROM_BUILTIN, LEASE_FROM_TEMPLATE, LEASE_FROM_OPTION, LEASE_FROM_EXTEND };

struct lease {
	enum lease_clock clock;
	enum lease_source source;
	int64_t deadline_ns; /* on that clock */
	int64_t length_ns;   /* from the start, or the last extension, to the deadline */
	int64_t max_ns;	     /* no deadline later than this after the start; 0: no bound */
	bool max_of_quota;   /* that is the owner's quota; known only while a new one is made */
	int64_t idle_ns;     /* it ends after so long without use; 0: never for that reason */
	enum lease_source idle_source;
	int64_t frozen_ns; /* how long it may stay frozen instead of ending; 0: it just ends */
};

struct published_port {
	char *name;	       /* of the template's port */
	char *scheme;	       /* for the URL */
	char host_address[46]; /* where it is bound on the host, text */
	uint16_t host_port;
	uint16_t inside_port;
};

struct grant {
	char id[INSTANCE_ID_LENGTH + 1];
	char name[INSTANCE_NAME_MAX + 1];
	uid_t owner_uid;
	gid_t owner_gid;
	char *owner; /* login name, or the number as text */
	struct lease lease;
	struct published_port *ports;
	size_t n_ports;
	bool hold; /* early connections wait until the server is ready */
};

void grant_deinit(struct grant *grant);

#endif
