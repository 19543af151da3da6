/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stint fill: brings all pools to what they should be, and ends. One process at a time does that,
 * which every claim, every change of a pool or of an install, and every sweep starts; see
 * instance/spares.h. A template that does not start is tried again later, and later each time.
 */
#include "cli/commands.h"
#include "cli/caller.h"
#include "cli/place.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "instance/lowers.h"
#include "instance/spares.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOCK "fill.lock"
#define WANTED "fill.wanted"
#define AGAIN_NS (60 * NSEC_PER_SEC)
#define AGAIN_MOST 6 /* doublings: an hour */

struct filling {
	const struct invocation *invocation;
	struct site site;
};

/* As if the administrator had said "stint up SOURCE --zone ZONE". */
static struct invocation wish_of(const struct filling *filling, const struct pool *pool,
				 char *args[2])
{
	args[0] = pool->source;
	args[1] = NULL;
	return (struct invocation){.command = &up_command,
				   .caller = filling->invocation->caller,
				   .options = {.zone = pool->zone},
				   .args = args,
				   .n_args = 1};
}

static int compile(const struct filling *filling, const struct pool *pool, struct plan **ret_plan,
		   struct error *err)
{
	cleanup_plan struct plan *plan = NULL;
	char *args[2];
	const struct invocation view = wish_of(filling, pool, args);
	int r = compile_template(&view, &filling->site, true, &plan, err);

	if (r == 0 && strcmp(plan->template_name, pool->template_name) != 0)
		r = error_say(err, ERROR_FAILED, "'%s' is now the template '%s'", pool->source,
			      plan->template_name);
	if (r == 0)
		r = spares_check_plan(plan, err);
	if (r == 0)
		r = lowers_name(&filling->site, plan, err);
	if (r == 0)
		*ret_plan = steal_ptr(plan);
	return r;
}

/* Nobody has said so: its starter was killed, or the pool has been set since. */
static void recognise(const struct filling *filling, struct store *store, struct spare *spare)
{
	struct status status;

	instance_observe(&filling->site, spare->record, &status);
	if (status.state != STATE_SPARE)
		return;
	spare->ready = store_spare_ready(store, spare->record->grant.id, -1, NULL) == 0;
}

/* Replaced a little before its keeper ends it, so that there is one all the time. */
static bool is_old(const struct pool *pool, const struct spare *spare)
{
	return clock_wall_ns() - spare->record->created_ns > pool->max_age_ns / 10 * 9;
}

/* Those that are out of date, or too many, newest first. How many are left. */
static uint32_t thin_out(const struct filling *filling, struct store *store,
			 const struct pool *pool, const struct likeness *likeness,
			 struct spare *spares, size_t n)
{
	uint32_t left = (uint32_t)n;

	for (size_t i = n; i-- > 0;) {
		const char *why = spare_differs(&filling->site, &spares[i], likeness);

		if (!why && left > pool->size)
			why = "the pool is smaller";
		if (!why && is_old(pool, &spares[i]))
			why = "it is old";
		if (!spares[i].ready && !why)
			recognise(filling, store, &spares[i]);
		if (why &&
		    spare_end(&filling->site, store, spares[i].record->grant.id, why, NULL) >= 0)
			left--;
	}
	return left;
}

/* Where the first is too old before the last is ready, filling would have no end. */
static int check_age(const struct pool *pool, struct error *err)
{
	char takes[32], age[32];
	int64_t mean_ns = pool->starts ? pool->ready_ns / (int64_t)pool->starts : 0;

	if (mean_ns * pool->size < pool->max_age_ns / 10 * 9)
		return 0;
	format_duration(mean_ns, takes, sizeof(takes));
	format_duration(pool->max_age_ns, age, sizeof(age));
	return error_say(err, ERROR_REFUSED,
			 "a spare takes %s to start, and is too old after %s, before all %" PRIu32
			 " are ready: raise --max-age, or keep fewer",
			 takes, age, pool->size);
}

/* How many are to be started. */
static int look_over(const struct filling *filling, const struct pool *pool, uint32_t *ret_missing,
		     struct error *err)
{
	cleanup_plan struct plan *plan = NULL;
	cleanup_likeness struct likeness likeness = {0};
	cleanup_store struct store *store = NULL;
	struct spare *spares = NULL;
	size_t n = 0;
	uint32_t left;
	int r = check_age(pool, err);

