/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each limit is written and read back; see backend.h. The files are those of the kernel's
 * admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/.
 */
#include "cgroup/backend.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#define CPU_PERIOD_US 100000

static int poke(const char *group, const char *file, const char *value)
{
	cleanup_free char *path = xasprintf("%s/%s", group, file);

	return file_poke(AT_FDCWD, path, value);
}

static int peek(const char *group, const char *file, char **ret_text)
{
	cleanup_free char *path = xasprintf("%s/%s", group, file);

	return file_read(AT_FDCWD, path, 1 << 16, ret_text, NULL);
}

static int write_number(const struct backend *backend, const struct setting *setting)
{
	cleanup_free char *text = xasprintf("%" PRIu64, setting->value);

	return poke(setting->group, backend->file, text);
}

int cgroup_read_number(const char *group, const char *file, uint64_t *ret_value)
{
	cleanup_free char *text = NULL;
	int r = peek(group, file, &text);

	if (r < 0)
		return r;
	text[strcspn(text, " \n")] = '\0';
	if (strcmp(text, "max") == 0) {
		*ret_value = UINT64_MAX;
		return 0;
	}
	return parse_number(text, UINT64_MAX, ret_value);
}

static int read_number(const struct backend *backend, const struct setting *setting,
		       uint64_t *ret_value)
{
	return cgroup_read_number(setting->group, backend->file, ret_value);
}

#define TCP_FILE "memory.kmem.tcp.limit_in_bytes"

/*
 * Version 1 counts the buffers of sockets for themselves, and only where they have a limit: the
 * same figure again. It has to be there before the group's first socket. Kernels without the file
 * do not count them at all.
 */
static int write_memory(const struct backend *backend, const struct setting *setting)
{
	cleanup_free char *text = xasprintf("%" PRIu64, setting->value);
	int r = write_number(backend, setting);

	if (r == 0)
		r = poke(setting->group, TCP_FILE, text);
	return r == -ENOENT ? 0 : r;
}

/* What is held is the worse of the two. */
static int read_memory(const struct backend *backend, const struct setting *setting,
		       uint64_t *ret_value)
{
	uint64_t memory, tcp = 0;
	int r = read_number(backend, setting, &memory);

	if (r < 0)
		return r;
	r = cgroup_read_number(setting->group, TCP_FILE, &tcp);
	if (r < 0 && r != -ENOENT)
		return r;
	*ret_value = tcp > memory ? tcp : memory;
	return 0;
}

static uint64_t quota_of(uint64_t millis)
{
	return millis * (CPU_PERIOD_US / 1000);
}

static int write_cpu_max(const struct backend *backend, const struct setting *setting)
{
	cleanup_free char *text =
		xasprintf("%" PRIu64 " %d", quota_of(setting->value), CPU_PERIOD_US);

	return poke(setting->group, backend->file, text);
}

static int read_cpu_max(const struct backend *backend, const struct setting *setting,
			uint64_t *ret_value)
{
	cleanup_free char *text = NULL;
	uint64_t quota, period;
	int r = peek(setting->group, backend->file, &text);

	if (r < 0)
		return r;
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) != 2 || period == 0)
		return -ENODATA;
	*ret_value = quota * 1000 / period;
	return 0;
}

static int write_cfs_quota(const struct backend *backend, const struct setting *setting)
{
	cleanup_free char *quota = xasprintf("%" PRIu64, quota_of(setting->value));
	cleanup_free char *period = xasprintf("%d", CPU_PERIOD_US);
	int r = poke(setting->group, "cpu.cfs_period_us", period);

	return r < 0 ? r : poke(setting->group, backend->file, quota);
}

static int read_cfs_quota(const struct backend *backend, const struct setting *setting,
			  uint64_t *ret_value)
{
	uint64_t quota, period = 0;
	int r = cgroup_read_number(setting->group, backend->file, &quota);

	if (r == 0)
		r = cgroup_read_number(setting->group, "cpu.cfs_period_us", &period);
	if (r < 0 || period == 0)
		return r < 0 ? r : -ENODATA;
	*ret_value = quota * 1000 / period;
	return 0;
}

/* Version 1 counts memory and swap together. */
static int write_memsw(const struct backend *backend, const struct setting *setting)
{
	struct setting both = *setting;

	both.value += setting->limits->of[CGROUP_MEMORY].value;
	return write_number(backend, &both);
}

static int read_memsw(const struct backend *backend, const struct setting *setting,
		      uint64_t *ret_value)
{
	uint64_t both, memory;
	int r = read_number(backend, setting, &both);

	if (r == 0)
		r = cgroup_read_number(setting->group, "memory.limit_in_bytes", &memory);
	if (r == 0)
		*ret_value = both > memory ? both - memory : 0;
	return r;
}

