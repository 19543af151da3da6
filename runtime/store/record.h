/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records <-> the tables "instance" and "port". Private to this folder. The writers run inside
 * the caller's transaction; one reader sees one state of the database, whatever others write.
 */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "store/db.h"
#include "store/store.h"

/* Writes the record as it is, its ports included. */
int record_insert(struct store *store, const struct record *record, struct error *err);

/* Its ports alone. */
int record_insert_ports(struct store *store, const struct grant *grant, struct error *err);

/* Frees the ports and the part of the quota, and sets until when the rest is kept. */
int record_keep(struct store *store, const char *id, int64_t until_ns, struct error *err);

/* Removes what record_insert wrote. A record that is not there is no error. */
int record_delete(struct store *store, const char *id, struct error *err);

/*
 * Puts the lease in place of that of the instance. Sets *ret_found to whether there is one.
 */
int record_update_lease(struct store *store, const char *id, const struct lease *lease,
			bool *ret_found, struct error *err);

/* Prepares the reading of records: "WHERE" and "ORDER BY" of the table "instance", ?1 is key. */
struct record_reader {
	struct store *store;
	sqlite3_stmt *instances, *ports;
};

int record_reader_init(struct record_reader *reader, struct store *store, const char *condition,
		       const char *key, struct error *err);
/* 1 and a record, 0 when there are no more, or a negative errno. */
int record_reader_next(struct record_reader *reader, struct record **ret_record, struct error *err);
void record_reader_deinit(struct record_reader *reader);
#define cleanup_record_reader cleanup(record_reader_deinit)

#endif
