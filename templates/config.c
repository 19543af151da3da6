/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the configuration's keys, and the file; see config.h. */
#include "templates/config.h"
#include "templates/config_keywords.h"
#include "templates/document.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG(field) offsetof(struct site_config, field)
#define QUOTA(field) offsetof(struct quota, field)

static int check_span(struct reading *reading, const struct keyword *keyword,
		      const struct node *node)
{
	const struct id_span *ids = &reading->config->ids;

	(void)keyword;
	if (ids->first + (uint64_t)ids->count * ID_RANGE_SIZE <= 1ULL << 31)
		return 0;
	return node_error(
		node, reading->err,
		"%u ranges of 65536 ids from %u on reach beyond 2147483647; write a lower "
		"first or a smaller count",
		ids->count, ids->first);
}

static int set_quota(struct reading *reading, const struct keyword *keyword,
		     const struct node *node);
static int set_quotas(struct reading *reading, const struct keyword *keyword,
		      const struct node *node);

/* Within what systemd leaves to containers (524288 to 1879048191), at its quiet end. */
static const struct keyword ids_keywords[] = {
	{
		.name = "first",
		.type = &type_first_id,
		.fallback = "1310720000",
		.doc = "The first host id, a multiple of 65536.",
		.offset = CONFIG(ids.first),
	},
	{
		.name = "count",
		.type = &type_id_count,
		.fallback = "8000",
		.doc = "How many ranges of 65536 ids there are: one for each instance.",
		.offset = CONFIG(ids.count),
	},
	{0},
};

static const struct keyword host_keywords[] = {
	{
		.name = "memory",
		.type = &type_percent,
		.fallback = "80%",
		.doc = "Of the host's memory.",
		.offset = CONFIG(host.memory),
	},
	{
		.name = "pids",
		.type = &type_percent,
		.fallback = "50%",
		.doc = "Of the tasks that the kernel allows at all.",
		.offset = CONFIG(host.pids),
	},
	{
		.name = "cpu",
		.type = &type_percent,
		.fallback = "100%",
		.doc = "Of the host's processors.",
		.offset = CONFIG(host.cpu),
	},
	{
		.name = "memory_limits",
		.type = &type_host_amount,
		.fallback = "100%",
		.doc = "What the memory limits of all instances may add up to; what would go "
		       "beyond is not started.",
		.offset = CONFIG(host.memory_limits),
	},
	{
		.name = "memory_unlimited",
		.type = &type_size,
		.fallback = "none",
		.doc = "What an instance without a memory limit counts as in that sum.",
		.offset = CONFIG(host.memory_unlimited),
	},
	{
		.name = "disk_free",
		.type = &type_size,
		.fallback = "none",
		.doc = "What stays free on the file system of the state directory; 64 MiB always "
		       "do.",
		.offset = CONFIG(host.disk_free),
	},
	{0},
};

/* Offsets are in struct quota: the table is used for everybody's and for single users'. */
static const struct keyword quota_keywords[] = {
	{
		.name = "instances",
		.type = &type_instances,
		.fallback = "4",
		.doc = "How many instances at a time.",
		.offset = QUOTA(instances),
	},
	{
		.name = "memory",
		.type = &type_size,
		.fallback = "8G",
		.doc = "The sum of their memory limits.",
		.offset = QUOTA(memory_bytes),
	},
	{
		.name = "cpu",
		.type = &type_cpu,
		.fallback = "4",
		.doc = "The sum of their processor limits.",
		.offset = QUOTA(cpu_millis),
	},
	{
		.name = "disk",
		.type = &type_size,
		.fallback = "none",
		.doc = "The sum of their disk limits.",
		.offset = QUOTA(disk_bytes),
	},
	{
		.name = "ttl",
		.type = &type_duration_bound,
		.fallback = "24h",
		.doc = "How long each may live, extensions included.",
		.offset = QUOTA(ttl_ns),
	},
	{0},
};

const struct keyword config_keywords[] = {
	{
		.name = "ids",
		.inner = ids_keywords,
		.doc = "The host ids of instances; no user of this host may have one of them.",
		.check = check_span,
	},
	{
		.name = "addresses",
		.type = &type_address_range,
		.fallback = "10.213.0.0/16",
		.doc = "The network whose addresses instances get.",
		.offset = CONFIG(addresses),
	},
	{
		.name = "addresses6",
		.type = &type_prefix6,
		.fallback = "fd73:7469:6e74::/64",
		.doc = "The network of their IPv6 addresses, or `none`.",
		.offset = CONFIG(prefix6),
	},
	{
		.name = "cgroup",
		.type = &type_group_path,
		.fallback = "stint",
		.doc = "The control group below which instances have theirs, in every hierarchy.",
		.offset = CONFIG(cgroup),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "host",
		.inner = host_keywords,
		.doc = "What all instances together may use of this host.",
	},
	{
		.name = "quota",
		.inner = quota_keywords,
		.doc = "What the instances of one restricted user may use together.",
		.flags = KEYWORD_PROSE,
		.set = set_quota,
	},
	{
		.name = "quotas",
		.inner = quota_keywords,
		.doc = "The same for single users by login name; what is left out here is as in "
		       "`quota`.",
		.flags = KEYWORD_NAMES,
		.set = set_quotas,
	},
	{0},
};

