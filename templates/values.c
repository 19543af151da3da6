/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are one string; see values.h. Quantities and lists are in files of their own. */
#include "templates/values.h"
#include "templates/pattern.h"
#include "base/text.h"
#include "plan/characters.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

/* what error.h puts around these for the analyzer is for callers */
#undef value_wrong
#undef value_wrong_form

#define SHOWN_VALUE_MAX 80
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static const char *const shape_words[] = {
	[NODE_SCALAR] = "is a single value",
	[NODE_SEQUENCE] = "is a list",
	[NODE_MAPPING] = "is a mapping",
};

int value_wrong_form(struct reading *reading, const struct value_type *type,
		     const struct node *node)
{
	const char *found = node_is_null(node) ? "has no value" : shape_words[node->kind];

	return node_error(node, reading->err, "%s; %s", found, type->right);
}

int value_wrong(struct reading *reading, const struct value_type *type, const struct node *node,
		const char *text)
{
	char shown[SHOWN_VALUE_MAX];

	return node_error(node, reading->err, "'%s' is not a valid %s; %s",
			  characters_printable(text, shown, sizeof(shown)), type->label,
			  type->right);
}

static int check_guard(struct reading *reading, const struct node *node, const char *text)
{
	const struct variable *given = NULL;

	if (reading->guarded && !reading->inside)
		given = variables_find_given(reading->variables, text);
	if (!given)
		return 0;
	node_error(node, reading->err,
		   "decides over the host, and you may not set it: leave out --set %s",
		   given->name);
	return error_kind_set(reading->err, ERROR_REFUSED);
}

int value_expand(struct reading *reading, const struct node *node, const char *text, bool multiline,
		 char **ret_text)
{
	cleanup_free char *expanded = NULL;
	const char *fault;
	int r;

	r = check_guard(reading, node, text);
	if (r < 0)
		return r;
	r = variables_expand(reading->variables, node, text, &expanded, reading->err);
	if (r < 0)
		return r;
	if (strlen(expanded) > strlen(text))
		reading->growth += strlen(expanded) - strlen(text);
	if (reading->growth > EXPANSION_GROWTH_MAX)
		return node_error(node, reading->err,
				  "variables make the template too long; at most %d KiB longer",
				  EXPANSION_GROWTH_MAX >> 10);
	fault = characters_fault(expanded, multiline ? "\t\n" : "");
	if (fault)
		return node_error(node, reading->err, "%s; write one line of text%s", fault,
				  multiline ? ", or several" : "");
	*ret_text = steal_ptr(expanded);
	return 0;
}

int value_text(struct reading *reading, const struct value_type *type, const struct node *node,
	       bool multiline, char **ret_text)
{
	if (node->kind != NODE_SCALAR || node_is_null(node))
		return value_wrong_form(reading, type, node);
	return value_expand(reading, node, node->text, multiline, ret_text);
}

/* Reads one line that passes the check into a char * field. */
static int read_string(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field, bool (*is_right)(const char *text))
{
	cleanup_free char *text = NULL;
	char **string = field;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (!is_right(text))
		return value_wrong(reading, type, node, text);
	free(*string);
	*string = steal_ptr(text);
	return 0;
}

static bool is_anything(const char *text)
{
	return text != NULL;
}

static int read_text(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	return read_string(reading, type, node, field, is_anything);
}

static int read_name(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	return read_string(reading, type, node, field, is_valid_name);
}

/* Digits are a number and nothing else: "01" or 2^32 must not become another user. */
static bool is_user(const char *text)
{
	uint64_t id;

	if (strspn(text, DIGITS) == strlen(text))
		return (text[0] != '0' || !text[1]) && parse_number(text, UINT32_MAX - 1, &id) == 0;
	return strspn(text, LOWER UPPER "_") && strlen(text) <= 64 &&
	       strspn(text, LOWER UPPER DIGITS "_.@-") + (text[strlen(text) - 1] == '$') ==
		       strlen(text);
}

static int read_user(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	return read_string(reading, type, node, field, is_user);
}

static bool is_scheme(const char *text)
{
	return strspn(text, LOWER) && strlen(text) <= 16 &&
	       strspn(text, LOWER DIGITS "+.-") == strlen(text);
}

