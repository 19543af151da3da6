/* SPDX-License-Identifier: Apache-2.0 */
/* stint replace: another instance takes the place of one that runs. */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/socket.h"
#include "instance/succession.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define LOOK_MS 250

static int read_drain(const struct options *options, int64_t *ret_ns, struct error *err)
{
	int r;

	*ret_ns = SUCCESSION_DRAIN_NS;
	r = options->drain ? parse_duration(options->drain, ret_ns) : 0;
	return r < 0 ? wish_refuse_duration("drain", options->drain, r, "30s, 5m or 0s", err) : 0;
}

/* What has no keeper cannot hand anything over. */
static int check_predecessor(const struct site *site, const struct record *record,
			     struct error *err)
{
	struct status status;

	instance_observe(site, record, &status);
	if (status.state == STATE_READY || status.state == STATE_STARTING)
		return 0;
	return error_say(err, ERROR_REFUSED, "'%s' cannot be replaced: it is %s%s",
			 record->grant.name, instance_state_name(status.state),
			 status.state == STATE_FROZEN
				 ? "; 'stint touch' or 'stint extend' lets it go on"
				 : "");
}

/* An end that somebody wanted while the successor got ready is not turned into a new life. */
static int take_place(struct session *session, const struct record *old, int64_t drain_ns,
		      struct error *err)
{
	cleanup_record struct record *still = NULL;
	struct error undo;
	int r = instance_load(&session->site, old->grant.id, &still, err);

	if (r == 0)
		r = check_predecessor(&session->site, still, err);
	if (r < 0) {
		error_say(err, ERROR_FAILED, "it ended meanwhile, or is about to");
		if (session_end(session, "its predecessor ended", false, &undo) < 0)
			report_note("%s", undo.text);
		return err->code;
	}
	r = session_take_over(session, drain_ns, err);
	if (r < 0)
		return r;
	return succession_complete(&session->site, session->instance.record->grant.id, err);
}

static void show_waiting(struct progress *progress, const char *name, int64_t until_ns)
{
	char left[32], line[160];
	int64_t left_ns = until_ns - clock_boottime_ns();

	format_duration(left_ns > 0 ? left_ns : 0, left, sizeof(left));
	snprintf(line, sizeof(line), "%.63s: waiting for connections to end (%s at most)", name,
		 left);
	progress_show(progress, line);
}

/* True when the keeper says that it has ended, or is gone. */
static bool has_ended(int keeper)
{
	cleanup_packet struct control_packet packet = {0};

	return control_receive_words(keeper, &packet) <= 0 || packet.verb == CONTROL_ENDED;
}

/* The predecessor drains by itself; a signal ends the waiting, and nothing else. */
static int wait_for_end(struct session *session, const struct record *old, int64_t drain_ns,
			struct error *err)
{
	cleanup_fd int keeper = instance_connect(&session->site, old->grant.id, NULL);
	const struct control_packet watch = {.verb = CONTROL_WATCH, .finish = true};
	struct pollfd polled[] = {{.fd = keeper, .events = POLLIN},
				  {.fd = session->signals, .events = POLLIN}};
	int64_t until = clock_boottime_ns() + drain_ns;
	struct progress progress = {0};
	bool over = keeper < 0 || control_send(keeper, &watch, NULL, 0) < 0;

	while (!over && !polled[1].revents) {
		if (progress_is_due(&progress))
			show_waiting(&progress, old->grant.name, until);
		if (poll(polled, 2, LOOK_MS) > 0 && polled[0].revents)
			over = has_ended(keeper);
	}
	progress_clear(&progress);
	if (!over) {
		report_note("the old instance (%s) ends by itself", old->grant.id);
		return 0;
	}
	return instance_end(&session->site, old->grant.id, "replaced", err);
}

static int print_result(const struct session *session, const struct record *old)
{
	cleanup_record struct record *record = NULL;
	const char *id = session->instance.record->grant.id;
	struct status status;
	struct error err;

	if (instance_load(&session->site, id, &record, &err) < 0)
		return report(&err);
	instance_observe(&session->site, record, &status);
	if (session->invocation->options.json)
		return json_print(json_instance(record, &status));
	printf("%s is replaced: %s after %s\n", record->grant.name, id, old->grant.id);
	for (size_t i = 0; i < record->grant.n_ports; i++) {
		cleanup_free char *url = port_url(&record->grant.ports[i]);

		printf("  %-8s %s\n", record->grant.ports[i].name, url);
	}
	return 0;
}

/* A template may have more than its predecessor published, and nobody may have wanted those. */
static void note_unpublished(const struct session *session, const struct record *old)
{
	const struct plan *plan = session->plan;
	cleanup_text struct text names = {0};

	for (size_t i = 0; i < plan->n_ports; i++) {
		bool published = false;

		for (size_t j = 0; j < old->grant.n_ports; j++)
			published |= strcmp(plan->ports[i].name, old->grant.ports[j].name) == 0;
		if (!published)
			text_addf(&names, "%s'%s'", names.length ? ", " : "", plan->ports[i].name);
	}
	if (names.length)
		fprintf(stderr,
			"stint: note: not published, because '%s' published none of that name: %s; "
			"'stint up %s --recreate --name %s' publishes all\n",
			old->grant.name, names.data, session->invocation->args[1], old->grant.name);
}

static int replace(const struct invocation *invocation, const struct record *old,
		   struct session *session)
{
	struct error err = {0};
	int64_t drain_ns;
	int status = 0;
	int r = read_drain(&invocation->options, &drain_ns, &err);

	if (r == 0)
		r = session_start_successor(invocation, old, session, &err);
	if (r == 0 && invocation->n_args > 1)
		note_unpublished(session, old);
	if (r == 0 && !invocation->options.with)
		note_brought_along(&session->site, old);
	if (r == 0)
		r = session_wait_ready(session, &err);
	if (r == 0)
		r = take_place(session, old, drain_ns, &err);
	if (r < 0)
		error_prefix(&err, "'%s' was not replaced", old->grant.name);
	if (r == 0)
		status = print_result(session, old);
	if (r == 0 && !invocation->options.no_wait)
		r = wait_for_end(session, old, drain_ns, &err);
	if (r < 0)
		status = report(&err);
	return session->interrupted && r < 0 ? 128 + session->interrupted : status;
}

static int run_replace(const struct invocation *invocation)
{
	cleanup_record struct record *old = NULL;
	struct site site = {.state = -1, .run = -1};
	struct session session = {
		.site = {.state = -1, .run = -1}, .signals = -1, .instance = {.tie = -1}};
	struct error err = {0};
	int status;

	if (open_named(invocation->caller, invocation->args[0], &site, &old, &err) < 0 ||
	    check_predecessor(&site, old, &err) < 0)
		status = report(&err);
	else
		status = replace(invocation, old, &session);
	session_deinit(&session);
	site_close(&site);
	return status;
}

const struct command replace_command = {
	.name = "replace",
	.usage = "NAME [TEMPLATE] [OPTION...]",
	.options = "drain set env secret with no-wait "
		   "memory swap cpus disk pids files io-read io-write log-size best-effort json",
	.summary = "another instance takes the place of one that runs",
	.description =
		"Starts an instance with the same plan on the newest generation of its installs, "
		"or of TEMPLATE, beside the one that runs. When it is ready it gets the other's "
		"name, lease and published ports, without a connection that is refused. The old "
		"one serves the connections that it has: it ends when the last one has ended, or "
		"was idle for a second after an answer, or when --drain is over. When the new one "
		"does not get ready, nothing has changed.",
	.min_args = 1,
	.max_args = 2,
	.run = run_replace,
};
