/* SPDX-License-Identifier: Apache-2.0 */
/* A packet without its descriptors, whatever the version of packets; see control.h. */
#include "keeper/control.h"
#include "base/socket.h"

#include <unistd.h>

int control_receive_words(int fd, struct control_packet *ret_packet)
{
	int fds[SOCKET_FDS_MAX];
	size_t n_fds = 0;
	int r = control_receive(fd, ret_packet, fds, &n_fds);

	for (size_t i = 0; r > 0 && i < n_fds; i++)
		close(fds[i]);
	return r;
}
