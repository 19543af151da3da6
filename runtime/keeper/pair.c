/* SPDX-License-Identifier: Apache-2.0 */
/* Two connections joined; see pair.h. In the forwarder. */
#include "keeper/pair.h"
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* When slow readers hold more than this, the others are served in small portions. */
#define KEPT_MUCH (16U << 20)
#define SMALL_PORTION 4096

struct side {
	struct pair *pair;
	struct source *source;
	char *kept; /* what this side did not take yet */
	uint32_t taken, length;
	bool ended; /* its end-of-stream was read */
	bool mute;  /* it hung up and there is nothing to do about that yet */
};

enum { OUTER, INNER, SIDES };

struct pair {
	struct pair_set *set;
	LIST_ENTRY(pair) entry;
	struct side sides[SIDES];
	struct dial_target target;
	bool connecting;
};

void pair_set_init(struct pair_set *set, struct loop *loop, char *buffer)
{
	*set = (struct pair_set){.loop = loop, .buffer = buffer};
	LIST_INIT(&set->pairs);
}

static struct side *other_side(struct side *side)
{
	return &side->pair->sides[side == &side->pair->sides[OUTER] ? INNER : OUTER];
}

static void drop_kept(struct side *side)
{
	if (side->kept)
		side->pair->set->kept -= side->length;
	free(side->kept);
	side->kept = NULL;
	side->taken = side->length = 0;
}

static void close_side(struct side *side, bool reset)
{
	struct loop *loop = side->pair->set->loop;

	drop_kept(side);
	if (reset && side->source) {
		int fd = side->source->fd;

		loop_remove(loop, side->source);
		dial_reset(fd);
	} else {
		loop_close(loop, &side->source);
	}
}

static void end_pair(struct pair *pair, bool reset)
{
	for (int i = 0; i < SIDES; i++)
		close_side(&pair->sides[i], reset);
	LIST_REMOVE(pair, entry);
	pair->set->count--;
	free(pair);
}

void pair_set_end(struct pair_set *set)
{
	while (!LIST_EMPTY(&set->pairs))
		end_pair(LIST_FIRST(&set->pairs), true);
}

static bool wants_bytes(struct side *side)
{
	return !side->pair->connecting && !side->ended && !other_side(side)->kept;
}

static uint32_t wanted_events(struct side *side)
{
	uint32_t events = 0;

	if (side->pair->connecting)
		return side == &side->pair->sides[INNER] ? EPOLLOUT : EPOLLERR;
	if (wants_bytes(side))
		events |= EPOLLIN;
	if (side->kept)
		events |= EPOLLOUT;
	if (events == 0 && !side->mute)
		events = EPOLLERR;
	return events;
}

static int watch_both(struct pair *pair)
{
	int r = 0;

	for (int i = 0; i < SIDES && r == 0; i++)
		r = loop_change(pair->set->loop, pair->sides[i].source,
				wanted_events(&pair->sides[i]));
	return r;
}

static bool is_would_block(int errnum)
{
	return errnum == EAGAIN || errnum == EINTR;
}

/* How much of the data the side takes now: bytes or a negative errno. */
static ssize_t offer(const struct side *side, const char *data, size_t length)
{
	ssize_t n = send(side->source->fd, data, length, MSG_NOSIGNAL);

	if (n < 0)
		return is_would_block(errno) ? 0 : -errno;
	return n;
}

static void keep(struct side *side, const char *data, size_t length)
{
	side->kept = xrealloc(NULL, length, 1);
	memcpy(side->kept, data, length);
	side->length = (uint32_t)length;
	side->pair->set->kept += length;
}

static int offer_kept(struct side *side)
{
	ssize_t n = offer(side, side->kept + side->taken, side->length - side->taken);

	if (n < 0)
		return (int)n;
	side->taken += (uint32_t)n;
	if (side->taken == side->length)
		drop_kept(side);
	return 0;
}

