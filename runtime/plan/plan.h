/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: what the inside needs, from a template and the command line, fully resolved and
 * checked. It says nothing of this host's ids, descriptors or addresses, never changes once
 * compiled, and is passed as const everywhere. What an instance is given from outside and may
 * change (name, owner, lease, published ports) is the grant, in grant.h.
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include "base/error.h"
#include "base/text.h"
#include "plan/confinement.h"
#include "plan/content.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_PORTS_MAX 32
#define PLAN_WARNINGS_MAX 8
#define PLAN_CHECKS_MAX 4
#define PLAN_KEPT_MAX_NS (30LL * 86400 * NSEC_PER_SEC) /* of what has failed */
#define PLAN_WORDS_MAX 1000	      /* of a command, paths, entries of an environment */
#define PLAN_ENV_SIZE_MAX (128 << 10) /* bytes of a whole environment */

struct plan_port {
	char *name;
	char *scheme;	 /* of the URL that is shown: "http", "https", "tcp", ... */
	uint16_t number; /* the port the server listens on inside */
	bool loopback;	 /* it listens on the instance's loopback interface only */
	bool proxy;	 /* it expects PROXY protocol, version 2 */
};

/* The same as bits, for those who know a port by its number only. */
enum plan_port_flag { PORT_LOOPBACK = 1, PORT_PROXY = 2 };

enum ready_kind { READY_NONE, READY_HTTP, READY_TCP, READY_LOG, READY_COMMAND };

/* One way to ask the server over the network. */
struct plan_check {
	enum ready_kind kind; /* READY_HTTP or READY_TCP */
	uint16_t port;
	char *path;			 /* http: request target, starts with '/' */
	uint16_t status_from, status_to; /* http: accepted status codes, inclusive */
};

struct plan_ready {
	enum ready_kind kind;			   /* of several checks the first one's */
	struct plan_check checks[PLAN_CHECKS_MAX]; /* http, tcp: the first that is there counts */
	size_t n_checks;
	char *pattern;	     /* log: POSIX extended regular expression, one line */
	char **command;	     /* command: exit status 0 means ready */
	int64_t timeout_ns;  /* from the server's start to ready */
	int64_t interval_ns; /* between two probes */
};

/* What proves that the server works, run inside on demand. */
struct plan_check_command {
	char **command; /* NULL: there is none */
	int64_t timeout_ns;
};

enum restart_policy { RESTART_NO, RESTART_ON_FAILURE };

struct plan_run {
	char **command;	     /* argv; argv[0] is looked up in PATH inside when it has no '/' */
	char *user;	     /* name or number; NULL: the owner of the first install directory */
	char **env;	     /* KEY=VALUE, sorted by key, the whole environment but for defaults */
	char *directory;     /* working directory inside, absolute; NULL: "/" */
	int stop_signal;     /* sent to the server when the instance is to end */
	char **stop_command; /* run inside instead of the signal; NULL: the signal */
	int64_t grace_ns;    /* from the stop signal or command to the kill */
	enum restart_policy restart;
	unsigned restart_limit; /* how often the server may be started again */
};

/* Zero means "no such limit asked for". */
struct plan_limits {
	uint64_t memory_bytes, swap_bytes, disk_bytes;
	uint64_t cpu_millis; /* thousandths of one processor */
	uint64_t pids, files;
	uint64_t io_read, io_write; /* bytes a second */
	uint64_t log_bytes;	    /* of the server's output that are kept; never 0 */
	bool has_swap;		    /* swap may be 0 on purpose */
};

/* What is done when so much time is left; nothing of it is waited for. */
struct plan_warning {
	int64_t before_ns[PLAN_WARNINGS_MAX]; /* longest first, the rest 0 */
	int signal;			      /* to the server; 0: none */
	char **command;			      /* run inside; NULL: none */
	char *file;  /* inside, absolute: is told what is left; NULL: none */
	char **hook; /* run on the host, as a hook; NULL: none */
};

/* When a program of the host is run for an instance. */
enum plan_hook_kind {
	HOOK_BEFORE_START,
	HOOK_AFTER_READY,
	HOOK_BEFORE_STOP,
	HOOK_AFTER_END,
	PLAN_HOOKS,
};

