/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports: sockets that are bound before the instance exists, so that no port can race. */
#ifndef INSTANCE_PUBLISH_H
#define INSTANCE_PUBLISH_H

#include "base/error.h"
#include "plan/grant.h"
#include "plan/plan.h"

#include <netinet/in.h>

struct publish_wish {
	char address[INET6_ADDRSTRLEN]; /* as it was written; may be none */
	uint16_t host_port;		/* 0: the kernel chooses */
	const struct plan_port *port;	/* of the plan */
};

/* One specification as publish_bind takes them; the same errors but for addresses. */
int publish_parse(const struct plan *plan, const char *text, struct publish_wish *ret_wanted,
		  struct error *err);

/*
 * ERROR_REFUSED for a specification that only root may ask for: a port below 1024, which root alone
 * can bind, or an address that other hosts reach.
 */
int publish_check_restricted(const struct plan *plan, char *const *specifications,
			     struct error *err);

/*
 * Binds a socket for each specification ("HOSTPORT:NAME", "ADDRESS:HOSTPORT:NAME" with an IPv6
 * address in brackets, or "NAME" for a port from the kernel); without any, for every port of the
 * plan on 127.0.0.1. With hold the sockets also listen. ret_ports and ret_fds (PLAN_PORTS_MAX
 * places) get one entry each; the caller frees and closes them. ERROR_USAGE for a specification
 * that is none and unknown names, ERROR_FAILED and -EADDRINUSE naming the port when it is in use.
 */
int publish_bind(const struct plan *plan, char *const *specifications, bool hold,
		 struct grant *grant, int *ret_fds, struct error *err);

/* After publish_bind has failed with the same arguments: at which one, if at any. */
bool publish_failed_at(const struct plan *plan, char *const *specifications,
		       const struct grant *grant, struct publish_wish *ret_wanted);

/*
 * After publish_bind with the same arguments: other ports in place of those that the kernel chose,
 * whose sockets are closed. How many there were.
 */
int publish_others(const struct plan *plan, char *const *specifications, bool hold,
		   struct grant *grant, int *fds, struct error *err);

#endif
