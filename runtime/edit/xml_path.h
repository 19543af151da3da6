/* SPDX-License-Identifier: Apache-2.0 */
/* Where an attribute is: "Server/Service[@name='x']/Connector@port"; see edit.h. */
#ifndef EDIT_XML_PATH_H
#define EDIT_XML_PATH_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define XML_STEPS_MAX 32
#define XML_CONDITIONS_MAX 4

/* A part of the path's or the document's text. */
struct xml_word {
	const char *at;
	size_t length;
};

struct xml_step {
	struct xml_word name;
	struct {
		struct xml_word name, value;
	} conditions[XML_CONDITIONS_MAX];
	size_t n_conditions;
};

struct xml_path {
	struct xml_step steps[XML_STEPS_MAX];
	size_t n_steps;
	struct xml_word attribute;
};

/* What ends a name. The NUL of the path's end is one too. */
bool xml_ends_name(char c);

/* The path points into text. ERROR_FAILED, a clause that says what would be right. */
int xml_path_parse(const char *text, struct xml_path *ret_path, struct error *err);

#endif
