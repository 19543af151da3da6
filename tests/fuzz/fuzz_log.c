/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer: any bytes as a log file, with a hole in it and longer than a reader takes at once.
 * The first bytes say how often the rest is repeated, how much of it is a hole, and how many
 * records are asked for.
 */
#include "fuzz.h"
#include "instance/log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define REPEATED_MAX (256 << 10)
#define BLOCK 4096

struct count {
	size_t records, bytes;
};

static void check_record(const struct log_record *record, void *data)
{
	struct count *count = data;

	must(record->time_us >= 0 && !memchr(record->text, '\n', record->length));
	count->records++;
	count->bytes += record->length;
}

static void fill(int fd, const uint8_t *data, size_t size, unsigned times)
{
	must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	for (size_t done = 0; size > 0 && times > 0 && done < REPEATED_MAX; times--, done += size)
		must(write(fd, data, size) == (ssize_t)size);
}

static struct count count_from(struct log_reader *reader)
{
	struct count count = {0};

	must(log_read(reader, check_record, &count) == 0);
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	unsigned times = 1U + fuzz_byte(&data, &size);
	unsigned hole = fuzz_byte(&data, &size), wanted = fuzz_byte(&data, &size);
	struct log_reader reader = {0}, last = {0};
	struct count all, some;

	if (fd < 0)
		fd = memfd_create("log", MFD_CLOEXEC);
	reader.fd = last.fd = fd;
	fill(fd, data, size, times);
	if (hole)
		must(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			       (off_t)(hole - 1) * BLOCK + 1) == 0);
	all = count_from(&reader);
	must(log_skip_to_last(&last, wanted) == 0);
	some = count_from(&last);
	must(some.records <= wanted && some.records <= all.records && some.bytes <= all.bytes);
	must(count_from(&reader).records == 0);
	return 0;
}
