/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan as a template: what "stint plan" prints, the store keeps and golden files hold. Strings
 * are written plain when any YAML reader takes them as a string, else in double quotes; '$' is
 * doubled, because reading back expands variables.
 */
#include "plan/plan.h"
#include "plan/characters.h"
#include "base/cleanup.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* What YAML 1.1 takes for something else than a string. */
static bool is_reserved(const char *string)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
					    "off",  "null",  "y",   "n"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasecmp(string, words[i]) == 0)
			return true;
	return false;
}

static bool is_plain(const char *string)
{
	size_t dashes = strspn(string, "-"), length = strlen(string);

	if (dashes > 2 || !strspn(string + dashes, dashes ? LETTERS : LETTERS "_/"))
		return false;
	if (strspn(string, LETTERS "0123456789_./+=@%-:, '*?()") != length || is_reserved(string))
		return false;
	return !strstr(string, ": ") && !strchr(": ", string[length - 1]);
}

/* Line separators and the byte order mark are no control characters, but YAML eats them. */
static bool needs_code(uint32_t character)
{
	return characters_is_control(character) || character == 0x2028 || character == 0x2029 ||
	       character == 0xfeff || character == 0xfffe || character == 0xffff;
}

static void put_quoted(struct text *text, const char *string)
{
	uint32_t character;

	text_add(text, "\"");
	while (*string) {
		const char *start = string;

		if (characters_take(&string, &character) < 0)
			character = 0xfffd, string++;
		if (character == '"' || character == '\\')
			text_addf(text, "\\%c", (int)character);
		else if (character == '$')
			text_add(text, "$$");
		else if (character == '\n')
			text_add(text, "\\n");
		else if (needs_code(character) || character == 0xfffd)
			text_addf(text, "\\u%04" PRIX32, character);
		else
			text_add_bytes(text, start, (size_t)(string - start));
	}
	text_add(text, "\"");
}

static void put_string(struct text *text, const char *string)
{
	if (is_plain(string))
		text_add(text, string);
	else
		put_quoted(text, string);
}

/* The key and its colon; deeper keys are indented. */
static void put_key(struct text *text, int depth, const char *key)
{
	text_addf(text, "%*s", 2 * depth, "");
	put_string(text, key);
	text_add(text, ":");
}

static void put_section(struct text *text, int depth, const char *key)
{
	put_key(text, depth, key);
	text_add(text, "\n");
}

/* Numbers, quantities and words of our own: never quoted. */
static void put_word(struct text *text, int depth, const char *key, const char *word)
{
	put_key(text, depth, key);
	text_addf(text, " %s\n", word);
}

static void put_number(struct text *text, int depth, const char *key, uint64_t number)
{
	put_key(text, depth, key);
	text_addf(text, " %" PRIu64 "\n", number);
}

static void put_value(struct text *text, int depth, const char *key, const char *string)
{
	if (!string)
		return;
	put_key(text, depth, key);
	text_add(text, " ");
	put_string(text, string);
	text_add(text, "\n");
}

static void put_list(struct text *text, int depth, const char *key, char *const *list)
{
	if (!strv_length(list))
		return;
	put_section(text, depth, key);
	for (size_t i = 0; list[i]; i++) {
		text_addf(text, "%*s- ", 2 * depth + 2, "");
		put_string(text, list[i]);
		text_add(text, "\n");
	}
}

struct unit {
	uint64_t factor;
	const char *suffix;
};

/* "1h30m": exact, unlike format_duration, which is for people. */
static void put_duration(struct text *text, int depth, const char *key, int64_t ns)
{
	static const struct unit units[] = {
		{86400, "d"},
		{3600, "h"},
		{60, "m"},
		{1, "s"},
	};
	uint64_t seconds = (uint64_t)(ns / NSEC_PER_SEC);
	int64_t ms = ns % NSEC_PER_SEC / NSEC_PER_MSEC;

	put_key(text, depth, key);
	text_add(text, seconds || ms ? " " : " 0s");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (seconds >= units[i].factor)
			text_addf(text, "%" PRIu64 "%s", seconds / units[i].factor,
				  units[i].suffix);
		seconds %= units[i].factor;
	}
	if (ms)
		text_addf(text, "%" PRId64 "ms", ms);
	text_add(text, "\n");
}

