/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What "up" and "run" have in common: from words to an instance that is ready, or to nothing at
 * all. While a session lasts, SIGINT, SIGTERM and SIGHUP are blocked and read from a descriptor,
 * and the instance ends when this process does.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/command.h"
#include "instance/instance.h"

struct session {
	const struct invocation *invocation;
	struct site site;
	struct plan *plan;
	struct account owner;
	struct given_secrets secrets; /* until the instance has them */
	struct given_harvest with;    /* fd -1: nothing */
	struct instance instance;
	int signals;	  /* signalfd */
	int interrupted;  /* the signal that came, 0: none */
	bool started;	  /* the server was executed */
	bool released;	  /* the instance outlives this command */
	bool show_stages; /* somebody waits for them */
	bool goes_on;	  /* a signal ends the waiting alone, and not the instance */
	int64_t ready_ns; /* from the start to ready, 0: not yet */
	bool over;	  /* the keeper said that the instance has ended */
	char reason[CONTROL_REASON_SIZE];
	int exit_status, exit_signal; /* of the server, once it is over */
	struct error failure;	      /* what the keeper said went wrong */
	bool time_may_help;	      /* it was not ready, and might be if it had more time */
};

/* Says on stderr when something was brought into the instance that does not come along. */
void note_brought_along(const struct site *site, const struct record *record);

/* Compiles the template and starts the instance. The caller always calls session_deinit. */
int session_start(const struct invocation *invocation, struct session *ret_session,
		  struct error *err);

/* The same for a spare of a pool: nobody's, until somebody claims it. */
int session_start_spare(const struct invocation *invocation, int64_t max_age_ns,
			struct session *ret_session, struct error *err);

/* The same on a generation that is on trial. */
int session_start_trial(const struct invocation *invocation, const struct trial *trial,
			struct session *ret_session, struct error *err);

/*
 * instance_start as soon as there is room: in order of arrival, for as long as --queue-for allows.
 * Until then nothing of the instance is there. A signal ends the waiting (session->interrupted).
 */
int session_start_in_turn(struct session *session, struct start_request *request,
			  struct error *err);

/*
 * The same, but that nothing runs in the instance yet: what the template would have run is the
 * caller's to execute inside, and to free (strv_free). No readiness is waited for.
 */
int session_start_idle(const struct invocation *invocation, struct session *ret_session,
		       char ***ret_command, struct error *err);

/*
 * The same for one that is to take the place of another instance, of the template behind NAME on
 * the command line, or without one of the predecessor's plan.
 */
int session_start_successor(const struct invocation *invocation, const struct record *predecessor,
			    struct session *ret_session, struct error *err);

/*
 * Gives a ready successor its ports; it outlives this command then. The predecessor may drain for
 * so long. Ends the successor after a failure.
 */
int session_take_over(struct session *session, int64_t drain_ns, struct error *err);

/*
 * The same for an instance that is there: it is reset. Its name is the first operand. The instance
 * goes on without this process.
 */
int session_reset(const struct invocation *invocation, struct session *ret_session,
		  struct error *err);

/*
 * Waits until the server is ready and shows the stages. On failure, or when a signal comes, the
 * instance is undone, the last log lines are shown, and err says why.
 */
int session_wait_ready(struct session *session, struct error *err);

/* The same until the server was executed, without showing stages. */
int session_wait_started(struct session *session, struct error *err);

/* Takes one packet from the keeper into the session; false when the connection is over. */
bool session_take_packet(struct session *session);

/* Lets the instance outlive this command. */
int session_release(struct session *session, struct error *err);

/* Stops (or, without grace, kills) and undoes the instance. */
int session_end(struct session *session, const char *reason, bool graceful, struct error *err);

void session_deinit(struct session *session);

/* Name, ports and deadline, or all of it as JSON; returns the exit code 0. */
int session_print(const struct session *session);

/*
 * After a start that took so long: what came of the pool of its template and zone, if there is one,
 * is said and counted, and the pool filled.
 */
void session_note_pool(const struct session *session, int64_t took_ns);

/* Prints up to ten last lines of the instance's log to stderr. */
void session_print_log_tail(const struct session *session);

/*
 * Compiles the template of the invocation's first operand with --set, --env and its limits; starts:
 * for an instance, so that the caller's quota counts and strangers' files are refused.
 */
int compile_template(const struct invocation *invocation, const struct site *site, bool starts,
		     struct plan **ret_plan, struct error *err);

/* ERROR_USAGE, with the option, when something is asked for that only a template can be asked for.
 */
int wish_nothing(const struct options *options, struct error *err);

/*
 * What to say of a word that parse_duration did not take, as it returned r, or that was out of
 * bounds: that it is too long, or else what is right.
 */
int wish_refuse_duration(const char *option, const char *word, int r, const char *right,
			 struct error *err);

/* The lease that --ttl, --until and --idle ask for; ERROR_USAGE when they do not say one. */
int wish_lease(const struct options *options, const struct plan *plan, struct lease *ret_lease,
	       struct error *err);

#endif
