/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool that is a directory with a project quota of its own (xfs, ext4). The project's number is
 * the first of the instance's ids, which no other instance has. Only with a user namespace: without
 * one, the owner of a file may move it to another project (kernel: fileattr_set_prepare()).
 */
#include "instance/disk_backend.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POOL "pool"

/* quotactl_fd(2), Linux 5.14: older ones have no idmapped layers either. */
static int quota(int fd, int command, uint32_t id, void *data)
{
	return syscall(SYS_quotactl_fd, fd, (unsigned)QCMD(command, PRJQUOTA), id, data) < 0
		       ? -errno
		       : 0;
}

static bool is_enforced(int fd)
{
	struct fs_quota_statv state = {.qs_version = FS_QSTATV_VERSION1};

	return quota(fd, Q_XGETQSTATV, 0, &state) == 0 && (state.qs_flags & FS_QUOTA_PDQ_ENFD);
}

static int offer(const struct disk_question *question, struct error *err)
{
	if (!question->own_ids)
		return error_say(err, ERROR_REFUSED, "no user namespace");
	if (!is_enforced(question->site->state))
		return error_say(err, ERROR_REFUSED, "no project quota on '%s'",
				 question->site->state_path);
	return 0;
}

/* Some day, as it is written. */
static uint64_t takes(uint64_t pool)
{
	return pool;
}

static int set_limit(int fd, uint32_t project, uint64_t bytes, uint64_t inodes)
{
	struct if_dqblk limit = {
		.dqb_bhardlimit = bytes / QIF_DQBLKSIZE,
		.dqb_bsoftlimit = bytes / QIF_DQBLKSIZE,
		.dqb_ihardlimit = inodes,
		.dqb_isoftlimit = inodes,
		.dqb_valid = QIF_LIMITS,
	};

	return quota(fd, Q_SETQUOTA, project, &limit);
}

static int set_project(int fd, uint32_t project)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return -errno;
	attributes.fsx_projid = project;
	attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attributes) < 0 ? -errno : 0;
}

static int read_quota(const struct record *record, int pool, struct disk_usage *ret_usage)
{
	struct if_dqblk found;
	int r = quota(pool, Q_GETQUOTA, record->id_base, &found);

	if (r < 0)
		return r;
	*ret_usage = (struct disk_usage){.limit = found.dqb_bhardlimit * QIF_DQBLKSIZE,
					 .used = found.dqb_curspace};
	return 0;
}

static int prepare(const struct record *record, int state, uint64_t pool, int *ret_pool,
		   struct error *err)
{
	struct disk_usage usage = {0};
	cleanup_fd int fd = -1;
	int r;

	if (!record->id_base)
		return error_say(err, ERROR_FAILED, "a project quota needs a user namespace");
	if (mkdirat(state, POOL, 0700) < 0)
		return error_set(err, errno, "cannot make the pool");
	fd = file_open_directory(state, POOL);
	r = fd < 0 ? fd : set_limit(fd, record->id_base, pool, disk_inodes(pool));
	if (r == 0)
		r = set_project(fd, record->id_base);
	if (r == 0)
		r = read_quota(record, fd, &usage);
	if (r < 0)
		return error_set(err, -r, "cannot set the quota of project %u", record->id_base);
	if (usage.limit != pool / QIF_DQBLKSIZE * QIF_DQBLKSIZE)
		return error_say(err, ERROR_FAILED, "the quota of project %u did not take",
				 record->id_base);
	*ret_pool = steal_fd(&fd);
	return 0;
}

static int undo(const struct site *site, const struct record *record, struct error *err)
{
	int r;

	if (!record->id_base || !is_enforced(site->state))
		return 0;
	r = set_limit(site->state, record->id_base, 0, 0);
	return r == 0 ? 0
		      : error_set(err, -r, "cannot clear the quota of project %u", record->id_base);
}

/* One after the other, as the kernel numbers them; a limit on nothing is what an undo left. */
void disk_each_empty_quota(const struct site *site, void (*each)(uint32_t project, void *data),
			   void *data)
{
	const struct id_span *ids = &site->config.ids;
	uint64_t end = ids->first + (uint64_t)ids->count * ID_RANGE_SIZE;
	struct if_nextdqblk found = {.dqb_id = ids->first};

	if (!ids->count || !is_enforced(site->state))
		return;
	while (quota(site->state, Q_GETNEXTQUOTA, found.dqb_id, &found) == 0 &&
	       found.dqb_id < end) {
		if (found.dqb_bhardlimit && !found.dqb_curinodes)
			each(found.dqb_id, data);
		found.dqb_id++;
	}
}

int disk_forget_quota(const struct site *site, uint32_t project)
{
	return set_limit(site->state, project, 0, 0);
}

const struct disk_backend disk_project = {
	.name = "project",
	.words = "a project quota",
	.path = POOL,
	.offer = offer,
	.takes = takes,
	.prepare = prepare,
	.undo = undo,
	.read = read_quota,
};
