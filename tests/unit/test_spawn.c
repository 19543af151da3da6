/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime/keeper/spawn: programs are started as an instance's init starts them, here without an
 * instance around; what they see of themselves comes back through a pipe.
 */
#include "world.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "keeper/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define UID 1234
#define GID 2345

static char *const plain_env[] = {(char *)"PATH=/usr/bin:/bin", (char *)"A=1", NULL};

static struct spawn make_spawn(char *const *argv)
{
	static const gid_t groups[] = {GID, 77};

	return (struct spawn){
		.argv = argv,
		.env = plain_env,
		.confinement = {.uid = UID, .gid = GID, .groups = groups, .n_groups = 2},
		.stdio = {-1, -1, -1}};
}

/* As init does, but that it waits here; a child that failed is reaped. */
static int spawn_process(const struct spawn *spawn, pid_t *ret_pid, struct error *err)
{
	struct spawned spawned;
	struct pollfd polled = {.events = POLLIN};
	int r = spawn_begin(spawn, &spawned, err);

	if (r < 0)
		return r;
	polled.fd = spawned.report;
	if (poll(&polled, 1, WORLD_BOUND_MS) != 1)
		abort();
	r = spawn_learn(&spawned, spawn->argv[0], err);
	if (spawned.report >= 0)
		abort();
	if (r == 0)
		*ret_pid = spawned.pid;
	else
		waitpid(spawned.pid, NULL, 0);
	return r;
}

static char *read_all(int fd)
{
	struct pollfd polled = {.fd = fd, .events = POLLIN};
	struct text out = {0};
	char buffer[4096];
	ssize_t n;

	do {
		assert_int_equal(poll(&polled, 1, WORLD_BOUND_MS), 1);
		n = read(fd, buffer, sizeof(buffer));
		if (n > 0)
			text_add_bytes(&out, buffer, (size_t)n);
	} while (n > 0);
	return text_take(&out);
}

/* Runs it to its end, which must be exit 0, and returns what it printed. */
static char *output_of(struct spawn spawn)
{
	struct error err;
	char *output;
	int fds[2], r;
	pid_t pid = -1;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	spawn.stdio[1] = fds[1];
	r = spawn_process(&spawn, &pid, &err);
	close(fds[1]);
	assert_succeeds(r, &err);
	output = read_all(fds[0]);
	close(fds[0]);
	assert_int_equal(wait_status(pid), 0);
	return output;
}

static char *output_of_shell(const char *script)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};

	return output_of(make_spawn(argv));
}

static void assert_shell_says(const char *script, const char *expected)
{
	cleanup_free char *output = output_of_shell(script);

	assert_string_equal(output, expected);
}

static void assert_cannot(const struct spawn *spawn, int code, const char *words)
{
	pid_t pid = 42;
	struct error err = {0};

	assert_fails(spawn_process(spawn, &pid, &err), code, &err, words);
	assert_int_equal(pid, 42);
	/* the child is gone, and was waited for */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

struct refusal {
	const char *command;
	int code;
	const char *words; /* "%s" is the command */
};

static const struct refusal refusals[] = {
	{"missing", -ENOENT, "command '%s' does not exist inside"},
	{"no/such/directory/command", -ENOENT, "command '%s' does not exist inside"},
	{"script", -ENOENT, "command '%s' exists inside, but its interpreter does not"},
	{"plain", -EACCES, "cannot execute '%s' inside"},
	{"directory", -EACCES, "cannot execute '%s' inside"},
	{"closed/command", -EACCES, "cannot execute '%s' inside"},
	{"garbage", -ENOEXEC, "cannot execute '%s' inside"},
	{"plain/below", -ENOTDIR, "cannot execute '%s' inside"},
};

static void make_commands(const struct world *w)
{
	world_file(w, "script", "#!/no/such/interpreter\n", 0755);
	world_file(w, "plain", "#!/bin/sh\n", 0644);
	world_file(w, "garbage", "no program at all\n", 0755);
	world_file(w, "closed/command", "#!/bin/sh\n", 0755);
	world_directory(w, "directory", 0755);
	world_directory(w, "closed", 0700);
}

static void spawn_process_says_why_a_command_cannot_run(void **state)
{
	struct world *w = *state;

	need_root();
	make_commands(w);
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		cleanup_free char *path = world_path(w, refusals[i].command);
		char *argv[] = {path, NULL};
		struct spawn spawn = make_spawn(argv);
		char words[256];

		snprintf(words, sizeof(words), refusals[i].words, path);
		assert_cannot(&spawn, refusals[i].code, words);
	}
}

