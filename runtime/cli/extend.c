/* SPDX-License-Identifier: Apache-2.0 */
/* stint extend: a later (or earlier) deadline. */
#include "cli/commands.h"
#include "cli/output.h"
#include "base/cleanup.h"
#include "instance/events.h"
#include "instance/reach.h"
#include "instance/record_file.h"
#include "store/spares.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Whose the maximum is. */
static bool is_of_quota(const struct site *site, const struct record *record)
{
	const struct quota *quota = site_config_quota(&site->config, record->grant.owner);

	return record->grant.owner_uid && quota->ttl_ns &&
	       quota->ttl_ns == record->grant.lease.max_ns;
}

static int new_lease(const struct invocation *invocation, const struct site *site,
		     const struct record *record, struct lease *ret_lease, struct error *err)
{
	struct lease old = record->grant.lease;
	const char *more = invocation->n_args > 1 ? invocation->args[1] : NULL;
	const char *until_text = invocation->options.until;
	int64_t more_ns = 0;
	time_t until = 0;
	int r = more ? -EINVAL : 0;

	if (spare_is_name(record->grant.name))
		return error_say(err, ERROR_REFUSED,
				 "'%s' is a spare, which gets its lease when it is claimed: "
				 "'stint pool set --max-age' says how old it may get",
				 record->grant.name);
	/* no name that somebody gave has a dot (store/succession.h) */
	if (strchr(record->grant.name, '.'))
		return error_say(err, ERROR_REFUSED,
				 "'%s' is about to take the place of another instance, or has "
				 "lost its own: the lease is that of who has the name",
				 record->grant.name);
	if (!more == !until_text)
		return error_say(err, ERROR_USAGE,
				 "say by how much, +1h, or until when, --until 18:00");
	if (more && *more == '+')
		r = parse_duration(more + 1, &more_ns);
	if (r == -ERANGE)
		return error_say(err, ERROR_USAGE, "'%s' is too long; at most +%dd", more,
				 DURATION_MAX_DAYS);
	if (r < 0)
		return error_say(err, ERROR_USAGE, "'%s' is no extension; write +30m or +1h", more);
	if (until_text && parse_time(until_text, time(NULL), &until) < 0)
		return error_say(err, ERROR_USAGE,
				 "'%s' is no time; write 18:00 or 2026-12-24T18:00", until_text);
	old.max_of_quota = is_of_quota(site, record);
	return lease_extend(&old, record->created_ns, more_ns, until, ret_lease, err);
}

/* The store first, then the keeper, which acknowledges: a crash between the two loses nothing. */
static int apply(const struct site *site, const struct record *record, const struct lease *lease,
		 struct error *err)
{
	struct control_packet packet = {.verb = CONTROL_LEASE, .lease = *lease};
	cleanup_store struct store *store = NULL;
	struct record changed = *record; /* a view of the same */
	char until[32];
	int r = store_open(site->state_path, &store, err);

	if (r == 0)
		r = store_set_lease(store, record->grant.id, lease, err);
	if (r < 0)
		return r;
	r = reach_tell(site, record->grant.id, &packet, err);
	if (r < 0 && err->kind == ERROR_REFUSED)
		store_set_lease(store, record->grant.id, &record->grant.lease, NULL);
	if (r < 0)
		return r;
	changed.grant.lease = *lease;
	(void)record_file_write(site, &changed, NULL, NULL);
	format_rfc3339(lease_deadline_wall_s(lease), until, sizeof(until));
	events_add(site, record->grant.id, "extended", until);
	return 0;
}

static int print_json(struct site *site, struct record *record, const struct lease *lease)
{
	struct status status;

	record->grant.lease = *lease;
	instance_observe(site, record, &status);
	return json_print(json_instance(record, &status));
}

static void print_lease(const struct record *record, const struct lease *lease)
{
	char moment[64], left[32];

	format_moment(lease_deadline_wall_s(lease), moment, sizeof(moment));
	format_duration(lease_left_ns(lease), left, sizeof(left));
	printf("%s ends at %s, in %s\n", record->grant.name, moment, left);
}

static int run_extend(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	struct lease lease;
	int status = 0;

	if (open_running(invocation->caller, invocation->args[0], &site, &record, &err) < 0 ||
	    new_lease(invocation, &site, record, &lease, &err) < 0 ||
	    apply(&site, record, &lease, &err) < 0)
		status = report(&err);
	else if (invocation->options.json)
		status = print_json(&site, record, &lease);
	else
		print_lease(record, &lease);
	site_close(&site);
	return status;
}

const struct command extend_command = {
	.name = "extend",
	.usage = "NAME +DURATION | --until TIME",
	.options = "until json",
	.summary = "move the deadline of an instance",
	.description = "Adds to the time an instance has left, or sets when it ends, up to the "
		       "maximum of its template, or of its owner's quota.",
	.min_args = 1,
	.max_args = 2,
	.run = run_extend,
};
