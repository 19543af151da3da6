/* SPDX-License-Identifier: Apache-2.0 */
/* A plan as JSON, with the keys of its template; see output.h. */
#include "cli/output.h"
#include "base/cleanup.h"

#include <signal.h>
#include <string.h>

static json_t *json_strings(char *const *list)
{
	json_t *array = json_array();

	for (size_t i = 0; list && list[i]; i++)
		json_push(array, json_text(list[i]));
	return array;
}

static json_t *json_seconds(int64_t ns)
{
	return json_real((double)ns / 1e9);
}

static json_t *json_env(char *const *env)
{
	json_t *object = json_object();

	for (size_t i = 0; env && env[i]; i++) {
		size_t n = strcspn(env[i], "=");
		char *key = strndup(env[i], n);

		if (key && env[i][n])
			json_put(object, key, json_string(env[i] + n + 1));
		free(key);
	}
	return object;
}

static json_t *json_run(const struct plan_run *run)
{
	json_t *object = json_object();
	json_t *stop = json_object();

	if (run->stop_command)
		json_put(stop, "command", json_strings(run->stop_command));
	else
		json_put(stop, "signal", json_string(sigabbrev_np(run->stop_signal)));
	json_put(object, "command", json_strings(run->command));
	if (run->user)
		json_put(object, "user", json_string(run->user));
	if (run->directory)
		json_put(object, "directory", json_string(run->directory));
	json_put(object, "env", json_env(run->env));
	json_put(object, "stop", stop);
	json_put(object, "grace", json_seconds(run->grace_ns));
	if (run->restart == RESTART_ON_FAILURE)
		json_put(object, "restart_limit", json_integer(run->restart_limit));
	return object;
}

static const char *const ready_kinds[] = {
	[READY_NONE] = "none", [READY_HTTP] = "http",	    [READY_TCP] = "tcp",
	[READY_LOG] = "log",   [READY_COMMAND] = "command",
};

static void put_check(json_t *object, const struct plan_check *check)
{
	json_put(object, "port", json_integer(check->port));
	if (check->kind != READY_HTTP)
		return;
	json_put(object, "path", json_string(check->path));
	json_put(object, "status",
		 json_pack("[i, i]", (int)check->status_from, (int)check->status_to));
}

static json_t *json_checks(const struct plan_ready *ready)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ready->n_checks; i++) {
		json_t *object = json_pack("{s:s}", "kind", ready_kinds[ready->checks[i].kind]);

		put_check(object, &ready->checks[i]);
		json_push(list, object);
	}
	return list;
}

static json_t *json_ready(const struct plan_ready *ready)
{
	json_t *object = json_object();

	json_put(object, "kind", json_string(ready_kinds[ready->kind]));
	if (ready->n_checks == 1)
		put_check(object, &ready->checks[0]);
	if (ready->n_checks > 1)
		json_put(object, "first", json_checks(ready));
	if (ready->kind == READY_LOG)
		json_put(object, "pattern", json_string(ready->pattern));
	if (ready->kind == READY_COMMAND)
		json_put(object, "command", json_strings(ready->command));
	json_put(object, "timeout", json_seconds(ready->timeout_ns));
	json_put(object, "interval", json_seconds(ready->interval_ns));
	return object;
}

static json_t *json_plan_ports(const struct plan *plan)
{
	json_t *object = json_object();

	for (size_t i = 0; i < plan->n_ports; i++)
		json_put(object, plan->ports[i].name,
			 json_pack("{s:i, s:s, s:b, s:b}", "port", (int)plan->ports[i].number,
				   "scheme", plan->ports[i].scheme, "loopback",
				   plan->ports[i].loopback, "proxy", plan->ports[i].proxy));
	return object;
}

/* Bytes, processors and numbers; what is not limited is left out. */
static json_t *json_plan_limits(const struct plan_limits *limits)
{
	const struct {
		const char *key;
		uint64_t value;
		bool given;
	} numbers[] = {
		{"memory", limits->memory_bytes, limits->memory_bytes},
		{"swap", limits->swap_bytes, limits->has_swap},
		{"pids", limits->pids, limits->pids},
		{"disk", limits->disk_bytes, limits->disk_bytes},
		{"files", limits->files, limits->files},
		{"io_read", limits->io_read, limits->io_read},
		{"io_write", limits->io_write, limits->io_write},
		{"log", limits->log_bytes, limits->log_bytes},
	};
	json_t *object = json_object();

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].given)
			json_put(object, numbers[i].key,
				 json_integer((json_int_t)numbers[i].value));
	if (limits->cpu_millis)
		json_put(object, "cpu", json_real((double)limits->cpu_millis / 1000));
	return object;
}

static void put_confinement(json_t *object, const struct plan_confinement *confinement)
{
	json_t *caps = json_array();

	for (const struct plan_capability *c = plan_capabilities; c->name; c++)
		if (confinement->caps >> c->number & 1)
			json_push(caps, json_string(c->name));
	json_put(object, "caps", caps);
	json_put(object, "seccomp",
		 json_pack("{s:s, s:s*, s:b}", "profile",
			   seccomp_profile_names[confinement->seccomp], "reason",
			   confinement->seccomp_reason, "abi32", confinement->abi32));
}

