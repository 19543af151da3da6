/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled filters as files: compiling one takes longer than all else that a start computes. A file
 * is a header and the program; in the command that starts an instance, and root's alone.
 */
#include "confine/calls.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC 0x31747366U /* "fst1" */
#define FILE_SIZE_MAX (sizeof(struct header) + BPF_MAXINSNS * sizeof(struct sock_filter))

struct header {
	uint32_t magic, size; /* of the program */
	uint64_t lists;	      /* what it was made from */
	uint64_t sum;	      /* of the program */
};

/* FNV-1a; against damage, not against root. */
static uint64_t add_to_sum(uint64_t sum, const void *data, size_t size)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ byte[i]) * 0x100000001b3ULL;
	return sum;
}

static uint64_t sum_of(const void *data, size_t size)
{
	return add_to_sum(0xcbf29ce484222325ULL, data, size);
}

/* Changes whenever a list, a number that the library gives it, or the checks around it change. */
static uint64_t sum_of_lists(void)
{
	uint32_t version = filter_version();
	uint64_t sum = sum_of(&version, sizeof(version));
	struct filter_call call;

	for (size_t i = 0; (call = filter_call_at(i)).name; i++) {
		sum = add_to_sum(sum, call.name, strlen(call.name));
		sum = add_to_sum(sum, &call.number, sizeof(call.number));
		sum = add_to_sum(sum, &call.kinds, sizeof(call.kinds));
	}
	for (const struct call_rule *rule = call_rules; rule->name; rule++)
		for (size_t i = 0; i < rule->n; i++) {
			sum = add_to_sum(sum, &rule->conditions[i].argument, 1);
			sum = add_to_sum(sum, &rule->conditions[i].mask, sizeof(uint32_t));
			sum = add_to_sum(sum, &rule->conditions[i].value, sizeof(uint32_t));
		}
	return sum;
}

static char *name_of(enum filter_kind kind, bool abi32)
{
	static const char *const names[FILTER_KINDS] = {
		[FILTER_DEFAULT] = "default",
		[FILTER_STRICT] = "strict",
		[FILTER_FORWARDER] = "forwarder",
	};

	return xasprintf("%s%s", names[kind], abi32 ? "-abi32" : "");
}

/* Nobody but root can have written it. */
static bool is_trustworthy(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == 0 &&
	       !(st.st_mode & 022) && (size_t)st.st_size <= FILE_SIZE_MAX;
}

static bool fits(const struct header *header, const char *program, size_t size, uint64_t lists)
{
	return header->magic == MAGIC && header->lists == lists && header->size == size &&
	       size % sizeof(struct sock_filter) == 0 && header->sum == sum_of(program, size);
}

static bool read_file(int directory, const char *name, uint64_t lists, struct filter *ret_filter)
{
	cleanup_fd int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char bytes[FILE_SIZE_MAX];
	struct header header;
	ssize_t n;

	if (fd < 0 || !is_trustworthy(fd))
		return false;
	n = pread(fd, bytes, sizeof(bytes), 0);
	if (n <= (ssize_t)sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	n -= (ssize_t)sizeof(header);
	if (!fits(&header, bytes + sizeof(header), (size_t)n, lists))
		return false;
	ret_filter->program = xcalloc(1, (size_t)n);
	memcpy(ret_filter->program, bytes + sizeof(header), (size_t)n);
	ret_filter->size = (size_t)n;
	return true;
}

static int write_bytes(int directory, const char *name, const struct text *bytes)
{
	cleanup_fd int fd =
		openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : file_write_all(fd, bytes->data, bytes->length);
}

/* By rename, so that another start reads all of it or none. A full disk costs only time. */
static void write_file(int directory, const char *name, uint64_t lists, const struct filter *filter)
{
	cleanup_free char *temporary = xasprintf("%s.%d", name, getpid());
	struct header header = {MAGIC, (uint32_t)filter->size, lists,
				sum_of(filter->program, filter->size)};
	cleanup_text struct text bytes = {0};

	text_add_bytes(&bytes, &header, sizeof(header));
	text_add_bytes(&bytes, filter->program, filter->size);
	unlinkat(directory, temporary, 0);
	if (write_bytes(directory, temporary, &bytes) < 0 ||
	    renameat(directory, temporary, directory, name) < 0)
		unlinkat(directory, temporary, 0);
}

int filter_load(int directory, enum filter_kind kind, bool abi32, struct filter *ret_filter,
		struct error *err)
{
	cleanup_free char *name = name_of(kind, abi32);
	uint64_t lists = sum_of_lists();
	int r;

	if (read_file(directory, name, lists, ret_filter))
		return 0;
	r = filter_compile(kind, abi32, ret_filter, err);
	if (r == 0)
		write_file(directory, name, lists, ret_filter);
	return r;
}

void filter_deinit(struct filter *filter)
{
	free(filter->program);
	*filter = (struct filter){0};
}
