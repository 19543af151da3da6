/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are paths, lists or maps of strings; see values.h. */
#include "templates/values.h"
#include "templates/words.h"
#include "base/path.h"
#include "base/text.h"
#include "plan/characters.h"

#include <string.h>

#define SHOWN_PATH_MAX 120

static int say_path(struct reading *reading, const struct value_type *type, const struct node *node,
		    const char *path, const char *fault)
{
	char shown[SHOWN_PATH_MAX];

	return node_error(node, reading->err, "'%s' %s; %s",
			  characters_printable(path, shown, sizeof(shown)), fault, type->right);
}

int value_path(struct reading *reading, const struct value_type *type, const struct node *node,
	       char **ret_path)
{
	cleanup_free char *path = NULL;
	const char *fault;
	size_t length;
	int r = value_text(reading, type, node, false, &path);

	if (r < 0)
		return r;
	length = strlen(path);
	if (length > 1 && path[length - 1] == '/')
		path[length - 1] = '\0';
	fault = strcmp(path, "/") == 0 ? NULL : path_fault(path);
	if (fault)
		return say_path(reading, type, node, path, fault);
	*ret_path = steal_ptr(path);
	return 0;
}

static int read_directory(struct reading *reading, const struct value_type *type,
			  const struct node *node, void *field)
{
	char *path, **string = field;
	int r = value_path(reading, type, node, &path);

	if (r < 0)
		return r;
	free(*string);
	*string = path;
	return 0;
}

/* The kernel's own trees are no installs, and "/" would be all of them. */
static bool is_kernel_tree(const char *path)
{
	static const char *const trees[] = {"/proc", "/sys", "/dev"};

	for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
		if (path_is_within(path, trees[i]))
			return true;
	return strcmp(path, "/") == 0;
}

/* Checks a path against those in list, and puts it there. */
typedef int add_path(struct reading *reading, const struct node *node, const char *path,
		     char ***list);

static int say_kernel_tree(struct reading *reading, const struct node *node, const char *path)
{
	char shown[SHOWN_PATH_MAX];

	return node_error(node, reading->err,
			  "'%s' is the kernel's or the whole host's; write a path below /, but "
			  "not in /proc, /sys or /dev",
			  characters_printable(path, shown, sizeof(shown)));
}

static int add_install(struct reading *reading, const struct node *node, const char *path,
		       char ***list)
{
	char shown[SHOWN_PATH_MAX];

	if (is_kernel_tree(path))
		return say_kernel_tree(reading, node, path);
	for (size_t i = 0; *list && (*list)[i]; i++)
		if (path_is_within(path, (*list)[i]) || path_is_within((*list)[i], path))
			return node_error(node, reading->err,
					  "'%s' overlaps with another directory of the list; "
					  "keep the outer one",
					  characters_printable(path, shown, sizeof(shown)));
	strv_add(list, path);
	return 0;
}

static int add_view(struct reading *reading, const struct node *node, const char *path,
		    char ***list)
{
	if (is_kernel_tree(path))
		return say_kernel_tree(reading, node, path);
	for (size_t i = 0; reading->plan->install && reading->plan->install[i]; i++)
		if (path_is_within(path, reading->plan->install[i]))
			return node_error(node, reading->err,
					  "a part of an install is visible anyway; remove it "
					  "from paths");
	strv_add(list, path);
	return 0;
}

/* A name stands for the paths of an install that is known by it. */
static int read_path_or_name(struct reading *reading, const struct value_type *type,
			     const struct node *node, char **ret_path)
{
	cleanup_free char *text = NULL;
	int r = type == &type_install ? value_text(reading, type, node, false, &text) : 0;

	if (r < 0)
		return r;
	if (!text || !is_valid_name(text))
		return value_path(reading, type, node, ret_path);
	*ret_path = steal_ptr(text);
	return 0;
}

static int read_paths(struct reading *reading, const struct value_type *type,
		      const struct node *node, add_path *add, char ***field)
{
	struct node *const alone[] = {(struct node *)node};
	bool is_list = node->kind == NODE_SEQUENCE;
	struct node *const *items = is_list ? node->items : alone;
	size_t n = is_list ? node->n_items : 1;
	cleanup_strv char **list = NULL;

	if (n > (size_t)type->max)
		return node_error(node, reading->err, "has too many entries; at most %d",
				  (int)type->max);
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *path = NULL;
		int r = read_path_or_name(reading, type, items[i], &path);

		if (r == 0)
			r = add(reading, items[i], path, &list);
		if (r < 0)
			return r;
	}
	strv_free(*field);
	*field = steal_ptr(list);
	return 0;
}

