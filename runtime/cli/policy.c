/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a restricted caller may do, in one table. A command that is not in it, and an option that a
 * command's line does not name, is not for him: what is added elsewhere stays closed until somebody
 * has decided here. Which instances he may touch is decided where they are loaded (caller_load).
 */
#include "cli/caller.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/policy.h"
#include "base/cleanup.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

#define LIMITS "memory swap cpus pids disk files io-read io-write log-size"

const struct policy policies[] = {
	{"up",
	 "name ttl until idle keep-failed publish set env secret with no-wait no-hold queue "
	 "queue-for recreate json " LIMITS,
	 "zone best-effort with-layer"},
	{"run",
	 "name ttl until keep-failed publish set env secret with no-hold queue queue-for recreate "
	 "seccomp " LIMITS,
	 "zone best-effort with-layer"},
	{"pool", "json", "zone max-age no-wait"},
	{"install", "json", "backend hash set env secret"},
	{"replace", "drain set env secret with no-wait json " LIMITS, "best-effort"},
	{"plan", "set env json " LIMITS, "zone best-effort with-layer"},
	{"zone", "json", "tier peers egress dns"},
	{"template", "set schema man json", ""},
	{"ls", "all quiet json", "check"},
	{"top", "every sort once json", ""},
	{"show", "json", ""},
	{"port", "json", ""},
	{"logs", "follow lines timestamps json", ""},
	{"exec", "user env", ""},
	{"shell", "user env", ""},
	{"extend", "until json", ""},
	{"check", "json", ""},
	{"touch", "", ""},
	{"reset", "secret no-wait json", ""},
	{"cp", "", ""},
	{"down", "all now json", ""},
	{"diff", "json", ""},
	{"harvest", "output json", ""},
	{"save", "", "as"},
	{"history", "last long json", "prune older-than keep"},
	{"events", "follow lines json", ""},
	{"doctor", "seccomp user env json", "leaks fix rebuild"},
	{"sweep", "json", ""},
	{"version", "json", ""},
	{"help", "man", ""},
	{0},
};

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (; list && *list; list += strspn(list, " ")) {
		size_t length = strcspn(list, " ");

		if (length == n && strncmp(list, word, n) == 0)
			return true;
		list += length;
	}
	return false;
}

static const struct policy *policy_of(const char *command)
{
	for (const struct policy *policy = policies; policy->command; policy++)
		if (strcmp(policy->command, command) == 0)
			return policy;
	return NULL;
}

bool policy_allows(const char *command, const char *option)
{
	const struct policy *policy = policy_of(command);

	return policy && (!option || has_word(policy->allowed, option));
}

bool policy_decides(const char *command, const char *option)
{
	const struct policy *policy = policy_of(command);

	return policy_allows(command, option) || (policy && has_word(policy->refused, option));
}

int caller_check(const struct caller *caller, const struct invocation *invocation,
		 struct error *err)
{
	const char *command = invocation->command->name;

	if (!caller->restricted)
		return 0;
	if (!policy_allows(command, NULL))
		return error_say(err, ERROR_REFUSED,
				 "'stint %s' is not for members of the group " CALLER_GROUP,
				 command);
	for (const struct option_spec *spec = option_specs; spec->name; spec++)
		if (option_is_given(&invocation->options, spec) &&
		    command_option(invocation->command, spec->name, strlen(spec->name)) &&
		    !policy_allows(command, spec->name))
			return error_say(err, ERROR_REFUSED,
					 "'--%s' is not for members of the group " CALLER_GROUP,
					 spec->name);
	return 0;
}

bool caller_owns(const struct caller *caller, const struct record *record)
{
	return !caller->restricted || record->grant.owner_uid == caller->uid;
}

/* What has ended is looked for by its name as often as what never was. */
static int say_not_found(const struct caller *caller, struct store *store, const char *name,
			 struct error *err)
{
	const char *yours = caller->restricted ? " of yours" : "";
	struct history_entry *entries = NULL;
	char ended[64];
	size_t n = 0;

	if (store_history(store, name, caller->restricted ? &caller->uid : NULL, 1, &entries, &n,
			  NULL) < 0 ||
	    n == 0)
		return error_say(err, ERROR_NOT_FOUND, "no instance '%s'%s", name, yours);
	format_moment(entries[0].ending.ended_ns / NSEC_PER_SEC, ended, sizeof(ended));
	error_say(err, ERROR_NOT_FOUND,
		  "no instance '%s'%s any more: it ended %s, %s; see 'stint history %s'", name,
		  yours, ended, entries[0].ending.reason, name);
	history_free(entries, n);
	return -ENOENT;
}

int caller_load(const struct caller *caller, struct store *store, const char *name,
		struct record **ret_record, struct error *err)
{
	cleanup_record struct record *record = NULL;
	int r = store_load(store, name, &record, err);

	if (r == -ENOENT || (r == 0 && !caller_owns(caller, record)))
		return say_not_found(caller, store, name, err);
	if (r == 0)
		*ret_record = steal_ptr(record);
	return r;
}

const struct quota *caller_quota(const struct caller *caller, const struct site *site)
{
	return caller->restricted ? site_config_quota(&site->config, caller->name) : NULL;
}
