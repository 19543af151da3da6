/* SPDX-License-Identifier: Apache-2.0 */
/* From an instance that is starting to a ready one, or to nothing; see session.h. */
#include "cli/session.h"
#include "cli/output.h"
#include "base/cleanup.h"
#include "base/socket.h"
#include "base/visible.h"
#include "instance/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#define TAIL_LINES 10

/* One line that is written over on a terminal, a line each elsewhere; to stderr, beside data. */
static void show_stage(const struct session *session, const char *stage, int64_t ns)
{
	const char *name = session->instance.record->grant.name;
	char time[32];

	if (!session->show_stages)
		return;
	format_duration(ns, time, sizeof(time));
	if (isatty(2))
		fprintf(stderr, "\r\033[K%s: %s (%s)", name, stage, time);
	else
		fprintf(stderr, "%s: %s after %s\n", name, stage, time);
	fflush(stderr);
}

static void clear_stage(void)
{
	if (isatty(2))
		fputs("\r\033[K", stderr);
}

bool session_take_packet(struct session *session)
{
	cleanup_packet struct control_packet packet = {0};
	int r = control_receive_words(session->instance.tie, &packet);

	if (r <= 0) {
		session->over = true;
		return false;
	}
	if (packet.verb == CONTROL_STAGE) {
		session->started |= packet.number2 > 0;
		show_stage(session, packet.text ? packet.text : "", packet.number);
	} else if (packet.verb == CONTROL_READY) {
		session->ready_ns = packet.number ? packet.number : 1;
		session->started = true;
	} else if (packet.verb == CONTROL_OK) {
		session->released = true;
	} else if (packet.verb == CONTROL_FAILED) {
		session->failure = packet.error;
		session->time_may_help = packet.number;
	} else if (packet.verb == CONTROL_ENDED) {
		session->over = true;
		session->exit_status = (int)packet.number;
		session->exit_signal = (int)packet.number2;
		text_cutf(session->reason, sizeof(session->reason), "%s",
			  packet.text ? packet.text : "");
	}
	return !session->over;
}

/* What a server wrote must not steer the terminal it is shown on. */
static void print_line(const struct log_record *record, void *data)
{
	cleanup_text struct text shown = {0};

	(void)data;
	text_add_visible(&shown, record->text, record->length);
	fprintf(stderr, "  | %s\n", shown.data ? shown.data : "");
}

void session_print_log_tail(const struct session *session)
{
	struct log_reader reader;

	if (log_open(&session->site, session->instance.record->grant.id, &reader) < 0)
		return;
	if (log_skip_to_last(&reader, TAIL_LINES) == 0)
		log_read(&reader, print_line, NULL);
	log_close(&reader);
}

/* What the user reads when the instance ended before its server was ready. */
static int explain_end(struct session *session, struct error *err)
{
	const char *name = session->instance.record->grant.name;
	const struct error *failure = &session->failure;

	session_print_log_tail(session);
	if (session->interrupted)
		error_say(err, ERROR_FAILED, "interrupted; '%s' was taken down", name);
	else if (failure->code && failure->kind == ERROR_NOT_READY)
		error_say(err, failure->kind,
			  "'%s' was %s; it was taken down: see its output above%s", name,
			  failure->text,
			  session->time_may_help ? ", or allow more in 'ready: timeout:'" : "");
	else if (failure->code)
		error_say(err, failure->kind, "cannot start '%s': %s", name, failure->text);
	else
		error_say(err, ERROR_FAILED, "'%s' ended before it was ready: %s", name,
			  *session->reason ? session->reason : "its keeper was lost");
	return err->code;
}