static void spawn_process_looks_in_path(void **state)
{
	static const struct {
		const char *path, *command, *output; /* '@' is the directory of the test */
	} cases[] = {
		{"PATH=@/one:@/two", "both", "one\n"},
		{"PATH=@/two:@/one", "both", "two\n"},
		{"PATH=@/one:@/two", "second", "two\n"},
		{"PATH=@/none::@/plain:@/two:", "second", "two\n"},
		{"PATH=@/closed:@/two", "second", "two\n"},
		{"OTHER=x", "echo", "\n"},
	};
	struct world *w = *state;

	need_root();
	world_file(w, "one/both", "#!/bin/sh\necho one\n", 0755);
	world_file(w, "two/both", "#!/bin/sh\necho two\n", 0755);
	world_file(w, "two/second", "#!/bin/sh\necho two\n", 0755);
	world_file(w, "plain", "", 0644);
	/* found first, but not to be executed: the search goes on */
	world_file(w, "closed/second", "", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = {(char *)cases[i].command, NULL};
		struct spawn spawn = make_spawn(argv);
		cleanup_free char *entry = world_expand(w, cases[i].path);
		cleanup_free char *output = NULL;

		spawn.env = (char *[]){entry, NULL};
		output = output_of(spawn);
		assert_string_equal(output, cases[i].output);
	}
}

static void spawn_process_finds_nothing_in_path(void **state)
{
	static const struct {
		const char *command;
		int code;
		const char *words;
	} cases[] = {
		{"missing", -ENOENT, "command 'missing' does not exist inside"},
		{"plain", -EACCES, "cannot execute 'plain' inside"},
	};
	struct world *w = *state;
	cleanup_free char *entry = xasprintf("PATH=/nowhere:%s", w->path);

	need_root();
	world_file(w, "plain", "", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *argv[] = {(char *)cases[i].command, NULL};
		struct spawn spawn = make_spawn(argv);

		spawn.env = (char *[]){entry, NULL};
		assert_cannot(&spawn, cases[i].code, cases[i].words);
	}
}

static void spawn_process_in_a_directory(void **state)
{
	char *argv[] = {(char *)"pwd", NULL};
	struct spawn spawn = make_spawn(argv);
	cleanup_free char *root = NULL, *usr = NULL;

	(void)state;
	need_root();
	root = output_of(spawn);
	assert_string_equal(root, "/\n");
	spawn.directory = "/usr";
	usr = output_of(spawn);
	assert_string_equal(usr, "/usr\n");
}

static void spawn_process_in_a_bad_directory(void **state)
{
	static const struct {
		const char *directory;
		int code;
	} cases[] = {{"/no/such", -ENOENT}, {"/etc/passwd", -ENOTDIR}, {"closed", -EACCES}};
	char *argv[] = {(char *)"true", NULL};
	struct world *w = *state;

	need_root();
	world_directory(w, "closed", 0700);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct spawn spawn = make_spawn(argv);
		cleanup_free char *path = *cases[i].directory == '/'
						  ? xstrdup(cases[i].directory)
						  : world_path(w, cases[i].directory);
		cleanup_free char *words = xasprintf("cannot enter directory '%s' inside", path);

		spawn.directory = path;
		assert_cannot(&spawn, cases[i].code, words);
	}
}

static void spawn_process_connects_the_streams(void **state)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)"cat; echo errors >&2", NULL};
	struct spawn spawn = make_spawn(argv);
	cleanup_free char *out = NULL, *errors = NULL;
	int in[2], err[2];

	(void)state;
	need_root();
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(write(in[1], "input", 5), 5);
	close(in[1]);
	spawn.stdio[0] = in[0];
	spawn.stdio[2] = err[1];
	out = output_of(spawn);
	close(in[0]);
	close(err[1]);
	errors = read_all(err[0]);
	close(err[0]);
	assert_string_equal(out, "input");
	assert_string_equal(errors, "errors\n");
}

static void spawn_process_without_streams_has_null(void **state)
{
	(void)state;
	need_root();
	assert_shell_says("readlink /proc/self/fd/0 /proc/self/fd/2", "/dev/null\n/dev/null\n");
}

static void spawn_process_leaves_no_other_descriptor(void **state)
{
	int inherited;

	(void)state;
	need_root();
	inherited = dup(0);
	/* without a pipe or a directory of the shell's own */
	assert_shell_says("for i in 0 1 2 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$i && echo $i; "
			  "done; true",
			  "0\n1\n2\n");
	close(inherited);
}

static void spawn_process_gives_ids_and_no_capability(void **state)
{
	(void)state;
	need_root();
	assert_shell_says("id -u; id -g; id -G", "1234\n2345\n2345 77\n");
	assert_shell_says("grep -c '^Cap.*:.0000000000000000$' /proc/$$/status", "5\n");
	assert_shell_says("umask", "0022\n");
}

