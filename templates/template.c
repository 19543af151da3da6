/* SPDX-License-Identifier: Apache-2.0 */
/* From a template's name, file or text to a plan; see template.h. */
#include "templates/template.h"
#include "templates/heap.h"
#include "templates/keywords.h"
#include "templates/lineage.h"

#include <string.h>

#define PLAN_SIZE_MAX (DOCUMENT_SIZE_MAX / 2)

static int load_source(const char *name_or_path, const struct template_options *options,
		       struct source *ret_source, struct error *err)
{
	bool is_path = source_is_path(name_or_path);

	if (is_path && options->names_only)
		return error_say(err, ERROR_REFUSED,
				 "only templates of the catalogue can be used, by name: 'stint "
				 "template ls' shows them");
	if (is_path)
		return source_read(name_or_path, options->trust, ret_source, err);
	return source_find(name_or_path, options->search, options->trust, 0, ret_source, err);
}

/*
 * Whatever is accepted must be readable from its canonical form. The environment is bounded by
 * itself, since --env adds to it later.
 */
static int check_size(const struct plan *plan, const struct node *root, struct error *err)
{
	struct plan without_env = *plan;
	cleanup_text struct text canonical = {0};

	without_env.run.env = NULL;
	plan_write_canonical(&without_env, &canonical);
	if (canonical.length > PLAN_SIZE_MAX)
		return node_error(root, err,
				  "the plan is too large; at most %d KiB besides the environment",
				  PLAN_SIZE_MAX >> 10);
	return 0;
}

static int read_plan(const struct lineage *lineage, const struct variables *variables, bool guarded,
		     struct plan **ret_plan, struct error *err)
{
	cleanup_plan struct plan *plan = xcalloc(1, sizeof(*plan));
	struct reading reading = {
		.plan = plan, .variables = variables, .guarded = guarded, .err = err};
	int r;

	plan->template_name = xstrdup(lineage->name);
	r = keywords_read_template(&reading, lineage->root);
	if (r == 0)
		r = check_size(plan, lineage->root, err);
	if (r == 0)
		*ret_plan = steal_ptr(plan);
	return r;
}

/* Takes source over. */
static int compile(struct source *source, const struct template_options *options,
		   struct plan **ret_plan, struct error *err)
{
	cleanup_lineage struct lineage lineage = {0};
	cleanup_variables struct variables variables = {0};
	int r = lineage_load(&lineage, source, options, err);

	if (r < 0)
		return r;
	variables_set(&variables, "template", lineage.name);
	if (options->share)
		variables_set(&variables, "stint_share", options->share);
	r = variables_read(&variables, node_find(lineage.root, "params"), options->sets, err);
	if (r == 0)
		r = heap_set_variables(lineage.root, options, &variables, err);
	if (r < 0)
		return r;
	return read_plan(&lineage, &variables, options->guarded, ret_plan, err);
}

int template_compile(const char *name_or_path, const struct template_options *options,
		     struct plan **ret_plan, struct error *err)
{
	cleanup_source struct source source = {0};
	int r = load_source(name_or_path, options, &source, err);

	return r < 0 ? r : compile(&source, options, ret_plan, err);
}

int template_compile_text(const char *file, const char *text, size_t length,
			  const struct template_options *options, struct plan **ret_plan,
			  struct error *err)
{
	cleanup_source struct source source = {0};

	source_from_text(file, text, length, &source);
	return compile(&source, options, ret_plan, err);
}

int template_source(const char *name_or_path, const struct template_options *options,
		    char **ret_text, char **ret_origin, struct error *err)
{
	cleanup_source struct source source = {0};
	int r = load_source(name_or_path, options, &source, err);

	if (r < 0)
		return r;
	*ret_text = steal_ptr(source.text);
	*ret_origin = steal_ptr(source.origin);
	return 0;
}

/* The summary of the nearest of those that are extended, as an instance would show it. */
static void describe(const struct template_options *options, struct source *source,
		     struct template_info *info)
{
	cleanup_lineage struct lineage lineage = {0};
	const struct node *summary;
	struct error why = {0};

	info->source = xstrdup(source->origin);
	if (lineage_load(&lineage, source, options, &why) < 0) {
		info->fault = xstrdup(why.text);
		return;
	}
	summary = node_find(lineage.root, "summary");
	if (summary && summary->kind == NODE_SCALAR)
		info->summary = xstrdup(summary->text);
}

int template_list(const struct template_options *options, struct template_info **ret_list,
		  size_t *ret_n, struct error *err)
{
	cleanup_strv char **names = NULL;
	struct template_info *list;
	size_t n;
	int r = source_names(options->search, &names, err);

	if (r < 0)
		return r;
	n = strv_length(names);
	list = xcalloc(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		cleanup_source struct source source = {0};
		struct error why = {0};

		list[i].name = xstrdup(names[i]);
		if (source_find(names[i], options->search, options->trust, 0, &source, &why) < 0)
			list[i].fault = xstrdup(why.text);
		else
			describe(options, &source, &list[i]);
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}

void template_list_free(struct template_info *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].name);
		free(list[i].summary);
		free(list[i].source);
		free(list[i].fault);
	}
	free(list);
}

bool template_is_path(const char *name_or_path)
{
	return source_is_path(name_or_path);
}
