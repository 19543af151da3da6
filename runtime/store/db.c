/* SPDX-License-Identifier: Apache-2.0 */
/* The handle, its statements and its failures; see db.h. */
#include "store/db.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#define PATIENCE_NS (10 * NSEC_PER_SEC)
#define LOG_PAGES_MAX 250

/*
 * SQLite's own handler sleeps up to 100 ms between two tries, but a transaction here takes a
 * fraction of a millisecond. The odd part keeps processes that started together apart.
 */
bool db_pause(int64_t since_ns, int tries)
{
	int64_t now = clock_boottime_ns();
	int64_t base = tries < 8 ? 250000 : 2000000;
	struct timespec pause = {.tv_nsec = base + now % base};

	if (now - since_ns > PATIENCE_NS)
		return false;
	nanosleep(&pause, NULL);
	return true;
}

static int on_busy(void *data, int tries)
{
	struct store *store = data;

	if (tries == 0)
		store->waiting_since_ns = clock_boottime_ns();
	return db_pause(store->waiting_since_ns, tries);
}

struct trouble {
	int code; /* SQLite's primary result code; 0 ends the table and fits everything else */
	int errnum;
	const char *what, *advice;
};

static const char move_away[] =
	"run 'stint doctor --rebuild', which sets it aside and makes a new one from what is on "
	"this host";
/* Not with "stint down": the removal of a record is written, too. */
static const char make_room[] =
	"make room on its file system, in files that are not stint's, and try again";
static const char find_holder[] = "find the process that holds it with 'fuser -v' on that file";

static const struct trouble troubles[] = {
	{SQLITE_NOTADB, EUCLEAN, "is damaged", move_away},
	{SQLITE_CORRUPT, EUCLEAN, "is damaged", move_away},
	{SQLITE_FULL, ENOSPC, "cannot be written, the disk is full", make_room},
	{SQLITE_READONLY, EROFS, "cannot be written",
	 "see whether its file system is mounted read-only, and who owns the file"},
	{SQLITE_BUSY, EBUSY, "was in use by others for 10 s", find_holder},
	{SQLITE_PROTOCOL, EBUSY, "was in use by others for 10 s", find_holder},
	{SQLITE_CONSTRAINT, EEXIST, "already has an entry of that key", "try again"},
	{SQLITE_CANTOPEN, EIO, "cannot be opened", "look at the directory's owner and mode"},
	{0, EIO, "cannot be used", "look at the kernel's messages about its disk"},
};

static const struct trouble *trouble_of(int code)
{
	const struct trouble *trouble = troubles;

	while (trouble->code && trouble->code != code)
		trouble++;
	return trouble;
}

/* Some writes, those of the "-shm" file among them, report a full disk as an I/O error. */
static int primary_code(const struct store *store, int errnum)
{
	int code = sqlite3_extended_errcode(store->db) & 0xff;
	struct statvfs fs;

	if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN)
		return code;
	if (errnum == ENOSPC || errnum == EDQUOT)
		return SQLITE_FULL;
	if (errnum == EROFS)
		return SQLITE_READONLY;
	if (code == SQLITE_IOERR && statvfs(store->path, &fs) == 0 && fs.f_bfree == 0)
		return SQLITE_FULL;
	return code;
}

/* errnum: of the system call behind it, 0 when there was none. */
static int say_trouble(const struct store *store, int code, int errnum, struct error *err)
{
	const struct trouble *trouble = trouble_of(code);
	const char *detail = errnum > 0 ? strerror(errnum) : sqlite3_errmsg(store->db);
	int r = errnum > 0 ? -errnum : -trouble->errnum;

	error_say(err, ERROR_FAILED, "'%s' %s (%s): %s", store->path, trouble->what, detail,
		  trouble->advice);
	if (err)
		err->code = r;
	return r;
}

int db_describe(const struct store *store, struct error *err)
{
	int errnum = sqlite3_system_errno(store->db);
	int code = primary_code(store, errnum);

	if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN)
		errnum = 0; /* of an earlier call */
	return say_trouble(store, code, errnum, err);
}

static int open_handle(struct store *store, int mode)
{
	db_close(store);
	return sqlite3_open_v2(store->path, &store->db, mode | SQLITE_OPEN_NOMUTEX, NULL);
}

/* O_EXCL: closing a file that SQLite has open elsewhere in this process would drop its locks. */
static int create_file(const struct store *store, struct error *err)
{
	cleanup_fd int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 && errno != EEXIST)
		return error_set(err, errno, "cannot create '%s'", store->path);
	return 0;
}

