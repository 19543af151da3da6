/* SPDX-License-Identifier: Apache-2.0 */
/* runtime/cli/options: every rule of the one parser of the command line. */
#include "base/cleanup.h"
#include "cli/command.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 8

/* One of every kind of option, and both that share the letter 'n' in different commands. */
static const struct command start = {
	.name = "start",
	.usage = "TEMPLATE",
	.options = "name ttl publish env json no-wait",
	.min_args = 1,
	.max_args = 2,
};

static const struct command show = {
	.name = "show",
	.usage = "[NAME...]",
	.options = "lines follow",
	.max_args = -1,
};

static const struct command execute = {
	.name = "execute",
	.usage = "NAME -- COMMAND...",
	.options = "user",
	.min_args = 1,
	.max_args = 1,
	.takes_rest = true,
};

static const struct command bare = {.name = "bare", .usage = "", .max_args = 0};

static int parse(const struct command *command, const char *const *words,
		 struct invocation *ret_invocation, struct error *err)
{
	char *argv[WORDS_MAX + 1] = {NULL};
	int argc = 0;

	for (; argc < WORDS_MAX && words[argc]; argc++)
		argv[argc] = (char *)words[argc];
	return invocation_parse(command, argc, argv, ret_invocation, err);
}

static void add_list(struct text *to, const char *label, char *const *list)
{
	if (!list)
		return;
	text_addf(to, " %s=", label);
	for (size_t i = 0; list[i]; i++)
		text_addf(to, "[%s]", list[i]);
}

static void add_string(struct text *to, const char *label, const char *value)
{
	if (value)
		text_addf(to, " %s=%s", label, value);
}

static char *describe(const struct invocation *invocation)
{
	const struct options *o = &invocation->options;
	struct text out = {0};

	add_list(&out, "args", invocation->args);
	add_string(&out, "name", o->name);
	add_string(&out, "ttl", o->ttl);
	add_string(&out, "user", o->user);
	add_string(&out, "lines", o->lines);
	add_list(&out, "publish", o->publish);
	add_list(&out, "env", o->env);
	add_string(&out, "json", o->json ? "yes" : NULL);
	add_string(&out, "no-wait", o->no_wait ? "yes" : NULL);
	add_string(&out, "follow", o->follow ? "yes" : NULL);
	add_list(&out, "rest", invocation->rest);
	return text_take(&out);
}

struct accepted {
	const struct command *command;
	const char *words[WORDS_MAX];
	const char *parsed;
};

static const struct accepted accepted[] = {
	{&bare, {NULL}, " args="},
	{&start, {"tomcat"}, " args=[tomcat]"},
	{&start, {"tomcat", "b"}, " args=[tomcat][b]"},
	/* a value: the next word, or behind '=' */
	{&start, {"--ttl", "2h", "t"}, " args=[t] ttl=2h"},
	{&start, {"--ttl=2h", "t"}, " args=[t] ttl=2h"},
	{&start, {"--ttl=", "t"}, " args=[t] ttl="},
	{&start, {"--ttl", "", "t"}, " args=[t] ttl="},
	{&start, {"--ttl=a=b", "t"}, " args=[t] ttl=a=b"},
	{&start, {"--ttl", "--json", "t"}, " args=[t] ttl=--json"},
	/* letters: the next word, or what is attached */
	{&start, {"-n", "x", "t"}, " args=[t] name=x"},
	{&start, {"-nx", "t"}, " args=[t] name=x"},
	{&start, {"-p8080:http", "t"}, " args=[t] publish=[8080:http]"},
	{&start, {"-n", "-x", "t"}, " args=[t] name=-x"},
	/* options and operands in any order */
	{&start, {"t", "--json", "u", "--name", "x"}, " args=[t][u] name=x json=yes"},
	/* lists grow, flags may be repeated */
	{&start, {"-p", "a", "--publish=b", "-pc", "t"}, " args=[t] publish=[a][b][c]"},
	{&start, {"-eA=1", "--env", "B=2", "t"}, " args=[t] env=[A=1][B=2]"},
	{&start, {"--json", "--json", "--no-wait", "t"}, " args=[t] json=yes no-wait=yes"},
	/* the same letter means another option elsewhere */
	{&show, {"-n", "5", "-f"}, " args= lines=5 follow=yes"},
	/* a dash alone is an operand, and so is an empty word */
	{&show, {"-", ""}, " args=[-][]"},
	/* behind "--" nothing is an option, "--" included */
	{&execute, {"x", "--"}, " args=[x] rest="},
	{&execute, {"x", "--", "ls", "-l", "--", "--user"}, " args=[x] rest=[ls][-l][--][--user]"},
	{&execute, {"-u", "root", "x", "--", "id"}, " args=[x] user=root rest=[id]"},
	{&execute, {"-u", "--", "x"}, " args=[x] user=--"},
};