	if (r == 0)
		r = compile(filling, pool, &plan, err);
	if (r == 0)
		r = store_open(filling->site.state_path, &store, err);
	if (r == 0)
		r = likeness_find(&filling->site, store, plan, &likeness, err);
	if (r == 0)
		r = store_pool_liken(store, pool, likeness.text, err);
	if (r == 0)
		r = store_spare_list(store, pool->template_name, pool->zone, &spares, &n, err);
	if (r < 0)
		return r;
	left = thin_out(filling, store, pool, &likeness, spares, n);
	spare_list_free(spares, n);
	*ret_missing = left < pool->size ? pool->size - left : 0;
	return 0;
}

/* Ready, and nobody's. */
static int finish_start(struct session *session, struct error *err)
{
	const struct record *record = session->instance.record;
	cleanup_store struct store *store = NULL;
	int r = session_wait_ready(session, err);

	if (r == 0)
		r = session_release(session, err);
	if (r < 0)
		return r;
	spares_make_cold(record);
	r = store_open(session->site.state_path, &store, err);
	return r < 0 ? r : store_spare_ready(store, record->grant.id, session->ready_ns, err);
}

static int start_one(const struct filling *filling, const struct pool *pool, struct error *err)
{
	struct session session;
	char *args[2];
	const struct invocation view = wish_of(filling, pool, args);
	int r = session_start_spare(&view, pool->max_age_ns, &session, err);

	if (r == 0)
		r = finish_start(&session, err);
	if (session.interrupted)
		r = -EINTR;
	session_deinit(&session);
	return r;
}

static bool is_to_wait(const struct pool *pool)
{
	uint32_t doublings = pool->failures < AGAIN_MOST ? pool->failures : AGAIN_MOST;

	return pool->failures && clock_wall_ns() < pool->failed_ns + (AGAIN_NS << (doublings - 1));
}

static int load(const struct filling *filling, struct pool **ret_pools, size_t *ret_n,
		struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(filling->site.state_path, &store, err);

	if (r < 0)
		return r;
	spares_end_orphans(&filling->site, store);
	return store_pool_list(store, ret_pools, ret_n, err);
}

static void note_failure(const struct filling *filling, const struct pool *pool,
			 const struct error *why)
{
	cleanup_store struct store *store = NULL;

	if (store_open(filling->site.state_path, &store, NULL) == 0)
		(void)store_pool_note_failure(store, pool, clock_wall_ns(), why->text, NULL);
}

/*
 * One spare of each pool that lacks any, so that none waits for a large one. 1: there is more to
 * do; a signal is an error.
 */
static int fill_round(const struct filling *filling, struct error *err)
{
	struct pool *pools = NULL;
	size_t n = 0;
	bool more = false;
	int r = load(filling, &pools, &n, err);

	for (size_t i = 0; r >= 0 && i < n; i++) {
		struct error why = {0};
		uint32_t missing = 0;

		if (is_to_wait(&pools[i]))
			continue;
		r = look_over(filling, &pools[i], &missing, &why);
		if (r == 0 && missing)
			r = start_one(filling, &pools[i], &why);
		if (r == -EINTR)
			break;
		if (r < 0)
			note_failure(filling, &pools[i], &why);
		more |= r == 0 && missing > 1;
		r = 0;
	}
	pool_list_free(pools, n);
	return r < 0 ? r : more;
}

static bool is_wanted(const struct filling *filling)
{
	return faccessat(filling->site.run, WANTED, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Who finds the lock taken has left a mark before, and who gives it up looks for one after that:
 * nothing that was wanted is missed.
 */
static int fill(const struct filling *filling, struct error *err)
{
	cleanup_fd int lock =
		openat(filling->site.run, LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	cleanup_fd int mark = openat(filling->site.run, WANTED,
				     O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = 0;

	if (lock < 0 || mark < 0)
		return error_set(err, errno, "cannot make '%s' and '%s' in '%s'", LOCK, WANTED,
				 filling->site.run_path);
	while (r == 0 && is_wanted(filling) && lock_try(lock, 0) == 0) {
		(void)unlinkat(filling->site.run, WANTED, 0);
		do
			r = fill_round(filling, err);
		while (r > 0);
		lock_release(lock, 0);
	}
	return r;
}

static int run_fill(const struct invocation *invocation)
{
	struct filling filling = {.invocation = invocation, .site = {.state = -1, .run = -1}};
	struct error err = {0};
	int status = 0;

	if (place_open(&filling.site, &err) < 0 || fill(&filling, &err) < 0)
		status = report(&err);
	site_close(&filling.site);
	return status;
}

const struct command fill_command = {
	.name = "fill",
	.usage = "",
	.summary = "start the spares that pools lack; what runs in the background for them",
	.max_args = 0,
	.hidden = true,
	.run = run_fill,
};
