/* SPDX-License-Identifier: Apache-2.0 */
/* What stays of an instance that has ended; see keep.h. In the command that ends it. */
#include "instance/keep.h"
#include "instance/disk.h"
#include "instance/harvest.h"
#include "instance/reach.h"
#include "instance/record_file.h"
#include "instance/steps.h"
#include "base/apart.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/run.h"
#include "base/text.h"
#include "plan/plan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#define HARVEST_BOUND_S 600

int keep_files(const struct site *site, const struct record *record, const struct ending *ending,
	       int64_t kept_ns, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct record kept = *record; /* a view of the same */
	int r = steps_end(site, record, err);

	kept.kept_until_ns = clock_wall_ns() + kept_ns;
	kept.grant.n_ports = 0;
	if (r == 0)
		r = store_open(site->state_path, &store, err);
	if (r == 0)
		r = store_keep(store, record->grant.id, ending, kept.kept_until_ns, err);
	if (r == 0)
		(void)record_file_write(site, &kept, NULL, NULL);
	return r;
}

int keep_open_pool(const struct site *site, const struct record *record, struct error *err)
{
	cleanup_fd int state = -1;

	if (!record->kept_until_ns)
		return reach_open(site, record->grant.id, CONTROL_POOL, CONTROL_POOL_IS, err);
	state = site_open_state_of(site, record->grant.id);
	if (state < 0)
		return error_set(err, -state, "cannot open the files of '%s'", record->grant.name);
	return disk_reopen(record, state, err);
}

/* The words of tar(1) that put the layer at its install's path; sed's marks in it are escaped. */
static void add_rule(char ***argv, size_t index, const char *install)
{
	cleanup_text struct text rule = {0};

	text_addf(&rule, "--transform=s,^layer/%zu/upper,", index);
	for (const char *c = install + 1; *c; c++)
		text_addf(&rule, "%s%c", strchr("\\&,", *c) ? "\\" : "", *c);
	text_add(&rule, ",S");
	strv_add(argv, rule.data);
}

/* Descriptors 3 and 4 of the child would be closed: it finds both through this process. */
static char **make_command(const struct record *record, int archive, int state)
{
	static const char *const words[] = {
		"tar",	    "--create",		  "--numeric-owner",	 "--sparse",
		"--xattrs", "--xattrs-include=*", "--ignore-failed-read"};
	cleanup_free char *file = xasprintf("--file=/proc/%d/fd/%d", getpid(), archive);
	cleanup_free char *log = xasprintf("--directory=/proc/%d/fd/%d", getpid(), state);
	char **argv = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_add(&argv, words[i]);
	strv_add(&argv, file);
	for (size_t i = 0; record->layers && record->layers[i]; i++)
		add_rule(&argv, i, record->layers[i]);
	for (size_t i = 0; record->layers && record->layers[i]; i++) {
		cleanup_free char *upper = xasprintf("layer/%zu/upper", i);

		strv_add(&argv, upper);
	}
	strv_add(&argv, log);
	strv_add(&argv, "log");
	return argv;
}

static int write_archive(const struct record *record, int archive, int state, struct error *err)
{
	cleanup_fd int pool = disk_reopen(record, state, err);
	cleanup_strv char **argv = NULL;
	struct stat st;
	int r;

	if (pool < 0)
		return pool;
	argv = make_command(record, archive, state);
	r = run_quietly(argv, NULL, pool, -1);
	if (r < 0 || fsync(archive) < 0 || fstat(archive, &st) < 0)
		return error_set(err, r < 0 ? -r : errno, "'tar' cannot pack the files of '%s'",
				 record->grant.name);
	return 0;
}

/*
 * In a child: it may need mounts of its own, and none of them stays. The store that its parent may
 * have open it does not touch.
 */
struct harvesting {
	const struct site *site;
	const struct record *record;
	int archive, state;
};

/* Readable when it has taken too long: others wait for this end. */
static int bound_time(void)
{
	const struct itimerspec bound = {.it_value.tv_sec = HARVEST_BOUND_S};
	int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);

	if (fd >= 0)
		timerfd_settime(fd, 0, &bound, NULL);
	return fd;
}

static int write_harvest(void *data, struct error *err)
{
	const struct harvesting *h = data;
	cleanup_fd int bound = bound_time();
	struct harvest harvest = {
		.below = strv_length(h->record->harvest) ? h->record->harvest : NULL,
		.cancel = bound,
	};
	cleanup_fd int pool = disk_reopen(h->record, h->state, err);

	return pool < 0 ? pool
			: harvest_write(h->site, h->record, pool, h->archive, "the archive",
					&harvest, err);
}

static int fill_archive(const struct site *site, const struct record *record, int archive,
			int state, struct error *err)
{
	struct harvesting harvesting = {
		.site = site, .record = record, .archive = archive, .state = state};

	return record->on_expiry == EXPIRY_HARVEST ? apart_run(write_harvest, &harvesting, -1, err)
						   : write_archive(record, archive, state, err);
}

/* One that is there was written by an end that was killed before it could say so. */
static int name_archive(const struct site *site, int archive, const char *name, struct error *err)
{
	cleanup_free char *self = xasprintf("/proc/self/fd/%d", archive);
	cleanup_fd int directory = file_open_directory(site->state, ARCHIVE_DIRECTORY);

	if ((linkat(AT_FDCWD, self, site->state, name, AT_SYMLINK_FOLLOW) < 0 && errno != EEXIST) ||
	    fsync(directory) < 0)
		return error_set(err, errno, "cannot create '%s/%s'", site->state_path, name);
	return 0;
}

int keep_archive(const struct site *site, const struct record *record, char **ret_name,
		 struct error *err)
{
	cleanup_free char *name =
		xasprintf(ARCHIVE_DIRECTORY "/%s-%s.tar%s", record->grant.name, record->grant.id,
			  record->on_expiry == EXPIRY_HARVEST ? ".zst" : "");
	cleanup_fd int state = site_open_state_of(site, record->grant.id);
	cleanup_fd int archive = -1;
	int r;

	if (state < 0)
		return error_set(err, -state, "cannot open the files of '%s'", record->grant.name);
	if (mkdirat(site->state, ARCHIVE_DIRECTORY, 0700) < 0 && errno != EEXIST)
		return error_set(err, errno, "cannot make '%s/" ARCHIVE_DIRECTORY "'",
				 site->state_path);
	/* without a name until it is complete */
	archive = openat(site->state, ARCHIVE_DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (archive < 0)
		return error_set(err, errno, "cannot create '%s/%s'", site->state_path, name);
	r = fill_archive(site, record, archive, state, err);
	if (r == 0)
		r = name_archive(site, archive, name, err);
	if (r < 0)
		return r;
	*ret_name = steal_ptr(name);
	return 0;
}

void keep_prune_archives(const struct site *site)
{
	int fd = file_open_directory(site->state, ARCHIVE_DIRECTORY);
	int64_t oldest = (clock_wall_ns() - ARCHIVE_KEPT_NS) / NSEC_PER_SEC;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	struct stat st;

	while (dir && (entry = readdir(dir)))
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtim.tv_sec < oldest)
			unlinkat(fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
}
