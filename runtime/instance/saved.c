/* SPDX-License-Identifier: Apache-2.0 */
/* What there is of saved templates, and how it goes; see saved.h. */
#include "instance/saved.h"
#include "instance/above.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define MAKING ".lock"	 /* who makes or removes one */
#define LOOKING ".using" /* shared: somebody counts on what is there */
#define TEMPLATE_MAX (1U << 20)

bool saved_has(const struct site *site, const char *path)
{
	cleanup_free char *place = xasprintf("%s/" SAVED_DIRECTORY, site->state_path);

	return path_is_within(path, place) && strcmp(path, place) != 0;
}

char *saved_template_path(const struct site *site, const char *name)
{
	return xasprintf("%s/templates/%s.yaml", site->config_path, name);
}

/* A lock that nobody waits for in vain: with LOCK_NB, -EWOULDBLOCK. */
static int take_lock(int directory, const char *name, int operation)
{
	cleanup_fd int fd =
		openat(directory, name, O_CREAT | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || flock(fd, operation) < 0)
		return -errno;
	return steal_fd(&fd);
}

int saved_hold(const struct site *site)
{
	cleanup_fd int directory = file_open_directory(site->state, SAVED_DIRECTORY);

	return directory < 0 ? -1 : take_lock(directory, LOOKING, LOCK_SH);
}

int saved_open(const struct site *site, int *ret_lock, struct error *err)
{
	cleanup_fd int directory = -1;
	int lock;

	if (mkdirat(site->state, SAVED_DIRECTORY, 0700) < 0 && errno != EEXIST)
		return error_set(err, errno, "cannot make '%s/" SAVED_DIRECTORY "'",
				 site->state_path);
	directory = file_open_directory(site->state, SAVED_DIRECTORY);
	lock = directory < 0 ? directory : take_lock(directory, MAKING, LOCK_EX | LOCK_NB);
	if (lock == -EWOULDBLOCK) {
		error_say(err, ERROR_FAILED,
			  "another command is saving or removing a template; try again when it is "
			  "done");
		return error_with_code(err, -EBUSY);
	}
	if (lock < 0)
		return error_set(err, -lock, "cannot open '%s/" SAVED_DIRECTORY "'",
				 site->state_path);
	*ret_lock = lock;
	return steal_fd(&directory);
}

/* The lowers of others are directories of it, or it. */
static int check_instances(const struct site *site, const char *layer, struct error *err)
{
	cleanup_store struct store *store = NULL;
	struct record **records = NULL;
	size_t n = 0;
	int r = store_open(site->state_path, &store, err);

	if (r == 0)
		r = store_list(store, &records, &n, err);
	for (size_t i = 0; r == 0 && i < n; i++) {
		cleanup_strv char **above = above_of(records[i]->above, SIZE_MAX);

		for (size_t j = 0; r == 0 && above && above[j]; j++)
			if (path_is_within(above[j], layer))
				r = error_say(err, ERROR_REFUSED,
					      "instance '%s' was started on it; end that first",
					      records[i]->grant.name);
	}
	record_list_free(records, n);
	return r;
}

/* "extends: NAME", in whatever quotes, at the beginning of a line. */
static bool extends(const char *text, const char *name)
{
	static const char key[] = "extends:";

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *word;
		size_t length;

		line += *line == '\n';
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		word = line + strlen(key);
		word += strspn(word, " \t\"'");
		length = strcspn(word, " \t\"'#\r\n");
		if (length == strlen(name) && strncmp(word, name, length) == 0)
			return true;
	}
	return false;
}

/* By the text: a template that only seems to name it keeps it, and that is no harm. */
static int check_template(int directory, const char *file, const char *name, const char *layer,
			  struct error *err)
{
	cleanup_free char *text = NULL;
	int r = file_read(directory, file, TEMPLATE_MAX, &text, NULL);

