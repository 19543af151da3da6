/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: from a name or a file to a plan. Runs in the command line's process, before anything
 * on the host is touched; what it reads may be hostile. No file is kept open, nothing is kept
 * between calls.
 */
#ifndef TEMPLATES_TEMPLATE_H
#define TEMPLATES_TEMPLATE_H

#include "base/error.h"
#include "base/text.h"
#include "base/trust.h"
#include "plan/plan.h"

#include <stdbool.h>
#include <stddef.h>

#define TEMPLATE_EXTENDS_MAX 8 /* templates that extend one another, in a row */

struct template_options {
	char *const *sets; /* "KEY=VALUE" for params; NULL-terminated, may be NULL */
	char *const
		*search;    /* directories looked into before the built-in catalogue; may be NULL */
	const char *share;  /* absolute directory of stint's own data: ${stint_share} */
	const char *memory; /* the limit that is to hold instead of the template's; NULL: its own */
	uint64_t memory_otherwise; /* bytes, where neither says one; 0: no limit */
	/* For somebody who must not decide what root does: */
	bool names_only; /* a file is refused before it is looked at */
	bool guarded;	 /* values of sets are refused where the host is meant (KEYWORD_INSIDE) */
	const struct trust *trust; /* who may have written the files; NULL: anybody */
};

/*
 * Compiles a template into a plan. What contains a '/' or ends in .yaml or .yml is a file; else it
 * is a name, looked up as NAME.yaml in the search directories and then in the catalogue. A
 * template in a search directory may extend the one of its own name that comes after it.
 *
 * Errors: ERROR_NOT_FOUND when there is no such template or file; ERROR_USAGE for wrong or missing
 * sets; ERROR_REFUSED for what the options forbid; ERROR_FAILED for the template itself,
 * "FILE:LINE:COLUMN: key 'a.b': what is wrong; what would be right".
 */
int template_compile(const char *name_or_path, const struct template_options *options,
		     struct plan **ret_plan, struct error *err);

/* Whether it is the path of a file, not the name of a template. */
bool template_is_path(const char *name_or_path);

/* The same for text that is at hand; file is its name in messages. */
int template_compile_text(const char *file, const char *text, size_t length,
			  const struct template_options *options, struct plan **ret_plan,
			  struct error *err);

/*
 * A limit of the plan from an option's value, in place of the template's. key is one below
 * "limits" ("memory", "io.read"), which must exist. ERROR_USAGE.
 */
int template_set_limit(struct plan *plan, const char *key, const char *text, struct error *err);

struct template_info {
	char *name;
	char *summary; /* as written, variables and all; NULL: none */
	char *source;  /* "built in", or the file's path */
	char *fault;   /* NULL, or why the file cannot be read as a template */
};

/*
 * All templates that can be given by name, sorted by name; one that another hides is left out. A
 * file that is no YAML is listed with its fault. A search directory that does not exist is no
 * error.
 */
int template_list(const struct template_options *options, struct template_info **ret_list,
		  size_t *ret_n, struct error *err);
void template_list_free(struct template_info *list, size_t n);

/* The template's text as it is written, and where it is from, as in template_info. */
int template_source(const char *name_or_path, const struct template_options *options,
		    char **ret_text, char **ret_origin, struct error *err);

/* Documentation of the keys, made from the table that reads them. */
void template_keys_markdown(struct text *ret_text); /* one table */
void template_keys_man(struct text *ret_text);	    /* one mdoc list */
void template_schema(struct text *ret_text);	    /* JSON schema, draft 7 */

#endif
