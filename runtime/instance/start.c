/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start of an instance: look at what depends on the host, bind ports, write the intent, run
 * the steps, launch the keeper. Whatever fails, what was made is undone from the record. In the
 * command that starts it.
 */
#include "instance/starting.h"
#include "instance/above.h"
#include "instance/content.h"
#include "instance/disk.h"
#include "instance/empty.h"
#include "instance/events.h"
#include "instance/guard.h"
#include "instance/hook.h"
#include "instance/limits.h"
#include "instance/lock.h"
#include "instance/network.h"
#include "instance/publish.h"
#include "instance/record_file.h"
#include "instance/succession.h"
#include "instance/sweep.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define KEEPER_BOUND_MS 10000

void starting_init(struct starting *s, const struct site *site, const struct start_request *request)
{
	*s = (struct starting){.site = site,
			       .request = request,
			       .admitting = -1,
			       .lock = -1,
			       .saved = -1,
			       .empty = -1,
			       .tie = -1,
			       .network.lock = -1};
	s->prepared.group_lock = s->prepared.run = s->prepared.log = s->prepared.pool = -1;
	s->prepared.freezer = -1;
	s->prepared.watch = (struct cgroup_watch){.event = -1, .count = -1, .hits = -1};
}

void starting_deinit(struct starting *s)
{
	store_close(s->store);
	account_deinit(&s->account);
	strv_free(s->paths);
	strv_free(s->lowers);
	strv_free(s->above);
	strv_free(s->live);
	cleanup_close(&s->admitting);
	content_deinit(&s->content);
	for (size_t i = 0; s->record && i < s->record->grant.n_ports; i++)
		close(s->listeners[i]);
	record_free(s->record);
	prepared_deinit(&s->prepared);
	network_deinit(&s->network);
	cleanup_close(&s->lock);
	cleanup_close(&s->saved);
	cleanup_close(&s->empty);
	cleanup_close(&s->tie);
}

/* Who has a port in use may be one of ours, which has a name. */
static int bind_ports(struct starting *s, struct grant *grant, struct error *err)
{
	const struct start_request *request = s->request;
	struct publish_wish wanted;
	int r = publish_bind(request->plan, request->publish, request->hold, grant, s->listeners,
			     err);

	if (r == -EADDRINUSE && s->store && !request->quota &&
	    publish_failed_at(request->plan, request->publish, grant, &wanted))
		(void)store_check_port(s->store, wanted.address, wanted.host_port, false, err);
	return r;
}

int start_fill_grant(struct starting *s, struct grant *grant, struct error *err)
{
	const struct start_request *request = s->request;
	const struct account *owner = request->owner;
	int r = 0;

	grant->lease = request->lease;
	grant->hold = request->hold;
	if (request->predecessor)
		return succession_inherit(s->site, request->predecessor, request->plan, grant,
					  s->listeners, err);
	grant->owner_uid = owner->uid;
	grant->owner_gid = owner->gid;
	grant->owner = xstrdup(owner->name);
	if (request->likeness)
		return 0;
	if (request->quota)
		r = publish_check_restricted(request->plan, request->publish, err);
	return r < 0 ? r : bind_ports(s, grant, err);
}

static int fill_record(struct starting *s, struct error *err)
{
	const struct start_request *request = s->request;
	struct record *record = s->record = xcalloc(1, sizeof(*record));
	struct text canonical = {0};
	char boot_id[BOOT_ID_SIZE];
	int r = clock_boot_id(boot_id);

	if (r < 0)
		return error_set(err, -r, "cannot read this boot's id");
	plan_write_canonical(request->plan, &canonical);
	record->plan = text_take(&canonical);
	record->template_name = xstrdup(request->plan->template_name);
	record->boot_id = xstrdup(boot_id);
	record->created_ns = clock_wall_ns();
	record->layers = strv_copy(request->plan->install);
	if (s->above)
		record->above = strv_copy(s->above);
	if (request->plan->harvest)
		record->harvest = strv_copy(request->plan->harvest);
	record->cgroup = xstrdup(s->site->cgroup);
	record->zone = xstrdup(request->plan->network.zone);
	if (request->plan->ha_group)
		record->ha_group = xstrdup(request->plan->ha_group);
	record->after_end = hook_pack(&request->plan->hooks[HOOK_AFTER_END]);
	record->on_expiry = request->plan->lease.on_expiry;
	/* a spare that fails says why in its pool, and would stand in the way of the next */
	record->keep_failed_ns = request->likeness ? 0 : request->plan->lease.keep_failed_ns;
	record->memory_bytes = request->plan->limits.memory_bytes;
	record->cpu_millis = request->plan->limits.cpu_millis;
	r = disk_choose(s->site, request->plan, s->admission.ids.count > 0, record, err);
	return r < 0 ? r : start_fill_grant(s, &record->grant, err);
}

