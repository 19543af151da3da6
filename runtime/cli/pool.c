/* SPDX-License-Identifier: Apache-2.0 */
/* stint pool: instances that are started ahead of time. */
#include "cli/action.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/process.h"
#include "base/visible.h"
#include "instance/lowers.h"
#include "instance/spares.h"
#include "store/zones.h"
#include "templates/template.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define MAX_AGE_NS (24 * 3600 * NSEC_PER_SEC)
#define SIZE_MOST 1000
#define LOOK_MS 100
#define AGAIN_AFTER 30 /* looks */

struct request {
	const struct invocation *invocation;
	struct site site;
	struct store *store; /* closed before others are made to work */
};

/* "-" where nothing was measured. */
static void add_mean(struct table *table, int64_t sum_ns, uint64_t n)
{
	char mean[32];

	if (n == 0) {
		table_add(table, "-");
		return;
	}
	format_duration(sum_ns / (int64_t)n, mean, sizeof(mean));
	table_add(table, mean);
}

static void add_pool(struct table *table, const struct pool *pool)
{
	uint64_t asked = pool->hits + pool->misses;

	table_add(table, pool->template_name);
	table_add(table, pool->zone);
	table_addf(table, "%" PRIu32 "/%" PRIu32, pool->ready, pool->size);
	table_addf(table, "%" PRIu64, pool->hits);
	table_addf(table, "%" PRIu64, pool->misses);
	if (asked)
		table_addf(table, "%" PRIu64 " %%", 100 * pool->hits / asked);
	else
		table_add(table, "-");
	add_mean(table, pool->claim_ns, pool->hits);
	add_mean(table, pool->ready_ns, pool->starts);
}

static json_t *json_mean(int64_t sum_ns, uint64_t n)
{
	return n ? json_real((double)sum_ns / (double)n / NSEC_PER_SEC) : json_null();
}

static json_t *json_pool(const struct pool *pool)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:I, s:I, s:o, s:o, s:i, s:o}",
			 "template", pool->template_name, "zone", pool->zone, "source",
			 pool->source, "size", (int)pool->size, "spares", (int)pool->spares,
			 "ready", (int)pool->ready, "max_age_seconds",
			 (json_int_t)(pool->max_age_ns / NSEC_PER_SEC), "hits",
			 (json_int_t)pool->hits, "misses", (json_int_t)pool->misses,
			 "claim_seconds", json_mean(pool->claim_ns, pool->hits), "start_seconds",
			 json_mean(pool->ready_ns, pool->starts), "failures", (int)pool->failures,
			 "error", json_text(pool->error));
}

static void print_fault(const struct pool *pool)
{
	cleanup_text struct text shown = {0};

	text_add_visible_words(&shown, pool->error);
	printf("%s in %s cannot be filled: %s\n", pool->template_name, pool->zone,
	       shown.data ? shown.data : "");
}

static void print_table(const struct pool *pools, size_t n)
{
	static const char *const heads[] = {"TEMPLATE", "ZONE", "READY", "HITS",
					    "MISSES",	"RATE", "CLAIM", "START"};
	struct table table = {.columns = ARRAY_SIZE(heads)};

	for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
		table_add(&table, heads[i]);
	for (size_t i = 0; i < n; i++)
		add_pool(&table, &pools[i]);
	table_print(&table);
	for (size_t i = 0; i < n; i++)
		if (pools[i].error)
			print_fault(&pools[i]);
}

static int list_pools(struct request *request, struct error *err)
{
	json_t *list = request->invocation->options.json ? json_array() : NULL;
	struct pool *pools = NULL;
	size_t n = 0;
	int r = store_pool_list(request->store, &pools, &n, err);

	for (size_t i = 0; list && i < n; i++)
		json_push(list, json_pool(&pools[i]));
	if (r == 0 && !list && n > 0)
		print_table(pools, n);
	else if (r == 0 && !list)
		puts("no pools; 'stint pool set TEMPLATE NUMBER' makes one");
	if (r == 0 && list)
		json_print(json_incref(list));
	json_decref(list);
	pool_list_free(pools, n);
	return r;
}

