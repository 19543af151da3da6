/* SPDX-License-Identifier: Apache-2.0 */
/* Templates that compile: defaults, parameters, inheritance, lookup, and the generated texts. */
#include "templates/template.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <cmocka.h>

#define LIST(...) ((char *[]){__VA_ARGS__, NULL})

static int compile_with(const char *yaml, char *const *sets, struct plan **ret_plan,
			struct error *err)
{
	const struct template_options options = {.sets = sets, .share = "/share"};

	return template_compile_text("t.yaml", yaml, strlen(yaml), &options, ret_plan, err);
}

static struct plan *compile(const char *yaml)
{
	struct plan *plan = NULL;
	struct error err = {0};

	if (compile_with(yaml, NULL, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

static void check_strings(char *const *list, char *const *expected)
{
	assert_int_equal(strv_length(list), strv_length(expected));
	for (size_t i = 0; expected[i]; i++)
		assert_string_equal(list[i], expected[i]);
}

static void template_compile_fills_in_defaults(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: /bin/true}\n");

	(void)state;
	assert_string_equal(plan->template_name, "t");
	assert_null(plan->summary);
	assert_null(plan->run.user);
	assert_null(plan->run.directory);
	assert_int_equal(plan->run.stop_signal, SIGTERM);
	assert_int_equal(plan->run.grace_ns, 10 * NSEC_PER_SEC);
	assert_int_equal(plan->run.restart, RESTART_NO);
	assert_int_equal(plan->run.restart_limit, 0);
	assert_int_equal(plan->ready.kind, READY_NONE);
	assert_int_equal(plan->lease.ttl_ns, 3600 * NSEC_PER_SEC);
	assert_int_equal(plan->lease.max_ns, 0);
	assert_int_equal(plan->lease.idle_ns, 0);
	assert_int_equal(plan->limits.memory_bytes, 0);
	assert_false(plan->limits.has_swap);
	assert_int_equal(plan->limits.pids, 4096);
	assert_int_equal(plan->limits.log_bytes, 16 << 20);
	assert_int_equal(plan->limits.io_read, 0);
	assert_false(plan->best_effort);
	assert_string_equal(plan->network.zone, "default");
	assert_string_equal(plan->network.egress, "none");
}

static void template_compile_takes_empty_sections(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: a, env: , stop: }\nports:\n"
						 "ready:\nlimits:\nlease:\nnetwork:\nparams:\n");

	(void)state;
	assert_int_equal(plan->n_ports, 0);
	assert_int_equal(plan->ready.kind, READY_NONE);
}

static void template_compile_reads_all_keys(void **state)
{
	cleanup_plan struct plan *plan = compile(
		"template: all\nsummary: All keys\n"
		"install: [/opt/b/, /opt/a]\npaths: /etc/x-*\n"
		"run:\n  command: [bin/x, -v]\n  user: 1000\n  env: {B: 2, A: no, C: }\n"
		"  directory: /opt/a/\n  stop: {signal: SIGusr1}\n  grace: 0\n"
		"  restart: {policy: on-failure, limit: 7}\n"
		"limits: {memory: 512M, swap: 0, cpu: 1.25, pids: 100, disk: 2GiB, files: 99,\n"
		"  io: {read: 10M, write: 5000}, log: 1M}\nbest_effort: true\n"
		"lease: {ttl: 1h30m, max: 1d, idle: 90}\n"
		"network: {zone: red, egress: [10.0.0.0/8, 'db.example:5432']}\n");

	(void)state;
	assert_string_equal(plan->template_name, "all");
	assert_string_equal(plan->summary, "All keys");
	check_strings(plan->install, LIST("/opt/b", "/opt/a"));
	check_strings(plan->paths, LIST("/etc/x-*"));
	check_strings(plan->run.command, LIST("bin/x", "-v"));
	assert_string_equal(plan->run.user, "1000");
	check_strings(plan->run.env, LIST("A=no", "B=2", "C="));
	assert_string_equal(plan->run.directory, "/opt/a");
	assert_int_equal(plan->run.stop_signal, SIGUSR1);
	assert_int_equal(plan->run.grace_ns, 0);
	assert_int_equal(plan->run.restart, RESTART_ON_FAILURE);
	assert_int_equal(plan->run.restart_limit, 7);
	assert_int_equal(plan->limits.memory_bytes, 512 << 20);
	assert_true(plan->limits.has_swap);
	assert_int_equal(plan->limits.swap_bytes, 0);
	assert_int_equal(plan->limits.cpu_millis, 1250);
	assert_int_equal(plan->limits.pids, 100);
	assert_int_equal(plan->limits.disk_bytes, 2ULL << 30);
	assert_int_equal(plan->limits.files, 99);
	assert_int_equal(plan->limits.io_read, 10 << 20);
	assert_int_equal(plan->limits.io_write, 5000);
	assert_int_equal(plan->limits.log_bytes, 1 << 20);
	assert_true(plan->best_effort);
	assert_int_equal(plan->lease.ttl_ns, 5400 * NSEC_PER_SEC);
	assert_int_equal(plan->lease.max_ns, 86400 * NSEC_PER_SEC);
	assert_int_equal(plan->lease.idle_ns, 90 * NSEC_PER_SEC);
	assert_string_equal(plan->network.zone, "red");
	assert_string_equal(plan->network.egress, "10.0.0.0/8,db.example:5432");
}

