/* SPDX-License-Identifier: Apache-2.0 */
/* What of a plan depends on this host; see check.h. In the command that starts an instance. */
#include "instance/check.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/path.h"
#include "base/text.h"
#include "plan/characters.h"
#include "plan/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

static int check_directory(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0 && errno == ENOENT)
		return error_say(err, ERROR_FAILED,
				 "install directory '%s' does not exist; install the server there, "
				 "or correct 'install:' in the template",
				 path);
	if (stat(path, &st) < 0)
		return error_set(err, errno, "cannot see install directory '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return error_say(err, ERROR_FAILED, "install directory '%s' is not a directory",
				 path);
	return 0;
}

static int refuse_mount(const char *install, const char *point, struct error *err)
{
	return error_say(err, ERROR_FAILED,
			 "install directory '%s' has another file system mounted below it, at "
			 "'%s'; an instance would not see it",
			 install, point);
}

/* The kernel names mount points without symbolic links on the way: so is real. */
static int check_mounts(const char *install, const char *real, const char *mountinfo,
			struct error *err)
{
	cleanup_free char *copy = xstrdup(mountinfo);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		char point[PATH_MAX];

		if (sscanf(line, "%*d %*d %*s %*s %4095s", point) != 1)
			continue;
		unescape_octal(point);
		if (strcmp(point, real) != 0 && path_is_within(point, real))
			return refuse_mount(install, point, err);
	}
	return 0;
}

int check_install(char *const *directories, struct error *err)
{
	cleanup_free char *mountinfo = NULL;
	int r = file_read(AT_FDCWD, "/proc/self/mountinfo", 16 << 20, &mountinfo, NULL);

	if (r < 0)
		return error_set(err, -r, "cannot read '/proc/self/mountinfo'");
	for (size_t i = 0; r == 0 && directories && directories[i]; i++) {
		const char *install = directories[i];
		cleanup_free char *real = NULL;

		r = check_directory(install, err);
		if (r < 0)
			return r;
		real = realpath(install, NULL);
		r = real ? check_mounts(install, real, mountinfo, err)
			 : error_set(err, errno, "cannot see install directory '%s'", install);
	}
	return r;
}

int check_install_paths(char *const *paths, struct error *err)
{
	for (size_t i = 0; paths[i]; i++) {
		const char *fault = strcmp(paths[i], "/") == 0 ? "is the whole host"
				    : path_fault(paths[i])     ? path_fault(paths[i])
							       : characters_fault(paths[i], "");

		if (fault)
			return error_say(err, ERROR_USAGE,
					 "'%s' %s; write a path such as /opt/server", paths[i],
					 fault);
		for (size_t j = 0; j < i; j++)
			if (path_is_within(paths[i], paths[j]) ||
			    path_is_within(paths[j], paths[i]))
				return error_say(err, ERROR_USAGE, "'%s' and '%s' overlap",
						 paths[j], paths[i]);
	}
	return check_install(paths, err);
}

/* Shown to every instance already. */
static const char *const always[] = {"/usr", "/etc/alternatives", "/etc/ssl/certs"};

/* An instance has its own of these; a pattern or a link may lead there all the same. */
static const char *const never[] = {"/proc", "/sys", "/dev"};

static int check_path(const char *path, struct error *err)
{
	cleanup_free char *real = realpath(path, NULL);

	if (!real)
		return error_set(err, errno, "cannot see path '%s'", path);
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (path_is_within(real, never[i]) || strcmp(real, "/") == 0)
			return error_say(err, ERROR_FAILED,
					 "path '%s' cannot be shown: every instance has its own %s",
					 path, strcmp(real, "/") == 0 ? "root" : never[i]);
	return 0;
}

static int add_path(const struct plan *plan, const char *path, char ***paths, struct error *err)
{
	int r = check_path(path, err);

	if (r < 0)
		return r;
	for (size_t i = 0; plan->install && plan->install[i]; i++)
		if (path_is_within(path, plan->install[i]) ||
		    path_is_within(plan->install[i], path))
			return error_say(err, ERROR_FAILED,
					 "path '%s' and install directory '%s' overlap", path,
					 plan->install[i]);
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		if (path_is_within(path, always[i]))
			return 0;
	strv_add(paths, path);
	return 0;
}

static int expand_one(const struct plan *plan, const char *pattern, char ***paths,
		      struct error *err)
{
	bool plain = !strpbrk(pattern, "*?[");
	glob_t found = {0};
	int r = glob(pattern, GLOB_NOSORT, NULL, &found);

	if (r == GLOB_NOMATCH && plain)
		r = error_say(err, ERROR_FAILED, "path '%s' does not exist on this host", pattern);
	else if (r != 0 && r != GLOB_NOMATCH)
		r = error_say(err, ERROR_FAILED, "cannot expand path '%s'", pattern);
	else
		r = 0;
	for (size_t i = 0; r == 0 && i < found.gl_pathc; i++)
		r = add_path(plan, found.gl_pathv[i], paths, err);
	globfree(&found);
	return r;
}

int check_paths(const struct plan *plan, char ***ret_paths, struct error *err)
{
	cleanup_strv char **paths = NULL;

	for (size_t i = 0; plan->paths && plan->paths[i]; i++) {
		int r = expand_one(plan, plan->paths[i], &paths, err);

		if (r < 0)
			return r;
	}
	*ret_paths = steal_ptr(paths);
	return 0;
}

int check_supported(const struct plan *plan, struct error *err)
{
	return plan->tier ? tier_check(plan->tier, "'tier:' of the template", err) : 0;
}

int check_harvest(const struct plan *plan, struct error *err)
{
	for (size_t i = 0; plan->harvest && plan->harvest[i]; i++) {
		bool found = false;

		for (size_t j = 0; plan->install && plan->install[j]; j++)
			found |= path_is_within(plan->harvest[i], plan->install[j]);
		if (!found)
			return error_say(
				err, ERROR_FAILED,
				"harvest: '%s' lies in no install directory, and nothing else "
				"is kept of what an instance writes",
				plan->harvest[i]);
	}
	return 0;
}