static void put_size(struct text *text, int depth, const char *key, uint64_t bytes)
{
	static const struct unit units[] = {
		{1ULL << 40, "TiB"},
		{1ULL << 30, "GiB"},
		{1ULL << 20, "MiB"},
		{1ULL << 10, "KiB"},
		{1, ""},
	};
	size_t unit = 0;

	while (bytes % units[unit].factor || (!bytes && units[unit].factor > 1))
		unit++;
	put_key(text, depth, key);
	text_addf(text, " %" PRIu64 "%s\n", bytes / units[unit].factor, units[unit].suffix);
}

static void put_cpu(struct text *text, int depth, const char *key, uint64_t millis)
{
	char digits[8];
	size_t length;

	snprintf(digits, sizeof(digits), ".%03u", (unsigned)(millis % 1000));
	length = strlen(digits);
	while (length && strchr(".0", digits[length - 1]))
		digits[--length] = '\0';
	put_key(text, depth, key);
	text_addf(text, " %" PRIu64 "%s\n", millis / 1000, digits);
}

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

static void put_stop(struct text *text, const struct plan_run *run)
{
	const char *name = sigabbrev_np(run->stop_signal);

	put_section(text, 1, "stop");
	if (run->stop_command)
		put_list(text, 2, "command", run->stop_command);
	else if (name)
		put_word(text, 2, "signal", name);
	else
		put_number(text, 2, "signal", (uint64_t)run->stop_signal);
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

static void put_http(struct text *text, const struct plan_ready *ready)
{
	put_section(text, 1, "http");
	put_number(text, 2, "port", ready->port);
	put_value(text, 2, "path", ready->path);
	put_key(text, 2, "status");
	if (ready->status_from == ready->status_to)
		text_addf(text, " %u\n", ready->status_from);
	else
		text_addf(text, " %u-%u\n", ready->status_from, ready->status_to);
}

static void put_probe(struct text *text, const struct plan_ready *ready)
{
	switch (ready->kind) {
	case READY_HTTP:
		put_http(text, ready);
		break;
	case READY_TCP:
		put_section(text, 1, "tcp");
		put_number(text, 2, "port", ready->port);
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

static void put_lease(struct text *text, const struct plan_lease *lease)
{
	put_section(text, 0, "lease");
	put_duration(text, 1, "ttl", lease->ttl_ns);
	if (lease->max_ns)
		put_duration(text, 1, "max", lease->max_ns);
	if (lease->idle_ns)
		put_duration(text, 1, "idle", lease->idle_ns);
}

void plan_write_canonical(const struct plan *plan, struct text *ret_text)
{
	put_value(ret_text, 0, "template", plan->template_name);
	put_value(ret_text, 0, "summary", plan->summary);
	put_list(ret_text, 0, "install", plan->install);
	put_list(ret_text, 0, "paths", plan->paths);
	put_run(ret_text, &plan->run);
	put_ports(ret_text, plan);
	put_ready(ret_text, &plan->ready);
	put_limits(ret_text, &plan->limits);
	put_caps(ret_text, plan->confinement.caps);
	put_seccomp(ret_text, &plan->confinement);
	if (plan->best_effort)
		put_word(ret_text, 0, "best_effort", "true");
	put_lease(ret_text, &plan->lease);
	if (plan->tier)
		put_value(ret_text, 0, "tier", plan->tier);
	if (plan->ha_group)
		put_value(ret_text, 0, "ha_group", plan->ha_group);
	put_section(ret_text, 0, "network");
	put_value(ret_text, 1, "zone", plan->network.zone);
	put_value(ret_text, 1, "egress", plan->network.egress);
}