static int undo_start(struct starting *s, const struct error *why)
{
	struct ending ending = ending_unknown;
	cleanup_store struct store *store = NULL;
	int r = steps_undo(s->site, s->record, NULL);

	if (r == 0)
		hook_after_end(s->site, s->record, why->text);
	ending.ended_ns = clock_wall_ns();
	text_cutf(ending.reason, sizeof(ending.reason), "failed to start: %s", why->text);
	/* what cannot be removed now keeps its record, and a sweep tries again */
	if (r < 0 || store_open(s->site->state_path, &store, NULL) < 0 ||
	    store_finish(store, s->record->grant.id, &ending, NULL) < 0)
		return r;
	events_add(s->site, s->record->grant.id, "ended", ending.reason);
	instance_lock_remove(s->site, s->record->grant.id);
	return 0;
}

/* The undo must find nobody who is still at work. */
static void end_keeper(pid_t keeper)
{
	kill(keeper, SIGKILL);
	waitpid(keeper, NULL, 0);
}

int start_await_keeper(const struct starting *s, int bound_ms, struct error *err)
{
	struct pollfd polled = {.fd = s->tie, .events = POLLIN};
	struct control_packet packet = {0};
	int r = poll(&polled, 1, bound_ms);

	r = r > 0 ? control_receive_words(s->tie, &packet) : -ETIMEDOUT;
	if (r > 0 && packet.verb == CONTROL_OK)
		r = 0;
	else if (r > 0 && packet.verb == CONTROL_FAILED && packet.error.code < 0) {
		*err = packet.error;
		r = err->code;
	} else
		r = error_set(err, r < 0 ? -r : ECONNRESET, "cannot start the keeper");
	control_packet_deinit(&packet);
	return r;
}

/* After its first word the lock is the keeper's own. */
static int hand_over(struct starting *s, struct error *err)
{
	return start_await_keeper(s, KEEPER_BOUND_MS, err);
}

/* While the keeper's children make the inside; the server waits for both. */
static int link_up(struct starting *s, struct error *err)
{
	int r = network_join(s->site, s->record, &s->network, err);

	network_deinit(&s->network);
	return r;
}

static int open_store(struct starting *s, struct error *err)
{
	return store_open(s->site->state_path, &s->store, err);
}

static int sweep_in_passing(struct starting *s, struct error *err)
{
	return site_sweep_in_passing(s->site, s->store, s->request->name, err);
}

/* With nothing held but the instance's own lock: it may take its time. */
static int run_hook(struct starting *s, struct error *err)
{
	const struct plan_hook *hook = &s->request->plan->hooks[HOOK_BEFORE_START];
	const struct hook_run run = {.name = plan_hook_names[HOOK_BEFORE_START],
				     .hook = hook,
				     .record = s->record,
				     .cancel = s->request->cancel};

	if (!hook->command)
		return 0;
	/* it is not kept open across a fork */
	store_cleanup(&s->store);
	return hook_run(&run, err);
}

/* The last that needs the store: it is not kept open across a fork. */
static int begin_network(struct starting *s, struct error *err)
{
	int r = s->store ? 0 : open_store(s, err);

	if (r == 0)
		r = network_begin(s->site, s->store, s->record, s->request->plan->network.egress,
				  &s->network, err);
	if (r == 0 && empty_is_of_use())
		r = store_newest(s->store, s->record->grant.id, s->neighbour, err);
	store_cleanup(&s->store);
	return r;
}

/* The store is closed by now. */
static int ensure_guard(struct starting *s, struct error *err)
{
	(void)err;
	guard_ensure(s->site, s->live);
	return 0;
}

static int prepare_steps(struct starting *s, struct error *err)
{
	return steps_prepare(s->site, s->record, &s->prepared, err);
}

static int copy_record(struct starting *s, struct error *err)
{
	return record_file_write(s->site, s->record, &s->network.zone, err);
}

