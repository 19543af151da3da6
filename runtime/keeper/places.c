/* SPDX-License-Identifier: Apache-2.0 */
/* Where what runs inside may write; see places.h. */
#include "keeper/places.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "confine/inside.h"

#include <string.h>

static bool is_place(const struct root_op *op)
{
	switch ((enum root_op_kind)op->kind) {
	case ROOT_DIRECTORY:
	case ROOT_OVERLAY:
		return true;
	case ROOT_BIND:
	case ROOT_DEVPTS:
		return op->flags & ROOT_WRITABLE;
	case ROOT_TMPFS:
		/* what holds the control groups' views is writable for init to make them */
		return (op->flags & ROOT_WRITABLE) && strncmp(op->target, "/sys/", 5) != 0;
	default:
		return false;
	}
}

int places_confine(const struct root_ops *ops, int queues, struct error *err)
{
	cleanup_free struct confine_place *places = xcalloc(ops->n + 3, sizeof(*places));
	size_t n = 0;

	/* names of processes, scores for the killer: of whoever may write them */
	places[n++] = (struct confine_place){.path = "/proc", .contents_only = true};
	places[n++] = (struct confine_place){.path = "/etc"};
	if (queues >= 0)
		places[n++] = (struct confine_place){.fd = queues};
	for (size_t i = 0; i < ops->n; i++)
		if (is_place(&ops->list[i]))
			places[n++].path = ops->list[i].target;
	return confine_files(places, n, err);
}