static void template_compile_takes_none_as_no_limit(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: a}\n"
						 "limits: {memory: none, swap: none, cpu: none,\n"
						 "  pids: none, io: {read: none}}\n"
						 "lease: {max: none, idle: none}\n");

	(void)state;
	assert_int_equal(plan->limits.memory_bytes, 0);
	assert_false(plan->limits.has_swap);
	assert_int_equal(plan->limits.cpu_millis, 0);
	assert_int_equal(plan->limits.pids, 0);
	assert_int_equal(plan->lease.max_ns, 0);
}

static void template_set_limit_replaces_what_the_template_says(void **state)
{
	cleanup_plan struct plan *plan =
		compile("run: {command: a}\nlimits: {memory: 1G, cpu: 2}\n");
	struct error err = {0};

	(void)state;
	assert_int_equal(template_set_limit(plan, "memory", "2G", &err), 0);
	assert_int_equal(template_set_limit(plan, "cpu", "none", &err), 0);
	assert_int_equal(template_set_limit(plan, "swap", "0", &err), 0);
	assert_int_equal(template_set_limit(plan, "io.write", "1M", &err), 0);
	assert_int_equal(plan->limits.memory_bytes, 2ULL << 30);
	assert_int_equal(plan->limits.cpu_millis, 0);
	assert_true(plan->limits.has_swap);
	assert_int_equal(plan->limits.io_write, 1 << 20);
}

static void template_set_limit_says_what_would_be_right(void **state)
{
	static const char *const bad[] = {"", "12", "1GB", "-1", "$x", "${x}", "1G\n"};
	cleanup_plan struct plan *plan = compile("run: {command: a}\nlimits: {memory: 1G}\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = {0};

		assert_true(template_set_limit(plan, "memory", bad[i], &err) < 0);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_non_null(strstr(err.text, "is not a valid size; write at least 64k"));
		assert_int_equal(plan->limits.memory_bytes, 1 << 30);
	}
}

static void template_compile_splits_commands_without_a_shell(void **state)
{
	cleanup_plan struct plan *plan =
		compile("run:\n  command: >\n    a 'b  c' \"d \\\" e\" f\\ g '' $HOME `x` | *\n");

	(void)state;
	check_strings(plan->run.command,
		      LIST("a", "b  c", "d \" e", "f g", "", "$HOME", "`x`", "|", "*"));
}

static void template_compile_takes_no_as_a_word(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: a, restart: no, env: {A: off}}\n");

	(void)state;
	assert_int_equal(plan->run.restart, RESTART_NO);
	check_strings(plan->run.env, LIST("A=off"));
}

static void template_compile_sorts_ports_and_names_schemes(void **state)
{
	cleanup_plan struct plan *plan =
		compile("run: {command: a}\nports: {web: {port: 81, scheme: http}, https: 443, "
			"admin: 9000, http: 80}\n");

	(void)state;
	assert_int_equal(plan->n_ports, 4);
	assert_string_equal(plan->ports[0].name, "admin");
	assert_string_equal(plan->ports[0].scheme, "tcp");
	assert_string_equal(plan->ports[1].scheme, "http");
	assert_string_equal(plan->ports[2].scheme, "https");
	assert_string_equal(plan->ports[3].name, "web");
	assert_string_equal(plan->ports[3].scheme, "http");
	assert_int_equal(plan_port_find(plan, "web")->number, 81);
	assert_null(plan_port_find(plan, "we"));
}

/* The default check, or the port that a check without one means. */
static void check_ready(const char *yaml, enum ready_kind kind, unsigned port)
{
	cleanup_plan struct plan *plan = compile(yaml);

	assert_int_equal(plan->ready.kind, kind);
	assert_int_equal(plan->ready.checks[0].port, port);
}

static void template_compile_finds_a_port_to_be_ready_on(void **state)
{
	(void)state;
	check_ready("run: {command: a}\nports: {b: 2, a: 1}\n", READY_TCP, 2);
	check_ready("run: {command: a}\nports: {b: 2, http: 80, a: 1}\n", READY_TCP, 80);
	check_ready("run: {command: a}\nports: {b: 2}\nready: none\n", READY_NONE, 0);
	check_ready("run: {command: a}\nports: {b: 2}\nready: {http: }\n", READY_HTTP, 2);
	check_ready("run: {command: a}\nports: {b: 2}\nready: {tcp: {port: b}}\n", READY_TCP, 2);
	check_ready("run: {command: a}\nready: {tcp: {port: 99}}\n", READY_TCP, 99);
}

