/* SPDX-License-Identifier: Apache-2.0 */
/* The size of a server's heap; see heap.h. */
#include "templates/heap.h"
#include "base/text.h"

#include <inttypes.h>

#define MIB (UINT64_C(1) << 20)

struct heap {
	uint64_t share; /* of the limit, at most; percent */
	uint64_t room;	/* of the limit, for everything else */
	uint64_t least, start, without_limit;
};

#define HEAP(field) offsetof(struct heap, field)

const struct keyword heap_keywords[] = {
	{
		.name = "share",
		.type = &type_heap_share,
		.fallback = "75%",
		.doc = "How much of the limit of memory the heap gets at most.",
		.offset = HEAP(share),
	},
	{
		.name = "room",
		.type = &type_heap,
		.fallback = "256M",
		.doc = "How much of it is left at least for everything else: code, threads, "
		       "buffers, other processes, files in /tmp.",
		.offset = HEAP(room),
	},
	{
		.name = "least",
		.type = &type_heap,
		.fallback = "64M",
		.doc = "The heap that the server cannot do without: a limit that leaves less is "
		       "refused.",
		.offset = HEAP(least),
	},
	{
		.name = "start",
		.type = &type_heap,
		.fallback = "64M",
		.doc = "The heap that it begins with, if that much is left.",
		.offset = HEAP(start),
	},
	{
		.name = "default",
		.type = &type_heap,
		.fallback = "1G",
		.doc = "The heap where memory is not limited.",
		.offset = HEAP(without_limit),
	},
	{0},
};

int heap_pass(struct reading *reading, const struct keyword *keyword, const struct node *node)
{
	(void)reading;
	(void)keyword;
	(void)node;
	return 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The same limit as the plan's will be, which cannot be read before the variables are there. */
static int find_limit(const struct node *root, const struct template_options *options,
		      const struct variables *variables, uint64_t *ret_limit, struct error *err)
{
	const struct node *limits = node_find(root, "limits");
	const struct node *memory =
		limits && limits->kind == NODE_MAPPING ? node_find(limits, "memory") : NULL;
	struct reading reading = {.variables = variables, .err = err};
	uint64_t limit = 0;
	int r = 0;

	/* what is wrong with an option is said when it is set in the plan */
	if (options->memory)
		(void)parse_size(options->memory, &limit);
	else if (memory)
		r = type_size.read(&reading, &type_size, memory, &limit);
	*ret_limit = limit ? limit : options->memory_otherwise;
	return r;
}

static uint64_t heap_within(const struct heap *heap, uint64_t limit)
{
	uint64_t rest = limit > heap->room ? limit - heap->room : 0;

	return smaller(rest, limit / 100 * heap->share);
}

/* The smallest limit, in MiB, that leaves enough. */
static uint64_t limit_needed(const struct heap *heap)
{
	uint64_t beside = heap->least + heap->room;
	uint64_t shared = (heap->least + heap->share - 1) / heap->share * 100;

	return ((beside > shared ? beside : shared) + MIB - 1) / MIB;
}

static int refuse(const struct heap *heap, const struct node *node, uint64_t limit,
		  struct error *err)
{
	node_error(node, err,
		   "a limit of memory of %" PRIu64 "M leaves %" PRIu64
		   "M for the heap, and the server needs %" PRIu64
		   "M; give at least --memory %" PRIu64 "M",
		   limit / MIB, heap_within(heap, limit) / MIB, heap->least / MIB,
		   limit_needed(heap));
	return error_kind_set(err, ERROR_REFUSED);
}

static void set(struct variables *variables, const char *name, uint64_t bytes)
{
	cleanup_free char *text = xasprintf("%" PRIu64, bytes / MIB);

	variables_set(variables, name, text);
}

int heap_set_variables(const struct node *root, const struct template_options *options,
		       struct variables *variables, struct error *err)
{
	const struct node *node = node_find(root, "heap");
	struct reading reading = {
		.variables = variables, .guarded = options->guarded, .inside = true, .err = err};
	struct heap heap = {0};
	uint64_t limit = 0, size;
	int r;

	if (!node)
		return 0;
	if (node->kind != NODE_MAPPING && !node_is_null(node))
		return node_error(node, err,
				  "is not a mapping; write 'KEY: VALUE' lines, such as 'least: "
				  "256M'");
	r = keywords_set_defaults(heap_keywords, &reading, &heap);
	if (r == 0 && !node_is_null(node))
		r = keywords_read(heap_keywords, &reading, node, &heap);
	if (r == 0)
		r = find_limit(root, options, variables, &limit, err);
	if (r < 0)
		return r;
	size = limit ? heap_within(&heap, limit) : heap.without_limit;
	if (limit && size < heap.least)
		return refuse(&heap, node, limit, err);
	set(variables, "heap_mb", size);
	set(variables, "heap_start_mb", smaller(size, heap.start));
	return 0;
}
