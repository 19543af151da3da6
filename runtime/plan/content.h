/* SPDX-License-Identifier: Apache-2.0 */
/* What a template does to the files of an instance before its server starts; a part of the plan. */
#ifndef PLAN_CONTENT_H
#define PLAN_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#define PLAN_FILES_MAX 64
#define PLAN_EDITS_MAX 64
#define PLAN_SECRETS_MAX 16
#define PLAN_LAYERS_MAX 32
#define PLAN_ABOVE_MAX 16 /* further ones above those */
#define PLAN_SOURCES_MAX (PLAN_FILES_MAX + PLAN_SECRETS_MAX + PLAN_LAYERS_MAX)

/* What is put into the view. */
struct plan_file {
	char *target; /* inside, absolute */
	char *from;   /* the host's file or directory; NULL: text is what is in it */
	char *text;
	char *user;    /* name or number; NULL: the server's */
	unsigned mode; /* 0: not given */
	char *missing; /* while it is read: what it means that from is empty */
};

enum edit_format { EDIT_PROPERTIES, EDIT_INI, EDIT_XML, EDIT_FORMATS };

/* "properties", "ini", "xml". */
extern const char *const edit_format_names[EDIT_FORMATS];

struct plan_edit_key {
	char *section; /* ini: the section; NULL: before the first one */
	char *name;    /* properties, ini: the key; xml: where the attribute is (edit/edit.h) */
	char *value;
};

/* A file of the view in which keys are set. */
struct plan_edit {
	char *target; /* inside, absolute */
	enum edit_format format;
	bool create; /* when it does not exist */
	struct plan_edit_key *keys;
	size_t n_keys;
};

/* What nobody but the instance may see: the plan says where it is, and never what it is. */
struct plan_secret {
	char *name;
	char *path;    /* inside, absolute: a link to it; NULL: none */
	char *from;    /* the host's file, where the caller gives nothing; NULL: he must */
	char *user;    /* name or number; NULL: the server's */
	unsigned mode; /* 0: not given */
	char *missing; /* what it means that there is none; NULL: it is refused */
};

struct plan_content {
	char **scrub; /* inside, absolute: removed; patterns in the last name */
	struct plan_file *files;
	size_t n_files;
	struct plan_edit *edits;
	size_t n_edits;
	struct plan_secret *secrets;
	size_t n_secrets;
};

/* The plan's secret of that name, or NULL. */
const struct plan_secret *plan_secret_find(const struct plan_content *content, const char *name);

void plan_file_deinit(struct plan_file *file);
void plan_content_deinit(struct plan_content *content);

#endif
