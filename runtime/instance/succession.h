/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance after another under the same name (store/succession.h). The successor is started
 * with the predecessor's listening sockets and gets ready; then its keeper takes the ports
 * (CONTROL_TAKE) and leaves a mark, which is the moment after which there is no way back: the store
 * follows, and the predecessor is told to drain. Whoever finds the mark finishes what is left, so
 * that a command may be killed at any time. In commands.
 */
#ifndef INSTANCE_SUCCESSION_H
#define INSTANCE_SUCCESSION_H

#include "instance/site.h"
#include "plan/plan.h"

#define SUCCESSION_DRAIN_NS (30 * NSEC_PER_SEC)

/*
 * Fills the grant of a successor: owner and ports of the predecessor, whose sockets go to
 * ret_fds (PLAN_PORTS_MAX places; one for each of grant->n_ports, also after a failure).
 * ERROR_REFUSED when the plan lacks a port that is published, or the predecessor's keeper says no.
 */
int succession_inherit(const struct site *site, const struct record *predecessor,
		       const struct plan *plan, struct grant *grant, int *ret_fds,
		       struct error *err);

/*
 * Everything behind the mark: name, lease and ports in the store, the zone's names, the
 * predecessor's end. May run twice, and at once.
 */
int succession_complete(const struct site *site, const char *successor, struct error *err);

/* The same for all that was left by a command that was killed. */
void succession_sweep(const struct site *site, struct store *store);

#endif
