/* SPDX-License-Identifier: Apache-2.0 */
/* stint doctor --leaks: what is on the host and belongs to no instance, and with --fix its end. */
#include "cli/doctor.h"
#include "cli/output.h"
#include "cli/place.h"
#include "instance/leaks.h"

#include <stdio.h>

static void print_text(const struct leak_list *leaks, size_t removed)
{
	struct table table = {.columns = 2};

	if (removed)
		printf("%zu leak%s removed\n", removed, plural(removed));
	for (size_t i = 0; i < leaks->n; i++) {
		table_add(&table, leaks->list[i].sort);
		table_addf(&table, "%s %s", leaks->list[i].name, leaks->list[i].text);
	}
	table_print(&table);
	if (leaks->n)
		printf("%zu leak%s\n", leaks->n, plural(leaks->n));
	else
		puts("nothing is left behind");
}

static void print_json(const struct leak_list *leaks, size_t removed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < leaks->n; i++)
		json_push(list, json_pack("{s:s, s:o, s:o}", "sort", leaks->list[i].sort, "name",
					  json_text(leaks->list[i].name), "text",
					  json_text(leaks->list[i].text)));
	json_print(json_pack("{s:o, s:i}", "leaks", list, "removed", (int)removed));
}

/* What is new in the second look was not there to be removed. */
static size_t difference(size_t before, size_t after)
{
	return before > after ? before - after : 0;
}

static int find(const struct invocation *invocation, const struct site *site, struct error *err)
{
	struct leak_list leaks;
	size_t removed = 0;
	int r = leaks_find(site, &leaks, err), fixed = 0;

	if (r == 0 && leaks.n > 0 && invocation->options.fix) {
		size_t before = leaks.n;

		fixed = leaks_remove(site, &leaks, err);
		leaks_deinit(&leaks);
		r = leaks_find(site, &leaks, fixed < 0 ? NULL : err);
		removed = difference(before, leaks.n);
	}
	if (r == 0 && invocation->options.json)
		print_json(&leaks, removed);
	else if (r == 0)
		print_text(&leaks, removed);
	if (r == 0 && leaks.n > 0)
		r = fixed < 0
			    ? fixed
			    : error_say(err, ERROR_FAILED, "%zu things are left behind%s", leaks.n,
					invocation->options.fix
						? ""
						: ": remove them with 'stint doctor --leaks "
						  "--fix'");
	leaks_deinit(&leaks);
	return r;
}

int doctor_leaks(const struct invocation *invocation)
{
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int status = 0;

	if (!invocation->options.leaks || invocation->options.seccomp || invocation->n_args > 0 ||
	    invocation->rest) {
		error_say(&err, ERROR_USAGE, "say stint doctor --leaks [--fix]");
		return report(&err);
	}
	if (place_open_anyway(&site, &err) < 0 || find(invocation, &site, &err) < 0)
		status = report(&err);
	site_close(&site);
	return status;
}
