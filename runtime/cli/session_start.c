/* SPDX-License-Identifier: Apache-2.0 */
/* From words to an instance that is starting; see session.h. */
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/visible.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "instance/identity.h"
#include "instance/lowers.h"
#include "instance/reset.h"
#include "instance/spares.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

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
			report_note("note: %s", secret->missing);
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

/* The zone goes over; to what it opens, only who may choose zones brings another template. */
static int check_zone(const struct session *session, const struct record *predecessor,
		      struct error *err)
{
	const char *zone = session->plan->network.zone;

	if (!session->invocation->caller->restricted || strcmp(zone, predecessor->zone) == 0)
		return 0;
	return error_say(err, ERROR_REFUSED,
			 "template '%s' is for the zone '%s', and '%s' is in the zone '%s'",
			 session->plan->template_name, zone, predecessor->grant.name,
			 predecessor->zone);
}

/* The deadline goes over, but no template lives longer than it allows for that. */
static int bound_lease(const struct plan *plan, struct lease *lease, struct error *err)
{
	int64_t max = plan->lease.max_ns;
	char left[32], most[32];

	if (max && (!lease->max_ns || max < lease->max_ns))
		lease->max_ns = max;
	if (!max || lease_left_ns(lease) <= max)
		return 0;
	format_duration(lease_left_ns(lease), left, sizeof(left));
	format_duration(max, most, sizeof(most));
	return error_say(err, ERROR_REFUSED,
			 "it has %s left, and template '%s' allows %s at most: 'stint extend "
			 "--until' can set an earlier end",
			 left, plan->template_name, most);
}

/* Its own plan again says what was asked of it then; only a template can be asked for something. */
static int plan_successor(struct session *session, const struct record *predecessor,
			  struct error *err)
{
	struct invocation view = *session->invocation;
	int r = view.n_args < 2 ? wish_nothing(&view.options, err) : 0;

	if (r < 0)
		return r;
	if (view.n_args < 2)
		return plan_of_record(predecessor, &session->plan, err);
	view.args++;
	view.n_args--;
	r = compile_template(&view, &session->site, true, &session->plan, err);
	if (r == 0)
		r = check_zone(session, predecessor, err);
	if (r < 0)
		return r;
	free(session->plan->network.zone);
	session->plan->network.zone = xstrdup(predecessor->zone);
	return lowers_name(&session->site, session->plan, err);
}

static int prepare_successor(struct session *session, struct start_request *request,
			     struct error *err)
{
	const struct grant *old = &request->predecessor->grant;
	int r = place_open(&session->site, err);

	request->name = old->name;
	request->lease = old->lease;
	request->hold = old->hold;
	if (r == 0)
		r = plan_successor(session, request->predecessor, err);
	if (r == 0)
		r = bound_lease(session->plan, &request->lease, err);
	return r < 0 ? r : look_at_secrets(session, err);
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

/* Who only waits for room can be told so. */
static void offer_to_wait(struct error *err)
{
	size_t used = strlen(err->text);

	if (store_lacks_room(err) != ROOM_NEVER)
		snprintf(err->text + used, sizeof(err->text) - used, "; --queue waits for room");
}

/* Whom or what an instance is started for; all NULL: just so. */
struct purpose {
	int64_t spare_ns; /* it is a spare, for so long; 0: it is not */
	const struct record *predecessor;
	const struct trial *trial;
	char ***ret_command; /* of the template's server, which is not started then */
};

static struct lease spare_lease(int64_t max_age_ns)
{
	return (struct lease){.clock = LEASE_BOOTTIME,
			      .source = LEASE_FROM_BUILTIN,
			      .deadline_ns = clock_boottime_ns() + max_age_ns,
			      .length_ns = max_age_ns};
}

/* What of the plan and the request is not as it would be for just an instance. */
static void serve_purpose(const struct purpose *purpose, struct session *session,
			  struct start_request *request, struct text *likeness)
{
	if (purpose->ret_command)
		make_idle(session->plan, purpose->ret_command);
	request->may_claim = session->invocation->command == &up_command && !purpose->spare_ns &&
			     session->with.fd < 0;
	if (!purpose->spare_ns)
		return;
	spares_write_likeness(session->plan, likeness);
	request->likeness = likeness->data;
	request->lease = spare_lease(purpose->spare_ns);
}

static void complete(const struct session *session, struct start_request *request)
{
	request->plan = session->plan;
	request->owner = &session->owner;
	request->secrets = &session->secrets;
	request->with = session->with.fd >= 0 ? &session->with : NULL;
	request->cancel = session->signals;
	request->quota = caller_quota(session->invocation->caller, &session->site);
}

static int start_now_or_in_turn(struct session *session, struct start_request *request,
				struct error *err)
{
	const struct options *o = &session->invocation->options;
	int r;