static void invocation_parse_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
		const struct accepted *a = &accepted[i];
		cleanup_free char *parsed = NULL;
		struct invocation invocation;
		struct error err;

		if (parse(a->command, a->words, &invocation, &err) < 0)
			print_error("%s\n", err.text);
		parsed = describe(&invocation);
		assert_string_equal(parsed, a->parsed);
		assert_ptr_equal(invocation.command, a->command);
		assert_int_equal(invocation.n_args, strv_length(invocation.args));
		invocation_deinit(&invocation);
		invocation_deinit(&invocation);
	}
}

struct refused {
	const struct command *command;
	const char *words[WORDS_MAX];
	const char *text;
};

static const struct refused refused[] = {
	{&start, {"--nam", "x", "t"}, "unknown option '--nam'; did you mean '--name'?"},
	{&start, {"--pubish=x", "t"}, "unknown option '--pubish"},
	{&start, {"--jon", "t"}, "did you mean '--json'?"},
	{&start, {"--no-wiat", "t"}, "did you mean '--no-wait'?"},
	{&start, {"--zzzzzzzz", "t"}, "unknown option '--zzzzzzzz'; see 'stint help start'"},
	{&start, {"-z", "t"}, "unknown option '-z'; see 'stint help start'"},
	/* known, but not to this command; neither is it suggested */
	{&start, {"--follow", "t"}, "unknown option '--follow'; see 'stint help start'"},
	{&start, {"--folow", "t"}, "unknown option '--folow'; see 'stint help start'"},
	{&start, {"-f", "t"}, "unknown option '-f'"},
	/* no abbreviations */
	{&start, {"--js", "t"}, "unknown option '--js'"},
	{&start, {"--=x", "t"}, "unknown option '--=x'"},
	{&bare, {"--json"}, "unknown option '--json'; see 'stint help bare'"},
	/* values */
	{&start, {"t", "--ttl"}, "option '--ttl' needs a value: DURATION"},
	{&start, {"t", "-p"}, "option '--publish' needs a value: "},
	{&start, {"--json=yes", "t"}, "option '--json' takes no value"},
	{&start, {"--json=", "t"}, "option '--json' takes no value"},
	{&show, {"-fx"}, "option '--follow' takes no value"},
	{&start, {"--ttl=1h", "--ttl=2h", "t"}, "option '--ttl' was given twice"},
	{&start, {"-n", "a", "--name", "a", "t"}, "option '--name' was given twice"},
	/* operands */
	{&start, {NULL}, "usage: stint start TEMPLATE"},
	{&start, {"--json"}, "usage: stint start TEMPLATE"},
	{&start, {"a", "b", "c"}, "usage: stint start TEMPLATE"},
	{&bare, {"x"}, "usage: stint bare"},
	{&execute, {"--", "ls"}, "usage: stint execute NAME -- COMMAND..."},
	{&execute, {"x", "ls"}, "usage: stint execute NAME -- COMMAND..."},
	{&start, {"t", "--", "x"}, "usage: stint start TEMPLATE"},
	{&start, {"t", "--"}, "usage: stint start TEMPLATE"},
};

static void invocation_parse_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		struct invocation invocation;
		struct error err = {0};
		int r = parse(refused[i].command, refused[i].words, &invocation, &err);

		if (!strstr(err.text, refused[i].text))
			print_error("'%s' is not in: %s\n", refused[i].text, err.text);
		assert_int_equal(r, -EINVAL);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_non_null(strstr(err.text, refused[i].text));
		invocation_deinit(&invocation);
		invocation_deinit(&invocation);
	}
}

/* A misspelt option with a value deserves the same hint as one without. */
static void invocation_parse_suggests_in_front_of_a_value(void **state)
{
	const char *const words[] = {"--tll=2h", "t", NULL};
	struct invocation invocation;
	struct error err = {0};

	(void)state;
	assert_int_equal(parse(&start, words, &invocation, &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean '--ttl'?"));
	invocation_deinit(&invocation);
}

static void option_specs_are_consistent(void **state)
{
	(void)state;
	for (const struct option_spec *a = option_specs; a->name; a++) {
		assert_int_equal(a->kind == OPTION_FLAG, a->argument == NULL);
		assert_true(a->summary && *a->summary);
		assert_true(a->offset < sizeof(struct options));
		for (const struct option_spec *b = a + 1; b->name; b++) {
			assert_string_not_equal(a->name, b->name);
			assert_int_not_equal(a->offset, b->offset);
		}
	}
}

static void command_option_of_whole_names_only(void **state)
{
	(void)state;
	assert_string_equal(command_option(&start, "ttl", 3)->name, "ttl");
	assert_string_equal(command_option(&start, "ttl=2h", 3)->name, "ttl");
	assert_null(command_option(&start, "tt", 2));
	assert_null(command_option(&start, "ttl2", 4));
	assert_null(command_option(&start, "", 0));
	assert_null(command_option(&start, "follow", 6));
	assert_null(command_option(&bare, "ttl", 3));
	/* "no" is a part of "no-wait", but no name */
	assert_null(command_option(&start, "no", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(invocation_parse_accepts),
		cmocka_unit_test(invocation_parse_refuses),
		cmocka_unit_test(invocation_parse_suggests_in_front_of_a_value),
		cmocka_unit_test(option_specs_are_consistent),
		cmocka_unit_test(command_option_of_whole_names_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