/* "before_start" and so on. */
extern const char *const plan_hook_names[PLAN_HOOKS];

struct plan_hook {
	char **command; /* absolute; NULL: there is none */
	int64_t timeout_ns;
	char *user; /* name or number; NULL: the instance's owner, and nobody for root */
};

/* What happens when the time of an instance is over. */
enum plan_expiry { EXPIRY_REMOVE, EXPIRY_FREEZE, EXPIRY_ARCHIVE, EXPIRY_HARVEST, PLAN_EXPIRIES };

extern const char *const plan_expiry_names[PLAN_EXPIRIES];

struct plan_lease {
	int64_t ttl_ns;	   /* when the command line gives none */
	int64_t max_ns;	   /* upper bound of any lease, 0: none */
	bool max_of_quota; /* not the template's; not in the canonical form */
	int64_t idle_ns;   /* end after so long without use, 0: never */
	enum plan_expiry on_expiry;
	int64_t frozen_ns;	/* how long it may stay frozen */
	int64_t keep_failed_ns; /* how long what a failed one wrote is kept, 0: not at all */
	struct plan_warning warning;
};

struct plan_network {
	char *zone;
	char *egress; /* "none", "internet" or a list as text */
};

struct plan {
	char *template_name;
	char *summary;
	/* Host directories, absolute, normalised, none inside another; until a start names of
	 * installs */
	char **install;
	char **paths;	/* further host paths to see read-only; may be glob patterns */
	char **layers;	/* read-only directories above installs, "DIRECTORY[:INSTALL]", lowest first
			 */
	char **harvest; /* paths inside, below which changes are worth keeping; NULL: all installs
			 */
	struct plan_content content;
	struct plan_run run;
	struct plan_port *ports; /* sorted by name */
	size_t n_ports;
	struct plan_ready ready;
	struct plan_check_command check;
	struct plan_limits limits;
	bool best_effort; /* start even where something that is asked for cannot be enforced */
	struct plan_confinement confinement;
	struct plan_lease lease;
	struct plan_hook hooks[PLAN_HOOKS];
	char *tier;	 /* what its instances are for; NULL: not said */
	char *ha_group;	 /* whose members must not share a host; NULL: none */
	char *no_spares; /* why none is started ahead of time; NULL: it may be */
	struct plan_network network;
	char **notes; /* for whoever starts it; not in the canonical form */
};

void plan_free(struct plan *plan);
void plan_cleanup(struct plan **plan);
#define cleanup_plan cleanup(plan_cleanup)

/* The port of that name, or NULL. */
const struct plan_port *plan_port_find(const struct plan *plan, const char *name);
/* Of the port with that number inside; 0 when there is none. */
uint8_t plan_port_flags(const struct plan *plan, uint16_t number);
/* The same for the ports of the readiness checks. */
void plan_check_flags(const struct plan *plan, uint8_t flags[PLAN_CHECKS_MAX]);

/*
 * Puts "KEY=VALUE" into the environment, in place of an earlier value of that key. For a plan that
 * is still being compiled: by a template's env, then by --env. ERROR_USAGE when KEY is no name for
 * a variable ([A-Za-z_][A-Za-z0-9_.-]*), VALUE has control characters, or the environment would
 * be larger than PLAN_WORDS_MAX entries or PLAN_ENV_SIZE_MAX bytes.
 */
int plan_set_env(struct plan *plan, const char *assignment, struct error *err);

/*
 * The canonical form: a template in YAML without params, variables or extends, every key present
 * that differs from nothing (defaults written out), always in the same order. Reading it back as
 * a template gives an equal plan. This is what "stint plan" prints, the store keeps and golden
 * files hold.
 */
void plan_write_canonical(const struct plan *plan, struct text *ret_text);

/* Whether files of its instances may be wanted after their end. */
bool plan_keeps_files(const struct plan *plan);

/*
 * The same without what an instance can be given once it runs: two plans with equal likeness make
 * equal instances, for other leases.
 */
void plan_write_likeness(const struct plan *plan, struct text *ret_text);

#endif
