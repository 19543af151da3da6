/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stint install canary: an adoption whose generation is tried by one instance before anybody else
 * gets it. The install is locked all the time; when this process is killed, the instance ends, and
 * a sweep removes the generation.
 */
#include "cli/check.h"
#include "cli/install.h"
#include "cli/output.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "install/candidate.h"
#include "templates/template.h"

#include <stdio.h>
#include <string.h>

struct canary {
	struct install_request *request;
	struct install install;
	char *template;
	char *args[2]; /* the words of a "stint up" */
	struct invocation up;
	struct candidate candidate;
	int64_t begun_ns, ready_ns;
	bool checked;
	char *unread; /* a template that could not be compiled, and why; NULL: none */
};

static bool uses_install(const struct plan *plan, const struct install *install)
{
	for (size_t i = 0; plan->install && plan->install[i]; i++)
		if (strcmp(plan->install[i], install->name) == 0 ||
		    strv_contains(install->paths, plan->install[i]))
			return true;
	return false;
}

static void set_template(struct canary *canary, char *template)
{
	canary->args[0] = template;
	canary->up = *canary->request->invocation;
	canary->up.args = canary->args;
	canary->up.n_args = 1;
	/* what is kept of it would keep its generation */
	canary->up.options.keep_failed = (char *)"none";
}

/* What cannot be compiled with these options cannot be meant. */
static bool is_possible(struct canary *canary, char *template, struct error *err)
{
	cleanup_plan struct plan *plan = NULL;

	set_template(canary, template);
	if (compile_template(&canary->up, &canary->request->site, true, &plan, err) < 0)
		return false;
	/* where it was looked for first is no fault */
	*err = (struct error){0};
	return uses_install(plan, &canary->install);
}

/* Of built-in ones many want parameters. */
static void note_unread(struct canary *canary, const struct template_info *info, const char *why)
{
	if (!canary->unread && strchr(info->source, '/'))
		canary->unread = xasprintf("; '%s' cannot be read: %s", info->name, why);
}

static char **possible_templates(struct canary *canary, const struct template_info *list, size_t n)
{
	char **names = strv_copy(NULL);

	for (size_t i = 0; i < n; i++) {
		struct error fault = {0};

		if (!list[i].fault && is_possible(canary, list[i].name, &fault))
			strv_add(&names, list[i].name);
		else if (list[i].fault || fault.code)
			note_unread(canary, &list[i], list[i].fault ? list[i].fault : fault.text);
	}
	return names;
}

static int say_which(const struct canary *canary, char *const *names, struct error *err)
{
	const char *install = canary->install.name;
	cleanup_text struct text text = {0};

	for (size_t i = 0; names[i]; i++)
		text_addf(&text, "%s%s", i ? ", " : "", names[i]);
	if (!names[0])
		return error_say(err, ERROR_NOT_FOUND,
				 "no template uses the install '%s'; name one: 'stint install "
				 "canary %s TEMPLATE'%s",
				 install, install, canary->unread ? canary->unread : "");
	return error_say(err, ERROR_USAGE,
			 "several templates use the install '%s': %s; name one: 'stint install "
			 "canary %s TEMPLATE'",
			 install, text.data, install);
}

static int choose_template(struct canary *canary, struct error *err)
{
	cleanup_free char *own = xasprintf("%s/templates", canary->request->site.config_path);
	char *search[] = {own, NULL};
	const struct template_options options = {.search = search,
						 .share = canary->request->site.share};
	cleanup_strv char **names = NULL;
	struct template_info *list;
	size_t n;
	int r = template_list(&options, &list, &n, err);

	if (r < 0)
		return r;
	names = possible_templates(canary, list, n);
	template_list_free(list, n);
	if (strv_length(names) != 1)
		return say_which(canary, names, err);
	canary->template = xstrdup(names[0]);
	return 0;
}

/* With what the template says wrong, if it is the template's. */
static int check_template(struct canary *canary, char *template, struct error *err)
{
	struct error fault = {0};

	if (is_possible(canary, template, &fault)) {
		canary->template = xstrdup(template);
		return 0;
	}
	if (fault.code) {
		*err = fault;
		return err->code;
	}
	return error_say(err, ERROR_USAGE,
			 "the template '%s' does not use the install '%s': name one that does",
			 template, canary->install.name);
}

