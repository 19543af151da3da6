/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the administrator of this host has set, for all instances: pure data. It comes from
 * /etc/stint/stint.yaml (templates/config.h has the reader and the defaults).
 */
#ifndef PLAN_CONFIG_H
#define PLAN_CONFIG_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#define ID_RANGE_SIZE 65536 /* ids of one instance */

/* Addresses are given out from base .. base + count - 1 (IPv4, host byte order). */
struct address_range {
	uint32_t base, count;
};

/* Instances get ranges of ID_RANGE_SIZE host ids: the n-th begins at first + n * that. */
struct id_span {
	uint32_t first; /* a multiple of ID_RANGE_SIZE */
	uint32_t count; /* of ranges; the last one ends below 2^31 */
};

/* In bytes, or in percent of what the host has; both 0: no bound. */
struct host_amount {
	uint64_t bytes;
	unsigned percent;
};

/* What all instances together may use, in percent of what the host has, and what they are promised.
 */
struct host_share {
	unsigned memory, pids, cpu;
	struct host_amount memory_limits; /* that the limits of all may add up to */
	uint64_t memory_unlimited;	  /* bytes that one without a limit counts as there */
	uint64_t disk_free;		  /* bytes of the state directory's file system */
};

/* What the instances of one restricted user may use together. Zero means no bound. */
struct quota {
	uint64_t instances, memory_bytes, cpu_millis, disk_bytes;
	int64_t ttl_ns; /* of each: no lease ends later than this after the start */
};

struct user_quota {
	char *user; /* login name */
	struct quota quota;
};

struct site_config {
	struct id_span ids;
	struct address_range addresses;
	struct in6_addr prefix6; /* of their IPv6 addresses; unspecified: they have none */
	char *cgroup; /* parent group below each hierarchy's root; NULL: the built-in one */
	struct host_share host;
	struct quota quota; /* of users that have none of their own */
	struct user_quota *quotas;
	size_t n_quotas;
};

void site_config_deinit(struct site_config *config);

/* The quota of the user, who may be unknown to the configuration. */
const struct quota *site_config_quota(const struct site_config *config, const char *user);

#endif