	if (o->queue || o->queue_for)
		return session_start_in_turn(session, request, err);
	r = instance_start(&session->site, request, &session->instance, err);
	if (r < 0 && !request->predecessor && !request->trial)
		offer_to_wait(err);
	return r;
}

static int start(const struct invocation *invocation, const struct purpose *purpose,
		 struct session *ret_session, struct error *err)
{
	const struct options *o = &invocation->options;
	cleanup_text struct text likeness = {0};
	struct start_request request = {.name = o->name,
					.publish = o->publish,
					.hold = !o->no_hold,
					.predecessor = purpose->predecessor,
					.trial = purpose->trial};
	int r;

	*ret_session = (struct session){.invocation = invocation,
					.site = {.state = -1, .run = -1},
					.instance = {.tie = -1},
					.with = {.fd = -1},
					.exit_status = -1};
	r = take_from_caller(ret_session, err);
	ret_session->signals = process_take_signals(SIGQUIT);
	if (r == 0)
		r = purpose->predecessor ? prepare_successor(ret_session, &request, err)
					 : prepare(ret_session, &request, err);
	if (r < 0)
		return r;
	serve_purpose(purpose, ret_session, &request, &likeness);
	complete(ret_session, &request);
	r = start_now_or_in_turn(ret_session, &request, err);
	secrets_deinit(&ret_session->secrets);
	cleanup_close(&ret_session->with.fd);
	if (r == 0 && ret_session->instance.without.code)
		report_note("no user namespace: %s", ret_session->instance.without.text);
	return r;
}

int session_start(const struct invocation *invocation, struct session *ret_session,
		  struct error *err)
{
	return start(invocation, &(struct purpose){0}, ret_session, err);
}

int session_start_spare(const struct invocation *invocation, int64_t max_age_ns,
			struct session *ret_session, struct error *err)
{
	return start(invocation, &(struct purpose){.spare_ns = max_age_ns}, ret_session, err);
}

int session_start_trial(const struct invocation *invocation, const struct trial *trial,
			struct session *ret_session, struct error *err)
{
	return start(invocation, &(struct purpose){.trial = trial}, ret_session, err);
}

int session_start_idle(const struct invocation *invocation, struct session *ret_session,
		       char ***ret_command, struct error *err)
{
	return start(invocation, &(struct purpose){.ret_command = ret_command}, ret_session, err);
}

int session_start_successor(const struct invocation *invocation, const struct record *predecessor,
			    struct session *ret_session, struct error *err)
{
	return start(invocation, &(struct purpose){.predecessor = predecessor}, ret_session, err);
}

static int load_for_reset(struct session *session, struct error *err)
{
	const struct invocation *invocation = session->invocation;
	cleanup_store struct store *store = NULL;
	struct record **record = &session->instance.record;
	int r = place_open(&session->site, err);

	if (r == 0)
		r = store_open(session->site.state_path, &store, err);
	if (r == 0)
		r = caller_load(invocation->caller, store, invocation->args[0], record, err);
	if (r == 0)
		r = check_not_kept(*record, err);
	if (r == 0)
		r = plan_of_record(*record, &session->plan, err);
	return r < 0 ? r : look_at_secrets(session, err);
}

void note_brought_along(const struct site *site, const struct record *record)
{
	cleanup_free char *name = instance_brought_along(site, record->grant.id);
	cleanup_text struct text shown = {0};

	if (!name)
		return;
	text_add_visible(&shown, name, strlen(name));
	report_note("note: what '%s' was started with (--with %s) does not come along",
		    record->grant.name, shown.data ? shown.data : "");
}

int session_reset(const struct invocation *invocation, struct session *ret_session,
		  struct error *err)
{
	int r;

	*ret_session = (struct session){.invocation = invocation,
					.site = {.state = -1, .run = -1},
					.instance = {.tie = -1},
					.with = {.fd = -1},
					.goes_on = true,
					.exit_status = -1};
	r = take_from_caller(ret_session, err);
	ret_session->signals = process_take_signals(SIGQUIT);
	if (r == 0)
		r = load_for_reset(ret_session, err);
	if (r == 0)
		r = instance_reset(&ret_session->site, ret_session->plan, &ret_session->secrets,
				   &ret_session->instance, err);
	secrets_deinit(&ret_session->secrets);
	if (r < 0)
		return r;
	note_brought_along(&ret_session->site, ret_session->instance.record);
	instance_brought_nothing(&ret_session->site, ret_session->instance.record->grant.id);
	return 0;
}
