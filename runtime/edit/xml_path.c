/* SPDX-License-Identifier: Apache-2.0 */
/* The path to an attribute; see xml_path.h. */
#include "edit/xml_path.h"

#include <string.h>

bool xml_ends_name(char c)
{
	return c == '\0' || strchr("/[]@='\"<>& \t\r\n", c);
}

static bool take_char(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	++*at;
	return true;
}

static bool take_name(const char **at, struct xml_word *ret_name)
{
	const char *start = *at;

	while (!xml_ends_name(**at))
		++*at;
	*ret_name = (struct xml_word){start, (size_t)(*at - start)};
	return ret_name->length > 0;
}

/* "@name='x']"; the bracket before it has been taken. */
static bool take_condition(const char **at, struct xml_step *step)
{
	struct xml_word name, value;
	const char *end;

	if (step->n_conditions == XML_CONDITIONS_MAX || !take_char(at, '@') ||
	    !take_name(at, &name) || !take_char(at, '=') || (**at != '\'' && **at != '"'))
		return false;
	end = strchr(*at + 1, **at);
	if (!end)
		return false;
	value = (struct xml_word){*at + 1, (size_t)(end - *at - 1)};
	*at = end + 1;
	step->conditions[step->n_conditions].name = name;
	step->conditions[step->n_conditions++].value = value;
	return take_char(at, ']');
}

static bool take_step(const char **at, struct xml_step *step)
{
	if (!take_name(at, &step->name))
		return false;
	while (take_char(at, '['))
		if (!take_condition(at, step))
			return false;
	return true;
}

static bool take_path(const char *at, struct xml_path *path)
{
	take_char(&at, '/');
	do {
		if (path->n_steps == XML_STEPS_MAX || !take_step(&at, &path->steps[path->n_steps]))
			return false;
		path->n_steps++;
	} while (take_char(&at, '/'));
	return take_char(&at, '@') && take_name(&at, &path->attribute) && !*at;
}

int xml_path_parse(const char *text, struct xml_path *ret_path, struct error *err)
{
	*ret_path = (struct xml_path){.n_steps = 0};
	if (take_path(text, ret_path))
		return 0;
	return error_say(err, ERROR_FAILED,
			 "is no path to an attribute; write it from the document's own element on, "
			 "as in Server/Service[@name='main']/Connector@port");
}
