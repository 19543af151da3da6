/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start that takes a spare (spares.h). Its keeper is asked first: it is this command's from then
 * on, or somebody else's. Then the store gives it name, owner, lease and ports in one transaction,
 * and then the keeper. Whatever ends this command in between ends the spare. See starting.h.
 */
#include "instance/starting.h"
#include "instance/events.h"
#include "instance/limits.h"
#include "instance/queue.h"
#include "instance/record_file.h"
#include "instance/spares.h"
#include "instance/zone_files.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEEPER_BOUND_MS 2000
#define NAME_ATTEMPTS 64

/* The record stands in until there is one: it holds the ports. */
static int prepare_grant(struct starting *s, struct error *err)
{
	if (s->record)
		return 0;
	s->record = xcalloc(1, sizeof(*s->record));
	s->record->template_name = xstrdup(s->request->plan->template_name);
	return start_fill_grant(s, &s->record->grant, err);
}

/* For a start as if there were no pool. */
static void drop_grant(struct starting *s)
{
	for (size_t i = 0; s->record && i < s->record->grant.n_ports; i++)
		close(s->listeners[i]);
	record_free(s->record);
	s->record = NULL;
}

/* Its keeper, if nobody else has asked for it. */
static bool reserve(struct starting *s, const char *id)
{
	const struct control_packet packet = {.verb = CONTROL_RESERVE};
	struct error why;

	s->tie = instance_connect(s->site, id, &why);
	if (s->tie >= 0 && control_send(s->tie, &packet, NULL, 0) == 0 &&
	    start_await_keeper(s, KEEPER_BOUND_MS, &why) == 0)
		return true;
	cleanup_close(&s->tie);
	return false;
}

static void put_back(struct starting *s)
{
	const struct control_packet packet = {.verb = CONTROL_RELEASE};
	struct error why;

	(void)control_send(s->tie, &packet, NULL, 0);
	(void)start_await_keeper(s, KEEPER_BOUND_MS, &why);
	cleanup_close(&s->tie);
}

static void choose_name(const struct starting *s, unsigned attempt, struct grant *grant)
{
	if (s->request->name)
		snprintf(grant->name, sizeof(grant->name), "%s", s->request->name);
	else
		make_name(s->record->template_name, attempt, grant->name);
}

static int enter(struct starting *s, const char *id, struct record **ret_record, struct error *err)
{
	const struct plan_lease *lease = &s->request->plan->lease;
	struct grant *grant = &s->record->grant;
	cleanup_text struct text plan = {0};
	struct claim claim = {.grant = grant,
			      .on_expiry = lease->on_expiry,
			      .cpu_millis = s->request->plan->limits.cpu_millis,
			      .keep_failed_ns = lease->keep_failed_ns,
			      .created_ns = clock_wall_ns(),
			      .quota = s->request->quota};
	int r;

	snprintf(grant->id, sizeof(grant->id), "%s", id);
	plan_write_canonical(s->request->plan, &plan);
	claim.plan = plan.data;
	for (unsigned i = 0;; i++) {
		choose_name(s, i, grant);
		r = store_spare_claim(s->store, &claim, ret_record, err);
		if (i == NAME_ATTEMPTS || !start_choose_again(s, r, err))
			return r;
	}
}

static int grant_to_keeper(const struct starting *s, struct error *err)
{
	const struct grant *grant = &s->record->grant;
	struct control_packet packet = {.verb = CONTROL_GRANT, .lease = grant->lease};
	int r = 0;

	for (size_t i = 0; r == 0 && i < grant->n_ports; i++) {
		uint16_t inside = grant->ports[i].inside_port;
		const struct control_packet port = {
			.verb = CONTROL_PORT,
			.number = inside,
			.number2 = plan_port_flags(s->request->plan, inside)};

		r = control_send(s->tie, &port, &s->listeners[i], 1);
	}
	if (r == 0)
		r = control_send(s->tie, &packet, NULL, 0);
	return r < 0 ? error_set(err, -r, "the claimed spare '%s' was lost", grant->id) : 0;
}

/* What others see of it; nothing of that is worth the instance. */
static void tell_others(const struct starting *s)
{
	if (s->request->ticket)
		queue_leave(s->request->ticket);
	(void)zone_files_refresh(s->site, s->store, s->record->zone, NULL);
	(void)record_file_write(s->site, s->record, NULL, NULL);
}

/* 1: it is ours; 0: somebody was faster. */
static int claim(struct starting *s, const struct record *spare, struct error *err)
{
	const char *id = spare->grant.id;
	struct record *record = NULL;
	struct error undo;
	int r;

	if (!reserve(s, id))
		return 0;
	r = prepare_grant(s, err);
	if (r == 0)
		r = enter(s, id, &record, err);
	if (r != 0) {
		put_back(s);
		return r == -ESTALE ? 0 : r;
	}
	record_free(s->record);
	s->record = record;
	/* of the same likeness, but not the same */
	if (strcmp(spare->plan, record->plan) != 0)
		r = limits_change(s->site, s->request->plan, record, err);
	/* what the keeper tells from now on is told of that name */
	events_add_created(s->site, record);
	if (r == 0)
		r = grant_to_keeper(s, err);
	if (r == 0) {
		tell_others(s);
		return 1;
	}
	cleanup_close(&s->tie);
	(void)instance_end(s->site, id, "keeper lost", &undo);
	return r;
}

static int claim_one_of(struct starting *s, const struct spare *spares, size_t n,
			const struct likeness *likeness, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (spares[i].ready && !spare_differs(s->site, &spares[i], likeness))
			r = claim(s, spares[i].record, err);
	if (r == 0)
		drop_grant(s);
	s->pool = r > 0 ? POOL_CLAIMED : POOL_EMPTY;
	return r;
}

static int claim_from(struct starting *s, const struct pool *pool, struct error *err)
{
	const struct plan *plan = s->request->plan;
	cleanup_likeness struct likeness likeness = {0};
	struct spare *spares = NULL;
	size_t n = 0;
	int r = likeness_find(s->site, s->store, plan, &likeness, err);

	if (r < 0)
		return r;
	if (!s->request->hold || (pool->likeness && strcmp(pool->likeness, likeness.text) != 0)) {
		s->pool = POOL_DIFFERS;
		return 0;
	}
	/* whoever fills it has not looked at it yet */
	if (!pool->likeness) {
		s->pool = POOL_EMPTY;
		return 0;
	}
	/* what has changed there is noted with the spares as with all others, and then they differ
	 */
	r = start_look_at_live(s, err);
	cleanup_close(&s->admitting);
	if (r == 0)
		r = store_spare_list(s->store, pool->template_name, pool->zone, &spares, &n, err);
	if (r == 0)
		r = claim_one_of(s, spares, n, &likeness, err);
	spare_list_free(spares, n);
	return r;
}

int start_claim(struct starting *s, struct error *err)
{
	const struct plan *plan = s->request->plan;
	cleanup_pool struct pool pool = {0};
	int r = store_pool_find(s->store, plan->template_name, plan->network.zone, &pool, err);

	return r > 0 ? claim_from(s, &pool, err) : r;
}
