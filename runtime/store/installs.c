/* SPDX-License-Identifier: Apache-2.0 */
/* Installs and their generations; see installs.h. */
#include "store/installs.h"
#include "base/path.h"
#include "base/text.h"
#include "store/pins.h"
#include "store/row.h"

#include <string.h>

static const struct field install_fields[] = {
	FIELD(TEXT, struct install, name),
	FIELD(LIST, struct install, paths),
	FIELD(U32, struct install, newest),
	FIELD(I64, struct install, created_ns),
};
#define INSTALL_COLUMNS "name, paths, newest, created_ns"

static const struct field generation_fields[] = {
	FIELD(U32, struct generation, number),	   FIELD(TEXT, struct generation, backend),
	FIELD(I64, struct generation, created_ns), FIELD(I64, struct generation, files),
	FIELD(I64, struct generation, bytes),
};
#define GENERATION_COLUMNS "number, backend, created_ns, files, bytes"

static const char insert_install[] =
	"INSERT INTO install (" INSTALL_COLUMNS ") VALUES (?, ?, ?, ?)";
static const char select_installs[] = "SELECT " INSTALL_COLUMNS " FROM install"
				      " WHERE ?1 IS NULL OR name = ?1 ORDER BY name";
static const char insert_generation[] =
	"INSERT INTO generation (" GENERATION_COLUMNS ", install) VALUES (?, ?, ?, ?, ?, ?)";
static const char select_generations[] =
	"SELECT " GENERATION_COLUMNS ", (SELECT count(*) FROM pin WHERE pin.install ="
	" generation.install AND pin.number = generation.number) FROM generation"
	" WHERE install = ? ORDER BY number";
static const char set_newest[] =
	"UPDATE install SET newest = ?2 WHERE name = ?1 AND newest = ?2 - 1";
/* Replaced it was when the next one came. */
static const char prune_generations[] =
	"DELETE FROM generation WHERE install = ?1"
	" AND number < (SELECT newest FROM install WHERE name = ?1)"
	" AND NOT EXISTS (SELECT 1 FROM pin WHERE pin.install = ?1 AND pin.number ="
	" generation.number)"
	" AND (SELECT min(later.created_ns) FROM generation AS later WHERE later.install = ?1"
	" AND later.number > generation.number) < ?2";
static const char select_pinned[] = "SELECT name FROM instance JOIN pin ON pin.instance ="
				    " instance.id WHERE pin.install = ? LIMIT 1";

void install_deinit(struct install *install)
{
	free(install->name);
	strv_free(install->paths);
	*install = (struct install){0};
}

void install_list_free(struct install *installs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		install_deinit(&installs[i]);
	free(installs);
}

void generation_list_free(struct generation *generations, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(generations[i].backend);
	free(generations);
}

/* A statement with one text. */
static int prepare_with(struct store *store, const char *sql, const char *text,
			sqlite3_stmt **ret_statement, struct error *err)
{
	int r = db_prepare(store, sql, ret_statement, err);

	if (r == 0)
		sqlite3_bind_text(*ret_statement, 1, text, -1, SQLITE_STATIC);
	return r;
}

static int run_with(struct store *store, const char *sql, const char *text, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare_with(store, sql, text, &statement, err);

	return r < 0 ? r : db_step(store, statement, err);
}

static int list(struct store *store, const char *name, struct install **ret_installs, size_t *ret_n,
		struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct install *installs = NULL;
	size_t n = 0;
	int r = prepare_with(store, select_installs, name, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0) {
		installs = xrealloc(installs, n + 1, sizeof(*installs));
		installs[n] = (struct install){0};
		row_read(statement, 0, install_fields, ARRAY_SIZE(install_fields), &installs[n++]);
	}
	if (r < 0) {
		install_list_free(installs, n);
		return r;
	}
	*ret_installs = installs;
	*ret_n = n;
	return 0;
}

int store_install_list(struct store *store, struct install **ret_installs, size_t *ret_n,
		       struct error *err)
{
	return list(store, NULL, ret_installs, ret_n, err);
}

static int say_missing(struct store *store, const char *name, struct error *err)
{
	cleanup_text struct text names = {0};
	struct install *installs = NULL;
	size_t n = 0;
	int r = store_install_list(store, &installs, &n, err);

	for (size_t i = 0; r == 0 && i < n && names.length < 200; i++)
		text_addf(&names, "%s%s", i ? ", " : "", installs[i].name);
	install_list_free(installs, n);
	if (r < 0)
		return r;
	return error_say(err, ERROR_NOT_FOUND,
			 "no install '%s'; there is %s, and 'stint install add' makes another",
			 name, names.data ? names.data : "none");
}

int store_install_load(struct store *store, const char *name, struct install *ret_install,
		       struct error *err)
{
	struct install *installs = NULL;
	size_t n = 0;
	int r = list(store, name, &installs, &n, err);

	if (r < 0)
		return r;
	if (n == 0)
		return say_missing(store, name, err);
	*ret_install = installs[0];
	free(installs);
	return 0;
}

static int check_paths(const struct install *wanted, const struct install *there, struct error *err)
{
	for (size_t i = 0; wanted->paths[i]; i++)
		for (size_t j = 0; there->paths[j]; j++)
			if (path_is_within(wanted->paths[i], there->paths[j]) ||
			    path_is_within(there->paths[j], wanted->paths[i]))
				return error_say(err, ERROR_EXISTS,
						 "'%s' and '%s' of the install '%s' overlap",
						 wanted->paths[i], there->paths[j], there->name);
	return 0;
}

