/* SPDX-License-Identifier: Apache-2.0 */
/* What can hold a pool, behind one table (disk.c); only for the disk_*.c files. */
#ifndef INSTANCE_DISK_BACKEND_H
#define INSTANCE_DISK_BACKEND_H

#include "instance/disk.h"

struct disk_question {
	const struct site *site;
	uint64_t figure, pool; /* bytes; figure 0: no limit */
	uint64_t memory;       /* the plan's limit of memory, 0: none */
	bool own_ids;
	bool lasting; /* it is opened again when the instance has ended */
};

struct disk_backend {
	const char *name;  /* in the record */
	const char *words; /* for people */
	const char *path;  /* of the pool, from the state directory; NULL: detached */
	/* 0 when it can hold the pool here, else an error that says why not */
	int (*offer)(const struct disk_question *question, struct error *err);
	/* bytes that a pool of this size takes of the state directory's file system; NULL: none */
	uint64_t (*takes)(uint64_t pool);
	int (*prepare)(const struct record *record, int state, uint64_t pool, int *ret_pool,
		       struct error *err);
	/* When the instance has ended: NULL where path says it all, or nothing is left. */
	int (*reopen)(int state, int *ret_pool, struct error *err);
	/* For another keeper: NULL where the same descriptor will do. */
	int (*renew)(int pool, uint64_t size, int *ret_pool, struct error *err);
	int (*undo)(const struct site *site, const struct record *record, struct error *err);
	int (*read)(const struct record *record, int pool, struct disk_usage *ret_usage);
};

extern const struct disk_backend disk_project, disk_tmpfs, disk_image;

/*
 * The file system of fd: bytes that others than root may still write, and how many of them are left
 * alone, and what it has at all. A start that would leave fewer is refused.
 */
struct disk_room {
	uint64_t free, spare, whole;
};

int disk_look(int fd, struct disk_room *ret_room);

/* Reads a pool that is a file system of its own. */
int disk_read_statfs(const struct record *record, int pool, struct disk_usage *ret_usage);

#endif
