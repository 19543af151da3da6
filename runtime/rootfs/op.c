/* SPDX-License-Identifier: Apache-2.0 */
/* The list of operations and its form in the start message; see inside.h. Both halves use it. */
#include "rootfs/inside.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

struct root_op *root_ops_add(struct root_ops *ops, enum root_op_kind kind, const char *target)
{
	struct root_op *op;

	ops->list = xrealloc(ops->list, ops->n + 1, sizeof(*ops->list));
	op = &ops->list[ops->n++];
	*op = (struct root_op){.kind = kind, .target = xstrdup(target), .mode = 0755};
	return op;
}

void root_ops_deinit(struct root_ops *ops)
{
	for (size_t i = 0; i < ops->n; i++) {
		free(ops->list[i].source);
		free(ops->list[i].target);
		free(ops->list[i].text);
		free(ops->list[i].place);
		strv_free(ops->list[i].list);
	}
	free(ops->list);
	*ops = (struct root_ops){0};
}

void root_ops_put(const struct root_ops *ops, struct text *to)
{
	wire_put_u32(to, (uint32_t)ops->n);
	for (size_t i = 0; i < ops->n; i++) {
		const struct root_op *op = &ops->list[i];

		wire_put_u32(to, op->kind);
		wire_put_u32(to, op->flags);
		wire_put_u32(to, op->mode);
		wire_put_u32(to, op->uid);
		wire_put_u32(to, op->gid);
		wire_put_string(to, op->source);
		wire_put_string(to, op->target);
		wire_put_string(to, op->text);
		wire_put_string(to, op->place);
		wire_put_u32(to, op->number);
		wire_put_strv(to, op->list);
	}
}

/* What is done inside counts on a name below the place. */
static bool is_below(const char *target, const char *place)
{
	size_t n = place ? strlen(place) : 0;

	return n > 1 && strncmp(target, place, n) == 0 && target[n] == '/' && target[n + 1];
}

void root_ops_get(struct wire_reader *from, struct root_ops *ret_ops)
{
	uint32_t n = wire_get_u32(from);

	*ret_ops = (struct root_ops){0};
	for (uint32_t i = 0; i < n && !from->bad; i++) {
		struct root_op *op = root_ops_add(ret_ops, wire_get_u32(from), "");

		op->flags = wire_get_u32(from);
		op->mode = wire_get_u32(from);
		op->uid = wire_get_u32(from);
		op->gid = wire_get_u32(from);
		free(op->target);
		op->source = wire_get_string(from);
		op->target = wire_get_string(from);
		op->text = wire_get_string(from);
		op->place = wire_get_string(from);
		op->number = wire_get_u32(from);
		op->list = wire_get_strv(from);
		if (op->kind >= ROOT_OP_KINDS || !op->target ||
		    (op->kind >= ROOT_SCRUB && !is_below(op->target, op->place)))
			from->bad = true;
	}
}
