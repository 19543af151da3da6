/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form: reading it back gives an equal plan, and golden files hold what it looks
 * like: tests/golden/NAME.yaml is compiled and compared with NAME.plan. With
 * STINT_UPDATE_GOLDEN=1 in the environment the .plan files are written instead.
 */
#include "templates/template.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#define GOLDEN_DIRECTORY TESTS_DIR "/golden"
#define PLAN_SIZE_MAX (1 << 20)

static void check_string(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void check_strings(char *const *a, char *const *b)
{
	assert_int_equal(strv_length(a), strv_length(b));
	for (size_t i = 0; a && a[i]; i++)
		assert_string_equal(a[i], b[i]);
}

static void check_same_run(const struct plan_run *a, const struct plan_run *b)
{
	check_strings(a->command, b->command);
	check_string(a->user, b->user);
	check_strings(a->env, b->env);
	check_string(a->directory, b->directory);
	assert_int_equal(a->stop_signal, b->stop_signal);
	check_strings(a->stop_command, b->stop_command);
	assert_int_equal(a->grace_ns, b->grace_ns);
	assert_int_equal(a->restart, b->restart);
	assert_int_equal(a->restart_limit, b->restart_limit);
}

static void check_same_ready(const struct plan_ready *a, const struct plan_ready *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->n_checks, b->n_checks);
	for (size_t i = 0; i < PLAN_CHECKS_MAX; i++) {
		assert_int_equal(a->checks[i].kind, b->checks[i].kind);
		assert_int_equal(a->checks[i].port, b->checks[i].port);
		check_string(a->checks[i].path, b->checks[i].path);
		assert_int_equal(a->checks[i].status_from, b->checks[i].status_from);
		assert_int_equal(a->checks[i].status_to, b->checks[i].status_to);
	}
	check_string(a->pattern, b->pattern);
	check_strings(a->command, b->command);
	assert_int_equal(a->timeout_ns, b->timeout_ns);
	assert_int_equal(a->interval_ns, b->interval_ns);
}

static void check_same_ports(const struct plan *a, const struct plan *b)
{
	assert_int_equal(a->n_ports, b->n_ports);
	for (size_t i = 0; i < a->n_ports; i++) {
		assert_string_equal(a->ports[i].name, b->ports[i].name);
		assert_string_equal(a->ports[i].scheme, b->ports[i].scheme);
		assert_int_equal(a->ports[i].number, b->ports[i].number);
		assert_int_equal(a->ports[i].loopback, b->ports[i].loopback);
		assert_int_equal(a->ports[i].proxy, b->ports[i].proxy);
	}
}

static void check_same_limits(const struct plan_limits *a, const struct plan_limits *b)
{
	assert_int_equal(a->memory_bytes, b->memory_bytes);
	assert_int_equal(a->swap_bytes, b->swap_bytes);
	assert_int_equal(a->disk_bytes, b->disk_bytes);
	assert_int_equal(a->cpu_millis, b->cpu_millis);
	assert_int_equal(a->pids, b->pids);
	assert_int_equal(a->files, b->files);
	assert_int_equal(a->has_swap, b->has_swap);
	assert_int_equal(a->io_read, b->io_read);
	assert_int_equal(a->io_write, b->io_write);
	assert_int_equal(a->log_bytes, b->log_bytes);
}

static void check_same_plan(const struct plan *a, const struct plan *b)
{
	check_string(a->template_name, b->template_name);
	check_string(a->summary, b->summary);
	check_strings(a->install, b->install);
	check_strings(a->paths, b->paths);
	check_same_run(&a->run, &b->run);
	check_same_ports(a, b);
	check_same_ready(&a->ready, &b->ready);
	check_strings(a->check.command, b->check.command);
	assert_int_equal(a->check.timeout_ns, b->check.timeout_ns);
	check_same_limits(&a->limits, &b->limits);
	assert_int_equal(a->best_effort, b->best_effort);
	assert_int_equal(a->lease.ttl_ns, b->lease.ttl_ns);
	assert_int_equal(a->lease.max_ns, b->lease.max_ns);
	assert_int_equal(a->lease.idle_ns, b->lease.idle_ns);
	check_string(a->network.zone, b->network.zone);
	check_string(a->network.egress, b->network.egress);
}

/* Checks that the plan's canonical form reads back as an equal plan, and returns it. */
static char *write_and_read_back(const struct plan *plan)
{
	const struct template_options options = {0};
	cleanup_text struct text text = {0}, again = {0};
	cleanup_plan struct plan *back = NULL;
	struct error err = {0};

	plan_write_canonical(plan, &text);
	if (template_compile_text("plan.yaml", text.data, text.length, &options, &back, &err) < 0)
		fail_msg("%s\n%s", err.text, text.data);
	check_same_plan(plan, back);
	plan_write_canonical(back, &again);
	assert_string_equal(text.data, again.data);
	return text_take(&text);
}

