/* SPDX-License-Identifier: Apache-2.0 */
/* Variables in a template's values; see variables.h. */
#include "templates/variables.h"
#include "base/text.h"
#include "plan/characters.h"

#include <string.h>

#define SHOWN_NAME_MAX 64

void variables_deinit(struct variables *variables)
{
	for (size_t i = 0; i < variables->n; i++) {
		free(variables->list[i].name);
		free(variables->list[i].value);
	}
	free(variables->list);
	*variables = (struct variables){0};
}

static struct variable *find(const struct variables *variables, const char *name, size_t length)
{
	for (size_t i = 0; i < variables->n; i++) {
		struct variable *variable = &variables->list[i];

		if (strlen(variable->name) == length && memcmp(variable->name, name, length) == 0)
			return variable;
	}
	return NULL;
}

void variables_set(struct variables *variables, const char *name, const char *value)
{
	struct variable *variable = find(variables, name, strlen(name));

	if (!variable) {
		variables->list = xrealloc(variables->list, variables->n + 1, sizeof(*variable));
		variable = &variables->list[variables->n++];
		*variable = (struct variable){.name = xstrdup(name)};
	}
	free(variable->value);
	variable->value = value ? xstrdup(value) : NULL;
}

/* The variable from number first on that name is most likely meant to be, or NULL. */
static const char *nearest_variable(const struct variables *variables, size_t first,
				    const char *name)
{
	cleanup_free const char **names = xcalloc(variables->n + 1, sizeof(char *));

	for (size_t i = first; i < variables->n; i++)
		names[i - first] = variables->list[i].name;
	return nearest_word(name, names);
}

static int say_unknown(const struct variables *variables, const struct node *node, const char *name,
		       struct error *err)
{
	const char *near = nearest_variable(variables, 0, name);
	char shown[SHOWN_NAME_MAX];

	characters_printable(name, shown, sizeof(shown));
	if (near)
		return node_error(node, err, "unknown variable '${%s}'; did you mean '${%s}'?",
				  shown, near);
	return node_error(node, err,
			  "unknown variable '${%s}'; declare it under params, or write '$${%s}' "
			  "for the characters themselves",
			  shown, shown);
}

/* Adds the value of the variable that starts at *text ("${"), and moves behind its '}'. */
static int expand_one(const struct variables *variables, const struct node *node, const char **text,
		      struct text *expanded, struct error *err)
{
	const char *name = *text + 2, *end = strchr(name, '}');
	const struct variable *variable;

	if (!end)
		return node_error(node, err,
				  "'${' without '}'; write '$${' for the characters "
				  "themselves");
	variable = find(variables, name, (size_t)(end - name));
	if (!variable || !variable->value) {
		cleanup_free char *unknown = xasprintf("%.*s", (int)(end - name), name);

		return say_unknown(variables, node, unknown, err);
	}
	text_add(expanded, variable->value);
	*text = end + 1;
	return 0;
}

int variables_expand(const struct variables *variables, const struct node *node, const char *text,
		     char **ret_expanded, struct error *err)
{
	cleanup_text struct text expanded = {0};

	while (*text) {
		size_t plain = strcspn(text, "$");
		int r = 0;

		text_add_bytes(&expanded, text, plain);
		text += plain;
		if (text[0] == '$' && text[1] == '{') {
			r = expand_one(variables, node, &text, &expanded, err);
		} else if (text[0] == '$') {
			text_add(&expanded, "$");
			text += text[1] == '$' ? 2 : 1;
		}
		if (r < 0)
			return r;
		if (expanded.length > EXPANSION_MAX)
			return node_error(node, err,
					  "is too long; at most %d KiB with its "
					  "variables replaced",
					  EXPANSION_MAX >> 10);
	}
	*ret_expanded = text_take(&expanded);
	return 0;
}

const struct variable *variables_find_given(const struct variables *variables, const char *text)
{
	while ((text = strchr(text, '$'))) {
		size_t length = text[1] == '{' ? strcspn(text + 2, "}") : 0;
		const struct variable *variable = find(variables, text + 2, length);

		if (length && variable && variable->given)
			return variable;
		text += text[1] == '$' ? 2 : 1;
	}
	return NULL;
}

