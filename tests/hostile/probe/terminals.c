/* SPDX-License-Identifier: Apache-2.0 */
/* Input for a terminal that somebody else reads; see hostile.h. */
#include "hostile.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HIGH (1UL << 32) /* of which the kernel takes no notice */

/* A terminal of our own session, for which what is attempted is allowed where it is at all. */
static int open_terminal(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0, slave;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return -1;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave >= 0)
		ioctl(slave, TIOCSCTTY, 0);
	return slave;
}

/* The argument is a byte that means nothing, or 0. */
static struct verdict request(unsigned long number)
{
	char argument[64] = {0};
	int fd = open_terminal();

	if (fd < 0)
		return absent("no terminal can be made");
	return by_call(syscall(SYS_ioctl, fd, number, argument));
}

static struct verdict push_input(void)
{
	return request(TIOCSTI);
}

static struct verdict push_input_high(void)
{
	return request(TIOCSTI | HIGH);
}

static struct verdict paste(void)
{
	return request(TIOCLINUX);
}

static struct verdict paste_high(void)
{
	return request(TIOCLINUX | HIGH);
}

static struct verdict discipline(void)
{
	return request(TIOCSETD);
}

/* Of no terminal, lest the console of the host move. */
static struct verdict console(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	return fd < 0 ? denied() : by_call(ioctl(fd, TIOCCONS, 0));
}

static const struct probe list[] = {
	{"tty-input", "37,46", "ioctl(TIOCSTI)", FILTER, push_input, {0}},
	{"tty-input-high", "47", "ioctl(TIOCSTI + 2^32)", FILTER, push_input_high, {0}},
	{"tty-paste", "48", "ioctl(TIOCLINUX)", FILTER, paste, {0}},
	{"tty-paste-high", "47,48", "ioctl(TIOCLINUX + 2^32)", FILTER, paste_high, {0}},
	{"tty-discipline", "67", "ioctl(TIOCSETD)", FILTER, discipline, {0}},
	{"tty-console", "14", "ioctl(TIOCCONS)", FILTER, console, {0}},
};
const struct family family_terminals = {list, ARRAY_SIZE(list)};
