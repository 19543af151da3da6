/* SPDX-License-Identifier: Apache-2.0 */
/* Templates for somebody who must not decide what root does: no files, no sets that reach the host.
 */
#include "world.h"
#include "base/cleanup.h"
#include "templates/keywords.h"
#include "templates/template.h"

#include <errno.h>
#include <string.h>

#define PARAMS "params: {x: /opt/x, y: '1'}\nrun: {command: [a]}\n"

/* The value of --set x, and a template that uses it. */
static int compile(const char *text, const char *set, bool guarded, struct error *err)
{
	char *sets[] = {(char *)set, NULL};
	const struct template_options options = {.sets = sets, .guarded = guarded};
	cleanup_plan struct plan *plan = NULL;

	return template_compile_text("t.yaml", text, strlen(text), &options, &plan, err);
}

static void guarded_sets_reach_the_inside_only(void **state)
{
	static const char *const inside[] = {
		"params: {x: a}\nrun: {command: [a, '${x}']}\n",
		"params: {x: a}\nrun: {command: 'a ${x}', env: {A: '${x}', B: 'z${x}'}}\n",
		"params: {x: /}\nrun: {command: [a], directory: '/a/${x}'}\n",
		"params: {x: '1'}\nrun: {command: [a]}\nports: {http: '1${x}'}\n",
		"params: {x: a}\nrun: {command: [a]}\nready: {command: [b, '${x}']}\n",
		"params: {x: a}\nrun: {command: [a], stop: {command: '${x}'}}\n",
		"params: {x: '1'}\nrun: {command: [a]}\nlease: {ttl: '${x}h'}\n",
		"params: {x: a}\nsummary: an ${x}\nrun: {command: [a]}\n",
		"params: {x: a}\nrun: {command: [a]}\nscrub: '/opt/${x}'\n",
		"params: {x: a}\nrun: {command: [a]}\nfiles: {'/opt/${x}': {text: 'a ${x}'}}\n",
		"params: {x: a}\nrun: {command: a}\nedit: {'/o/${x}.ini': {set: {'${x}': 1}}}\n",
		"params: {x: a}\nrun: {command: a}\nedit: {/o.ini: {set: {a: {b: '${x}'}}}}\n",
		"params: {x: a}\nrun: {command: a}\nsecrets: {a: {path: '/opt/${x}'}}\n",
		/* written as characters, and not used at all */
		"params: {x: a}\nrun: {command: [a]}\ninstall: '/opt/$${x}'\n",
		"params: {x: a}\nrun: {command: [a]}\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(inside); i++) {
		struct error err = {0};

		if (compile(inside[i], "x=1", true, &err) < 0)
			fail_msg("%s: %s", inside[i], err.text);
	}
}

static void guarded_sets_never_reach_the_host(void **state)
{
	static const char *const keys[] = {
		"install: '${x}'",
		"install: [/opt/y, '/opt${x}']",
		"paths: '${x}'",
		"paths: [/opt/y, '/opt${x}']",
		"files: {/opt/y: {from: '${x}'}}",
		"secrets: {y: {from: '${x}'}}",
		"secrets: {y: {user: '${y}'}}",
		"files: {/opt/y: {from: '/opt${x}'}}",
		"files: {/opt/y: {text: y, user: '${y}'}}",
		"limits: {memory: '${y}G'}",
		"limits: {pids: '${y}00'}",
		"lease: {max: '${y}h'}",
		"lease: {idle: '${y}h'}",
		"network: {zone: 'z${y}'}",
		"hooks: {after_end: [/bin/x, '${y}']}",
		"hooks: {after_end: {command: [/bin/x], user: '${y}'}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		cleanup_free char *text = xasprintf(PARAMS "%s\n", keys[i]);
		const char *set = strstr(keys[i], "${x}") ? "x=/etc" : "y=2";
		struct error err = {0};

		assert_true(compile(text, set, true, &err) < 0);
		assert_int_equal(err.kind, ERROR_REFUSED);
		assert_non_null(strstr(err.text, "decides over the host"));
		assert_null(strstr(err.text, "/etc"));
		/* with their defaults, and for anybody else, they may stand there */
		assert_succeeds(compile(text, NULL, true, &err), &err);
		assert_succeeds(compile(text, set, false, &err), &err);
	}
}

/* A key that somebody adds is the host's business until he has thought about it. */
static void only_these_keys_are_the_insides_own(void **state)
{
	static const char *const inside[] = {"summary", "scrub", "edit",  "ports",
					     "ready",	"heap",	 "check", NULL};

	(void)state;
	for (const struct keyword *k = template_keywords; k->name; k++)
		assert_int_equal(!!(k->flags & KEYWORD_INSIDE),
				 strv_contains((char *const *)inside, k->name));
	for (const struct keyword *k = keyword_find(template_keywords, "run")->inner; k->name; k++)
		if (strcmp(k->name, "user") == 0)
			assert_false(k->flags & KEYWORD_INSIDE);
}

static void names_only_refuses_a_file_unseen(void **state)
{
	static const char *const paths[] = {"./t.yaml", "/etc/shadow", "t.yaml",
					    "t.yml",	"../t",	       "/none"};
	const struct template_options options = {.names_only = true};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cleanup_free char *text = NULL, *origin = NULL;
		cleanup_plan struct plan *plan = NULL;
		struct error err;

		assert_fails(template_compile(paths[i], &options, &plan, &err), -EPERM, &err,
			     "by name");
		assert_fails(template_source(paths[i], &options, &text, &origin, &err), -EPERM,
			     &err, "by name");
		assert_int_equal(err.kind, ERROR_REFUSED);
	}
}

static void trust_holds_for_files_and_what_they_extend(void **state)
{
	const struct world *w = *state;
	cleanup_free char *catalog = world_path(w, "catalog"), *own = world_path(w, "t.yaml");
	char *search[] = {catalog, NULL};
	const struct trust trust = {.uid = geteuid()};
	const struct template_options options = {.search = search, .trust = &trust};
	cleanup_plan struct plan *plan = NULL;
	struct error err;

	world_file(w, "catalog/base.yaml", "run: {command: [a]}\n", 0644);
	world_file(w, "t.yaml", "extends: base\n", 0644);
	assert_succeeds(template_compile("base", &options, &plan, &err), &err);
	plan_cleanup(&plan);
	assert_succeeds(template_compile(own, &options, &plan, &err), &err);
	plan_cleanup(&plan);
	world_file(w, "catalog/base.yaml", "run: {command: [a]}\n", 0666);
	assert_fails(template_compile("base", &options, &plan, &err), -EPERM, &err, "everybody");
	assert_fails(template_compile(own, &options, &plan, &err), -EIO, &err,
		     "t.yaml:1:10: key 'extends': ");
	assert_int_equal(err.kind, ERROR_REFUSED);
	assert_fails(template_compile("none", &options, &plan, &err), -ENOENT, &err, "'none'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(guarded_sets_reach_the_inside_only),
		cmocka_unit_test(guarded_sets_never_reach_the_host),
		cmocka_unit_test(only_these_keys_are_the_insides_own),
		cmocka_unit_test(names_only_refuses_a_file_unseen),
		with_world(trust_holds_for_files_and_what_they_extend),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
