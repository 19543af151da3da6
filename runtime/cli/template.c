/* SPDX-License-Identifier: Apache-2.0 */
/* stint template: what templates there are, how one reads, whether one is right. */
#include "cli/action.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "instance/saved.h"
#include "templates/template.h"

#include <stdio.h>
#include <string.h>

/* A file is called as its template: the directory tells the rest, and leaves room for the summary.
 */
static void add_source(struct table *table, const char *source)
{
	const char *slash = strrchr(source, '/');

	if (slash)
		table_addf(table, "%.*s", (int)(slash - source), source);
	else
		table_add(table, source);
}

static void list_table(const struct template_info *list, size_t n)
{
	struct table table = {.columns = 3};

	table_add(&table, "TEMPLATE");
	table_add(&table, "FROM");
	table_add(&table, "SUMMARY");
	for (size_t i = 0; i < n; i++) {
		table_add(&table, list[i].name);
		add_source(&table, list[i].source);
		table_add(&table, list[i].fault	    ? list[i].fault
				  : list[i].summary ? list[i].summary
						    : "");
	}
	table_print(&table);
}

static void list_json(const struct template_info *list, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		json_push(array, json_pack("{s:s, s:s, s:s*, s:s*}", "template", list[i].name,
					   "source", list[i].source, "summary", list[i].summary,
					   "fault", list[i].fault));
	json_print(array);
}

static int list_templates(const struct invocation *invocation,
			  const struct template_options *options, struct error *err)
{
	struct template_info *list;
	size_t n;
	int r = template_list(options, &list, &n, err);

	if (r < 0)
		return r;
	if (invocation->options.json)
		list_json(list, n);
	else
		list_table(list, n);
	template_list_free(list, n);
	return 0;
}

static int show_template(const struct invocation *invocation,
			 const struct template_options *options, struct error *err)
{
	cleanup_free char *text = NULL, *origin = NULL;
	int r = template_source(invocation->args[1], options, &text, &origin, err);

	if (r < 0)
		return r;
	if (invocation->options.json)
		return json_print(json_pack("{s:s, s:s}", "source", origin, "text", text));
	fputs(text, stdout);
	return 0;
}

static int check_template(const struct invocation *invocation,
			  const struct template_options *options, struct error *err)
{
	cleanup_plan struct plan *plan = NULL;
	int r = template_compile(invocation->args[1], options, &plan, err);

	if (r < 0)
		return r;
	if (invocation->options.json)
		return json_print(
			json_pack("{s:s, s:b}", "template", plan->template_name, "valid", 1));
	printf("%s: is a valid template\n", invocation->args[1]);
	return 0;
}

static int describe_keys(const struct invocation *invocation,
			 const struct template_options *options, struct error *err)
{
	cleanup_text struct text text = {0};

	(void)options;
	(void)err;
	if (invocation->options.schema)
		template_schema(&text);
	else if (invocation->options.man)
		template_keys_man(&text);
	else
		template_keys_markdown(&text);
	fputs(text.data, stdout);
	return 0;
}

static int remove_template(const struct invocation *invocation,
			   const struct template_options *options, struct error *err)
{
	struct site site = {.state = -1, .run = -1};
	int r = place_open(&site, err);

	(void)options;
	if (r == 0)
		r = saved_remove(&site, invocation->args[1], err);
	site_close(&site);
	if (r < 0)
		return r;
	if (invocation->options.json)
		return json_print(
			json_pack("{s:s, s:b}", "template", invocation->args[1], "removed", 1));
	printf("%s: removed, with its layers\n", invocation->args[1]);
	return 0;
}

static const struct {
	struct action about;
	int (*act)(const struct invocation *invocation, const struct template_options *options,
		   struct error *err);
} actions[] = {
	{{"ls", "", 1, 1, false}, list_templates},
	{{"show", " TEMPLATE", 2, 2, false}, show_template},
	{{"check", " TEMPLATE", 2, 2, false}, check_template},
	{{"keys", "", 1, 1, false}, describe_keys},
	{{"rm", " TEMPLATE", 2, 2, true}, remove_template},
};

static int act(const struct invocation *invocation, const struct template_options *options,
	       struct error *err)
{
	size_t i = 0;
	int r = ACTION_CHOOSE(invocation, actions, &i, err);

	return r < 0 ? r : actions[i].act(invocation, options, err);
}

static int run_template(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status = 0;

	if (site_locate(&site, &err) < 0) {
		status = report(&err);
	} else {
		cleanup_free char *own = xasprintf("%s/templates", site.config_path);
		char *search[] = {own, NULL};
		struct template_options options = {
			.sets = invocation->options.set, .search = search, .share = site.share};
		struct trust trust;

		caller_set_template_options(invocation->caller, false, &options, &trust);
		if (act(invocation, &options, &err) < 0)
			status = report(&err);
	}
	site_close(&site);
	return status;
}

const struct command template_command = {
	.name = "template",
	.usage = "ls | show TEMPLATE | check TEMPLATE | keys | rm TEMPLATE",
	.options = "set schema man json",
	.summary = "list, show and check templates; document their keys",
	.description = "ls lists the templates that can be given by name, show prints one as it is "
		       "written, check reads one and says what is wrong with it and where, keys "
		       "prints every key a template may have (--schema: as a JSON schema for "
		       "editors), rm removes one that \"stint save\" made, with its layers.",
	.min_args = 1,
	.max_args = 2,
	.run = run_template,
};