/* first is the number of variables that are no parameters: all that a default may refer to. */
static int read_parameter(struct variables *variables, size_t first, const struct node *node,
			  struct error *err)
{
	const struct variables known = {.list = variables->list, .n = first};
	const char *name = node->key->text;
	cleanup_free char *value = NULL;
	int r;

	if (!is_valid_name(name))
		return node_key_error(node, err,
				      "is no name for a parameter; use lower-case "
				      "letters, digits and '-'");
	if (find(&known, name, strlen(name)))
		return node_key_error(node, err,
				      "is a variable of stint itself; choose another "
				      "name");
	if (node->kind != NODE_SCALAR)
		return node_error(node, err,
				  "the default of a parameter must be a string; write "
				  "one, or nothing for a parameter that must be given");
	if (!node_is_null(node)) {
		r = variables_expand(&known, node, node->text, &value, err);
		if (r < 0)
			return node_error(node, err,
					  "the default of a parameter may contain ${template} and "
					  "${stint_share}, but no other; write '$${' for '${'");
	}
	variables_set(variables, name, value);
	return 0;
}

static int say_unknown_parameter(const struct variables *variables, size_t first, const char *name,
				 struct error *err)
{
	const char *near = nearest_variable(variables, first, name);
	cleanup_text struct text known = {0};
	char shown[SHOWN_NAME_MAX];

	characters_printable(name, shown, sizeof(shown));
	if (near)
		return error_say(err, ERROR_USAGE, "unknown parameter '%s'; did you mean '%s'?",
				 shown, near);
	for (size_t i = first; i < variables->n; i++)
		text_addf(&known, "%s'%s'", i > first ? ", " : "", variables->list[i].name);
	if (!known.length)
		return error_say(err, ERROR_USAGE,
				 "unknown parameter '%s'; the template has no parameters", shown);
	return error_say(err, ERROR_USAGE, "unknown parameter '%s'; the template has %s", shown,
			 known.data);
}

/* first is the number of the first variable that is a parameter. */
static int take_set(struct variables *variables, size_t first, const char *set, struct error *err)
{
	const char *equals = strchr(set, '=');
	cleanup_free char *name = NULL;
	const struct variable *variable;
	char shown[SHOWN_NAME_MAX];
	const char *fault;

	if (!equals)
		return error_say(err, ERROR_USAGE, "'%s' does not set a parameter; write KEY=VALUE",
				 characters_printable(set, shown, sizeof(shown)));
	name = xasprintf("%.*s", (int)(equals - set), set);
	variable = find(variables, name, strlen(name));
	if (!variable || variable < variables->list + first)
		return say_unknown_parameter(variables, first, name, err);
	fault = characters_fault(equals + 1, "\t\n");
	if (fault)
		return error_say(err, ERROR_USAGE, "the value of parameter '%s' %s", name, fault);
	variables_set(variables, name, equals + 1);
	find(variables, name, strlen(name))->given = true;
	return 0;
}

static int check_given(const struct variables *variables, size_t first, const struct node *params,
		       struct error *err)
{
	for (size_t i = first; i < variables->n; i++) {
		const char *name = variables->list[i].name;

		if (variables->list[i].value)
			continue;
		node_error(node_find(params, name), err, "has no default; give --set %s=VALUE",
			   name);
		return error_kind_set(err, ERROR_USAGE);
	}
	return 0;
}

static int read_parameters(struct variables *variables, size_t first, const struct node *params,
			   struct error *err)
{
	int r = 0;

	if (params->kind != NODE_MAPPING && !node_is_null(params))
		return node_error(params, err, "is not a mapping; write 'NAME: DEFAULT' lines");
	if (params->n_items > PARAMETERS_MAX)
		return node_error(params, err, "has too many parameters; at most %d",
				  PARAMETERS_MAX);
	for (size_t i = 0; i < params->n_items && r == 0; i++)
		r = read_parameter(variables, first, params->items[i], err);
	return r;
}

int variables_read(struct variables *variables, const struct node *params, char *const *sets,
		   struct error *err)
{
	size_t first = variables->n;
	int r = 0;

	if (params)
		r = read_parameters(variables, first, params, err);
	for (size_t i = 0; sets && sets[i] && r == 0; i++)
		r = take_set(variables, first, sets[i], err);
	return r < 0 ? r : check_given(variables, first, params, err);
}
