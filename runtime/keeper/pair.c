/* SPDX-License-Identifier: Apache-2.0 */
/* Two connections joined; see pair.h. In the forwarder. */
#include "keeper/pair.h"
#include "keeper/proxy.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

/* When slow readers hold more than this, the others are served in small portions. */
#define KEPT_MUCH (16U << 20)
#define SMALL_PORTION 4096
/* A read that finds this much is followed by splices; below it a copy is the cheaper way. */
#define BULK_FROM 32768
/* A server takes milliseconds to accept a crowd; later on it is busy with something else. */
#define DIAL_AGAIN_NS (10 * NSEC_PER_MSEC)
#define DIAL_AGAIN_MAX_NS NSEC_PER_SEC
/* How often it is looked for idle pairs in the time that makes one. */
#define IDLE_LOOKS 10

struct side {
	struct pair *pair;
	struct source *source;
	struct pending pending; /* what this side did not take yet */
	bool bulk;		/* much comes from it */
	bool ended;		/* its end-of-stream was read */
	bool mute;		/* it hung up and there is nothing to do about that yet */
};

enum { OUTER, INNER, SIDES };

struct pair {
	struct pair_set *set;
	LIST_ENTRY(pair) entry;
	struct side sides[SIDES];
	const struct pair_route *route;
	bool asked;	  /* the last bytes came from the outer side */
	int64_t moved_ns; /* boot time of the last bytes, once idle pairs are to end */
	bool connecting;  /* and in the list of those that dial */
	LIST_ENTRY(pair) dialling;
	int64_t dial_again_at, dial_again_ns;
};

void pair_set_init(struct pair_set *set, struct loop *loop, char *buffer)
{
	*set = (struct pair_set){.loop = loop, .buffer = buffer};
	pending_pool_init(&set->pool);
	LIST_INIT(&set->pairs);
	LIST_INIT(&set->dialling);
}

static struct side *other_side(struct side *side)
{
	return &side->pair->sides[side == &side->pair->sides[OUTER] ? INNER : OUTER];
}

static void close_side(struct side *side, bool reset)
{
	struct loop *loop = side->pair->set->loop;

	pending_drop(&side->pending, &side->pair->set->pool);
	if (reset && side->source) {
		int fd = side->source->fd;

		loop_remove(loop, side->source);
		dial_reset(fd);
	} else {
		loop_close(loop, &side->source);
	}
}

static void set_connecting(struct pair *pair, bool connecting)
{
	if (connecting == pair->connecting)
		return;
	pair->connecting = connecting;
	if (!connecting) {
		LIST_REMOVE(pair, dialling);
		return;
	}
	pair->dial_again_ns = DIAL_AGAIN_NS;
	pair->dial_again_at = clock_boottime_ns() + DIAL_AGAIN_NS;
	LIST_INSERT_HEAD(&pair->set->dialling, pair, dialling);
}

static void end_pair(struct pair *pair, bool reset)
{
	set_connecting(pair, false);
	for (int i = 0; i < SIDES; i++)
		close_side(&pair->sides[i], reset);
	LIST_REMOVE(pair, entry);
	pair->set->count--;
	pair->route->counts->now--;
	pair->route->counts->used_ns = clock_boottime_ns();
	free(pair);
}

void pair_set_end(struct pair_set *set)
{
	for (struct pair *pair = LIST_FIRST(&set->pairs), *next; pair; pair = next) {
		next = LIST_NEXT(pair, entry);
		end_pair(pair, true);
	}
	pending_pool_trim(&set->pool);
}

static bool wants_bytes(struct side *side)
{
	return !side->pair->connecting && !side->ended &&
	       pending_is_empty(&other_side(side)->pending);
}