static struct plan *compile(const char *yaml)
{
	const struct template_options options = {.share = "/share"};
	struct plan *plan = NULL;
	struct error err = {0};

	if (template_compile_text("t.yaml", yaml, strlen(yaml), &options, &plan, &err) < 0)
		fail_msg("%s", err.text);
	return plan;
}

static void check_round_trip(const char *yaml)
{
	cleanup_plan struct plan *plan = compile(yaml);

	free(write_and_read_back(plan));
}

static void plan_write_canonical_reads_back_for_every_kind(void **state)
{
	(void)state;
	check_round_trip("run: {command: a}\n");
	check_round_trip("run: {command: a}\nports: {a: 1, http: 2}\n");
	check_round_trip("run: {command: a}\nports: {a: 1}\nready: none\n");
	check_round_trip("run: {command: a}\nports: {a: 1}\nready: {http: {status: 200-204}}\n");
	check_round_trip("run: {command: a}\nready: {log: '^a\\(\"[$]$'}\n");
	check_round_trip("run: {command: a}\nready: {command: [b, ''], timeout: 1h0m1s5ms}\n");
	check_round_trip(
		"run: {command: a, stop: {signal: 40}, grace: 1ms, restart: on-failure}\n");
	check_round_trip("run: {command: a, stop: {command: [b, 'c d']}, user: 0, directory: /}\n");
	check_round_trip(
		"run: {command: a}\nlimits: {memory: 65537, swap: 0, cpu: 0.01, pids: 1}\n");
	check_round_trip("run: {command: a}\nlimits: {swap: 3k, cpu: 10.5, disk: 1T, files: 16}\n");
	check_round_trip("run: {command: a}\nlimits: {pids: none, log: 64k, io: {write: 4097}}\n");
	check_round_trip("run: {command: a}\nlimits: {io: {read: 1M}}\nbest_effort: true\n");
	check_round_trip("run: {command: a}\nlease: {ttl: 1ms, max: 10d, idle: 1d1h1m1s1ms}\n");
	check_round_trip("run: {command: a}\nnetwork: {zone: 1, egress: internet}\n");
	check_round_trip("template: no\nrun: {command: a, env: {no: no, 'null': '~'}}\n"
			 "ports: {on: 1, 8080: 2}\n");
}

/* Everything that YAML, or expansion, could take for something else. */
static void plan_write_canonical_keeps_strings(void **state)
{
	static const char *const words[] = {
		"",	    " ",      " a",	"a ",	      "a: b",	"a:",	    ":a",
		"a #b",	    "#a",     "-",	"--",	      "---",	"- a",	    "...",
		"?",	    "? a",    "[a]",	"{a: b}",     "a, b",	"&a",	    "*a",
		"!a",	    "|",      ">",	"%a",	      "@a",	"`a`",	    "'",
		"''",	    "\"",     "a'b",	"it's",	      "\\",	"\\n",	    "$",
		"$$",	    "$$$",    "${a}",	"$${a}",      "a$",	"~",	    "null",
		"Null",	    "true",   "NO",	"off",	      "y",	"1",	    "1.5",
		"0x1f",	    "1e3",    "1:30",	".inf",	      "-1",	"-x",	    "--x=y",
		"---x",	    "<<",     "=",	"2001-01-01", "a\nb",	"a\n",	    "\n",
		"\n\n a",   "\ta",    "a\tb",	"\u00e4",     "\u4e2d", "\u2028a",  "\u2029",
		"\ufeffa",  "\uffff", "\u00a0", "\U0001f600", "\ufffd", "a\u0300b", "no such",
		"x=y,z@%+",
	};
	cleanup_plan struct plan *plan = compile("run: {command: a}\n");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		strv_add(&plan->run.command, words[i]);
	free(write_and_read_back(plan));
}

/* Every pair of printable characters, since quoting depends on neighbours. */
static void plan_write_canonical_keeps_all_pairs_of_characters(void **state)
{
	(void)state;
	for (int first = ' '; first <= '~'; first++) {
		cleanup_plan struct plan *plan = compile("run: {command: a}\n");

		for (int second = ' '; second <= '~'; second++) {
			const char pair[] = {(char)first, (char)second, '\0'},
				   within[] = {'a', (char)first, (char)second, 0};

			strv_add(&plan->run.command, pair);
			strv_add(&plan->run.command, within);
		}
		free(write_and_read_back(plan));
	}
}

