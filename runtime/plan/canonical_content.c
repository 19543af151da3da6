/* SPDX-License-Identifier: Apache-2.0 */
/* The keys scrub, files, edit and secrets of the canonical form; see canonical_text.h. */
#include "plan/canonical_text.h"
#include "base/cleanup.h"

#include <string.h>

static void put_mode(struct text *text, unsigned mode)
{
	if (!mode)
		return;
	put_key(text, 2, "mode");
	text_addf(text, " \"%04o\"\n", mode);
}

static void put_file(struct text *text, const struct plan_file *file)
{
	put_section(text, 1, file->target);
	put_value(text, 2, "from", file->from);
	put_value(text, 2, "text", file->text);
	put_value(text, 2, "user", file->user);
	put_mode(text, file->mode);
}

static void put_secret(struct text *text, const struct plan_secret *secret)
{
	put_section(text, 1, secret->name);
	put_value(text, 2, "path", secret->path);
	put_value(text, 2, "from", secret->from);
	put_value(text, 2, "user", secret->user);
	put_mode(text, secret->mode);
	put_value(text, 2, "missing", secret->missing);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void put_settings(struct text *text, const struct plan_edit *edit)
{
	const char *section = NULL;

	put_section(text, 2, "set");
	for (size_t i = 0; i < edit->n_keys; i++) {
		const struct plan_edit_key *key = &edit->keys[i];

		if (key->section && !is_same(key->section, section))
			put_section(text, 3, key->section);
		section = key->section;
		put_value(text, section ? 4 : 3, key->name, key->value);
	}
}

static void put_edit(struct text *text, const struct plan_edit *edit)
{
	put_section(text, 1, edit->target);
	put_word(text, 2, "format", edit_format_names[edit->format]);
	if (edit->create)
		put_word(text, 2, "create", "true");
	put_settings(text, edit);
}

void put_content(struct text *text, const struct plan_content *content)
{
	put_list(text, 0, "scrub", content->scrub);
	if (content->n_files)
		put_section(text, 0, "files");
	for (size_t i = 0; i < content->n_files; i++)
		put_file(text, &content->files[i]);
	if (content->n_edits)
		put_section(text, 0, "edit");
	for (size_t i = 0; i < content->n_edits; i++)
		put_edit(text, &content->edits[i]);
	if (content->n_secrets)
		put_section(text, 0, "secrets");
	for (size_t i = 0; i < content->n_secrets; i++)
		put_secret(text, &content->secrets[i]);
}
