/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of an instance, from the record alone; see instance.h. In the command that ends it, or
 * in the program that the keeper turns into.
 */
#include "instance/instance.h"
#include "instance/events.h"
#include "instance/hook.h"
#include "instance/keep.h"
#include "instance/lock.h"
#include "instance/network.h"
#include "instance/start.h"
#include "instance/steps.h"
#include "instance/usage.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/text.h"
#include "netns/link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define KILL_BOUND_NS (5 * NSEC_PER_SEC)
#define END_BOUND_NS (20 * NSEC_PER_SEC)
#define UNARCHIVED_KEPT_NS (24 * 3600 * NSEC_PER_SEC)
#define STRANGER_NS NSEC_PER_SEC
#define KEEPERS_ASKED 3

int instance_load(const struct site *site, const char *id, struct record **ret_record,
		  struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(site->state_path, &store, err);

	return r < 0 ? r : store_load_id(store, id, ret_record, err);
}

bool instance_is_from_other_boot(const struct record *record)
{
	char boot_id[BOOT_ID_SIZE];

	return clock_boot_id(boot_id) == 0 && strcmp(boot_id, record->boot_id) != 0;
}

/* Sets *ret_failed to whether it was the instance's own fault, as far as anybody knows. */
static void describe_end(const struct site *site, const struct record *record, const char *fallback,
			 struct ending *ret_ending, bool *ret_failed)
{
	cleanup_fd int run = site_open_run_of(site, record->grant.id);
	struct status status;
	bool known = run >= 0 && status_read(run, &status) == 0;

	*ret_ending = ending_unknown;
	ret_ending->ended_ns = clock_wall_ns();
	text_cutf(ret_ending->reason, sizeof(ret_ending->reason), "%s",
		  instance_is_from_other_boot(record) ? "host restarted" : fallback);
	usage_gather(site, record, known ? &status : NULL, &ret_ending->usage);
	known = known && (status.state == STATE_ENDED || status.state == STATE_STUCK);
	*ret_failed = !known || status.failed;
	if (!known)
		return;
	ret_ending->exit_status = status.exit_status;
	ret_ending->exit_signal = status.exit_signal;
	text_cutf(ret_ending->reason, sizeof(ret_ending->reason), "%s", status.reason);
}

/* What cannot be archived now is kept for somebody to look at. */
static int archive(const struct site *site, const struct record *record, struct ending *ending,
		   int64_t *ret_kept_ns, struct error *err)
{
	const char *done = record->on_expiry == EXPIRY_HARVEST ? "harvested" : "archived";
	size_t used = strlen(ending->reason), left = sizeof(ending->reason) - used;
	cleanup_free char *name = NULL;
	struct error why = {0};
	int r = steps_end(site, record, err);

	if (r < 0)
		return r;
	if (keep_archive(site, record, &name, &why) < 0) {
		*ret_kept_ns = UNARCHIVED_KEPT_NS;
		text_cutf(ending->reason + used, left, "; not %s: %s", done, why.text);
	} else {
		text_cutf(ending->reason + used, left, "; %s", done);
		events_add(site, record->grant.id, done, name);
	}
	return 0;
}

static bool has_expired(const struct ending *ending)
{
	return strncmp(ending->reason, "expired", strlen("expired")) == 0 ||
	       strncmp(ending->reason, "idle ", strlen("idle ")) == 0;
}

/* All the rest is gone by then: who reads of a failure must not think that it still runs. */
static int forget(struct store *store, const struct record *record, const struct ending *ending,
		  struct error *err)
{
	int r = fault_at("end: write the history", err);

	if (r == 0)
		r = store_finish(store, record->grant.id, ending, err);
	if (r == 0 || !err)
		return r;
	return error_prefix(err,
			    "'%s' has ended and its files are removed; only its record is left, "
			    "and goes with the next command once it can be written",
			    record->grant.name);
}

/* The record goes last, or stays for as long as the files do. */
static int undo_recorded(const struct site *site, struct store *store, const struct record *record,
			 const struct ending *ending, int64_t kept_ns, struct error *err)
{
	int r;

	if (kept_ns) {
		r = keep_files(site, record, ending, kept_ns, err);
		if (r == 0)
			hook_after_end(site, record, ending->reason);
		return r;
	}
	r = steps_undo(site, record, err);
	/* before it is forgotten, and once: what was kept has had its end */
	if (r == 0 && !record->kept_until_ns)
		hook_after_end(site, record, ending->reason);
	return r < 0 ? r : forget(store, record, ending, err);
}

