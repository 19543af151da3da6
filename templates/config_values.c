/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of values that only the configuration has; see config_keywords.h and values.h. */
#include "templates/config_keywords.h"
#include "base/text.h"
#include "plan/config.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The number of a scalar within the bounds of its type. */
static int read_number(struct reading *reading, const struct value_type *type,
		       const struct node *node, uint64_t *ret_number)
{
	cleanup_free char *text = NULL;
	uint64_t number;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (parse_number(text, (uint64_t)type->max, &number) < 0 || number < (uint64_t)type->min)
		return value_wrong(reading, type, node, text);
	*ret_number = number;
	return 0;
}

static int read_u32(struct reading *reading, const struct value_type *type, const struct node *node,
		    void *field)
{
	uint64_t number;
	int r = read_number(reading, type, node, &number);

	if (r == 0)
		*(uint32_t *)field = (uint32_t)number;
	return r;
}

static int read_first_id(struct reading *reading, const struct value_type *type,
			 const struct node *node, void *field)
{
	uint32_t first = 0;
	int r = read_u32(reading, type, node, &first);

	if (r < 0)
		return r;
	if (first % ID_RANGE_SIZE)
		return value_wrong(reading, type, node, node->text);
	*(uint32_t *)field = first;
	return 0;
}

static int read_instances(struct reading *reading, const struct value_type *type,
			  const struct node *node, void *field)
{
	uint64_t *instances = field;

	if (node->kind == NODE_SCALAR && strcmp(node->text, "none") == 0) {
		*instances = 0;
		return 0;
	}
	return read_number(reading, type, node, instances);
}

static int read_percent(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	size_t length;
	uint64_t number;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	length = strlen(text);
	if (length < 2 || text[length - 1] != '%')
		return value_wrong(reading, type, node, text);
	text[length - 1] = '\0';
	if (parse_number(text, (uint64_t)type->max, &number) < 0 || number < (uint64_t)type->min)
		return value_wrong(reading, type, node, node->text);
	*(unsigned *)field = (unsigned)number;
	return 0;
}

/* A percentage of its own, which may go beyond the whole, or a size. */
static int read_host_amount(struct reading *reading, const struct value_type *type,
			    const struct node *node, void *field)
{
	struct host_amount *amount = field, found = {0};
	cleanup_free char *text = NULL;
	size_t length;
	uint64_t percent = 1;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	length = strlen(text);
	if (length > 1 && text[length - 1] == '%') {
		text[length - 1] = '\0';
		r = parse_number(text, (uint64_t)type->max, &percent);
		found.percent = (unsigned)percent;
	} else if (strcmp(text, "none") != 0) {
		r = parse_size(text, &found.bytes);
		percent = found.bytes;
	}
	if (r < 0 || percent < (uint64_t)type->min || found.bytes > INT64_MAX)
		return value_wrong(reading, type, node, node->text);
	*amount = found;
	return 0;
}

/* "10.213.0.0/16"; the first and the last address of a network stay unused. */
static int parse_network(const char *text, struct address_range *ret_range)
{
	size_t length = strcspn(text, "/");
	cleanup_free char *head = xasprintf("%.*s", (int)length, text);
	struct in_addr address;
	uint32_t first, size;
	uint64_t bits;

	if (!text[length] || inet_pton(AF_INET, head, &address) != 1)
		return -1;
	if (parse_number(text + length + 1, 29, &bits) < 0 || bits < 8)
		return -1;
	first = ntohl(address.s_addr);
	size = 1U << (32 - bits);
	/* 0.x is no address of a host, 127.x the host's own, 224.x and above no host's */
	if (first % size || first >> 24 == 0 || first >> 24 == 127 || first >> 24 >= 224)
		return -1;
	*ret_range = (struct address_range){.base = first + 1, .count = size - 2};
	return 0;
}

static int read_address_range(struct reading *reading, const struct value_type *type,
			      const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	return parse_network(text, field) < 0 ? value_wrong(reading, type, node, text) : 0;
}

