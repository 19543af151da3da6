/* SPDX-License-Identifier: Apache-2.0 */
/* The log of an instance; see logfile.h. In the forwarder. */
#include "keeper/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 4096

void logfile_init(struct logfile *log, int fd, uint64_t limit, char *batch)
{
	off_t end = lseek(fd, 0, SEEK_END);
	off_t start = lseek(fd, 0, SEEK_DATA);

	*log = (struct logfile){.fd = fd, .limit = limit, .batch = batch};
	if (end > 0)
		log->end = (uint64_t)end;
	if (start > 0)
		log->start = (uint64_t)start;
}

static void put(struct logfile *log, const char *data, size_t length)
{
	memcpy(log->batch + log->used, data, length);
	log->used += length;
}

static void put_head(struct logfile *log, char stream, bool complete)
{
	char head[LOGFILE_HEAD_SIZE];
	int n = snprintf(head, sizeof(head), "%s %c %c ", log->stamp, stream, complete ? '+' : '-');

	put(log, head, (size_t)n);
}

/* Ends a torn record, and says what was lost. */
static void begin_batch(struct logfile *log)
{
	struct timespec now;
	char words[128];
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(log->stamp, sizeof(log->stamp), "%" PRId64 ".%06ld", (int64_t)now.tv_sec,
		 now.tv_nsec / 1000);
	if (log->torn)
		put(log, "\n", 1);
	if (log->lost > 0) {
		n = snprintf(words, sizeof(words),
			     "stint: lines of output missing here: %" PRIu64
			     " (the log could not be written)\n",
			     log->lost);
		put_head(log, 'e', true);
		put(log, words, (size_t)n);
	}
	log->prefix = log->used;
}

void logfile_add(struct logfile *log, char stream, bool complete, const char *text, size_t length)
{
	if (log->used + LOGFILE_HEAD_SIZE + length + 1 > LOGFILE_BATCH_SIZE)
		logfile_flush(log);
	if (log->used == 0)
		begin_batch(log);
	put_head(log, stream, complete);
	put(log, text, length);
	put(log, "\n", 1);
}

/* Writes as much of the batch as can be; the number of bytes. errno says what stopped it. */
static size_t write_batch(const struct logfile *log)
{
	size_t done = 0;

	errno = 0;
	while (done < log->used) {
		ssize_t n = pwrite(log->fd, log->batch + done, log->used - done,
				   (off_t)(log->end + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done;
}

static uint64_t count_records(const struct logfile *log, size_t from)
{
	uint64_t n = 0;

	for (size_t i = from > log->prefix ? from : log->prefix; i < log->used; i++)
		n += log->batch[i] == '\n';
	return n;
}

static void start_over(struct logfile *log)
{
	if (ftruncate(log->fd, 0) < 0)
		return;
	log->start = log->end = 0;
	log->torn = false;
}

/* Offsets never move, so that a reader can follow while the beginning goes away. */
static void release_oldest(struct logfile *log)
{
	uint64_t from = log->start - log->start % BLOCK;
	uint64_t to;

	if (log->limit == 0 || log->end - log->start <= log->limit)
		return;
	to = log->end - (log->limit - log->limit / 4);
	to -= to % BLOCK;
	if (to <= log->start)
		return;
	if (log->cannot_punch || fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					   (off_t)from, (off_t)(to - from)) < 0)
		start_over(log);
	else
		log->start = to;
}

void logfile_flush(struct logfile *log)
{
	size_t done;

	if (log->used == 0)
		return;
	done = write_batch(log);
	/* the file is as long as a file may be (RLIMIT_FSIZE, or the file system's own limit) */
	if (done == 0 && errno == EFBIG) {
		start_over(log);
		done = write_batch(log);
	}
	if (done >= log->prefix)
		log->lost = 0;
	log->lost += count_records(log, done);
	if (done > 0)
		log->torn = log->batch[done - 1] != '\n';
	log->end += done;
	log->used = log->prefix = 0;
	release_oldest(log);
}