static int read_wish(const struct invocation *invocation, struct pool *pool, struct error *err)
{
	const struct options *options = &invocation->options;
	const char *word = invocation->args[2];
	uint64_t size;
	int r;

	if (parse_number(word, SIZE_MOST, &size) < 0 || size == 0)
		return error_say(err, ERROR_USAGE,
				 "'%s' is no number of spares; write 1 to %d, or 'stint pool rm'",
				 word, SIZE_MOST);
	pool->size = (uint32_t)size;
	pool->max_age_ns = MAX_AGE_NS;
	r = options->max_age ? parse_duration(options->max_age, &pool->max_age_ns) : 0;
	if (r < 0 || pool->max_age_ns <= 0)
		return wish_refuse_duration("max-age", options->max_age, r, "30m, 12h or 2d", err);
	return 0;
}

/* As it will be found from anywhere. */
static int take_source(const char *word, struct pool *pool, struct error *err)
{
	if (!template_is_path(word)) {
		pool->source = xstrdup(word);
		return 0;
	}
	pool->source = realpath(word, NULL);
	return pool->source ? 0 : error_set(err, errno, "'%s'", word);
}

/* What pool_fill will do, tried: what cannot be is told to who asks for it. */
static int describe(const struct request *request, struct pool *pool, struct error *err)
{
	struct invocation view = *request->invocation;
	cleanup_plan struct plan *plan = NULL;
	struct zone zone = {0};
	int r;

	view.args++;
	view.n_args = 1;
	r = compile_template(&view, &request->site, true, &plan, err);
	if (r == 0)
		r = spares_check_plan(plan, err);
	if (r == 0)
		r = store_zone_load(request->store, plan->network.zone, &zone, err);
	zone_deinit(&zone);
	if (r < 0)
		return r;
	pool->template_name = xstrdup(plan->template_name);
	pool->zone = xstrdup(plan->network.zone);
	return take_source(view.args[0], pool, err);
}

static int load(const struct request *request, const struct pool *wanted, struct pool *ret_pool,
		struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(request->site.state_path, &store, err);

	if (r == 0)
		r = store_pool_find(store, wanted->template_name, wanted->zone, ret_pool, err);
	if (r == 0)
		return error_say(err, ERROR_NOT_FOUND, "the pool of '%s' was removed meanwhile",
				 wanted->template_name);
	return r < 0 ? r : 0;
}

static void show(struct progress *progress, const struct pool *pool)
{
	cleanup_free char *line = NULL;
	char bar[64];

	if (!progress_is_due(progress))
		return;
	progress_bar(pool->ready, pool->size, bar, sizeof(bar));
	line = xasprintf("%s %" PRIu32 " of %" PRIu32 " spares of %s are ready", bar, pool->ready,
			 pool->size, pool->template_name);
	progress_show(progress, line);
}

/* 1: all are ready; 0: the user has seen enough. */
static int wait_until_full(const struct request *request, const struct pool *wanted,
			   struct error *err)
{
	cleanup_fd int signals = process_take_signals(0);
	struct pollfd polled = {.fd = signals, .events = POLLIN};
	struct progress progress = {0};
	int r = 0;

	for (unsigned i = 1; r == 0 && poll(&polled, 1, LOOK_MS) <= 0; i++) {
		cleanup_pool struct pool pool = {0};

		/* whoever fills it may have been killed; while he is at it, another one just ends
		 */
		if (i % AGAIN_AFTER == 0)
			spares_fill(&request->site);
		r = load(request, wanted, &pool, err);
		if (r == 0 && pool.error)
			r = error_say(err, ERROR_FAILED,
				      "the pool is made, and cannot be filled: %s", pool.error);
		if (r == 0)
			show(&progress, &pool);
		/* as it is by now: somebody may have set another size meanwhile */
		if (r == 0 && pool.ready >= pool.size && pool.spares <= pool.size)
			r = 1;
	}
	progress_clear(&progress);
	return r;
}

static int print_set(const struct request *request, const struct pool *wanted, struct error *err)
{
	cleanup_pool struct pool pool = {0};
	int r = load(request, wanted, &pool, err);

	if (r < 0)
		return r;
	if (request->invocation->options.json)
		return json_print(json_pool(&pool));
	printf("pool of %s in zone %s: %" PRIu32 " of %" PRIu32 " ready%s\n", pool.template_name,
	       pool.zone, pool.ready, pool.size,
	       pool.ready < pool.size ? "; the others follow, see 'stint pool ls'" : "");
	return 0;
}