static bool is_prefix6(const char *text, struct in6_addr *ret_prefix)
{
	size_t length = strcspn(text, "/");
	cleanup_free char *head = xasprintf("%.*s", (int)length, text);
	uint64_t bits;

	if (!text[length] || inet_pton(AF_INET6, head, ret_prefix) != 1 ||
	    parse_number(text + length + 1, 96, &bits) < 0 || bits < 16)
		return false;
	for (unsigned bit = (unsigned)bits; bit < 128; bit++)
		if (ret_prefix->s6_addr[bit / 8] & (0x80 >> bit % 8))
			return false;
	return !IN6_IS_ADDR_LINKLOCAL(ret_prefix) && !IN6_IS_ADDR_MULTICAST(ret_prefix);
}

static int read_prefix6(struct reading *reading, const struct value_type *type,
			const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (strcmp(text, "none") == 0)
		*(struct in6_addr *)field = in6addr_any;
	else if (!is_prefix6(text, field))
		return value_wrong(reading, type, node, text);
	return 0;
}

/* Below a hierarchy's root and nowhere else; no part may be a file of the kernel's ("cgroup.*"). */
static bool is_group_path(const char *text)
{
	if (strlen(text) >= 256 || text[0] == '/')
		return false;
	for (;;) {
		size_t length = strcspn(text, "/");

		if (length == 0 || text[0] == '.' || strncmp(text, "cgroup.", 7) == 0 ||
		    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_.:@\\-") < length)
			return false;
		if (!text[length])
			return true;
		text += length + 1;
	}
}

static int read_group_path(struct reading *reading, const struct value_type *type,
			   const struct node *node, void *field)
{
	cleanup_free char *text = NULL;
	char **path = field;
	int r = value_text(reading, type, node, false, &text);

	if (r < 0)
		return r;
	if (!is_group_path(text))
		return value_wrong(reading, type, node, text);
	free(*path);
	*path = steal_ptr(text);
	return 0;
}

const struct value_type type_first_id = {
	.label = "first id",
	.right = "write a multiple of 65536 from 65536 on, such as 1310720000",
	.shape = SHAPE_NUMBER,
	.min = ID_RANGE_SIZE,
	.max = INT_MAX,
	.read = read_first_id,
};

const struct value_type type_id_count = {
	.label = "number of ranges",
	.right = "write 1 to 32767",
	.shape = SHAPE_NUMBER,
	.min = 1,
	.max = 32767,
	.read = read_u32,
};

const struct value_type type_address_range = {
	.label = "network",
	.right = "write the first address of an IPv4 network and its length, /8 to /29, such as "
		 "10.213.0.0/16",
	.shape = SHAPE_STRING,
	.read = read_address_range,
};

const struct value_type type_prefix6 = {
	.label = "IPv6 network",
	.right = "write the first address of an IPv6 network and its length, /16 to /96, such as "
		 "'fd73:7469:6e74::/64', or none",
	.shape = SHAPE_STRING,
	.read = read_prefix6,
};

const struct value_type type_group_path = {
	.label = "control group",
	.right = "write names separated by '/', without one in front, such as "
		 "stint.slice/stint.service",
	.shape = SHAPE_STRING,
	.read = read_group_path,
};

const struct value_type type_percent = {
	.label = "share",
	.right = "write 1% to 100%",
	.shape = SHAPE_STRING,
	.min = 1,
	.max = 100,
	.read = read_percent,
};

const struct value_type type_host_amount = {
	.label = "share or size",
	.right = "write 1% to 1000%, a size such as 24G, or none",
	.shape = SHAPE_STRING,
	.min = 1,
	.max = 1000,
	.read = read_host_amount,
};

const struct value_type type_instances = {
	.label = "number of instances",
	.right = "write 1 to 100000, or none",
	.shape = SHAPE_NUMBER,
	.min = 1,
	.max = 100000,
	.read = read_instances,
};
