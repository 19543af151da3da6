/* SPDX-License-Identifier: Apache-2.0 */
/* From words to a ready instance, or to nothing; see session.h. */
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "base/socket.h"
#include "base/visible.h"
#include "cli/output.h"
#include "cli/place.h"
#include "instance/identity.h"
#include "instance/log.h"
#include "instance/lowers.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#define TAIL_LINES 10

static int check_name(const char *name, struct error *err)
{
	if (!name || is_valid_name(name))
		return 0;
	return error_say(err, ERROR_USAGE,
			 "'%s' is no name: use a-z, 0-9 and '-', at most 63 characters, the first "
			 "no '-'",
			 name);
}

/* --recreate: an instance of that name goes first, whatever its template. */
static int take_down_old(const struct caller *caller, const struct site *site, const char *name,
			 struct error *err)
{
	cleanup_store struct store *store = NULL;
	cleanup_record struct record *record = NULL;
	int r = store_open(site->state_path, &store, err);

	if (r == 0)
		r = store_load(store, name, &record, err);
	if (r == -ENOENT)
		return 0;
	if (r == 0 && !caller_owns(caller, record))
		return error_say(err, ERROR_EXISTS, "the name '%s' is taken: choose another one",
				 name);
	return r < 0 ? r : instance_down(site, record->grant.id, "replaced by --recreate", err);
}

/* A file that the caller can read himself. */
static int open_with(const struct options *o, struct session *session, struct error *err)
{
	bool from_stream = o->with && strcmp(o->with, "-") == 0;
	int fd;

	if (!o->with)
		return 0;
	fd = from_stream ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			 : identity_open_file(&session->owner, o->with, err);
	if (fd < 0)
		return from_stream ? error_set(err, errno, "--with: cannot read standard input")
				   : error_prefix(err, "--with");
	session->with = (struct given_harvest){.name = o->with, .fd = fd};
	return 0;
}

/* Before anything of ours is open or made, and while a signal still ends this process. */
static int take_from_caller(struct session *session, struct error *err)
{
	const struct options *o = &session->invocation->options;
	int r = account_of_caller(&session->owner, err);

	if (r == 0)
		r = secrets_read(o->secret, &session->owner, &session->secrets, err);
	return r < 0 ? r : open_with(o, session, err);
}

/* What is missing, and may be, is said. */
static int look_at_secrets(const struct session *session, struct error *err)
{
	const struct plan_content *content = &session->plan->content;
	int r = secrets_check(session->plan, &session->secrets, err);

	for (size_t i = 0; r == 0 && i < content->n_secrets; i++) {
		const struct plan_secret *secret = &content->secrets[i];

		if (!secret->from && secrets_find(&session->secrets, secret->name) < 0)
			fprintf(stderr, "stint: note: %s\n", secret->missing);
	}
	return r;
}

static int prepare(struct session *session, struct start_request *request, struct error *err)
{
	const struct options *o = &session->invocation->options;
	const struct caller *caller = session->invocation->caller;
	int r = check_name(o->name, err);

	if (r == 0 && o->recreate && !o->name)
		r = error_say(err, ERROR_USAGE, "--recreate needs --name");
	if (r == 0)
		r = place_open(&session->site, err);
	if (r == 0)
		r = compile_template(session->invocation, &session->site, true, &session->plan,
				     err);
	if (r == 0)
		r = wish_lease(o, session->plan, &request->lease, err);
	if (r == 0)
		r = lowers_name(&session->site, session->plan, err);
	if (r == 0)
		r = look_at_secrets(session, err);
	if (r == 0 && o->recreate)
		r = take_down_old(caller, &session->site, o->name, err);
	return r;
}

/* A server that does nothing takes the place of the template's. */
static void make_idle(struct plan *plan, char ***ret_command)
{
	static const char *const words[] = {"/bin/sh", "-c",
					    "PATH=/usr/bin:/bin exec sleep infinity"};

	*ret_command = plan->run.command;
	plan->run.command = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_add(&plan->run.command, words[i]);
	plan->run.restart = RESTART_NO;
	plan->run.grace_ns = 0;
	plan->ready.kind = READY_NONE;
}

static int start(const struct invocation *invocation, struct session *ret_session,
		 char ***ret_command, struct error *err)
{
	const struct options *o = &invocation->options;
	struct start_request request = {
		.name = o->name, .publish = o->publish, .hold = !o->no_hold};
	int r;

	*ret_session = (struct session){.invocation = invocation,
					.site = {.state = -1, .run = -1},
					.instance = {.tie = -1},
					.with = {.fd = -1},
					.exit_status = -1};
	r = take_from_caller(ret_session, err);
	ret_session->signals = process_take_signals(SIGQUIT);
	if (r == 0)
		r = prepare(ret_session, &request, err);
	if (r < 0)
		return r;
	if (ret_command)
		make_idle(ret_session->plan, ret_command);
	request.plan = ret_session->plan;
	request.owner = &ret_session->owner;
	request.secrets = &ret_session->secrets;
	request.with = ret_session->with.fd >= 0 ? &ret_session->with : NULL;
	request.cancel = ret_session->signals;
	request.quota = caller_quota(invocation->caller, &ret_session->site);
	r = instance_start(&ret_session->site, &request, &ret_session->instance, err);
	secrets_deinit(&ret_session->secrets);
	cleanup_close(&ret_session->with.fd);
	if (r == 0 && ret_session->instance.without.code)
		fprintf(stderr, "stint: no user namespace: %s\n",
			ret_session->instance.without.text);
	return r;
}

int session_start(const struct invocation *invocation, struct session *ret_session,
		  struct error *err)
{
	return start(invocation, ret_session, NULL, err);
}

int session_start_idle(const struct invocation *invocation, struct session *ret_session,
		       char ***ret_command, struct error *err)
{
	return start(invocation, ret_session, ret_command, err);
}

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
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = control_receive(session->instance.tie, &packet, fds, &n_fds);

	for (size_t i = 0; r > 0 && i < n_fds; i++)
		close(fds[i]);
	if (r <= 0) {
		session->over = true;
		return false;
	}
	if (packet.verb == CONTROL_STAGE) {
		session->started |= packet.number2 > 0;
		show_stage(session, packet.text ? packet.text : "", packet.number);
	} else if (packet.verb == CONTROL_READY) {
		session->ready_ns = packet.number ? packet.number : 1;
	} else if (packet.verb == CONTROL_OK) {
		session->released = true;
	} else if (packet.verb == CONTROL_FAILED) {
		session->failure = packet.error;
	} else if (packet.verb == CONTROL_ENDED) {
		session->over = true;
		session->exit_status = (int)packet.number;
		session->exit_signal = (int)packet.number2;
		snprintf(session->reason, sizeof(session->reason), "%s",
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
			  "'%s' was %s and was taken down; allow more in 'ready: timeout:', or see "
			  "its output above",
			  name, failure->text);
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
		if (polled[1].revents) {
			take_signal(session);
			(void)control_send(session->instance.tie, &kill_packet, NULL, 0);
		}
		if (polled[0].revents)
			session_take_packet(session);
	}
	clear_stage();
	if (!session->over)
		return 0;
	explain_end(session, err);
	if (end_instance(session, "keeper lost", &undo) < 0)
		fprintf(stderr, "stint: %s\n", undo.text);
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