static int read_install(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	return read_paths(reading, type, node, add_install, field);
}

static int read_views(struct reading *reading, const struct value_type *type,
		      const struct node *node, void *field)
{
	return read_paths(reading, type, node, add_view, field);
}

bool value_may_lie_within(const char *path, char *const *installs)
{
	for (size_t i = 0; installs && installs[i]; i++)
		if (installs[i][0] != '/' || path_is_within(path, installs[i]))
			return true;
	return false;
}

static int add_harvest(struct reading *reading, const struct node *node, const char *path,
		       char ***list)
{
	char shown[SHOWN_PATH_MAX];

	if (!value_may_lie_within(path, reading->plan->install))
		return node_error(node, reading->err,
				  "'%s' lies in no install directory, and nothing else is kept of "
				  "what an instance writes",
				  characters_printable(path, shown, sizeof(shown)));
	for (size_t i = 0; *list && (*list)[i]; i++)
		if (path_is_within(path, (*list)[i]) || path_is_within((*list)[i], path))
			return node_error(node, reading->err,
					  "'%s' overlaps with another path of the list; keep the "
					  "outer one",
					  characters_printable(path, shown, sizeof(shown)));
	strv_add(list, path);
	return 0;
}

/* Which install directory each is for, and whether it is there, is seen at the start. */
static int add_layer(struct reading *reading, const struct node *node, const char *path,
		     char ***list)
{
	if (is_kernel_tree(path))
		return say_kernel_tree(reading, node, path);
	strv_add(list, path);
	return 0;
}

static int read_layers(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	return read_paths(reading, type, node, add_layer, field);
}

static int read_harvest(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	return read_paths(reading, type, node, add_harvest, field);
}

/* Replaces variables word by word: a value with a blank in it stays one argument. */
static int expand_words(struct reading *reading, const struct node *node, char *const *words,
			char ***ret_words)
{
	for (size_t i = 0; words && words[i]; i++) {
		cleanup_free char *word = NULL;
		int r = value_expand(reading, node, words[i], true, &word);

		if (r < 0)
			return r;
		strv_add(ret_words, word);
	}
	return 0;
}

static int split_command(struct reading *reading, const struct value_type *type,
			 const struct node *node, char ***ret_words)
{
	cleanup_strv char **words = NULL;
	const char *fault;

	if (node_is_null(node))
		return value_wrong_form(reading, type, node);
	fault = words_split(node->text, PLAN_WORDS_MAX, &words);
	if (fault)
		return node_error(node, reading->err, "%s; %s", fault, type->right);
	return expand_words(reading, node, words, ret_words);
}

static int list_command(struct reading *reading, const struct value_type *type,
			const struct node *node, char ***ret_words)
{
	if (node->n_items > PLAN_WORDS_MAX)
		return node_error(node, reading->err, "has too many words; at most %d",
				  PLAN_WORDS_MAX);
	for (size_t i = 0; i < node->n_items; i++) {
		cleanup_free char *word = NULL;
		int r = value_text(reading, type, node->items[i], true, &word);

		if (r < 0)
			return r;
		strv_add(ret_words, word);
	}
	return 0;
}

static int read_command(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	cleanup_strv char **words = NULL;
	char ***command = field;
	int r;

	if (node->kind == NODE_MAPPING)
		return value_wrong_form(reading, type, node);
	r = node->kind == NODE_SCALAR ? split_command(reading, type, node, &words)
				      : list_command(reading, type, node, &words);
	if (r < 0)
		return r;
	if (!words || !*words[0])
		return node_error(node, reading->err, "names no program; %s", type->right);
	strv_free(*command);
	*command = steal_ptr(words);
	return 0;
}

/* One destination of an egress list: an address, a network or a host, with a port if need be. */
static bool is_destination(const char *text)
{
	static const char others[] = "0123456789.:/_-[]*";
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t used = 0;

	while (text[used] && (strchr(others, text[used]) || strchr(letters, text[used])))
		used++;
	return used > 0 && used <= 255 && !text[used];
}

/* These say all; a list with more in it would contradict them. */
static bool is_alone(const char *word)
{
	return strcmp(word, "none") == 0 || strcmp(word, "internet") == 0;
}