static void spawn_process_passes_exactly_the_environment(void **state)
{
	char *argv[] = {(char *)"/usr/bin/env", NULL};
	cleanup_free char *output = NULL;

	(void)state;
	need_root();
	output = output_of(make_spawn(argv));
	assert_string_equal(output, "PATH=/usr/bin:/bin\nA=1\n");
}

static void spawn_process_makes_a_session(void **state)
{
	cleanup_free char *ids = NULL;
	int pid, group, session, terminal;

	(void)state;
	need_root();
	/* pid (name) state parent group session terminal */
	ids = output_of_shell("read a b c d e f g h </proc/$$/stat; echo $a $e $f $g");
	assert_int_equal(sscanf(ids, "%d %d %d %d", &pid, &group, &session, &terminal), 4);
	assert_int_equal(group, pid);
	assert_int_equal(session, pid);
	assert_int_equal(terminal, 0);
}

static int open_terminal(int *ret_slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	*ret_slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(*ret_slave >= 0);
	return master;
}

static void spawn_process_takes_a_terminal(void **state)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c",
			(char *)"read a b c d e f g h </proc/$$/stat; test $g != 0 && tty <&0 >&2",
			NULL};
	struct spawn spawn = make_spawn(argv);
	int slave, master;
	struct error err;
	pid_t pid = 0;

	(void)state;
	need_root();
	master = open_terminal(&slave);
	spawn.terminal = true;
	spawn.stdio[0] = slave;
	assert_succeeds(spawn_process(&spawn, &pid, &err), &err);
	assert_int_equal(wait_status(pid), 0);
	spawn.stdio[0] = -1;
	assert_cannot(&spawn, -ENOTTY, "cannot take the terminal");
	close(slave);
	close(master);
}

static void spoil_signals_and_spawn(const void *arg)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c",
			(char *)"grep -c '^Sig[BI][lg][kn]:.0000000000000000$' /proc/self/status "
				"| grep -qx 2",
			NULL};
	struct spawn spawn = make_spawn(argv);
	struct error err = {0};
	sigset_t blocked;
	int status;
	pid_t pid;

	(void)arg;
	for (int i = 1; i < NSIG; i++)
		if (i != SIGCHLD && i != SIGALRM)
			(void)signal(i, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
	must_succeed(spawn_process(&spawn, &pid, &err), &err);
	must(waitpid(pid, &status, 0) == pid);
	must(status == 0);
}

static void spawn_process_resets_signals(void **state)
{
	(void)state;
	need_root();
	run_in_child(0, spoil_signals_and_spawn, NULL);
}

/* This program started again, as a command inside. */
#define SEARCH_KEY "search-key"
#define KEY_NAME "stint-test-secret"

static int search_key(void)
{
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", KEY_NAME, 0) >
	       0;
}

static void spawn_with_a_key(const void *arg)
{
	char *argv[] = {(char *)"/proc/self/exe", (char *)SEARCH_KEY, NULL};
	struct spawn spawn = make_spawn(argv);
	struct error err = {0};
	int status;
	pid_t pid = 0;

	(void)arg;
	must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) > 0);
	must(syscall(SYS_add_key, "user", KEY_NAME, "x", 1, KEY_SPEC_SESSION_KEYRING) > 0);
	must(search_key());
	/* as the owner of the key */
	spawn.confinement = (struct confinement){0};
	must_succeed(spawn_process(&spawn, &pid, &err), &err);
	must(waitpid(pid, &status, 0) == pid);
	must(status == 0);
}

static void spawn_process_passes_no_keys(void **state)
{
	(void)state;
	need_root();
	if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1) < 0)
		skip();
	run_in_child(0, spawn_with_a_key, NULL);
}

struct limits {
	uint64_t files;
	const char *soft;
	const char *raised; /* instead, with CAP_SYS_RESOURCE */
};

static void lower_limits_and_spawn(const void *arg)
{
	const struct limits *limits = arg;
	const char *soft = limits->soft;
	char script[256];
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", script, NULL};
	struct spawn spawn = make_spawn(argv);
	struct error err = {0};
	int status;
	pid_t pid = 0;

	must(setrlimit(RLIMIT_CORE, &(struct rlimit){1, RLIM_INFINITY}) == 0 || errno == EPERM);
	must(setrlimit(RLIMIT_FSIZE, &(struct rlimit){1 << 20, RLIM_INFINITY}) == 0);
	must(setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 500}) == 0);
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){100, 501}) == 0)
		soft = limits->raised;
	snprintf(script, sizeof(script),
		 "test $(ulimit -Sn) = %s && test $(ulimit -Sc) = 0 && test $(ulimit -Ss) = 8192 "
		 "&& test $(ulimit -Sf) = $(ulimit -Hf) && test $(ulimit -Sv) = $(ulimit -Hv)",
		 soft);
	spawn.files_limit = limits->files;
	must_succeed(spawn_process(&spawn, &pid, &err), &err);
	must(waitpid(pid, &status, 0) == pid);
	must(status == 0);
}

