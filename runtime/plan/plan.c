/* SPDX-License-Identifier: Apache-2.0 */
/* The plan's life and its environment; see plan.h. Used in the command line's process. */
#include "plan/plan.h"
#include "plan/characters.h"
#include "base/cleanup.h"

#include <stdlib.h>
#include <string.h>

const char *const plan_expiry_names[PLAN_EXPIRIES] = {
	[EXPIRY_REMOVE] = "remove",
	[EXPIRY_FREEZE] = "freeze",
	[EXPIRY_ARCHIVE] = "archive",
	[EXPIRY_HARVEST] = "harvest",
};

const char *const plan_hook_names[PLAN_HOOKS] = {
	[HOOK_BEFORE_START] = "before_start",
	[HOOK_AFTER_READY] = "after_ready",
	[HOOK_BEFORE_STOP] = "before_stop",
	[HOOK_AFTER_END] = "after_end",
};

static void run_deinit(struct plan_run *run)
{
	strv_free(run->command);
	strv_free(run->env);
	strv_free(run->stop_command);
	free(run->user);
	free(run->directory);
}

static void ready_deinit(struct plan_ready *ready)
{
	for (size_t i = 0; i < PLAN_CHECKS_MAX; i++)
		free(ready->checks[i].path);
	free(ready->pattern);
	strv_free(ready->command);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->template_name);
	free(plan->summary);
	strv_free(plan->install);
	strv_free(plan->paths);
	strv_free(plan->layers);
	strv_free(plan->harvest);
	plan_content_deinit(&plan->content);
	run_deinit(&plan->run);
	for (size_t i = 0; i < plan->n_ports; i++) {
		free(plan->ports[i].name);
		free(plan->ports[i].scheme);
	}
	free(plan->ports);
	ready_deinit(&plan->ready);
	strv_free(plan->check.command);
	free(plan->confinement.seccomp_reason);
	strv_free(plan->lease.warning.command);
	free(plan->lease.warning.file);
	strv_free(plan->lease.warning.hook);
	for (size_t i = 0; i < PLAN_HOOKS; i++) {
		strv_free(plan->hooks[i].command);
		free(plan->hooks[i].user);
	}
	free(plan->tier);
	free(plan->ha_group);
	free(plan->no_spares);
	free(plan->network.zone);
	free(plan->network.egress);
	strv_free(plan->notes);
	free(plan);
}

void plan_cleanup(struct plan **plan)
{
	plan_free(*plan);
	*plan = NULL;
}

const struct plan_port *plan_port_find(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_ports; i++)
		if (strcmp(plan->ports[i].name, name) == 0)
			return &plan->ports[i];
	return NULL;
}

uint8_t plan_port_flags(const struct plan *plan, uint16_t number)
{
	const struct plan_port *port = NULL;

	for (size_t i = 0; i < plan->n_ports; i++)
		if (plan->ports[i].number == number)
			port = &plan->ports[i];
	if (!port)
		return 0;
	return (uint8_t)((port->loopback ? PORT_LOOPBACK : 0) | (port->proxy ? PORT_PROXY : 0));
}

void plan_check_flags(const struct plan *plan, uint8_t flags[PLAN_CHECKS_MAX])
{
	for (size_t i = 0; i < plan->ready.n_checks; i++)
		flags[i] = plan_port_flags(plan, plan->ready.checks[i].port);
}

/* The length of the variable's name at the start of the assignment, 0 when there is none. */
static size_t variable_length(const char *assignment)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t length;

	if (!strspn(assignment, letters))
		return 0;
	length = strspn(assignment, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
				    "0123456789.-");
	return assignment[length] == '=' && length <= 255 ? length : 0;
}

/* Order by name: the names are compared up to their '=', which sorts below every letter. */
static int compare_variables(const char *a, const char *b)
{
	size_t a_length = strcspn(a, "="), b_length = strcspn(b, "=");
	int order = memcmp(a, b, a_length < b_length ? a_length : b_length);

	return order ? order : (a_length > b_length) - (a_length < b_length);
}

static void insert_variable(char ***env, const char *assignment)
{
	size_t n = *env ? strv_length(*env) : 0, at = 0;

	while (at < n && compare_variables((*env)[at], assignment) < 0)
		at++;
	if (at < n && compare_variables((*env)[at], assignment) == 0) {
		free((*env)[at]);
	} else {
		*env = xrealloc(*env, n + 2, sizeof(char *));
		memmove(*env + at + 1, *env + at, (n - at) * sizeof(char *));
		(*env)[n + 1] = NULL;
	}
	(*env)[at] = xstrdup(assignment);
}

static size_t env_size(char *const *env)
{
	size_t size = 0;

	for (size_t i = 0; env && env[i]; i++)
		size += strlen(env[i]) + 1;
	return size;
}

/* Without the value, which may be a secret. */
static int say_bad_name(const char *assignment, struct error *err)
{
	cleanup_free char *name = xasprintf("%.*s", (int)strcspn(assignment, "="), assignment);
	char shown[64];

	return error_say(err, ERROR_USAGE,
			 "'%s' is no name for a variable; use letters, digits, '_', '.' and '-', "
			 "and no digit first",
			 characters_printable(name, shown, sizeof(shown)));
}

int plan_set_env(struct plan *plan, const char *assignment, struct error *err)
{
	size_t length = variable_length(assignment);
	const char *fault = characters_fault(assignment, "");
	char shown[64];

	if (!strchr(assignment, '='))
		return error_say(err, ERROR_USAGE, "'%s' does not set a variable; write KEY=VALUE",
				 characters_printable(assignment, shown, sizeof(shown)));
	if (!length)
		return say_bad_name(assignment, err);
	if (fault)
		return error_say(err, ERROR_USAGE, "the value of the variable '%.*s' %s",
				 (int)(length < 64 ? length : 64), assignment, fault);
	if (strv_length(plan->run.env) >= PLAN_WORDS_MAX ||
	    env_size(plan->run.env) + strlen(assignment) >= PLAN_ENV_SIZE_MAX)
		return error_say(err, ERROR_USAGE,
				 "the environment is too large; at most %d variables and %d KiB",
				 PLAN_WORDS_MAX, PLAN_ENV_SIZE_MAX >> 10);
	insert_variable(&plan->run.env, assignment);
	return 0;
}