static bool is_read_only(const struct store *store)
{
	return sqlite3_db_readonly(store->db, "main") == 1;
}

/*
 * SQLite opens what it cannot open for writing a second time, for reading only: on a read-only
 * disk, but also when another process has created the file between its two tries.
 */
static int open_for_writing(struct store *store, struct error *err)
{
	int rc = open_handle(store, SQLITE_OPEN_READWRITE);

	if (rc == SQLITE_OK && is_read_only(store))
		rc = open_handle(store, SQLITE_OPEN_READWRITE);
	if (rc != SQLITE_OK)
		return db_describe(store, err);
	if (is_read_only(store))
		return say_trouble(store, SQLITE_READONLY,
				   access(store->path, W_OK) < 0 ? errno : EROFS, err);
	return 0;
}

/*
 * Keeps the number of pages in the log, in place of SQLite's own automatic checkpoint: that one
 * copies the log but leaves it as it is for the next writer to start over, and when no process
 * has the database open in between, the next one cannot know and appends, without any bound.
 */
static int on_commit(void *data, sqlite3 *db, const char *name, int pages)
{
	struct store *store = data;

	(void)db;
	(void)name;
	store->log_pages = pages;
	return SQLITE_OK;
}

static void settle_handle(struct store *store)
{
	sqlite3_extended_result_codes(store->db, 1);
	sqlite3_busy_handler(store->db, on_busy, store);
	sqlite3_wal_hook(store->db, on_commit, store);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

int db_open_to_read(struct store *store, struct error *err)
{
	if (open_handle(store, SQLITE_OPEN_READONLY) != SQLITE_OK)
		return db_describe(store, err);
	settle_handle(store);
	return 0;
}

int db_open(struct store *store, struct error *err)
{
	int r;

	if (access(store->path, F_OK) < 0 && errno == ENOENT) {
		r = create_file(store, err);
		if (r < 0)
			return r;
	}
	r = open_for_writing(store, err);
	if (r < 0)
		return r;
	settle_handle(store);
	return 0;
}

void db_close(struct store *store)
{
	sqlite3_close(store->db);
	store->db = NULL;
}

int db_run(struct store *store, const char *sql, struct error *err)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_describe(store, err);
	return 0;
}

int db_prepare(struct store *store, const char *sql, sqlite3_stmt **ret_statement,
	       struct error *err)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return db_describe(store, err);
	*ret_statement = statement;
	return 0;
}

int db_prepare_text(struct store *store, const char *sql, const char *text,
		    sqlite3_stmt **ret_statement, struct error *err)
{
	int r = db_prepare(store, sql, ret_statement, err);

	if (r == 0)
		sqlite3_bind_text(*ret_statement, 1, text, -1, SQLITE_STATIC);
	return r;
}

int db_run_text(struct store *store, const char *sql, const char *text, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare_text(store, sql, text, &statement, err);

	return r < 0 ? r : db_step(store, statement, err);
}

int db_step(struct store *store, sqlite3_stmt *statement, struct error *err)
{
	int rc = sqlite3_step(statement);

	if (rc == SQLITE_ROW)
		return 1;
	return rc == SQLITE_DONE ? 0 : db_describe(store, err);
}

void db_finalize(sqlite3_stmt **statement)
{
	sqlite3_finalize(*statement);
	*statement = NULL;
}

int db_begin(struct store *store, struct error *err)
{
	return db_run(store, "BEGIN IMMEDIATE", err);
}

int db_end(struct store *store, int result, struct error *err)
{
	if (result == 0)
		result = db_run(store, "COMMIT", err);
	/* after some failures, a full disk for one, SQLite has rolled back by itself */
	if (result < 0 && !sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	if (result == 0)
		db_shorten_log(store, LOG_PAGES_MAX);
	return result;
}

/*
 * Waits for nobody: while others read or write, one of them will do it. The first pass copies and
 * waits for the disk, for seconds where that is busy, without keeping a writer out; what it leaves
 * for the second, which does keep them out, is to cut the file.
 */
void db_shorten_log(struct store *store, int pages)
{
	int left = 0, copied = 0;

	if (store->log_pages <= pages)
		return;
	sqlite3_busy_handler(store->db, NULL, NULL);
	if (sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_PASSIVE, &left,
				      &copied) == SQLITE_OK &&
	    left == copied)
		sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL,
					  NULL);
	sqlite3_busy_handler(store->db, on_busy, store);
}
