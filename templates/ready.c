/* SPDX-License-Identifier: Apache-2.0 */
/* The keys below "ready": how it is found out that a server is ready. */
#include "templates/ready.h"
#include "templates/ports.h"
#include "base/text.h"

#include <string.h>

#define READY_LIST (READY_COMMAND + 1) /* tells the choice from the kinds; no plan has it */

static int check_kind(struct reading *reading, const struct keyword *keyword,
		      const struct node *node)
{
	struct plan_ready *ready = &reading->plan->ready;

	ready->kind = (enum ready_kind)keyword->choice;
	if (!keyword->inner)
		return 0;
	ready->n_checks = 1;
	ready->checks[0].kind = ready->kind;
	return ready->checks[0].port ? 0 : ports_prefer(reading, node);
}

static const struct keyword http_keywords[] = {
	{
		.name = "port",
		.type = &type_port_choice,
		.fallback = "the port http, else the first",
		.doc = "The port to ask, by name or number.",
		.offset = PLAN(ready.checks[0].port),
		.flags = KEYWORD_PROSE,
	},
	{
		.name = "path",
		.type = &type_target,
		.fallback = "/",
		.doc = "The path to ask for.",
		.offset = PLAN(ready.checks[0].path),
	},
	{
		.name = "status",
		.type = &type_status,
		.fallback = "200-399",
		.doc = "The status of the answer that means ready, or a range of them.",
	},
	{0},
};

static const struct keyword tcp_keywords[] = {
	{
		.name = "port",
		.type = &type_port_choice,
		.fallback = "the port http, else the first",
		.doc = "The port to connect to, by name or number.",
		.offset = PLAN(ready.checks[0].port),
		.flags = KEYWORD_PROSE,
	},
	{0},
};

/* What asks over the network: by itself, or in a list. */
#define NETWORK_CHECKS                                                              \
	{                                                                           \
		.name = "http",                                                     \
		.inner = http_keywords,                                             \
		.doc = "Ready when an HTTP request is answered.",                   \
		.choice = READY_HTTP,                                               \
		.check = check_kind,                                                \
	},                                                                          \
	{                                                                           \
		.name = "tcp", .inner = tcp_keywords,                               \
		.doc = "Ready when a connection is accepted.", .choice = READY_TCP, \
		.check = check_kind,                                                \
	}

static const struct keyword listed_keywords[] = {NETWORK_CHECKS, {0}};

/* Fields of another kind's checks stay empty. */
static void drop_http(struct plan_check *check)
{
	free(steal_ptr(check->path));
	check->status_from = check->status_to = 0;
}

/* One entry is read as the whole of a plan that has nothing but the ports. */
static int read_check(struct reading *reading, const struct node *node,
		      struct plan_check *ret_check)
{
	struct plan plan = {.ports = reading->plan->ports, .n_ports = reading->plan->n_ports};
	struct reading one = *reading;
	struct plan_check *check = &plan.ready.checks[0];
	int r;

	one.plan = &plan;
	if (node->kind != NODE_MAPPING)
		return node_error(node, reading->err, "is no check; %s", type_checks.right);
	r = keywords_set_defaults(listed_keywords, &one, &plan);
	if (r == 0)
		r = keywords_read(listed_keywords, &one, node, &plan);
	reading->growth = one.growth;
	if (r < 0 || check->kind != READY_HTTP)
		drop_http(check);
	if (r == 0)
		*ret_check = *check;
	return r;
}

static int read_checks(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	struct plan_ready *ready = &reading->plan->ready;
	int r = 0;

	(void)field;
	if (node->kind != NODE_SEQUENCE)
		return value_wrong_form(reading, type, node);
	if (node->n_items == 0)
		return node_error(node, reading->err, "is empty; %s", type->right);
	if (node->n_items > PLAN_CHECKS_MAX)
		return node_error(node, reading->err, "has too many checks; at most %d",
				  PLAN_CHECKS_MAX);
	drop_http(&ready->checks[0]);
	for (size_t i = 0; r == 0 && i < node->n_items; i++)
		r = read_check(reading, node->items[i], &ready->checks[i]);
	ready->n_checks = node->n_items;
	ready->kind = ready->checks[0].kind;
	return r;
}

static int read_ready_word(struct reading *reading, const struct value_type *type,
			   const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r;

	if (node->kind == NODE_SEQUENCE)
		return read_checks(reading, &type_checks, node, field);
	r = value_text(reading, type, node, false, &text);
	if (r < 0)
		return r;
	if (strcmp(text, "none") != 0)
		return value_wrong(reading, type, node, text);
	reading->plan->ready.kind = READY_NONE;
	return 0;
}

const struct value_type type_checks = {
	.label = "list of checks",
	.right = "write a list such as [{http: {path: /health}}, {tcp: {}}]",
	.shape = SHAPE_CHECKS,
	.read = read_checks,
};

const struct value_type type_ready_word = {
	.label = "readiness check",
	.right = "write none, or a mapping with http, tcp, log or command",
	.pattern = "^none$",
	.shape = SHAPE_WORD_OR_CHECKS,
	.read = read_ready_word,
};

const struct keyword ready_keywords[] = {
	NETWORK_CHECKS,
	{
		.name = "log",
		.type = &type_pattern,
		.doc = "Ready when a line of the server's output matches this POSIX extended "
		       "regular expression.",
		.offset = PLAN(ready.pattern),
		.choice = READY_LOG,
		.check = check_kind,
	},
	{
		.name = "command",
		.type = &type_command,
		.doc = "Ready when this command, run inside, exits with status 0.",
		.offset = PLAN(ready.command),
		.choice = READY_COMMAND,
		.check = check_kind,
	},
	{
		.name = "first",
		.type = &type_checks,
		.doc = "A list of http and tcp checks, each as above, in order of preference: the "
		       "first that the server has counts. What it answers 401, 403, 404, 405 or "
		       "501 it does not have.",
		.choice = READY_LIST,
	},
	{
		.name = "timeout",
		.type = &type_duration,
		.fallback = "60s",
		.doc = "How long the server may take from its start until it is ready.",
		.offset = PLAN(ready.timeout_ns),
	},
	{
		.name = "interval",
		.type = &type_interval,
		.fallback = "200ms",
		.doc = "The time between two attempts.",
		.offset = PLAN(ready.interval_ns),
	},
	{0},
};

/* The default depends on the ports. */
int ready_finish(struct reading *reading, const struct node *root)
{
	struct plan_ready *ready = &reading->plan->ready;
	const struct node *given = node_find(root, "ready");
	int r = 0;

	if ((!given || node_is_null(given)) && reading->plan->n_ports) {
		ready->kind = ready->checks[0].kind = READY_TCP;
		ready->n_checks = 1;
		r = ports_prefer(reading, root);
	}
	if (ready->kind != READY_HTTP)
		drop_http(&ready->checks[0]);
	return r;
}