static void template_compile_reads_readiness_checks(void **state)
{
	cleanup_plan struct plan *http =
		compile("run: {command: a}\nready: {http: {port: 1, path: /x?y=z, status: 204}, "
			"timeout: 2m, interval: 1s}\n");
	cleanup_plan struct plan *log =
		compile("run: {command: a}\nready: {log: '^up in [0-9]+ms'}\n");
	cleanup_plan struct plan *command =
		compile("run: {command: a}\nready: {command: b 'c d'}\n");

	(void)state;
	assert_string_equal(http->ready.checks[0].path, "/x?y=z");
	assert_int_equal(http->ready.checks[0].status_from, 204);
	assert_int_equal(http->ready.checks[0].status_to, 204);
	assert_int_equal(http->ready.timeout_ns, 120 * NSEC_PER_SEC);
	assert_int_equal(http->ready.interval_ns, NSEC_PER_SEC);
	assert_int_equal(log->ready.kind, READY_LOG);
	assert_string_equal(log->ready.pattern, "^up in [0-9]+ms");
	assert_null(log->ready.checks[0].path);
	assert_int_equal(log->ready.timeout_ns, 60 * NSEC_PER_SEC);
	assert_int_equal(command->ready.kind, READY_COMMAND);
	check_strings(command->ready.command, LIST("b", "c d"));
}

static void template_compile_leaves_out_a_file_that_nobody_named(void **state)
{
	cleanup_plan struct plan *plan =
		compile("params: {licence: ''}\nrun: {command: a}\nfiles:\n"
			"  /a: {from: '${licence}', missing: no licence}\n"
			"  /b: {from: /c, missing: never said}\n"
			"  /d: {text: ''}\n");

	(void)state;
	assert_int_equal(plan->content.n_files, 2);
	assert_string_equal(plan->content.files[0].target, "/b");
	assert_string_equal(plan->content.files[1].target, "/d");
	check_strings(plan->notes, LIST("no licence"));
}

/* A list stands for itself, or below a key where the other keys have room. */
static void template_compile_reads_a_list_of_checks(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: a}\nports: {b: 2, c: 3}\n"
						 "ready: [{http: {path: /x}}, {tcp: {port: c}}]\n");
	cleanup_plan struct plan *tcp = compile(
		"run: {command: a}\nports: {b: 2}\nready: {first: [{tcp: }], timeout: 5m}\n");
	const struct plan_check *checks = plan->ready.checks;

	(void)state;
	assert_int_equal(plan->ready.kind, READY_HTTP);
	assert_int_equal(plan->ready.n_checks, 2);
	assert_int_equal(checks[0].kind, READY_HTTP);
	assert_int_equal(checks[0].port, 2);
	assert_string_equal(checks[0].path, "/x");
	assert_int_equal(checks[0].status_from, 200);
	assert_int_equal(checks[0].status_to, 399);
	assert_int_equal(checks[1].kind, READY_TCP);
	assert_int_equal(checks[1].port, 3);
	assert_null(checks[1].path);
	assert_int_equal(checks[1].status_to, 0);
	assert_int_equal(plan->ready.timeout_ns, 60 * NSEC_PER_SEC);
	assert_int_equal(tcp->ready.kind, READY_TCP);
	assert_int_equal(tcp->ready.n_checks, 1);
	assert_null(tcp->ready.checks[0].path);
	assert_int_equal(tcp->ready.timeout_ns, 300 * NSEC_PER_SEC);
}

static void template_compile_takes_large_but_sane_log_patterns(void **state)
{
	cleanup_plan struct plan *plan = compile(
		"run: {command: a}\n"
		"ready: {log: '^([0-9]{4}-[0-9]{2}-[0-9]{2}).*(started|[^]])+\\(ok\\)$'}\n");

	(void)state;
	assert_int_equal(plan->ready.kind, READY_LOG);
}

static void template_compile_keeps_default_ttl_within_max(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: a}\nlease: {max: 10m}\n");

	(void)state;
	assert_int_equal(plan->lease.ttl_ns, 600 * NSEC_PER_SEC);
}

static void template_compile_replaces_variables(void **state)
{
	cleanup_plan struct plan *plan = compile(
		"params: {home: '${stint_share}/x y', empty: ''}\ninstall: '${home}'\n"
		"run:\n  command: ${home}/run --name ${template} '$${home}' $$ $x ${empty}\n"
		"  env: {A: '${home}${home}', B: '$$$$'}\n");

	(void)state;
	check_strings(plan->install, LIST("/share/x y"));
	/* a value with a blank stays one word */
	check_strings(plan->run.command,
		      LIST("/share/x y/run", "--name", "t", "${home}", "$", "$x", ""));
	check_strings(plan->run.env, LIST("A=/share/x y/share/x y", "B=$$"));
}

