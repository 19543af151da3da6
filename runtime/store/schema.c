/* SPDX-License-Identifier: Apache-2.0 */
/* The tables; see schema.h. */
#include "store/schema.h"
#include "base/clock.h"
#include "base/text.h"
#include "plan/zone.h"

#include <errno.h>

/*
 * Numbers that rise with every row ("seq") give the order: wall-clock times may step. Every column
 * of an instance is what struct record holds, under the same name.
 */
static const char version_1[] =
	"CREATE TABLE instance ("
	" seq INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL UNIQUE,"
	" name TEXT NOT NULL UNIQUE,"
	" owner_uid INTEGER NOT NULL,"
	" owner_gid INTEGER NOT NULL,"
	" owner TEXT,"
	" hold INTEGER NOT NULL,"
	" template_name TEXT,"
	" boot_id TEXT,"
	" created_ns INTEGER NOT NULL,"
	" plan TEXT,"
	" layers BLOB,"
	" cgroup TEXT,"
	" address INTEGER NOT NULL UNIQUE,"
	" lease_clock INTEGER NOT NULL,"
	" lease_source INTEGER NOT NULL,"
	" lease_deadline_ns INTEGER NOT NULL,"
	" lease_length_ns INTEGER NOT NULL,"
	" lease_max_ns INTEGER NOT NULL);"

	"CREATE TABLE port ("
	" instance TEXT NOT NULL,"
	" position INTEGER NOT NULL,"
	" name TEXT,"
	" scheme TEXT,"
	" host_address TEXT NOT NULL,"
	" host_port INTEGER NOT NULL,"
	" inside_port INTEGER NOT NULL,"
	" PRIMARY KEY (instance, position)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX port_on_host ON port (host_address, host_port) WHERE host_port <> 0;"

	"CREATE TABLE history ("
	" seq INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL,"
	" name TEXT NOT NULL,"
	" template_name TEXT,"
	" owner TEXT,"
	" created_ns INTEGER NOT NULL,"
	" ended_ns INTEGER NOT NULL,"
	" reason TEXT NOT NULL,"
	" exit_status INTEGER NOT NULL,"
	" exit_signal INTEGER NOT NULL);"

	/* one row: the address that was given out last */
	"CREATE TABLE last_address (address INTEGER NOT NULL);"
	"INSERT INTO last_address VALUES (-1);";

/* Ranges of user ids; what is given out in turn is a "number" in both tables. */
static const char version_2[] =
	"ALTER TABLE last_address RENAME COLUMN address TO number;"
	"CREATE TABLE last_id_range (number INTEGER NOT NULL);"
	"INSERT INTO last_id_range VALUES (-1);"
	"ALTER TABLE instance ADD COLUMN id_base INTEGER NOT NULL DEFAULT 0;"
	"CREATE UNIQUE INDEX id_base_once ON instance (id_base) WHERE id_base <> 0;";

/* What holds the limit of what an instance writes. */
static const char version_3[] =
	"ALTER TABLE instance ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN disk TEXT;";

/* What counts against an owner's quota, and whose an entry of the history is: nobody knows by now.
 */
static const char version_4[] =
	"ALTER TABLE instance ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN cpu_millis INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE history ADD COLUMN owner_uid INTEGER NOT NULL DEFAULT -1;";

/* Network segments; everybody was in the one that is always there. */
static const char version_5[] =
	"CREATE TABLE zone ("
	" name TEXT PRIMARY KEY,"
	" number INTEGER NOT NULL UNIQUE,"
	" tier TEXT NOT NULL,"
	" peers INTEGER NOT NULL,"
	" egress TEXT NOT NULL,"
	" dns TEXT NOT NULL) WITHOUT ROWID;"
	"INSERT INTO zone VALUES ('" ZONE_DEFAULT "', 1, 'sandbox', 0, 'none', 'host');"
	"ALTER TABLE instance ADD COLUMN zone TEXT NOT NULL DEFAULT '" ZONE_DEFAULT "';"
	"ALTER TABLE instance ADD COLUMN address6 TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE instance ADD COLUMN ha_group TEXT;";

