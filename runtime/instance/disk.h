/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit of what an instance writes: all of it, temporary files included, goes into one *pool*
 * that cannot grow beyond the figure. What holds the pool is a backend, chosen by figure and host
 * before anything is made and named in the record. Without a limit the pool is the instance's state
 * directory, bounded by nothing but the file system. In commands.
 *
 *   POOL/layer/N/{upper,work}   the instance's copy of its N-th install directory
 *   POOL/root/...               with a limit only: /tmp, /var, /run and homes, shown by bind
 */
#ifndef INSTANCE_DISK_H
#define INSTANCE_DISK_H

#include "instance/steps.h"
#include "plan/plan.h"
#include "rootfs/rootfs.h"

#include <stdbool.h>
#include <stdint.h>

#define DISK_MIN (16ULL << 20)

/* How a figure is shared out. The first two are file systems in memory of a fixed size. */
struct disk_shares {
	uint64_t root; /* "/" itself: the generated /etc and mount points */
	uint64_t shm;  /* /dev/shm */
	uint64_t pool; /* everything else */
};

void disk_share(uint64_t figure, struct disk_shares *ret_shares);

/* One file for so many bytes: a flood of empty files ends as well. */
uint64_t disk_inodes(uint64_t pool);

/*
 * Fills record->disk_bytes and record->disk (the backend's name, NULL without a limit) for a record
 * that is about to be written. own_ids: the instance has a user namespace. ERROR_REFUSED with a
 * figure that is too small, or when nothing on this host can hold the limit, with what to do,
 * unless the plan allows to go without; also when the file system of the state directory is nearly
 * full. A pool that may be wanted after the instance's end is not put into memory.
 */
int disk_choose(const struct site *site, const struct plan *plan, bool own_ids,
		struct record *record, struct error *err);

/* What of the state directory's file system a record needs that disk_choose has filled. */
void disk_set_budget(const struct site *site, const struct record *record,
		     struct host_budget *budget);

/* What would hold such a limit here, for people; NULL, with the reason in err, when nothing does.
 */
const char *disk_offer(const struct site *site, uint64_t figure, bool own_ids, struct error *err);

/*
 * Makes the pool of a record with its layers' parent; state is the open STATE/i/ID. The descriptor
 * is the pool's top directory; of a detached one (disk_is_detached) it is also what keeps it alive.
 */
int disk_prepare(const struct site *site, const struct record *record, int state, int *ret_pool,
		 struct error *err);

/*
 * For a keeper that succeeds another: a pool that it can attach, from that one's. It is the same
 * with what is in it, or, in memory, an empty one in its place.
 */
int disk_renew(const struct record *record, int pool, int *ret_pool, struct error *err);

/*
 * The pool of an instance that has ended, opened again; state as above. ERROR_REFUSED for one that
 * was in memory: ask for a pool that lasts (disk_choose).
 */
int disk_reopen(const struct record *record, int state, struct error *err);

/* What is not ended by the kernel and not removed with the state directory. May run twice. */
int disk_undo(const struct site *site, const struct record *record, struct error *err);

/*
 * Project quotas of instances that no file is charged to: the state directory's file system is
 * shared by all installations, and so no other one's instance is taken for a leftover.
 */
void disk_each_empty_quota(const struct site *site, void (*each)(uint32_t project, void *data),
			   void *data);
int disk_forget_quota(const struct site *site, uint32_t project);

/* True when the pool is a mount that no path leads to. */
bool disk_is_detached(const struct record *record);

/* The pool's path from the state directory, "" where that is the pool itself; NULL: detached. */
const char *disk_path(const struct record *record);

/* What holds the limit, for people: "a project quota"; NULL without one. */
const char *disk_words(const struct record *record);

/* Paths and sizes of the pool for rootfs_compile(); the two paths of input are the caller's. */
void disk_fill_input(const struct site *site, const struct record *record,
		     struct rootfs_input *input);

/* Makes what is ROOT_SCRATCH in ops, in the pool. */
int disk_make_scratch(int pool, const struct root_ops *ops, struct error *err);

/* As the kernel has it. */
struct disk_usage {
	uint64_t limit, used; /* bytes */
};

/* pool: from the instance's keeper (reach.h) or from disk_prepare. */
int disk_read(const struct record *record, int pool, struct disk_usage *ret_usage);

/* What came of the limit, if one was asked for: read back, or why there is none (limits.h). */
int disk_note(const struct site *site, const struct plan *plan, const struct record *record,
	      const struct prepared *prepared, struct error *err);

#endif
