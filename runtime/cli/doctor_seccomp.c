/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stint doctor --seccomp: what the filter of an instance denies a command; without one, which
 * filter the instance has and where else to look.
 */
#include "cli/doctor.h"
#include "cli/exec.h"
#include "cli/output.h"
#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

static void add_caps(struct text *text, uint64_t caps)
{
	for (const struct plan_capability *c = plan_capabilities; c->name; c++)
		if (caps >> c->number & 1)
			text_addf(text, "%s%s", text->length ? ", " : "", c->name);
}

static void print_text(const struct record *record, const struct plan_confinement *confinement)
{
	const char *profile = seccomp_profile_names[confinement->seccomp];
	struct table table = {.columns = 2};
	cleanup_text struct text caps = {0};

	add_caps(&caps, confinement->caps);
	table_add(&table, "instance");
	table_addf(&table, "%s, of template %s", record->grant.name, record->template_name);
	table_add(&table, "filter");
	if (confinement->seccomp == SECCOMP_OFF)
		table_addf(&table, "off: %s", confinement->seccomp_reason);
	else
		table_addf(&table,
			   "%s: EPERM for what is not on its list, ENOSYS for clone3 and for what "
			   "is younger than the list; nothing is killed",
			   profile);
	table_add(&table, "32-bit calls");
	table_add(&table,
		  confinement->seccomp == SECCOMP_OFF || confinement->abi32 ? "allowed" : "EPERM");
	table_add(&table, "capabilities");
	table_add(&table, caps.length ? caps.data : "none");
	table_add(&table, "a command");
	table_addf(&table, "'stint doctor --seccomp %s -- COMMAND...' says what it is denied",
		   record->grant.name);
	table_add(&table, "the server");
	table_addf(&table,
		   "what it was denied so far nobody has recorded; 'stint run %s --seccomp' starts "
		   "one of its kind, and says at its end what it was denied",
		   record->template_name);
	table_print(&table);
}

static int print_json(const struct record *record, const struct plan_confinement *confinement)
{
	json_t *caps = json_array();

	for (const struct plan_capability *c = plan_capabilities; c->name; c++)
		if (confinement->caps >> c->number & 1)
			json_push(caps, json_string(c->name));
	return json_print(json_pack(
		"{s:s, s:s, s:s, s:s*, s:b, s:o}", "instance", record->grant.name, "template",
		record->template_name, "profile", seccomp_profile_names[confinement->seccomp],
		"reason", confinement->seccomp_reason, "abi32", confinement->abi32, "caps", caps));
}

/* What the kernel was told is what the instance was started with: its plan. */
static int show_filter(const struct invocation *invocation, const struct record *record)
{
	cleanup_plan struct plan *plan = NULL;
	struct error err;

	if (plan_of_record(record, &plan, &err) < 0)
		return report(&err);
	if (invocation->options.json)
		return print_json(record, &plan->confinement);
	print_text(record, &plan->confinement);
	return 0;
}

int doctor_seccomp(const struct invocation *invocation)
{
	const char *name = invocation->args[0];
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int r, status;

	if (invocation->rest && invocation->rest[0])
		return execute_observed(invocation, name, invocation->rest);
	r = open_named(invocation->caller, name, &site, &record, &err);
	if (r < 0 && err.kind == ERROR_NOT_FOUND)
		error_say(&err, ERROR_NOT_FOUND,
			  "no instance '%s'%s; what a server is denied that ended or never got "
			  "ready says 'stint run TEMPLATE --seccomp'",
			  name, invocation->caller->restricted ? " of yours" : "");
	status = r < 0 ? report(&err) : show_filter(invocation, record);
	site_close(&site);
	return status;
}
