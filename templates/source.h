/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where templates are found: files, the search directories, and the built-in catalogue, which
 * counts as the last directory.
 */
#ifndef TEMPLATES_SOURCE_H
#define TEMPLATES_SOURCE_H

#include "base/cleanup.h"
#include "base/error.h"
#include "base/trust.h"

#include <stdbool.h>
#include <stddef.h>

struct source {
	char *name;   /* the file's name without its ending; may be no valid template name */
	char *label;  /* the file in messages: its path, or "built-in/NAME.yaml" */
	char *origin; /* for people: its path, or "built in" */
	char *text;
	size_t length;
	bool by_name; /* looked up, so its key template must say the same */
	size_t rank;  /* looked up: the directory's number, the catalogue's is the last */
};

void source_deinit(struct source *source);
#define cleanup_source cleanup(source_deinit)

/* Whether the argument of a command is a path rather than a template's name. */
bool source_is_path(const char *name_or_path);

/*
 * Reads a file; ERROR_NOT_FOUND when there is none, ERROR_REFUSED when trust is not NULL and
 * somebody else could have written it (base/trust.h).
 */
int source_read(const char *path, const struct trust *trust, struct source *ret_source,
		struct error *err);

/* Text that is at hand; file is its name in messages. */
void source_from_text(const char *file, const char *text, size_t length, struct source *ret_source);

/*
 * Looks name up in the directories from number rank on, and in the catalogue. ERROR_NOT_FOUND
 * names the template that was probably meant.
 */
int source_find(const char *name, char *const *search, const struct trust *trust, size_t rank,
		struct source *ret_source, struct error *err);

/* The names of all templates, sorted, each once; a NULL-terminated list. */
int source_names(char *const *search, char ***ret_names, struct error *err);

#endif
