/* SPDX-License-Identifier: Apache-2.0 */
/* All layers of an instance into one archive, and that into a person's file; see harvest.h. */
#include "instance/above.h"
#include "instance/harvesting.h"
#include "instance/identity.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int pack_layer(struct packing *packing, const struct site *site, const struct record *record,
		      int pool, size_t index)
{
	cleanup_free char *path = xasprintf("layer/%zu/upper", index);
	cleanup_fd int upper = file_open_beneath(pool, path, O_PATH | O_DIRECTORY, 0);
	cleanup_fd int lower = above_open(site, record, index, packing->err);

	if (lower < 0)
		return lower;
	if (upper < 0)
		return error_set(packing->err, -upper, "cannot open the layer of '%s'",
				 record->layers[index]);
	return harvest_layer(packing, upper, lower, record->layers[index]);
}

/* To disk, where there is one: a pipe cannot. */
static int settle(int fd, const char *name, struct error *err)
{
	if (fsync(fd) < 0 && errno != EINVAL && errno != EROFS)
		return error_set(err, errno, "cannot write '%s'", name);
	return 0;
}

int harvest_write(const struct site *site, const struct record *record, int pool, int fd,
		  const char *name, struct harvest *harvest, struct error *err)
{
	struct packing packing;
	int r = packing_init(&packing, fd, name, harvest, err);

	harvest->sums = (struct harvest_sums){0};
	for (size_t i = 0; r == 0 && record->layers && record->layers[i]; i++)
		r = pack_layer(&packing, site, record, pool, i);
	if (r == 0)
		r = archive_out_finish(packing.out, err);
	packing_deinit(&packing);
	return r < 0 ? r : settle(fd, name, err);
}

/* A new file of a person's that has no name yet, or one that nobody looks for. */
struct new_file {
	const char *path;
	char *name; /* in the directory */
	char temporary[32];
	int directory, fd;
};

static void new_file_deinit(struct new_file *file)
{
	if (file->temporary[0])
		unlinkat(file->directory, file->temporary, 0);
	cleanup_close(&file->directory);
	cleanup_close(&file->fd);
	free(file->name);
}

static int open_parent(struct new_file *file, struct error *err)
{
	const char *slash = strrchr(file->path, '/');
	cleanup_free char *parent =
		slash ? xasprintf("%.*s", (int)(slash - file->path + 1), file->path) : xstrdup(".");
	struct stat st;

	file->name = xstrdup(slash ? slash + 1 : file->path);
	if (!*file->name || strcmp(file->name, ".") == 0 || strcmp(file->name, "..") == 0)
		return error_say(err, ERROR_USAGE, "'%s' names no file", file->path);
	file->directory = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->directory < 0)
		return error_set(err, errno, "cannot put anything into '%s'", parent);
	if (fstatat(file->directory, file->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return error_say(err, ERROR_EXISTS,
				 "'%s' exists, and is not overwritten; remove it, or name another "
				 "file",
				 file->path);
	return 0;
}

/* A file system without O_TMPFILE (NFS, say) gets a name that is taken away after a failure. */
static int create(struct new_file *file, struct error *err)
{
	file->fd = openat(file->directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (file->fd >= 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
		snprintf(file->temporary, sizeof(file->temporary), ".stint-harvest-%d", getpid());
		file->fd = openat(file->directory, file->temporary,
				  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	}
	if (file->fd < 0) {
		file->temporary[0] = '\0';
		return error_set(err, errno, "cannot make '%s'", file->path);
	}
	return 0;
}

/* linkat(2), not rename(2): what somebody put there meanwhile stays. */
static int give_name(const struct new_file *file, struct error *err)
{
	cleanup_free char *self = xasprintf("/proc/self/fd/%d", file->fd);
	int r = file->temporary[0]
			? linkat(file->directory, file->temporary, file->directory, file->name, 0)
			: linkat(AT_FDCWD, self, file->directory, file->name, AT_SYMLINK_FOLLOW);

	if (r < 0 && errno == EEXIST)
		return error_say(err, ERROR_EXISTS, "'%s' was made by somebody else meanwhile",
				 file->path);
	if (r < 0 || (fsync(file->directory) < 0 && errno != EINVAL))
		return error_set(err, errno, "cannot make '%s'", file->path);
	return 0;
}

int harvest_to_file(const struct site *site, const struct record *record, int pool,
		    const char *path, const struct account *person, struct harvest *harvest,
		    struct error *err)
{
	struct new_file file = {.path = path, .directory = -1, .fd = -1};
	cleanup_free char *shown = xasprintf("'%s'", path);
	struct identity identity;
	int r = identity_init(person, 0, &identity, err);

	if (r < 0)
		return r;
	r = identity_switch(&identity, WHO_PERSON, err);
	if (r == 0)
		r = open_parent(&file, err);
	if (r == 0)
		r = create(&file, err);
	if (r == 0)
		r = identity_switch(&identity, WHO_ROOT, err);
	if (r == 0)
		r = harvest_write(site, record, pool, file.fd, shown, harvest, err);
	if (r == 0)
		r = identity_switch(&identity, WHO_PERSON, err);
	if (r == 0)
		r = give_name(&file, err);
	if (r < 0)
		(void)identity_switch(&identity, WHO_PERSON, NULL);
	new_file_deinit(&file);
	identity_deinit(&identity);
	return r;
}
