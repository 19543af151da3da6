/* SPDX-License-Identifier: Apache-2.0 */
/* What a template does to the files of an instance; see content.h. */
#include "plan/content.h"
#include "base/text.h"

#include <stdlib.h>

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

void plan_content_deinit(struct plan_content *content)
{
	strv_free(content->scrub);
	for (size_t i = 0; i < content->n_files; i++)
		plan_file_deinit(&content->files[i]);
	free(content->files);
	for (size_t i = 0; i < content->n_edits; i++)
		edit_deinit(&content->edits[i]);
	free(content->edits);
}
