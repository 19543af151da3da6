/* SPDX-License-Identifier: Apache-2.0 */
/* What a template does to the files of an instance; see content.h. */
#include "plan/content.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const char *const edit_format_names[EDIT_FORMATS] = {
	[EDIT_PROPERTIES] = "properties",
	[EDIT_INI] = "ini",
	[EDIT_XML] = "xml",
};

void plan_file_deinit(struct plan_file *file)
{
	free(file->target);
	free(file->from);
	free(file->text);
	free(file->user);
	free(file->missing);
}

static void edit_deinit(struct plan_edit *edit)
{
	for (size_t i = 0; i < edit->n_keys; i++) {
		free(edit->keys[i].section);
		free(edit->keys[i].name);
		free(edit->keys[i].value);
	}
	free(edit->keys);
	free(edit->target);
}

static void secret_deinit(struct plan_secret *secret)
{
	free(secret->name);
	free(secret->path);
	free(secret->from);
	free(secret->user);
	free(secret->missing);
}

const struct plan_secret *plan_secret_find(const struct plan_content *content, const char *name)
{
	for (size_t i = 0; i < content->n_secrets; i++)
		if (strcmp(content->secrets[i].name, name) == 0)
			return &content->secrets[i];
	return NULL;
}

void plan_content_deinit(struct plan_content *content)
{
	strv_free(content->scrub);
	for (size_t i = 0; i < content->n_files; i++)
		plan_file_deinit(&content->files[i]);
	free(content->files);
	for (size_t i = 0; i < content->n_edits; i++)
		edit_deinit(&content->edits[i]);
	free(content->edits);
	for (size_t i = 0; i < content->n_secrets; i++)
		secret_deinit(&content->secrets[i]);
	free(content->secrets);
}
