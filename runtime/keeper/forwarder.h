/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forwarder: the keeper's child in the instance's network namespace. It alone reads what
 * comes from inside: the server's output, connections through published ports, answers to
 * probes. It holds no capability, no store, no file but the log, and no path.
 *
 * forwarder_run() is called in the child after it was put there (namespace, ids, no_new_privs);
 * it never returns to the keeper's code.
 */
#ifndef KEEPER_FORWARDER_H
#define KEEPER_FORWARDER_H

#include "base/error.h"
#include "keeper/counts.h"
#include "keeper/tried.h"
#include "plan/grant.h"
#include "plan/plan.h"

struct forwarder_port {
	int listener; /* bound; also listening when early connections are to wait */
	uint16_t inside_port;
	uint8_t flags; /* PORT_LOOPBACK, PORT_PROXY */
};

struct forwarder {
	int channel;	    /* SOCK_SEQPACKET to the keeper; when it closes, the forwarder exits */
	int out, errs;	    /* read ends of the server's stdout and stderr pipes, -1: none */
	int log;	    /* the log file, O_WRONLY */
	uint64_t log_limit; /* bytes of the log that are kept, 0: all */
	uint32_t address;   /* of the instance, host byte order */
	struct forwarder_port ports[PLAN_PORTS_MAX];
	size_t n_ports;
	struct plan_ready ready; /* kind READY_COMMAND is the keeper's; only its timing is used */
	uint8_t check_flags[PLAN_CHECKS_MAX]; /* of the ports that are asked */
	struct counts *counts;		      /* shared with whoever shows them; NULL: nobody */
	bool hold;
	bool reserved; /* the listeners are another instance's until OPEN */
};

/* Where connections to a port with these flags go, host byte order. */
uint32_t forwarder_address(const struct forwarder *forwarder, uint8_t flags);

/* Messages on the channel: one of these per packet, sent as struct forwarder_message. */
enum forwarder_verb {
	/* keeper to forwarder */
	FORWARDER_SERVER_STARTED = 1, /* begin probing; what was open is closed as by PAUSE */
	FORWARDER_OPEN,		      /* the server is ready (said by the keeper): accept now */
	FORWARDER_PAUSE,	      /* the server is gone: accept nothing, end connections */
	FORWARDER_FINISH,	      /* write what is left in the pipes to the log, then exit 0 */
	FORWARDER_WARN,		      /* write to the log that the end is near */
	FORWARDER_DRAIN, /* accept nothing more; tell when the last connection has ended */
	FORWARDER_PORT,	 /* another published port, with its socket; OPEN follows */
	/* forwarder to keeper */
	FORWARDER_READY = 16, /* the probe succeeded; it already accepts connections */
	FORWARDER_DRAINED,    /* nobody is connected any more */
	FORWARDER_TRIED,      /* another outcome than that of the probe before */
};

struct forwarder_message {
	uint32_t verb;
	/*
	 * READY and TRIED have that of the SERVER_STARTED it is about, the keeper's choice; WARN:
	 * seconds left; DRAIN: milliseconds after which a connection is idle, not 0; PORT: number
	 * inside
	 */
	uint32_t serial;
	uint32_t flags;	    /* PORT: enum plan_port_flag */
	uint32_t idle;	    /* WARN: unless it is used */
	struct tried tried; /* TRIED */
};

/*
 * Runs until FINISH, or until the channel closes because the keeper is gone; both write what is
 * left. Returns the exit status of the process: 0, or 1 when it cannot work, and then the log says
 * why in a record of stream e that begins with "stint: ". SIGPIPE and SIGXFSZ are ignored from
 * here on; the soft limit of descriptors is set to the hard one, 65536 at most.
 *
 * Published ports: with hold, connections wait in the listener's backlog until READY or OPEN;
 * without, listen(2) is called only then. Each connection is joined to address:inside_port (with
 * PORT_LOOPBACK to that port of 127.0.0.1), with PORT_PROXY after the header of proxy.h, bytes
 * both ways, half-close passed on, a reset passed on as a reset; an idle connection costs at most
 * 1 KiB of memory; at the descriptor limit accepting pauses and goes on when one is free.
 * A connection refused inside closes the outer one with a reset. After PAUSE, connections wait
 * again with hold; without, they are accepted and reset, because Linux may give a socket that
 * stops listening another port.
 *
 * After DRAIN the listeners are left to others who hold them. A connection is ended when both of
 * its sides are, or when nothing has come for so long after the last bytes of the server, or at
 * all: between two requests, that is, of a protocol where the server answers. Who waits for an
 * answer is not cut. DRAIN may be said again.
 *
 * Probes: READY_HTTP sends "GET path HTTP/1.1" with Host and Connection: close to address:port,
 * reads at most 4 KiB of the answer and looks at the status line only; READY_TCP connects;
 * READY_LOG matches each line (at most 4 KiB of it) of both streams against pattern; READY_NONE is
 * ready at SERVER_STARTED; READY_COMMAND waits for OPEN. One probe at a time, each with a bound of
 * interval or 1 s, whichever is longer; the gap between two grows from 10 ms to interval; nothing
 * blocks the loop. A line that matches counts when it was read since the forwarder's start or the
 * last PAUSE, even before SERVER_STARTED: the server may be faster than the keeper's word. So say
 * PAUSE before the server is started again. plan_ready.timeout_ns is the keeper's to enforce.
 *
 * Log: every line is written as "<seconds>.<microseconds> <o|e> <+|-> text\n": o is stdout,
 * e is stderr; '-' says that the text goes on in the next record of that stream (a line longer
 * than 8 KiB, or one that was unfinished when the stream ended; a line unfinished at PAUSE is
 * complete). Bytes are written as they are. Output is read at a pace (output.h): who is faster
 * waits. When the file has grown past log_limit, its oldest part is released with
 * fallocate(FALLOC_FL_PUNCH_HOLE), so that offsets never move and a reader can follow; where the
 * file system has no such call, the file is truncated to 0. A write that fails (disk full) drops
 * the record and counts it; the next one that succeeds is preceded by a record of stream e that
 * says how many were lost. A reader must expect zeros at the beginning, then the rest of a record,
 * and where a disk was full a record that ends early.
 */
int forwarder_run(struct forwarder *forwarder);

#endif
