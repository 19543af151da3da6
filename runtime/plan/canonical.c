/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan as a template: what "stint plan" prints, the store keeps and golden files hold. How
 * its values are written is in canonical_text.c.
 */
#include "plan/plan.h"
#include "plan/canonical_text.h"
#include "base/cleanup.h"

#include <signal.h>
#include <string.h>

static void put_env(struct text *text, char *const *env)
{
	if (!strv_length(env))
		return;
	put_section(text, 1, "env");
	for (size_t i = 0; env[i]; i++) {
		size_t length = strcspn(env[i], "=");
		cleanup_free char *key = xasprintf("%.*s", (int)length, env[i]);

		put_value(text, 2, key, env[i][length] ? env[i] + length + 1 : "");
	}
}

static void put_signal(struct text *text, int depth, int number)
{
	const char *name = sigabbrev_np(number);

	if (name)
		put_word(text, depth, "signal", name);
	else
		put_number(text, depth, "signal", (uint64_t)number);
}

static void put_stop(struct text *text, const struct plan_run *run)
{
	put_section(text, 1, "stop");
	if (run->stop_command)
		put_list(text, 2, "command", run->stop_command);
	else
		put_signal(text, 2, run->stop_signal);
}

static void put_restart(struct text *text, const struct plan_run *run)
{
	if (run->restart == RESTART_NO) {
		put_value(text, 1, "restart", "no");
		return;
	}
	put_section(text, 1, "restart");
	put_word(text, 2, "policy", "on-failure");
	put_number(text, 2, "limit", run->restart_limit);
}

static void put_run(struct text *text, const struct plan_run *run)
{
	put_section(text, 0, "run");
	put_list(text, 1, "command", run->command);
	put_value(text, 1, "user", run->user);
	put_env(text, run->env);
	put_value(text, 1, "directory", run->directory);
	put_stop(text, run);
	put_duration(text, 1, "grace", run->grace_ns);
	put_restart(text, run);
}

static void put_ports(struct text *text, const struct plan *plan)
{
	if (plan->n_ports)
		put_section(text, 0, "ports");
	for (size_t i = 0; i < plan->n_ports; i++) {
		put_section(text, 1, plan->ports[i].name);
		put_number(text, 2, "port", plan->ports[i].number);
		put_value(text, 2, "scheme", plan->ports[i].scheme);
		if (plan->ports[i].loopback)
			put_word(text, 2, "loopback", "true");
		if (plan->ports[i].proxy)
			put_word(text, 2, "proxy", "true");
	}
}

static void put_check(struct text *text, int depth, const struct plan_check *check)
{
	if (check->kind == READY_TCP) {
		put_section(text, depth, "tcp");
		put_number(text, depth + 1, "port", check->port);
		return;
	}
	put_section(text, depth, "http");
	put_number(text, depth + 1, "port", check->port);
	put_value(text, depth + 1, "path", check->path);
	put_key(text, depth + 1, "status");
	if (check->status_from == check->status_to)
		text_addf(text, " %u\n", check->status_from);
	else
		text_addf(text, " %u-%u\n", check->status_from, check->status_to);
}

static void put_checks(struct text *text, const struct plan_ready *ready)
{
	if (ready->n_checks < 2) {
		put_check(text, 1, &ready->checks[0]);
		return;
	}
	put_section(text, 1, "first");
	for (size_t i = 0; i < ready->n_checks; i++) {
		put_item(text, 2);
		put_check(text, 3, &ready->checks[i]);
	}
}

static void put_probe(struct text *text, const struct plan_ready *ready)
{
	switch (ready->kind) {
	case READY_HTTP:
	case READY_TCP:
		put_checks(text, ready);
		break;
	case READY_LOG:
		put_value(text, 1, "log", ready->pattern);
		break;
	case READY_COMMAND:
		put_list(text, 1, "command", ready->command);
		break;
	case READY_NONE:
		break;
	}
}

