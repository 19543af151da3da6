/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls what runs inside may use; in the command that compiles a filter. What is not
 * listed is forbidden: mounts, namespaces, modules, tracing, keys, bpf, perf, io_uring,
 * userfaultfd, file handles, clocks, swap, quotas, NUMA policies and 32-bit leftovers. Each of them
 * needs a capability that nobody inside has, or was again and again the way into the kernel.
 */
#include "confine/calls.h"

#include <stddef.h>

/* Files: names, contents, attributes. */
static const char *const files[] = {
	"access",     "chdir",	   "chmod",    "close",	   "close_range", "copy_file_range",
	"creat",      "dup",	   "dup2",     "dup3",	   "faccessat",	  "faccessat2",
	"fadvise64",  "fallocate", "fchdir",   "fchmod",   "fchmodat",	  "fchmodat2",
	"fcntl",      "fdatasync", "flock",    "fstat",	   "fstatfs",	  "fsync",
	"ftruncate",  "futimesat", "getcwd",   "getdents", "getdents64",  "link",
	"linkat",     "lseek",	   "lstat",    "mkdir",	   "mkdirat",	  "newfstatat",
	"open",	      "openat",	   "openat2",  "pread64",  "preadv",	  "preadv2",
	"pwrite64",   "pwritev",   "pwritev2", "read",	   "readahead",	  "readlink",
	"readlinkat", "readv",	   "rename",   "renameat", "renameat2",	  "rmdir",
	"sendfile",   "stat",	   "statfs",   "statx",	   "symlink",	  "symlinkat",
	"sync",	      "syncfs",	   "truncate", "umask",	   "unlink",	  "unlinkat",
	"utime",      "utimensat", "utimes",   "write",	   "writev",	  NULL};

/* Owners and extended attributes; of use to a server that unpacks or backs up. */
static const char *const owners[] = {
	"chown",       "fchown",     "fchownat",	"fgetxattr", "flistxattr",  "fremovexattr",
	"fsetxattr",   "getxattr",   "getxattrat",	"lchown",    "lgetxattr",   "listxattr",
	"listxattrat", "llistxattr", "lremovexattr",	"lsetxattr", "removexattr", "removexattrat",
	"setxattr",    "setxattrat", "sync_file_range", "cachestat", NULL};

/* Memory; never W^X, which would stop every JIT compiler. */
static const char *const memory[] = {"brk",	 "madvise", "membarrier", "mincore", "mmap",
				     "mprotect", "mremap",  "msync",	  "munmap",  NULL};

/* Memory that stays, that has keys, or that is a file without a name. */
static const char *const pinned[] = {"memfd_create", "mlock",	      "mlock2",	    "mlockall",
				     "mseal",	     "munlock",	      "munlockall", "pkey_alloc",
				     "pkey_free",    "pkey_mprotect", NULL};

/* Processes, threads, signals. */
static const char *const processes[] = {"arch_prctl",
					"execve",
					"execveat",
					"exit",
					"exit_group",
					"fork",
					"futex",
					"futex_requeue",
					"futex_wait",
					"futex_waitv",
					"futex_wake",
					"get_robust_list",
					"getpgid",
					"getpgrp",
					"getpid",
					"getppid",
					"getpriority",
					"getrlimit",
					"getrusage",
					"getsid",
					"gettid",
					"kill",
					"pause",
					"pidfd_open",
					"pidfd_send_signal",
					"prctl",
					"prlimit64",
					"restart_syscall",
					"rseq",
					"rt_sigaction",
					"rt_sigpending",
					"rt_sigprocmask",
					"rt_sigqueueinfo",
					"rt_sigreturn",
					"rt_sigsuspend",
					"rt_sigtimedwait",
					"rt_tgsigqueueinfo",
					"sched_get_priority_max",
					"sched_get_priority_min",
					"sched_getaffinity",
					"sched_getattr",
					"sched_getparam",
					"sched_getscheduler",
					"sched_rr_get_interval",
					"sched_yield",
					"set_robust_list",
					"set_tid_address",
					"setpgid",
					"setpriority",
					"setrlimit",
					"setsid",
					"sigaltstack",
					"tgkill",
					"times",
					"tkill",
					"vfork",
					"wait4",
					"waitid",
					"getcpu",
					"getrandom",
					"sysinfo",
					"uname",
					NULL};

/* Where threads run and with which priority of their disk accesses. */
static const char *const placement[] = {"sched_setaffinity", "ioprio_get",	"ioprio_set",
					"get_thread_area",   "set_thread_area", NULL};

/* Ids and capabilities: what becomes less, for servers that start as root and drop it. */
static const char *const ids[] = {"capget",    "getegid",   "geteuid", "getgid", "getgroups",
				  "getresgid", "getresuid", "getuid",  NULL};

/* The same, changed. */
static const char *const other_ids[] = {"capset",    "setfsgid", "setfsuid",  "setgid",
					"setgroups", "setregid", "setresgid", "setresuid",
					"setreuid",  "setuid",	 NULL};

