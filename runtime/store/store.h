/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is and was: one SQLite database in the state directory, shared by all stint processes of
 * the host. A handle is never held across a fork nor while idle: open, one or a few transactions,
 * close. Every write is one IMMEDIATE transaction; a busy database is waited for (10 s).
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/error.h"
#include "plan/config.h"
#include "plan/grant.h"

#include <netinet/in.h>

struct store;

/*
 * What was really made on the host for an instance, written before it is made. An instance is
 * undone from this alone.
 */
struct record {
	struct grant grant;
	char *template_name;
	char *boot_id;	    /* the boot in which the instance was started */
	int64_t created_ns; /* wall clock, nanoseconds since the epoch */
	char *plan;	    /* canonical text of the plan */
	char **layers;	/* install directories; layer i has its upper in the pool's "layer/<i>" */
	char **lowers;	/* what the view of layer i lies on: installs.h; given out by store_admit */
	char **harvest; /* paths whose changes are worth keeping; NULL: all of the layers */
	char **above;	/* further lower layers, "INDEX:DIRECTORY" each, the lowest first */
	char **after_end;		 /* hook: timeout in ns, user or "", command; NULL: none */
	char *cgroup;			 /* name of the parent group below each hierarchy's root */
	char *zone;			 /* its network segment */
	char *ha_group;			 /* whose members must not share a host; NULL: none */
	uint32_t address;		 /* IPv4, host byte order; given out by store_admit */
	char address6[INET6_ADDRSTRLEN]; /* goes with that one; "": none */
	uint32_t id_base; /* first of its ID_RANGE_SIZE ids on the host, given out too; 0: none */
	uint64_t disk_bytes;		   /* limit of what it writes, 0: none */
	uint64_t memory_bytes, cpu_millis; /* limits that count in its owner's quota, 0: none */
	char *disk;			   /* what holds that limit (disk.h), NULL: nothing */
	unsigned on_expiry;		   /* enum plan_expiry */
	int64_t keep_failed_ns; /* how long log and files are kept when it has failed, 0: not */
	int64_t kept_until_ns;	/* wall clock: it has ended and is kept; 0: it has not */
	uint32_t tainted;	/* files that changed below it (taints.h) */
};

/* What an instance came to, from start to end. A number that nobody could tell is -1. */
struct usage {
	int64_t ready_after_ns; /* of its start; -1 also: it never was */
	int64_t restarts;	/* of the server */
	int64_t memory_bytes;	/* the most at one time */
	int64_t cpu_ns;
	int64_t disk_bytes; /* what it had written and not removed, at its end */
	int64_t io_bytes;   /* that the kernel wrote to disks in its name */
	char io_by[24];	    /* who counted those: "cgroup v1 blkio"; "": nobody */
	int64_t connections, bytes_in, bytes_out; /* of all published ports */
	char *log; /* its last lines, fit for a terminal; NULL: it wrote nothing, or that is lost */
};

/* How and why an instance ended; the history keeps it. Begins as ending_unknown. */
struct ending {
	int64_t ended_ns; /* wall clock */
	char reason[160]; /* "expired", "stopped by alice", "exited 3", ... */
	int exit_status;  /* of the server; -1 when it did not exit by itself */
	int exit_signal;  /* 0 when none */
	struct usage usage;
};

extern const struct ending ending_unknown;
void ending_deinit(struct ending *ending);
#define cleanup_ending cleanup(ending_deinit)

struct history_entry {
	char *id, *name, *template_name, *owner, *zone;
	int64_t created_ns;
	struct ending ending;
};

/* What the instances of everybody may have of the host, as the start that asks has found it. */
struct host_budget {
	uint64_t memory_bytes;	  /* that their limits may add up to, 0: no bound */
	uint64_t unlimited_bytes; /* what one without a limit counts as there, 0: nothing */
	uint64_t disk_bytes;	  /* that this one will need on the file system of the store */
	uint64_t spare_bytes;	  /* that stay free there */
};

/* What an instance may be given. */
struct admission {
	struct address_range addresses;
	struct in6_addr prefix6;   /* the n-th address with it is the n-th's other one */
	struct id_span ids;	   /* count 0: the instance gets no ids of its own */
	const struct quota *quota; /* the owner is restricted; NULL: not */
	const char *predecessor;   /* id of the instance whose place it will take; NULL: none */
	const struct trial *trial; /* the generation it is to try; NULL: none */
	const char *likeness;	   /* it is a spare (spares.h) of that kind; NULL: it is not */
	struct host_budget budget;
};

/* A generation that is no default yet, and the instance that shall try it. */
struct trial {
	const char *install;
	uint32_t generation;
};

/* Whose instances must end before there is room for another one. */
enum room {
	ROOM_NEVER,    /* it is no matter of room, or there will never be any */
	ROOM_OF_OWNER, /* his own: a quota */
	ROOM_OF_HOST,  /* anybody's */
};

/*
 * Opens or creates "store.db" in the directory state_path (which must exist), journal mode WAL,
 * synchronous NORMAL, no checkpoint at close. A newer schema than this program knows, a file that
 * is no database, a full or read-only disk are errors that name the file and say what to do.
 */
