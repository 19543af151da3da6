/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of a template: one table for each mapping, from which templates are read into plans and
 * the documentation of the keys and the schema for editors are made (describe.h).
 */
#ifndef TEMPLATES_KEYWORDS_H
#define TEMPLATES_KEYWORDS_H

#include "templates/values.h"

enum keyword_flags {
	KEYWORD_REQUIRED = 1 << 0,
	KEYWORD_PROSE = 1 << 1, /* the default is words for people; code finds the value */
	KEYWORD_NAMES = 1 << 2, /* a mapping of free names to the type, or to mappings of inner */
	KEYWORD_PATHS = 1 << 4, /* the free names are paths inside */
	/* With all below it, matters to nothing but the inside: anybody may set it. */
	KEYWORD_INSIDE = 1 << 3,
};

struct keyword {
	const char *name;	       /* NULL ends a table */
	const struct value_type *type; /* of everything but a mapping of inner; may be NULL */
	const struct keyword *inner;   /* the keys of the mapping; NULL: there are none */
	const char *fallback;	       /* the default, in YAML; NULL: none */
	const char *doc;	       /* one sentence */
	size_t offset;		       /* of the field in what the table describes */
	unsigned flags;
	int choice; /* not 0: a mapping has exactly one of its choices; the value says which */
	/* Reads the value instead of type and inner. */
	int (*set)(struct reading *reading, const struct keyword *keyword, const struct node *node);
	/* Runs when the value, or the mapping, has been read. */
	int (*check)(struct reading *reading, const struct keyword *keyword,
		     const struct node *node);
};

/* The keys of a template; offsets are in struct plan. */
extern const struct keyword template_keywords[];

#define PLAN(field) offsetof(struct plan, field)

/* Those below "limits", "seccomp", "lease" and "hooks". */
extern const struct keyword limits_keywords[], seccomp_keywords[], lease_keywords[],
	hooks_keywords[];

/* The hook of a lease's warnings is a program of the host. */
int hook_check_warning(struct reading *reading, const struct keyword *keyword,
		       const struct node *node);

/* No filter without a reason. */
int confinement_check(struct reading *reading, const struct keyword *keyword,
		      const struct node *node);

/* The default is no longer than the bound. */
int lease_check(struct reading *reading, const struct keyword *keyword, const struct node *node);

/* The keyword of that name, or NULL. table may be NULL. */
const struct keyword *keyword_find(const struct keyword *table, const char *name);

/*
 * Reads the mapping into base (of the type that the table's offsets are of): unknown keys and
 * missing ones are errors.
 */
int keywords_read(const struct keyword *table, struct reading *reading, const struct node *mapping,
		  void *base);

/* Gives all fields below the table their defaults. */
int keywords_set_defaults(const struct keyword *table, struct reading *reading, void *base);

/* reading->plan from a whole template: defaults, the keys, and what depends on several of them. */
int keywords_read_template(struct reading *reading, const struct node *root);

#endif
