/* SPDX-License-Identifier: Apache-2.0 */
/* stint port: where an instance's ports are published on the host. */
#include "cli/commands.h"
#include "cli/output.h"
#include "base/cleanup.h"

static void print_ports(const struct grant *grant)
{
	static const char *const heads[] = {"PORT", "INSIDE", "ADDRESS", "NUMBER", "URL"};
	struct table table = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = 0; i < grant->n_ports; i++) {
		const struct published_port *port = &grant->ports[i];
		cleanup_free char *url = port_url(port);

		table_add(&table, port->name);
		table_addf(&table, "%u", port->inside_port);
		table_add(&table, port->host_address);
		table_addf(&table, "%u", port->host_port);
		table_add(&table, url);
	}
	table_print(&table);
}

static int run_port(const struct invocation *invocation)
{
	cleanup_record struct record *record = NULL;
	struct site site = {.state = -1, .run = -1};
	struct error err = {0};
	int code = 0;

	if (open_named(invocation->caller, invocation->args[0], &site, &record, &err) < 0)
		code = report(&err);
	else if (invocation->options.json)
		json_print(json_ports(&record->grant));
	else
		print_ports(&record->grant);
	site_close(&site);
	return code;
}

const struct command port_command = {
	.name = "port",
	.usage = "NAME",
	.options = "json",
	.summary = "print where the ports of an instance are published",
	.description = "A line for each published port: its name, the port inside, and the "
		       "address and number on this host. 'stint show NAME' has what went through.",
	.min_args = 1,
	.max_args = 1,
	.run = run_port,
};
