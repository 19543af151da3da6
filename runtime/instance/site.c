/* SPDX-License-Identifier: Apache-2.0 */
/* Where stint keeps things; see site.h. In every command. */
#include "instance/site.h"
#include "cgroup/cgroup.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "base/weaken.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define FORWARDER_UID 65210 /* nobody's: in a range that distributions leave unused */

static char *below_root(const char *root, const char *path)
{
	return xasprintf("%s%s", root ? root : "", path);
}

/* Tests of several roots share one host: their groups must not be one another's. */
static uint32_t hash_of(const char *root)
{
	uint32_t hash = 2166136261U;

	for (const char *c = root; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619U;
	return hash;
}

static char *group_name(const char *root)
{
	return root ? xasprintf("stint-%08x", hash_of(root)) : xstrdup("stint");
}

/* 0x73, twelve bits of the root, and room for a zone's number; without a root these bits are 0. */
static uint32_t interface_group(const char *root)
{
	return 0x73000000 | (root ? (hash_of(root) % 4095 + 1) << 12 : 0);
}

static void choose_group(struct site *site, const char *wanted)
{
	cleanup_free char *name = group_name(site->root);

	free(site->cgroup);
	site->cgroup = cgroup_choose_parent("", wanted, name);
}

static int find_programs(struct site *site, struct error *err)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n < 0)
		return error_set(err, errno, "cannot read '/proc/self/exe'");
	path[n] = '\0';
	site->stint = xstrdup(path);
	for (int i = 0; i < 2; i++) {
		slash = strrchr(path, '/');
		if (slash)
			*slash = '\0';
	}
	site->keeper = xasprintf("%s/libexec/stint/stint-keeper", path);
	site->share = xasprintf("%s/share/stint", path);
	return 0;
}

int site_locate(struct site *ret_site, struct error *err)
{
	const char *root = getenv("STINT_ROOT");

	*ret_site = (struct site){.state = -1, .run = -1};
	if (root && (!*root || geteuid() != 0))
		root = NULL;
	if (root && root[0] != '/')
		return error_say(err, ERROR_USAGE, "STINT_ROOT '%s' is not an absolute path", root);
	/* the root of an instance is built on top of /dev: layers below it would be covered */
	if (root && strncmp(root, "/dev/", 5) == 0)
		return error_say(err, ERROR_USAGE, "STINT_ROOT '%s' cannot lie below '/dev'", root);
	ret_site->root = root ? xstrdup(root) : NULL;
	ret_site->config_path = below_root(root, "/etc/stint");
	ret_site->state_path = below_root(root, "/var/lib/stint");
	ret_site->run_path = below_root(root, "/run/stint");
	choose_group(ret_site, NULL);
	ret_site->interface_group = interface_group(ret_site->root);
	ret_site->firewall = root ? xasprintf("stint_%03x", ret_site->interface_group >> 12 & 0xfff)
				  : xstrdup("stint");
	ret_site->forwarder_uid = FORWARDER_UID;
	return find_programs(ret_site, err);
}

/* Who finds it as it should be needs to change nothing. */
static int close_to_others(int fd)
{
	const mode_t mode = weakened("places") ? 0755 : 0700;
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & 07777) == mode)
		return 0;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int open_place(const char *path, struct error *err)
{
	int fd = file_open_directory(AT_FDCWD, path);
	int r;

	if (fd == -ENOENT) {
		r = file_make_directories(AT_FDCWD, path, 0755);
		if (r < 0)
			return error_set(err, -r, "cannot make directory '%s'", path);
		fd = file_open_directory(AT_FDCWD, path);
	}
	if (fd < 0)
		return error_set(err, -fd, "cannot open directory '%s'", path);
	r = close_to_others(fd);
	if (r < 0) {
		error_set(err, -r, "cannot close directory '%s' to others", path);
		close(fd);
		return r;
	}
	return fd;
}

static int make_inner(int dirfd, const char *path, const char *name, struct error *err)
{
	if (mkdirat(dirfd, name, weakened("places") ? 0755 : 0700) < 0 && errno != EEXIST)
		return error_set(err, errno, "cannot make directory '%s/%s'", path, name);
	return 0;
}

static bool is_read_only(int fd)
{
	struct statvfs fs;

	return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

int site_check_writable(const struct site *site, struct error *err)
{
	if (!site->read_only)
		return 0;
	error_say(err, ERROR_FAILED,
		  "'%s' is on a file system that is mounted read-only, so nothing can be started, "
		  "changed or ended: mount it for writing, or see in the kernel's messages whether "
		  "its disk failed",
		  site->state_path);
	return error_with_code(err, -EROFS);
}

int site_open_store_to_read(const struct site *site, struct store **ret_store, struct error *err)
{
	return site->read_only ? store_open_to_read(site->state_path, ret_store, err)
			       : store_open(site->state_path, ret_store, err);
}

int site_open(struct site *ret_site, struct error *err)
{
	int r = site_locate(ret_site, err);

	if (r < 0)
		return r;
	if (geteuid() != 0)
		return error_say(
			err, ERROR_REFUSED,
			"stint needs root to make namespaces and mounts; run it with sudo");
	ret_site->state = open_place(ret_site->state_path, err);
	if (ret_site->state < 0)
		return ret_site->state;
	ret_site->read_only = is_read_only(ret_site->state);
	ret_site->run = open_place(ret_site->run_path, err);
	if (ret_site->run < 0)
		return ret_site->run;
	r = make_inner(ret_site->state, ret_site->state_path, "i", err);
	if (r == 0)
		r = make_inner(ret_site->state, ret_site->state_path, "seccomp", err);
	if (r == 0)
		r = make_inner(ret_site->run, ret_site->run_path, "i", err);
	if (r == 0)
		r = make_inner(ret_site->run, ret_site->run_path, "lock", err);
	return r;
}

void site_configure(struct site *site, struct site_config *config)
{
	site_config_deinit(&site->config);
	site->config = *config;
	*config = (struct site_config){0};
	site->admission.addresses = site->config.addresses;
	site->admission.prefix6 = site->config.prefix6;
	site->admission.ids = site->config.ids;
	choose_group(site, site->config.cgroup);
}

void site_close(struct site *site)
{
	site_config_deinit(&site->config);
	free(site->root);
	free(site->config_path);
	free(site->state_path);
	free(site->run_path);
	free(site->stint);
	free(site->keeper);
	free(site->share);
	free(site->cgroup);
	free(site->firewall);
	cleanup_close(&site->state);
	cleanup_close(&site->run);
	*site = (struct site){.state = -1, .run = -1};
}

static int open_of(int dirfd, const char *id)
{
	cleanup_free char *path = xasprintf("i/%s", id);

	return file_open_directory(dirfd, path);
}

int site_open_state_of(const struct site *site, const char *id)
{
	return open_of(site->state, id);
}

int site_open_run_of(const struct site *site, const char *id)
{
	return open_of(site->run, id);
}
