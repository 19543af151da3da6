/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one instance, as commands see it: start it from a plan, talk to its keeper, end it.
 * Whatever a start or an end did on the host is undone from the record alone (steps.h).
 */
#ifndef INSTANCE_INSTANCE_H
#define INSTANCE_INSTANCE_H

#include "instance/account.h"
#include "instance/secret.h"
#include "instance/site.h"
#include "keeper/control.h"
#include "keeper/status.h"
#include "plan/plan.h"

/* A harvest (harvest.h), open, and what it is called. */
struct given_harvest {
	const char *name;
	int fd;
};

/* What the command line asks for, beside the plan. */
struct start_request {
	const struct plan *plan;
	const char *name;     /* NULL: one is made */
	char *const *publish; /* "HOSTPORT:NAME", "ADDRESS:HOSTPORT:NAME", "NAME"; NULL: all */
	const struct account *owner;
	struct lease lease; /* deadline already absolute */
	bool hold;
	int cancel; /* readable once a hook before the start is to stop; -1: never */
	const struct given_secrets *secrets; /* as secrets_check wants them */
	const struct quota *quota;	     /* the owner is restricted; NULL: not */
	const struct given_harvest *with;    /* put in before the server starts; NULL: nothing */
	struct ticket *ticket;		     /* queue.h: given back once it is admitted; or NULL */
	const struct record *predecessor;    /* gives name, owner, lease and ports; NULL: nobody */
	const struct trial *trial;	     /* the generation it is to try; NULL: none */
	bool may_claim;			     /* a spare will do (spares.h) */
	const char *likeness; /* it is to be a spare of that likeness; NULL: it is not */
};

/* What a pool had to do with a start. */
enum pool_use {
	POOL_NONE,    /* there is none for its template and zone, or none was wanted */
	POOL_CLAIMED, /* the instance was a spare */
	POOL_EMPTY,   /* one would have done, and none was ready */
	POOL_DIFFERS, /* its spares are not what was asked for */
};

/* What was brought into it at its start (--with), by the name that it had; NULL: nothing. The
 * caller frees. */
char *instance_brought_along(const struct site *site, const char *id);
/* It has begun anew without that. */
void instance_brought_nothing(const struct site *site, const char *id);

/* An instance that this command has just started and is tied to. */
struct instance {
	struct record *record;
	int tie;      /* connection to the keeper; closing it ends an instance not yet released */
	pid_t keeper; /* our child; 0: it was a spare */
	enum pool_use pool;
	struct error without; /* why it has no user namespace, which its plan allows; or nothing */
};

/*
 * Makes the instance up to its running keeper. On failure nothing is left. Errors: ERROR_EXISTS
 * for a taken name, ERROR_FAILED with the object otherwise.
 */
int instance_start(const struct site *site, const struct start_request *request,
		   struct instance *ret_instance, struct error *err);

/* Closes the connection and frees; the instance itself goes on if it was released. */
void instance_deinit(struct instance *instance);

/*
 * The lease for a start at this moment. ttl_ns >= 0 from the command line, else until_s > 0
 * (seconds since the epoch), else the plan's. ERROR_REFUSED beyond the plan's maximum, naming it.
 * The plan's idle rule is a default too: it is none where the deadline was asked for.
 */
int lease_compute(const struct plan *plan, int64_t ttl_ns, int64_t until_s, struct lease *ret_lease,
		  struct error *err);

/*
 * The lease after an extension by more_ns, from now on when the deadline has passed, or to until_s
 * when that is > 0. created_ns is the wall-clock time of the start. ERROR_REFUSED beyond the
 * maximum, or in the past.
 */
int lease_extend(const struct lease *old, int64_t created_ns, int64_t more_ns, int64_t until_s,
		 struct lease *ret_lease, struct error *err);

/* Nanoseconds to the deadline, negative when it has passed. */
int64_t lease_left_ns(const struct lease *lease);

/* The deadline as seconds since the epoch, as the clocks stand now. */
int64_t lease_deadline_wall_s(const struct lease *lease);

/*
 * Connects to the keeper of the instance. -ECONNREFUSED or -ENOENT (kind ERROR_NOT_FOUND) when
 * it has none.
 */
int instance_connect(const struct site *site, const char *id, struct error *err);

/*
 * Undoes an instance whose keeper is gone or going (waited for at most 20 s), and writes the
 * history. The reason is the keeper's own when it left one, else fallback, e.g. "keeper lost".
 * What cannot be removed is named in err, and the record stays for a later sweep. An instance
 * that is already gone is no error.
 */
int instance_end(const struct site *site, const char *id, const char *fallback, struct error *err);

/* The same for who ends many, but -EBUSY at once when somebody else is about to end it. */
int instance_end_unless_busy(const struct site *site, struct store *store, const char *id,
			     const char *fallback);

/*
 * Lets the server stop within its grace, waits and undoes the instance; instance_kill without
 * asking the server. The reason is for the history: "stopped by NAME".
 */
int instance_down(const struct site *site, const char *id, const char *reason, struct error *err);
int instance_kill(const struct site *site, const char *id, const char *reason, struct error *err);

/* Tells the keeper to stop the instance, or to kill it now, and does not wait. */
void instance_ask(const struct site *site, const char *id, bool now, const char *reason);

/* The record of that id, as store_load_id. */
int instance_load(const struct site *site, const char *id, struct record **ret_record,
		  struct error *err);

/* True when the host was restarted since the instance was started. */
bool instance_is_from_other_boot(const struct record *record);

/* What is left of its lease; while it is frozen or kept, of that. */
int64_t instance_left_ns(const struct record *record, const struct status *status);

/* Live state of a record; reads the lock and the status file. */
void instance_observe(const struct site *site, const struct record *record,
		      struct status *ret_status);

#endif
