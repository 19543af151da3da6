/* SPDX-License-Identifier: Apache-2.0 */
/* A new inside for an instance that stays what it is; see reset.h. In the command. */
#include "instance/reset.h"
#include "instance/limits.h"
#include "instance/lowers.h"
#include "instance/reach.h"
#include "instance/starting.h"
#include "base/cleanup.h"
#include "base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define SUCCESSOR_BOUND_MS 40000 /* its own bound is shorter (handover.c) */

static int look(struct starting *s, struct error *err)
{
	s->lowers = lowers_of(s->site, s->record);
	s->above = strv_copy(s->record->above);
	return start_take_content(s, err);
}

/* What the zone's instances see; link and firewall stay as they are. */
static int begin_network(struct starting *s, struct error *err)
{
	int r = store_open(s->site->state_path, &s->store, err);

	if (r == 0)
		r = network_begin(s->site, s->store, s->record, "none", &s->network, err);
	store_cleanup(&s->store);
	return r;
}

static int open_steps(struct starting *s, struct error *err)
{
	const char *id = s->record->grant.id;
	cleanup_fd int pool = reach_open(s->site, id, CONTROL_POOL, CONTROL_POOL_IS, err);

	return pool < 0 ? pool : steps_reopen(s->site, s->record, pool, &s->prepared, err);
}

static int launch(struct starting *s, struct error *err)
{
	cleanup_fd int predecessor = instance_connect(s->site, s->record->grant.id, err);

	if (predecessor < 0)
		return predecessor;
	limits_inherit(s->request->plan);
	return start_launch(s, predecessor, err);
}

/* A keeper that had taken over when it failed has the instance's end to tell, too. */
static bool has_ended(int keeper)
{
	cleanup_packet struct control_packet packet = {0};

	return control_receive_words(keeper, &packet) > 0 && packet.verb == CONTROL_ENDED;
}

static int take_over(struct starting *s, struct error *err)
{
	const char *id = s->record->grant.id;
	int r = start_await_keeper(s, SUCCESSOR_BOUND_MS, err);

	if (r == 0 || r == -ETIMEDOUT || !has_ended(s->tie))
		return r;
	if (instance_end(s->site, id, "reset failed", NULL) < 0)
		return error_prefix(err, "it has ended, and 'stint sweep' removes the rest");
	return error_prefix(err, "it has ended");
}

static const struct stage stages[] = {
	{"reset: look at the host", look},
	{"reset: begin the network", begin_network},
	{"reset: open what the steps made", open_steps},
	{"reset: open the lower layers", start_open_lowers},
	{"reset: launch the keeper", launch},
	{"reset: take over", take_over},
};

int instance_reset(const struct site *site, const struct plan *plan,
		   const struct given_secrets *secrets, struct instance *instance,
		   struct error *err)
{
	const struct start_request request = {.plan = plan, .secrets = secrets};
	struct starting s;
	int r;

	starting_init(&s, site, &request);
	for (size_t i = 0; i < PLAN_PORTS_MAX; i++)
		s.listeners[i] = -1;
	s.record = instance->record;
	r = start_run_stages(stages, ARRAY_SIZE(stages), &s, err);
	if (r == 0) {
		instance->tie = steal_fd(&s.tie);
		instance->keeper = s.keeper;
	}
	s.record = NULL;
	starting_deinit(&s);
	return r < 0 ? error_prefix(err, "cannot reset '%s'", instance->record->grant.name) : 0;
}

int64_t instance_reset_at(const struct site *site, const char *id)
{
	cleanup_fd int run = site_open_run_of(site, id);
	struct stat st;

	if (run < 0 || fstatat(run, RESET_FILE_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	return st.st_mtim.tv_sec;
}
