/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper: the host process that looks after one instance until it is gone. Only for the files
 * of runtime/keeper. It reads nothing that comes from inside but the wait statuses init reports.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "keeper/control.h"
#include "keeper/forwarder.h"
#include "keeper/init.h"
#include "keeper/memory.h"
#include "keeper/message.h"
#include "keeper/status.h"

#include <stdbool.h>
#include <sys/types.h>

#define CLIENTS_MAX 128
#define KEY_STOP 1 /* exec keys of the keeper's own commands inside */
#define KEY_PROBE 2
#define KEY_WARNING 3
#define KEY_CLIENTS 16 /* clients' execs count from here */

enum phase {
	PHASE_SET_UP,	/* init makes the inside */
	PHASE_RUNNING,	/* the server was started */
	PHASE_STOPPING, /* it was told to stop */
	PHASE_KILLING,	/* init was killed and is waited for */
	PHASE_DRAINING, /* the forwarder writes what is left of the log */
	PHASE_OVER,
};

struct child_process {
	pid_t pid;
	int pidfd;   /* -1: none, or reaped */
	int channel; /* -1: none, or closed */
};

struct client {
	int fd; /* -1: a free place */
	bool tie, finish, watch;
	int64_t exec_key; /* 0: none */
};

struct keeper {
	struct start_message message;
	int lock, control, run, log, pool;
	int server_groups[START_CGROUPS_MAX], host_groups[START_CGROUPS_MAX];
	int sources[PLAN_SOURCES_MAX]; /* until init has them */
	int listeners[PLAN_PORTS_MAX];
	int counts;	       /* memory with a struct counts; -1: there is none */
	struct counts *shared; /* the same; NULL: none */
	int freezer;	       /* file of the server's group that freezes it */
	int out[2], errs[2];   /* pipes of the server's output */
	int signals, boot_timer, wall_timer;
	bool linked;	     /* there is a link */
	int guard;	     /* tells of changes of the host's firewall; -1: others listen */
	int guard_place;     /* among those who listen (guards.h); -1: none */
	int64_t guard_at_ns; /* boot time; 0: nothing to look at */
	struct memory_watch memory;

	struct child_process init, forwarder;
	int userns;   /* of an instance that is being made; -1: none */
	int cgroupns; /* the same; -1: init makes it */
	int empty;    /* a mount namespace with nothing in it, for the next start too; -1: none */
	int group;    /* the server's in version 2, a directory; -1: none */
	int turn;     /* at undoing instances (turn.h); -1: none */
	int netns;    /* of init: a forwarder may come to it when init has died already */
	unsigned forwarder_restarts;
	struct client clients[CLIENTS_MAX];
	int64_t next_key;
	int predecessor;	  /* connection to the keeper that this one takes over from; -1 */
	bool took_over;		  /* and has: the instance is its own */
	struct client *successor; /* who takes over once nothing runs inside; NULL: nobody */

	enum phase phase;
	struct status status;
	bool server_alive, probe_running;
	bool answers;	       /* the server is ready; the instance is when its hook has ended */
	int hook;	       /* enum plan_hook_kind that is waited for; -1: none */
	int64_t hook_until_ns; /* boot time: not longer than that */
	unsigned hooks_begun;  /* a bit each */
	bool inside_made, link_made; /* the server starts when both are */
	int64_t server_started_ns;   /* boot time */
	int64_t next_probe_ns;
	struct tried tried;   /* what became of the last attempt to find this server ready */
	int64_t act_at_ns;    /* STOPPING: kill; KILLING, DRAINING: give up waiting */
	int64_t status_at_ns; /* when the status, which could not be written, is tried again; 0 */
	int64_t used_ns;      /* boot time of the last use that is no connection */
	int64_t warned_ns;    /* the warning that was given last, by the time left then; 0: none */
	bool looked;	      /* whether a warning was due has been looked at */
	char frozen_reason[CONTROL_REASON_SIZE]; /* why it is frozen, and will end */
	uint32_t n_granted;			 /* published ports that a spare is about to get */
	int64_t claimed_ns;			 /* boot time at which it was reserved */
	int64_t drain_until_ns; /* boot time: another instance took its place; 0: none did */
	int64_t hurry_at_ns;	/* when connections count as idle sooner; 0: not any more */
};

/* start: keeper_start.c */

/* Clones init into its namespaces and starts the forwarder in init's network namespace. */
int keeper_start_init(struct keeper *keeper, struct error *err);
int keeper_start_forwarder(struct keeper *keeper, struct error *err);
/* Closes every descriptor from 3 on but those in keep, where -1 is none; for a new process. */
void keeper_close_others(int *keep, size_t n);