/* Moves one portion from a side to the other, or its end-of-stream. */
static int move_portion(struct side *from, uint32_t events)
{
	struct pair_set *set = from->pair->set;
	struct side *to = other_side(from);
	size_t portion = set->kept > KEPT_MUCH ? SMALL_PORTION : PAIR_BUFFER_SIZE;
	ssize_t n = recv(from->source->fd, set->buffer, portion, 0);
	ssize_t sent;

	if (n < 0 && is_would_block(errno))
		return events & EPOLLERR ? -ECONNRESET : 0;
	if (n < 0)
		return -errno;
	if (n == 0) {
		from->ended = true;
		return shutdown(to->source->fd, SHUT_WR) < 0 ? -errno : 0;
	}
	sent = offer(to, set->buffer, (size_t)n);
	if (sent < 0)
		return (int)sent;
	if (sent < n)
		keep(to, set->buffer + sent, (size_t)(n - sent));
	return 0;
}

/*
 * An error is found by reading when reading is due, so that what came before it is passed on.
 * A hang-up without an error means that both directions are over while the other side is still to
 * take what is kept for it: reported again and again, it would make the loop spin.
 */
static int move_bytes(struct side *side, uint32_t events)
{
	int r = 0;

	if (side->kept && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		r = offer_kept(side);
	if (r < 0)
		return r;
	if (wants_bytes(side))
		return events & (EPOLLIN | EPOLLERR | EPOLLHUP) ? move_portion(side, events) : 0;
	if (events & EPOLLERR)
		return -ECONNRESET;
	if (events & EPOLLHUP)
		side->mute = true;
	return 0;
}

static int finish_connecting(struct side *side, uint32_t events)
{
	struct pair *pair = side->pair;
	int r;

	if (side == &pair->sides[OUTER])
		return events & (EPOLLERR | EPOLLHUP) ? -ECONNRESET : 0;
	r = dial_result(side->source->fd, &pair->target);
	if (r == 0)
		pair->connecting = false;
	return r;
}

static bool is_over(const struct pair *pair)
{
	/* an end-of-stream is read only when all before it was taken */
	return pair->sides[OUTER].ended && pair->sides[INNER].ended;
}

static void on_side(void *arg, uint32_t events)
{
	struct side *side = arg;
	struct pair *pair = side->pair;
	int r;

	if (pair->connecting)
		r = finish_connecting(side, events);
	else
		r = move_bytes(side, events);
	if (r == 0 && !is_over(pair))
		r = watch_both(pair);
	if (r < 0)
		end_pair(pair, true);
	else if (is_over(pair))
		end_pair(pair, false);
}

static int watch_new(struct pair *pair, int i, int *fd)
{
	struct side *side = &pair->sides[i];
	int r = loop_add(pair->set->loop, *fd, wanted_events(side), on_side, side, &side->source);

	if (r == 0)
		*fd = -1;
	return r;
}

static int join(struct pair_set *set, int fds[SIDES], const struct dial_target *target,
		bool connecting)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));
	int r;

	*pair = (struct pair){.set = set, .target = *target, .connecting = connecting};
	for (int i = 0; i < SIDES; i++)
		pair->sides[i].pair = pair;
	LIST_INSERT_HEAD(&set->pairs, pair, entry);
	set->count++;
	r = watch_new(pair, OUTER, &fds[OUTER]);
	if (r == 0)
		r = watch_new(pair, INNER, &fds[INNER]);
	if (r < 0)
		end_pair(pair, true);
	return r;
}

int pair_start(struct pair_set *set, int outer, int inner, const struct dial_target *target)
{
	int fds[SIDES] = {[OUTER] = outer, [INNER] = inner};
	int dialled = dial_start(inner, target);
	int r = 0;

	if (dialled == 0 || dialled == -EINPROGRESS)
		r = join(set, fds, target, dialled != 0);
	for (int i = 0; i < SIDES; i++)
		if (fds[i] >= 0)
			dial_reset(fds[i]);
	return r;
}
