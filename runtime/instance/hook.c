/* SPDX-License-Identifier: Apache-2.0 */
/* Programs of the host that are run for an instance; see hook.h. */
#include "instance/hook.h"
#include "instance/account.h"
#include "instance/events.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "base/visible.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#define LINE_MAX_SHOWN 160
#define REAP_BOUND_NS (2 * NSEC_PER_SEC)

/* The last line that was written, as far as it is worth showing. */
struct last_line {
	char text[LINE_MAX_SHOWN];
	size_t length;
	bool ended;
};

static void add_output(struct last_line *line, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] == '\n') {
			line->ended = true;
			continue;
		}
		if (line->ended)
			line->length = 0;
		line->ended = false;
		if (line->length < sizeof(line->text))
			line->text[line->length++] = data[i];
	}
}

static void add_env(char ***env, const char *key, const char *value)
{
	cleanup_free char *word = xasprintf("%s=%s", key, value ? value : "");

	strv_add(env, word);
}

/* "http-admin" is STINT_PORT_HTTP_ADMIN. */
static void add_port(char ***env, const struct published_port *port)
{
	cleanup_free char *key = xasprintf("STINT_PORT_%s", port->name);
	cleanup_free char *number = xasprintf("%u", (unsigned)port->host_port);

	for (char *c = key; *c; c++) {
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
		if (*c == '-')
			*c = '_';
	}
	add_env(env, key, number);
}

static char **make_env(const struct hook_run *run)
{
	const struct record *record = run->record;
	struct in_addr address = {.s_addr = htonl(record->address)};
	char text[INET_ADDRSTRLEN];
	char **env = strv_copy(run->env);

	inet_ntop(AF_INET, &address, text, sizeof(text));
	add_env(&env, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add_env(&env, "STINT_HOOK", run->name);
	add_env(&env, "STINT_NAME", record->grant.name);
	add_env(&env, "STINT_ID", record->grant.id);
	add_env(&env, "STINT_TEMPLATE", record->template_name);
	add_env(&env, "STINT_ZONE", record->zone);
	add_env(&env, "STINT_OWNER", record->grant.owner);
	add_env(&env, "STINT_ADDRESS", text);
	for (size_t i = 0; i < record->grant.n_ports; i++)
		add_port(&env, &record->grant.ports[i]);
	return env;
}

static int find_user(const struct hook_run *run, struct account *ret_account, struct error *err)
{
	const struct grant *grant = &run->record->grant;
	cleanup_free char *owner = xasprintf("%u", grant->owner_uid);

	if (run->hook->user)
		return account_resolve(run->hook->user, ret_account, err);
	return account_resolve(grant->owner_uid == 0 ? "nobody" : owner, ret_account, err);
}

static int lose_privileges(const struct account *user)
{
	if (setgroups(user->n_groups, user->groups) < 0 ||
	    setresgid(user->gid, user->gid, user->gid) < 0 ||
	    setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	return 0;
}

/* In the child: never returns. What goes wrong is written where its own words would be. */
static void become_hook(const struct hook_run *run, const struct account *user, char **env, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	process_reset_signals();
	process_reset_inherited();
	if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
	    syscall(SYS_close_range, 3U, ~0U, 0U) < 0 || chdir("/") < 0)
		_exit(126);
	umask(022);
	/* a keeper's are for it alone: what the memory killer spares, and less than all rights */
	file_poke(AT_FDCWD, "/proc/self/oom_score_adj", "0");
	prctl(PR_SET_NO_NEW_PRIVS, 1UL, 0UL, 0UL, 0UL);
	if (lose_privileges(user) < 0) {
		dprintf(2, "cannot become user '%s': %s\n", user->name, strerror(errno));
		_exit(126);
	}
	execve(run->hook->command[0], run->hook->command, env);
	dprintf(2, "cannot execute it: %s\n", strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Whose parent this process is: what a hook leaves behind becomes its child, a subreaper's. */
static bool is_child(const char *pid)
{
	cleanup_free char *path = xasprintf("/proc/%s/stat", pid);
	cleanup_file FILE *file = fopen(path, "re");
	char line[512];
	const char *end;
	int parent;

	if (!file || !fgets(line, sizeof(line), file))
		return false;
	end = strrchr(line, ')'); /* a name may have anything in it */
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 && parent == getpid();
}

static void kill_children(void)
{
	cleanup_dir DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]) && is_child(entry->d_name))
			kill((pid_t)atoi(entry->d_name), SIGKILL);
}

/*
 * Until nothing of it is left; status is that of the hook itself. What sleeps in the kernel is not
 * waited for longer than a moment.
 */
static void end_all(pid_t hook, int *status)
{
	int64_t until_ns = clock_boottime_ns() + REAP_BOUND_NS;

	for (;;) {
		int one;
		pid_t pid = waitpid(-1, &one, WNOHANG);

		if (pid == hook)
			*status = one;
		if (pid > 0)
			continue;
		if (pid < 0 || clock_boottime_ns() > until_ns)
			return;
		kill_children();
		poll(NULL, 0, 1);
	}
}

enum outcome { OUTCOME_ENDED, OUTCOME_LATE, OUTCOME_CANCELLED };

/* Reads what it writes until it has ended, its time is over, or it is to stop. */
static enum outcome watch(const struct hook_run *run, int pidfd, int out, struct last_line *line)
{
	int64_t until_ns = clock_boottime_ns() + run->hook->timeout_ns;