static const char *memsw_refuses(const struct cgroup_limits *limits)
{
	return limits->of[CGROUP_MEMORY].asked
		       ? NULL
		       : "version 1 limits swap only together with memory: ask for that too";
}

/* Throttling is set for each device; the largest of what is read back counts. */
static int write_io(const struct backend *backend, const struct setting *setting)
{
	int r = 0;

	for (char *const *device = setting->limits->devices; r == 0 && *device; device++) {
		cleanup_free char *line =
			backend->v2 ? xasprintf("%s %s=%" PRIu64, *device, backend->word,
						setting->value)
				    : xasprintf("%s %" PRIu64, *device, setting->value);

		r = poke(setting->group, backend->file, line);
	}
	return r;
}

/* "8:0 rbps=1048576 wbps=max riops=max wiops=max", or in version 1 "8:0 1048576". */
static int read_device(const struct backend *backend, const char *text, const char *device,
		       uint64_t *ret_value)
{
	cleanup_free char *copy = xstrdup(text);
	cleanup_free char *word = backend->v2 ? xasprintf("%s=", backend->word) : xstrdup("");
	char *rest = copy, *line;
	size_t n = strlen(device);

	while ((line = strsep(&rest, "\n"))) {
		const char *found;

		if (strncmp(line, device, n) != 0 || line[n] != ' ')
			continue;
		found = strstr(line + n + 1, word);
		if (found && sscanf(found + strlen(word), "%" SCNu64, ret_value) == 1)
			return 0;
	}
	return -ENODATA;
}

static int read_io(const struct backend *backend, const struct setting *setting,
		   uint64_t *ret_value)
{
	cleanup_free char *text = NULL;
	uint64_t value = 0, one;
	int r = peek(setting->group, backend->file, &text);

	for (char *const *device = setting->limits->devices; r == 0 && *device; device++) {
		r = read_device(backend, text, *device, &one);
		if (r == 0 && one > value)
			value = one;
	}
	if (r == 0)
		*ret_value = value;
	return r;
}

static const char *io_refuses(const struct cgroup_limits *limits)
{
	return limits->no_devices;
}

#define V1_IO_NOTE "direct and read I/O only"

const struct backend cgroup_backends[CGROUP_LIMIT_KINDS][2] = {
	[CGROUP_MEMORY] = {{.controller = "memory",
			    .file = "memory.limit_in_bytes",
			    .write = write_memory,
			    .read = read_memory,
			    .usage = "memory.usage_in_bytes",
			    .pages = true},
			   {.v2 = true,
			    .controller = "memory",
			    .file = "memory.max",
			    .write = write_number,
			    .read = read_number,
			    .usage = "memory.current",
			    .pages = true}},
	[CGROUP_SWAP] = {{.controller = "memory",
			  .file = "memory.memsw.limit_in_bytes",
			  .write = write_memsw,
			  .read = read_memsw,
			  .pages = true,
			  .refuses = memsw_refuses},
			 {.v2 = true,
			  .controller = "memory",
			  .file = "memory.swap.max",
			  .write = write_number,
			  .read = read_number,
			  .usage = "memory.swap.current",
			  .pages = true}},
	[CGROUP_CPU] = {{.controller = "cpu",
			 .file = "cpu.cfs_quota_us",
			 .write = write_cfs_quota,
			 .read = read_cfs_quota},
			{.v2 = true,
			 .controller = "cpu",
			 .file = "cpu.max",
			 .write = write_cpu_max,
			 .read = read_cpu_max}},
	[CGROUP_PIDS] = {{.controller = "pids",
			  .file = "pids.max",
			  .write = write_number,
			  .read = read_number,
			  .usage = "pids.current"},
			 {.v2 = true,
			  .controller = "pids",
			  .file = "pids.max",
			  .write = write_number,
			  .read = read_number,
			  .usage = "pids.current"}},
	[CGROUP_IO_READ] = {{.controller = "blkio",
			     .file = "blkio.throttle.read_bps_device",
			     .write = write_io,
			     .read = read_io,
			     .note = V1_IO_NOTE,
			     .refuses = io_refuses},
			    {.v2 = true,
			     .controller = "io",
			     .file = "io.max",
			     .write = write_io,
			     .read = read_io,
			     .word = "rbps",
			     .refuses = io_refuses}},
	[CGROUP_IO_WRITE] = {{.controller = "blkio",
			      .file = "blkio.throttle.write_bps_device",
			      .write = write_io,
			      .read = read_io,
			      .note = V1_IO_NOTE,
			      .refuses = io_refuses},
			     {.v2 = true,
			      .controller = "io",
			      .file = "io.max",
			      .write = write_io,
			      .read = read_io,
			      .word = "wbps",
			      .refuses = io_refuses}},
};