	if (r < 0)
		return r == -EISDIR ? 0 : error_set(err, -r, "cannot read the template '%s'", file);
	if (extends(text, name))
		return error_say(err, ERROR_REFUSED,
				 "the template '%s' extends it; remove that first", file);
	if (strstr(text, layer))
		return error_say(err, ERROR_REFUSED,
				 "the template '%s' names its layers, too; remove that first",
				 file);
	return 0;
}

static int check_templates(const struct site *site, const char *name, const char *layer,
			   struct error *err)
{
	cleanup_free char *place = xasprintf("%s/templates", site->config_path);
	cleanup_free char *own = xasprintf("%s.yaml", name);
	cleanup_free char *prefix = xasprintf("%s/", layer);
	cleanup_dir DIR *dir = opendir(place);
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return error_set(err, errno, "cannot read '%s'", place);
	while (r == 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && strcmp(entry->d_name, own) != 0)
			r = check_template(dirfd(dir), entry->d_name, name, prefix, err);
	return r;
}

/* Half of them would be no mark any more: it takes the name that a sweep knows first. */
int saved_discard(int directory, const char *name)
{
	int r = file_remove_tree(directory, SAVED_NEW);

	if (r == 0 && renameat(directory, name, directory, SAVED_NEW) < 0)
		r = -errno;
	return r < 0 ? r : file_remove_tree(directory, SAVED_NEW);
}

/* The mark first, the template then, the layers last: what is begun is ended by a sweep. */
static int remove_parts(const struct site *site, int directory, const char *name, struct error *err)
{
	cleanup_free char *path = saved_template_path(site, name);
	cleanup_fd int layers = file_open_directory(directory, name);
	cleanup_fd int mark = -1;
	int r;

	mark = openat(layers, SAVED_PENDING, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (mark < 0 || fsync(layers) < 0)
		return error_set(err, errno, "cannot mark the layers of '%s'", name);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set(err, errno, "cannot remove '%s'", path);
	r = saved_discard(directory, name);
	return r < 0 ? error_set(err, -r, "cannot remove the layers of '%s'", name) : 0;
}

int saved_remove(const struct site *site, const char *name, struct error *err)
{
	cleanup_free char *layer = xasprintf("%s/" SAVED_DIRECTORY "/%s", site->state_path, name);
	cleanup_fd int lock = -1, using = -1, directory = saved_open(site, &lock, err);
	struct stat st;
	int r = 0;

	if (directory < 0)
		return directory;
	if (!is_valid_name(name) || fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISDIR(st.st_mode))
		return error_say(err, ERROR_NOT_FOUND, "'%s' is no template that 'stint save' made",
				 name);
	using = take_lock(directory, LOOKING, LOCK_EX);
	if (using < 0)
		return error_set(err, -using, "cannot lock '%s'", layer);
	r = check_instances(site, layer, err);
	if (r == 0)
		r = check_templates(site, name, layer, err);
	if (r < 0)
		return error_prefix(err, "template '%s' stays", name);
	return remove_parts(site, directory, name, err);
}

/* Of two parts that are to be one, the template decides. */
static void settle(const struct site *site, int directory, const char *name)
{
	cleanup_free char *mark = xasprintf("%s/" SAVED_PENDING, name);
	cleanup_free char *path = saved_template_path(site, name);
	struct stat st;

	if (fstatat(directory, mark, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (stat(path, &st) == 0)
		(void)unlinkat(directory, mark, 0);
	else if (errno == ENOENT)
		(void)saved_discard(directory, name);
}

void saved_sweep(const struct site *site)
{
	cleanup_fd int lock = -1, directory = -1;
	cleanup_dir DIR *dir = NULL;
	const struct dirent *entry;
	struct stat st;

	if (fstatat(site->state, SAVED_DIRECTORY, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	directory = saved_open(site, &lock, NULL);
	if (directory < 0)
		return;
	(void)file_remove_tree(directory, SAVED_NEW);
	dir = fdopendir(fcntl(directory, F_DUPFD_CLOEXEC, 3));
	while (dir && (entry = readdir(dir)))
		if (is_valid_name(entry->d_name))
			settle(site, directory, entry->d_name);
}