/* Adds what text lists, separated by commas, to the list in ret_egress. */
static int add_egress(struct reading *reading, const struct value_type *type,
		      const struct node *node, struct text *ret_egress)
{
	cleanup_free char *text = NULL;
	cleanup_strv char **words = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	for (char *rest = text, *word; (word = strsep(&rest, ","));)
		strv_add(&words, word);
	for (size_t i = 0; words && words[i]; i++) {
		const char *word = words[i];

		if (!is_destination(word))
			return value_wrong(reading, type, node, word);
		if (ret_egress->length && (is_alone(word) || is_alone(ret_egress->data)))
			return value_wrong(reading, type, node, word);
		text_addf(ret_egress, "%s%s", ret_egress->length ? "," : "", word);
	}
	return 0;
}

static int read_egress(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	cleanup_text struct text egress = {0};
	char **string = field;
	int r = 0;

	if (node->kind == NODE_SEQUENCE)
		for (size_t i = 0; i < node->n_items && r == 0; i++)
			r = add_egress(reading, type, node->items[i], &egress);
	else
		r = add_egress(reading, type, node, &egress);
	if (r < 0)
		return r;
	if (!egress.length)
		return value_wrong_form(reading, type, node);
	free(*string);
	*string = text_take(&egress);
	return 0;
}

static int read_variable(struct reading *reading, const struct value_type *type,
			 const struct node *node)
{
	struct error why = {0};
	cleanup_free char *value = NULL, *assignment = NULL;
	int r = 0;

	if (!node_is_null(node))
		r = value_text(reading, type, node, false, &value);
	if (r < 0)
		return r;
	assignment = xasprintf("%s=%s", node->key->text, value ? value : "");
	if (strchr(node->key->text, '='))
		return node_key_error(node, reading->err,
				      "has a '=' in its name; write KEY: "
				      "VALUE");
	if (plan_set_env(reading->plan, assignment, &why) < 0)
		return node_key_error(node, reading->err, "%s", why.text);
	return 0;
}

static int read_env(struct reading *reading, const struct value_type *type, const struct node *node,
		    void *field)
{
	int r = 0;

	(void)field;
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return value_wrong_form(reading, type, node);
	for (size_t i = 0; i < node->n_items && r == 0; i++)
		r = read_variable(reading, type, node->items[i]);
	return r;
}

const struct value_type type_directory = {
	.label = "path",
	.right = "write an absolute path without '.', '..' or '//', such as /opt/server",
	.pattern = "^/",
	.read = read_directory,
};

const struct value_type type_install = {
	.label = "directory or install, or list of them",
	.right = "write an absolute path without '.', '..' or '//', such as /opt/server, or the "
		 "name "
		 "of an install",
	.pattern = "^(/|[a-z0-9][a-z0-9-]{0,62}$)",
	.shape = SHAPE_LIST,
	.max = PLAN_LAYERS_MAX,
	.read = read_install,
};

const struct value_type type_paths = {
	.label = "path or pattern, or list of them",
	.right = "write an absolute path without '.', '..' or '//', such as /etc/java-*",
	.pattern = "^/",
	.shape = SHAPE_LIST,
	.max = PLAN_WORDS_MAX,
	.read = read_views,
};

const struct value_type type_layers = {
	.label = "directory, or list of them",
	.right = "write an absolute path without '.', '..' or '//', such as /srv/packages, or "
		 "/srv/packages:/opt/server where there are several install directories",
	.pattern = "^/",
	.shape = SHAPE_LIST,
	.max = PLAN_ABOVE_MAX,
	.read = read_layers,
};

const struct value_type type_harvest = {
	.label = "path, or list of them",
	.right = "write an absolute path without '.', '..' or '//', such as /opt/server/conf",
	.pattern = "^/",
	.shape = SHAPE_LIST,
	.max = PLAN_WORDS_MAX,
	.read = read_harvest,
};

const struct value_type type_command = {
	.label = "command",
	.right = "write a list of words, or one string that is split at blanks outside of quotes",
	.shape = SHAPE_LIST,
	.read = read_command,
};

const struct value_type type_egress = {
	.label = "egress",
	.right = "write none, internet, or else a list of addresses, networks or hosts, with "
		 "':PORT'",
	.shape = SHAPE_LIST,
	.read = read_egress,
};

const struct value_type type_env = {
	.label = "mapping of names to values",
	.right = "write 'NAME: VALUE' lines",
	.shape = SHAPE_MAP,
	.read = read_env,
};
