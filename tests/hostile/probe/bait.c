/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to be found outside: sockets, shared memory, a queue, a process, a key. Runs on the
 * host, or in another instance, says on standard output how to find them, a "key=value" a line, and
 * waits for SIGTERM. Nothing of it remains. And callers who are not as one expects.
 */
#include "hostile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define EVERYTHING 0x3f3f3f3fUL /* all rights over a key, for everybody */

static void listen_on(const char *key, const void *name, socklen_t length)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} bound = {.any.sa_family = AF_UNSPEC};
	socklen_t n = sizeof(bound);
	int family = ((const struct sockaddr *)name)->sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int alone = 1;

	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &alone, sizeof(alone));
	if (bind(fd, name, length) < 0 || listen(fd, 16) < 0 || getsockname(fd, &bound.any, &n) < 0)
		return;
	if (family == AF_INET)
		printf("%s=%u\n", key, ntohs(bound.v4.sin_port));
	else if (family == AF_INET6)
		printf("%s=%u\n", key, ntohs(bound.v6.sin6_port));
	else
		printf("%s=%s\n", key, ((const struct sockaddr_un *)name)->sun_path + 1);
}

static void offer_sockets(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int n = snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "hostile-bait-%d-%ld",
			 getpid(), random());

	listen_on("port", &any, sizeof(any));
	listen_on("port6", &any6, sizeof(any6));
	listen_on("abstract", &name,
		  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n));
}

/* One that is not everybody's own. */
static void tell_address(void)
{
	struct ifaddrs *all = NULL;
	char text[INET_ADDRSTRLEN] = "";

	if (getifaddrs(&all) < 0)
		return;
	for (struct ifaddrs *a = all; a && !*text; a = a->ifa_next) {
		struct sockaddr_in *name = (struct sockaddr_in *)a->ifa_addr;

		if (name && name->sin_family == AF_INET &&
		    name->sin_addr.s_addr != htonl(INADDR_LOOPBACK) && (a->ifa_flags & IFF_UP))
			inet_ntop(AF_INET, &name->sin_addr, text, sizeof(text));
	}
	if (*text)
		printf("address=%s\n", text);
	freeifaddrs(all);
}

static void tell_route(void)
{
	struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(53)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "198.51.100.1", &far.sin_addr);
	if (connect(fd, (struct sockaddr *)&far, sizeof(far)) == 0)
		puts("route=yes");
	close(fd);
}

/* Marked for removal at once, which happens when the last process that uses it ends. */
static void offer_memory(void)
{
	int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0666);

	if (id < 0 || (intptr_t)shmat(id, NULL, 0) == -1)
		return;
	shmctl(id, IPC_RMID, NULL);
	printf("shm=%d\n", id);
}

static void offer_queue(char *name, size_t size)
{
	struct mq_attr attributes = {.mq_maxmsg = 1, .mq_msgsize = 8};

	snprintf(name, size, "/hostile-bait-%d", getpid());
	umask(0);
	if (mq_open(name, O_CREAT | O_RDWR, 0666, &attributes) >= 0)
		printf("queue=%s\n", name);
}

int offer_bait(void)
{
	char queue[64];
	sigset_t end;
	int signal;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	srandom((unsigned)getpid());
	printf("pid=%d\n", getpid());
	offer_sockets();
	tell_address();
	tell_route();
	offer_memory();
	offer_queue(queue, sizeof(queue));
	puts("complete=yes");
	fflush(stdout);
	sigwait(&end, &signal);
	mq_unlink(queue);
	return 0;
}

/* Keyrings are inherited: whoever starts an instance hands on his own, were it not replaced. */
int execute_with_key(char **command)
{
	long key;

	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	key = syscall(SYS_add_key, "user", "hostile-bait", "secret", 6UL,
		      (long)KEY_SPEC_SESSION_KEYRING);
	syscall(SYS_keyctl, KEYCTL_SETPERM, key, EVERYTHING);
	syscall(SYS_keyctl, KEYCTL_SETPERM, (long)KEY_SPEC_SESSION_KEYRING, EVERYTHING);
	execvp(command[0], command);
	perror(command[0]);
	return 127;
}

/* bubblewrap waited for ever where Erlang had started it with SIGCHLD ignored. */
int execute_deaf(char **command)
{
	sigset_t all;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_IGN);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	execvp(command[0], command);
	perror(command[0]);
	return 127;
}