static int finish(const struct site *site, struct store *store, const struct record *record,
		  const char *fallback, struct error *err)
{
	cleanup_ending struct ending ending = ending_unknown;
	int64_t kept_ns = 0;
	bool failed;
	int r = 0;

	describe_end(site, record, fallback, &ending, &failed);
	if (failed)
		kept_ns = record->keep_failed_ns;
	if ((record->on_expiry == EXPIRY_ARCHIVE || record->on_expiry == EXPIRY_HARVEST) &&
	    has_expired(&ending))
		r = archive(site, record, &ending, &kept_ns, err);
	if (r == 0)
		r = undo_recorded(site, store, record, &ending, kept_ns, err);
	if (r < 0)
		return r;
	events_add(site, record->grant.id, "ended", ending.reason);
	if (kept_ns)
		events_add(site, record->grant.id, "kept", "");
	return 0;
}

/*
 * It sleeps in the kernel and cannot be ended now. What it may still do by itself when it wakes is
 * not heard of outside, and who looks sees what there is; a sweep tries again.
 */
static void mark_stuck(const struct site *site, const struct record *record, const char *fallback,
		       const struct error *why)
{
	cleanup_fd int run = site_open_run_of(site, record->grant.id);
	const char *link = network_link_of(record);
	struct status status = {.exit_status = -1, .failed = true};

	if (run >= 0)
		(void)status_read(run, &status);
	if (status.state == STATE_STUCK)
		return;
	if (status.state != STATE_ENDED)
		text_cutf(status.reason, sizeof(status.reason), "%s", fallback);
	status.state = STATE_STUCK;
	if (run >= 0)
		(void)status_write(run, &status);
	if (link)
		(void)netns_link_remove(link, NULL);
	events_add(site, record->grant.id, "stuck", why->text);
}

/* Undoes what a record, or an id alone, names; the caller holds the locks. */
static int undo_all(const struct site *site, struct store *store, const char *id,
		    const char *fallback, struct error *err)
{
	cleanup_record struct record *record = NULL;
	struct record bare = {.cgroup = site->cgroup};
	int r = store_load_id(store, id, &record, err);

	if (r < 0 && r != -ENOENT)
		return r;
	snprintf(bare.grant.id, sizeof(bare.grant.id), "%s", id);
	if (!record)
		return steps_undo(site, &bare, err);
	r = record->kept_until_ns ? undo_recorded(site, store, record, &ending_unknown, 0, err)
				  : finish(site, store, record, fallback, err);
	if (r == -EBUSY)
		mark_stuck(site, record, fallback, err);
	if (r == 0)
		network_leave(site, store, record);
	return r;
}

static int end_within(const struct site *site, struct store *store, const char *id,
		      const char *fallback, int64_t wait_ns, struct error *err)
{
	cleanup_fd int lock = -1;
	int r;

	/* the undo removes directories of that name */
	if (!is_id(id))
		return error_say(err, ERROR_USAGE, "'%s' is no instance's id", id);
	lock = instance_lock_for_end(site, id, wait_ns, err);
	if (lock == -ENOENT)
		return 0;
	if (lock < 0)
		return lock;
	r = fault_at("end: undo", err);
	if (r == 0)
		r = undo_all(site, store, id, fallback, err);
	if (r == 0)
		r = fault_at("end: remove the lock", err);
	if (r == 0)
		instance_lock_remove(site, id);
	return r;
}

int instance_end(const struct site *site, const char *id, const char *fallback, struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(site->state_path, &store, err);

	return r < 0 ? r : end_within(site, store, id, fallback, END_BOUND_NS, err);
}

int instance_end_unless_busy(const struct site *site, struct store *store, const char *id,
			     const char *fallback)
{
	return end_within(site, store, id, fallback, 0, NULL);
}

int instance_connect(const struct site *site, const char *id, struct error *err)
{
	cleanup_fd int run = site_open_run_of(site, id);
	int fd = run < 0 ? run : socket_connect_at(run, CONTROL_SOCKET_NAME);

	if (fd < 0) {
		error_set(err, -fd, "instance '%s' has no keeper", id);
		error_kind_set(err, ERROR_NOT_FOUND);
	}
	return fd;
}

/* An instance that is just being made has no keeper yet, but its lock is held. */
static int connect_patiently(const struct site *site, const char *id, struct error *err)
{
	int64_t until = clock_boottime_ns() + END_BOUND_NS;
	int fd;

	for (;;) {
		fd = instance_connect(site, id, err);
		if (fd >= 0 || !instance_is_alive(site, id) || clock_boottime_ns() > until)
			return fd;
		poll(NULL, 0, 5);
	}
}