static int add(struct store *store, const struct install *install, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct install *installs = NULL;
	size_t n = 0;
	int r = store_install_list(store, &installs, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = strcmp(installs[i].name, install->name) == 0
			    ? error_say(
				      err, ERROR_EXISTS,
				      "there is an install '%s' already; 'stint install adopt %s' "
				      "makes a new generation of it",
				      install->name, install->name)
			    : check_paths(install, &installs[i], err);
	install_list_free(installs, n);
	if (r == 0)
		r = db_prepare(store, insert_install, &statement, err);
	if (r < 0)
		return r;
	if (row_bind(statement, 1, install_fields, ARRAY_SIZE(install_fields), install) !=
	    SQLITE_OK)
		return db_describe(store, err);
	return db_step(store, statement, err);
}

int store_install_add(struct store *store, const struct install *install, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, add(store, install, err), err);
}

static int write_generation(struct store *store, const char *install,
			    const struct generation *generation, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, insert_generation, &statement, err);

	if (r < 0)
		return r;
	if (row_bind(statement, 1, generation_fields, ARRAY_SIZE(generation_fields), generation) !=
	    SQLITE_OK)
		return db_describe(store, err);
	sqlite3_bind_text(statement, 1 + ARRAY_SIZE(generation_fields), install, -1, SQLITE_STATIC);
	return db_step(store, statement, err);
}

static int restore(struct store *store, const struct install *install,
		   const struct generation *generations, size_t n, struct error *err)
{
	int r = add(store, install, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = write_generation(store, install->name, &generations[i], err);
	return r;
}

int store_install_restore(struct store *store, const struct install *install,
			  const struct generation *generations, size_t n, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, restore(store, install, generations, n, err), err);
}

static int refuse_pinned(struct store *store, const char *name, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare_with(store, select_pinned, name, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r <= 0)
		return r;
	return error_say(err, ERROR_REFUSED,
			 "instance '%s' was started on a generation of '%s'; end it and the others "
			 "that were, see 'stint install show %s'",
			 (const char *)sqlite3_column_text(statement, 0), name, name);
}

static int remove_install(struct store *store, const char *name, struct error *err)
{
	struct install install = {0};
	int r = store_install_load(store, name, &install, err);

	install_deinit(&install);
	if (r == 0)
		r = refuse_pinned(store, name, err);
	if (r == 0)
		r = run_with(store, "DELETE FROM generation WHERE install = ?", name, err);
	return r < 0 ? r : run_with(store, "DELETE FROM install WHERE name = ?", name, err);
}

int store_install_remove(struct store *store, const char *name, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, remove_install(store, name, err), err);
}

static int put_newest(struct store *store, const char *install, uint32_t number, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare_with(store, set_newest, install, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 2, number);
	r = db_step(store, statement, err);
	if (r == 0 && sqlite3_changes(store->db) == 0)
		return error_say(
			err, ERROR_NOT_FOUND,
			"the install '%s' was removed, or got another generation, meanwhile",
			install);
	return r;
}

static int add_generation(struct store *store, const char *install,
			  const struct generation *generation, struct error *err)
{
	int r = put_newest(store, install, generation->number, err);

	return r < 0 ? r : write_generation(store, install, generation, err);
}

int store_generation_add(struct store *store, const char *install,
			 const struct generation *generation, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, add_generation(store, install, generation, err), err);
}

int store_generation_list(struct store *store, const char *install,
			  struct generation **ret_generations, size_t *ret_n, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct generation *generations = NULL, *one;
	size_t n = 0;
	int r = prepare_with(store, select_generations, install, &statement, err);

	while (r >= 0 && (r = db_step(store, statement, err)) > 0) {
		generations = xrealloc(generations, n + 1, sizeof(*generations));
		one = &generations[n++];
		*one = (struct generation){0};
		row_read(statement, 0, generation_fields, ARRAY_SIZE(generation_fields), one);
		one->instances =
			(uint32_t)sqlite3_column_int64(statement, ARRAY_SIZE(generation_fields));
	}
	if (r < 0) {
		generation_list_free(generations, n);
		return r;
	}
	*ret_generations = generations;
	*ret_n = n;
	return 0;
}

static int prune(struct store *store, const char *install, int64_t before_ns, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = prepare_with(store, prune_generations, install, &statement, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(statement, 2, before_ns);
	return db_step(store, statement, err);
}

int store_generation_prune(struct store *store, const char *install, int64_t replaced_before_ns,
			   struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, prune(store, install, replaced_before_ns, err), err);
}

static char *find_lower(const struct install *installs, size_t n, const char *directory)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; installs[i].newest && installs[i].paths[j]; j++)
			if (strcmp(installs[i].paths[j], directory) == 0)
				return xasprintf("%s/%u/%zu", installs[i].name, installs[i].newest,
						 j);
	return xstrdup("");
}

int store_find_lowers(struct store *store, char *const *directories, char ***ret_lowers,
		      struct error *err)
{
	struct install *installs = NULL;
	char **lowers = NULL;
	size_t n = 0;
	int r = store_install_list(store, &installs, &n, err);

	for (size_t i = 0; r == 0 && directories && directories[i]; i++) {
		cleanup_free char *lower = find_lower(installs, n, directories[i]);

		strv_add(&lowers, lower);
	}
	install_list_free(installs, n);
	if (r == 0)
		*ret_lowers = lowers;
	return r;
}