static int read_scheme(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	return read_string(reading, type, node, field, is_scheme);
}

/* A blank would end the target and start something else in the request line. */
static bool is_target(const char *text)
{
	return text[0] == '/' && !strpbrk(text, " #") && strlen(text) <= 2048;
}

static int read_target(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	return read_string(reading, type, node, field, is_target);
}

static int read_pattern(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	char shown[SHOWN_VALUE_MAX], why[PATTERN_FAULT_SIZE];
	cleanup_free char *text = NULL;
	char **pattern = field;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (pattern_check(text, why) < 0)
		return node_error(node, reading->err, "'%s' is not a valid %s: %s; %s",
				  characters_printable(text, shown, sizeof(shown)), type->label,
				  why, type->right);
	free(*pattern);
	*pattern = steal_ptr(text);
	return 0;
}

/* By name with or without SIG, or by number; 0 for none. */
static int signal_number(const char *text)
{
	uint64_t number;

	if (parse_number(text, (uint64_t)SIGRTMAX, &number) == 0)
		return (int)number;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcasecmp(name, text) == 0)
			return i;
	}
	return 0;
}

static int read_signal(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int number, r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	number = signal_number(text);
	if (number == 0)
		return value_wrong(reading, type, node, text);
	*(int *)field = number;
	return 0;
}

static int read_policy(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	static const char *const words[] = {
		[RESTART_NO] = "no",
		[RESTART_ON_FAILURE] = "on-failure",
	};
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(text, words[i]) == 0) {
			*(enum restart_policy *)field = (enum restart_policy)i;
			return 0;
		}
	return value_wrong(reading, type, node, text);
}

static int read_switch(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return value_wrong(reading, type, node, text);
	*(bool *)field = strcmp(text, "true") == 0;
	return 0;
}

static int read_elsewhere(struct reading *reading, const struct value_type *type,
			  const struct node *node, void *field)
{
	(void)reading, (void)type, (void)node, (void)field;
	return 0;
}

#define NAME_PATTERN "^[a-z0-9][a-z0-9-]{0,62}$"

const struct value_type type_text = {
	.label = "text",
	.right = "write one line of text",
	.read = read_text,
};

const struct value_type type_name = {
	.label = "name",
	.right = "use lower-case letters, digits and '-', at most 63",
	.pattern = NAME_PATTERN,
	.read = read_name,
};

const struct value_type type_user = {
	.label = "user",
	.right = "write a login name or a number up to 4294967294",
	.shape = SHAPE_NUMBER,
	.read = read_user,
};

const struct value_type type_scheme = {
	.label = "scheme",
	.right = "write the first part of a URL, such as http, https or tcp",
	.pattern = "^[a-z][a-z0-9+.-]{0,15}$",
	.read = read_scheme,
};

const struct value_type type_target = {
	.label = "request path",
	.right = "write a path that starts with '/' and has no blanks, such as /health",
	.pattern = "^/[^ #]*$",
	.read = read_target,
};

const struct value_type type_pattern = {
	.label = "pattern",
	.right = "write a POSIX extended regular expression, such as 'started in [0-9]+ ms'",
	.read = read_pattern,
};

const struct value_type type_signal = {
	.label = "signal",
	.right = "write a name such as TERM, INT or QUIT, or a number up to 64",
	.shape = SHAPE_NUMBER,
	.read = read_signal,
};

const struct value_type type_policy = {
	.label = "restart policy",
	.right = "write no or on-failure",
	.pattern = "^(no|on-failure)$",
	.read = read_policy,
};

const struct value_type type_switch = {
	.label = "switch",
	.right = "write true or false",
	.pattern = "^(true|false)$",
	.read = read_switch,
};

const struct value_type type_template = {
	.label = "name",
	.right = "use lower-case letters, digits and '-', at most 63",
	.pattern = NAME_PATTERN,
	.read = read_elsewhere,
};

const struct value_type type_extends = {
	.label = "template",
	.right = "write the name of a template that 'stint template ls' lists",
	.pattern = NAME_PATTERN,
	.read = read_elsewhere,
};

const struct value_type type_params = {
	.label = "mapping of names to defaults",
	.right = "write 'NAME: DEFAULT' lines",
	.shape = SHAPE_DEFAULTS,
	.read = read_elsewhere,
};
