/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The further ports of the stand-in: listens on each that is named and closes what connects. Ends
 * with its parent.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORTS_MAX 8

static int open_port(const char *word)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)atoi(word))};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, SOMAXCONN) < 0) {
		perror(word);
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct pollfd ports[PORTS_MAX];
	nfds_t n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < argc && n < PORTS_MAX; i++)
		ports[n++] = (struct pollfd){.fd = open_port(argv[i]), .events = POLLIN};
	while (n > 0 && poll(ports, n, -1) > 0)
		for (nfds_t i = 0; i < n; i++)
			if (ports[i].revents)
				close(accept(ports[i].fd, NULL, NULL));
	return 0;
}
