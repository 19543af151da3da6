/* SPDX-License-Identifier: Apache-2.0 */
/* Processes, signals and locks; see process.h. */
#include "base/process.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the kernel's first process has, and all that come from it. */
#define TIMER_SLACK_NS 50000
#define CORE_FILTER "0x33"

/* By the kernel's own call: the C library refuses two signals that it keeps to itself. */
static void reset_signal(int signal)
{
	struct {
		void (*handler)(int);
		unsigned long flags;
		void (*restorer)(void);
		uint64_t mask;
	} action = {.handler = SIG_DFL};

	syscall(SYS_rt_sigaction, signal, &action, NULL, sizeof(action.mask));
}

void process_reset_signals(void)
{
	sigset_t none;

	for (int signal = 1; signal < _NSIG; signal++)
		reset_signal(signal); /* fails for KILL and STOP: fine */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int process_take_signals(int one_more)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (one_more)
		sigaddset(&set, one_more);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void process_reset_inherited(void)
{
	static const struct sched_param lowest = {0};
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	sched_setscheduler(0, SCHED_OTHER, &lowest);
	setpriority(PRIO_PROCESS, 0, 0);
	syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0));
	personality(PER_LINUX);
	prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS, 0, 0, 0);
	prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
	file_poke(AT_FDCWD, "/proc/self/coredump_filter", CORE_FILTER);
}

int process_cloexec_from(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		return -errno;
	return 0;
}

/* A change of the file ids takes capabilities out of effect or puts them in. */
static int raise_permitted(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	for (size_t i = 0; i < 2; i++)
		sets[i].effective = sets[i].permitted;
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

int process_set_file_ids(uid_t uid, gid_t gid)
{
	setfsgid(gid);
	setfsuid(uid);
	/* neither tells of a failure: an id that nobody has changes nothing and gives the present
	 * one */
	if ((gid_t)setfsgid((gid_t)-1) != gid || (uid_t)setfsuid((uid_t)-1) != uid)
		return -EPERM;
	return raise_permitted();
}

int process_drop_capability(int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {0};
	uint32_t bit = CAP_TO_MASK(capability);
	size_t word = (size_t)CAP_TO_INDEX(capability);

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	sets[word].effective &= ~bit;
	sets[word].permitted &= ~bit;
	sets[word].inheritable &= ~bit;
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

int process_null_streams(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	if (null > 2)
		close(null);
	return 0;
}

int process_pidfd_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int process_pidfd_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

static int lock_call(int fd, int64_t byte, int command, short type)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
	int r;

	do
		r = fcntl(fd, command, &lock);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EACCES ? -EAGAIN : -errno;
	return 0;
}

int lock_try(int fd, int64_t byte)
{
	return lock_call(fd, byte, F_OFD_SETLK, F_WRLCK);
}

int lock_wait(int fd, int64_t byte)
{
	return lock_call(fd, byte, F_OFD_SETLKW, F_WRLCK);
}

bool lock_try_any(int fd, int64_t first, int64_t n)
{
	for (int64_t byte = first; byte < first + n; byte++)
		if (lock_try(fd, byte) == 0)
			return true;
	return false;
}

void lock_release(int fd, int64_t byte)
{
	(void)lock_call(fd, byte, F_OFD_SETLK, F_UNLCK);
}

bool lock_is_held(int fd, int64_t byte)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
		return true;
	return lock.l_type != F_UNLCK;
}