static void template_compile_takes_values_of_sets_as_they_are(void **state)
{
	static const char yaml[] = "params: {a: , b: x}\nrun: {command: [p, '${a}', '${b}']}\n";
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	assert_int_equal(compile_with(yaml, LIST("a=${b}=$$", "b=1", "b=2"), &plan, &err), 0);
	check_strings(plan->run.command, LIST("p", "${b}=$$", "2"));
}

static void check_set(const char *set, const char *message)
{
	static const char yaml[] = "params: {version: 1, home: /x}\nrun: {command: a}\n";
	struct plan *plan = NULL;
	struct error err = {0};

	assert_true(compile_with(yaml, LIST((char *)set), &plan, &err) < 0);
	assert_null(plan);
	assert_string_equal(err.text, message);
	assert_int_equal(err.kind, ERROR_USAGE);
}

static void template_compile_refuses_bad_sets(void **state)
{
	struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	check_set("version", "'version' does not set a parameter; write KEY=VALUE");
	check_set("release=2", "unknown parameter 'release'; the template has 'version', 'home'");
	check_set("versio=2", "unknown parameter 'versio'; did you mean 'version'?");
	check_set("template=x", "unknown parameter 'template'; the template has 'version', 'home'");
	check_set("home=\xff", "the value of parameter 'home' is not UTF-8");
	check_set("home=\033", "the value of parameter 'home' contains a control character");
	assert_true(compile_with("run: {command: a}\n", LIST("a=b"), &plan, &err) < 0);
	assert_string_equal(err.text, "unknown parameter 'a'; the template has no parameters");
	assert_true(compile_with("run: {command: a}\nparams:\n  a:\n", NULL, &plan, &err) < 0);
	assert_string_equal(err.text,
			    "t.yaml:3:5: key 'params.a': has no default; give --set a=VALUE");
	assert_int_equal(err.kind, ERROR_USAGE);
}

/* A set passes the same checks as a template's own text. */
static void template_compile_checks_values_of_sets(void **state)
{
	static const char yaml[] = "params: {dir: /x}\ninstall: ${dir}\nrun: {command: a}\n";
	struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	assert_true(compile_with(yaml, LIST("dir=/x/../etc"), &plan, &err) < 0);
	assert_int_equal(err.kind, ERROR_FAILED);
	assert_true(compile_with(yaml, LIST("dir=/x\n/y"), &plan, &err) < 0);
	assert_string_equal(err.text, "t.yaml:2:10: key 'install': contains a control character; "
				      "write one line of text");
}

/* n times the variable in one string, whose value has the given length. */
static int expand_many(size_t n, size_t length, bool in_list, struct error *err)
{
	cleanup_text struct text yaml = {0};
	cleanup_plan struct plan *plan = NULL;

	text_add(&yaml, "params: {a: ");
	for (size_t i = 0; i < length; i++)
		text_add(&yaml, "x");
	text_add(&yaml, "}\nrun:\n  command: [a, \"");
	for (size_t i = 0; i < n; i++)
		text_add(&yaml, in_list ? "${a}\", \"" : "${a}");
	text_add(&yaml, "\"]\n");
	return compile_with(yaml.data, NULL, &plan, err);
}

static void template_compile_bounds_expansion(void **state)
{
	clock_t start = clock();
	struct error err = {0};

	(void)state;
	assert_int_equal(expand_many(8, 8192, false, &err), 0);
	assert_true(expand_many(9, 8192, false, &err) < 0);
	assert_string_equal(err.text, "t.yaml:3:16: key 'run.command': is too long; at most 64 KiB "
				      "with its variables replaced");
	assert_true(expand_many(100000, 60000, false, &err) < 0);
	assert_true(expand_many(900, 60000, true, &err) < 0);
	assert_non_null(strstr(err.text, "at most 256 KiB longer"));
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 1);
}

/* Each string is short enough, but quoted and together they could not be read back. */
static void template_compile_bounds_the_plan(void **state)
{
	cleanup_text struct text yaml = {0};
	struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	text_add(&yaml, "run:\n  command: [a");
	for (int i = 0; i < 600; i++)
		text_addf(&yaml, ", \"%01000d\"", 0);
	text_add(&yaml, "]\n");
	assert_true(compile_with(yaml.data, NULL, &plan, &err) < 0);
	assert_string_equal(err.text, "t.yaml:1:1: the plan is too large; at most 512 KiB besides "
				      "the environment");
}

