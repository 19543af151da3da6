/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are a number or a quantity; see values.h. */
#include "templates/values.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>

/* Notations have different result types; this is the one all of them fit into. */
typedef int parse_quantity(const char *text, int64_t *ret_value);

static int parse_count(const char *text, int64_t *ret_value)
{
	uint64_t value;
	int r = parse_number(text, INT64_MAX, &value);

	if (r == 0)
		*ret_value = (int64_t)value;
	return r;
}

static int parse_bytes(const char *text, int64_t *ret_value)
{
	uint64_t value;
	int r = parse_size(text, &value);

	if (r == 0)
		*ret_value = (int64_t)value;
	return r;
}

/* "2" or "0.25": at most three digits behind the point. */
static int parse_cpu(const char *text, int64_t *ret_value)
{
	size_t whole_length = strcspn(text, ".");
	const char *fraction = text + whole_length + (text[whole_length] == '.');
	size_t digits = strlen(fraction);
	cleanup_free char *whole = xasprintf("%.*s", (int)whole_length, text);
	uint64_t processors, part = 0;

	if (parse_number(whole, UINT32_MAX, &processors) < 0 || digits > 3)
		return -EINVAL;
	if (text[whole_length] && parse_number(fraction, 999, &part) < 0)
		return -EINVAL;
	for (; digits < 3; digits++)
		part *= 10;
	*ret_value = (int64_t)(processors * 1000 + part);
	return 0;
}

/* "75%" or "75". */
static int parse_percent(const char *text, int64_t *ret_value)
{
	size_t length = strcspn(text, "%");
	cleanup_free char *number = xasprintf("%.*s", (int)length, text);
	uint64_t value;

	if ((text[length] && text[length + 1]) || parse_number(number, 100, &value) < 0)
		return -EINVAL;
	*ret_value = (int64_t)value;
	return 0;
}

static int read_quantity(struct reading *reading, const struct value_type *type,
			 const struct node *node, parse_quantity *parse, int64_t *ret_value)
{
	cleanup_free char *text = NULL;
	int64_t value = 0;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (parse(text, &value) < 0 || value < type->min || value > type->max)
		return value_wrong(reading, type, node, text);
	*ret_value = value;
	return 0;
}

/* As above, and "none" is 0. */
static int read_bound(struct reading *reading, const struct value_type *type,
		      const struct node *node, parse_quantity *parse, int64_t *ret_value)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (strcmp(text, "none") != 0)
		return read_quantity(reading, type, node, parse, ret_value);
	*ret_value = 0;
	return 0;
}

static int read_duration(struct reading *reading, const struct value_type *type,
			 const struct node *node, void *field)
{
	return read_quantity(reading, type, node, parse_duration, field);
}

static int read_duration_bound(struct reading *reading, const struct value_type *type,
			       const struct node *node, void *field)
{
	return read_bound(reading, type, node, parse_duration, field);
}

/* Limits are unsigned in the plan; no value here reaches the sign. */
static int read_limit(struct reading *reading, const struct value_type *type,
		      const struct node *node, parse_quantity *parse, uint64_t *field)
{
	int64_t value;
	int r = read_bound(reading, type, node, parse, &value);

	if (r == 0)
		*field = (uint64_t)value;
	return r;
}

static int read_size(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	return read_limit(reading, type, node, parse_bytes, field);
}

/* No swap at all is a limit too, so zero does not say whether there is one. */
static int read_swap(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r == 0)
		r = read_size(reading, type, node, field);
	if (r == 0)
		reading->plan->limits.has_swap = strcmp(text, "none") != 0;
	return r;
}

/* What there is always some of. */
static int read_amount(struct reading *reading, const struct value_type *type,
		       const struct node *node, parse_quantity *parse, uint64_t *field)
{
	int64_t value = 0;
	int r = read_quantity(reading, type, node, parse, &value);

	if (r == 0)
		*field = (uint64_t)value;
	return r;
}

static int read_bytes(struct reading *reading, const struct value_type *type,
		      const struct node *node, void *field)
{
	return read_amount(reading, type, node, parse_bytes, field);
}

static int read_percent(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	return read_amount(reading, type, node, parse_percent, field);
}

