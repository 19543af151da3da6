/* SPDX-License-Identifier: Apache-2.0 */
/* threads NUMBER: that many threads that sleep, until whoever started them is gone. Prints a line.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void *rest(void *unused)
{
	for (;;)
		pause();
	return unused;
}

int main(int argc, char **argv)
{
	int number = argc == 2 ? atoi(argv[1]) : 0;
	pthread_attr_t small;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 << 10);
	for (int i = 0; i < number; i++) {
		pthread_t thread;

		if (pthread_create(&thread, &small, rest, NULL) != 0)
			return 1;
	}
	puts("started");
	fflush(stdout);
	rest(NULL);
}
