/* SPDX-License-Identifier: Apache-2.0 */
/* Installs and their generations; see installs.h. */
#include "store/installs.h"
#include "base/path.h"
#include "base/text.h"
#include "store/generations.h"
#include "store/row.h"

#include <string.h>

static const struct field install_fields[] = {
	FIELD(TEXT, struct install, name),  FIELD(LIST, struct install, paths),
	FIELD(U32, struct install, newest), FIELD(I64, struct install, created_ns),
	FIELD(BOOL, struct install, live),  FIELD(U32, struct install, candidate),
};
#define INSTALL_COLUMNS "name, paths, newest, created_ns, live, candidate"

static const char insert_install[] =
	"INSERT INTO install (" INSTALL_COLUMNS ") VALUES (?, ?, ?, ?, ?, ?)";
static const char select_installs[] = "SELECT " INSTALL_COLUMNS " FROM install"
				      " WHERE ?1 IS NULL OR name = ?1 ORDER BY name";
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

static int list(struct store *store, const char *name, struct install **ret_installs, size_t *ret_n,
		struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	struct install *installs = NULL;
	size_t n = 0;
	int r = db_prepare_text(store, select_installs, name, &statement, err);

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

static int restore(struct store *store, const struct install *install,
		   const struct generation *generations, size_t n, struct error *err)
{
	int r = add(store, install, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		r = generation_insert(store, install->name, &generations[i], err);
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
	int r = db_prepare_text(store, select_pinned, name, &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r <= 0)
		return r;
	return error_say(err, ERROR_REFUSED,
			 "instance '%s' was started on '%s'; end it and the others "
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
		r = db_run_text(store, "DELETE FROM generation WHERE install = ?", name, err);
	return r < 0 ? r : db_run_text(store, "DELETE FROM install WHERE name = ?", name, err);
}

int store_install_remove(struct store *store, const char *name, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r : db_end(store, remove_install(store, name, err), err);
}

int store_install_set_live(struct store *store, const char *name, struct error *err)
{
	int r = db_begin(store, err);

	return r < 0 ? r
		     : db_end(store,
			      db_run_text(store, "UPDATE install SET live = 1 WHERE name = ?", name,
					  err),
			      err);
}

static uint32_t number_for(const struct install *install, const struct trial *trial)
{
	if (trial && strcmp(trial->install, install->name) == 0)
		return trial->generation;
	return install->live ? 0 : install->newest;
}

static char *find_lower(const struct install *installs, size_t n, const struct trial *trial,
			const char *directory)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; installs[i].paths[j]; j++) {
			uint32_t number = number_for(&installs[i], trial);

			if ((number || installs[i].live) &&
			    strcmp(installs[i].paths[j], directory) == 0)
				return xasprintf("%s/%u/%zu", installs[i].name, number, j);
		}
	return xstrdup("");
}

int store_find_lowers(struct store *store, char *const *directories, const struct trial *trial,
		      char ***ret_lowers, struct error *err)
{
	struct install *installs = NULL;
	char **lowers = NULL;
	size_t n = 0;
	int r = store_install_list(store, &installs, &n, err);

	for (size_t i = 0; r == 0 && directories && directories[i]; i++) {
		cleanup_free char *lower = find_lower(installs, n, trial, directories[i]);

		strv_add(&lowers, lower);
	}
	install_list_free(installs, n);
	if (r == 0)
		*ret_lowers = lowers;
	return r;
}