/* What the bounds allow must never be too much to be read back. */
static void plan_write_canonical_reads_back_at_the_bounds(void **state)
{
	cleanup_plan struct plan *plan = NULL;
	cleanup_text struct text yaml = {0};
	cleanup_free char *canonical = NULL;
	struct error err = {0};

	(void)state;
	text_add(&yaml, "paths:\n");
	for (int i = 0; i < PLAN_WORDS_MAX; i++)
		text_addf(&yaml, "  - /%d\n", i);
	text_add(&yaml, "ports:\n");
	for (int i = 1; i <= PLAN_PORTS_MAX; i++)
		text_addf(&yaml, "  p%d: %d\n", i, i);
	text_add(&yaml, "ready: {command: \"");
	for (int i = 0; i < PLAN_WORDS_MAX; i++)
		text_add(&yaml, "a ");
	text_add(&yaml, "\"}\nrun:\n  stop: {command: \"");
	for (int i = 0; i < PLAN_WORDS_MAX; i++)
		text_add(&yaml, "a ");
	text_add(&yaml, "\"}\n  command: [\"a\"");
	for (int i = 1; i < PLAN_WORDS_MAX; i++) {
		text_add(&yaml, ",\"");
		for (int j = 0; j < 230; j++)
			text_add(&yaml, "$$");
		text_add(&yaml, "\"");
	}
	text_add(&yaml, "]\n");
	plan = compile(yaml.data);
	for (int i = 0; i < PLAN_WORDS_MAX; i++) {
		cleanup_free char *assignment = xasprintf("V%d=%0120d", i, 0);

		assert_int_equal(plan_set_env(plan, assignment, &err), 0);
	}
	canonical = write_and_read_back(plan);
	assert_true(strlen(canonical) < PLAN_SIZE_MAX);
}

static void plan_write_canonical_leaves_out_what_is_nothing(void **state)
{
	cleanup_plan struct plan *plan = compile("run: {command: /bin/true}\n");
	cleanup_free char *canonical = write_and_read_back(plan);

	(void)state;
	assert_string_equal(canonical, "template: t\n"
				       "run:\n"
				       "  command:\n"
				       "    - /bin/true\n"
				       "  stop:\n"
				       "    signal: TERM\n"
				       "  grace: 10s\n"
				       "  restart: \"no\"\n"
				       "ready: none\n"
				       "limits:\n"
				       "  pids: 4096\n"
				       "  log: 16MiB\n"
				       "seccomp: default\n"
				       "lease:\n"
				       "  ttl: 1h\n"
				       "  on_expiry: remove\n"
				       "  warn:\n"
				       "    before: [15m, 2m]\n"
				       "network:\n"
				       "  zone: default\n"
				       "  egress: none\n");
}

static void plan_write_canonical_takes_an_empty_plan(void **state)
{
	const struct plan plan = {0};
	cleanup_text struct text text = {0};

	(void)state;
	plan_write_canonical(&plan, &text);
	assert_true(text.length > 0);
}

static void compare_golden(const char *path, const char *canonical)
{
	cleanup_free char *expected = NULL;

	if (getenv("STINT_UPDATE_GOLDEN")) {
		assert_int_equal(file_write(AT_FDCWD, path, canonical, 0644), 0);
		return;
	}
	if (file_read(AT_FDCWD, path, PLAN_SIZE_MAX, &expected, NULL) < 0)
		fail_msg("cannot read %s", path);
	assert_string_equal(canonical, expected);
}

static void check_golden(const char *file)
{
	char *const search[] = {GOLDEN_DIRECTORY, NULL};
	const struct template_options options = {.search = search, .share = "/usr/share/stint"};
	cleanup_free char *path = xasprintf("%s/%s", GOLDEN_DIRECTORY, file);
	cleanup_free char *plan_path = xasprintf("%.*s.plan", (int)strlen(path) - 5, path);
	cleanup_free char *canonical = NULL;
	cleanup_plan struct plan *plan = NULL;
	struct error err = {0};

	if (template_compile(path, &options, &plan, &err) < 0)
		fail_msg("%s", err.text);
	canonical = write_and_read_back(plan);
	compare_golden(plan_path, canonical);
}

static void plan_write_canonical_matches_golden_files(void **state)
{
	cleanup_dir DIR *dir = opendir(GOLDEN_DIRECTORY);
	const struct dirent *entry;
	size_t n = 0;

	(void)state;
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		const char *ending = strrchr(entry->d_name, '.');

		if (!ending || strcmp(ending, ".yaml") != 0)
			continue;
		check_golden(entry->d_name);
		n++;
	}
	assert_true(n >= 5);
}

static void plan_free_takes_nothing(void **state)
{
	(void)state;
	plan_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_write_canonical_reads_back_for_every_kind),
		cmocka_unit_test(plan_write_canonical_keeps_strings),
		cmocka_unit_test(plan_write_canonical_keeps_all_pairs_of_characters),
		cmocka_unit_test(plan_write_canonical_reads_back_at_the_bounds),
		cmocka_unit_test(plan_write_canonical_leaves_out_what_is_nothing),
		cmocka_unit_test(plan_write_canonical_takes_an_empty_plan),
		cmocka_unit_test(plan_write_canonical_matches_golden_files),
		cmocka_unit_test(plan_free_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
