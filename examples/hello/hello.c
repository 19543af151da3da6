/* SPDX-License-Identifier: Apache-2.0 */
/* The life of hello, from its start to its end; see hello.h. */
#include "hello.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define DRAIN_SECONDS 1.0 /* for answers under way when the server ends */

/* SIGTERM and SIGINT are read as data, between two rounds of requests. */
static int signals_open(struct hello *hello)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	hello->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (hello->signals < 0)
		return complain("cannot receive signals: %s", strerror(errno));
	return 0;
}

static void signals_take(struct hello *hello)
{
	struct signalfd_siginfo info;

	while (read(hello->signals, &info, sizeof(info)) == sizeof(info)) {
		const char *name = info.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT";

		if (info.ssi_signo == SIGTERM && hello->setting[IGNORE_TERM] > 0) {
			say(hello, "%s ignored", name);
			continue;
		}
		say(hello, "%s, stopping", name);
		hello->stopping = true;
	}
}

static int listen_now(struct hello *hello)
{
	int port = (int)hello->setting[PORT];
	int result = http_listen(hello->http, (uint16_t)port);

	if (result < 0)
		return complain("cannot listen on port %d: %s", port, strerror(-result));
	hello->listening = true;
	say(hello, "listening on port %d", port);
	return 0;
}

/* Brings the server to where it should be by now. */
static int life_advance(struct hello *hello)
{
	double age = now() - hello->started;
	bool is_due = age >= hello->setting[START_SECONDS];

	if (!hello->listening && (is_due || hello->setting[BIND_EARLY] > 0) &&
	    listen_now(hello) < 0)
		return -1;
	if (!hello->ready && is_due && hello->setting[NEVER_READY] == 0) {
		hello->ready = true;
		say(hello, "ready after %.2f s", age);
	}
	if (hello->setting[EXIT_AFTER] >= 0 && age >= hello->setting[EXIT_AFTER]) {
		hello->exit_status = (int)hello->setting[EXIT_STATUS];
		hello->stopping = true;
		say(hello, "end as asked for, status %d", hello->exit_status);
	}
	if (hello->save_at >= 0 && now() >= hello->save_at)
		requests_save(hello);
	return 0;
}

/* Milliseconds until life_advance has something to do, -1: nothing. */
static int life_timeout(const struct hello *hello)
{
	double moments[] = {
		!hello->ready && hello->setting[NEVER_READY] == 0
			? hello->started + hello->setting[START_SECONDS]
			: UNSET,
		!hello->listening ? hello->started + hello->setting[START_SECONDS] : UNSET,
		hello->setting[EXIT_AFTER] >= 0 ? hello->started + hello->setting[EXIT_AFTER]
						: UNSET,
		hello->save_at,
	};
	double next = UNSET, wait;

	for (size_t i = 0; i < ARRAY_SIZE(moments); i++) {
		if (moments[i] >= 0 && (next < 0 || moments[i] < next))
			next = moments[i];
	}
	if (next < 0)
		return -1;
	wait = next - now();
	return wait > 0 ? (int)(wait * 1000) + 1 : 0;
}

/* Answers under way may leave, for a bounded time; new connections are refused. */
static void drain(struct hello *hello)
{
	double end = now() + DRAIN_SECONDS;

	http_unlisten(hello->http);
	while (http_is_busy(hello->http) && now() < end)
		http_poll(hello->http, 50);
	requests_save(hello);
	say(hello, "stopped after %llu requests", hello->requests);
}

static int prepare(struct hello *hello, char **argv)
{
	hello->started = now();
	hello->save_at = UNSET;
	gethostname(hello->hostname, sizeof(hello->hostname) - 1);
	if (home_open(hello) < 0 || settings_read(hello, argv) < 0 || log_open(hello) < 0 ||
	    uuid_load(hello) < 0 || signals_open(hello) < 0)
		return -1;
	requests_load(hello);
	hello->http = http_new(routes_handle, hello);
	if (!hello->http || http_watch(hello->http, hello->signals) < 0)
		return complain("cannot set up: %s", strerror(errno));
	say(hello, "starting in %s as process %d", hello->home_path, getpid());
	return 0;
}

static int serve(struct hello *hello)
{
	for (;;) {
		if (life_advance(hello) < 0)
			return 1;
		if (hello->stopping)
			break;
		http_poll(hello->http, life_timeout(hello));
		signals_take(hello);
	}
	drain(hello);
	return hello->exit_status;
}

int main(int argc, char **argv)
{
	struct hello hello = {.home = -1, .signals = -1};
	int status;

	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		settings_usage(stdout);
		return 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (prepare(&hello, argv) < 0)
		return 1;
	status = serve(&hello);
	http_free(hello.http);
	fclose(hello.log);
	close(hello.signals);
	close(hello.home);
	return status;
}
