/* SPDX-License-Identifier: Apache-2.0 */
/* The ports of a template; see ports.h. */
#include "templates/ports.h"
#include "base/text.h"

#include <string.h>

const struct keyword port_keywords[] = {
	{
		.name = "port",
		.type = &type_port,
		.doc = "The port that the server listens on inside.",
		.offset = offsetof(struct plan_port, number),
		.flags = KEYWORD_REQUIRED,
	},
	{
		.name = "scheme",
		.type = &type_scheme,
		.fallback = "the port's name if that is http or https, else tcp",
		.doc = "The first part of the URL that is shown.",
		.offset = offsetof(struct plan_port, scheme),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "loopback",
		.type = &type_switch,
		.fallback = "false",
		.doc = "The server listens on 127.0.0.1 inside only. Connections then come from "
		       "there too, and a server that trusts its own host trusts all of them.",
		.offset = offsetof(struct plan_port, loopback),
	},
	{
		.name = "proxy",
		.type = &type_switch,
		.fallback = "false",
		.doc = "Each connection begins with a header of the PROXY protocol, version 2, "
		       "which has the client's address. The server must expect it.",
		.offset = offsetof(struct plan_port, proxy),
	},
	{0},
};

static int check_unique(struct reading *reading, const struct node *node,
			const struct plan_port *port)
{
	const struct plan *plan = reading->plan;

	for (size_t i = 0; i < plan->n_ports; i++)
		if (plan->ports[i].number == port->number && &plan->ports[i] != port)
			return node_error(node, reading->err,
					  "port %u is '%s' already; give each number one name",
					  port->number, plan->ports[i].name);
	return 0;
}

static int read_port_entry(struct reading *reading, const struct node *node, struct plan_port *port)
{
	const char *name = node->key->text;
	bool is_web = strcmp(name, "http") == 0 || strcmp(name, "https") == 0;
	int r;

	if (!is_valid_name(name))
		return node_key_error(node, reading->err, "is no name for a port; %s",
				      type_name.right);
	port->name = xstrdup(name);
	if (node->kind == NODE_MAPPING)
		r = keywords_read(port_keywords, reading, node, port);
	else
		r = type_port.read(reading, &type_port, node, &port->number);
	if (!port->scheme)
		port->scheme = xstrdup(is_web ? name : "tcp");
	return r < 0 ? r : check_unique(reading, node, port);
}

int ports_set(struct reading *reading, const struct keyword *keyword, const struct node *node)
{
	struct plan *plan = reading->plan;
	int r = 0;

	(void)keyword;
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return node_error(node, reading->err,
				  "is not a mapping; write 'NAME: NUMBER' "
				  "lines, such as 'http: 8080'");
	if (node->n_items > PLAN_PORTS_MAX)
		return node_error(node, reading->err, "has too many ports; at most %d",
				  PLAN_PORTS_MAX);
	plan->ports = xcalloc(node->n_items, sizeof(struct plan_port));
	for (size_t i = 0; i < node->n_items && r == 0; i++)
		r = read_port_entry(reading, node->items[i], &plan->ports[plan->n_ports++]);
	return r;
}

int ports_prefer(struct reading *reading, const struct node *node)
{
	struct plan *plan = reading->plan;
	const struct plan_port *http = plan_port_find(plan, "http");

	if (!plan->n_ports)
		return node_error(node, reading->err,
				  "has no port, and the template has no "
				  "ports; write 'port: NUMBER'");
	plan->ready.checks[0].port = http ? http->number : plan->ports[0].number;
	return 0;
}

static int compare_ports(const void *a, const void *b)
{
	return strcmp(((const struct plan_port *)a)->name, ((const struct plan_port *)b)->name);
}

void ports_sort(struct plan *plan)
{
	if (plan->n_ports)
		qsort(plan->ports, plan->n_ports, sizeof(struct plan_port), compare_ports);
}
