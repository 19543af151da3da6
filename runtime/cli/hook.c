/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stint hook: runs a hook for a keeper, and tells it what became of it. A hook that the keeper
 * waits for ends with the keeper.
 */
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "instance/events.h"
#include "instance/hook.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define WARNING "warn"

/* Of a warning nobody waits for the end: it has no connection to the keeper. */
struct work {
	struct site site;
	struct record *record;
	struct plan *plan;
	struct plan_hook warning;
	struct hook_run run;
	int kind;   /* enum plan_hook_kind; -1: a warning */
	int keeper; /* connection; -1: none */
};

static void work_deinit(struct work *work)
{
	cleanup_close(&work->keeper);
	plan_cleanup(&work->plan);
	record_cleanup(&work->record);
	site_close(&work->site);
}

static int find_kind(const char *word, struct work *work, struct error *err)
{
	work->kind = -1;
	if (strcmp(word, WARNING) == 0)
		return 0;
	for (int i = 0; i < PLAN_HOOKS; i++)
		if (strcmp(plan_hook_names[i], word) == 0)
			work->kind = i;
	return work->kind < 0 ? error_say(err, ERROR_USAGE, "'%s' is no hook", word) : 0;
}

static int find_hook(struct work *work, struct error *err)
{
	work->warning = (struct plan_hook){.command = work->plan->lease.warning.hook,
					   .timeout_ns = HOOK_WARNING_NS};
	work->run = (struct hook_run){
		.name = work->kind < 0 ? WARNING : plan_hook_names[work->kind],
		.hook = work->kind < 0 ? &work->warning : &work->plan->hooks[work->kind],
		.record = work->record,
		.cancel = work->keeper,
	};
	return work->run.hook->command
		       ? 0
		       : error_say(err, ERROR_FAILED, "there is no hook %s", work->run.name);
}

static int prepare(const char *id, const char *hook, struct work *work, struct error *err)
{
	int r = find_kind(hook, work, err);

	if (r == 0)
		r = place_open_anyway(&work->site, err);
	if (r == 0)
		r = instance_load(&work->site, id, &work->record, err);
	if (r == 0)
		r = plan_of_record(work->record, &work->plan, err);
	if (r == 0 && work->kind >= 0)
		r = work->keeper = instance_connect(&work->site, work->record->grant.id, err);
	return r < 0 ? r : find_hook(work, err);
}

/* What the keeper waits for is told whatever happened. */
static void tell(const struct work *work, int r, const struct error *err)
{
	struct control_packet packet = {
		.verb = CONTROL_HOOK, .number = work->kind, .number2 = r < 0};

	if (r < 0)
		packet.text = (char *)err->text;
	if (work->keeper >= 0)
		(void)control_send(work->keeper, &packet, NULL, 0);
	if (r >= 0 || !work->record)
		return;
	events_add(&work->site, work->record->grant.id, "hook", err->text);
	syslog(LOG_WARNING, "%s: %s", work->record->grant.name, err->text);
}

/* variable: "KEY=VALUE" for its environment, or NULL. */
static int run(const char *id, const char *hook, char *variable)
{
	struct work work = {.site = {.state = -1, .run = -1}, .keeper = -1};
	struct error err = {0};
	char *env[] = {variable, NULL};
	int r = prepare(id, hook, &work, &err);

	work.run.env = env;
	if (r == 0)
		r = hook_run(&work.run, &err);
	tell(&work, r, &err);
	work_deinit(&work);
	return r < 0 ? report(&err) : 0;
}

static int run_hook(const struct invocation *invocation)
{
	return run(invocation->args[0], invocation->args[1], invocation->args[2]);
}

/* What a keeper of an older stint calls; which hook it is, the record says. */
static int run_notify(const struct invocation *invocation)
{
	cleanup_free char *variable = xasprintf("STINT_SECONDS_LEFT=%s", invocation->args[1]);

	return run(invocation->args[0], WARNING, variable);
}

const struct command notify_command = {
	.name = "notify",
	.usage = "ID SECONDS -- HOOK...",
	.summary = "run the hook of a warning; what an older keeper does",
	.min_args = 2,
	.max_args = 2,
	.takes_rest = true,
	.hidden = true,
	.run = run_notify,
};

const struct command hook_command = {
	.name = "hook",
	.usage = "ID HOOK [KEY=VALUE]",
	.summary = "run a hook; what a keeper does",
	.min_args = 2,
	.max_args = 3,
	.hidden = true,
	.run = run_hook,
};
