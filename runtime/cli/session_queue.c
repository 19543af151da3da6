/* SPDX-License-Identifier: Apache-2.0 */
/* Starting as soon as there is room, with --queue; see session.h and instance/queue.h. */
#include "cli/session.h"
#include "cli/progress.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "instance/queue.h"
#include "instance/sweep.h"
#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

/* For what nothing tells of: a keeper that was killed, and where inotify(7) is not to be had. */
#define TRY_NS NSEC_PER_SEC
#define LOOK_NS (3 * NSEC_PER_SEC)
#define PAUSE_NS (50 * NSEC_PER_MSEC) /* between two tries, whatever happens meanwhile */
#define LINE_LENGTH 79

struct queueing {
	struct session *session;
	struct start_request *request;
	struct ticket ticket;
	struct progress progress;
	struct error refusal; /* of the last try */
	int64_t until_ns;     /* boot time; 0: no bound */
	bool told;	      /* where there is no terminal, once is enough */
};

static int read_bound(const char *text, int64_t *ret_until_ns, struct error *err)
{
	int64_t length = 0;
	int r = text ? parse_duration(text, &length) : 0;

	if (text && (r < 0 || length <= 0))
		return wish_refuse_duration("queue-for", text, r, "90s, 30m or 2h", err);
	*ret_until_ns = text ? clock_boottime_ns() + length : 0;
	return 0;
}

static void show(struct queueing *q, unsigned ahead)
{
	const char *why = q->refusal.code ? q->refusal.text : "others came before";
	cleanup_free char *line = NULL;

	if (ahead)
		line = xasprintf("waiting for room, %u to go first: %s", ahead, why);
	else
		line = xasprintf("waiting for room: %s", why);
	if (!isatty(STDERR_FILENO) && !q->told)
		fprintf(stderr, "stint: %s\n", line);
	q->told = true;
	if (strlen(line) > LINE_LENGTH)
		memcpy(line + LINE_LENGTH - 3, "...", 4);
	if (progress_is_due(&q->progress))
		progress_show(&q->progress, line);
}

static int interrupt(struct queueing *q, struct error *err)
{
	struct signalfd_siginfo info;

	if (read(q->session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		q->session->interrupted = (int)info.ssi_signo;
	return error_say(err, ERROR_FAILED, "interrupted while it waited for room");
}

static int give_up(const struct queueing *q, struct error *err)
{
	char bound[32];

	snprintf(bound, sizeof(bound), "%s", q->session->invocation->options.queue_for);
	if (!q->refusal.code)
		return error_say(err, ERROR_REFUSED,
				 "there was no room within %s: others came before", bound);
	*err = q->refusal;
	return error_prefix(err, "there was no room within %s", bound);
}

/* Until something happens that may give room, the time is over, or a signal comes. */
static int wait_a_while(struct queueing *q, bool for_anything, int64_t ns, struct error *err)
{
	struct pollfd polled[] = {
		{.fd = q->session->signals, .events = POLLIN},
		{.fd = for_anything ? q->ticket.watch : -1, .events = POLLIN},
	};
	int64_t left = q->until_ns ? q->until_ns - clock_boottime_ns() : ns;
	char events[4096];

	if (left <= 0)
		return give_up(q, err);
	if (left > ns)
		left = ns;
	if (poll(polled, ARRAY_SIZE(polled), (int)(left / NSEC_PER_MSEC) + 1) < 0 && errno != EINTR)
		return error_set(err, errno, "cannot wait");
	if (polled[0].revents)
		return interrupt(q, err);
	while (polled[1].revents && read(q->ticket.watch, events, sizeof(events)) > 0)
		;
	return 0;
}

/* A name that is taken is no matter of room, and is said before anything is waited for. */
static int check_name(const struct queueing *q, struct error *err)
{
	const struct site *site = &q->session->site;
	const char *name = q->request->name;
	cleanup_store struct store *store = NULL;
	bool taken = false;
	int r = name ? store_open(site->state_path, &store, err) : 0;

	if (r == 0 && name)
		r = site_sweep_in_passing(site, store, name, err);
	if (r == 0 && name)
		r = store_name_taken(store, name, &taken, err);
	if (r == 0 && taken)
		return error_say(err, ERROR_EXISTS, "the name '%s' is taken: choose another one",
				 name);
	return r;
}

/* 1: it was started; 0: there is no room now. A deadline counts from the moment of the start. */
static int try_now(struct queueing *q, struct error *err)
{
	struct session *session = q->session;
	int r = wish_lease(&session->invocation->options, session->plan, &q->request->lease, err);
	enum room room;

	if (r == 0)
		r = instance_start(&session->site, q->request, &session->instance, err);
	if (r == 0)
		return 1;
	room = store_lacks_room(err);
	if (room == ROOM_NEVER)
		return r;
	q->refusal = *err;
	queue_note(&q->ticket, room);
	return 0;
}

static int serve(struct queueing *q, struct error *err)
{
	unsigned ahead = 0;
	int r = check_name(q, err);

	while (r == 0) {
		r = queue_look(&q->session->site, &q->ticket, &ahead, err);
		if (r == 0 && ahead == 0) {
			queue_watch_ends(&q->session->site, &q->ticket);
			r = try_now(q, err);
		}
		if (r != 0)
			break;
		show(q, ahead);
		/* what comes meanwhile is not lost: the watch stays readable */
		r = wait_a_while(q, true, ahead ? LOOK_NS : TRY_NS, err);
		if (r == 0)
			r = wait_a_while(q, false, PAUSE_NS, err);
	}
	progress_clear(&q->progress);
	return r > 0 ? 0 : r;
}

int session_start_in_turn(struct session *session, struct start_request *request, struct error *err)
{
	struct queueing q = {.session = session, .request = request};
	int r = read_bound(session->invocation->options.queue_for, &q.until_ns, err);

	if (r < 0)
		return r;
	r = queue_enter(&session->site, session->owner.uid, &q.ticket, err);
	request->ticket = &q.ticket;
	if (r == 0)
		r = serve(&q, err);
	request->ticket = NULL;
	queue_leave(&q.ticket);
	return r;
}
