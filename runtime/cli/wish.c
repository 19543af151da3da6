/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of "up", "run" and "plan" make of a template; see session.h. */
#include "cli/session.h"
#include "cli/caller.h"
#include "base/cleanup.h"
#include "instance/above.h"
#include "plan/characters.h"
#include "templates/template.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Options, and the limits that they stand for. */
static const struct {
	const char *option, *key;
	size_t offset; /* in struct options */
} limit_options[] = {
	{"memory", "memory", offsetof(struct options, memory)},
	{"swap", "swap", offsetof(struct options, swap)},
	{"cpus", "cpu", offsetof(struct options, cpus)},
	{"disk", "disk", offsetof(struct options, disk)},
	{"pids", "pids", offsetof(struct options, pids)},
	{"files", "files", offsetof(struct options, files)},
	{"io-read", "io.read", offsetof(struct options, io_read)},
	{"io-write", "io.write", offsetof(struct options, io_write)},
	{"log-size", "log", offsetof(struct options, log_size)},
};

int wish_refuse_duration(const char *option, const char *word, int r, const char *right,
			 struct error *err)
{
	if (r == -ERANGE)
		return error_say(err, ERROR_USAGE, "--%s: '%s' is too long; at most %dd", option,
				 word, DURATION_MAX_DAYS);
	return error_say(err, ERROR_USAGE, "--%s: '%s' is no such time; write %s", option, word,
			 right);
}

static int read_bound(const char *option, const char *text, int64_t *ret_ns, struct error *err)
{
	int r;

	if (strcmp(text, "none") == 0) {
		*ret_ns = 0;
		return 0;
	}
	r = parse_duration(text, ret_ns);
	if (r == 0 && *ret_ns > 0)
		return 0;
	return wish_refuse_duration(option, text, r, "90s, 30m, 2h, or none", err);
}

/* On a command line, a path begins where one is. */
static int add_layer(struct plan *plan, const char *word, struct error *err)
{
	cleanup_free char *directory = NULL, *install = NULL, *real = NULL, *whole = NULL;
	const char *fault;

	above_split(word, &directory, &install);
	real = realpath(directory, NULL);
	if (!real)
		return error_set(err, errno, "--with-layer: '%s'", directory);
	/* what a template may name, and JSON can hold */
	fault = characters_fault(real, "");
	if (fault)
		return error_say(err, ERROR_USAGE, "--with-layer: '%s' %s", real, fault);
	whole = xasprintf("%s%s%s", real, *install ? ":" : "", install);
	strv_add(&plan->layers, whole);
	return 0;
}

static int set_in_plan(const struct options *o, struct plan *plan, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(limit_options); i++) {
		const char *value = *(char *const *)((const char *)o + limit_options[i].offset);

		if (value && template_set_limit(plan, limit_options[i].key, value, err) < 0)
			return error_prefix(err, "--%s", limit_options[i].option);
	}
	if (o->keep_failed &&
	    read_bound("keep-failed", o->keep_failed, &plan->lease.keep_failed_ns, err) < 0)
		return err->code;
	if (plan->lease.keep_failed_ns > PLAN_KEPT_MAX_NS)
		return error_say(err, ERROR_USAGE, "--keep-failed: at most 30d");
	for (size_t i = 0; o->with_layer && o->with_layer[i]; i++)
		if (add_layer(plan, o->with_layer[i], err) < 0)
			return err->code;
	plan->best_effort |= o->best_effort;
	if (o->zone) {
		free(plan->network.zone);
		plan->network.zone = xstrdup(o->zone);
	}
	return 0;
}

int compile_template(const struct invocation *invocation, const struct site *site, bool starts,
		     struct plan **ret_plan, struct error *err)
{
	const struct quota *quota = caller_quota(invocation->caller, site);
	const struct options *o = &invocation->options;
	cleanup_free char *own = xasprintf("%s/templates", site->config_path);
	char *search[] = {own, NULL};
	struct template_options options = {
		.sets = o->set,
		.search = search,
		.share = site->share,
		.memory = o->memory,
		.memory_otherwise = caller_memory(quota),
	};
	cleanup_plan struct plan *plan = NULL;
	struct plan_limits written;
	struct trust trust;
	int r;

	caller_set_template_options(invocation->caller, starts, &options, &trust);
	r = template_compile(invocation->args[0], &options, &plan, err);
	if (r < 0)
		return r;
	written = plan->limits;
	for (size_t i = 0; r == 0 && o->env && o->env[i]; i++)
		r = plan_set_env(plan, o->env[i], err);
	if (r == 0)
		r = set_in_plan(o, plan, err);
	if (r == 0 && starts && quota)
		r = caller_bound_plan(quota, &written, plan, err);
	for (size_t i = 0; r == 0 && starts && plan->notes && plan->notes[i]; i++)
		fprintf(stderr, "stint: note: %s\n", plan->notes[i]);
	if (r == 0)
		*ret_plan = steal_ptr(plan);
	return r;
}

int wish_nothing(const struct options *o, struct error *err)
{
	const char *option = o->set	      ? "set"
			     : o->env	      ? "env"
			     : o->best_effort ? "best-effort"
					      : NULL;

	for (size_t i = 0; !option && i < ARRAY_SIZE(limit_options); i++)
		if (*(char *const *)((const char *)o + limit_options[i].offset))
			option = limit_options[i].option;
	if (!option)
		return 0;
	return error_say(err, ERROR_USAGE,
			 "--%s is for a template: name it behind the instance, or leave the option "
			 "out for the plan that the instance was started with",
			 option);
}

int wish_lease(const struct options *o, const struct plan *plan, struct lease *ret_lease,
	       struct error *err)
{
	int64_t ttl = -1, idle = 0;
	time_t until = 0;
	int r = o->ttl ? parse_duration(o->ttl, &ttl) : 0;

	if (o->ttl && o->until)
		return error_say(err, ERROR_USAGE, "--ttl and --until exclude one another");
	if (r < 0)
		return wish_refuse_duration("ttl", o->ttl, r, "90s, 30m, 2h, 1h30m or 1d", err);
	if (o->until && parse_time(o->until, time(NULL), &until) < 0)
		return error_say(err, ERROR_USAGE,
				 "'%s' is no time; write 18:00 or 2026-12-24T18:00", o->until);
	if (ttl == 0 || (o->until && until <= time(NULL)))
		return error_say(err, ERROR_USAGE, "--%s: '%s' is over at once; %s",
				 o->ttl ? "ttl" : "until", o->ttl ? o->ttl : o->until,
				 "a lease must end in the future");
	r = o->idle ? read_bound("idle", o->idle, &idle, err) : 0;
	if (r == 0)
		r = lease_compute(plan, ttl, until, ret_lease, err);
	if (r == 0 && o->idle) {
		ret_lease->idle_ns = idle;
		ret_lease->idle_source = LEASE_FROM_OPTION;
	}
	return r;
}