static void template_compile_does_not_expand_its_own_name(void **state)
{
	struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	assert_true(compile_with("template: ${template}\nrun: {command: a}\n", NULL, &plan, &err) <
		    0);
	assert_string_equal(err.text, "t.yaml:1:11: key 'template': '${template}' is not a valid "
				      "name; use lower-case letters, digits and '-', at most 63");
}

static void template_compile_needs_share_only_when_it_is_used(void **state)
{
	static const char yaml[] = "run: {command: '${stint_share}/x'}\n";
	const struct template_options options = {0};
	struct plan *plan = NULL;
	struct error err = {0};

	(void)state;
	assert_true(template_compile_text("t.yaml", yaml, strlen(yaml), &options, &plan, &err) < 0);
	assert_non_null(strstr(err.text, "unknown variable '${stint_share}'"));
}

/* Two search directories below a temporary one. */
struct places {
	char top[32], *search[3];
};

static int make_places(void **state)
{
	struct places *places = xcalloc(1, sizeof(*places));

	strcpy(places->top, "/tmp/stint-test-XXXXXX");
	assert_non_null(mkdtemp(places->top));
	places->search[0] = xasprintf("%s/own", places->top);
	places->search[1] = xasprintf("%s/site", places->top);
	assert_int_equal(mkdir(places->search[0], 0755), 0);
	assert_int_equal(mkdir(places->search[1], 0755), 0);
	*state = places;
	return 0;
}

static int remove_places(void **state)
{
	struct places *places = *state;

	assert_int_equal(file_remove_tree(AT_FDCWD, places->top), 0);
	free(places->search[0]);
	free(places->search[1]);
	free(places);
	return 0;
}

static void put_template(const char *directory, const char *file, const char *yaml)
{
	cleanup_free char *path = xasprintf("%s/%s", directory, file);

	assert_int_equal(file_write(AT_FDCWD, path, yaml, 0644), 0);
}

static int compile_in(const struct places *places, const char *name, struct plan **ret_plan,
		      struct error *err)
{
	const struct template_options options = {.search = places->search, .share = "/share"};

	return template_compile(name, &options, ret_plan, err);
}

static void check_message(const struct places *places, const char *name, enum error_kind kind,
			  const char *message)
{
	struct plan *plan = NULL;
	struct error err = {0};

	assert_true(compile_in(places, name, &plan, &err) < 0);
	assert_null(plan);
	assert_non_null(strstr(err.text, message));
	assert_int_equal(err.kind, kind);
}

static void template_compile_looks_up_names_in_order(void **state)
{
	const struct places *places = *state;
	cleanup_plan struct plan *first = NULL, *built_in = NULL;
	struct error err = {0};

	put_template(places->search[1], "demo.yaml", "summary: site\nrun: {command: a}\n");
	put_template(places->search[0], "demo.yaml", "summary: own\nrun: {command: a}\n");
	assert_int_equal(compile_in(places, "demo", &first, &err), 0);
	assert_string_equal(first->summary, "own");
	assert_int_equal(compile_in(places, "hello", &built_in, &err), 0);
	assert_string_equal(built_in->template_name, "hello");
	check_strings(built_in->install, LIST("/share/hello"));
}

static void template_compile_reads_files(void **state)
{
	const struct places *places = *state;
	cleanup_free char *path = xasprintf("%s/mine.yml", places->search[0]);
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	put_template(places->search[0], "mine.yml", "run: {command: a}\n");
	assert_int_equal(compile_in(places, path, &plan, &err), 0);
	assert_string_equal(plan->template_name, "mine");
	check_message(places, "./no-such-file", ERROR_NOT_FOUND,
		      "cannot read the template './no-such-file': No such file or directory");
	check_message(places, "none.yaml", ERROR_NOT_FOUND, "cannot read the template 'none.yaml'");
	check_message(places, places->top, ERROR_FAILED, "Is a directory");
	check_message(places, "/dev/zero", ERROR_FAILED, "too large; at most 1024 KiB");
}

static void template_compile_suggests_names(void **state)
{
	const struct places *places = *state;

	put_template(places->search[1], "broker.yaml", "run: {command: a}\n");
	check_message(places, "broken", ERROR_NOT_FOUND,
		      "there is no template 'broken'; did you mean 'broker'? 'stint template ls' "
		      "shows all");
	check_message(places, "helo", ERROR_NOT_FOUND, "did you mean 'hello'?");
	check_message(places, "zzz", ERROR_NOT_FOUND,
		      "there is no template 'zzz'; 'stint template ls' shows what there is");
	check_message(places, "..", ERROR_NOT_FOUND, "there is no template '..'");
	check_message(places, "a\033b", ERROR_NOT_FOUND, "there is no template 'a?b'");
}

static void template_compile_wants_the_file_named_as_the_template(void **state)
{
	const struct places *places = *state;

	put_template(places->search[0], "a.yaml", "template: b\nrun: {command: a}\n");
	check_message(places, "a", ERROR_FAILED,
		      "a.yaml:1:11: key 'template': 'b' is not the file's name; write 'a'");
}

