/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes on their way from one connection to another; see pending.h. In the forwarder. */
#include "keeper/pending.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PIPES_MAX 64
#define PORTION_MAX (1 << 20) /* the pipe's size decides */
/* Four times what a new one holds: each splice has its costs. See pipe(7) for what a user may. */
#define PIPE_SIZE (256 << 10)
#define SPLICE_FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

enum { READER, WRITER };

void pending_pool_init(struct pending_pool *pool)
{
	*pool = (struct pending_pool){.idle = {-1, -1}};
}

void pending_pool_trim(struct pending_pool *pool)
{
	cleanup_close(&pool->idle[READER]);
	cleanup_close(&pool->idle[WRITER]);
}

static int lend(struct pending_pool *pool, int pipe[2])
{
	if (pool->n_lent >= PIPES_MAX)
		return -ENOBUFS;
	if (pool->idle[READER] >= 0) {
		memcpy(pipe, pool->idle, sizeof(pool->idle));
		pool->idle[READER] = pool->idle[WRITER] = -1;
	} else if (pipe2(pipe, O_NONBLOCK | O_CLOEXEC) < 0) {
		return -ENOBUFS;
	} else {
		(void)fcntl(pipe[WRITER], F_SETPIPE_SZ, PIPE_SIZE);
	}
	pool->n_lent++;
	return 0;
}

/* One that still holds bytes of a connection must not reach another. */
static void take_back(struct pending_pool *pool, int pipe[2], bool empty)
{
	pool->n_lent--;
	if (empty && pool->idle[READER] < 0) {
		memcpy(pool->idle, pipe, sizeof(pool->idle));
		return;
	}
	close(pipe[READER]);
	close(pipe[WRITER]);
}

bool pending_is_empty(const struct pending *pending)
{
	return !pending->kept && !pending->piped;
}

static bool is_would_block(int errnum)
{
	return errnum == EAGAIN || errnum == EINTR;
}

/* How much of the data the socket takes now: bytes or a negative errno. */
static ssize_t offer(int fd, const char *data, size_t length)
{
	ssize_t n = send(fd, data, length, MSG_NOSIGNAL);

	if (n < 0)
		return is_would_block(errno) ? 0 : -errno;
	return n;
}

void pending_keep(struct pending *pending, struct pending_pool *pool, const void *data,
		  size_t length)
{
	pending->kept = xrealloc(NULL, length, 1);
	memcpy(pending->kept, data, length);
	pending->taken = 0;
	pending->length = (uint32_t)length;
	pool->kept += length;
}

int pending_send(struct pending *pending, struct pending_pool *pool, int fd, const void *data,
		 size_t length)
{
	ssize_t n = offer(fd, data, length);

	if (n < 0)
		return (int)n;
	if ((size_t)n < length)
		pending_keep(pending, pool, (const char *)data + n, length - (size_t)n);
	return 0;
}

static void drop_kept(struct pending *pending, struct pending_pool *pool)
{
	if (pending->kept)
		pool->kept -= pending->length;
	free(pending->kept);
	pending->kept = NULL;
	pending->taken = pending->length = 0;
}

static int flush_kept(struct pending *pending, struct pending_pool *pool, int fd)
{
	ssize_t n = offer(fd, pending->kept + pending->taken, pending->length - pending->taken);

	if (n < 0)
		return (int)n;
	pending->taken += (uint32_t)n;
	if (pending->taken == pending->length)
		drop_kept(pending, pool);
	return 0;
}

static int flush_pipe(struct pending *pending, struct pending_pool *pool, int fd)
{
	ssize_t n = splice(pending->pipe[READER], NULL, fd, NULL, pending->piped, SPLICE_FLAGS);

	if (n < 0)
		return is_would_block(errno) ? 0 : -errno;
	pending->piped -= (uint32_t)n;
	pool->kept -= (size_t)n;
	if (!pending->piped)
		take_back(pool, pending->pipe, true);
	return 0;
}

int pending_flush(struct pending *pending, struct pending_pool *pool, int fd)
{
	return pending->piped ? flush_pipe(pending, pool, fd) : flush_kept(pending, pool, fd);
}

ssize_t pending_splice(struct pending *pending, struct pending_pool *pool, int from, int to)
{
	int pipe[2];
	ssize_t n;
	int r;

	if (lend(pool, pipe) < 0)
		return -ENOBUFS;
	n = splice(from, NULL, pipe[WRITER], NULL, PORTION_MAX, SPLICE_FLAGS);
	if (n <= 0) {
		r = n < 0 ? -errno : 0;
		take_back(pool, pipe, true);
		return r;
	}
	memcpy(pending->pipe, pipe, sizeof(pipe));
	pending->piped = (uint32_t)n;
	pool->kept += (size_t)n;
	r = flush_pipe(pending, pool, to);
	return r < 0 ? r : n;
}

void pending_drop(struct pending *pending, struct pending_pool *pool)
{
	drop_kept(pending, pool);
	if (!pending->piped)
		return;
	pool->kept -= pending->piped;
	pending->piped = 0;
	take_back(pool, pending->pipe, false);
}