/* privileges: privilege.c */

/* From here on nothing is in effect, and what neither loop nor end needs is gone for good. */
int keeper_drop_privileges(struct error *err);

enum keeper_need {
	NEED_NOTHING,
	NEED_KILL,
	NEED_CHOWN,
	NEED_ROOT_OF_INIT,
	NEED_WATCH,
	NEED_FORWARDER
};

/* Puts into effect what the next calls need; NEED_NOTHING follows upon them. */
void keeper_raise(enum keeper_need need);

/* clients: clients.c */

void clients_init(struct keeper *keeper, int tie);
/* Accepts one connection from the control socket. */
void clients_accept(struct keeper *keeper);
/* Reads one packet of a client and acts on it. */
void clients_serve(struct keeper *keeper, struct client *client);
void clients_close(struct keeper *keeper, struct client *client);
/* Sends to every client that watches (tie included). */
void clients_tell(struct keeper *keeper, const struct control_packet *packet);
struct client *clients_of_exec(struct keeper *keeper, int64_t key);
/* True when a connected client said that it will undo the instance. */
bool clients_will_finish(const struct keeper *keeper);
/* True when it ends with somebody's connection. */
bool clients_tied(const struct keeper *keeper);

/* leave: leave.c */

/* Leaves what commands cannot know without this process, for the history. */
void keeper_leave_facts(const struct keeper *keeper);
/* Whether hardly anything can be written into what holds all that the instance writes. */
bool keeper_disk_is_full(const struct keeper *keeper);
/* The instance starts from nothing again, now. */
void keeper_note_reset(const struct keeper *keeper);
/* Tells whoever watches the host's instances (events.h). */
void keeper_tell_event(const struct keeper *keeper, const char *event, const char *detail);

/* guard: guard.c */

/* The instance has a link from now on, or none any more. */
void guard_set(struct keeper *keeper, bool linked);
/* Reads what the descriptor tells. */
void guard_take(struct keeper *keeper);
/* Has the firewall put back when it is lost. */
void guard_check(struct keeper *keeper, int64_t now);

/* life: life.c */

/* Starts the server once the inside is made, and the link if it gets one. */
void keeper_start_server(struct keeper *keeper);
/* Asks the server to end, and gives it its grace. */
void keeper_ask_server(struct keeper *keeper);
/* Begins the end with the server's own stop; the first reason stays. */
void keeper_stop(struct keeper *keeper, const char *reason);
/* Ends everything inside now. */
void keeper_kill(struct keeper *keeper, const char *reason);
/* The same, because something went wrong. */
void keeper_fail(struct keeper *keeper, const char *reason);
void keeper_write_status(struct keeper *keeper);
/* Reads one packet of a child and acts on it. */
void keeper_serve_init(struct keeper *keeper);
void keeper_serve_forwarder(struct keeper *keeper);
/* Ends the instance when the kernel killed something of it for want of memory; true then. */
bool keeper_check_memory(struct keeper *keeper);
/* The child's pidfd is readable. */
void keeper_on_init_died(struct keeper *keeper);
void keeper_on_forwarder_died(struct keeper *keeper);
/* Acts on what has become due: lease, readiness, bounds of the phases. */
void keeper_check(struct keeper *keeper);

/* to the children: tell.c */

/*
 * Sends to a child, and never waits for one that does not listen: the instance ends then, by the
 * time this returns. Of one that is gone its pidfd tells.
 */
void keeper_tell_init(struct keeper *keeper, struct control_packet *packet, const int *fds,
		      size_t n_fds);
void keeper_tell_forwarder(struct keeper *keeper, enum forwarder_verb verb);
void keeper_tell_forwarder_left(struct keeper *keeper, uint32_t seconds, bool idle);
void keeper_tell_forwarder_drain(struct keeper *keeper, uint32_t idle_ms);
/* All published ports, to one that has none yet. */
void keeper_tell_forwarder_ports(struct keeper *keeper);

/* the end that comes by itself: deadline.c */

