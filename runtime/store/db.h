/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thin layer between the store and SQLite: one handle, statements, transactions, and the words
 * for what can go wrong. Private to this folder. Runs in commands only, never in the keeper.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/cleanup.h"
#include "base/error.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

struct store {
	sqlite3 *db;
	char *path;		  /* of the database file, for messages */
	int64_t waiting_since_ns; /* boot time; when the busy handler was first asked this time */
	int log_pages;		  /* in the write-ahead log after this handle's last commit */
};

/*
 * Opens the file at store->path, creating it (mode 0600) when there is none. SQLite gives the
 * files beside it, "-wal" and "-shm", the mode of the database itself.
 */
int db_open(struct store *store, struct error *err);

/* The same for reading alone, of a file that cannot be written (sqlite.org/wal.html#readonly). */
int db_open_to_read(struct store *store, struct error *err);
void db_close(struct store *store);

/*
 * Sleeps for a moment because somebody else holds a lock, since that moment of CLOCK_BOOTTIME.
 * False when the waiting has lasted 10 seconds. SQLite asks it through the busy handler; it is
 * public for the few places where SQLite reports SQLITE_BUSY without asking.
 */
bool db_pause(int64_t since_ns, int tries);

/*
 * Describes the last failure of the handle: what is wrong with which file, and what to do about
 * it. Returns a negative errno: -EUCLEAN damaged, -ENOSPC full, -EROFS read-only, -EBUSY locked,
 * -EEXIST a row of that key is there, else the system's own or -EIO.
 */
int db_describe(const struct store *store, struct error *err);

/* Runs SQL without parameters or results. */
int db_run(struct store *store, const char *sql, struct error *err);

int db_prepare(struct store *store, const char *sql, sqlite3_stmt **ret_statement,
	       struct error *err);
/* The same with a text as its first parameter, which must outlive it; and run without a result. */
int db_prepare_text(struct store *store, const char *sql, const char *text,
		    sqlite3_stmt **ret_statement, struct error *err);
int db_run_text(struct store *store, const char *sql, const char *text, struct error *err);
/* 1: there is a row, 0: done, or a negative errno. */
int db_step(struct store *store, sqlite3_stmt *statement, struct error *err);
void db_finalize(sqlite3_stmt **statement);
#define cleanup_statement cleanup(db_finalize)

/* Takes the write lock at once: no reader that turns writer can then find itself outdated. */
int db_begin(struct store *store, struct error *err);
/* Commits when result is 0, else rolls back and returns result. */
int db_end(struct store *store, int result, struct error *err);

/*
 * Copies the write-ahead log into the database and empties it when this handle's last commit has
 * left more than so many pages there. A lone process reads all of them when it opens the
 * database, 2 microseconds each, and emptying it takes milliseconds: so it is done at the end of
 * an instance, and by db_end only beyond 250 pages. A failure is none: the data is in the log.
 */
void db_shorten_log(struct store *store, int pages);

#endif
