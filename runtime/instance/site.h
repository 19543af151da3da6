/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where stint keeps things on this host. STINT_ROOT, for root only, moves all of it below another
 * directory and marks every host object, so that tests and a real installation share a machine.
 *
 *   STATE/store.db                     the store
 *   STATE/i/ID/layer/N/{upper,work}    what the instance wrote below its N-th install directory;
 *                                      with a disk limit elsewhere: disk.h
 *   STATE/seccomp/KIND                  compiled filters of system calls
 *   STATE/layer/NAME/N                  layers of templates that were saved (saved.h)
 *   STATE/i/ID/log                     output of the server
 *   RUN/lock/ID                        byte 0: the keeper lives; byte 1: somebody ends the instance
 *   RUN/i/ID/{control,status}          the keeper's socket and status file
 *   RUN/i/ID/limits                    what was asked, what was set, and what enforces it
 *   RUN/i/ID/facts                     what the keeper leaves at its end
 *   RUN/events                         what happened (keeper/events.h)
 *   RUN/swept                          touched when somebody looked at all locks
 *   RUN/groups.lock                    shared: a start counts on the parent control group
 *   RUN/zones.lock                     shared: a start counts on its zone
 *   RUN/queue/NUMBER                   who waits for room (queue.h)
 *   RUN/queue.lock                     exclusively: while one is added or removed
 *   RUN/fill.{lock,wanted}             of who fills the pools (cli/pool_fill.c)
 *   RUN/firewall{,.lock}               the firewall as it was made last
 *   RUN/live.lock, RUN/live/NAME       of the guard of live installs: guard.h
 *   RUN/zone/NAME/{hosts,resolv.conf}  what all instances of the zone see
 */
#ifndef INSTANCE_SITE_H
#define INSTANCE_SITE_H

#include "base/error.h"
#include "plan/config.h"
#include "store/store.h"

#include <sys/types.h>

struct site {
	char *root;		    /* STINT_ROOT, NULL when not set */
	char *config_path;	    /* /etc/stint */
	char *state_path;	    /* /var/lib/stint */
	char *run_path;		    /* /run/stint */
	char *stint;		    /* this executable */
	char *keeper;		    /* the small executable */
	char *share;		    /* stint's own read-only data */
	char *cgroup;		    /* parent group */
	uint32_t interface_group;   /* of links; a zone's number is added */
	char *firewall;		    /* name of its table */
	struct admission admission; /* what instances are given */
	struct site_config config;
	uid_t forwarder_uid;
	int state, run; /* the directories, open */
	bool read_only; /* nothing can be written below state_path */
};

/*
 * Finds and makes (mode 0700) the places. ERROR_REFUSED without root. The caller ends it with
 * site_close also after a failure.
 */
int site_open(struct site *ret_site, struct error *err);
void site_close(struct site *site);

/* ERROR_FAILED, with what to do, where nothing can be written in the state directory. */
int site_check_writable(const struct site *site, struct error *err);

/* The store, for who only reads; also where nothing can be written. */
int site_open_store_to_read(const struct site *site, struct store **ret_store, struct error *err);

/* The same without touching the host, for commands that need no instance: paths only. */
int site_locate(struct site *ret_site, struct error *err);

/*
 * Takes the configuration over (*config is empty afterwards), which was read from config_path.
 * Before anything is started; what was started is undone from its record alone.
 */
void site_configure(struct site *site, struct site_config *config);

/* Opens STATE/i/ID or RUN/i/ID; negative errno when there is none. */
int site_open_state_of(const struct site *site, const char *id);
int site_open_run_of(const struct site *site, const char *id);

#endif
