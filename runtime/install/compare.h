/* SPDX-License-Identifier: Apache-2.0 */
/* What is different between two generations of an install. */
#ifndef INSTALL_COMPARE_H
#define INSTALL_COMPARE_H

#include "install/manifest.h"
#include "store/installs.h"

enum change_kind { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_CHANGED };

struct change {
	enum change_kind kind;
	char *path; /* on the host, any bytes */
};

/* By path. */
struct change_list {
	struct change *list;
	size_t n;
};

/*
 * Compares what the manifests of the two say: kind, owner, mode, size, time of change and links.
 * ERROR_NOT_FOUND for a generation that there is not.
 */
int generations_compare(const char *state_path, const struct install *install, uint32_t from,
			uint32_t to, struct change_list *ret_changes, struct error *err);
void change_list_deinit(struct change_list *changes);

/* Adds what two manifests of the directory root differ in; same says whether two entries do not. */
void manifests_compare(const struct manifest *a, const struct manifest *b, const char *root,
		       bool (*same)(const struct manifest_entry *, const struct manifest_entry *),
		       struct change_list *changes);

#endif
