/* SPDX-License-Identifier: Apache-2.0 */
/* What should not be on the host: see first, then ask the store whose it is; see leaks.h. */
#include "instance/leaks.h"
#include "instance/leaks_look.h"
#include "instance/instance.h"
#include "instance/lock.h"
#include "instance/start.h"
#include "instance/sweep.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "store/zones.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>

#define LOOK_BOUND_NS (1 * NSEC_PER_SEC)
#define LOOK_PAUSE_MS 100

/* What the store and the locks say; read after everything else was seen. */
struct known {
	char **sound;  /* ids */
	char **needed; /* "zone/NAME" */
	bool running, traffic;
};

static void leak_free(struct leak *leak)
{
	free(leak->name);
	free(leak->text);
}

void leaks_deinit(struct leak_list *leaks)
{
	for (size_t i = 0; i < leaks->n; i++)
		leak_free(&leaks->list[i]);
	free(leaks->list);
	*leaks = (struct leak_list){0};
}

static void leaks_add(struct leak_list *leaks, struct leak leak)
{
	leaks->list = xrealloc(leaks->list, leaks->n + 1, sizeof(leak));
	leaks->list[leaks->n++] = leak;
}

void leak_note(struct leak_look *look, const char *sort, const char *whose, const char *name,
	       const char *format, ...)
{
	struct leak_seen *seen;
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	look->list = xrealloc(look->list, look->n + 1, sizeof(*look->list));
	seen = &look->list[look->n++];
	seen->leak = (struct leak){.sort = sort, .name = xstrdup(name), .text = xstrdup(text)};
	snprintf(seen->whose, sizeof(seen->whose), "%s", whose);
}

bool leak_id_of(const char *path, char id[INSTANCE_ID_LENGTH + 1])
{
	snprintf(id, INSTANCE_ID_LENGTH + 1, "%s", path);
	return is_id(id) && (!path[INSTANCE_ID_LENGTH] || path[INSTANCE_ID_LENGTH] == '/');
}

static void look_at_row(const struct site *site, const struct record *record, struct known *known,
			struct leak_list *ret_rows)
{
	const struct grant *grant = &record->grant;
	struct leak row = {.sort = "row"};
	const char *why;

	if (!sweep_is_due(site, record, &why)) {
		strv_add(&known->sound, grant->id);
		known->running |= !record->kept_until_ns;
		return;
	}
	row.name = xasprintf("%s (%s)", grant->name, grant->id);
	row.text = xstrdup(strncmp(why, "expired", 7) == 0 ? "overdue" : why);
	leaks_add(ret_rows, row);
}

static int look_at_rows(const struct site *site, struct store *store, struct known *known,
			struct leak_list *ret_rows, struct error *err)
{
	struct record **records = NULL;
	size_t n = 0;
	int r = store_list(store, &records, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++)
		look_at_row(site, records[i], known, ret_rows);
	if (r == 0)
		record_list_free(records, n);
	return r;
}

static int look_at_zones(struct store *store, struct known *known, struct error *err)
{
	struct zone *zones = NULL;
	size_t n = 0;
	int r = store_zone_list(store, &zones, &n, err);

	for (size_t i = 0; r == 0 && i < n; i++) {
		cleanup_free char *whose = xasprintf("zone/%s", zones[i].name);

		strv_add(&known->needed, whose);
		known->traffic |= zone_has_traffic(&zones[i]);
	}
	zone_list_free(zones, n);
	return r;
}

/*
 * A lock without a record belongs to a start before its first step or an end after its last one:
 * those have no directory and no group.
 */
static bool is_passing(const struct site *site, const struct leak_seen *seen)
{
	return strcmp(seen->leak.sort, "lock") == 0 && is_id(seen->whose) &&
	       instance_is_alive(site, seen->whose);
}

static bool is_leak(const struct leak_look *look, const struct leak_seen *seen,
		    const struct known *known)
{
	if (strcmp(seen->whose, LEAK_NOBODYS) == 0)
		return true;
	if (strcmp(seen->whose, LEAK_COMMON) == 0)
		return !known->running;
	if (strcmp(seen->whose, LEAK_TRAFFIC) == 0)
		return !known->traffic;
	if (strncmp(seen->whose, "zone/", 5) == 0)
		return !strv_contains(known->needed, seen->whose);
	return !strv_contains(known->sound, seen->whose) && !is_passing(look->site, seen);
}

static void see_all(struct leak_look *look)
{
	leaks_see_groups(look);
	leaks_see_processes(look);
	leaks_see_mounts(look);
	leaks_see_loops(look);
	leaks_see_directories(look);
	leaks_see_network(look);
	leaks_see_quotas(look);
}

static int ask_store(const struct site *site, struct known *known, struct leak_list *ret_rows,
		     struct error *err)
{
	cleanup_store struct store *store = NULL;
	int r = store_open(site->state_path, &store, err);

	if (r == 0)
		r = look_at_rows(site, store, known, ret_rows, err);
	return r < 0 ? r : look_at_zones(store, known, err);
}

/* An instance that is started between the two is known to the store before it can be seen. */
static int look_once(const struct site *site, struct leak_list *ret_leaks, struct error *err)
{
	struct leak_look look = {.site = site};
	struct known known = {0};
	int r;

	see_all(&look);
	r = ask_store(site, &known, ret_leaks, err);
	for (size_t i = 0; i < look.n; i++)
		if (r == 0 && is_leak(&look, &look.list[i], &known))
			leaks_add(ret_leaks, look.list[i].leak);
		else
			leak_free(&look.list[i].leak);
	free(look.list);
	free(look.pids);
	strv_free(known.sound);
	strv_free(known.needed);
	return r;
}

static bool contains(const struct leak_list *leaks, const struct leak *leak)
{
	for (size_t i = 0; i < leaks->n; i++)
		if (strcmp(leaks->list[i].sort, leak->sort) == 0 &&
		    strcmp(leaks->list[i].name, leak->name) == 0)
			return true;
	return false;
}

/* What was not seen again was on its way. */
static void keep_common(struct leak_list *leaks, const struct leak_list *again)
{
	size_t n = 0;

	for (size_t i = 0; i < leaks->n; i++)
		if (contains(again, &leaks->list[i]))
			leaks->list[n++] = leaks->list[i];
		else
			leak_free(&leaks->list[i]);
	leaks->n = n;
}

int leaks_find(const struct site *site, struct leak_list *ret_leaks, struct error *err)
{
	int64_t until = clock_boottime_ns() + LOOK_BOUND_NS;
	int r;

	*ret_leaks = (struct leak_list){0};
	r = look_once(site, ret_leaks, err);
	while (r == 0 && ret_leaks->n > 0 && clock_boottime_ns() < until) {
		struct leak_list again = {0};

		poll(NULL, 0, LOOK_PAUSE_MS);
		r = look_once(site, &again, err);
		if (r == 0)
			keep_common(ret_leaks, &again);
		leaks_deinit(&again);
	}
	return r;
}
