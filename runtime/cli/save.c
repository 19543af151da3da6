/* SPDX-License-Identifier: Apache-2.0 */
/* stint save: a template of what an instance changed. */
#include "cli/commands.h"
#include "cli/output.h"
#include "instance/keep.h"
#include "instance/lowers.h"
#include "instance/saved.h"
#include "base/cleanup.h"
#include "base/process.h"
#include "templates/template.h"

#include <stdio.h>
#include <string.h>

static void say(const char *shown, const char *what, void *data)
{
	(void)data;
	fprintf(stderr, "stint: '%s' %s\n", shown, what);
}

/* The new template names the other one, and hides none. */
static int check_names(const struct site *site, const char *name, const char *extends,
		       struct error *err)
{
	cleanup_free char *own = xasprintf("%s/templates", site->config_path);
	cleanup_free char *text = NULL, *origin = NULL;
	char *search[] = {own, NULL};
	const struct template_options options = {.search = search, .share = site->share};
	struct error why = {0};

	if (!is_valid_name(name))
		return error_say(err, ERROR_USAGE,
				 "--as: '%s' cannot be the name of one: use a-z, 0-9 and '-', at "
				 "most 63 characters, the first no '-'",
				 name);
	if (template_source(name, &options, &text, &origin, &why) == 0)
		return error_say(err, ERROR_EXISTS, "there is a template '%s' already (%s)", name,
				 origin);
	if (template_source(extends, &options, &text, &origin, &why) < 0)
		return error_say(
			err, ERROR_FAILED,
			"the template '%s' that it was started from cannot be found by its "
			"name; put it into '%s' first",
			extends, own);
	return 0;
}

static bool is_same(char *const *a, char *const *b)
{
	size_t i = 0;

	while (a && b && a[i] && b[i] && strcmp(a[i], b[i]) == 0)
		i++;
	return strv_length(a) == i && strv_length(b) == i;
}

/* By its name another one may be found, or the same with other values than those of --set. */
static void look_at_origin(const struct site *site, const struct record *record)
{
	cleanup_free char *own = xasprintf("%s/templates", site->config_path);
	char *search[] = {own, NULL};
	const struct template_options options = {.search = search, .share = site->share};
	cleanup_plan struct plan *plan = NULL;

	if (template_compile(record->template_name, &options, &plan, NULL) == 0 &&
	    lowers_name(site, plan, NULL) == 0 && is_same(plan->install, record->layers))
		return;
	fprintf(stderr,
		"stint: note: as it stands, '%s' has other install directories than '%s'; where "
		"that was started with --set, give the same to the new template, and where from "
		"another template of that name, write that one's into its 'extends'\n",
		record->template_name, record->grant.name);
}

static int save(const struct invocation *invocation, const struct site *site,
		const struct record *record, struct error *err)
{
	const char *name = invocation->options.as;
	cleanup_fd int pool = -1, cancel = process_take_signals(0);
	struct saving saving = {.record = record,
				.cancel = cancel,
				.name = name,
				.extends = record->template_name,
				.note = say};
	int r = check_names(site, name, record->template_name, err);

	if (r == 0)
		r = pool = keep_open_pool(site, record, err);
	if (r < 0)
		return r;
	saving.pool = pool;
	r = saved_make(site, &saving, err);
	if (r == 0)
		look_at_origin(site, record);
	if (r == 0)
		printf("template %s: %s, with what '%s' changed\n", name, record->template_name,
		       record->grant.name);
	return r;
}

static int run_save(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int r = invocation->options.as
			? open_named(invocation->caller, invocation->args[0], &site, &record, &err)
			: error_say(&err, ERROR_USAGE, "usage: stint save %s",
				    invocation->command->usage);

	if (r == 0)
		r = site_check_writable(&site, &err);
	if (r == 0)
		r = save(invocation, &site, record, &err);
	site_close(&site);
	return r < 0 ? report(&err) : 0;
}

const struct command save_command = {
	.name = "save",
	.usage = "NAME --as TEMPLATE",
	.options = "as",
	.summary = "make a template of what the instance changed",
	.description =
		"Makes a read-only layer of what the instance changed in its install directories, "
		"and TEMPLATE in the site's template directory, which extends the instance's own "
		"and has the layer above the install: what is started from it begins where the "
		"instance is now. Complete or not at all. Values of --set and --env are not kept. "
		"\"stint template rm TEMPLATE\" removes both again, once no instance and no other "
		"template is on it.",
	.min_args = 1,
	.max_args = 1,
	.run = run_save,
};
