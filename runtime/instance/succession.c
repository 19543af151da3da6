/* SPDX-License-Identifier: Apache-2.0 */
/* One instance after another; see succession.h. In commands. */
#include "instance/succession.h"
#include "instance/events.h"
#include "instance/lock.h"
#include "instance/reach.h"
#include "instance/record_file.h"
#include "instance/zone_files.h"
#include "keeper/succession.h"
#include "store/succession.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int add_port(const struct published_port *old, const struct plan *plan, struct grant *grant,
		    struct error *err)
{
	const struct plan_port *port = plan_port_find(plan, old->name);
	struct published_port *added = &grant->ports[grant->n_ports];

	if (!port)
		return error_say(err, ERROR_REFUSED,
				 "its port '%s' is published, and template '%s' has no port of "
				 "that name",
				 old->name, plan->template_name);
	*added = (struct published_port){.name = xstrdup(old->name),
					 .scheme = xstrdup(port->scheme),
					 .host_port = old->host_port,
					 .inside_port = port->number};
	memcpy(added->host_address, old->host_address, sizeof(added->host_address));
	grant->n_ports++;
	return 0;
}

int succession_inherit(const struct site *site, const struct record *predecessor,
		       const struct plan *plan, struct grant *grant, int *ret_fds,
		       struct error *err)
{
	const struct grant *old = &predecessor->grant;
	int r = reach_listeners(site, old->id, ret_fds, old->n_ports, err);

	grant->owner_uid = old->owner_uid;
	grant->owner_gid = old->owner_gid;
	grant->owner = xstrdup(old->owner);
	grant->ports = xcalloc(PLAN_PORTS_MAX, sizeof(*grant->ports));
	grant->n_ports = 0;
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < old->n_ports; i++)
		r = add_port(&old->ports[i], plan, grant, err);
	/* what has no port is nobody's to close later */
	for (size_t i = grant->n_ports; i < old->n_ports; i++)
		close(ret_fds[i]);
	return r;
}

/* The lease may have been extended since the successor was started with it. */
static void tell_successor(const struct site *site, const struct record *successor)
{
	struct control_packet lease = {.verb = CONTROL_LEASE, .lease = successor->grant.lease};

	(void)reach_tell(site, successor->grant.id, &lease, NULL);
	(void)record_file_write(site, successor, NULL, NULL);
}

/* One that has just ended needs no telling. */
static int tell_predecessor(const struct site *site, const struct record *predecessor,
			    const struct record *successor, int64_t drain_ns, struct error *err)
{
	const char *id = predecessor->grant.id;
	cleanup_free char *reason =
		xasprintf("replaced by '%s' (%s)", successor->grant.name, successor->grant.id);
	struct control_packet packet = {
		.verb = CONTROL_DRAIN, .text = reason, .number = clock_boottime_ns() + drain_ns};
	int r;

	(void)record_file_write(site, predecessor, NULL, NULL);
	r = reach_tell(site, id, &packet, err);
	return r < 0 && !instance_is_alive(site, id) ? 0 : r;
}

static char *predecessor_of(struct store *store, const char *successor)
{
	struct succession *list = NULL;
	char *id = NULL;
	size_t n = 0;

	if (store_succession_list(store, &list, &n, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].successor, successor) == 0)
			id = xstrdup(list[i].predecessor);
	succession_list_free(list, n);
	return id;
}

/* As the command wanted it that began it. */
static int64_t drain_of(const struct site *site, const char *successor)
{
	cleanup_fd int run = site_open_run_of(site, successor);
	cleanup_free char *text = NULL;
	long long ns;

	if (run >= 0 && file_read(run, SUCCESSION_TAKEN, 64, &text, NULL) == 0 &&
	    sscanf(text, "%lld", &ns) == 1)
		return ns;
	return SUCCESSION_DRAIN_NS;
}

int succession_complete(const struct site *site, const char *successor, struct error *err)
{
	cleanup_store struct store *store = NULL;
	cleanup_record struct record *new = NULL, *old = NULL;
	cleanup_free char *predecessor = NULL;
	int r = store_open(site->state_path, &store, err);

	if (r < 0)
		return r;
	predecessor = predecessor_of(store, successor);
	if (!predecessor)
		return 0;
	/* one that died since has left everything as it was */
	if (!instance_is_alive(site, successor))
		return error_say(err, ERROR_FAILED, "the successor (%s) has ended", successor);
	r = store_succeed(store, successor, err);
	if (r == 0)
		r = store_load_id(store, successor, &new, err);
	if (r < 0 || !new)
		return r;
	(void)zone_files_refresh(site, store, new->zone, NULL);
	if (store_load_id(store, predecessor, &old, NULL) < 0)
		old = NULL;
	/* nothing that may wait for a keeper holds the store open */
	store_cleanup(&store);
	tell_successor(site, new);
	events_add(site, successor, "replaced", predecessor);
	return old ? tell_predecessor(site, old, new, drain_of(site, successor), err) : 0;
}

static bool has_taken(const struct site *site, const char *id)
{
	cleanup_fd int run = site_open_run_of(site, id);

	return run >= 0 && faccessat(run, SUCCESSION_TAKEN, F_OK, 0) == 0 &&
	       instance_is_alive(site, id);
}

/* What was told to drain does not need to be told again. */
static bool is_left_alone(const struct site *site, const char *id)
{
	cleanup_fd int run = site_open_run_of(site, id);
	struct status status;

	return run >= 0 && status_read(run, &status) == 0 && instance_is_alive(site, id) &&
	       (status.state == STATE_READY || status.state == STATE_STARTING);
}

void succession_sweep(const struct site *site, struct store *store)
{
	struct succession *list = NULL;
	size_t n = 0;

	if (store_succession_list(store, &list, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (list[i].done ? is_left_alone(site, list[i].predecessor)
				 : has_taken(site, list[i].successor))
			(void)succession_complete(site, list[i].successor, NULL);
	succession_list_free(list, n);
}