static int set_limits(struct starting *s, struct error *err)
{
	int r = limits_apply(s->site, s->request->plan, s->record, &s->prepared, err);

	if (r == 0 && s->request->likeness && s->prepared.freezer < 0)
		return error_say(err, ERROR_REFUSED,
				 "a spare is frozen, which needs control groups of version 2, and "
				 "this host does not have them");
	return r < 0 ? r : disk_note(s->site, s->request->plan, s->record, &s->prepared, err);
}

int start_open_lowers(struct starting *s, struct error *err)
{
	int r = content_open_lowers(s->lowers, s->record->layers, &s->content, err);

	for (size_t i = 0; r == 0 && s->lowers && s->lowers[i]; i++)
		s->content.lowers[i].above = above_of(s->above, i);
	return r;
}

int start_launch(struct starting *s, int predecessor, struct error *err)
{
	cleanup_strv char **lowers = start_lowers(s);
	const struct launch launch = {
		.site = s->site,
		.plan = s->request->plan,
		.record = s->record,
		.account = &s->account,
		.paths = s->paths,
		.lowers = lowers,
		.content = &s->content,
		.prepared = &s->prepared,
		.network = &s->network,
		.listeners = s->listeners,
		.spare = s->request->likeness != NULL,
		.reserved = s->request->predecessor != NULL,
		.lock = s->lock,
		.empty = s->empty,
		.predecessor = predecessor,
	};

	return launch_keeper(&launch, &s->tie, &s->keeper, err);
}

static int find_empty(struct starting *s, struct error *err)
{
	(void)err;
	if (empty_is_of_use())
		s->empty = empty_find(s->site, s->neighbour);
	return 0;
}

static int launch(struct starting *s, struct error *err)
{
	return start_launch(s, -1, err);
}

/* Where a spare will do, that is all. */
static const struct stage looking[] = {
	{"open the store", open_store},
	{"sweep in passing", sweep_in_passing},
	{"find the lower layers", start_find_lowers},
};
/* Until the record is there nothing is left but a lock, and then all the rest. */
static const struct stage entering[] = {
	{"look at the host", start_look_at_host},
	{"fill the record", fill_record},
	{"look for room", start_look_for_room},
	{"make the lock", start_create_lock},
	{"look at the live directories", start_look_at_live},
	{"enter the record", start_admit},
};
static const struct stage making[] = {
	{"run the hook", run_hook},
	{"begin the network", begin_network},
	{"guard the live directories", ensure_guard},
	{"prepare the steps", prepare_steps},
	{"copy the record", copy_record},
	{"bring the harvest along", start_bring_along},
	{"open the lower layers", start_open_lowers},
	{"set the limits", set_limits},
	{"find an empty namespace", find_empty},
	{"launch the keeper", launch},
	{"hand over to the keeper", hand_over},
	{"make the link", link_up},
};

int start_run_stages(const struct stage *stages, size_t n, struct starting *s, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = fault_at(stages[i].name, err);
		if (r == 0)
			r = stages[i].run(s, err);
	}
	return r;
}

static int make_and_launch(struct starting *s, struct error *err)
{
	int r = start_run_stages(making, ARRAY_SIZE(making), s, err);

	if (r < 0 && s->keeper > 0)
		end_keeper(s->keeper);
	prepared_unlock(&s->prepared);
	return r;
}

static int start(struct starting *s, struct error *err)
{
	int r = start_run_stages(looking, ARRAY_SIZE(looking), s, err);

	if (r == 0 && s->request->may_claim)
		r = start_claim(s, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = start_run_stages(entering, ARRAY_SIZE(entering), s, err);
	if (r < 0 && s->lock >= 0)
		instance_lock_remove(s->site, s->record->grant.id);
	if (r < 0)
		return r;
	events_add_created(s->site, s->record);
	r = make_and_launch(s, err);
	if (r < 0)
		undo_start(s, err);
	return r;
}

int instance_start(const struct site *site, const struct start_request *request,
		   struct instance *ret_instance, struct error *err)
{
	struct starting s;
	int r;

	starting_init(&s, site, request);
	r = start(&s, err);
	if (r == 0)
		*ret_instance = (struct instance){.record = steal_ptr(s.record),
						  .tie = steal_fd(&s.tie),
						  .keeper = s.keeper,
						  .pool = s.pool,
						  .without = s.without};
	for (size_t i = 0; r == 0 && i < ret_instance->record->grant.n_ports; i++)
		close(s.listeners[i]);
	starting_deinit(&s);
	return r;
}

void instance_deinit(struct instance *instance)
{
	cleanup_close(&instance->tie);
	record_free(instance->record);
	*instance = (struct instance){.tie = -1};
}
