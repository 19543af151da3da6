/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start message: all that the keeper's executable must know, made from plan, grant and record
 * by the command that starts an instance. It is one flat, versioned message in a memfd; what is a
 * descriptor reaches the keeper by inheritance, in the order of enum start_fd.
 */
#ifndef KEEPER_MESSAGE_H
#define KEEPER_MESSAGE_H

#include "base/error.h"
#include "base/userns.h"
#include "plan/grant.h"
#include "plan/plan.h"
#include "rootfs/inside.h"

#include <sys/types.h>

#define START_MESSAGE_VERSION 8
#define START_GROUPS_MAX 32
#define START_CGROUPS_MAX 24

/* Descriptor numbers at exec. 0 to 2 are /dev/null. */
enum start_fd {
	START_FD_MESSAGE = 3,
	START_FD_LOCK,	       /* open file description that holds the liveness lock */
	START_FD_TIE,	       /* connection of the command that starts the instance */
	START_FD_CONTROL,      /* listening control socket */
	START_FD_RUN,	       /* the instance's directory below the run directory */
	START_FD_LOG,	       /* the log file, write-only */
	START_FD_POOL,	       /* what holds everything that the instance writes */
	START_FD_MEMORY_EVENT, /* of struct memory_watch; any descriptor when it has none */
	START_FD_MEMORY_COUNT,
	START_FD_MEMORY_HITS,
	START_FD_FREEZER, /* file that freezes the server's group; any when there is none */
	START_FD_GROUP,	  /* the server's group in version 2; any when there is none */
	START_FD_EMPTY,	  /* a mount namespace with nothing in it; any when there is none */
	START_FD_LISTS,	  /* then: server groups, leaf groups for init's return, listeners,
			     what the template puts into the view; last, of a successor, a
			     connection to the keeper before it (handover.c) */
};

struct start_message {
	char *id;	  /* also the hostname */
	char *stint;	  /* absolute path of the big program, which undoes the instance */
	char *stint_root; /* STINT_ROOT of the caller, or NULL */

	struct lease lease;
	struct plan_warning warning;
	struct plan_ready ready;
	int64_t hooks_ns[PLAN_HOOKS]; /* how long each may take; 0: there is none */
	int64_t grace_ns;
	int stop_signal;
	char **stop_command;
	enum restart_policy restart;
	unsigned restart_limit;

	char **command, **env;
	char *directory;
	uid_t uid;
	gid_t gid;
	gid_t groups[START_GROUPS_MAX];
	uint32_t n_groups;
	uint64_t files_limit; /* RLIMIT_NOFILE; 0: the default */

	struct userns_map uids, gids; /* of the user namespace; base 0: the instance has none */
	uint64_t caps; /* the server's capabilities, a bit each; kept by execs of its user */
	void *filter;  /* seccomp program of what runs inside; NULL: none */
	void *forwarder_filter;
	size_t filter_size, forwarder_filter_size; /* bytes, a multiple of struct sock_filter's */

	struct root_ops root;
	uint32_t n_sources; /* descriptors of what it is put together from */
	bool pool_is_mount; /* detached: it must be attached inside, and lives as long as it is open
			     */
	uint32_t address;
	char *address6; /* text, "": none */
	uid_t forwarder_uid;
	uint64_t log_limit;
	bool hold;
	bool reserved;	  /* its published ports are another instance's until CONTROL_TAKE */
	bool awaits_link; /* the server starts after CONTROL_LINKED only */
	bool spare;	  /* it is frozen once it is ready, until it is claimed (spare.c) */
	bool has_empty;	  /* mount namespace, to enter the root in */
	bool succeeds;	  /* a keeper that gives lock, control socket, listeners and lease */
	char *table;	  /* of the firewall, while there is a link */

	uint16_t inside_ports[PLAN_PORTS_MAX];
	uint8_t port_flags[PLAN_PORTS_MAX];   /* enum plan_port_flag */
	uint8_t check_flags[PLAN_CHECKS_MAX]; /* of the ports that ready asks */
	uint32_t n_ports;
	uint32_t n_cgroups;	 /* hierarchies with leaves */
	uint32_t memory_version; /* of struct memory_watch */
	uint64_t memory_limit;	 /* 0: none */
};

/* Appends the message to ret_text. */
void start_message_encode(const struct start_message *message, struct text *ret_text);

/* Fails with -EPROTO on another version and -EBADMSG on a message that does not fit. */
int start_message_decode(const void *data, size_t length, struct start_message *ret_message,
			 struct error *err);

/* Frees what decode allocated. */
void start_message_deinit(struct start_message *message);

#endif