/* Reads what the keeper says; true when it has ended, false when it says no more, or not in time.
 */
static bool wait_for_end(int keeper, int64_t until)
{
	struct pollfd polled = {.fd = keeper, .events = POLLIN};

	for (;;) {
		cleanup_packet struct control_packet packet = {0};
		int64_t left_ms = (until - clock_boottime_ns()) / NSEC_PER_MSEC;
		int r;

		if (until && poll(&polled, 1, left_ms > 0 ? (int)left_ms : 0) == 0)
			return false;
		r = control_receive_words(keeper, &packet);
		if (r > 0 && packet.verb == CONTROL_ENDED)
			return true;
		if (r <= 0)
			return false;
	}
}

/* It may have seen its server die before it died itself, and have called that the reason. */
static void put_reason(const struct site *site, const char *id, const char *reason)
{
	cleanup_fd int run = site_open_run_of(site, id);
	struct status status;

	if (run < 0 || status_read(run, &status) < 0)
		return;
	status.state = STATE_ENDED;
	status.failed = false;
	text_cutf(status.reason, sizeof(status.reason), "%s", reason);
	(void)status_write(run, &status);
}

/*
 * A keeper that lives but does not understand a stop, because it is of another version of stint:
 * it goes with everything that it keeps. One that is just going needs a moment.
 */
static int kill_stranger(const struct site *site, const char *id, const char *reason,
			 struct error *err)
{
	cleanup_record struct record *record = NULL;
	int64_t until = clock_boottime_ns() + STRANGER_NS;
	int r;

	while (instance_is_alive(site, id) && clock_boottime_ns() < until)
		poll(NULL, 0, 5);
	if (!instance_is_alive(site, id))
		return 0;
	r = instance_load(site, id, &record, err);
	if (r == 0)
		r = steps_end(site, record, err);
	if (r == 0)
		put_reason(site, id, reason);
	return r == -ENOENT ? 0 : r;
}

void instance_ask(const struct site *site, const char *id, bool now, const char *reason)
{
	cleanup_fd int keeper = instance_connect(site, id, NULL);
	struct control_packet packet = {.verb = now ? CONTROL_KILL : CONTROL_STOP,
					.text = (char *)reason};

	if (keeper >= 0)
		(void)control_send(keeper, &packet, NULL, 0);
}

/* A keeper that goes without a word may have a successor ("stint reset"): that one is asked then.
 */
static int ask_keeper(const struct site *site, const char *id, const struct control_packet *packet,
		      int64_t until, struct error *err)
{
	bool ended = false;

	for (int i = 0; i < KEEPERS_ASKED && !ended; i++) {
		cleanup_fd int keeper = connect_patiently(site, id, err);

		if (keeper < 0)
			return 0;
		ended = control_send(keeper, packet, NULL, 0) == 0 && wait_for_end(keeper, until);
	}
	return !ended ? kill_stranger(site, id, packet->text, err) : 0;
}

static int end_with(const struct site *site, const char *id, enum control_verb verb,
		    const char *reason, struct error *err)
{
	struct control_packet packet = {.verb = verb, .finish = true, .text = (char *)reason};
	/* a stop takes as long as the grace and the deadline let it; a kill is a matter of moments
	 */
	int64_t until = verb == CONTROL_KILL ? clock_boottime_ns() + KILL_BOUND_NS : 0;
	int r = ask_keeper(site, id, &packet, until, err);

	/* what does not die is for the end to say */
	return r < 0 && r != -EBUSY ? r : instance_end(site, id, reason, err);
}

int instance_down(const struct site *site, const char *id, const char *reason, struct error *err)
{
	return end_with(site, id, CONTROL_STOP, reason, err);
}

int instance_kill(const struct site *site, const char *id, const char *reason, struct error *err)
{
	return end_with(site, id, CONTROL_KILL, reason, err);
}

void instance_observe(const struct site *site, const struct record *record,
		      struct status *ret_status)
{
	cleanup_free char *path = xasprintf("i/%s/" STATUS_FILE_NAME, record->grant.id);

	*ret_status = (struct status){.state = STATE_CREATING, .exit_status = -1};
	if (record->kept_until_ns) {
		ret_status->state = STATE_KEPT;
		return;
	}
	(void)status_read_at(site->run, path, ret_status);
	if (ret_status->state != STATE_ENDED && ret_status->state != STATE_STUCK &&
	    !instance_is_alive(site, record->grant.id))
		ret_status->state = STATE_LOST;
}
