/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading an instance's log; see log.h. In commands, while the forwarder writes and lets go of the
 * oldest part: what a reader has not seen yet may turn into a hole, or the file may start anew.
 */
#include "instance/log.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_CHUNK 65536 /* several times the longest record */

int log_open(const struct site *site, const char *id, struct log_reader *ret_reader)
{
	cleanup_fd int state = site_open_state_of(site, id);
	int fd;

	if (state < 0)
		return state;
	fd = openat(state, "log", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*ret_reader = (struct log_reader){.fd = fd};
	return 0;
}

void log_close(struct log_reader *reader)
{
	cleanup_close(&reader->fd);
}

bool log_is_over(const struct log_reader *reader)
{
	struct stat st;

	return fstat(reader->fd, &st) < 0 || st.st_nlink == 0;
}

static ssize_t read_at(int fd, char *buffer, size_t size, int64_t offset)
{
	ssize_t n;

	do
		n = pread(fd, buffer, size, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/*
 * Where there is something to read from offset on: 1 and *ret_at, which is behind offset when a
 * hole is there by now, 0 when nothing was added, or a negative errno.
 */
static int find_data(int fd, int64_t offset, int64_t *ret_at)
{
	off_t at = lseek(fd, (off_t)offset, SEEK_DATA);

	if (at < 0 && errno == ENXIO)
		return 0;
	if (at < 0)
		return -errno;
	*ret_at = at;
	return 1;
}

/* A file that is shorter than it was has been started anew. Returns its size. */
static int64_t notice_restart(struct log_reader *reader)
{
	struct stat st;

	if (fstat(reader->fd, &st) < 0)
		return -errno;
	if (st.st_size < reader->offset)
		reader->offset = 0;
	return st.st_size;
}

struct tail {
	size_t wanted; /* records that are still to be stepped over, from the end */
	int64_t found; /* where they begin, -1: not known yet */
};

static void count_back(struct tail *tail, const char *buffer, size_t n, int64_t offset)
{
	while (n > 0 && tail->found < 0) {
		const char *newline = memrchr(buffer, '\n', n);

		if (!newline)
			return;
		n = (size_t)(newline - buffer);
		if (tail->wanted-- == 0)
			tail->found = offset + (int64_t)n + 1;
	}
}

int log_skip_to_last(struct log_reader *reader, size_t lines)
{
	cleanup_free char *buffer = xcalloc(1, LOG_CHUNK);
	struct tail tail = {.wanted = lines, .found = -1};
	int64_t start = 0, end = lseek(reader->fd, 0, SEEK_END);
	int r = find_data(reader->fd, 0, &start);

	if (r <= 0 || end < 0)
		return r;
	while (end > start && tail.found < 0) {
		int64_t from = end - start > LOG_CHUNK ? end - LOG_CHUNK : start;
		ssize_t n = read_at(reader->fd, buffer, (size_t)(end - from), from);

		if (n < 0)
			return (int)n;
		count_back(&tail, buffer, (size_t)n, from);
		end = from;
	}
	reader->offset = tail.found < 0 ? 0 : tail.found;
	return 0;
}

/* "<seconds>.<microseconds> <o|e> <+|-> text". A line that is none was cut by a full disk. */
static bool parse_record(const char *line, size_t length, struct log_record *ret_record)
{
	char head[64];
	size_t n = length < sizeof(head) - 1 ? length : sizeof(head) - 1;
	int64_t seconds, micros;
	char stream, end;
	int used = 0;

	memcpy(head, line, n);
	head[n] = '\0';
	if (sscanf(head, "%" SCNd64 ".%6" SCNd64 " %c %c%n", &seconds, &micros, &stream, &end,
		   &used) != 4 ||
	    seconds < 0 || seconds > INT64_MAX / 1000000 - 1 || micros < 0 ||
	    (size_t)used >= length || line[used] != ' ')
		return false;
	if ((stream != 'o' && stream != 'e') || (end != '+' && end != '-'))
		return false;
	*ret_record = (struct log_record){
		.time_us = seconds * 1000000 + micros,
		.is_error = stream == 'e',
		.more = end == '-',
		.text = line + used + 1,
		.length = length - (size_t)used - 1,
	};
	return true;
}

struct delivery {
	void (*deliver)(const struct log_record *record, void *data);
	void *data;
};

/* Delivers the complete records and returns how many bytes they took. */
static size_t deliver_records(const struct delivery *to, const char *buffer, size_t length)
{
	size_t done = 0;

	while (done < length) {
		const char *newline = memchr(buffer + done, '\n', length - done);
		struct log_record record;

		if (!newline)
			break;
		if (parse_record(buffer + done, (size_t)(newline - buffer) - done, &record))
			to->deliver(&record, to->data);
		done = (size_t)(newline - buffer) + 1;
	}
	return done;
}

/*
 * One chunk: 1 when there may be more, 0 when not. Behind a hole stands the rest of a record that
 * began in it; the offset stays before the hole until that rest is known to the end.
 */
static int read_chunk(struct log_reader *reader, char *buffer, const struct delivery *to)
{
	int64_t at = 0;
	size_t begin = 0, done;
	ssize_t n;
	int r = find_data(reader->fd, reader->offset, &at);

	if (r <= 0)
		return r;
	n = read_at(reader->fd, buffer, LOG_CHUNK, at);
	if (n <= 0)
		return (int)n;
	if (at > reader->offset) {
		const char *newline = memchr(buffer, '\n', (size_t)n);

		if (!newline && n < LOG_CHUNK)
			return 0;
		begin = newline ? (size_t)(newline - buffer) + 1 : (size_t)n;
	}
	done = deliver_records(to, buffer + begin, (size_t)n - begin);
	/* no record is that long: the hole grew over what was about to be read */
	if (begin + done == 0 && n == LOG_CHUNK)
		done = LOG_CHUNK;
	if (begin + done > 0)
		reader->offset = at + (int64_t)(begin + done);
	return begin + done > 0;
}

/* Up to the end as it was at the call: a server may write as fast as somebody reads. */
int log_read(struct log_reader *reader, void (*deliver)(const struct log_record *, void *),
	     void *data)
{
	cleanup_free char *buffer = xcalloc(1, LOG_CHUNK);
	struct delivery to = {.deliver = deliver, .data = data};
	int64_t end = notice_restart(reader);
	int r = end < 0 ? (int)end : 1;

	while (r > 0 && reader->offset < end)
		r = read_chunk(reader, buffer, &to);
	return r < 0 ? r : 0;
}