static int set_pool(struct request *request, struct error *err)
{
	cleanup_pool struct pool pool = {0};
	int r = read_wish(request->invocation, &pool, err);

	if (r == 0)
		r = describe(request, &pool, err);
	if (r == 0)
		r = store_pool_set(request->store, &pool, err);
	store_cleanup(&request->store);
	if (r < 0)
		return r;
	spares_fill(&request->site);
	if (!request->invocation->options.no_wait)
		r = wait_until_full(request, &pool, err);
	return r < 0 ? r : print_set(request, &pool, err);
}

static bool is_meant(const struct pool *pool, const char *word, const char *zone)
{
	cleanup_free char *path = template_is_path(word) ? realpath(word, NULL) : NULL;

	if (zone && strcmp(pool->zone, zone) != 0)
		return false;
	return strcmp(pool->template_name, word) == 0 ||
	       strcmp(pool->source, path ? path : word) == 0;
}

/* The only one that the words mean. */
static int choose(const struct invocation *invocation, const struct pool *pools, size_t n,
		  const struct pool **ret_pool, struct error *err)
{
	const char *word = invocation->args[1], *zone = invocation->options.zone;

	*ret_pool = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!is_meant(&pools[i], word, zone))
			continue;
		if (*ret_pool)
			return error_say(err, ERROR_USAGE,
					 "'%s' has pools in the zones '%s' and '%s': give --zone",
					 word, (*ret_pool)->zone, pools[i].zone);
		*ret_pool = &pools[i];
	}
	if (*ret_pool)
		return 0;
	return error_say(err, ERROR_NOT_FOUND, "no pool of '%s'%s%s%s; see 'stint pool ls'", word,
			 zone ? " in the zone '" : "", zone ? zone : "", zone ? "'" : "");
}

static int remove_pool(struct request *request, struct error *err)
{
	const struct pool *pool = NULL;
	struct pool *pools = NULL;
	size_t n = 0;
	int r = store_pool_list(request->store, &pools, &n, err);

	if (r == 0)
		r = choose(request->invocation, pools, n, &pool, err);
	if (r == 0)
		r = store_pool_remove(request->store, pool->template_name, pool->zone, err);
	if (r == 0)
		spares_end_orphans(&request->site, request->store);
	if (r == 0 && request->invocation->options.json)
		json_print(json_pool(pool));
	else if (r == 0)
		printf("the pool of %s in zone %s is gone\n", pool->template_name, pool->zone);
	pool_list_free(pools, n);
	return r;
}

static const struct {
	struct action about;
	int (*act)(struct request *request, struct error *err);
} actions[] = {
	{{"ls", "", 1, 1, false}, list_pools},
	{{"set", " TEMPLATE NUMBER", 3, 3, true}, set_pool},
	{{"rm", " TEMPLATE", 2, 2, true}, remove_pool},
};

static int act(struct request *request, struct error *err)
{
	size_t i = 0;
	int r = ACTION_CHOOSE(request->invocation, actions, &i, err);

	return r < 0 ? r : actions[i].act(request, err);
}

static int run_pool(const struct invocation *invocation)
{
	struct request request = {.invocation = invocation, .site = {.state = -1, .run = -1}};
	struct error err = {0};
	int status = 0;

	if (place_open(&request.site, &err) < 0 ||
	    store_open(request.site.state_path, &request.store, &err) < 0 ||
	    act(&request, &err) < 0)
		status = report(&err);
	store_close(request.store);
	site_close(&request.site);
	return status;
}

const struct command pool_command = {
	.name = "pool",
	.usage = "ls | set TEMPLATE NUMBER [OPTION...] | rm TEMPLATE [OPTION...]",
	.options = "zone max-age no-wait json",
	.summary = "keep instances ready that were started ahead of time",
	.description =
		"set has NUMBER instances of TEMPLATE started, and frozen once they are ready: "
		"spares. 'stint up TEMPLATE' then takes one of them, which takes milliseconds, and "
		"another one is started in the background. Name, owner, lease and published ports "
		"are given at that moment. What asks for another instance, as --env and --memory "
		"do, is started anew, and 'up' says so; so is everything while none is ready. "
		"Spares take memory as other instances do, and give way to an instance that is "
		"started and finds no room. They are replaced when the template, or a generation "
		"of its install, is. ls shows how often one was ready and what that was worth.",
	.min_args = 1,
	.max_args = 3,
	.run = run_pool,
};