static int read_cpu(struct reading *reading, const struct value_type *type, const struct node *node,
		    void *field)
{
	return read_limit(reading, type, node, parse_cpu, field);
}

static int read_count(struct reading *reading, const struct value_type *type,
		      const struct node *node, void *field)
{
	return read_limit(reading, type, node, parse_count, field);
}

static int read_restart_limit(struct reading *reading, const struct value_type *type,
			      const struct node *node, void *field)
{
	int64_t value = 0;
	int r = read_quantity(reading, type, node, parse_count, &value);

	if (r == 0)
		*(unsigned *)field = (unsigned)value;
	return r;
}

static int read_port(struct reading *reading, const struct value_type *type,
		     const struct node *node, void *field)
{
	int64_t value = 0;
	int r = read_quantity(reading, type, node, parse_count, &value);

	if (r == 0)
		*(uint16_t *)field = (uint16_t)value;
	return r;
}

static int say_no_port(struct reading *reading, const struct value_type *type,
		       const struct node *node, const char *name)
{
	const struct plan *plan = reading->plan;
	cleanup_free const char **names = xcalloc(plan->n_ports + 1, sizeof(char *));
	const char *near;

	for (size_t i = 0; i < plan->n_ports; i++)
		names[i] = plan->ports[i].name;
	near = nearest_word(name, names);
	if (near)
		return node_error(node, reading->err, "there is no port '%s'; did you mean '%s'?",
				  name, near);
	return node_error(node, reading->err, "there is no port '%s'; %s", name, type->right);
}

static int read_port_choice(struct reading *reading, const struct value_type *type,
			    const struct node *node, void *field)
{
	const struct plan_port *port;
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (strspn(text, "0123456789") == strlen(text))
		return read_port(reading, type, node, field);
	if (!is_valid_name(text))
		return value_wrong(reading, type, node, text);
	port = plan_port_find(reading->plan, text);
	if (!port)
		return say_no_port(reading, type, node, text);
	*(uint16_t *)field = port->number;
	return 0;
}

/* "200" or "200-399". */
static int parse_status(const char *text, struct plan_check *check)
{
	size_t length = strcspn(text, "-");
	cleanup_free char *first = xasprintf("%.*s", (int)length, text);
	uint64_t from, to;

	if (parse_number(first, 599, &from) < 0)
		return -EINVAL;
	if (parse_number(text[length] ? text + length + 1 : first, 599, &to) < 0)
		return -EINVAL;
	if (from < 100 || to < from)
		return -EINVAL;
	check->status_from = (uint16_t)from;
	check->status_to = (uint16_t)to;
	return 0;
}

static int read_status(struct reading *reading, const struct value_type *type,
		       const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	(void)field;
	if (r < 0)
		return r;
	if (parse_status(text, &reading->plan->ready.checks[0]) < 0)
		return value_wrong(reading, type, node, text);
	return 0;
}

#define DURATION_PATTERN "([0-9]+|([0-9]+(ms|s|m|h|d))+)"
#define SIZE_PATTERN "[0-9]+(B|k|K|KiB|M|MiB|G|GiB|T|TiB)?"

const struct value_type type_duration = {
	.label = "duration",
	.right = "write more than 0 and at most 10 years, such as 90s, 15m or 1h30m",
	.pattern = "^" DURATION_PATTERN "$",
	.shape = SHAPE_NUMBER,
	.min = NSEC_PER_MSEC,
	.max = INT64_MAX,
	.read = read_duration,
};

const struct value_type type_duration_bound = {
	.label = "duration",
	.right = "write more than 0 and at most 10 years, such as 15m or 8h, or none",
	.pattern = "^(none|" DURATION_PATTERN ")$",
	.shape = SHAPE_NUMBER,
	.min = NSEC_PER_MSEC,
	.max = INT64_MAX,
	.read = read_duration_bound,
};

const struct value_type type_grace = {
	.label = "duration",
	.right = "write 0s to 1h, such as 10s or 2m",
	.pattern = "^" DURATION_PATTERN "$",
	.shape = SHAPE_NUMBER,
	.max = 3600 * NSEC_PER_SEC,
	.read = read_duration,
};

