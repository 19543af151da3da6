/* SPDX-License-Identifier: Apache-2.0 */
/* The limit of what an instance writes: choice and table; see disk.h. In commands. */
#include "instance/disk_backend.h"
#include "instance/limits.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define ROOT_SHARE (4ULL << 20)
#define OTHERS_SHARE (128ULL << 10) /* /dev and /sys/fs/cgroup */
#define SHM_SHARE_MIN (1ULL << 20)
#define SHM_SHARE_MAX (256ULL << 20)
#define INODES_MIN 4096
#define BYTES_PER_INODE 16384
#define SPARE_MAX (64ULL << 20)
#define SPARE_FILES_MAX 1024
#define SPARE_PART 64

void disk_share(uint64_t figure, struct disk_shares *ret_shares)
{
	uint64_t shm = figure / 32;

	if (shm < SHM_SHARE_MIN)
		shm = SHM_SHARE_MIN;
	if (shm > SHM_SHARE_MAX)
		shm = SHM_SHARE_MAX;
	*ret_shares = (struct disk_shares){
		.root = ROOT_SHARE, .shm = shm, .pool = figure - ROOT_SHARE - OTHERS_SHARE - shm};
}

uint64_t disk_inodes(uint64_t pool)
{
	uint64_t inodes = pool / BYTES_PER_INODE;

	return inodes < INODES_MIN ? INODES_MIN : inodes;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

int disk_look(int fd, struct disk_room *ret_room)
{
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return -errno;
	*ret_room = (struct disk_room){
		.free = (uint64_t)fs.f_bavail * fs.f_frsize,
		.whole = (uint64_t)fs.f_blocks * fs.f_frsize,
		.spare = lesser(SPARE_MAX, (uint64_t)fs.f_blocks * fs.f_frsize / SPARE_PART),
	};
	return 0;
}

int disk_read_statfs(const struct record *record, int pool, struct disk_usage *ret_usage)
{
	struct statvfs fs;

	(void)record;
	if (fstatvfs(pool, &fs) < 0)
		return -errno;
	*ret_usage = (struct disk_usage){
		.limit = (uint64_t)(fs.f_blocks - (fs.f_bfree - fs.f_bavail)) * fs.f_frsize,
		.used = (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize,
	};
	return 0;
}

/* No limit: the pool is the state directory. */
static int offer_nothing(const struct disk_question *question, struct error *err)
{
	(void)err;
	return question->figure == 0 ? 0 : -EINVAL;
}

static int prepare_nothing(const struct record *record, int state, uint64_t pool, int *ret_pool,
			   struct error *err)
{
	int fd = fcntl(state, F_DUPFD_CLOEXEC, 3);

	(void)record;
	(void)pool;
	if (fd < 0)
		return error_set(err, errno, "cannot open the state directory again");
	*ret_pool = fd;
	return 0;
}

static int undo_nothing(const struct site *site, const struct record *record, struct error *err)
{
	(void)site;
	(void)record;
	(void)err;
	return 0;
}

static const struct disk_backend disk_nothing = {
	.path = "",
	.offer = offer_nothing,
	.prepare = prepare_nothing,
	.undo = undo_nothing,
	.read = disk_read_statfs,
};

/* In the order of preference. What the last one says is what people read when none offers. */
static const struct disk_backend *const backends[] = {&disk_nothing, &disk_project, &disk_tmpfs,
						      &disk_image};

static const struct disk_backend *backend_of(const struct record *record)
{
	for (size_t i = 1; record->disk && i < ARRAY_SIZE(backends); i++)
		if (strcmp(backends[i]->name, record->disk) == 0)
			return backends[i];
	return &disk_nothing;
}

/* Also without a limit: a host with a full disk helps nobody, not even to clean up. */
static int check_host(const struct site *site, struct error *err)
{
	struct disk_room room = {0};
	struct statvfs fs;
	char left[32];

	if (disk_look(site->state, &room) < 0 || fstatvfs(site->state, &fs) < 0)
		return error_set(err, errno, "cannot look at the file system of '%s'",
				 site->state_path);
	format_size(room.free, left, sizeof(left));
	if (room.free < room.spare)
		error_say(err, ERROR_REFUSED,
			  "the file system of '%s' is nearly full (%s left); make room, or end "
			  "instances",
			  site->state_path, left);
	else if (fs.f_favail < lesser(SPARE_FILES_MAX, fs.f_files / SPARE_PART))
		error_say(err, ERROR_REFUSED,
			  "the file system of '%s' can hold hardly any more files (%llu); remove "
			  "some, or end instances",
			  site->state_path, (unsigned long long)fs.f_favail);
	else
		return 0;
	return error_with_code(err, -ENOSPC);
}

static int check_figure(uint64_t figure, struct error *err)
{
	char asked[32], least[32];

	if (figure == 0 || figure >= DISK_MIN)
		return 0;
	format_size(figure, asked, sizeof(asked));
	format_size(DISK_MIN, least, sizeof(least));
	return error_say(err, ERROR_REFUSED,
			 "a disk limit of %s is too small for any server; the least is %s", asked,
			 least);
}

static const struct disk_backend *choose(const struct disk_question *question, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (backends[i]->offer(question, err) == 0)
			return backends[i];
	return NULL;
}

static struct disk_question ask(const struct site *site, const struct plan *plan, bool own_ids)
{
	struct disk_shares shares;

	disk_share(plan->limits.disk_bytes, &shares);
	return (struct disk_question){
		.site = site,
		.figure = plan->limits.disk_bytes,
		.pool = shares.pool,
		.memory = plan->limits.memory_bytes,
		.own_ids = own_ids,
		.lasting = plan_keeps_files(plan),
	};
}

const char *disk_offer(const struct site *site, uint64_t figure, bool own_ids, struct error *err)
{
	const struct plan plan = {.limits.disk_bytes = figure};
	const struct disk_question question = ask(site, &plan, own_ids);
	const struct disk_backend *backend = choose(&question, err);

	return backend ? backend->words : NULL;
}

int disk_choose(const struct site *site, const struct plan *plan, bool own_ids,
		struct record *record, struct error *err)
{
	struct disk_question question = ask(site, plan, own_ids);
	const struct disk_backend *backend;
	int r = check_figure(question.figure, err);

	if (r == 0)
		r = check_host(site, err);
	if (r < 0)
		return r;
	backend = choose(&question, err);
	if (!backend && !plan->best_effort)
		return err->code;
	record->disk_bytes = backend ? question.figure : 0;
	record->disk = backend && backend->name ? xstrdup(backend->name) : NULL;
	return 0;
}

int disk_note(const struct site *site, const struct plan *plan, const struct record *record,
	      const struct prepared *prepared, struct error *err)
{
	struct disk_question question = ask(site, plan, record->id_base);
	struct limit_line line = {
		.name = "disk", .asked = question.figure, .enforced = record->disk};
	struct disk_usage usage;
	struct error why = {0};
	int r;

	if (!question.figure)
		return 0;
	if (!record->disk) {
		choose(&question, &why);
		text_cutf(line.text, sizeof(line.text), "%s", why.text);
		return limits_note(prepared->run, plan, &line, err);
	}
	r = disk_read(record, prepared->pool, &usage);
	if (r < 0)
		return error_set(err, -r, "cannot read the disk limit back");
	line.set = question.figure - question.pool + usage.limit;
	snprintf(line.text, sizeof(line.text), "%s", disk_words(record));
	return limits_note(prepared->run, plan, &line, err);
}

int disk_prepare(const struct site *site, const struct record *record, int state, int *ret_pool,
		 struct error *err)
{
	struct disk_shares shares = {0};

	(void)site;
	if (record->disk)
		disk_share(record->disk_bytes, &shares);
	return backend_of(record)->prepare(record, state, shares.pool, ret_pool, err);
}

int disk_renew(const struct record *record, int pool, int *ret_pool, struct error *err)
{
	const struct disk_backend *backend = backend_of(record);
	struct disk_shares shares = {0};
	int fd;

	if (record->disk)
		disk_share(record->disk_bytes, &shares);
	if (backend->renew)
		return backend->renew(pool, shares.pool, ret_pool, err);
	fd = fcntl(pool, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return error_set(err, errno, "cannot open what the instance wrote again");
	*ret_pool = fd;
	return 0;
}

int disk_reopen(const struct record *record, int state, struct error *err)
{
	const struct disk_backend *backend = backend_of(record);
	int pool, r;

	if (backend->reopen) {
		r = backend->reopen(state, &pool, err);
		return r < 0 ? r : pool;
	}
	if (!backend->path)
		return error_say(err, ERROR_REFUSED, "what '%s' wrote was in memory only",
				 record->grant.name);
	pool = *backend->path ? file_open_directory(state, backend->path)
			      : fcntl(state, F_DUPFD_CLOEXEC, 3);
	return pool < 0 ? error_set(err, *backend->path ? -pool : errno,
				    "cannot open what '%s' wrote", record->grant.name)
			: pool;
}

int disk_undo(const struct site *site, const struct record *record, struct error *err)
{
	return backend_of(record)->undo(site, record, err);
}

void disk_set_budget(const struct site *site, const struct record *record,
		     struct host_budget *budget)
{
	const struct disk_backend *backend = backend_of(record);
	struct disk_shares shares;
	struct disk_room room = {0};

	disk_share(record->disk_bytes, &shares);
	/* what cannot be looked at was refused before */
	(void)disk_look(site->state, &room);
	budget->spare_bytes = site->config.host.disk_free;
	if (budget->spare_bytes < room.spare)
		budget->spare_bytes = room.spare;
	budget->disk_bytes = backend->takes ? backend->takes(shares.pool) : 0;
}

bool disk_is_detached(const struct record *record)
{
	return !backend_of(record)->path;
}

const char *disk_path(const struct record *record)
{
	return backend_of(record)->path;
}

const char *disk_words(const struct record *record)
{
	return backend_of(record)->words;
}

int disk_read(const struct record *record, int pool, struct disk_usage *ret_usage)
{
	return backend_of(record)->read(record, pool, ret_usage);
}