/*
 * What every start asks is found without reading the other instances: who is due, whose name is in
 * a zone, what an owner uses, who has which address and ids.
 */
static const char version_6[] =
	"CREATE INDEX instance_boot ON instance (boot_id);"
	"CREATE INDEX instance_lease ON instance (lease_clock, lease_deadline_ns);"
	"CREATE INDEX instance_zone ON instance (zone, name, id, address, address6);"
	"CREATE INDEX instance_ha_group ON instance (ha_group) WHERE ha_group IS NOT NULL;"
	"CREATE INDEX instance_owner ON instance (owner_uid, memory_bytes, cpu_millis, "
	"disk_bytes);";

/* What an instance came to: of those that ended before, nobody knows. */
static const char version_7[] =
	"ALTER TABLE history ADD COLUMN zone TEXT;"
	"ALTER TABLE history ADD COLUMN ready_after_ns INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN restarts INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN memory_bytes INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN cpu_ns INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN disk_bytes INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN io_bytes INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN io_by TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE history ADD COLUMN connections INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN bytes_in INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN bytes_out INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE history ADD COLUMN log TEXT;";

/* What a lease says beside its deadline, and what is kept of an instance that has ended. */
static const char version_8[] =
	"ALTER TABLE instance ADD COLUMN lease_idle_ns INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN lease_idle_source INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN lease_frozen_ns INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN on_expiry INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN keep_failed_ns INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN kept_until_ns INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX instance_kept ON instance (kept_until_ns, id) WHERE kept_until_ns <> 0;"
	"DROP INDEX instance_zone;"
	"CREATE INDEX instance_zone"
	" ON instance (zone, name, id, address, address6, kept_until_ns);";

/* What instances are started on: a table for what must not be removed while they live. */
static const char version_9[] = "CREATE TABLE install ("
				" name TEXT PRIMARY KEY,"
				" paths BLOB NOT NULL,"
				" newest INTEGER NOT NULL,"
				" created_ns INTEGER NOT NULL) WITHOUT ROWID;"

				"CREATE TABLE generation ("
				" install TEXT NOT NULL,"
				" number INTEGER NOT NULL,"
				" backend TEXT NOT NULL,"
				" created_ns INTEGER NOT NULL,"
				" files INTEGER NOT NULL,"
				" bytes INTEGER NOT NULL,"
				" PRIMARY KEY (install, number)) WITHOUT ROWID;"

				"CREATE TABLE pin ("
				" instance TEXT NOT NULL,"
				" install TEXT NOT NULL,"
				" number INTEGER NOT NULL,"
				" PRIMARY KEY (instance, install)) WITHOUT ROWID;"
				"CREATE INDEX pin_generation ON pin (install, number);"

				"ALTER TABLE instance ADD COLUMN lowers BLOB;"
				"ALTER TABLE instance ADD COLUMN after_end BLOB;";

/* Who is to take the place of whom, and the ports that are the other one's until then. */
static const char version_10[] = "CREATE TABLE succession ("
				 " successor TEXT PRIMARY KEY,"
				 " predecessor TEXT NOT NULL UNIQUE,"
				 " name TEXT NOT NULL,"
				 " done INTEGER NOT NULL) WITHOUT ROWID;"

				 "CREATE TABLE future_port ("
				 " instance TEXT NOT NULL,"
				 " position INTEGER NOT NULL,"
				 " name TEXT,"
				 " scheme TEXT,"
				 " host_address TEXT NOT NULL,"
				 " host_port INTEGER NOT NULL,"
				 " inside_port INTEGER NOT NULL,"
				 " PRIMARY KEY (instance, position)) WITHOUT ROWID;";

/* Installs that are seen as they are, what changed below instances, and what is on trial. */
static const char version_11[] =
	"ALTER TABLE install ADD COLUMN live INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE install ADD COLUMN candidate INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE instance ADD COLUMN tainted INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE taint ("
	" instance TEXT NOT NULL,"
	" path BLOB NOT NULL,"
	" change INTEGER NOT NULL,"
	" PRIMARY KEY (instance, path)) WITHOUT ROWID;"
	"CREATE INDEX pin_live ON pin (install) WHERE number = 0;";

