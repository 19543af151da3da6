/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of a template's keys; see keywords.h. How a table is walked is in reading.c. A keyword
 * is read in the table's order, not the file's: ports come before what refers to them.
 */
#include "templates/keywords.h"
#include "templates/content.h"
#include "templates/heap.h"
#include "templates/ports.h"
#include "templates/ready.h"
#include "base/text.h"

#include <stddef.h>
#include <string.h>

static const struct keyword stop_keywords[] = {
	{
		.name = "signal",
		.type = &type_signal,
		.fallback = "TERM",
		.doc = "The signal that asks the server to end, by name or number.",
		.offset = PLAN(run.stop_signal),
		.choice = 1,
	},
	{
		.name = "command",
		.type = &type_command,
		.doc = "A command run inside instead of the signal.",
		.offset = PLAN(run.stop_command),
		.choice = 2,
	},
	{0},
};

static const struct keyword restart_keywords[] = {
	{
		.name = "policy",
		.type = &type_policy,
		.doc = "As `restart` itself: `no` or `on-failure`.",
		.offset = PLAN(run.restart),
		.flags = KEYWORD_REQUIRED,
	},
	{
		.name = "limit",
		.type = &type_restart_limit,
		.fallback = "3",
		.doc = "How often the server may be started again.",
		.offset = PLAN(run.restart_limit),
	},
	{0},
};

static const struct keyword run_keywords[] = {
	{
		.name = "command",
		.type = &type_command,
		.doc = "The server: a list of words, or one string that is split at blanks "
		       "outside of quotes, by no shell.",
		.offset = PLAN(run.command),
		.flags = KEYWORD_REQUIRED | KEYWORD_INSIDE,
	},
	{
		.name = "user",
		.type = &type_user,
		.fallback = "the owner of the first install directory",
		.doc = "Who the server runs as inside, by login name or number.",
		.offset = PLAN(run.user),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "env",
		.type = &type_env,
		.doc = "Environment variables; nothing of the caller's environment is passed on.",
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "directory",
		.type = &type_directory,
		.fallback = "/",
		.doc = "The working directory inside.",
		.offset = PLAN(run.directory),
		.flags = KEYWORD_PROSE | KEYWORD_INSIDE,
	},
	{
		.name = "stop",
		.inner = stop_keywords,
		.doc = "How the server is asked to end: one of the following.",
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "grace",
		.type = &type_grace,
		.fallback = "10s",
		.doc = "How long the server may take to end before it is killed.",
		.offset = PLAN(run.grace_ns),
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "restart",
		.type = &type_policy,
		.inner = restart_keywords,
		.fallback = "no",
		.doc = "Whether a server that ends by itself with a failure is started again.",
		.offset = PLAN(run.restart),
		.flags = KEYWORD_INSIDE,
	},
	{0},
};

static const struct keyword network_keywords[] = {
	{
		.name = "zone",
		.type = &type_name,
		.fallback = "default",
		.doc = "The network segment; instances of different zones never reach one another.",
		.offset = PLAN(network.zone),
	},
	{
		.name = "egress",
		.type = &type_egress,
		.fallback = "none",
		.doc = "What the instance may reach: `none`, `internet`, or a list of "
		       "destinations.",
		.offset = PLAN(network.egress),
	},
	{0},
};

static const struct keyword check_keywords[] = {
	{
		.name = "command",
		.type = &type_command,
		.doc = "As `check` itself.",
		.offset = PLAN(check.command),
		.flags = KEYWORD_REQUIRED,
	},
	{
		.name = "timeout",
		.type = &type_duration,
		.fallback = "30s",
		.doc = "How long it may take.",
		.offset = PLAN(check.timeout_ns),
	},
	{0},
};