static void template_compile_merges_what_is_extended(void **state)
{
	const struct places *places = *state;
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	put_template(places->search[0], "base.yaml",
		     "template: base\nsummary: base\ninstall: [/opt/a, /opt/b]\n"
		     "params: {x: 1, y: 2}\n"
		     "run: {command: 'a ${x} ${y}', env: {A: 1, B: 2}, user: u}\n"
		     "ports: {http: 80, admin: {port: 81, scheme: http}}\n"
		     "ready: {http: {path: /up}, timeout: 9s}\nlimits: {memory: 1G}\n");
	put_template(places->search[0], "child.yaml",
		     "extends: base\ninstall: /opt/c\nparams: {y: 3}\n"
		     "run: {env: {B: 4, C: 5}, user: v}\nports: {admin: {scheme: https}}\n"
		     "ready: {tcp: {port: admin}}\nlimits:\n");
	assert_int_equal(compile_in(places, "child", &plan, &err), 0);
	assert_string_equal(plan->template_name, "child");
	assert_string_equal(plan->summary, "base");
	check_strings(plan->install, LIST("/opt/c"));
	check_strings(plan->run.command, LIST("a", "1", "3"));
	check_strings(plan->run.env, LIST("A=1", "B=4", "C=5"));
	assert_string_equal(plan->run.user, "v");
	assert_int_equal(plan_port_find(plan, "admin")->number, 81);
	assert_string_equal(plan_port_find(plan, "admin")->scheme, "https");
	/* another way to be ready replaces the inherited one, but not what they share */
	assert_int_equal(plan->ready.kind, READY_TCP);
	assert_int_equal(plan->ready.checks[0].port, 81);
	assert_int_equal(plan->ready.timeout_ns, 9 * NSEC_PER_SEC);
	assert_int_equal(plan->limits.memory_bytes, 1 << 30);
}

static void template_compile_names_the_file_that_is_wrong(void **state)
{
	const struct places *places = *state;

	put_template(places->search[0], "bad.yaml", "run:\n  command: a\n  usr: x\n");
	put_template(places->search[0], "good.yaml", "extends: bad\n");
	check_message(places, "good", ERROR_FAILED,
		      "bad.yaml:3:3: key 'run.usr': unknown key; did you mean 'user'?");
}

static void template_compile_lets_a_site_extend_the_same_name(void **state)
{
	const struct places *places = *state;
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	put_template(places->search[0], "hello.yaml", "extends: hello\nlease: {ttl: 2m}\n");
	put_template(places->search[1], "hello.yaml", "extends: hello\nrun: {grace: 1s}\n");
	assert_int_equal(compile_in(places, "hello", &plan, &err), 0);
	assert_int_equal(plan->lease.ttl_ns, 120 * NSEC_PER_SEC);
	assert_int_equal(plan->run.grace_ns, NSEC_PER_SEC);
	check_strings(plan->install, LIST("/share/hello"));
}

static void template_compile_refuses_circles(void **state)
{
	const struct places *places = *state;

	put_template(places->search[0], "self.yaml", "extends: self\n");
	put_template(places->search[0], "a.yaml", "extends: b\n");
	put_template(places->search[0], "b.yaml", "extends: c\n");
	put_template(places->search[0], "c.yaml", "extends: a\n");
	check_message(places, "self", ERROR_FAILED,
		      "self.yaml:1:10: key 'extends': a template cannot extend itself");
	check_message(places, "a", ERROR_FAILED,
		      "c.yaml:1:10: key 'extends': 'a' extends this template");
}

static void template_compile_bounds_inheritance(void **state)
{
	const struct places *places = *state;
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	put_template(places->search[0], "t0.yaml", "run: {command: a}\n");
	for (int i = 1; i <= TEMPLATE_EXTENDS_MAX + 1; i++) {
		cleanup_free char *file = xasprintf("t%d.yaml", i);
		cleanup_free char *yaml = xasprintf("extends: t%d\n", i - 1);

		put_template(places->search[0], file, yaml);
	}
	assert_int_equal(compile_in(places, "t8", &plan, &err), 0);
	check_message(places, "t9", ERROR_FAILED,
		      "t1.yaml:1:10: key 'extends': too many templates extend one another");
}

static void template_compile_drops_an_inherited_way_to_stop(void **state)
{
	const struct places *places = *state;
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	put_template(places->search[0], "base.yaml",
		     "run: {command: a, stop: {signal: INT}, restart: {policy: on-failure}}\n");
	put_template(places->search[0], "child.yaml",
		     "extends: base\nrun: {stop: {command: halt}, restart: no}\n");
	assert_int_equal(compile_in(places, "child", &plan, &err), 0);
	check_strings(plan->run.stop_command, LIST("halt"));
	assert_int_equal(plan->run.restart, RESTART_NO);
}