static uint32_t wanted_events(struct side *side)
{
	uint32_t events = 0;

	if (side->pair->connecting)
		return side == &side->pair->sides[INNER] ? EPOLLOUT : EPOLLERR;
	if (wants_bytes(side))
		events |= EPOLLIN;
	if (!pending_is_empty(&side->pending))
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

static void count(const struct side *from, size_t n)
{
	struct pair *pair = from->pair;
	struct port_counts *counts = pair->route->counts;

	pair->asked = from == &pair->sides[OUTER];
	if (pair->asked)
		counts->in += n;
	else
		counts->out += n;
	if (pair->set->idle_ns)
		pair->moved_ns = clock_boottime_ns();
}

/* Bytes that were read, 0 at the end of the stream, or a negative errno. */
static ssize_t move_by_copy(struct side *from, struct side *to, size_t portion)
{
	struct pair_set *set = from->pair->set;
	ssize_t n = recv(from->source->fd, set->buffer, portion, 0);
	int r;

	if (n <= 0)
		return n < 0 ? -errno : 0;
	from->bulk = n >= BULK_FROM;
	r = pending_send(&to->pending, &set->pool, to->source->fd, set->buffer, (size_t)n);
	return r < 0 ? r : n;
}

static ssize_t move_by_splice(struct side *from, struct side *to)
{
	struct pair_set *set = from->pair->set;
	ssize_t n = pending_splice(&to->pending, &set->pool, from->source->fd, to->source->fd);

	from->bulk = n >= BULK_FROM;
	return n;
}

static ssize_t move(struct side *from, struct side *to)
{
	bool much = from->pair->set->pool.kept > KEPT_MUCH;
	ssize_t n = -ENOBUFS;

	if (from->bulk && !much)
		n = move_by_splice(from, to);
	if (n == -ENOBUFS)
		n = move_by_copy(from, to, much ? SMALL_PORTION : PAIR_BUFFER_SIZE);
	return n;
}

/* Moves one portion from a side to the other, or its end-of-stream. */
static int move_portion(struct side *from, uint32_t events)
{
	struct side *to = other_side(from);
	ssize_t n = move(from, to);

	if (n < 0 && is_would_block((int)-n))
		return events & EPOLLERR ? -ECONNRESET : 0;
	if (n < 0)
		return (int)n;
	if (n == 0) {
		from->ended = true;
		return shutdown(to->source->fd, SHUT_WR) < 0 ? -errno : 0;
	}
	count(from, (size_t)n);
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

	if (!pending_is_empty(&side->pending) && events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
		r = pending_flush(&side->pending, &side->pair->set->pool, side->source->fd);
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
	r = dial_result(side->source->fd, &pair->route->target);
	if (r == 0)
		set_connecting(pair, false);
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

/* Before anything of the client's: nothing is read from it while this is pending. */
static int announce(struct pair *pair, int outer)
{
	unsigned char header[PROXY_HEADER_MAX];
	int n;

	if (!pair->route->proxy)
		return 0;
	n = proxy_header(outer, header);
	if (n < 0)
		return n;
	pending_keep(&pair->sides[INNER].pending, &pair->set->pool, header, (size_t)n);
	return 0;
}

static struct pair *add_pair(struct pair_set *set, const struct pair_route *route, bool connecting)
{
	struct pair *pair = xcalloc(1, sizeof(*pair));

	*pair = (struct pair){.set = set, .route = route};
	set_connecting(pair, connecting);
	for (int i = 0; i < SIDES; i++)
		pair->sides[i].pair = pair;
	LIST_INSERT_HEAD(&set->pairs, pair, entry);
	set->count++;
	route->counts->now++;
	route->counts->total++;
	return pair;
}

static int join(struct pair_set *set, int fds[SIDES], const struct pair_route *route,
		bool connecting)
{
	struct pair *pair = add_pair(set, route, connecting);
	int r = 0;

	/* a client that is gone again is no lack of room */
	if (announce(pair, fds[OUTER]) < 0) {
		end_pair(pair, true);
		return 0;
	}
	for (int i = 0; i < SIDES && r == 0; i++)
		r = watch_new(pair, i, &fds[i]);
	if (r < 0)
		end_pair(pair, true);
	return r;
}

int pair_start(struct pair_set *set, int outer, int inner, const struct pair_route *route)
{
	int fds[SIDES] = {[OUTER] = outer, [INNER] = inner};
	int dialled = dial_start(inner, &route->target);
	int r = 0;

	if (dialled == 0 || dialled == -EINPROGRESS)
		r = join(set, fds, route, dialled != 0);
	for (int i = 0; i < SIDES; i++)
		if (fds[i] >= 0)
			dial_reset(fds[i]);
	return r;
}

/* What the kernel would try again after a second is given up; nobody has seen it. */
static int dial_again(struct pair *pair)
{
	struct side *side = &pair->sides[INNER];
	int fd, r;

	if (!dial_is_unanswered(side->source->fd))
		return 0;
	fd = dial_socket();
	if (fd < 0)
		return 0;
	loop_close(pair->set->loop, &side->source);
	r = dial_start(fd, &pair->route->target);
	set_connecting(pair, r == -EINPROGRESS);
	if (r == 0 || r == -EINPROGRESS)
		r = watch_new(pair, INNER, &fd);
	if (r < 0)
		dial_reset(fd);
	return r < 0 ? r : watch_both(pair);
}

void pair_set_drain(struct pair_set *set, int64_t idle_ns)
{
	struct pair *pair;
	int64_t now = clock_boottime_ns();

	if (!set->idle_ns)
		LIST_FOREACH(pair, &set->pairs, entry)
	pair->moved_ns = now;
	set->idle_ns = idle_ns;
	set->look_at = 0;
}

/* Nothing waits to be passed on, or nothing more can come. */
static bool is_quiet(const struct side *side)
{
	char byte;

	if (!pending_is_empty(&side->pending))
		return false;
	if (side->ended)
		return true;
	return recv(side->source->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

static int64_t end_idle(struct pair_set *set, int64_t now)
{
	if (!set->idle_ns || set->count == 0)
		return PAIR_NEVER;
	if (now < set->look_at)
		return set->look_at;
	set->look_at = now + set->idle_ns / IDLE_LOOKS;
	for (struct pair *pair = LIST_FIRST(&set->pairs), *next; pair; pair = next) {
		next = LIST_NEXT(pair, entry);
		if (!pair->asked && !pair->connecting && now - pair->moved_ns >= set->idle_ns &&
		    is_quiet(&pair->sides[OUTER]) && is_quiet(&pair->sides[INNER]))
			end_pair(pair, false);
	}
	return set->count > 0 ? set->look_at : PAIR_NEVER;
}

int64_t pair_step(struct pair_set *set, int64_t now)
{
	int64_t next_at = end_idle(set, now);

	for (struct pair *pair = LIST_FIRST(&set->dialling), *next; pair; pair = next) {
		next = LIST_NEXT(pair, dialling);
		if (now >= pair->dial_again_at) {
			pair->dial_again_ns *= pair->dial_again_ns < DIAL_AGAIN_MAX_NS ? 2 : 1;
			pair->dial_again_at = now + pair->dial_again_ns;
			if (dial_again(pair) < 0) {
				end_pair(pair, true);
				continue;
			}
		}
		if (pair->connecting && pair->dial_again_at < next_at)
			next_at = pair->dial_again_at;
	}
	return next_at;
}
