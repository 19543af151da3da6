/* SPDX-License-Identifier: Apache-2.0 */
/* libFuzzer: any bytes as a mount table, in which control groups are looked for. */
#include "fuzz.h"
#include "cgroup/cgroup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *mountinfo = fuzz_string(data, size);
	struct cgroup_tree tree;
	struct error err = {0};

	must(cgroup_tree_parse(mountinfo, &tree, &err) == 0);
	must(tree.n <= CGROUP_HIERARCHIES_MAX);
	for (size_t i = 0; i < tree.n; i++) {
		const struct cgroup_hierarchy *h = &tree.list[i];

		must(*h->mount && h->controllers && (!h->v2 || !*h->controllers));
		for (size_t j = 0; j < i; j++)
			must(tree.list[j].v2 != h->v2 ||
			     strcmp(tree.list[j].controllers, h->controllers) != 0);
	}
	cgroup_tree_deinit(&tree);
	return 0;
}