	for (;;) {
		struct pollfd polled[] = {
			{.fd = out, .events = POLLIN},
			{.fd = pidfd, .events = POLLIN},
			{.fd = run->cancel, .events = POLLIN},
		};
		int64_t left_ms = (until_ns - clock_boottime_ns()) / NSEC_PER_MSEC + 1;
		char data[4096];
		ssize_t n;

		if (left_ms <= 0)
			return OUTCOME_LATE;
		if (poll(polled, ARRAY_SIZE(polled),
			 left_ms > INT32_MAX ? INT32_MAX : (int)left_ms) < 0 &&
		    errno != EINTR)
			return OUTCOME_LATE;
		if (polled[2].revents)
			return OUTCOME_CANCELLED;
		n = polled[0].revents ? read(out, data, sizeof(data)) : 0;
		if (n > 0)
			add_output(line, data, (size_t)n);
		else if (polled[1].revents)
			return OUTCOME_ENDED;
		else if (polled[0].revents && n == 0)
			out = -1; /* it closed what it had to write to */
	}
}

static int say(const struct hook_run *run, const struct last_line *line, struct error *err,
	       const char *what)
{
	cleanup_text struct text shown = {0};

	text_add_visible(&shown, line->text, line->length);
	return error_say(err, ERROR_FAILED, "hook %s: '%s' %s%s%s", run->name,
			 run->hook->command[0], what, line->length ? ": " : "",
			 shown.data ? shown.data : "");
}

static int judge(const struct hook_run *run, enum outcome outcome, int status,
		 const struct last_line *line, struct error *err)
{
	cleanup_free char *what = NULL;
	char bound[32];

	if (outcome == OUTCOME_CANCELLED) {
		say(run, line, err, "was interrupted");
		return error_with_code(err, -ECANCELED);
	}
	format_duration(run->hook->timeout_ns, bound, sizeof(bound));
	if (outcome == OUTCOME_LATE)
		what = xasprintf("took longer than %s and was killed", bound);
	else if (WIFSIGNALED(status))
		what = xasprintf("was killed by signal %d (%s)", WTERMSIG(status),
				 strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		what = xasprintf("exited with status %d", WEXITSTATUS(status));
	return what ? say(run, line, err, what) : 0;
}

int hook_run(const struct hook_run *run, struct error *err)
{
	cleanup_account struct account user = {0};
	cleanup_strv char **env = NULL;
	cleanup_fd int out = -1, in = -1, pidfd = -1;
	struct last_line line = {.length = 0};
	enum outcome outcome;
	int status = 0, pair[2];
	pid_t pid;

	if (find_user(run, &user, err) < 0)
		return error_prefix(err, "hook %s", run->name);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_set(err, errno, "hook %s: cannot make a pipe", run->name);
	out = pair[0];
	in = pair[1];
	fcntl(out, F_SETFL, O_NONBLOCK);
	env = make_env(run);
	prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL);
	pid = fork();
	if (pid == 0)
		become_hook(run, &user, env, in);
	if (pid < 0)
		return error_set(err, errno, "hook %s: cannot fork", run->name);
	cleanup_close(&in);
	pidfd = process_pidfd_open(pid);
	outcome = pidfd < 0 ? OUTCOME_CANCELLED : watch(run, pidfd, out, &line);
	if (outcome != OUTCOME_ENDED)
		kill(pid, SIGKILL);
	end_all(pid, &status);
	prctl(PR_SET_CHILD_SUBREAPER, 0UL, 0UL, 0UL, 0UL);
	return judge(run, outcome, status, &line, err);
}

char **hook_pack(const struct plan_hook *hook)
{
	cleanup_free char *timeout = xasprintf("%" PRId64, hook->timeout_ns);
	char **words = NULL;

	if (!hook->command)
		return NULL;
	strv_add(&words, timeout);
	strv_add(&words, hook->user ? hook->user : "");
	for (size_t i = 0; hook->command[i]; i++)
		strv_add(&words, hook->command[i]);
	return words;
}

/*
 * A process of its own, which outlives whoever began it, and holds nothing of him: no lock above
 * all, and no stream, whose reader would wait for its end.
 */
static void run_apart(int run_directory, const struct hook_run *run)
{
	struct error err = {0};

	setsid();
	process_reset_signals();
	if (dup2(run_directory, 3) < 0 || process_null_streams() < 0)
		_exit(1);
	syscall(SYS_close_range, 4U, ~0U, 0U);
	if (hook_run(run, &err) < 0) {
		event_add(3, EVENTS_FILE_NAME, run->record->grant.id, "hook", err.text);
		syslog(LOG_WARNING, "%s: %s", run->record->grant.name, err.text);
	}
	_exit(0);
}

void hook_after_end(const struct site *site, const struct record *record, const char *reason)
{
	cleanup_free char *why = xasprintf("STINT_REASON=%s", reason);
	char *const *words = record->after_end;
	struct plan_hook hook = {0};
	char *env[] = {why, NULL};
	const struct hook_run run = {.name = plan_hook_names[HOOK_AFTER_END],
				     .hook = &hook,
				     .record = record,
				     .env = env,
				     .cancel = -1};
	pid_t child;

	if (strv_length(words) < 3)
		return;
	hook = (struct plan_hook){.timeout_ns = strtoll(words[0], NULL, 10),
				  .user = *words[1] ? words[1] : NULL,
				  .command = (char **)words + 2};
	child = fork();
	if (child == 0) {
		if (fork() == 0)
			run_apart(site->run, &run);
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}