const struct keyword template_keywords[] = {
	{
		.name = "template",
		.type = &type_template,
		.fallback = "the file's name without .yaml",
		.doc = "The template's name.",
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "summary",
		.type = &type_text,
		.doc = "One line that says what the template starts.",
		.offset = PLAN(summary),
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "extends",
		.type = &type_extends,
		.doc = "Another template that this one starts from: mappings are merged key by "
		       "key, lists and single values are replaced.",
	},
	{
		.name = "params",
		.type = &type_params,
		.doc = "Parameters that `--set` gives values to, with their defaults; one without "
		       "a default must be given. `${name}` stands for the value, `$$` for a `$`.",
	},
	{
		.name = "install",
		.type = &type_install,
		.doc = "The server's directories on the host, or the names of installs (`stint "
		       "install`): seen at the same paths inside, writable there, never changed on "
		       "the host.",
		.offset = PLAN(install),
	},
	{
		.name = "layers",
		.type = &type_layers,
		.doc = "Further directories of the host that are seen above an install directory, "
		       "as "
		       "if they had been unpacked into it, read-only and without a copy: packages, "
		       "a configuration. `DIRECTORY:INSTALL` says which one. A later one hides "
		       "what "
		       "an earlier one has.",
		.offset = PLAN(layers),
	},
	{
		.name = "paths",
		.type = &type_paths,
		.doc = "Further host paths to see inside, read-only; `*`, `?` and `[...]` match "
		       "names.",
		.offset = PLAN(paths),
	},
	{
		.name = "harvest",
		.type = &type_harvest,
		.fallback = "all of the install directories",
		.doc = "Where an instance's changes are worth keeping: `stint harvest` packs what "
		       "is "
		       "below these paths, which lie in install directories.",
		.offset = PLAN(harvest),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "scrub",
		.type = &type_scrub,
		.doc = "What is removed from the instance's view of its files before the server "
		       "starts: lock files, ids of a cluster. `*`, `?` and `[...]` match in the "
		       "last name; what does not exist is passed over.",
		.offset = PLAN(content.scrub),
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "files",
		.inner = file_keywords,
		.doc = "Files that are put into the instance's view before the server starts, "
		       "after `scrub`, by their paths inside.",
		.flags = KEYWORD_NAMES | KEYWORD_PATHS,
		.set = content_set_files,
	},
	{
		.name = "edit",
		.inner = edit_keywords,
		.doc = "Files of the view in which keys are set before the server starts, after "
		       "`files`, by their paths inside. All else in them stays as it is.",
		.flags = KEYWORD_NAMES | KEYWORD_PATHS | KEYWORD_INSIDE,
		.set = content_set_edits,
	},
	{
		.name = "secrets",
		.inner = secret_keywords,
		.doc = "Passwords, keys and licences that whoever starts the server gives with "
		       "`--secret`, by their names: each is a file `/run/secrets/NAME` in memory, "
		       "and "
		       "nowhere else.",
		.flags = KEYWORD_NAMES,
		.set = content_set_secrets,
	},
	{
		.name = "run",
		.inner = run_keywords,
		.doc = "What is started, and how it ends.",
		.flags = KEYWORD_REQUIRED,
	},
	{
		.name = "ports",
		.type = &type_port,
		.inner = port_keywords,
		.doc = "The ports that the server listens on, each with a name.",
		.flags = KEYWORD_NAMES | KEYWORD_INSIDE,
		.set = ports_set,
	},
	{
		.name = "ready",
		.type = &type_ready_word,
		.inner = ready_keywords,
		.fallback = "tcp on the port http, else on the first; none without ports",
		.doc = "When the server counts as ready: `none` for at once, or one of http, tcp, "
		       "log and command, or a list as below `first`.",
		.offset = PLAN(ready.kind),
		.flags = KEYWORD_PROSE | KEYWORD_INSIDE,
	},
	{
		.name = "check",
		.type = &type_command,
		.inner = check_keywords,
		.doc = "A command that is run inside by `stint check` and proves, with status 0, "
		       "that "
		       "the server works: more than that it is ready.",
		.offset = PLAN(check.command),
		.flags = KEYWORD_INSIDE,
	},
	{
		.name = "limits",
		.inner = limits_keywords,
		.doc = "What the instance may use. A limit that this host cannot enforce is an "
		       "error; what is not limited here is limited by what all instances share.",
	},
	{
		.name = "heap",
		.inner = heap_keywords,
		.doc = "How much of the limit of memory is for the server's heap: `${heap_mb}`, "
		       "and "
		       "`${heap_start_mb}` to begin with, are that number of MiB in other values.",
		.flags = KEYWORD_INSIDE,
		.set = heap_pass,
	},
	{
		.name = "caps",
		.type = &type_caps,
		.doc = "Capabilities that the server keeps, of chown, dac_override, fowner, "
		       "fsetid, kill, net_bind_service, setgid and setuid. They hold for its own "
		       "ids and network only. Ports below 1024 need none of them.",
		.offset = PLAN(confinement.caps),
	},
	{
		.name = "seccomp",
		.type = &type_profile,
		.inner = seccomp_keywords,
		.fallback = "default",
		.doc = "Which system calls what runs inside may use: the `default` ones, which "
		       "servers need, the few of `strict`, or, with a reason, all of them.",
		.offset = PLAN(confinement.seccomp),
		.check = confinement_check,
	},
	{
		.name = "best_effort",
		.type = &type_switch,
		.fallback = "false",
		.doc = "Whether an instance is started even where something of its protection, "
		       "or a limit, cannot be enforced; `stint show` says what is missing.",
		.offset = PLAN(best_effort),
	},
	{
		.name = "lease",
		.inner = lease_keywords,
		.doc = "How long the instance lives.",
		.check = lease_check,
	},
	{
		.name = "hooks",
		.inner = hooks_keywords,
		.doc = "Programs of the host that are run for an instance, unprivileged unless "
		       "`user` says otherwise.",
	},
	{
		.name = "tier",
		.type = &type_name,
		.doc = "What its instances are for: dev, sandbox, poc, training or ci. Test and "
		       "production are refused: several instances on one machine cannot serve "
		       "them.",
		.offset = PLAN(tier),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "ha_group",
		.type = &type_name,
		.doc = "The group whose members stand in for one another: a second one of it is "
		       "not started on this host, because both would fail together.",
		.offset = PLAN(ha_group),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "no_spares",
		.type = &type_text,
		.doc = "Why `stint pool` must not start its instances ahead of time, in a "
		       "sentence: the server binds something at its start that is only known "
		       "then, as the name of its owner.",
		.offset = PLAN(no_spares),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "network",
		.inner = network_keywords,
		.doc = "What the instance reaches.",
	},
	{0},
};

int keywords_read_template(struct reading *reading, const struct node *root)
{
	struct plan *plan = reading->plan;
	int r;

	r = keywords_set_defaults(template_keywords, reading, plan);
	if (r == 0)
		r = keywords_read(template_keywords, reading, root, plan);
	if (r == 0)
		r = ready_finish(reading, root);
	if (r < 0)
		return r;
	if (plan->run.restart == RESTART_NO)
		plan->run.restart_limit = 0;
	ports_sort(plan);
	return 0;
}
