/* SPDX-License-Identifier: Apache-2.0 */
/* templates/heap: what a limit of memory leaves for the heap, and who says which limit. */
#include "world.h"
#include "base/cleanup.h"
#include "templates/template.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SERVER "run: {command: [a, '-Xms${heap_start_mb}m', '-Xmx${heap_mb}m']}\n"

static int compile(const char *text, const struct template_options *options, char **ret_words,
		   struct error *err)
{
	cleanup_plan struct plan *plan = NULL;
	int r = template_compile_text("t.yaml", text, strlen(text), options, &plan, err);

	if (r == 0)
		*ret_words = xasprintf("%s %s", plan->run.command[1], plan->run.command[2]);
	return r;
}

struct heap_case {
	const char *text;
	const char *memory;
	uint64_t otherwise;
	const char *words;
};

static void heap_set_variables_of_a_limit(void **state)
{
	static const struct heap_case cases[] = {
		/* none: as the template says, or a default */
		{"heap:\n" SERVER, NULL, 0, "-Xms64m -Xmx1024m"},
		{"heap: {default: 300M, start: 2G}\n" SERVER, NULL, 0, "-Xms300m -Xmx300m"},
		/* a large one is shared, a small one leaves room */
		{"heap:\nlimits: {memory: 4G}\n" SERVER, NULL, 0, "-Xms64m -Xmx3071m"},
		{"heap:\nlimits: {memory: 512M}\n" SERVER, NULL, 0, "-Xms64m -Xmx256m"},
		{"heap: {share: 50, room: 100M}\nlimits: {memory: 1G}\n" SERVER, NULL, 0,
		 "-Xms64m -Xmx511m"},
		{"heap: {room: 400M, start: 100M}\nlimits: {memory: 1G}\n" SERVER, NULL, 0,
		 "-Xms100m -Xmx624m"},
		/* the command line comes before the template, the template before the quota */
		{"heap:\nlimits: {memory: 512M}\n" SERVER, "1G", 0, "-Xms64m -Xmx767m"},
		{"heap:\nlimits: {memory: 512M}\n" SERVER, "none", 0, "-Xms64m -Xmx1024m"},
		{"heap:\nlimits: {memory: 512M}\n" SERVER, NULL, 1 << 30, "-Xms64m -Xmx256m"},
		{"heap:\n" SERVER, NULL, 1 << 30, "-Xms64m -Xmx767m"},
		{"params: {m: 512M}\nheap: {room: '${m}'}\nlimits: {memory: '1${m}'}\n" SERVER,
		 NULL, 0, "-Xms64m -Xmx1000m"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct template_options options = {.memory = cases[i].memory,
							 .memory_otherwise = cases[i].otherwise};
		cleanup_free char *words = NULL;
		struct error err = {0};

		if (compile(cases[i].text, &options, &words, &err) < 0)
			fail_msg("%s: %s", cases[i].text, err.text);
		assert_string_equal(words, cases[i].words);
	}
}

static void heap_set_variables_refuses_what_cannot_work(void **state)
{
	static const char text[] = "heap: {least: 256M}\nlimits: {memory: 1G}\n" SERVER;
	const struct template_options options = {.memory = "300M"};
	const struct template_options enough = {.memory = "512M"};
	cleanup_free char *words = NULL;
	struct error err = {0};

	(void)state;
	assert_fails(compile(text, &options, &words, &err), -EIO, &err,
		     "t.yaml:1:7: key 'heap': a limit of memory of 300M leaves 44M for the heap, "
		     "and the server needs 256M; give at least --memory 512M");
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_succeeds(compile(text, &enough, &words, &err), &err);
	assert_string_equal(words, "-Xms64m -Xmx256m");
}

/* The figure that is asked for is enough, and one less is not; a huge one is found at once. */
static void heap_set_variables_asks_for_the_least_that_works(void **state)
{
	static const struct {
		const char *heap;
		uint64_t needed;
	} cases[] = {
		{"{least: 256M}", 512},
		{"{least: 1000M, room: 1M}", 1334},
		{"{least: 100M, share: 7%}", 1429},
		{"{least: 1025k, room: 1M, share: 100%}", 3},
		{"{least: 1024T, share: 1%}", UINT64_C(107374182400)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *text = xasprintf("heap: %s\n" SERVER, cases[i].heap);
		cleanup_free char *wanted =
			xasprintf("give at least --memory %" PRIu64 "M", cases[i].needed);
		cleanup_free char *less = xasprintf("%" PRIu64 "M", cases[i].needed - 1);
		cleanup_free char *enough = xasprintf("%" PRIu64 "M", cases[i].needed);
		struct template_options options = {.memory = less};
		cleanup_free char *words = NULL;
		struct error err = {0};

		assert_true(compile(text, &options, &words, &err) < 0);
		if (!strstr(err.text, wanted))
			fail_msg("%s: %s", cases[i].heap, err.text);
		options.memory = enough;
		if (cases[i].needed < 1 << 20)
			assert_succeeds(compile(text, &options, &words, &err), &err);
	}
}

static void heap_variables_are_there_with_the_key_only(void **state)
{
	const struct template_options options = {0};
	cleanup_free char *words = NULL;
	struct error err = {0};

	(void)state;
	assert_true(compile(SERVER, &options, &words, &err) < 0);
	assert_non_null(strstr(err.text, "unknown variable '${heap_start_mb}'"));
}

static void heap_of_wrong_values(void **state)
{
	static const char *const wrong[] = {
		"heap: {share: 0%}\n",	 "heap: {share: 101%}\n",
		"heap: {share: half}\n", "heap: {room: none}\n",
		"heap: {room: 100k}\n",	 "heap: {least: -1}\n",
		"heap: {mx: 1G}\n",	 "heap: 1G\n",
		"heap: [1G]\n",		 "heap: {share: 5%%}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		cleanup_free char *text = xasprintf("%s%s", wrong[i], SERVER);
		const struct template_options options = {0};
		cleanup_free char *words = NULL;
		struct error err = {0};

		if (compile(text, &options, &words, &err) == 0)
			fail_msg("%s is taken", wrong[i]);
		assert_non_null(strstr(err.text, "t.yaml:1:"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heap_set_variables_of_a_limit),
		cmocka_unit_test(heap_set_variables_refuses_what_cannot_work),
		cmocka_unit_test(heap_set_variables_asks_for_the_least_that_works),
		cmocka_unit_test(heap_variables_are_there_with_the_key_only),
		cmocka_unit_test(heap_of_wrong_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