int store_open(const char *state_path, struct store **ret_store, struct error *err);

/*
 * The same for who only reads: where nothing can be written, what is there is read as it is. Making
 * or changing a database is not possible with that.
 */
int store_open_to_read(const char *state_path, struct store **ret_store, struct error *err);
void store_close(struct store *store);
void store_cleanup(struct store **store);
#define cleanup_store cleanup(store_cleanup)

/*
 * Writes the record of an instance that is about to be made, and gives out its address and ids (the
 * next free ones after the last that were given, wrapping around; record->address, address6 and
 * id_base are set) in the same transaction. ERROR_EXISTS when the name is taken (the text names its
 * owner), ERROR_NOT_FOUND when there is no such zone, ERROR_REFUSED when another one of its
 * high-availability group is there, -EADDRINUSE (kind ERROR_FAILED) when a
 * published fixed port is already in the store. ERROR_REFUSED also when there is no room for it
 * (store_lacks_room), with the figures and which instance would give some back. For a restricted
 * owner, errors name nobody else's instances. One that will take the place of another instance
 * (succession.h) gets a name for now, and its ports and what it adds to a quota are the other's.
 */
int store_admit(struct store *store, struct record *record, const struct admission *admission,
		struct error *err);

/* What a refusal of store_admit waits for. */
enum room store_lacks_room(const struct error *err);

/* Opens it and reads all of it: 0 when it is sound, -EUCLEAN when it is damaged. */
int store_check(const char *state_path, struct error *err);

/* Enters the record as it is, for a store that has lost it. -EEXIST when something of it is taken.
 */
int store_restore(struct store *store, const struct record *record, struct error *err);

/* True in *ret_taken when an instance of that name is in the store. */
int store_name_taken(struct store *store, const char *name, bool *ret_taken, struct error *err);

/*
 * -EADDRINUSE (ERROR_FAILED) when a port of that address is published by an instance, which is
 * named unless discreet.
 */
int store_check_port(struct store *store, const char *address, uint16_t port, bool discreet,
		     struct error *err);

/* Loads by name, or by id when no name matches. ERROR_NOT_FOUND with "no instance 'x'". */
int store_load(struct store *store, const char *name_or_id, struct record **ret_record,
	       struct error *err);

/* By id alone: somebody may have given his instance the id of another one as its name. */
int store_load_id(struct store *store, const char *id, struct record **ret_record,
		  struct error *err);

/* All records, oldest first. The caller frees with record_list_free. */
int store_list(struct store *store, struct record ***ret_records, size_t *ret_count,
	       struct error *err);

/* The ids of all records, in no order; kept: also of what has ended and is kept. */
int store_list_ids(struct store *store, bool kept, char ***ret_ids, struct error *err);

/* The id of the one that was entered last, but for that one; "": there is none. */
int store_newest(struct store *store, const char *but, char ret_id[INSTANCE_ID_LENGTH + 1],
		 struct error *err);

/*
 * The ids of those whose deadline on their clock, with the time that they may be frozen, is before
 * the time given for it, of those that were started in another boot than boot_id, and of those that
 * were kept for long enough. Costs the same whatever else is there.
 */
int store_list_due(struct store *store, const char *boot_id, int64_t boottime_ns, int64_t wall_ns,
		   char ***ret_ids, struct error *err);

/* Replaces the lease of an instance. ERROR_NOT_FOUND when it is gone. */
int store_set_lease(struct store *store, const char *id, const struct lease *lease,
		    struct error *err);

/*
 * Moves the record to the history, which frees name, address and ports, in one transaction.
 * A record that is already gone is no error (undo may run twice). The history keeps the newest
 * 10,000 entries.
 */
int store_finish(struct store *store, const char *id, const struct ending *ending,
		 struct error *err);

/*
 * The instance has ended and its files are kept until then (wall clock): the history gets its
 * entry, and its ports and what it took of memory and processors in its owner's quota are free
 * again. Name, address and ids stay its own until store_finish. May run twice.
 */
int store_keep(struct store *store, const char *id, const struct ending *ending, int64_t until_ns,
	       struct error *err);

/*
 * Newest first, at most limit entries; those of a name, or the one of an id, NULL: all; owner NULL:
 * of all owners.
 */
int store_history(struct store *store, const char *name, const uid_t *owner, size_t limit,
		  struct history_entry **ret_entries, size_t *ret_count, struct error *err);

/*
 * Removes from the history what ended before that time of the wall clock, and all but the newest
 * keep entries; INT64_MIN and SIZE_MAX: nothing for that reason. *ret_removed says how many.
 */
int store_prune(struct store *store, int64_t before_ns, size_t keep, size_t *ret_removed,
		struct error *err);

void record_free(struct record *record);
void record_cleanup(struct record **record);
#define cleanup_record cleanup(record_cleanup)
void record_list_free(struct record **records, size_t count);
void history_free(struct history_entry *entries, size_t count);

#endif