static void put_ready(struct text *text, const struct plan_ready *ready)
{
	if (ready->kind == READY_NONE) {
		put_word(text, 0, "ready", "none");
		return;
	}
	put_section(text, 0, "ready");
	put_probe(text, ready);
	put_duration(text, 1, "timeout", ready->timeout_ns);
	put_duration(text, 1, "interval", ready->interval_ns);
}

struct limit_line {
	const char *key;
	uint64_t value;
	bool given;
	void (*put)(struct text *text, int depth, const char *key, uint64_t value);
};

/* Limits that are there by default: their absence must be written. */
static void put_count(struct text *text, int depth, const char *key, uint64_t value)
{
	if (value)
		put_number(text, depth, key, value);
	else
		put_word(text, depth, key, "none");
}

static void put_io(struct text *text, const struct plan_limits *limits)
{
	if (!limits->io_read && !limits->io_write)
		return;
	put_section(text, 1, "io");
	if (limits->io_read)
		put_size(text, 2, "read", limits->io_read);
	if (limits->io_write)
		put_size(text, 2, "write", limits->io_write);
}

static void put_limits(struct text *text, const struct plan_limits *limits)
{
	const struct limit_line lines[] = {
		{"memory", limits->memory_bytes, limits->memory_bytes, put_size},
		{"swap", limits->swap_bytes, limits->has_swap, put_size},
		{"cpu", limits->cpu_millis, limits->cpu_millis, put_cpu},
		{"pids", limits->pids, true, put_count},
		{"disk", limits->disk_bytes, limits->disk_bytes, put_size},
		{"files", limits->files, limits->files, put_number},
		{"log", limits->log_bytes, limits->log_bytes, put_size},
	};

	put_section(text, 0, "limits");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (lines[i].given)
			lines[i].put(text, 1, lines[i].key, lines[i].value);
	put_io(text, limits);
}

static void put_caps(struct text *text, uint64_t caps)
{
	const char *separator = "";

	if (!caps)
		return;
	put_key(text, 0, "caps");
	text_add(text, " [");
	for (const struct plan_capability *c = plan_capabilities; c->name; c++)
		if (caps >> c->number & 1) {
			text_addf(text, "%s%s", separator, c->name);
			separator = ", ";
		}
	text_add(text, "]\n");
}

static void put_seccomp(struct text *text, const struct plan_confinement *confinement)
{
	const char *profile = seccomp_profile_names[confinement->seccomp];

	if (confinement->seccomp != SECCOMP_OFF && !confinement->abi32) {
		put_word(text, 0, "seccomp", profile);
		return;
	}
	put_section(text, 0, "seccomp");
	put_word(text, 1, "profile", profile);
	put_value(text, 1, "reason", confinement->seccomp_reason);
	if (confinement->abi32)
		put_word(text, 1, "abi32", "true");
}

static void put_warning(struct text *text, const struct plan_warning *warning)
{
	put_section(text, 1, "warn");
	put_key(text, 2, "before");
	text_add(text, warning->before_ns[0] ? " [" : " none");
	for (size_t i = 0; i < PLAN_WARNINGS_MAX && warning->before_ns[i]; i++) {
		text_add(text, i ? ", " : "");
		add_duration(text, warning->before_ns[i]);
	}
	text_add(text, warning->before_ns[0] ? "]\n" : "\n");
	if (warning->signal)
		put_signal(text, 2, warning->signal);
	put_list(text, 2, "command", warning->command);
	put_value(text, 2, "file", warning->file);
	put_list(text, 2, "hook", warning->hook);
}

