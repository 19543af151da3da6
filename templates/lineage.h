/* SPDX-License-Identifier: Apache-2.0 */
/* A template and those it extends, merged into one tree of nodes. */
#ifndef TEMPLATES_LINEAGE_H
#define TEMPLATES_LINEAGE_H

#include "templates/document.h"
#include "templates/source.h"
#include "templates/template.h"

struct lineage {
	/* The template first, then what it extends. The nodes' positions refer to these. */
	struct source sources[TEMPLATE_EXTENDS_MAX + 1];
	size_t n;
	struct node *root; /* the mapping in which all are merged */
	char *name;	   /* the template's: its key template, or else its file's name */
};

void lineage_deinit(struct lineage *lineage);
#define cleanup_lineage cleanup(lineage_deinit)

/*
 * Reads what source extends and merges it: mappings key by key, all else is replaced. Takes source
 * over. lineage is zero before and needs lineage_deinit also after a failure.
 */
int lineage_load(struct lineage *lineage, struct source *source,
		 const struct template_options *options, struct error *err);

#endif