/* Acts when it is due: warns, freezes, stops, kills. */
void deadline_check(struct keeper *keeper, int64_t now);
/* The boot time at which to check again, and the wall-clock time; INT64_MAX: never. */
int64_t deadline_next(const struct keeper *keeper, int64_t now, int64_t *ret_wall);
/* The instance is in use. */
void deadline_touch(struct keeper *keeper);
/* It is frozen, and not for want of use alone: only a longer lease lets it go on. */
bool deadline_is_over(const struct keeper *keeper);
/* Lets a frozen instance go on, its ports still closed; false when it is not frozen. */
bool deadline_thaw(struct keeper *keeper);
/* A group that cannot be frozen goes on. */
void deadline_set_freezer(const struct keeper *keeper, bool frozen);
/* Before connections are counted. */
void deadline_map_counts(struct keeper *keeper);

/* warnings: warning.c */

/* So much is left; idle: until it ends for want of use. */
void warning_give(struct keeper *keeper, int64_t left, bool idle);
/* The end has moved away since. */
void warning_take_back(struct keeper *keeper, int64_t left);

/* one instance after another: succession.c */

/*
 * The published ports are this instance's from now on, and whoever started it may go; what is left
 * to do then finds how long the other one may drain. ERROR_FAILED when it is not ready.
 */
int succession_take(struct keeper *keeper, int64_t drain_ns, struct error *err);
/* Another one has them. Ends when nobody is connected any more, at that boot time at the latest. */
void succession_drain(struct keeper *keeper, const char *reason, int64_t until_ns);
/* Nobody is connected any more. */
void succession_end(struct keeper *keeper);
/* Ends it when that time has come. */
void succession_check(struct keeper *keeper, int64_t now);
/* The boot time at which to check again; INT64_MAX: never. */
int64_t succession_next(const struct keeper *keeper);
/* The server is ready: whoever connects is let in, once the ports are this instance's. */
void succession_open(struct keeper *keeper);

/* started ahead: spare.c */

/* It is ready and frozen, and nobody's. */
bool spare_waits(const struct keeper *keeper);
/* The server is ready, nobody has claimed it: it is frozen from now on. */
void spare_freeze(struct keeper *keeper);
/* The client is about to claim it. -EBUSY when somebody else is. */
int spare_reserve(struct keeper *keeper, struct client *client, struct error *err);
/* Another of the published ports that it will have. */
int spare_add_port(struct keeper *keeper, const struct client *client, uint16_t inside,
		   uint8_t flags, int listener, struct error *err);
/* It is an instance like any other from now on, with that lease and those ports, and ready. */
int spare_grant(struct keeper *keeper, const struct client *client, const struct lease *lease,
		struct error *err);

/* readiness: ready.c */

/* The server answers. */
void ready_answers(struct keeper *keeper);
/* And nothing is left to be done before it counts as ready. */
void ready_declare(struct keeper *keeper);
/* The forwarder's attempt failed, as it says; what cannot be is left out. */
void ready_tried(struct keeper *keeper, const struct tried *tried);
/* Asks the server again, and ends one that takes too long. */
void ready_check(struct keeper *keeper, int64_t now);

/* hooks: hook.c */

/*
 * Runs the hook of that kind, unless there is none or it has run, and waits for it: true then, and
 * what is to come after it is done when it has ended.
 */
bool hook_begin(struct keeper *keeper, enum plan_hook_kind kind);
/* A hook has ended, as somebody says who runs it. */
void hook_ended(struct keeper *keeper, int64_t kind, bool failed, const char *how);
/* Gives up one that takes too long. */
void hook_check(struct keeper *keeper, int64_t now);

/* from one keeper to the next: handover.c */

/*
 * A client is a successor: what runs inside is killed. ERROR_REFUSED, with the reason, when that
 * cannot be now.
 */
int handover_begin(struct keeper *keeper, struct client *asking, struct error *err);
/* Somebody ends the instance, for that reason, while it is handed over: then it does end. */
void handover_cancel(struct keeper *keeper, const char *reason);
/* When all is over: true when the successor has everything, and nothing is to be undone. */
bool handover_give(struct keeper *keeper);
/* The other side: asks the predecessor and waits (bounded) until everything is this keeper's. */
int handover_take(struct keeper *keeper, struct error *err);

/* what a server wrote before: renew.c */

/* Puts it aside, and makes the pool's directories anew. */
int renew_pool(int pool, const struct root_ops *ops, struct error *err);
/* Removes what was put aside, in a process that nobody waits for. */
void renew_clean(const struct keeper *keeper);

/* the big program: program.c */

/* Turns into "stint ...". Returns when that is not possible. */
void keeper_become_stint(const struct keeper *keeper, char *const *argv);
/* Runs it in a grandchild, which the host's init reaps: the keeper knows two children, no more. */
void keeper_run_stint(const struct keeper *keeper, char *const *argv);

#endif
