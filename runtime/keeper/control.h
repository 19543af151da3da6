/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands say to a keeper and what it answers, and what keeper and init say to one another:
 * one packet each over SOCK_SEQPACKET, a version, a verb and a few fields.
 *
 * A keeper lives on when its program is replaced by a newer one. Versions only ever add fields, at
 * the packet's end, and verbs: a packet is sent in the lowest version that has room for what it
 * says, and all versions up to the own one are understood. So what both sides know always works,
 * and a stop above all. docs/upgrade.md says what is promised.
 *
 *   1  everything but what follows
 *   2  of a lease, the idle rule and freezing
 */
#ifndef KEEPER_CONTROL_H
#define KEEPER_CONTROL_H

#include "base/error.h"
#include "base/text.h"
#include "base/wire.h"
#include "plan/grant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONTROL_VERSION 2
#define CONTROL_SOCKET_NAME "control"
#define CONTROL_PACKET_MAX (128 * 1024)
#define CONTROL_REASON_SIZE 160

enum control_verb {
	/* command to keeper */
	CONTROL_WATCH = 1, /* tell me stages and the end; finish: I undo the instance afterwards */
	CONTROL_RELEASE,   /* of the tie: the instance shall outlive this connection */
	CONTROL_STOP,	   /* text: the reason; finish as above */
	CONTROL_KILL,	   /* the same, without asking the server */
	CONTROL_LEASE,	   /* lease */
	/*
	 * argv, env, user, terminal, rows, columns, explained; fds: in, out, err, unless there is a
	 * terminal; explained: then a socket, see confine_apply
	 */
	CONTROL_EXEC,
	CONTROL_EXEC_SIGNAL, /* number: a signal for the command of this connection */
	CONTROL_ROOT,	     /* give me the instance's root directory */
	CONTROL_POOL,	     /* give me what holds everything that it writes */
	CONTROL_NETWORK,     /* give me the instance's network namespace */
	CONTROL_LINKED,	     /* number: 1 the link is made, 0 it is gone */
	CONTROL_COUNTS,	     /* give me what went through the published ports */
	CONTROL_TOUCH,	     /* the instance is in use: its idle time begins anew */
	CONTROL_HOOK,	     /* number: the hook that has ended; number2: 1 it failed; text: how */
	CONTROL_LISTENERS,   /* number: give me the published ports' sockets from that one on */
	/* of the tie: the published ports are yours, and outlive this; number: of the drain */
	CONTROL_TAKE,
	CONTROL_DRAIN,	 /* text: the reason; number: end then, or before when nobody is connected;
			    finish as above */
	CONTROL_RESERVE, /* of a spare: it is mine to claim, and I am its tie; RELEASE gives it back
			  */
	/* number: port inside, number2: its flags; fds: the socket that publishes it */
	CONTROL_PORT,
	CONTROL_GRANT, /* lease: the spare has it and those ports, and is an instance from now on */
	CONTROL_EMPTY, /* give me your empty mount namespace, for a start */
	CONTROL_GUARD, /* listen for the firewall's loss if too few do, and you have a link */
	CONTROL_HANDOVER = 24, /* of a successor: end what runs inside, give me the rest, and go */
	/* keeper to command */
	CONTROL_OK = 64,
	CONTROL_FAILED, /* error; number, of one that is not ready: 1 more time may help */
	/* text: what was reached; number: since the start, ns; number2: 1 once the server runs */
	CONTROL_STAGE,
	CONTROL_READY,	       /* number as above */
	CONTROL_ENDED,	       /* text: the reason; number: exit status, signal */
	CONTROL_EXEC_STARTED,  /* fds: the terminal's master, when one was asked for */
	CONTROL_EXEC_EXITED,   /* number: wait status */
	CONTROL_ROOT_IS,       /* fds: O_PATH directory */
	CONTROL_POOL_IS,       /* fds: a directory */
	CONTROL_NETWORK_IS,    /* fds: a network namespace */
	CONTROL_COUNTS_ARE,    /* fds: a file with a struct counts; none: nothing is counted */
	CONTROL_LISTENERS_ARE, /* number: how many there are; fds: as many as fit */
	CONTROL_EMPTY_IS,      /* fds: a mount namespace; none: there is none */
	/*
	 * lease; number: 1 there is a link; fds: liveness lock, control socket, network namespace,
	 * and counts if there are any; then as many packets as the listeners take, with those alone
	 */
	CONTROL_HANDED_OVER = 88,
	/* keeper to init */
	INIT_START_SERVER = 128,
	INIT_SIGNAL_SERVER, /* number: the signal */
	/* number: a key of the keeper's; text: a file that gets argv[0]; else as CONTROL_EXEC */
	INIT_EXEC,
	INIT_EXEC_SIGNAL, /* number: key, number2: the signal */
	/* init to keeper */
	INIT_SET_UP = 160,   /* the namespaces and the root are complete */
	INIT_SERVER_STARTED, /* it was executed */
	INIT_SERVER_EXITED,  /* number: wait status */
	INIT_EXEC_STARTED,   /* number: key; fds: the terminal's master */
	INIT_EXEC_EXITED,    /* number: key, number2: wait status */
	INIT_FAILED,	     /* error; number: 0 for set-up and server, else the key of an exec */
};

struct control_packet {
	enum control_verb verb;
	bool finish, terminal, not_ready, explained;
	bool as_user; /* as uid and gid, not as the server's user */
	uint32_t uid, gid;
	int64_t number, number2;
	char *text;
	char **argv, **env;
	uint16_t rows, columns;
	struct lease lease;
	struct error error;
};

/* Sends a packet with descriptors, which stay open here. 0 or a negative errno. */
int control_send(int fd, const struct control_packet *packet, const int *fds, size_t n_fds);

/*
 * Receives a packet: 1, 0 at the end of the stream, -EPROTO on a newer version, -EBADMSG on a
 * packet that does not fit, or another negative errno. The caller ends it with
 * control_packet_deinit and closes the descriptors. With -EMSGSIZE, when this process could not
 * take the descriptors, the packet has verb and number, for an answer, and nothing else.
 */
int control_receive(int fd, struct control_packet *ret_packet, int *fds, size_t *ret_n_fds);

/* The same for who wants no descriptors: those that come are closed. */
int control_receive_words(int fd, struct control_packet *ret_packet);

/* The same without a socket: appends a packet's bytes; 1, -EPROTO or -EBADMSG as above. */
void control_encode(const struct control_packet *packet, struct text *ret_text);
int control_decode(const void *data, size_t length, struct control_packet *ret_packet);

/* A lease in a message. */
void lease_put(struct text *to, const struct lease *lease);
void lease_get(struct wire_reader *from, struct lease *lease);

void control_packet_deinit(struct control_packet *packet);
#define cleanup_packet cleanup(control_packet_deinit)

#endif