static int read_quota(struct reading *reading, const struct node *node, struct quota *quota)
{
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return node_error(node, reading->err,
				  "is not a mapping; write lines such as 'instances: 4' below it, "
				  "indented");
	return keywords_read(quota_keywords, reading, node, quota);
}

static int set_quota(struct reading *reading, const struct keyword *keyword,
		     const struct node *node)
{
	(void)keyword;
	return read_quota(reading, node, &reading->config->quota);
}

/* The table has "quota" first, so that what is not said here is known already. */
static int set_quotas(struct reading *reading, const struct keyword *keyword,
		      const struct node *node)
{
	struct site_config *config = reading->config;
	int r = 0;

	(void)keyword;
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return node_error(node, reading->err,
				  "is not a mapping; write 'USER: {instances: 8}' lines below it");
	config->quotas = xcalloc(node->n_items + 1, sizeof(struct user_quota));
	for (size_t i = 0; r == 0 && i < node->n_items; i++) {
		struct user_quota *entry = &config->quotas[config->n_quotas];
		const char *user = node->items[i]->key->text;

		if (!*user)
			return node_error(node->items[i], reading->err,
					  "is for a user without a name; write "
					  "'USER: {instances: 8}'");
		config->n_quotas++;
		*entry = (struct user_quota){.user = xstrdup(user), .quota = config->quota};
		r = read_quota(reading, node->items[i], &entry->quota);
	}
	return r;
}

static void set_defaults(struct reading *reading, struct site_config *config)
{
	keywords_set_defaults(config_keywords, reading, config);
	keywords_set_defaults(quota_keywords, reading, &config->quota);
}

void config_defaults(struct site_config *ret_config)
{
	const struct variables none = {0};
	struct reading reading = {.variables = &none, .config = ret_config};

	*ret_config = (struct site_config){0};
	set_defaults(&reading, ret_config);
}

#define cleanup_config cleanup(site_config_deinit)

int config_read_text(const char *file, const char *text, size_t length,
		     struct site_config *ret_config, struct error *err)
{
	const struct variables none = {0};
	cleanup_config struct site_config config = {0};
	struct reading reading = {.variables = &none, .config = &config, .err = err};
	cleanup_node struct node *root = NULL;
	int r = document_parse(file, text, length, &root, err);

	set_defaults(&reading, &config);
	if (r == 0 && root->kind != NODE_MAPPING && !node_is_null(root))
		return node_error(root, err,
				  "the configuration is a mapping; write 'KEY: VALUE' lines");
	if (r == 0)
		r = keywords_read(config_keywords, &reading, root, &config);
	if (r < 0)
		return r;
	*ret_config = config;
	config = (struct site_config){0};
	return 0;
}

/* Whoever can write here decides over every instance of this host. */
static int check_owner(int fd, const char *path, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_set(err, errno, "cannot look at '%s'", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return error_say(err, ERROR_REFUSED,
				 "'%s' belongs to user %u, who could change what root does: give "
				 "it to root with 'chown root %s'",
				 path, st.st_uid, path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_say(err, ERROR_REFUSED,
				 "'%s' can be written by others than its owner: close it with "
				 "'chmod go-w %s'",
				 path, path);
	return S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)
		       ? 0
		       : error_say(err, ERROR_REFUSED, "'%s' is no file", path);
}

/* 1 and the open file, or 0 when there is none. */
static int open_file(const char *directory, const char *path, int *ret_fd, struct error *err)
{
	cleanup_fd int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_fd int fd = -1;
	int r;

	if (dir < 0 && errno == ENOENT)
		return 0;
	if (dir < 0)
		return error_set(err, errno, "cannot open directory '%s'", directory);
	fd = openat(dir, CONFIG_FILE, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return error_set(err, errno, "cannot read '%s'", path);
	r = check_owner(dir, directory, err);
	if (r == 0)
		r = check_owner(fd, path, err);
	if (r < 0)
		return r;
	*ret_fd = steal_fd(&fd);
	return 1;
}

static int read_open_file(int fd, const char *path, char **ret_text, size_t *ret_length,
			  struct error *err)
{
	cleanup_free char *link = xasprintf("/proc/self/fd/%d", fd);
	int r = file_read(AT_FDCWD, link, DOCUMENT_SIZE_MAX, ret_text, ret_length);

	return r < 0 ? error_set(err, -r, "cannot read '%s'", path) : 0;
}

int config_read(const char *directory, struct site_config *ret_config, struct error *err)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, CONFIG_FILE);
	cleanup_free char *text = NULL;
	cleanup_fd int fd = -1;
	size_t length;
	int r = open_file(directory, path, &fd, err);

	if (r < 0)
		return r;
	if (r == 0) {
		config_defaults(ret_config);
		return 0;
	}
	r = read_open_file(fd, path, &text, &length, err);
	return r < 0 ? r : config_read_text(path, text, length, ret_config, err);
}
