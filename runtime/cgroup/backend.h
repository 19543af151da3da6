/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what sets and reads each limit, in either version. For this folder. */
#ifndef CGROUP_BACKEND_H
#define CGROUP_BACKEND_H

#include "cgroup/limits.h"

/* A limit on its way into a group. */
struct setting {
	const char *group; /* the directory */
	const struct cgroup_limits *limits;
	uint64_t value;
};

struct backend {
	bool v2;
	const char *controller;
	const char *file;
	/* Writes setting->value; 0 or a negative errno. */
	int (*write)(const struct backend *backend, const struct setting *setting);
	/* What the kernel holds now, in the limit's own measure. */
	int (*read)(const struct backend *backend, const struct setting *setting,
		    uint64_t *ret_value);
	const char *word;  /* of v2's io.max: the limit's name in the line */
	const char *usage; /* the file that says what is used */
	const char *note;  /* what it does not hold */
	bool pages;	   /* the kernel rounds down to whole pages */
	/* Why it cannot work beside the other limits, or NULL. */
	const char *(*refuses)(const struct cgroup_limits *limits);
};

/* Two of each: version 1, version 2. */
extern const struct backend cgroup_backends[CGROUP_LIMIT_KINDS][2];

/* The number in a file of the group; "max" is more than anybody asks for. */
int cgroup_read_number(const char *group, const char *file, uint64_t *ret_value);

#endif
