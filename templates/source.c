/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and reading the texts of templates; see source.h. */
#include "templates/source.h"
#include "templates/catalog.h"
#include "templates/document.h"
#include "base/file.h"
#include "base/text.h"
#include "plan/characters.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SHOWN_NAME_MAX 80

static const char *const endings[] = {".yaml", ".yml"};

void source_deinit(struct source *source)
{
	free(source->name);
	free(source->label);
	free(source->origin);
	free(source->text);
	*source = (struct source){0};
}

/* The ending that marks a template's file, or NULL. */
static const char *ending_of(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t length = strlen(path), ending = strlen(endings[i]);

		if (length > ending && strcmp(path + length - ending, endings[i]) == 0)
			return path + length - ending;
	}
	return NULL;
}

bool source_is_path(const char *name_or_path)
{
	return strchr(name_or_path, '/') || ending_of(name_or_path);
}

/* What is read is what was looked at, whatever the path means by then. */
static int read_trusted(const char *path, const struct trust *trust, struct source *source,
			struct error *err)
{
	cleanup_free char *link = NULL;
	cleanup_fd int fd = -1;
	int r = trust_open(path, trust, &fd, err);

	if (r < 0)
		return r;
	link = xasprintf("/proc/self/fd/%d", fd);
	return file_read(AT_FDCWD, link, DOCUMENT_SIZE_MAX, &source->text, &source->length);
}

static int read_file(const char *path, const struct trust *trust, struct source *source,
		     struct error *err)
{
	struct error why = {0};
	int r = trust ? read_trusted(path, trust, source, &why)
		      : file_read(AT_FDCWD, path, DOCUMENT_SIZE_MAX, &source->text,
				  &source->length);

	if (why.kind == ERROR_REFUSED) {
		if (err)
			*err = why;
		return r;
	}
	if (r == -EFBIG)
		return error_say(err, ERROR_FAILED,
				 "the template '%s' is too large; at most %d KiB", path,
				 DOCUMENT_SIZE_MAX >> 10);
	if (r < 0)
		return error_set(err, -r, "cannot read the template '%s'", path);
	source->label = xstrdup(path);
	source->origin = xstrdup(path);
	return 0;
}

/* The name that a file's name stands for. */
static char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	const char *ending = ending_of(base);

	return xasprintf("%.*s", ending ? (int)(ending - base) : (int)strlen(base), base);
}

int source_read(const char *path, const struct trust *trust, struct source *ret_source,
		struct error *err)
{
	cleanup_source struct source source = {0};
	int r = read_file(path, trust, &source, err);

	if (r < 0) {
		if (r == -ENOENT)
			error_kind_set(err, ERROR_NOT_FOUND);
		return r;
	}
	source.name = name_of(path);
	*ret_source = source;
	source = (struct source){0};
	return 0;
}

void source_from_text(const char *file, const char *text, size_t length, struct source *ret_source)
{
	struct text copy = {0};

	text_add_bytes(&copy, text, length);
	*ret_source = (struct source){
		.name = name_of(file),
		.label = xstrdup(file),
		.origin = xstrdup(file),
		.length = length,
		.text = text_take(&copy),
	};
}

static const struct catalog_entry *catalog_find(const char *name)
{
	for (const struct catalog_entry *entry = catalog; entry->name; entry++)
		if (strcmp(entry->name, name) == 0)
			return entry;
	return NULL;
}

static void take_entry(const struct catalog_entry *entry, struct source *source)
{
	struct text text = {0};

	text_add_bytes(&text, entry->text, entry->length);
	source->length = text.length;
	source->text = text_take(&text);
	source->label = xasprintf("built-in/%s.yaml", entry->name);
	source->origin = xstrdup("built in");
}

static int say_unknown(const char *name, char *const *search, struct error *err)
{
	cleanup_strv char **names = NULL;
	char shown[SHOWN_NAME_MAX];
	const char *near;
	int r = source_names(search, &names, err);

	if (r < 0)
		return r;
	characters_printable(name, shown, sizeof(shown));
	near = nearest_word(name, (const char *const *)names);
	if (near)
		return error_say(err, ERROR_NOT_FOUND,
				 "there is no template '%s'; did you mean '%s'? 'stint template "
				 "ls' shows all",
				 shown, near);
	return error_say(err, ERROR_NOT_FOUND,
			 "there is no template '%s'; 'stint template ls' shows what there is",
			 shown);
}

int source_find(const char *name, char *const *search, const struct trust *trust, size_t rank,
		struct source *ret_source, struct error *err)
{
	cleanup_source struct source source = {.by_name = true};
	const struct catalog_entry *entry = catalog_find(name);
	size_t n = strv_length(search);
	int r = -ENOENT;

	if (!is_valid_name(name))
		return say_unknown(name, search, err);
	for (source.rank = rank; source.rank < n && r == -ENOENT; source.rank++) {
		cleanup_free char *path = xasprintf("%s/%s.yaml", search[source.rank], name);

		r = read_file(path, trust, &source, err);
		if (r == 0)
			break;
	}
	if (r < 0 && r != -ENOENT)
		return r;
	if (r < 0 && (!entry || rank > n))
		return say_unknown(name, search, err);
	if (r < 0)
		take_entry(entry, &source);
	source.name = xstrdup(name);
	*ret_source = source;
	source = (struct source){0};
	return 0;
}

static void add_file_name(const char *file, char ***names)
{
	size_t length = strlen(file), ending = strlen(endings[0]);
	cleanup_free char *name = NULL;

	if (length <= ending || strcmp(file + length - ending, endings[0]) != 0)
		return;
	name = xasprintf("%.*s", (int)(length - ending), file);
	if (is_valid_name(name) && !strv_contains(*names, name))
		strv_add(names, name);
}

static int add_directory(const char *directory, char ***names, struct error *err)
{
	cleanup_dir DIR *dir = opendir(directory);

	if (!dir && errno == ENOENT)
		return 0;
	if (!dir)
		return error_set(err, errno, "cannot read the directory '%s'", directory);
	for (;;) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return errno ? error_set(err, errno, "cannot read the directory '%s'",
						 directory)
				     : 0;
		add_file_name(entry->d_name, names);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int source_names(char *const *search, char ***ret_names, struct error *err)
{
	cleanup_strv char **names = NULL;
	int r = 0;

	for (size_t i = 0; search && search[i] && r == 0; i++)
		r = add_directory(search[i], &names, err);
	if (r < 0)
		return r;
	for (const struct catalog_entry *entry = catalog; entry->name; entry++)
		if (!strv_contains(names, entry->name))
			strv_add(&names, entry->name);
	if (names)
		qsort(names, strv_length(names), sizeof(char *), compare_names);
	*ret_names = names ? steal_ptr(names) : strv_copy(NULL);
	return 0;
}