const struct value_type type_interval = {
	.label = "duration",
	.right = "write 10ms to 1h, such as 200ms or 1s",
	.pattern = "^" DURATION_PATTERN "$",
	.shape = SHAPE_NUMBER,
	.min = 10 * NSEC_PER_MSEC,
	.max = 3600 * NSEC_PER_SEC,
	.read = read_duration,
};

const struct value_type type_size = {
	.label = "size",
	.right = "write at least 64k, such as 512M or 2GiB, or none",
	.pattern = "^(none|" SIZE_PATTERN ")$",
	.shape = SHAPE_NUMBER,
	.min = 64LL << 10,
	.max = INT64_MAX,
	.read = read_size,
};

const struct value_type type_swap = {
	.label = "size",
	.right = "write 0 or a size such as 512M or 2GiB, or none",
	.pattern = "^(none|" SIZE_PATTERN ")$",
	.shape = SHAPE_NUMBER,
	.max = INT64_MAX,
	.read = read_swap,
};

const struct value_type type_rate = {
	.label = "size per second",
	.right = "write at least 4k (a second), such as 500k or 10M, or none",
	.pattern = "^(none|" SIZE_PATTERN ")$",
	.shape = SHAPE_NUMBER,
	.min = 4096,
	.max = INT64_MAX,
	.read = read_size,
};

const struct value_type type_log = {
	.label = "size",
	.right = "write 64k to 64G, such as 16M",
	.pattern = "^" SIZE_PATTERN "$",
	.shape = SHAPE_NUMBER,
	.min = 64LL << 10,
	.max = 64LL << 30,
	.read = read_bytes,
};

const struct value_type type_heap = {
	.label = "size",
	.right = "write at least 1M, such as 512M or 2GiB",
	.pattern = "^" SIZE_PATTERN "$",
	.shape = SHAPE_NUMBER,
	.min = 1LL << 20,
	.max = 1LL << 50,
	.read = read_bytes,
};

const struct value_type type_heap_share = {
	.label = "percentage",
	.right = "write 1% to 100%",
	.pattern = "^[0-9]+%?$",
	.shape = SHAPE_NUMBER,
	.min = 1,
	.max = 100,
	.read = read_percent,
};

const struct value_type type_cpu = {
	.label = "number of processors",
	.right = "write 0.01 to 1000, such as 2 or 0.5, or none",
	.pattern = "^(none|[0-9]+(\\.[0-9]{1,3})?)$",
	.shape = SHAPE_NUMBER,
	.min = 10,
	.max = 1000LL * 1000,
	.read = read_cpu,
};

const struct value_type type_pids = {
	.label = "number of tasks",
	.right = "write 1 to 4194304, or none",
	.pattern = "^(none|[0-9]+)$",
	.shape = SHAPE_NUMBER,
	.min = 1,
	.max = 4194304,
	.read = read_count,
};

const struct value_type type_files = {
	.label = "number of open files",
	.right = "write 16 to 1073741816, or none",
	.pattern = "^(none|[0-9]+)$",
	.shape = SHAPE_NUMBER,
	.min = 16,
	.max = 1073741816,
	.read = read_count,
};

const struct value_type type_restart_limit = {
	.label = "number of restarts",
	.right = "write 1 to 1000",
	.pattern = "^[0-9]+$",
	.shape = SHAPE_NUMBER,
	.min = 1,
	.max = 1000,
	.read = read_restart_limit,
};

const struct value_type type_port = {
	.label = "port number",
	.right = "write 1 to 65535",
	.pattern = "^[0-9]+$",
	.shape = SHAPE_NUMBER,
	.min = 1,
	.max = UINT16_MAX,
	.read = read_port,
};

const struct value_type type_port_choice = {
	.label = "port name or number",
	.right = "write the name of one of the ports, or a number from 1 to 65535",
	.pattern = "^[a-z0-9-]+$",
	.shape = SHAPE_NUMBER,
	.min = 1,
	.max = UINT16_MAX,
	.read = read_port_choice,
};

const struct value_type type_status = {
	.label = "HTTP status",
	.right = "write a status or a range within 100-599, such as 200 or 200-399",
	.pattern = "^[1-5][0-9]{2}(-[1-5][0-9]{2})?$",
	.shape = SHAPE_NUMBER,
	.read = read_status,
};