static int prepare(struct canary *canary, struct error *err)
{
	char *template = canary->request->invocation->args[2];
	cleanup_store struct store *store = NULL;
	int r = install_store(canary->request, &store, err);

	if (r == 0)
		r = store_install_load(store, install_name(canary->request), &canary->install, err);
	store_cleanup(&store);
	if (r == 0)
		r = template ? check_template(canary, template, err) : choose_template(canary, err);
	if (r == 0)
		set_template(canary, canary->template);
	return r;
}

static int make_candidate(struct canary *canary, struct error *err)
{
	cleanup_fd int signals = process_take_signals(0);
	struct progress progress = {0};
	struct adoption adoption;
	int r = install_adoption(canary->request, &progress, &adoption, err);

	adoption.cancel = signals;
	if (r == 0)
		r = candidate_make(&adoption, &canary->candidate, err);
	progress_clear(&progress);
	return r;
}

static int check(struct canary *canary, struct session *session, struct error *err)
{
	const char *name = session->instance.record->grant.name;
	const struct plan_check_command *command = &session->plan->check;
	int status;

	if (!command->command)
		return 0;
	status = check_run(&canary->up, name, command, session->signals, err);
	canary->checked = status == 0;
	if (status == 0)
		return 0;
	session_print_log_tail(session);
	if (status == CHECK_CANCELLED)
		return error_say(err, ERROR_FAILED, "interrupted");
	if (status == CHECK_TIMED_OUT)
		return error_say(err, ERROR_FAILED, "the check of '%s' did not end in its time",
				 canary->template);
	return error_say(err, ERROR_FAILED, "the check of '%s' failed with status %d",
			 canary->template, status);
}

static int try_instance(struct canary *canary, struct session *session, struct error *err)
{
	const struct trial trial = {.install = canary->install.name,
				    .generation = canary->candidate.generation.number};
	struct error undo;
	int r = session_start_trial(&canary->up, &trial, session, err);

	if (r < 0)
		return r;
	r = session_wait_ready(session, err);
	canary->ready_ns = session->ready_ns;
	/* one that did not get ready is gone */
	if (r < 0)
		return r;
	r = check(canary, session, err);
	if (session_end(session, "the canary is over", false, &undo) < 0 && r == 0) {
		*err = undo;
		r = err->code;
	}
	return r;
}

static int drop(struct canary *canary, const struct error *why, struct error *err)
{
	uint32_t number = canary->candidate.generation.number;
	char stays[64];
	struct error undo;

	if (canary->install.live || !canary->install.newest)
		snprintf(stays, sizeof(stays), "the live directories");
	else
		snprintf(stays, sizeof(stays), "generation %u", canary->install.newest);
	if (candidate_drop(&canary->candidate, &undo) < 0)
		report_note("generation %u is left to a sweep: %s", number, undo.text);
	*err = *why;
	return error_prefix(err, "generation %u of '%s' was dropped, new instances get %s", number,
			    canary->install.name, stays);
}

static void print(const struct canary *canary, const struct generation *generation)
{
	char ready[32], took[32];

	if (canary->request->invocation->options.json) {
		json_print(json_generation(generation));
		return;
	}
	format_duration(canary->ready_ns, ready, sizeof(ready));
	format_duration(clock_boottime_ns() - canary->begun_ns, took, sizeof(took));
	printf("generation %u of %s: %s was ready after %s%s; in %s\n", generation->number,
	       canary->install.name, canary->template, ready,
	       canary->checked ? " and passed its check" : ", and has no check", took);
}

static int try_candidate(struct canary *canary, struct error *err)
{
	struct generation generation = canary->candidate.generation;
	cleanup_free char *backend = xstrdup(generation.backend);
	struct error why = {0};
	struct session session;
	int r = try_instance(canary, &session, &why);

	session_deinit(&session);
	if (r < 0)
		return drop(canary, &why, err);
	r = candidate_accept(&canary->candidate, err);
	if (r == 0) {
		generation.backend = backend;
		print(canary, &generation);
	}
	return r;
}

int install_canary(struct install_request *request, struct error *err)
{
	struct canary canary = {.request = request,
				.begun_ns = clock_boottime_ns(),
				.candidate.depot = {.directory = -1, .lock = -1}};
	int r = prepare(&canary, err);

	if (r == 0)
		r = make_candidate(&canary, err);
	if (r == 0)
		r = try_candidate(&canary, err);
	install_deinit(&canary.install);
	free(canary.template);
	free(canary.unread);
	return r;
}
