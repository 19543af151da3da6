/* SPDX-License-Identifier: Apache-2.0 */
/* stint top: what the instances of this host use, again and again. */
#include "cli/top.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/place.h"
#include "cli/screen.h"
#include "base/clock.h"
#include "instance/sweep.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define EVERY_NS (2 * NSEC_PER_SEC)
#define EVERY_MIN_NS (100 * NSEC_PER_MSEC)
#define ONCE_NS (500 * NSEC_PER_MSEC) /* between the two samples of one table */

struct top {
	const struct invocation *invocation;
	struct site site;
	struct gauge gauge;
	struct top_sample before, now;
	enum top_key key;
	int64_t every_ns;
	bool once;
};

static int read_key(const char *name, enum top_key *ret_key, struct error *err)
{
	const char *names[TOP_KEYS + 1] = {0};
	const char *near;

	for (int i = 0; i < TOP_KEYS; i++) {
		names[i] = top_orders[i].name;
		if (!name || strcmp(name, names[i]) == 0) {
			*ret_key = (enum top_key)i;
			return 0;
		}
	}
	near = nearest_word(name, names);
	return error_say(err, ERROR_USAGE,
			 "--sort: '%s' is no column; %s%s%swrite cpu, memory, connections, bytes, "
			 "left or name",
			 name, near ? "did you mean '" : "", near ? near : "", near ? "'? " : "");
}

static int read_options(struct top *top, struct error *err)
{
	const struct options *o = &top->invocation->options;
	int r = read_key(o->sort, &top->key, err);

	if (r < 0)
		return r;
	top->once = o->once || o->json || !screen_possible();
	top->every_ns = top->once ? ONCE_NS : EVERY_NS;
	if (!o->every ||
	    (parse_duration(o->every, &top->every_ns) == 0 && top->every_ns >= EVERY_MIN_NS))
		return 0;
	return error_say(err, ERROR_USAGE,
			 "--every: '%s' is no such time; write 500ms, 2s or 1m, at "
			 "least 100ms",
			 o->every);
}

/* What is there becomes what was before. */
static int sample(struct top *top, struct error *err)
{
	struct top_sample next;
	int r = top_sample(top->invocation->caller, &top->site, &top->gauge,
			   top->now.at_ns ? &top->now : NULL, &next, err);

	if (r < 0)
		return r;
	top_sample_deinit(&top->before);
	top->before = top->now;
	top->now = next;
	return 0;
}

static void arrange(struct top *top, size_t n)
{
	top_arrange(&top->site, top->before.at_ns ? &top->before : NULL, &top->now, top->key, n);
}

static int print_once(struct top *top, struct error *err)
{
	struct text text = {0};
	int r = sample(top, err);

	if (r < 0)
		return r;
	arrange(top, SIZE_MAX);
	poll(NULL, 0, (int)(top->every_ns / NSEC_PER_MSEC));
	r = sample(top, err);
	if (r < 0)
		return r;
	arrange(top, SIZE_MAX);
	if (top->invocation->options.json)
		return json_print(top_json(&top->now, &top->before));
	top_print(&top->now, top->key, 0, 0, &text);
	fputs(text.data, stdout);
	text_deinit(&text);
	return 0;
}

static int draw(struct top *top, struct error *err)
{
	struct text text = {0};
	unsigned columns, rows;
	int r;

	screen_size(&columns, &rows);
	arrange(top, top_capacity(rows));
	top_print(&top->now, top->key, columns, rows, &text);
	r = screen_draw(&text, err);
	text_deinit(&text);
	return r;
}

/* False when the key ends it. */
static bool take_key(struct top *top, int key)
{
	for (int i = 0; i < TOP_KEYS; i++)
		if (tolower(key) == top_orders[i].letter)
			top->key = (enum top_key)i;
	return key >= 0 && tolower(key) != 'q';
}

static int watch(struct top *top, struct screen *screen, struct error *err)
{
	int64_t next_ns = 0;
	int key = 0, r = 0;

	while (r == 0 && take_key(top, key)) {
		if (clock_boottime_ns() >= next_ns) {
			r = sample(top, err);
			/* the first says nothing of rates: the second comes soon */
			next_ns =
				clock_boottime_ns() + (top->before.at_ns ? top->every_ns : ONCE_NS);
		}
		if (r == 0)
			r = draw(top, err);
		if (r == 0)
			key = screen_wait(screen, next_ns - clock_boottime_ns());
	}
	return r;
}

static int run_screen(struct top *top, int *ret_status, struct error *err)
{
	struct screen screen;
	int r = screen_open(!top->invocation->caller->restricted, &screen, err);

	if (r == 0)
		r = watch(top, &screen, err);
	screen_close(&screen);
	*ret_status = screen.interrupted ? 128 + screen.interrupted : 0;
	return r;
}

static int run_top(const struct invocation *invocation)
{
	struct top top = {.invocation = invocation, .site = {.state = -1, .run = -1}};
	struct sweep_result swept;
	struct error err = {0};
	int status = 0;
	int r = read_options(&top, &err);

	if (r == 0)
		r = place_open(&top.site, &err);
	if (r == 0)
		r = site_sweep(&top.site, false, &swept, &err);
	if (r == 0)
		r = gauge_open(&top.gauge, &err);
	if (r == 0)
		r = top.once ? print_once(&top, &err) : run_screen(&top, &status, &err);
	top_sample_deinit(&top.before);
	top_sample_deinit(&top.now);
	gauge_close(&top.gauge);
	site_close(&top.site);
	return r < 0 ? report(&err) : status;
}

const struct command top_command = {
	.name = "top",
	.usage = "[OPTION...]",
	.options = "every sort once json",
	.summary = "what the instances use, again and again",
	.description =
		"For each running instance: processor time in percent of one processor, memory "
		"and its limit, connections and bytes a second of its published ports, and the "
		"time left. On a terminal it is shown again every two seconds (--every); c, m, o, "
		"b, l and n sort by processors, memory, connections, bytes, time left and name, "
		"and q quits. Elsewhere, with --once or --json, one table is printed. Members of "
		"the group stint see their own instances.",
	.max_args = 0,
	.run = run_top,
};
