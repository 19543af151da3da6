/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for the first HTTP answer of a port of 127.0.0.1: asks for a path, again after a
 * millisecond whenever nobody listens or the connection ends without a word. For scripts/bench
 * alone.
 *
 *   answer PORT PATH
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRIES 60000

static int ask(const struct sockaddr_in *address, const char *path)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[512];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", path);
	int answered = 0;

	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
	    send(fd, text, (size_t)n, MSG_NOSIGNAL) == n)
		answered = recv(fd, text, 5, MSG_WAITALL) == 5 && memcmp(text, "HTTP/", 5) == 0;
	close(fd);
	return answered;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (argc != 3)
		return 2;
	address.sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10));
	for (int tries = 0; tries < TRIES; tries++) {
		if (ask(&address, argv[2]))
			return 0;
		usleep(1000);
	}
	return 1;
}