/* Soft limits are set anew; a lower hard limit stays where raising it takes a capability. */
static void spawn_process_sets_limits_anew(void **state)
{
	static const struct limits cases[] = {
		{0, "500", "65536"}, {200, "200", "200"}, {100000, "500", "100000"}};

	(void)state;
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_in_child(0, lower_limits_and_spawn, &cases[i]);
}

static void spawn_process_joins_groups(void **state)
{
	char *argv[] = {(char *)"true", NULL};
	struct spawn spawn = make_spawn(argv);
	struct world *w = *state;
	cleanup_free char *joined = NULL, *output = NULL;
	int group;

	need_root();
	world_file(w, "tasks", "", 0644);
	group = openat(w->dir, "tasks", O_WRONLY | O_CLOEXEC);
	spawn.cgroups = &group;
	spawn.n_cgroups = 1;
	output = output_of(spawn);
	assert_non_null(output);
	joined = world_read(w, "tasks");
	assert_string_equal(joined, "0");
	close(group);
	group = -1;
	assert_cannot(&spawn, -EBADF, "cannot join a control group");
}

static void spawn_without_capabilities(const void *arg)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	char *argv[] = {(char *)"true", NULL};
	struct spawn spawn = make_spawn(argv);
	struct error err = {0};
	pid_t pid;

	(void)arg;
	must(syscall(SYS_capset, &header, none) == 0);
	must_fail(spawn_process(&spawn, &pid, &err), &err, "cannot drop capability 0");
}

static void spawn_process_without_privilege(void **state)
{
	(void)state;
	run_in_child(0, spawn_without_capabilities, NULL);
}

static void fill_pipe(int fd)
{
	static const char full[4096];

	assert_int_equal(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	while (write(fd, full, sizeof(full)) > 0)
		;
	assert_int_equal(fcntl(fd, F_SETFL, O_RDWR), 0);
}

/* Stopped before it executes, by one who may: a reader who never comes holds it up here. */
static void spawn_give_up_ends_one_that_does_not_execute(void **state)
{
	struct world *w = *state;
	char *argv[] = {(char *)"true", NULL};
	cleanup_free char *path = world_path(w, "fifo");
	struct spawn spawn = make_spawn(argv);
	struct spawned spawned;
	struct error err = {0};
	int status;

	need_root();
	assert_int_equal(mkfifo(path, 0600), 0);
	spawn.cgroups = (int[]){open(path, O_RDWR | O_CLOEXEC)};
	spawn.n_cgroups = 1;
	fill_pipe(spawn.cgroups[0]);
	assert_succeeds(spawn_begin(&spawn, &spawned, &err), &err);
	assert_int_equal(spawn_learn(&spawned, "true", &err), 1);
	assert_true(spawned.report >= 0);
	assert_fails(spawn_give_up(&spawned, "true", 5, &err), -ETIMEDOUT, &err,
		     "command 'true' did not get to its start within 5 s");
	assert_int_equal(spawned.report, -1);
	assert_int_equal(waitpid(spawned.pid, &status, 0), spawned.pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	close(spawn.cgroups[0]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		with_world(spawn_process_says_why_a_command_cannot_run),
		with_world(spawn_process_looks_in_path),
		with_world(spawn_process_finds_nothing_in_path),
		with_world(spawn_process_in_a_directory),
		with_world(spawn_process_in_a_bad_directory),
		with_world(spawn_process_connects_the_streams),
		with_world(spawn_process_without_streams_has_null),
		with_world(spawn_process_leaves_no_other_descriptor),
		with_world(spawn_process_gives_ids_and_no_capability),
		with_world(spawn_process_passes_exactly_the_environment),
		with_world(spawn_process_makes_a_session),
		with_world(spawn_process_takes_a_terminal),
		with_world(spawn_process_resets_signals),
		cmocka_unit_test(spawn_process_passes_no_keys),
		with_world(spawn_process_sets_limits_anew),
		with_world(spawn_process_joins_groups),
		with_world(spawn_process_without_privilege),
		with_world(spawn_give_up_ends_one_that_does_not_execute),
	};

	if (argc > 1 && strcmp(argv[1], SEARCH_KEY) == 0)
		return search_key();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