/* Waiting, clocks, timers, pipes. */
static const char *const events[] = {"alarm",
				     "clock_getres",
				     "clock_gettime",
				     "clock_nanosleep",
				     "epoll_create",
				     "epoll_create1",
				     "epoll_ctl",
				     "epoll_pwait",
				     "epoll_pwait2",
				     "epoll_wait",
				     "eventfd",
				     "eventfd2",
				     "getitimer",
				     "gettimeofday",
				     "inotify_add_watch",
				     "inotify_init",
				     "inotify_init1",
				     "inotify_rm_watch",
				     "nanosleep",
				     "pipe",
				     "pipe2",
				     "poll",
				     "ppoll",
				     "pselect6",
				     "select",
				     "setitimer",
				     "signalfd",
				     "signalfd4",
				     "time",
				     "timer_create",
				     "timer_delete",
				     "timer_getoverrun",
				     "timer_gettime",
				     "timer_settime",
				     "timerfd_create",
				     "timerfd_gettime",
				     "timerfd_settime",
				     NULL};

/* Connections; socket and socketpair are looked at more closely. */
static const char *const network[] = {
	"accept",     "accept4", "bind",       "connect",  "getpeername", "getsockname",
	"getsockopt", "listen",	 "recvfrom",   "recvmmsg", "recvmsg",	  "sendmmsg",
	"sendmsg",    "sendto",	 "setsockopt", "shutdown", NULL};

/* Messages, semaphores and shared memory, all of the instance's own IPC namespace; PostgreSQL. */
static const char *const queues[] = {"mq_getsetattr", "mq_notify",  "mq_open", "mq_timedreceive",
				     "mq_timedsend",  "mq_unlink",  "msgctl",  "msgget",
				     "msgrcv",	      "msgsnd",	    "semctl",  "semget",
				     "semop",	      "semtimedop", "shmat",   "shmctl",
				     "shmdt",	      "shmget",	    NULL};

/* The old asynchronous I/O of databases, and moving pages through pipes. */
static const char *const asynchronous[] = {"epoll_ctl_old",
					   "epoll_wait_old",
					   "io_cancel",
					   "io_destroy",
					   "io_getevents",
					   "io_pgetevents",
					   "io_setup",
					   "io_submit",
					   "splice",
					   "tee",
					   NULL};

/* A server may confine itself further. */
static const char *const own_sandbox[] = {"landlock_add_rule", "landlock_create_ruleset",
					  "landlock_restrict_self", "seccomp", NULL};

/* What 32-bit programs call the same things; no number of this machine's own. */
static const char *const abi32[] = {"_llseek",
				    "_newselect",
				    "chown32",
				    "clock_getres_time64",
				    "clock_gettime64",
				    "clock_nanosleep_time64",
				    "fadvise64_64",
				    "fchown32",
				    "fcntl64",
				    "fstat64",
				    "fstatat64",
				    "fstatfs64",
				    "ftruncate64",
				    "futex_time64",
				    "getegid32",
				    "geteuid32",
				    "getgid32",
				    "getgroups32",
				    "getresgid32",
				    "getresuid32",
				    "getuid32",
				    "io_pgetevents_time64",
				    "lchown32",
				    "lstat64",
				    "mmap2",
				    "mq_timedreceive_time64",
				    "mq_timedsend_time64",
				    "ppoll_time64",
				    "pselect6_time64",
				    "recv",
				    "recvmmsg_time64",
				    "rt_sigtimedwait_time64",
				    "sched_rr_get_interval_time64",
				    "semtimedop_time64",
				    "send",
				    "sendfile64",
				    "setfsgid32",
				    "setfsuid32",
				    "setgid32",
				    "setgroups32",
				    "setregid32",
				    "setresgid32",
				    "setresuid32",
				    "setreuid32",
				    "setuid32",
				    "sigprocmask",
				    "sigreturn",
				    "stat64",
				    "statfs64",
				    "timer_gettime64",
				    "timer_settime64",
				    "timerfd_gettime64",
				    "timerfd_settime64",
				    "truncate64",
				    "ugetrlimit",
				    "utimensat_time64",
				    "waitpid",
				    NULL};

/*
 * The forwarder's loop, and what the C library does around it. All forwarders have one id: what
 * reaches other processes of that id is not among them (rules.c has the rest).
 */
static const char *const forwarder[] = {
	"accept4",	  "brk",	  "clock_gettime", "close",	      "connect",
	"epoll_create1",  "epoll_ctl",	  "epoll_pwait",   "epoll_wait",      "exit",
	"exit_group",	  "fallocate",	  "fdatasync",	   "fstat",	      "ftruncate",
	"futex",	  "getpeername",  "getpid",	   "getrandom",	      "getsockname",
	"getsockopt",	  "gettid",	  "listen",	   "lseek",	      "madvise",
	"mmap",		  "mprotect",	  "mremap",	   "munmap",	      "newfstatat",
	"pipe2",	  "poll",	  "prctl",	   "pwrite64",	      "read",
	"readv",	  "recvfrom",	  "recvmsg",	   "restart_syscall", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sendmsg",	   "sendto",	      "setsockopt",
	"shutdown",	  "splice",	  "write",	   "writev",	      NULL};

#define DEFAULT (1 << FILTER_DEFAULT)
#define STRICT (1 << FILTER_STRICT | DEFAULT)

const struct call_group call_groups[] = {
	{files, STRICT},
	{owners, DEFAULT},
	{memory, STRICT},
	{pinned, DEFAULT},
	{processes, STRICT},
	{placement, DEFAULT},
	{ids, STRICT},
	{other_ids, DEFAULT},
	{events, STRICT},
	{network, STRICT},
	{queues, DEFAULT},
	{asynchronous, DEFAULT},
	{own_sandbox, DEFAULT},
	{abi32, STRICT},
	{forwarder, 1 << FILTER_FORWARDER},
	{NULL, 0},
};
