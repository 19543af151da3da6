/* SPDX-License-Identifier: Apache-2.0 */
/* Layers above installs; see above.h. In commands. */
#include "instance/above.h"
#include "instance/check.h"
#include "instance/lowers.h"
#include "instance/saved.h"
#include "base/cleanup.h"
#include "base/path.h"
#include "base/text.h"
#include "install/image.h"
#include "rootfs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* At the last ":/": the directory may have a colon in its name. */
void above_split(const char *word, char **ret_directory, char **ret_install)
{
	const char *colon = NULL;

	for (const char *at = word; (at = strstr(at, ":/")); at++)
		colon = at;
	*ret_directory =
		xasprintf("%.*s", (int)(colon ? (size_t)(colon - word) : strlen(word)), word);
	*ret_install = xstrdup(colon ? colon + 1 : "");
}

char **above_of(char *const *above, size_t i)
{
	char **list = NULL;

	for (; above && *above; above++) {
		const char *colon = strchr(*above, ':');

		if (colon && (i == SIZE_MAX || strtoul(*above, NULL, 10) == i))
			strv_add(&list, colon + 1);
	}
	return list;
}

static int find_install(const struct plan *plan, const char *word, const char *install,
			size_t *ret_index, struct error *err)
{
	size_t n = strv_length(plan->install);

	if (!*install && n == 1) {
		*ret_index = 0;
		return 0;
	}
	if (!*install)
		return error_say(err, ERROR_FAILED,
				 "layer '%s': the template has %zu install directories; say which "
				 "one it lies above: %s:%s",
				 word, n, word, n ? plan->install[0] : "/opt/server");
	for (size_t i = 0; i < n; i++)
		if (strcmp(plan->install[i], install) == 0) {
			*ret_index = i;
			return 0;
		}
	return error_say(err, ERROR_FAILED,
			 "layer '%s': '%s' is no install directory of the template%s%s", word,
			 install, n ? "; there is " : "", n ? plan->install[0] : "");
}

static int check_directory(const char *directory, char **ret_real, struct error *err)
{
	char *const alone[] = {(char *)directory, NULL};
	cleanup_free char *real = realpath(directory, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return error_set(err, errno, "layer '%s'", directory);
	if (!S_ISDIR(st.st_mode))
		return error_say(err, ERROR_FAILED, "layer '%s' is not a directory", directory);
	if (check_install(alone, err) < 0)
		return err->code;
	*ret_real = steal_ptr(real);
	return 0;
}

static int say_overlap(const char *directory, const char *other, struct error *err)
{
	return error_say(err, ERROR_FAILED, "layer '%s' and '%s' overlap", directory, other);
}

/* An overlay must not lie on what another one, or itself, writes. */
static int check_overlap(const struct site *site, const struct plan *plan, char *const *above,
			 const char *directory, struct error *err)
{
	if (path_is_within(site->state_path, directory) ||
	    (path_is_within(directory, site->state_path) && !saved_has(site, directory)))
		return error_say(err, ERROR_FAILED,
				 "layer '%s': what is in '%s' is stint's own, and changes",
				 directory, site->state_path);
	for (size_t i = 0; plan->install && plan->install[i]; i++)
		if (path_is_within(directory, plan->install[i]) ||
		    path_is_within(plan->install[i], directory))
			return say_overlap(directory, plan->install[i], err);
	for (; above && *above; above++) {
		const char *other = strchr(*above, ':') + 1;

		if (path_is_within(directory, other) || path_is_within(other, directory))
			return say_overlap(directory, other, err);
	}
	return 0;
}

static int add(const struct site *site, const struct plan *plan, const char *word, char ***above,
	       struct error *err)
{
	cleanup_free char *directory = NULL, *install = NULL, *real = NULL, *entry = NULL;
	size_t index = 0;
	int r;

	above_split(word, &directory, &install);
	path_trim(install);
	r = find_install(plan, word, install, &index, err);
	if (r == 0)
		r = check_directory(directory, &real, err);
	if (r == 0)
		r = check_overlap(site, plan, *above, real, err);
	if (r < 0)
		return r;
	entry = xasprintf("%zu:%s", index, real);
	strv_add(above, entry);
	return 0;
}

int above_find(const struct site *site, const struct plan *plan, char ***ret_above,
	       struct error *err)
{
	cleanup_strv char **above = NULL;
	int r = 0;

	if (strv_length(plan->layers) > PLAN_ABOVE_MAX)
		return error_say(err, ERROR_FAILED, "more than %d layers", PLAN_ABOVE_MAX);
	for (size_t i = 0; r == 0 && plan->layers && plan->layers[i]; i++)
		r = add(site, plan, plan->layers[i], &above, err);
	if (r == 0)
		*ret_above = steal_ptr(above);
	return r;
}

/* An overlay is made of what is mounted in the namespace of whoever makes it. */
static int open_base(const struct site *site, const char *path, const char *install,
		     struct error *err)
{
	cleanup_fd int base = -1, target = -1;
	int r;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set(err, errno, "cannot make a mount namespace");
	base = lower_open(path, install, err);
	if (base < 0 || lower_is_live(path, install) || !image_exists(path))
		return steal_fd(&base);
	target = open(site->run_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = target < 0 ? -errno : mount_attach(base, target);
	return r < 0 ? error_set(err, -r, "cannot show '%s'", path) : steal_fd(&base);
}

static int open_layers(char *const *directories, int *fds, struct text *options, struct error *err)
{
	size_t n = strv_length(directories);

	text_add(options, "lowerdir=");
	for (size_t i = n; i-- > 0;) {
		fds[i] = open(directories[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fds[i] < 0)
			return error_set(err, errno, "cannot open layer '%s'", directories[i]);
		text_addf(options, "/proc/self/fd/%d:", fds[i]);
	}
	return 0;
}

static int merge(const struct site *site, const char *path, const char *install,
		 char *const *directories, struct error *err)
{
	cleanup_fd int base = open_base(site, path, install, err);
	cleanup_text struct text options = {0};
	int fds[PLAN_ABOVE_MAX], view, r;

	if (base < 0)
		return base;
	memset(fds, -1, sizeof(fds));
	r = open_layers(directories, fds, &options, err);
	text_addf(&options, "/proc/self/fd/%d,redirect_dir=follow", base);
	view = r < 0 ? r : mount_new("overlay", options.data, READ_ONLY);
	for (size_t i = 0; i < PLAN_ABOVE_MAX; i++)
		cleanup_close(&fds[i]);
	if (r == 0 && view < 0)
		return error_set(err, -view, "cannot merge '%s' with the layers above it", path);
	return view;
}

int above_open(const struct site *site, const struct record *record, size_t i, struct error *err)
{
	cleanup_strv char **paths = lowers_of(site, record);
	cleanup_strv char **directories = above_of(record->above, i);

	if (!strv_length(directories))
		return lower_open(paths[i], record->layers[i], err);
	if (strv_length(directories) > PLAN_ABOVE_MAX)
		return error_set(err, EBADMSG, "the record of '%s'", record->grant.name);
	return merge(site, paths[i], record->layers[i], directories, err);
}
