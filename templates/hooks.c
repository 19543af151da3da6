/* SPDX-License-Identifier: Apache-2.0 */
/* The key "hooks" of a template: programs of the host around an instance's life. */
#include "templates/keywords.h"

/* A program of the host is named in full: nobody's PATH decides what is run there. */
static int check_program(struct reading *reading, const struct node *node, char *const *command)
{
	if (command[0][0] == '/')
		return 0;
	return node_error(node, reading->err,
			  "runs on the host; write the absolute path of the program");
}

int hook_check_warning(struct reading *reading, const struct keyword *keyword,
		       const struct node *node)
{
	(void)keyword;
	return check_program(reading, node, reading->plan->lease.warning.hook);
}

static int check_hook(struct reading *reading, const struct keyword *keyword,
		      const struct node *node)
{
	const struct plan_hook *hooks = reading->plan->hooks;
	size_t i = (keyword->offset - PLAN(hooks)) / sizeof(struct plan_hook);

	return check_program(reading, node, hooks[i].command);
}

/* The keys of one hook, whose offsets are in the plan. */
#define ONE_HOOK(kind)                                                                           \
	{                                                                                        \
		{                                                                                \
			.name = "command",                                                       \
			.type = &type_command,                                                   \
			.doc = "As the hook itself.",                                            \
			.offset = PLAN(hooks[kind].command),                                     \
			.flags = KEYWORD_REQUIRED,                                               \
		},                                                                               \
			{                                                                        \
				.name = "timeout",                                               \
				.type = &type_duration,                                          \
				.fallback = "30s",                                               \
				.doc = "How long it may take; then it is killed, with all that " \
				       "it "                                                     \
				       "started.",                                               \
				.offset = PLAN(hooks[kind].timeout_ns),                          \
			},                                                                       \
			{                                                                        \
				.name = "user",                                                  \
				.type = &type_user,                                              \
				.fallback = "the instance's owner; nobody, if that is root",     \
				.doc = "Who it runs as on the host, by login name or number.",   \
				.offset = PLAN(hooks[kind].user),                                \
				.flags = KEYWORD_PROSE,                                          \
			},                                                                       \
			{0},                                                                     \
	}

static const struct keyword before_start[] = ONE_HOOK(HOOK_BEFORE_START);
static const struct keyword after_ready[] = ONE_HOOK(HOOK_AFTER_READY);
static const struct keyword before_stop[] = ONE_HOOK(HOOK_BEFORE_STOP);
static const struct keyword after_end[] = ONE_HOOK(HOOK_AFTER_END);

const struct keyword hooks_keywords[] = {
	{
		.name = "before_start",
		.type = &type_command,
		.inner = before_start,
		.doc = "Before anything of the instance is made; when it fails, nothing is.",
		.offset = PLAN(hooks[HOOK_BEFORE_START].command),
		.check = check_hook,
	},
	{
		.name = "after_ready",
		.type = &type_command,
		.inner = after_ready,
		.doc = "When the server answers, published ports included; the instance is ready "
		       "when this has ended, and fails when it fails.",
		.offset = PLAN(hooks[HOOK_AFTER_READY].command),
		.check = check_hook,
	},
	{
		.name = "before_stop",
		.type = &type_command,
		.inner = before_stop,
		.doc = "Before the server is asked to stop, but not before it is killed.",
		.offset = PLAN(hooks[HOOK_BEFORE_STOP].command),
		.check = check_hook,
	},
	{
		.name = "after_end",
		.type = &type_command,
		.inner = after_end,
		.doc = "When the instance is gone, however it ended. Nobody waits for it.",
		.offset = PLAN(hooks[HOOK_AFTER_END].command),
		.check = check_hook,
	},
	{0},
};
