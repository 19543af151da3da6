/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "${name}" in a template's values: parameters, with values from --set or their defaults, and what
 * stint itself knows. Expansion is one pass: a value is never looked into again, so it cannot grow
 * by steps, and what a caller gives with --set stays what it is.
 */
#ifndef TEMPLATES_VARIABLES_H
#define TEMPLATES_VARIABLES_H

#include "templates/document.h"

#include <stdbool.h>

#define PARAMETERS_MAX 100
#define EXPANSION_MAX (64 << 10)	 /* bytes of one expanded string */
#define EXPANSION_GROWTH_MAX (256 << 10) /* bytes by which all strings together may grow */

struct variable {
	char *name;
	char *value; /* NULL: a parameter that needs one from --set */
	bool given;  /* the value is from --set */
};

struct variables {
	struct variable *list;
	size_t n;
};

void variables_deinit(struct variables *variables);
#define cleanup_variables cleanup(variables_deinit)

/* Adds a variable, or gives one that is there another value. value may be NULL. */
void variables_set(struct variables *variables, const char *name, const char *value);

/*
 * Reads the mapping params (NULL: none) behind what is there already, which defaults may refer to,
 * then takes the values of sets, "KEY=VALUE" strings. Errors in params carry positions; those of
 * sets, and a parameter left without a value, are ERROR_USAGE.
 */
int variables_read(struct variables *variables, const struct node *params, char *const *sets,
		   struct error *err);

/*
 * A copy of text with variables replaced: "${x}" by its value, "$$" by "$"; any other '$' stays.
 * node is where text was written, for messages.
 */
int variables_expand(const struct variables *variables, const struct node *node, const char *text,
		     char **ret_expanded, struct error *err);

/* The first variable that text refers to and whose value is from --set, or NULL. */
const struct variable *variables_find_given(const struct variables *variables, const char *text);

#endif