/* What is worth keeping of an instance, and what lies above its installs. */
static const char version_12[] = "ALTER TABLE instance ADD COLUMN harvest BLOB;"
				 "ALTER TABLE instance ADD COLUMN above BLOB;";

/* Pools, and what was started ahead for them. */
static const char version_13[] = "CREATE TABLE pool ("
				 " template_name TEXT NOT NULL,"
				 " zone TEXT NOT NULL,"
				 " source TEXT NOT NULL,"
				 " likeness TEXT,"
				 " size INTEGER NOT NULL,"
				 " max_age_ns INTEGER NOT NULL,"
				 " hits INTEGER NOT NULL DEFAULT 0,"
				 " misses INTEGER NOT NULL DEFAULT 0,"
				 " claim_ns INTEGER NOT NULL DEFAULT 0,"
				 " starts INTEGER NOT NULL DEFAULT 0,"
				 " ready_ns INTEGER NOT NULL DEFAULT 0,"
				 " failures INTEGER NOT NULL DEFAULT 0,"
				 " failed_ns INTEGER NOT NULL DEFAULT 0,"
				 " error TEXT,"
				 " PRIMARY KEY (template_name, zone)) WITHOUT ROWID;"

				 "CREATE TABLE spare ("
				 " instance TEXT PRIMARY KEY,"
				 " template_name TEXT NOT NULL,"
				 " zone TEXT NOT NULL,"
				 " likeness TEXT NOT NULL,"
				 " ready INTEGER NOT NULL) WITHOUT ROWID;";

/* What leads from each version to the next; a database that lacks several takes several. */
static const char *const versions[] = {version_1,  version_2,  version_3, version_4, version_5,
				       version_6,  version_7,  version_8, version_9, version_10,
				       version_11, version_12, version_13};

_Static_assert(ARRAY_SIZE(versions) == SCHEMA_VERSION, "a step for every version");

/* Kept by the handle, not by the file. */
static const char settings[] = "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;";

static int read_version(struct store *store, int *ret_version, struct error *err)
{
	cleanup_statement sqlite3_stmt *statement = NULL;
	int r = db_prepare(store, "PRAGMA user_version", &statement, err);

	if (r == 0)
		r = db_step(store, statement, err);
	if (r < 0)
		return r;
	*ret_version = sqlite3_column_int(statement, 0);
	return 0;
}

static int make_tables(struct store *store, struct error *err)
{
	cleanup_free char *mark = xasprintf("PRAGMA user_version = %d", SCHEMA_VERSION);
	int version;
	int r = read_version(store, &version, err);

	/* somebody else may have made them while this process waited for the lock */
	if (r == 0 && version >= SCHEMA_VERSION)
		return 0;
	for (; r == 0 && version < SCHEMA_VERSION; version++)
		r = db_run(store, versions[version], err);
	return r < 0 ? r : db_run(store, mark, err);
}

static int upgrade(struct store *store, int version, struct error *err)
{
	int r = version == 0 ? db_run(store, "PRAGMA journal_mode = WAL", err) : 0;

	if (r == 0)
		r = db_begin(store, err);
	if (r == 0)
		r = db_end(store, make_tables(store, err), err);
	return r;
}

static int prepare_once(struct store *store, struct error *err)
{
	int version;
	int r = read_version(store, &version, err);

	if (r == 0 && version > SCHEMA_VERSION)
		return error_say(err, ERROR_FAILED,
				 "'%s' was written by a newer stint (schema %d, this program knows "
				 "%d): use the newer program",
				 store->path, version, SCHEMA_VERSION);
	if (r == 0 && version < SCHEMA_VERSION)
		r = upgrade(store, version, err);
	if (r == 0)
		r = db_run(store, settings, err);
	return r;
}

/*
 * The switch to WAL needs the file for itself, and SQLite answers SQLITE_BUSY there without
 * asking the busy handler when two handles would wait for one another.
 */
int schema_prepare(struct store *store, struct error *err)
{
	int64_t since_ns = clock_boottime_ns();
	int tries = 0, r;

	do
		r = prepare_once(store, err);
	while (r == -EBUSY && db_pause(since_ns, tries++));
	return r;
}