static void take_signal(struct session *session)
{
	struct signalfd_siginfo info;

	if (read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		session->interrupted = (int)info.ssi_signo;
}

/* Undoes it, and says what is kept of it. */
static int end_instance(const struct session *session, const char *reason, struct error *err)
{
	const struct grant *grant = &session->instance.record->grant;
	int64_t kept_ns = session->plan->lease.keep_failed_ns;
	cleanup_record struct record *record = NULL;
	int r = instance_end(&session->site, grant->id, reason, err);
	char kept[32];

	if (r < 0 || !kept_ns || instance_load(&session->site, grant->id, &record, NULL) < 0)
		return r;
	format_duration(kept_ns, kept, sizeof(kept));
	fprintf(stderr,
		"stint: its log and files are kept for %s: see 'stint logs %s' and 'stint diff "
		"%s'; 'stint down %s' removes them\n",
		kept, grant->name, grant->name, grant->name);
	return r;
}

enum goal { GOAL_STARTED, GOAL_READY, GOAL_RELEASED };

static bool is_reached(const struct session *session, enum goal goal)
{
	if (goal == GOAL_RELEASED)
		return session->released;
	return goal == GOAL_STARTED ? session->started : session->ready_ns > 0;
}

static int leave(const struct session *session, struct error *err)
{
	clear_stage();
	return error_say(err, ERROR_FAILED,
			 "interrupted; '%s' is reset and gets ready by itself: see 'stint show %s'",
			 session->instance.record->grant.name,
			 session->instance.record->grant.name);
}

/* Once a signal has come there is no way back: the end is waited for. */
static int wait_until(struct session *session, enum goal goal, struct error *err)
{
	struct error undo;

	while (!session->over && (session->interrupted || !is_reached(session, goal))) {
		struct pollfd polled[] = {
			{.fd = session->instance.tie, .events = POLLIN},
			{.fd = session->signals, .events = POLLIN},
		};
		struct control_packet kill_packet = {
			.verb = CONTROL_KILL, .finish = true, .text = (char *)"interrupted"};

		if (poll(polled, ARRAY_SIZE(polled), -1) < 0 && errno != EINTR)
			return error_set(err, errno, "cannot wait");
		if (polled[1].revents)
			take_signal(session);
		if (polled[1].revents && session->goes_on)
			return leave(session, err);
		if (polled[1].revents)
			(void)control_send(session->instance.tie, &kill_packet, NULL, 0);
		if (polled[0].revents)
			session_take_packet(session);
	}
	clear_stage();
	if (!session->over)
		return 0;
	explain_end(session, err);
	if (end_instance(session, "keeper lost", &undo) < 0)
		report_note("%s", undo.text);
	return err->code;
}

int session_wait_ready(struct session *session, struct error *err)
{
	session->show_stages = !session->invocation->options.json;
	return wait_until(session, GOAL_READY, err);
}

int session_wait_started(struct session *session, struct error *err)
{
	return wait_until(session, GOAL_STARTED, err);
}

int session_release(struct session *session, struct error *err)
{
	struct control_packet packet = {.verb = CONTROL_RELEASE};
	int r = control_send(session->instance.tie, &packet, NULL, 0);

	if (r < 0)
		return error_set(err, -r, "the keeper is gone");
	/* until it has heard it, a connection that is closed is the instance's end */
	return wait_until(session, GOAL_RELEASED, err);
}

int session_take_over(struct session *session, int64_t drain_ns, struct error *err)
{
	struct control_packet packet = {.verb = CONTROL_TAKE, .number = drain_ns};
	struct error undo;
	int r = control_send(session->instance.tie, &packet, NULL, 0);

	session->failure = (struct error){0};
	while (r == 0 && !session->released && !session->failure.code)
		if (!session_take_packet(session))
			break;
	if (session->released)
		return 0;
	error_say(err, ERROR_FAILED, "the successor could not take the ports: %s",
		  session->failure.code ? session->failure.text
		  : *session->reason	? session->reason
					: "its keeper was lost");
	if (session_end(session, "could not take the ports", false, &undo) < 0)
		report_note("%s", undo.text);
	return err->code;
}

int session_end(struct session *session, const char *reason, bool graceful, struct error *err)
{
	struct control_packet packet = {.verb = graceful ? CONTROL_STOP : CONTROL_KILL,
					.finish = true,
					.text = (char *)reason};

	if (!session->over && control_send(session->instance.tie, &packet, NULL, 0) == 0)
		while (session_take_packet(session))
			;
	return end_instance(session, reason, err);
}

void session_deinit(struct session *session)
{
	if (session->instance.record)
		instance_deinit(&session->instance);
	plan_free(session->plan);
	account_deinit(&session->owner);
	secrets_deinit(&session->secrets);
	cleanup_close(&session->with.fd);
	site_close(&session->site);
	cleanup_close(&session->signals);
}