static const struct template_info *info_find(const struct template_info *list, size_t n,
					     const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static void template_list_shows_each_name_once(void **state)
{
	const struct places *places = *state;
	const struct template_options options = {.search = places->search};
	struct template_info *list = NULL;
	struct error err = {0};
	const char *fault;
	size_t n = 0;

	put_template(places->search[0], "hello.yaml", "summary: mine\nrun: {command: a}\n");
	put_template(places->search[1], "hello.yaml", "summary: hidden\n");
	put_template(places->search[1], "child.yaml", "extends: hello\n");
	put_template(places->search[1], "broken.yaml", "a: [\n");
	put_template(places->search[1], "Not A Name.yaml", "");
	put_template(places->search[1], "notes.txt", "");
	assert_int_equal(template_list(&options, &list, &n, &err), 0);
	for (size_t i = 1; i < n; i++)
		assert_true(strcmp(list[i - 1].name, list[i].name) < 0);
	assert_string_equal(info_find(list, n, "hello")->summary, "mine");
	assert_string_equal(info_find(list, n, "child")->summary, "mine");
	assert_string_equal(info_find(list, n, "tomcat")->source, "built in");
	assert_null(info_find(list, n, "tomcat")->fault);
	fault = info_find(list, n, "broken")->fault;
	assert_true(fault && strstr(fault, "broken.yaml:2:1: not YAML"));
	assert_null(info_find(list, n, "Not A Name"));
	assert_null(info_find(list, n, "notes"));
	template_list_free(list, n);
}

static void template_list_ignores_directories_that_do_not_exist(void **state)
{
	const struct template_options options = {.search = LIST("/no/such/directory")};
	struct template_info *list = NULL;
	struct error err = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(template_list(&options, &list, &n, &err), 0);
	assert_true(n >= 3);
	template_list_free(list, n);
}

static void template_source_returns_the_text_as_written(void **state)
{
	const struct places *places = *state;
	const struct template_options options = {.search = places->search};
	cleanup_free char *text = NULL, *origin = NULL, *built_in = NULL, *its_origin = NULL;
	struct error err = {0};

	put_template(places->search[0], "x.yaml", "# kept\nrun: {command: '${y}'}\n");
	assert_int_equal(template_source("x", &options, &text, &origin, &err), 0);
	assert_string_equal(text, "# kept\nrun: {command: '${y}'}\n");
	assert_non_null(strstr(origin, "/own/x.yaml"));
	assert_int_equal(template_source("hello", &options, &built_in, &its_origin, &err), 0);
	assert_non_null(strstr(built_in, "template: hello\n"));
	assert_string_equal(its_origin, "built in");
}

/* Every shipped template compiles without being told anything. */
static void template_compile_takes_the_whole_catalogue(void **state)
{
	const struct template_options options = {.share = "/share"};
	struct template_info *list = NULL;
	struct error err = {0};
	size_t n = 0;

	(void)state;
	assert_int_equal(template_list(&options, &list, &n, &err), 0);
	for (size_t i = 0; i < n; i++) {
		cleanup_plan struct plan *plan = NULL;

		if (template_compile(list[i].name, &options, &plan, &err) < 0)
			fail_msg("%s", err.text);
		assert_string_equal(plan->template_name, list[i].name);
		assert_non_null(list[i].summary);
	}
	template_list_free(list, n);
}

static void plan_set_env_replaces_and_sorts(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: a, env: {B: 1, AA: 2}}\n");
	struct error err = {0};

	(void)state;
	assert_int_equal(plan_set_env(plan, "B=x=y", &err), 0);
	assert_int_equal(plan_set_env(plan, "A=", &err), 0);
	assert_int_equal(plan_set_env(plan, "A.b=3", &err), 0);
	check_strings(plan->run.env, LIST("A=", "A.b=3", "AA=2", "B=x=y"));
}

static void check_env(struct plan *plan, const char *assignment, const char *message)
{
	struct error err = {0};

	assert_true(plan_set_env(plan, assignment, &err) < 0);
	assert_string_equal(err.text, message);
	assert_int_equal(err.kind, ERROR_USAGE);
}

static void plan_set_env_refuses_what_sets_no_variable(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: a}\n");
	cleanup_text struct text large = {0};

	(void)state;
	check_env(plan, "A", "'A' does not set a variable; write KEY=VALUE");
	check_env(plan, "=x",
		  "'' is no name for a variable; use letters, digits, '_', '.' and "
		  "'-', and no digit first");
	check_env(plan, "1=secret",
		  "'1' is no name for a variable; use letters, digits, '_', '.' "
		  "and '-', and no digit first");
	check_env(plan, "A=x\ny", "the value of the variable 'A' contains a control character");
	check_env(plan, "A=\xc3(", "the value of the variable 'A' is not UTF-8");
	text_add(&large, "A=");
	while (large.length < PLAN_ENV_SIZE_MAX)
		text_add(&large, "x");
	check_env(plan, large.data,
		  "the environment is too large; at most 1000 variables and 128 KiB");
	assert_null(plan->run.env);
}