static json_t *json_warning(const struct plan_warning *warning)
{
	json_t *before = json_array();
	json_t *object = json_pack("{s:o}", "before", before);

	for (size_t i = 0; i < PLAN_WARNINGS_MAX && warning->before_ns[i]; i++)
		json_push(before, json_seconds(warning->before_ns[i]));
	if (warning->signal)
		json_put(object, "signal", json_string(sigabbrev_np(warning->signal)));
	if (warning->command)
		json_put(object, "command", json_strings(warning->command));
	if (warning->file)
		json_put(object, "file", json_string(warning->file));
	if (warning->hook)
		json_put(object, "hook", json_strings(warning->hook));
	return object;
}

static json_t *json_plan_lease(const struct plan_lease *lease)
{
	const struct {
		const char *key;
		int64_t ns;
	} durations[] = {
		{"ttl", lease->ttl_ns},
		{"max", lease->max_ns},
		{"idle", lease->idle_ns},
		{"frozen", lease->on_expiry == EXPIRY_FREEZE ? lease->frozen_ns : 0},
		{"keep_failed", lease->keep_failed_ns},
	};
	json_t *object = json_pack("{s:s, s:o}", "on_expiry", plan_expiry_names[lease->on_expiry],
				   "warn", json_warning(&lease->warning));

	for (size_t i = 0; i < ARRAY_SIZE(durations); i++)
		if (durations[i].ns)
			json_put(object, durations[i].key, json_seconds(durations[i].ns));
	return object;
}

static void json_put_mode(json_t *object, unsigned mode)
{
	char text[8];

	snprintf(text, sizeof(text), "%04o", mode & 0777);
	if (mode)
		json_put(object, "mode", json_string(text));
}

static json_t *json_hooks(const struct plan_hook hooks[PLAN_HOOKS])
{
	json_t *object = json_object();

	for (size_t i = 0; i < PLAN_HOOKS; i++)
		if (hooks[i].command)
			json_put(object, plan_hook_names[i],
				 json_pack("{s:o, s:o, s:s*}", "command",
					   json_strings(hooks[i].command), "timeout",
					   json_seconds(hooks[i].timeout_ns), "user",
					   hooks[i].user));
	return object;
}

static json_t *json_files(const struct plan_content *content)
{
	json_t *object = json_object();

	for (size_t i = 0; i < content->n_files; i++) {
		const struct plan_file *file = &content->files[i];
		json_t *one = json_pack("{s:s*, s:s*, s:s*}", "from", file->from, "text",
					file->text, "user", file->user);

		json_put_mode(one, file->mode);
		json_put(object, file->target, one);
	}
	return object;
}

/* Keys of a section stand below its name. */
static json_t *json_settings(const struct plan_edit *edit)
{
	json_t *object = json_object();

	for (size_t i = 0; i < edit->n_keys; i++) {
		const struct plan_edit_key *key = &edit->keys[i];
		json_t *place = object;

		if (key->section && !json_object_get(object, key->section))
			json_put(object, key->section, json_object());
		if (key->section)
			place = json_object_get(object, key->section);
		json_put(place, key->name, json_string(key->value));
	}
	return object;
}

static json_t *json_secrets(const struct plan_content *content)
{
	json_t *object = json_object();

	for (size_t i = 0; i < content->n_secrets; i++) {
		const struct plan_secret *secret = &content->secrets[i];
		json_t *one =
			json_pack("{s:s*, s:s*, s:s*, s:s*}", "path", secret->path, "from",
				  secret->from, "user", secret->user, "missing", secret->missing);

		json_put_mode(one, secret->mode);
		json_put(object, secret->name, one);
	}
	return object;
}

static void json_put_content(json_t *object, const struct plan_content *content)
{
	json_t *edits = json_object();

	for (size_t i = 0; i < content->n_edits; i++) {
		const struct plan_edit *edit = &content->edits[i];

		json_put(edits, edit->target,
			 json_pack("{s:s, s:b, s:o}", "format", edit_format_names[edit->format],
				   "create", (int)edit->create, "set", json_settings(edit)));
	}
	json_put(object, "scrub", json_strings(content->scrub));
	json_put(object, "files", json_files(content));
	json_put(object, "edit", edits);
	json_put(object, "secrets", json_secrets(content));
}

json_t *json_plan(const struct plan *plan)
{
	json_t *object =
		json_pack("{s:s, s:s*}", "template", plan->template_name, "summary", plan->summary);

	json_put(object, "install", json_strings(plan->install));
	if (plan->layers)
		json_put(object, "layers", json_strings(plan->layers));
	json_put(object, "paths", json_strings(plan->paths));
	if (plan->harvest)
		json_put(object, "harvest", json_strings(plan->harvest));
	json_put_content(object, &plan->content);
	json_put(object, "run", json_run(&plan->run));
	json_put(object, "ports", json_plan_ports(plan));
	json_put(object, "ready", json_ready(&plan->ready));
	if (plan->check.command)
		json_put(object, "check",
			 json_pack("{s:o, s:o}", "command", json_strings(plan->check.command),
				   "timeout", json_seconds(plan->check.timeout_ns)));
	json_put(object, "limits", json_plan_limits(&plan->limits));
	put_confinement(object, &plan->confinement);
	json_put(object, "best_effort", json_boolean(plan->best_effort));
	json_put(object, "lease", json_plan_lease(&plan->lease));
	json_put(object, "hooks", json_hooks(plan->hooks));
	json_merge(object,
		   json_pack("{s:s*, s:s*}", "tier", plan->tier, "ha_group", plan->ha_group));
	json_put(object, "network",
		 json_pack("{s:s, s:s}", "zone", plan->network.zone, "egress",
			   plan->network.egress));
	return object;
}
