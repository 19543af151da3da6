/* SPDX-License-Identifier: Apache-2.0 */
/* stint doctor: what this host can and cannot do, and what to do about it. */
#include "cli/doctor.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "instance/check.h"
#include "instance/doctor.h"
#include "instance/ids.h"
#include "instance/lowers.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "templates/config.h"
#include "templates/template.h"

#include <fcntl.h>
#include <stdio.h>

/* Other checks look at what the configuration names: at the defaults when it cannot be read. */
static void configure(struct site *site, struct error *ret_fault)
{
	struct site_config config;

	*ret_fault = (struct error){0};
	if (config_read(site->config_path, &config, ret_fault) < 0)
		config_defaults(&config);
	site_configure(site, &config);
}

static void look_at_configuration(const struct site *site, const struct error *fault,
				  struct doctor_report *report)
{
	cleanup_fd int etc = file_open_directory(AT_FDCWD, "/etc");
	const struct id_span *ids = &site->config.ids;
	struct error err;

	if (fault->code)
		doctor_add(report, DOCTOR_MISSING, "configuration", fault->text, NULL);
	else if (etc >= 0 && ids_check(etc, ids, &err) < 0)
		doctor_add(report, DOCTOR_MISSING, "configuration", err.text, NULL);
	else
		doctor_addf(report, DOCTOR_OK, "configuration", NULL,
			    "ids %u to %llu are for instances, %u at most", ids->first,
			    ids->first + (unsigned long long)ids->count * ID_RANGE_SIZE - 1,
			    ids->count);
}

static void look_at_template(const struct site *site, const struct template_info *info,
			     const struct template_options *options, struct doctor_report *report)
{
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	if (info->fault)
		doctor_addf(report, DOCTOR_NOTE, "template", NULL, "%s: %s", info->name,
			    info->fault);
	else if (template_compile(info->name, options, &plan, &err) < 0 ||
		 lowers_name(site, plan, &err) < 0 || check_install(plan->install, &err) < 0)
		doctor_addf(report, DOCTOR_NOTE, "template", NULL, "%s: %s", info->name, err.text);
	else
		doctor_addf(report, DOCTOR_OK, "template", NULL, "%s can be started", info->name);
}

static void look_at_templates(const struct site *site, struct doctor_report *report)
{
	cleanup_free char *own = xasprintf("%s/templates", site->config_path);
	char *search[] = {own, NULL};
	struct template_options options = {.search = search, .share = site->share};
	struct template_info *list;
	struct error err;
	size_t n;

	if (template_list(&options, &list, &n, &err) < 0) {
		doctor_add(report, DOCTOR_NOTE, "template", err.text, NULL);
		return;
	}
	for (size_t i = 0; i < n; i++)
		look_at_template(site, &list[i], &options, report);
	template_list_free(list, n);
}

static void print_text(const struct doctor_report *report)
{
	struct table table = {.columns = 3};

	for (size_t i = 0; i < report->n; i++) {
		const struct doctor_line *line = &report->list[i];
		cleanup_free char *text =
			xasprintf("%s%s%s", line->text, line->fix ? "; fix: " : "",
				  line->fix ? line->fix : "");

		table_add(&table, doctor_verdict_name(line->verdict));
		table_add(&table, line->check);
		table_add(&table, text);
	}
	table_print(&table);
	puts(doctor_can_start(report) ? "sandboxes can be started" : "sandboxes cannot be started");
}

static void print_json(const struct doctor_report *report)
{
	json_t *checks = json_array();

	for (size_t i = 0; i < report->n; i++) {
		const struct doctor_line *line = &report->list[i];

		json_push(checks, json_pack("{s:s, s:s, s:o, s:s*}", "check", line->check,
					    "verdict", doctor_verdict_name(line->verdict), "text",
					    json_text(line->text), "fix", line->fix));
	}
	json_print(
		json_pack("{s:b, s:o}", "can_start", doctor_can_start(report), "checks", checks));
}

static int run_seccomp(const struct invocation *invocation)
{
	struct error err;

	if (invocation->n_args == 1)
		return doctor_seccomp(invocation);
	error_say(&err, ERROR_USAGE,
		  "say which instance: stint doctor --seccomp NAME [-- COMMAND...]");
	return report(&err);
}

static int run_doctor(const struct invocation *invocation)
{
	struct doctor_report found;
	struct error err = {0}, fault;
	struct site site;
	int status;

	if (invocation->options.seccomp)
		return run_seccomp(invocation);
	if (invocation->options.rebuild)
		return doctor_rebuild(invocation);
	if (invocation->options.leaks || invocation->options.fix)
		return doctor_leaks(invocation);
	if (invocation->n_args > 0 || invocation->rest) {
		error_say(&err, ERROR_USAGE, "a name and a command belong to --seccomp");
		return report(&err);
	}
	if (site_locate(&site, &err) < 0) {
		status = report(&err);
		site_close(&site);
		return status;
	}
	configure(&site, &fault);
	doctor_examine(&site, &found);
	look_at_configuration(&site, &fault, &found);
	look_at_templates(&site, &found);
	if (invocation->options.json)
		print_json(&found);
	else
		print_text(&found);
	status = doctor_can_start(&found) ? 0 : ERROR_FAILED;
	doctor_deinit(&found);
	site_close(&site);
	return status;
}

const struct command doctor_command = {
	.name = "doctor",
	.usage = "[OPTION...] [--leaks [--fix]] [--rebuild] [--seccomp NAME [-- COMMAND...]]",
	.options = "json seccomp user env leaks fix rebuild",
	.summary = "show what this host can and cannot do",
	.description =
		"One line for each check: ok, note (sandboxes start, but something is different "
		"or not possible) or missing, with the fix. What can be tried is tried, in "
		"processes that end with it; nothing is left behind. Exits with 0 when sandboxes "
		"can be started. With --leaks it says instead what is on the host and should not "
		"be: processes, mounts, control groups, loop devices, directories, locks, links, "
		"tables and rows that belong to no running instance, each by its exact name. "
		"Exits with 1 while something is left, and with 0 when nothing is; --fix removes "
		"it and looks again. With --rebuild a damaged store is set aside and a new one "
		"made "
		"from what is on the host: every instance that runs, and what is kept, is in it as "
		"it was; the history begins anew. With --seccomp it runs COMMAND inside the "
		"instance NAME as "
		"'stint "
		"exec' does, and says at its end which system calls the instance's filter has "
		"denied it, how often, with which error, and why; with --json on standard output, "
		"and then COMMAND's own goes to standard error. Without COMMAND it says which "
		"filter NAME has. A denied call is an error that COMMAND sees (EPERM, or ENOSYS, "
		"after which programs take an older way); nothing is killed for one, and nothing "
		"is written to the kernel's log. For a server that does not get ready, or has "
		"ended, see 'stint run TEMPLATE --seccomp'.",
	.max_args = 1,
	.takes_rest = true,
	.run = run_doctor,
};