static void template_keys_markdown_has_a_row_for_each_key(void **state)
{
	cleanup_text struct text text = {0};

	(void)state;
	template_keys_markdown(&text);
	assert_non_null(strstr(text.data, "\n| `template` | name | "));
	assert_non_null(strstr(text.data, "\n| `run.command` | command | required | "));
	assert_non_null(strstr(text.data, "\n| `ports.NAME.port` | port number | required | "));
	assert_non_null(strstr(text.data, "\n| `ready.http.status` | HTTP status | `200-399` | "));
	assert_non_null(strstr(text.data, "\n| `lease.ttl` | duration | `1h` | "));
}

static void template_keys_man_is_one_list(void **state)
{
	cleanup_text struct text text = {0};

	(void)state;
	template_keys_man(&text);
	assert_memory_equal(text.data, ".Bl -tag", 8);
	assert_non_null(strstr(text.data, "\n.It Cm run.grace : Ar duration\n"));
	assert_string_equal(text.data + text.length - 5, "\n.El\n");
}

static void template_schema_is_balanced(void **state)
{
	cleanup_text struct text text = {0};
	int depth = 0;

	(void)state;
	template_schema(&text);
	for (const char *at = text.data; *at; at++) {
		if (*at == '"')
			for (at++; *at != '"'; at++)
				at += *at == '\\';
		depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
		assert_true(depth >= 0);
	}
	assert_int_equal(depth, 0);
	assert_non_null(strstr(text.data, "\"interval\": {\"description\": "));
}

#define in_places(test) cmocka_unit_test_setup_teardown(test, make_places, remove_places)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(template_compile_fills_in_defaults),
		cmocka_unit_test(template_compile_takes_empty_sections),
		cmocka_unit_test(template_compile_reads_all_keys),
		cmocka_unit_test(template_compile_takes_none_as_no_limit),
		cmocka_unit_test(template_set_limit_replaces_what_the_template_says),
		cmocka_unit_test(template_set_limit_says_what_would_be_right),
		cmocka_unit_test(template_compile_splits_commands_without_a_shell),
		cmocka_unit_test(template_compile_takes_no_as_a_word),
		cmocka_unit_test(template_compile_sorts_ports_and_names_schemes),
		cmocka_unit_test(template_compile_finds_a_port_to_be_ready_on),
		cmocka_unit_test(template_compile_reads_readiness_checks),
		cmocka_unit_test(template_compile_reads_a_list_of_checks),
		cmocka_unit_test(template_compile_leaves_out_a_file_that_nobody_named),
		cmocka_unit_test(template_compile_takes_large_but_sane_log_patterns),
		cmocka_unit_test(template_compile_keeps_default_ttl_within_max),
		cmocka_unit_test(template_compile_replaces_variables),
		cmocka_unit_test(template_compile_takes_values_of_sets_as_they_are),
		cmocka_unit_test(template_compile_refuses_bad_sets),
		cmocka_unit_test(template_compile_checks_values_of_sets),
		cmocka_unit_test(template_compile_bounds_expansion),
		cmocka_unit_test(template_compile_bounds_the_plan),
		cmocka_unit_test(template_compile_does_not_expand_its_own_name),
		cmocka_unit_test(template_compile_needs_share_only_when_it_is_used),
		in_places(template_compile_looks_up_names_in_order),
		in_places(template_compile_reads_files),
		in_places(template_compile_suggests_names),
		in_places(template_compile_wants_the_file_named_as_the_template),
		in_places(template_compile_merges_what_is_extended),
		in_places(template_compile_names_the_file_that_is_wrong),
		in_places(template_compile_lets_a_site_extend_the_same_name),
		in_places(template_compile_refuses_circles),
		in_places(template_compile_bounds_inheritance),
		in_places(template_compile_drops_an_inherited_way_to_stop),
		in_places(template_list_shows_each_name_once),
		cmocka_unit_test(template_list_ignores_directories_that_do_not_exist),
		in_places(template_source_returns_the_text_as_written),
		cmocka_unit_test(template_compile_takes_the_whole_catalogue),
		cmocka_unit_test(plan_set_env_replaces_and_sorts),
		cmocka_unit_test(plan_set_env_refuses_what_sets_no_variable),
		cmocka_unit_test(template_keys_markdown_has_a_row_for_each_key),
		cmocka_unit_test(template_keys_man_is_one_list),
		cmocka_unit_test(template_schema_is_balanced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
