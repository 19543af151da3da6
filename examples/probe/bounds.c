/* SPDX-License-Identifier: Apache-2.0 */
/* The report's lines about what bounds a process: resource limits, processors, scheduling. */
#include "probe.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define IOPRIO_WHO_PROCESS 1

static void report_limit(const char *name, int resource)
{
	struct rlimit limit;
	char soft[24] = "unlimited", hard[24] = "unlimited";

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0)
		return;
	if (limit.rlim_cur != RLIM_INFINITY)
		snprintf(soft, sizeof(soft), "%llu", (unsigned long long)limit.rlim_cur);
	if (limit.rlim_max != RLIM_INFINITY)
		snprintf(hard, sizeof(hard), "%llu", (unsigned long long)limit.rlim_max);
	printf("rlimit.%s=%s:%s\n", name, soft, hard);
}

static void report_limits(void)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{"as", RLIMIT_AS},
		{"core", RLIMIT_CORE},
		{"cpu", RLIMIT_CPU},
		{"data", RLIMIT_DATA},
		{"fsize", RLIMIT_FSIZE},
		{"locks", RLIMIT_LOCKS},
		{"memlock", RLIMIT_MEMLOCK},
		{"msgqueue", RLIMIT_MSGQUEUE},
		{"nice", RLIMIT_NICE},
		{"nofile", RLIMIT_NOFILE},
		{"nproc", RLIMIT_NPROC},
		{"rss", RLIMIT_RSS},
		{"rtprio", RLIMIT_RTPRIO},
		{"rttime", RLIMIT_RTTIME},
		{"sigpending", RLIMIT_SIGPENDING},
		{"stack", RLIMIT_STACK},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		report_limit(limits[i].name, limits[i].resource);
}

static void report_processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		printf("processors=%d\n", CPU_COUNT(&set));
}

static void report_scheduling(void)
{
	errno = 0;
	report_number("scheduler", sched_getscheduler(0));
	report_number("ioprio", syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0));
	report_number("timer_slack", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
	printf("nice=%d\n", getpriority(PRIO_PROCESS, 0));
}

void report_bounds(void)
{
	report_limits();
	report_processors();
	report_scheduling();
}