static void put_lease(struct text *text, const struct plan_lease *lease)
{
	put_section(text, 0, "lease");
	put_duration(text, 1, "ttl", lease->ttl_ns);
	if (lease->max_ns)
		put_duration(text, 1, "max", lease->max_ns);
	if (lease->idle_ns)
		put_duration(text, 1, "idle", lease->idle_ns);
	put_word(text, 1, "on_expiry", plan_expiry_names[lease->on_expiry]);
	if (lease->on_expiry == EXPIRY_FREEZE)
		put_duration(text, 1, "frozen", lease->frozen_ns);
	if (lease->keep_failed_ns)
		put_duration(text, 1, "keep_failed", lease->keep_failed_ns);
	put_warning(text, &lease->warning);
}

static void put_hooks(struct text *text, const struct plan_hook hooks[PLAN_HOOKS])
{
	bool any = false;

	for (size_t i = 0; i < PLAN_HOOKS; i++) {
		if (!hooks[i].command)
			continue;
		if (!any)
			put_section(text, 0, "hooks");
		any = true;
		put_section(text, 1, plan_hook_names[i]);
		put_list(text, 2, "command", hooks[i].command);
		put_duration(text, 2, "timeout", hooks[i].timeout_ns);
		put_value(text, 2, "user", hooks[i].user);
	}
}

static void put_check_command(struct text *text, const struct plan_check_command *check)
{
	if (!check->command)
		return;
	put_section(text, 0, "check");
	put_list(text, 1, "command", check->command);
	put_duration(text, 1, "timeout", check->timeout_ns);
}

void plan_write_canonical(const struct plan *plan, struct text *ret_text)
{
	put_value(ret_text, 0, "template", plan->template_name);
	put_value(ret_text, 0, "summary", plan->summary);
	put_list(ret_text, 0, "install", plan->install);
	put_list(ret_text, 0, "layers", plan->layers);
	put_list(ret_text, 0, "paths", plan->paths);
	put_list(ret_text, 0, "harvest", plan->harvest);
	put_content(ret_text, &plan->content);
	put_run(ret_text, &plan->run);
	put_ports(ret_text, plan);
	put_ready(ret_text, &plan->ready);
	put_check_command(ret_text, &plan->check);
	put_limits(ret_text, &plan->limits);
	put_caps(ret_text, plan->confinement.caps);
	put_seccomp(ret_text, &plan->confinement);
	if (plan->best_effort)
		put_word(ret_text, 0, "best_effort", "true");
	put_lease(ret_text, &plan->lease);
	put_hooks(ret_text, plan->hooks);
	if (plan->tier)
		put_value(ret_text, 0, "tier", plan->tier);
	if (plan->ha_group)
		put_value(ret_text, 0, "ha_group", plan->ha_group);
	if (plan->no_spares)
		put_value(ret_text, 0, "no_spares", plan->no_spares);
	put_section(ret_text, 0, "network");
	put_value(ret_text, 1, "zone", plan->network.zone);
	put_value(ret_text, 1, "egress", plan->network.egress);
}

bool plan_keeps_files(const struct plan *plan)
{
	return plan->lease.keep_failed_ns || plan->lease.on_expiry == EXPIRY_ARCHIVE ||
	       plan->lease.on_expiry == EXPIRY_HARVEST;
}

void plan_write_likeness(const struct plan *plan, struct text *ret_text)
{
	struct plan view = *plan;

	/* a server looks at its limit of memory when it starts; of these, whether there is one is
	 * enough, because one can be changed and not be taken away */
	view.limits.cpu_millis = plan->limits.cpu_millis ? 1000 : 0;
	view.limits.pids = plan->limits.pids ? 1 : 0;
	view.limits.io_read = plan->limits.io_read ? 1 : 0;
	view.limits.io_write = plan->limits.io_write ? 1 : 0;
	/* what it is warned with is not in the grant */
	view.lease = (struct plan_lease){.warning = plan->lease.warning};
	/* a limited disk may be in memory, from where nothing can be kept */
	if (plan->limits.disk_bytes && plan_keeps_files(plan))
		view.lease.on_expiry = EXPIRY_ARCHIVE;
	plan_write_canonical(&view, ret_text);
}
